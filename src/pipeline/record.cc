// What is written about a run: its row, the audit log, lineage, the MLflow run, the run log.
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/json_map.h"
#include "base/log.h"
#include "govern/govern.h"
#include "pipeline/run.h"

namespace rondo::pipeline {
namespace {

/// "alarm:<id>" -> kind alarm; other causes keep their first word as kind.
std::string CauseKind(const std::string& cause) { return cause.substr(0, cause.find(':')); }
std::string CauseId(const std::string& cause) { return cause.find(':') == std::string::npos ? cause : cause.substr(cause.find(':') + 1); }

std::string GitCommit(const fs::path& root) {
  std::error_code ec;
  bool repository = false;
  for (fs::path at = fs::absolute(root, ec); !repository; at = at.parent_path()) {
    repository = fs::exists(at / ".git", ec);
    if (at == at.parent_path()) break;
  }
  if (!repository) return {};
  auto head = RunCommand({"git", "-C", root.string(), "rev-parse", "HEAD"}, {}, 5000);
  return head && head->code == 0 ? head->out.substr(0, 40) : "";
}

}  // namespace

std::string PipelineRun::Actor() const { return options_.actor.empty() ? govern::CurrentActor() : options_.actor; }

/// Everything that makes a run visible, once, before the first process starts.
Status PipelineRun::EnsureStarted() {
  if (started_) return {};
  RONDO_TRY(workspace::Workspace* const w, parts_.Open());
  commit_ = GitCommit(parts_.root);
  RunRecord run;
  run.id = id_ = options_.run_id.empty() ? NewId() : options_.run_id;
  run.project = parts_.project.name;
  run.trigger = options_.trigger;
  run.cause = options_.cause;
  run.actor = Actor();
  run.started = w->clock().NowMs();
  run.commit = commit_;
  run.pid = ::getpid();
  // Many stages of one's own would make the config a second copy of the lock.
  std::string config;
  if (parts_.graph.size() <= 2000) {
    config = ToJson(parts_.project).Pretty();
  } else {
    config = parts_.Config().Pretty();
  }
  RONDO_DO(WriteFileAtomic(Folder() / "config.json", config));
  RONDO_TRY(RunLog log, RunLog::Create(RunLogFile(parts_.data, run.id)));
  log_.emplace(std::move(log));
  RONDO_DO(log_->Begin(run.id, epoch_, run.started));
  RONDO_DO(WriteEngineMark(parts_.data, {run.id, epoch_, run.pid}));
  keeper_.Attach(&*log_, epoch_);
  CrashPoint("after-mark");
  RONDO_DO(parts_.journal().StartRun(run, config));
  CrashPoint("after-start");
  govern::AuditEntry entry;
  entry.actor = run.actor;
  entry.action = "run.start";
  entry.object = "pipeline_run " + run.id;
  entry.reason = run.trigger + (run.cause.empty() ? "" : ": " + run.cause);
  entry.after = Json::MakeObject().Set("commit", run.commit).Set("config_sha256", Sha256Hex(config));
  RONDO_TRY(const auto appended, w->audit().Append(entry));
  (void)appended;
  if (!run.cause.empty()) RONDO_DO(w->registry().AddEdges({{CauseKind(run.cause), CauseId(run.cause), "caused", "pipeline_run", run.id, run.started}}));
  started_ = true;
  recorder_ = std::make_unique<Recorder>(parts_.journal(), run.id);
  for (const StageRecord& record : records_)
    if (!record.status.empty() && parts_.graph.size() <= 500) {
      places_[record.name] = place_;
      recorder_->Put(place_++, record);
    }
  return {};
}

/// The MLflow run that train, evaluate and register belong to.
Status PipelineRun::EnsureMlflowRun() {
  if (!mlflow_run_.empty()) return {};
  RONDO_TRY(workspace::Workspace* const w, parts_.Open());
  RONDO_TRY(const std::string experiment, w->tracking().EnsureExperiment(parts_.project.name));
  std::vector<tracking::KeyValue> tags = {{"mlflow.user", Actor()}, {"mlflow.source.name", "rondo run"}, {"mlflow.source.type", "PROJECT"}, {"rondo.pipeline_run", id_}, {"rondo.trigger", options_.trigger}};
  if (!commit_.empty()) tags.push_back({"mlflow.source.git.commit", commit_});
  RONDO_TRY(const tracking::Run run, w->tracking().CreateRun(experiment, Actor(), parts_.project.train.algorithm + "-" + id_.substr(0, 6), w->clock().NowMs(), tags));
  mlflow_run_ = run.run_id;
  return parts_.journal().SetMlflowRun(id_, run.run_id);
}

Status PipelineRun::End(RunSummary& summary) {
  if (!started_) return keeper_.Flush();
  // Results first: whatever else fails, they are kept.
  RONDO_DO(keeper_.Flush());
  RONDO_DO(parts_.cache.Sync());
  if (auto rows = recorder_->Flush(); !rows) LogWarn("pipeline", "the records of the stages: {}", rows.error().message);
  CrashPoint("before-end");
  if (!mlflow_run_.empty()) {
    const char* state = summary.status == "succeeded" ? "FINISHED" : summary.status == "cancelled" ? "KILLED" : "FAILED";
    auto ended = parts_.workspace().tracking().UpdateRun(mlflow_run_, state, parts_.workspace().clock().NowMs(), "");
    if (!ended) LogWarn("pipeline", "ending the run: {}", ended.error().message);
  }
  RONDO_DO(parts_.journal().EndRun(id_, summary.status, summary.error.message));
  govern::AuditEntry entry;
  entry.actor = Actor();
  entry.action = "run.end";
  entry.object = "pipeline_run " + id_;
  entry.reason = summary.status == "failed" ? summary.error.message.substr(0, 300) : summary.status;
  RONDO_TRY(const auto appended, parts_.workspace().audit().Append(entry));
  (void)appended;
  RONDO_DO(log_->End(summary.status));
  RONDO_DO(log_->Sync());
  CrashPoint("after-end");
  return {};
}

}  // namespace rondo::pipeline
