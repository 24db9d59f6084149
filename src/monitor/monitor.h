/// The monitor of a server: one thread that follows the prediction logs, judges windows, joins labels, raises and tells alarms, and asks the retrain
/// policy. It sleeps until predictions or labels come, at most a second; an idle monitor costs some microseconds a second.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/event_bus.h"
#include "base/file.h"
#include "monitor/alarms.h"
#include "monitor/feedback.h"
#include "monitor/follower.h"
#include "monitor/labels.h"
#include "monitor/realised.h"
#include "monitor/retrain.h"
#include "monitor/snapshot.h"
#include "workspace/workspace.h"

namespace rondo::monitor {

struct MonitorOptions {
  project::Monitor spec;
  project::Retrain retrain;
  EventBus* bus = nullptr;   ///< AlarmRaised goes there; may be null
  Teller teller;             ///< empty: webhooks and commands
  /// Starts a pipeline run for a decision and returns its id; empty: decisions are stored, nothing starts. Called on the monitor's thread.
  std::function<Result<std::string>(const RetrainDecision&)> retrain_now;
};

class Monitor {
 public:
  /// The workspace outlives the monitor. kUnsupported: `monitor.notify` has a target that this release can't tell.
  static Result<std::unique_ptr<Monitor>> Open(workspace::Workspace& workspace, MonitorOptions options);
  ~Monitor();
  Status Start();  ///< kConflict: another process monitors this folder
  void Stop();  ///< finishes the pass that runs
  /// One Pass when no server's monitor runs on this folder; false when one does. For commands: it tells nobody and starts nothing.
  Result<bool> PassIfAlone();
  /// New predictions were written: wakes the thread. Cheap, from any thread.
  void Wake();
  /// One whole pass, as the thread does it (also for tests and for commands without a server). Serialised. One endpoint's error is logged and the others go on.
  Status Pass();

  // Any thread:
  Result<Json> View(const std::string& endpoint, const SnapshotOptions& options = {});
  Result<std::vector<Alarm>> Alarms(const std::string& endpoint, int64_t limit = 200);
  Status Acknowledge(const std::string& alarm_id, const std::string& actor);
  /// `body`: see ParseLabels. kNotFound: no such endpoint has predicted or is a registered model.
  Result<LabelCounts> TakeLabels(const std::string& endpoint, std::vector<LabelRow> rows, const std::string& actor);
  Result<Feedback> LabelledRows(const std::string& endpoint);
  /// Writes LabelledRows as Parquet, where step `ingest` looks for it (out/feedback/<dataset>.parquet); returns the rows. 0: nothing labelled, nothing written.
  Result<int64_t> WriteFeedback(const std::string& endpoint, const std::filesystem::path& to);
  RetrainPolicy& retrain() { return retrain_; }
  RealisedMetrics& realised() { return realised_; }
  /// For causes that others see (new data, cron): decides and, when the answer is yes, starts the run.
  Result<RetrainDecision> ConsiderRetrain(const RetrainCause& cause);
  const project::Monitor& spec() const { return options_.spec; }

 private:
  Monitor(workspace::Workspace& workspace, MonitorOptions options);
  void Loop();
  Status Tell(int64_t now);
  Status Endpoint(const std::string& endpoint, bool changed);
  Status Announce(const Alarm& alarm);
  Status Prune();
  std::vector<std::string> Endpoints() const;
  Status KnowsEndpoint(const std::string& endpoint);

  workspace::Workspace& workspace_;
  const MonitorOptions options_;
  References references_;
  RealisedMetrics realised_;
  PredictionReader reader_;
  Follower follower_;
  JudgeContext judge_;
  RetrainPolicy retrain_;
  Teller teller_;

  std::optional<FileLock> running_;  ///< monitor.lock, held while the thread runs

  std::mutex pass_mutex_;
  int64_t counter_ = -1;       ///< change counter after the last pass
  int64_t next_delivery_ = 0;  ///< when one is due; 0: none known to wait
  int64_t pruned_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false, stop_ = false;
  std::thread thread_;
};

/// Reference of a registered version: the artifact reference.json beside its model.
Result<Reference> StoredReference(workspace::Workspace& workspace, const std::string& model, int64_t version);

}  // namespace rondo::monitor
