/// One endpoint as the server keeps it: its desired state, the models in memory, the counters of the trial. Used by one thread at a time (the server's lock).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "serving/server.h"

namespace rondo::serving {

class LiveEndpoint {
 public:
  LiveEndpoint(workspace::Workspace& workspace, const ServerOptions& options, const ModelLoader& loader, Recorder& recorder, const EndpointRow& row);
  const std::shared_ptr<Endpoint>& endpoint() const { return endpoint_; }

  /// Reads the desired state and follows it: loads what is missing, swaps the snapshot when it differs.
  void Follow();
  /// Judges a running rollout; moves it on, ends it, or stores where it stands.
  void Judge();
  /// Stores the counters now (before the server stops).
  void Save();
  Result<Json> Describe();

 private:
  struct Served {
    std::shared_ptr<const LoadedModel> model;
    std::shared_ptr<Arm> life;
  };
  Result<Served> Load(int64_t version);
  /// True: the state has moved on, read it again.
  Result<bool> FollowRollout(std::optional<int64_t> champion);
  Status FollowOnce(bool& again);
  bool TimeToLook(int64_t requests, int64_t now);
  Status Publish(std::optional<int64_t> champion);
  void Forget();
  TrialNumbers Numbers() const;
  Json Arms() const;
  void End(const std::string& state, const std::string& why, const Json& numbers);

  workspace::Workspace& workspace_;
  const ServerOptions& options_;
  const ModelLoader& loader_;
  std::shared_ptr<Endpoint> endpoint_;
  std::map<int64_t, Served> served_;        ///< champion, challenger, and the champion before: a rollback needs no load
  std::optional<Rollout> rollout_;
  std::shared_ptr<Arm> champion_trial_, challenger_trial_;
  std::shared_ptr<Split> split_;
  std::string arms_of_;                     ///< rollout whose counters these are
  int64_t split_step_ = -1;
  std::string published_;                   ///< what the snapshot was made of
  std::string ended_here_;                  ///< rollout that was taken off although the database could not be told yet
  std::function<Result<bool>()> untold_;    ///< tells it
  StageVerdict verdict_;
  int64_t stage_base_ = 0;                  ///< requests of the challenger before the present stage
  int64_t last_look_ = 0, last_look_time_ = 0;        ///< requests and time of the last judgement
  int64_t last_requests_ = -1, last_change_time_ = 0; ///< as of the last round
  int64_t last_save_ = 0, saved_requests_ = -1;
  Json hints_;                              ///< reference.json of hints_of_: values and examples of the inputs
  int64_t hints_of_ = 0;
  int64_t since_ = 0;
  std::optional<int64_t> champion_;
  std::string problem_;                     ///< why the desired state isn't served
  int64_t retry_time_ = 0;
};

}  // namespace rondo::serving
