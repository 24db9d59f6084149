// Planning, and the frame of a run: one engine at a time, what a killed one left behind, passes.
#include "pipeline/engine.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "pipeline/condition.h"
#include "pipeline/executor.h"
#include "pipeline/keeper.h"
#include "pipeline/parts.h"
#include "pipeline/quiet.h"
#include "pipeline/run.h"

namespace rondo::pipeline {
namespace {

class EngineImpl : public Engine {
 public:
  EngineImpl(std::unique_ptr<Parts> parts, std::function<Result<project::Project>()> reload) : parts_(std::move(parts)), reload_(std::move(reload)) {}

  const std::vector<StageNode>& graph() const override { return parts_->graph; }
  Result<std::vector<PlannedStage>> Plan(const RunOptions& options) override;
  Result<RunSummary> Run(const RunOptions& options) override;

 private:
  Status CloseDeadRuns();
  Status Rebuild();
  std::unique_ptr<Parts> parts_;
  const std::function<Result<project::Project>()> reload_;
};

/// Whether something below one of the restored folders is meant.
const std::string* RestoredAbove(const std::unordered_set<std::string>& restored, const std::string& path) {
  for (size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0; slash = path.rfind('/', slash - 1))
    if (const auto it = restored.find(path.substr(0, slash)); it != restored.end()) return &*it;
  return nullptr;
}

Result<std::vector<PlannedStage>> EngineImpl::Plan(const RunOptions& options) {
  Parts& p = *parts_;
  RONDO_TRY(const LockKeeper lock, LockKeeper::Load(p.lock_file, p.data));
  RONDO_TRY(const std::vector<bool> wanted, Wanted(p.graph, options.targets, options.downstream));
  std::vector<PlannedStage> plan;
  plan.reserve(p.graph.size());
  std::vector<bool> runs(p.graph.size());
  std::unordered_set<std::string> restored;  // outs that would come back from the cache
  p.hasher.ForgetAssumptions();
  for (size_t i = 0; i < p.graph.size(); ++i) {
    if (!wanted[i]) continue;
    const StageNode& node = p.graph[i];
    PlannedStage& stage = plan.emplace_back(PlannedStage{node.name, "skip", {}});
    if (node.frozen || node.runs == "failure") continue;
    if (node.runs == "always") continue;  // decided when the others have ended
    for (const size_t j : node.before)
      if (runs[j]) stage.why.push_back({"stage " + p.graph[j].name, "", "runs before it"});
    // A file inside a folder that comes back: its hash is known only when it is there.
    if (!restored.empty())
      for (const std::string& dep : node.deps)
        if (const std::string* out = RestoredAbove(restored, dep)) stage.why.push_back({"dep " + dep, "", "comes back with " + *out});
    if (!stage.why.empty()) {
      stage.action = "run";
    } else {
      bool holds = true;
      for (const std::string& condition : node.when) {
        RONDO_TRY(const bool now, Holds(condition, p.Config(), p.root));
        holds = holds && now;
        if (!now) stage.why.push_back({"when " + condition, "", "does not hold"});
      }
      if (!holds) continue;
      const auto old = lock.lock().find(node.name);
      RONDO_TRY(const StageState state, p.Look(node, old == lock.lock().end() ? nullptr : &old->second));
      stage.why = state.changes;
      if (options.force && IsTarget(options, node)) stage.why.push_back({"--force", "", ""});
      if (!stage.why.empty()) stage.action = "run";
      if (stage.action == "run" && node.restorable && node.cache_read && !node.always && !options.force && !options.no_cache) {
        RONDO_TRY(const auto known, p.cache.Find(CacheKey(node, state.now), node, state.now));
        if (known) {
          stage.action = "restore";
          for (const LockedPath& out : known->outs) {
            p.hasher.Assume(out.path, out.state);
            restored.insert(out.path);
          }
        }
      }
    }
    runs[i] = stage.action == "run";
  }
  p.hasher.ForgetAssumptions();
  p.hasher.Save();
  return plan;
}

/// Runs whose engine was killed: their processes are ended, their records closed. With the engine's lock held, so none of them lives.
Status EngineImpl::CloseDeadRuns() {
  Parts& p = *parts_;
  RONDO_TRY(workspace::Workspace* const w, p.Open());
  RONDO_TRY(const std::vector<RunRecord> dead, p.journal().Running(p.project.name));
  for (const RunRecord& run : dead) {
    if (const int n = KillStrays(run.id); n > 0) LogWarn("pipeline", "{} process(es) of the interrupted run {} were still there and are ended", n, run.id.substr(0, 12));
    if (run.mlflow_run.empty()) continue;
    if (auto ended = w->tracking().UpdateRun(run.mlflow_run, "FAILED", w->clock().NowMs(), ""); !ended) LogWarn("pipeline", "ending the run: {}", ended.error().message);
  }
  RONDO_TRY(const int64_t closed, p.journal().CloseInterrupted(p.project.name));
  if (closed > 0) LogWarn("pipeline", "{} interrupted run(s) are marked failed; what they had finished is kept", closed);
  return {};
}

/// The graph from the files as they are now.
Status EngineImpl::Rebuild() {
  RONDO_TRY(project::Project project, reload_());
  RONDO_TRY(std::vector<StageNode> graph, BuildGraph(project, parts_->dvc));
  parts_->project = std::move(project);
  parts_->graph = std::move(graph);
  return {};
}

Result<RunSummary> EngineImpl::Run(const RunOptions& options) {
  Parts& p = *parts_;
  auto engine_lock = FileLock::TryLock(p.data / "engine.lock");
  if (!engine_lock) {
    if (engine_lock.error().code != Code::kConflict) return std::unexpected(engine_lock.error());
    return Fail(Code::kConflict, "another `rondo run` works on this project: " + engine_lock.error().message, "wait for it, or stop it");
  }
  const int64_t begin = MonotonicNs();
  int64_t epoch = 1;
  const auto mark = ReadEngineMark(p.data);
  std::error_code ec;
  RONDO_TRY(LockKeeper keeper, LockKeeper::Load(p.lock_file, p.data));
  if (mark) {
    // The last engine did not end by itself: its processes go first, then what it had finished is written down.
    epoch = mark->epoch + 1;
    if (!mark->run.empty()) KillStrays(mark->run);
    if (keeper.dirty()) RONDO_DO(keeper.Flush());
    if (fs::exists(p.data / "rondo.db", ec)) RONDO_DO(CloseDeadRuns());
    CrashPoint("after-recovery");
  }
  if (options.targets.empty() && !p.dvc) {
    std::unordered_set<std::string_view> names;
    for (const StageNode& n : p.graph) names.insert(n.name);
    keeper.Drop([&](const std::string& stage) { return names.contains(stage); });
  }
  PipelineRun run(p, keeper, options, epoch);
  RONDO_TRY(RunSummary summary, run.Pass());
  // Items of a map that came out of a stage of this very run: the graph is read again, and what is new in it runs.
  for (int pass = 0; pass < 10 && run.deferred() && summary.status == "succeeded" && reload_; ++pass) {
    RONDO_DO(Rebuild());
    RONDO_TRY(summary, run.Pass());
  }
  RONDO_DO(run.End(summary));
  // Told apart from a mark that another engine has put there since.
  if (auto now = ReadEngineMark(p.data); now && now->epoch <= epoch) fs::remove(p.data / "engine.open", ec);
  summary.seconds = static_cast<double>(MonotonicNs() - begin) / 1e9;
  p.hasher.Save();
  if (summary.status == "succeeded" && options.targets.empty()) SaveQuiet(p);
  return summary;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Open(project::Project project, fs::path root, fs::path data, std::function<Result<project::Project>()> reload) {
  RONDO_TRY(std::vector<StageNode> graph, BuildGraph(project, Parts::IsDvc(root)));
  if (graph.empty()) return Fail(Code::kInvalid, "rondo.yaml declares nothing to run: no `data:` and no `stages:`", "add: data: {customers: {from: customers.csv}}");
  auto parts = std::make_unique<Parts>(std::move(project), std::move(root), std::move(data), std::move(graph));
  return std::unique_ptr<Engine>(new EngineImpl(std::move(parts), std::move(reload)));
}

}  // namespace rondo::pipeline
