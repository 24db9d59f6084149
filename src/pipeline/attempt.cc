// One stage: look, restore or run, store, publish.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "pipeline/condition.h"
#include "pipeline/run.h"
#include "project/reader.h"

namespace rondo::pipeline {
namespace {

bool IsReference(const std::string& value) { return value.find("${env:") != std::string::npos || value.find("${file:") != std::string::npos || value.find("${command:") != std::string::npos; }

/// File names of logs: a stage's name may hold slashes (matrix values).
std::string LogName(const std::string& stage) {
  std::string name = stage;
  for (char& c : name)
    if (c == '/' || c == '\0') c = '_';
  if (name.size() > 180) name = name.substr(0, 160) + fmt::format("-{:016x}", Xxh3(stage));
  return name + ".log";
}

Status StageError(const StageNode& node, const JobResult& result, const fs::path& log) {
  const std::string tail = LogTail(log, 12);
  if (result.timed_out) return Fail(Code::kFailedCheck, fmt::format("stage {} took longer than {}", node.name, FormatDuration(node.timeout_ms)), tail);
  const std::string ended = result.exit.signal ? fmt::format("signal {}", result.exit.signal) : fmt::format("exit code {}", result.exit.code);
  if (node.builtin || !node.post.empty()) {
    // A step prints "error: message" and its hint: say it as it was said, with its own exit code.
    const size_t at = tail.rfind("error: ");
    const Code code = result.exit.code == 2 ? Code::kInvalid : result.exit.code == 1 ? Code::kFailedCheck : Code::kEnvironment;
    if (at != std::string::npos) return Fail(code, fmt::format("stage {}: {}", node.name, tail.substr(at + 7)));
    return Fail(code, fmt::format("stage {} ended with {}", node.name, ended), tail);
  }
  return Fail(Code::kFailedCheck, fmt::format("stage {} failed with {}: {}", node.name, ended, node.cmd), tail);
}

}  // namespace

Status PipelineRun::One(size_t i, StageRecord& record) {
  const StageNode& node = parts_.graph[i];
  if (node.frozen) {
    record.status = "skipped";
    return {};
  }
  for (const std::string& condition : node.when) {
    RONDO_TRY(const bool holds, Holds(condition, parts_.Config(), parts_.root));
    if (holds) continue;
    record.status = "skipped";
    record.summary = "when: " + condition + " does not hold";
    return {};
  }
  const std::optional<LockedStage> own = keeper_.Find(node.name);
  RONDO_TRY(StageState state, parts_.Look(node, own ? &*own : nullptr));
  const bool forced = options_.force && IsTarget(options_, node);
  if (forced) state.changes.push_back({"--force", "", ""});
  if (node.runs != "success" && state.changes.empty()) state.changes.push_back({"runs " + node.runs, "", ""});
  record.why = state.changes;
  if (state.changes.empty()) {
    record.status = "skipped";
    return {};
  }
  const int64_t now = SystemClock().NowMs();
  const std::string key = CacheKey(node, state.now);
  if (node.restorable && node.cache_read && !node.always && !forced && !options_.no_cache && !node.outs.empty()) {
    RONDO_TRY(const auto known, parts_.cache.Find(key, node, state.now));
    if (known) {
      if (const Status restored = parts_.cache.Restore(known->outs)) {
        LockedStage stage = state.now;
        stage.outs = known->outs;
        RONDO_DO(keeper_.Put(node.name, "", "restored", stage, now));
        if (node.workspace_bound) RONDO_DO(parts_.externals.MarkSeen(node.name, stage));
        record.status = "restored";
        record.inputs = Json::MakeObject().Set("deps", StageToJson(stage)["deps"]).Set("outs", StageToJson(stage)["outs"]);
        return {};
      } else if (restored.error().code == Code::kEnvironment) {
        return restored;
      } else {
        LogWarn("pipeline", "stage {} runs again: {}", node.name, restored.error().message);
      }
    }
  }
  {
    std::lock_guard guard(mutex_);
    RONDO_DO(EnsureStarted());
    if (node.needs_run) RONDO_DO(EnsureMlflowRun());
    record.status = "running";
    record.started = SystemClock().NowMs();
    Publish(i, record);
  }
  const int64_t begin = MonotonicNs();
  const Status status = Attempts(node, record);
  // The wall clock may be set meanwhile: what a stage took is measured on the other one.
  record.seconds = static_cast<double>(MonotonicNs() - begin) / 1e9;
  record.ended = record.started + (MonotonicNs() - begin) / 1'000'000;
  const fs::path log = parts_.data / record.log;
  std::error_code ec;
  if (const auto size = fs::file_size(log, ec); !ec && size > 0) record.summary = LogSummary(log);
  const std::string token = fmt::format("{}/{}/{}/{}", id_, node.name, record.attempts, epoch_);
  if (!status) {
    record.status = Cancelled() ? "cancelled" : "failed";
    if (!node.keep_outs_on_failure) BringBack(node, own);
    if (record.summary.empty()) record.summary = status.error().message.substr(0, status.error().message.find('\n'));
    RONDO_DO(log_->Done(node.name, token, record.status, nullptr, *record.ended));
    return status;
  }
  CrashPoint("before-store");
  RONDO_TRY(state.now.outs, parts_.cache.StoreOuts(node, parts_.hasher));
  CrashPoint("after-store");
  // What the stage itself has changed outside (it has registered something) is its result, not a change for next time.
  for (auto& [name, value] : state.now.externals)
    if (name == "registered") {
      RONDO_TRY(value, parts_.externals.Value(name));
    }
  record.inputs = Json::MakeObject().Set("deps", StageToJson(state.now)["deps"]).Set("outs", StageToJson(state.now)["outs"]);
  if (node.restorable && node.cache_write && !node.always && !node.outs.empty()) RONDO_DO(parts_.cache.Remember(key, node, state.now));
  CrashPoint("before-result");
  RONDO_DO(keeper_.Put(node.name, token, "succeeded", state.now, *record.ended));
  if (node.workspace_bound) RONDO_DO(parts_.externals.MarkSeen(node.name, state.now));
  record.status = "succeeded";
  return {};
}

Status PipelineRun::Prepare(const StageNode& node) const {
  std::error_code ec;
  if (!node.wdir.empty() && !fs::is_directory(parts_.root / node.wdir, ec)) return Fail(Code::kInvalid, fmt::format("stage {}: the folder \"{}\" (wdir) does not exist", node.name, node.wdir));
  for (const Out& out : node.outs) {
    const fs::path path = parts_.root / out.path;
    if (!node.builtin && !out.persist && fs::symlink_status(path, ec).type() != fs::file_type::not_found) RONDO_DO(RemoveAll(path));
    if (out.path.find('/') != std::string::npos && !fs::is_directory(path.parent_path(), ec)) RONDO_DO(MakeDirs(path.parent_path()));
  }
  // A script that replaces a stage finds the folders that it is to fill.
  for (const auto& [name, path] : node.env)
    if (name.starts_with("RONDO_OUT_") && !fs::path(path).has_extension()) RONDO_DO(MakeDirs(parts_.root / path));
  return {};
}

Result<JobResult> PipelineRun::RunJob(Job job) {
  RONDO_DO(executor_->Submit(job));
  CrashPoint("after-spawn");
  while (true) {
    // Short enough for a cancelled run to feel prompt; an end wakes us at once.
    RONDO_TRY(auto result, executor_->Reconcile(job.token, 100));
    if (result) return std::move(*result);
    if (Cancelled()) RONDO_DO(executor_->Cancel(job.token));
  }
}

bool PipelineRun::WorthAnotherTry(const StageNode& node, const JobResult& result) const {
  if (node.retry.when.empty()) return true;
  const std::string kind = result.timed_out ? "timeout" : result.exit.signal ? "signal" : std::to_string(result.exit.code);
  return std::find(node.retry.when.begin(), node.retry.when.end(), kind) != node.retry.when.end();
}

Result<std::vector<std::pair<std::string, std::string>>> PipelineRun::ChildEnv(const StageNode& node, std::vector<std::string>& secrets) const {
  std::vector<std::pair<std::string, std::string>> env = {
      {"RONDO_CONFIG", (Folder() / "config.json").string()}, {"RONDO_DATA", fs::absolute(parts_.data).string()}, {"RONDO_PIPELINE_RUN", id_}, {"RONDO_STAGE", node.name},
      {"RONDO_ACTOR", Actor()}, {"RONDO_TRIGGER", options_.trigger}, {"PATH", path_}, {"OMP_WAIT_POLICY", "passive"}};
  if (parts_.dvc) {
    env.emplace_back("DVC_ROOT", fs::absolute(parts_.root).string());
    env.emplace_back("DVC_STAGE", node.name);
  }
  if (node.needs_run) {
    env.emplace_back("MLFLOW_RUN_ID", mlflow_run_);
    if (!options_.tracking_uri.empty()) env.emplace_back("MLFLOW_TRACKING_URI", options_.tracking_uri);
  }
  if (node.builtin || !node.post.empty()) env.emplace_back("RONDO_DIE_WITH_PARENT", "1");
  for (const auto& [name, path] : node.env) env.emplace_back(name, fs::absolute(parts_.root / path).string());
  for (const auto& [name, value] : node.user_env) {
    if (value == "\x01") continue;  // inherited
    if (!IsReference(value)) {
      env.emplace_back(name, value);
      continue;
    }
    auto secret = project::ResolveSecret(value);
    if (!secret) return Wrap(secret.error(), "stage " + node.name + ", env " + name);
    secrets.push_back(*secret);
    env.emplace_back(name, std::move(*secret));
  }
  return env;
}

Status PipelineRun::Attempts(const StageNode& node, StageRecord& record) {
  const fs::path log = Folder() / LogName(node.name);
  record.log = log.lexically_relative(parts_.data).string();
  std::vector<std::string> secrets;
  RONDO_TRY(auto env, ChildEnv(node, secrets));
  if (node.gpu > 0) {
    std::lock_guard guard(mutex_);
    std::string devices;
    for (size_t i = 0; i < parts_.graph.size(); ++i)
      if (&parts_.graph[i] == &node)
        for (const int gpu : gpus_of_[i]) devices += (devices.empty() ? "" : ",") + std::to_string(gpu);
    env.emplace_back("CUDA_VISIBLE_DEVICES", devices);
  }
  Random jitter(Xxh3(id_ + node.name));
  Status status;
  for (int64_t attempt = 1; attempt <= std::max<int64_t>(1, node.retry.attempts); ++attempt) {
    record.attempts = attempt;
    if (attempt > 1) {
      // Exponential, with up to half of it left to chance, so that stages that failed together don't come back together.
      const int64_t grown = node.retry.backoff_ms << std::min<int64_t>(attempt - 2, 20);
      const auto wait = static_cast<int64_t>(static_cast<double>(std::min(node.retry.max_backoff_ms, std::max<int64_t>(grown, 0))) * (0.5 + 0.5 * jitter.Uniform()));
      for (int64_t slept = 0; slept < wait && !Cancelled(); slept += 50) std::this_thread::sleep_for(std::chrono::milliseconds(std::min<int64_t>(50, wait - slept)));
      if (Cancelled()) break;
    }
    RONDO_DO(Prepare(node));
    Job job;
    job.token = fmt::format("{}/{}/{}/{}", id_, node.name, attempt, epoch_);
    job.env = env;
    job.env.emplace_back("RONDO_ATTEMPT", std::to_string(attempt));
    job.log = log;
    job.timeout_ms = node.timeout_ms;
    job.memory_bytes = node.builtin ? 0 : node.memory_bytes;
    job.cwd = node.wdir.empty() ? parts_.root : parts_.root / node.wdir;
    if (node.builtin) job.argv = {SelfPath().string(), "step", node.name};
    else job.shell = node.cmd;
    CrashPoint("before-intent");
    RONDO_DO(log_->Intent(node.name, job.token, SystemClock().NowMs()));
    CrashPoint("after-intent");
    RONDO_TRY(JobResult result, RunJob(job));
    if (result.exit.code == 0 && !node.post.empty()) {
      job.token += "/post";
      job.argv = {SelfPath().string(), "step", node.post};
      job.shell.clear();
      job.cwd = parts_.root;
      RONDO_TRY(result, RunJob(job));
    }
    CrashPoint("after-exit");
    if (!secrets.empty()) MaskSecrets(log, secrets);
    record.exit_code = result.exit.code;
    record.cpu_s += result.exit.cpu_s;
    record.max_rss_kb = std::max(record.max_rss_kb, result.exit.max_rss_kb);
    if (result.exit.code == 0) return {};
    if (result.cancelled) return Fail(Code::kUnavailable, "cancelled");
    status = StageError(node, result, log);
    if (!WorthAnotherTry(node, result)) break;
  }
  return status;
}

/// The outs of the last success, after a failure has removed or changed them.
void PipelineRun::BringBack(const StageNode& node, const std::optional<LockedStage>& own) {
  if (!own) return;
  for (const LockedPath& out : own->outs) {
    const auto mine = std::find_if(node.outs.begin(), node.outs.end(), [&](const Out& o) { return o.path == out.path; });
    if (mine == node.outs.end() || !out.state.exists) continue;
    const auto now = parts_.hasher.Hash(out.path);
    if (now && *now == out.state) continue;
    if (auto restored = parts_.cache.Restore({out}); !restored && restored.error().code != Code::kNotFound) LogWarn("pipeline", "bringing back {}: {}", out.path, restored.error().message);
  }
}

}  // namespace rondo::pipeline
