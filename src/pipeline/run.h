/// One pipeline run: stages go to workers as what they wait for has ended and resources are free. Internal to pipeline.
///
/// `jobs` workers take stages from the ready list; each does all of its stage itself (look, restore or spawn and wait, store, publish), so that a short
/// stage costs no hand-over between threads. Decisions are taken under one mutex; files are read and processes waited for outside it.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/engine.h"
#include "pipeline/executor.h"
#include "pipeline/keeper.h"
#include "pipeline/parts.h"
#include "pipeline/recorder.h"
#include "pipeline/run_log.h"

namespace rondo::pipeline {

class PipelineRun {
 public:
  PipelineRun(Parts& parts, LockKeeper& keeper, const RunOptions& options, int64_t epoch);
  /// Brings the wanted stages up to date once. Errors are those of the frame (the data folder, the graph); a failing stage shows in the summary.
  Result<RunSummary> Pass();
  /// A stage made the items of a map anew: read the graph again and call Pass again.
  bool deferred() const { return deferred_; }
  /// Closes the records. Once, after the last pass.
  Status End(RunSummary& summary);

 private:
  enum class State : uint8_t { kUnwanted, kWaiting, kReady, kBusy, kDone, kBroken, kOmitted, kDeferred };

  // run.cc: who goes when
  void Worker();
  bool Take(size_t& stage);                    ///< with the mutex held: the next stage that fits
  void Settle(size_t i, State state);          ///< with the mutex held: what waited for it
  void Finish(size_t i, const StageRecord& record, const Status& status);
  void ReleaseFinal();                         ///< with the mutex held: stages that run after the others
  void CancelRest();
  bool Stopped() const { return stop_ || Cancelled(); }
  bool Cancelled() const { return options_.cancel && options_.cancel->load(); }
  void Publish(size_t i, const StageRecord& record);

  // attempt.cc: one stage
  Status One(size_t i, StageRecord& record);
  Status Attempts(const StageNode& node, StageRecord& record);
  Status Prepare(const StageNode& node) const; ///< folders there, old outs gone
  Result<JobResult> RunJob(Job job);
  bool WorthAnotherTry(const StageNode& node, const JobResult& result) const;
  Result<std::vector<std::pair<std::string, std::string>>> ChildEnv(const StageNode& node, std::vector<std::string>& secrets) const;
  void BringBack(const StageNode& node, const std::optional<LockedStage>& own);

  // record.cc: what is written about the run
  Status EnsureStarted();                      ///< with the mutex held
  Status EnsureMlflowRun();                    ///< with the mutex held
  std::string Actor() const;
  std::filesystem::path Folder() const { return parts_.data / "runs" / id_; }

  Parts& parts_;
  LockKeeper& keeper_;
  const RunOptions& options_;
  const int64_t epoch_;
  std::unique_ptr<Executor> executor_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<State> states_;
  std::vector<StageRecord> records_;
  std::vector<uint32_t> missing_;
  std::vector<std::vector<uint32_t>> after_;
  std::set<size_t> ready_;
  std::vector<size_t> final_;                  ///< stages with runs: failure | always
  size_t open_ = 0, open_normal_ = 0;          ///< not settled yet: all, and those that are no final ones
  bool final_released_ = false;
  int busy_ = 0, waiting_workers_ = 0;
  int64_t cpu_ = 0, memory_ = 0, machine_memory_ = 0;
  std::set<int> gpus_;                         ///< free ones
  std::map<size_t, std::vector<int>> gpus_of_;
  size_t machine_gpus_ = 0;
  std::map<std::string, int64_t> pools_;       ///< free slots
  bool stop_ = false, deferred_ = false;
  Error frame_error_;                          ///< disk full and the like: ends the run
  Error first_error_;
  bool failed_ = false, ran_ = false;
  std::set<std::string> changed_now_;          ///< stages that made new outs in this pass
  std::set<std::string> makers_;               ///< stages that make the items of a map

  std::string id_, mlflow_run_, commit_;
  bool started_ = false;
  std::optional<RunLog> log_;
  std::unique_ptr<Recorder> recorder_;
  int64_t place_ = 0;                          ///< of the first stage of this pass in the run's records
  std::map<std::string, int64_t> places_;
  std::string path_;
};

}  // namespace rondo::pipeline
