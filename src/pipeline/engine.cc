#include "pipeline/engine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/json_map.h"
#include "base/log.h"
#include "base/nearest.h"
#include "base/random.h"
#include "govern/govern.h"
#include "pipeline/executor.h"
#include "pipeline/externals.h"
#include "pipeline/state.h"

namespace rondo::pipeline {
namespace {

class EngineImpl : public Engine {
 public:
  EngineImpl(project::Project project, fs::path root, fs::path data, std::vector<StageNode> graph)
      : project_(std::move(project)),
        root_(std::move(root)),
        data_(std::move(data)),
        graph_(std::move(graph)),
        lock_file_(LockFile(root_)),
        hasher_(root_, data_ / "cache" / "stat"),
        runs_(root_, data_ / "cache"),
        externals_([this] { return Open(); }, root_, ModelName(project_), data_ / "cache" / fmt::format("done-{:016x}.json", Xxh3(root_.string()))) {}

  /// A repository with only a dvc.yaml keeps its dvc.lock.
  static fs::path LockFile(const fs::path& root) {
    std::error_code ec;
    return root / (!fs::exists(root / "rondo.yaml", ec) && fs::exists(root / "dvc.yaml", ec) ? "dvc.lock" : "rondo.lock");
  }

  const std::vector<StageNode>& graph() const override { return graph_; }

  Result<std::vector<PlannedStage>> Plan(const RunOptions& options) override {
    RONDO_TRY(const Lock lock, ReadLock(lock_file_));
    RONDO_TRY(const std::vector<bool> wanted, Wanted(options.targets));
    std::vector<PlannedStage> plan;
    std::vector<bool> runs(graph_.size());
    std::vector<std::string> restored;  // outs that would come back from the cache
    hasher_.ForgetAssumptions();
    for (size_t i = 0; i < graph_.size(); ++i) {
      if (!wanted[i]) continue;
      const StageNode& node = graph_[i];
      PlannedStage stage{node.name, "skip", {}};
      for (const size_t j : node.before)
        if (runs[j]) stage.why.push_back({"stage " + graph_[j].name, "", "runs before it"});
      // A file inside a folder that comes back: its hash is known only when it is there.
      for (const std::string& dep : node.deps)
        for (const std::string& out : restored)
          if (dep.starts_with(out + "/")) stage.why.push_back({"dep " + dep, "", "comes back with " + out});
      if (stage.why.empty()) {
        RONDO_TRY(const StageState state, LookAt(node, lock, hasher_, externals_));
        stage.why = state.changes;
        if (options.force && IsTarget(options, node)) stage.why.push_back({"--force", "", ""});
        if (!stage.why.empty()) stage.action = "run";
        if (stage.action == "run" && node.restorable && !node.always && !options.force) {
          RONDO_TRY(const auto known, runs_.Find(CacheKey(state.now), node));
          if (known) {
            stage.action = "restore";
            for (const LockedPath& out : known->outs) {
              hasher_.Assume(out.path, out.state);
              restored.push_back(out.path);
            }
          }
        }
      } else {
        stage.action = "run";
      }
      if (node.frozen) stage = {node.name, "skip", {}};
      runs[i] = stage.action == "run";
      plan.push_back(std::move(stage));
    }
    hasher_.ForgetAssumptions();
    hasher_.Save();
    return plan;
  }

  Result<RunSummary> Run(const RunOptions& options) override;

 private:
  struct Work {
    const RunOptions* options = nullptr;
    RunSummary summary;
    Lock lock;
    std::vector<std::string> states;  // "", "busy", or the final status
    std::vector<StageRecord> records;
    std::mutex mutex;
    std::condition_variable changed;
    bool started = false;
    std::string mlflow_run, commit;
    int busy = 0;
    int64_t cpu = 0, memory = 0;  // taken by the stages that run
    bool stop = false;
  };

  Result<workspace::Workspace*> Open() {
    std::lock_guard lock(open_mutex_);
    if (!workspace_) {
      RONDO_TRY(workspace_, workspace::Workspace::Open(data_));
      RONDO_TRY(Journal journal, Journal::Open(workspace_->db(), workspace_->clock()));
      journal_.emplace(std::move(journal));
    }
    return workspace_.get();
  }

  /// Runs whose engine was killed: their processes are ended, their records closed. With the engine's lock held, so none of them lives.
  Status CloseDeadRuns() {
    RONDO_TRY(workspace::Workspace* const w, Open());
    RONDO_TRY(const std::vector<RunRecord> dead, journal_->Running(project_.name));
    for (const RunRecord& run : dead) {
      if (const int n = KillStrays(run.id); n > 0) LogWarn("pipeline", "{} process(es) of the interrupted run {} were still there and are ended", n, run.id.substr(0, 12));
      if (run.mlflow_run.empty()) continue;
      if (auto ended = w->tracking().UpdateRun(run.mlflow_run, "FAILED", w->clock().NowMs(), ""); !ended) LogWarn("pipeline", "ending the run: {}", ended.error().message);
    }
    RONDO_TRY(const int64_t closed, journal_->CloseInterrupted(project_.name));
    if (closed > 0) LogWarn("pipeline", "{} interrupted run(s) are marked failed; what they had finished is kept", closed);
    return {};
  }

  bool IsTarget(const RunOptions& options, const StageNode& node) const {
    return options.targets.empty() || std::find(options.targets.begin(), options.targets.end(), node.name) != options.targets.end();
  }

  Result<std::vector<bool>> Wanted(const std::vector<std::string>& targets) const {
    std::vector<bool> wanted(graph_.size(), targets.empty());
    for (const std::string& target : targets) {
      const auto it = std::find_if(graph_.begin(), graph_.end(), [&](const StageNode& n) { return n.name == target; });
      if (it == graph_.end()) {
        std::vector<std::string_view> names;
        std::string all;
        for (const StageNode& n : graph_) {
          names.push_back(n.name);
          all += (all.empty() ? "" : ", ") + n.name;
        }
        const std::string near = Nearest(target, names);
        return Fail(Code::kInvalid, "there is no stage \"" + target + "\"", (near.empty() ? "" : "did you mean " + near + "? ") + std::string("the stages are: ") + all);
      }
      wanted[static_cast<size_t>(it - graph_.begin())] = true;
    }
    for (size_t i = graph_.size(); i-- > 0;)
      if (wanted[i])
        for (const size_t j : graph_[i].before) wanted[j] = true;
    return wanted;
  }

  /// Everything that makes a run visible, once, before the first process starts.
  Status EnsureStarted(Work& work) {
    if (work.started) return {};
    RONDO_TRY(workspace::Workspace* const w, Open());
    work.commit = GitCommit();
    RunRecord run;
    run.id = work.summary.run_id = work.options->run_id.empty() ? NewId() : work.options->run_id;
    run.project = project_.name;
    run.trigger = work.options->trigger;
    run.cause = work.options->cause;
    run.actor = Actor(work);
    run.started = w->clock().NowMs();
    run.commit = work.commit;
    run.pid = ::getpid();
    const std::string config = ToJson(project_).Pretty();
    RONDO_DO(WriteFileAtomic(RunFolder(work) / "config.json", config));
    RONDO_DO(WriteFileAtomic(data_ / "engine.open", std::to_string(run.pid)));
    RONDO_DO(journal_->StartRun(run, config));
    govern::AuditEntry entry;
    entry.actor = run.actor;
    entry.action = "run.start";
    entry.object = "pipeline_run " + run.id;
    entry.reason = run.trigger + (run.cause.empty() ? "" : ": " + run.cause);
    entry.after = Json::MakeObject().Set("commit", run.commit).Set("config_sha256", Sha256Hex(ToJson(project_).Dump()));
    RONDO_TRY(const auto appended, w->audit().Append(entry));
    (void)appended;
    if (!run.cause.empty()) RONDO_DO(w->registry().AddEdges({{CauseKind(run.cause), CauseId(run.cause), "caused", "pipeline_run", run.id, run.started}}));
    work.started = true;
    for (size_t i = 0; i < work.records.size(); ++i)
      if (!work.records[i].status.empty()) RONDO_DO(journal_->PutStage(run.id, static_cast<int64_t>(i), work.records[i]));
    return {};
  }

  /// "alarm:<id>" -> kind alarm; other causes keep their first word as kind.
  static std::string CauseKind(const std::string& cause) { return cause.substr(0, cause.find(':')); }
  static std::string CauseId(const std::string& cause) { return cause.find(':') == std::string::npos ? cause : cause.substr(cause.find(':') + 1); }
  std::string Actor(const Work& work) const { return work.options->actor.empty() ? govern::CurrentActor() : work.options->actor; }
  fs::path RunFolder(const Work& work) const { return data_ / "runs" / work.summary.run_id; }

  std::string GitCommit() const {
    auto head = RunCommand({"git", "-C", root_.string(), "rev-parse", "HEAD"}, {}, 5000);
    return head && head->code == 0 ? head->out.substr(0, 40) : "";
  }

  /// The MLflow run that train, evaluate and register belong to.
  Status EnsureMlflowRun(Work& work) {
    if (!work.mlflow_run.empty()) return {};
    RONDO_TRY(workspace::Workspace* const w, Open());
    RONDO_TRY(const std::string experiment, w->tracking().EnsureExperiment(project_.name));
    std::vector<tracking::KeyValue> tags = {{"mlflow.user", Actor(work)}, {"mlflow.source.name", "rondo run"}, {"mlflow.source.type", "PROJECT"}, {"rondo.pipeline_run", work.summary.run_id}, {"rondo.trigger", work.options->trigger}};
    if (!work.commit.empty()) tags.push_back({"mlflow.source.git.commit", work.commit});
    RONDO_TRY(const tracking::Run run, w->tracking().CreateRun(experiment, Actor(work), project_.train.algorithm + "-" + work.summary.run_id.substr(0, 6), w->clock().NowMs(), tags));
    work.mlflow_run = run.run_id;
    return journal_->SetMlflowRun(work.summary.run_id, run.run_id);
  }

  std::vector<std::pair<std::string, std::string>> ChildEnv(const Work& work, const StageNode& node) const {
    const fs::path self = SelfPath();
    const char* path = std::getenv("PATH");
    std::vector<std::pair<std::string, std::string>> env = {
        {"RONDO_CONFIG", (RunFolder(work) / "config.json").string()}, {"RONDO_DATA", fs::absolute(data_).string()}, {"RONDO_PIPELINE_RUN", work.summary.run_id},
        {"RONDO_STAGE", node.name}, {"RONDO_ACTOR", Actor(work)}, {"RONDO_TRIGGER", work.options->trigger},
        {"PATH", self.parent_path().string() + ":" + (path ? path : "/usr/bin:/bin")}, {"OMP_WAIT_POLICY", "passive"}};
    if (node.needs_run) {
      env.emplace_back("MLFLOW_RUN_ID", work.mlflow_run);
      if (!work.options->tracking_uri.empty()) env.emplace_back("MLFLOW_TRACKING_URI", work.options->tracking_uri);
    }
    for (const auto& [name, path_value] : node.env) env.emplace_back(name, fs::absolute(root_ / path_value).string());
    return env;
  }

  Status Attempts(Work& work, const StageNode& node, StageRecord& record) {
    const fs::path log = RunFolder(work) / (node.name + ".log");
    record.log = log.lexically_relative(data_).string();
    if (!node.builtin)
      for (const Out& out : node.outs)
        if (!out.path.empty()) RONDO_DO(RemoveAll(root_ / out.path));
    for (const Out& out : node.outs) RONDO_DO(MakeDirs((root_ / out.path).parent_path()));
    // A script that replaces a stage finds the folders that it is to fill.
    for (const auto& [name, path] : node.env)
      if (name.starts_with("RONDO_OUT_") && !fs::path(path).has_extension()) RONDO_DO(MakeDirs(root_ / path));
    std::error_code ec;
    if (!node.wdir.empty() && !fs::is_directory(root_ / node.wdir, ec)) return Fail(Code::kInvalid, fmt::format("stage {}: the folder \"{}\" (wdir) does not exist", node.name, node.wdir));
    const std::string self = SelfPath().string();
    Random jitter(Xxh3(work.summary.run_id + node.name));
    Status status;
    for (int64_t attempt = 1; attempt <= std::max<int64_t>(1, node.retry.attempts); ++attempt) {
      record.attempts = attempt;
      if (attempt > 1) {
        // Exponential with full jitter below a minute.
        const auto wait = static_cast<int64_t>(static_cast<double>(std::min<int64_t>(60'000, node.retry.backoff_ms << std::min<int64_t>(attempt - 2, 10))) * (0.5 + 0.5 * jitter.Uniform()));
        for (int64_t slept = 0; slept < wait && !Cancelled(work); slept += 50) std::this_thread::sleep_for(std::chrono::milliseconds(std::min<int64_t>(50, wait - slept)));
        if (Cancelled(work)) break;
      }
      Attempt job;
      job.env = ChildEnv(work, node);
      job.log = log;
      job.timeout_ms = node.timeout_ms;
      job.cancel = work.options->cancel;
      job.cwd = node.wdir.empty() ? root_ : root_ / node.wdir;
      job.argv = node.builtin ? std::vector<std::string>{self, "step", node.name} : std::vector<std::string>{"/bin/sh", node.cmd.find('\n') == std::string::npos ? "-c" : "-ec", node.cmd};  // several lines stop at the first that fails
      RONDO_TRY(AttemptResult result, RunLocal(job));
      if (result.exit.code == 0 && !node.post.empty()) {
        job.argv = {self, "step", node.post};
        job.cwd = root_;
        RONDO_TRY(result, RunLocal(job));
      }
      record.exit_code = result.exit.code;
      record.cpu_s += result.exit.cpu_s;
      record.max_rss_kb = std::max(record.max_rss_kb, result.exit.max_rss_kb);
      if (result.exit.code == 0) return {};
      if (result.cancelled) return Fail(Code::kUnavailable, "cancelled");
      status = StageError(node, result, log);
    }
    return status;
  }

  static Status StageError(const StageNode& node, const AttemptResult& result, const fs::path& log) {
    const std::string tail = LogTail(log, 12);
    if (result.timed_out) return Fail(Code::kFailedCheck, fmt::format("stage {} took longer than {}", node.name, FormatDuration(node.timeout_ms)), tail);
    if (node.builtin || !node.post.empty()) {
      // A step prints "error: message" and its hint: say it as it was said, with its own exit code.
      const size_t at = tail.rfind("error: ");
      const Code code = result.exit.code == 2 ? Code::kInvalid : result.exit.code == 1 ? Code::kFailedCheck : Code::kEnvironment;
      if (at != std::string::npos) return Fail(code, fmt::format("stage {}: {}", node.name, tail.substr(at + 7)));
      return Fail(code, fmt::format("stage {} ended with {}", node.name, result.exit.signal ? fmt::format("signal {}", result.exit.signal) : fmt::format("exit code {}", result.exit.code)), tail);
    }
    return Fail(Code::kFailedCheck, fmt::format("stage {} failed with exit code {}: {}", node.name, result.exit.code, node.cmd), tail);
  }

  static bool Cancelled(const Work& work) { return work.options->cancel && work.options->cancel->load(); }

  void Publish(Work& work, size_t i, const StageRecord& record) {
    // With the mutex held.
    work.records[i] = record;
    if (work.started) {
      if (auto s = journal_->PutStage(work.summary.run_id, static_cast<int64_t>(i), record); !s) LogWarn("pipeline", "journal: {}", s.error().message);
    }
    if (work.options->on_stage) work.options->on_stage(record);
  }

  Status One(Work& work, size_t i, StageRecord& record) {
    const StageNode& node = graph_[i];
    Lock own;
    {
      std::lock_guard guard(work.mutex);
      if (auto it = work.lock.find(node.name); it != work.lock.end()) own.insert(*it);
    }
    RONDO_TRY(StageState state, LookAt(node, own, hasher_, externals_));
    const bool forced = work.options->force && IsTarget(*work.options, node);
    if (forced) state.changes.push_back({"--force", "", ""});
    record.why = state.changes;
    if (state.changes.empty() || node.frozen) {
      record.status = "skipped";
      return {};
    }
    const std::string key = CacheKey(state.now);
    if (node.restorable && !node.always && !forced) {
      RONDO_TRY(const auto known, runs_.Find(key, node));
      if (known) {
        if (const Status restored = runs_.Restore(known->outs)) {
          LockedStage stage = state.now;
          stage.outs = known->outs;
          RONDO_DO(Commit(work, node, stage));
          record.status = "restored";
          return {};
        } else if (restored.error().code == Code::kEnvironment) {
          return restored;
        } else {
          LogWarn("pipeline", "stage {} runs again: {}", node.name, restored.error().message);
        }
      }
    }
    {
      std::lock_guard guard(work.mutex);
      RONDO_DO(EnsureStarted(work));
      if (node.needs_run) RONDO_DO(EnsureMlflowRun(work));
      record.status = "running";
      record.started = workspace_->clock().NowMs();
      Publish(work, i, record);
    }
    const Status status = Attempts(work, node, record);
    record.ended = workspace_->clock().NowMs();
    record.seconds = static_cast<double>(*record.ended - record.started) / 1000;
    record.summary = LogSummary(data_ / record.log);
    if (!status) {
      record.status = Cancelled(work) ? "cancelled" : "failed";
      if (!node.keep_outs_on_failure) BringBack(node, own);
      if (record.summary.empty()) record.summary = status.error().message.substr(0, status.error().message.find('\n'));
      return status;
    }
    RONDO_TRY(state.now.outs, runs_.StoreOuts(node, hasher_));
    // What the stage itself has changed outside (it has registered something) is its result, not a change for next time.
    for (auto& [name, value] : state.now.externals)
      if (name == "registered") {
        RONDO_TRY(value, externals_.Value(name));
      }
    record.inputs = Json::MakeObject().Set("deps", StageToJson(state.now)["deps"]).Set("outs", StageToJson(state.now)["outs"]);
    RONDO_DO(Commit(work, node, state.now));
    if (node.restorable && !node.always) RONDO_DO(runs_.Remember(key, state.now));
    record.status = "succeeded";
    return {};
  }

  /// The outs of the last success, after a failure has removed or changed them.
  void BringBack(const StageNode& node, const Lock& own) {
    const auto it = own.find(node.name);
    if (it == own.end()) return;
    for (const LockedPath& out : it->second.outs) {
      const auto mine = std::find_if(node.outs.begin(), node.outs.end(), [&](const Out& o) { return o.path == out.path; });
      if (mine == node.outs.end() || !out.state.exists) continue;
      const auto now = hasher_.Hash(out.path);
      if (now && *now == out.state) continue;
      if (auto restored = runs_.Restore({out}); !restored && restored.error().code != Code::kNotFound) LogWarn("pipeline", "bringing back {}: {}", out.path, restored.error().message);
    }
  }

  Status Commit(Work& work, const StageNode& node, const LockedStage& stage) {
    std::lock_guard guard(work.mutex);
    work.lock[node.name] = stage;
    RONDO_DO(WriteLock(lock_file_, work.lock));
    return node.workspace_bound ? externals_.MarkSeen(node.name, stage) : Status{};
  }

  void Worker(Work& work, size_t i) {
    StageRecord record;
    record.name = graph_[i].name;
    const Status status = One(work, i, record);
    std::lock_guard guard(work.mutex);
    if (!status) {
      if (record.status.empty() || record.status == "running") record.status = "failed";
      if (record.summary.empty()) record.summary = status.error().message;
      if (work.summary.status != "failed" && record.status == "failed") {
        work.summary.status = "failed";
        work.summary.error = status.error();
      }
      if (!work.options->keep_going) work.stop = true;
    }
    work.states[i] = record.status;
    Publish(work, i, record);
    --work.busy;
    work.cpu -= graph_[i].cpu;
    work.memory -= graph_[i].memory_bytes;
    work.changed.notify_all();
  }

  project::Project project_;
  const fs::path root_, data_;
  std::vector<StageNode> graph_;
  const fs::path lock_file_;
  PathHasher hasher_;
  RunCache runs_;
  WorkspaceExternals externals_;
  std::mutex open_mutex_;
  std::unique_ptr<workspace::Workspace> workspace_;
  std::optional<Journal> journal_;
};

Result<RunSummary> EngineImpl::Run(const RunOptions& options) {
  auto engine_lock = FileLock::TryLock(data_ / "engine.lock");
  if (!engine_lock) {
    if (engine_lock.error().code != Code::kConflict) return std::unexpected(engine_lock.error());
    return Fail(Code::kConflict, "another `rondo run` works on this project: " + engine_lock.error().message, "wait for it, or stop it");
  }
  const int64_t begin = MonotonicNs();
  Work work;
  work.options = &options;
  work.summary.status = "succeeded";
  RONDO_TRY(work.lock, ReadLock(lock_file_));
  RONDO_TRY(const std::vector<bool> wanted, Wanted(options.targets));
  if (options.targets.empty())
    std::erase_if(work.lock, [&](const auto& entry) { return std::none_of(graph_.begin(), graph_.end(), [&](const StageNode& n) { return n.name == entry.first; }); });
  work.states.resize(graph_.size());
  work.records.resize(graph_.size());
  std::error_code ec;
  if (fs::exists(data_ / "rondo.db", ec) && fs::exists(data_ / "engine.open", ec)) {
    // The last engine did not end by itself: what it left as running is over.
    RONDO_DO(CloseDeadRuns());
  }
  if (options.trigger != "manual") {
    std::lock_guard guard(work.mutex);
    RONDO_DO(EnsureStarted(work));
  }
  const int64_t machine_memory = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  std::vector<std::thread> threads;
  {
    std::unique_lock guard(work.mutex);
    while (true) {
      bool waiting = false;
      for (size_t i = 0; i < graph_.size(); ++i) {
        if (!wanted[i] || !work.states[i].empty()) continue;
        waiting = true;
        bool ready = true, broken = false;
        for (const size_t j : graph_[i].before) {
          const std::string& s = work.states[j];
          ready &= s == "succeeded" || s == "skipped" || s == "restored";
          broken |= s == "failed" || s == "cancelled";
        }
        if (broken || ((work.stop || Cancelled(work)) && work.busy == 0)) {
          StageRecord record;
          record.name = graph_[i].name;
          record.status = work.states[i] = "cancelled";
          record.summary = broken ? "a stage before it failed" : "the run was stopped";
          Publish(work, i, record);
          continue;
        }
        if (!ready || work.stop || Cancelled(work)) continue;
        // A stage that asks for more than there is runs alone.
        const bool fits = work.cpu + graph_[i].cpu <= std::max(1, options.jobs) && work.memory + graph_[i].memory_bytes <= machine_memory;
        if (work.busy > 0 && !fits) continue;
        work.states[i] = "busy";
        ++work.busy;
        work.cpu += graph_[i].cpu;
        work.memory += graph_[i].memory_bytes;
        threads.emplace_back([this, &work, i] { Worker(work, i); });
      }
      if (!waiting && work.busy == 0) break;
      if (work.busy > 0) work.changed.wait(guard);
    }
  }
  for (std::thread& t : threads) t.join();
  if (Cancelled(work)) work.summary.status = "cancelled";
  for (size_t i = 0; i < graph_.size(); ++i)
    if (wanted[i]) work.summary.stages.push_back(work.records[i]);
  hasher_.Save();
  if (work.started) {
    if (!work.mlflow_run.empty()) {
      const char* state = work.summary.status == "succeeded" ? "FINISHED" : work.summary.status == "cancelled" ? "KILLED" : "FAILED";
      auto ended = workspace_->tracking().UpdateRun(work.mlflow_run, state, workspace_->clock().NowMs(), "");
      if (!ended) LogWarn("pipeline", "ending the run: {}", ended.error().message);
    }
    RONDO_DO(journal_->EndRun(work.summary.run_id, work.summary.status, work.summary.error.message));
    govern::AuditEntry entry;
    entry.actor = Actor(work);
    entry.action = "run.end";
    entry.object = "pipeline_run " + work.summary.run_id;
    entry.reason = work.summary.status == "failed" ? work.summary.error.message.substr(0, 300) : work.summary.status;
    RONDO_TRY(const auto appended, workspace_->audit().Append(entry));
    (void)appended;
  }
  fs::remove(data_ / "engine.open", ec);
  work.summary.seconds = static_cast<double>(MonotonicNs() - begin) / 1e9;
  return std::move(work.summary);
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Open(project::Project project, fs::path root, fs::path data) {
  RONDO_TRY(std::vector<StageNode> graph, BuildGraph(project));
  if (graph.empty()) return Fail(Code::kInvalid, "rondo.yaml declares nothing to run: no `data:` and no `stages:`", "add: data: {customers: {from: customers.csv}}");
  return std::unique_ptr<Engine>(new EngineImpl(std::move(project), std::move(root), std::move(data), std::move(graph)));
}

}  // namespace rondo::pipeline
