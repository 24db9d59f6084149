// The server's two threads: one that looks what is due, one that runs what was asked for.
#include <signal.h>

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "pipeline/trigger.h"
#include "project/reader.h"

namespace rondo::pipeline {
namespace {

/// What a trigger's own keys say about how often it may start something.
TriggerLimits LimitsOf(const project::Trigger& t) {
  TriggerLimits limits;
  limits.cooldown_ms = t.cooldown_ms;
  limits.max_runs = t.max_runs;
  limits.per_ms = t.max_per_ms;
  limits.concurrency = t.concurrency;
  limits.prefix = !t.cron.empty() ? "cron:" + t.name + ":" : !t.data.empty() ? "data:" + t.data + ":" : !t.files.empty() ? "files:" + t.name + ":" : "webhook:" + t.name + ":";
  return limits;
}

constexpr int64_t kStopMs = 10'000;
constexpr int64_t kLongestSleepMs = 60'000;  // the wall clock may be set

}  // namespace

Triggers::Triggers(TriggerStore store, const project::Project& project, fs::path root, fs::path data, Clock& clock, TriggerOptions options)
    : store_(std::move(store)), triggers_(project.triggers), root_(std::move(root)), data_(fs::absolute(data)), clock_(clock), options_(std::move(options)) {}

Result<std::unique_ptr<Triggers>> Triggers::Start(db::Database& db, Clock& clock, const project::Project& project, fs::path root, fs::path data, TriggerOptions options) {
  RONDO_TRY(TriggerStore store, TriggerStore::Open(db, clock, project.name));
  RONDO_DO(store.Recover());
  std::unique_ptr<Triggers> t(new Triggers(std::move(store), project, std::move(root), std::move(data), clock, std::move(options)));
  RONDO_TRY(t->scheduler_, Scheduler::Make(project, t->root_, t->store_, clock));
  t->schedule_thread_ = std::thread([raw = t.get()] { raw->Schedule(); });
  t->run_thread_ = std::thread([raw = t.get()] { raw->Run(); });
  return t;
}

Triggers::~Triggers() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (child_) child_->Signal(SIGTERM);
    wake_.notify_all();
  }
  if (schedule_thread_.joinable()) schedule_thread_.join();
  if (run_thread_.joinable()) run_thread_.join();
}

Result<Submitted> Triggers::Submit(const TriggerEvent& event, const TriggerLimits& limits) {
  RONDO_TRY(const Submitted out, store_.Submit(event, limits));
  for (const std::string& id : out.cancelled) (void)Cancel(id);  // ended meanwhile: fine
  if (out.accepted) {
    std::lock_guard lock(mutex_);
    work_ = true;
    wake_.notify_all();
  }
  return out;
}

const project::Trigger* Triggers::FindTrigger(const std::string& name) const {
  for (const project::Trigger& t : triggers_)
    if (t.name == name) return &t;
  return nullptr;
}

Result<Submitted> Triggers::Fire(const project::Trigger& t, const std::string& key) {
  TriggerEvent event;
  event.kind = "webhook";
  event.cause = "webhook:" + t.name + ":" + (key.empty() ? NewId() : key.substr(0, 200));
  event.why = "the webhook " + t.name + " was called";
  event.actor = "webhook:" + t.name;
  event.stages = t.run;
  return Submit(event, LimitsOf(t));
}

// The same answer for a wrong secret and an unknown name tells nobody which names exist.

Result<Submitted> Triggers::Webhook(const std::string& name, const std::string& secret, const std::string& key) {
  const project::Trigger* t = FindTrigger(name);
  if (t && !t->webhook.empty()) {
    RONDO_TRY(const std::string expected, project::ResolveSecret(t->webhook));
    if (!expected.empty() && ConstantTimeEqual(expected, secret)) return Fire(*t, key);
  }
  return Fail(Code::kForbidden, "the secret of the webhook \"" + name + "\" is wrong");
}

Result<Submitted> Triggers::SignedWebhook(const std::string& name, std::string_view body, const std::string& signature, const std::string& key) {
  const project::Trigger* t = FindTrigger(name);
  if (t && !t->webhook.empty()) {
    RONDO_TRY(const std::string secret, project::ResolveSecret(t->webhook));
    if (!secret.empty() && ConstantTimeEqual("sha256=" + HmacSha256Hex(secret, body), signature)) return Fire(*t, key);
  }
  return Fail(Code::kForbidden, "the signature of the webhook \"" + name + "\" is wrong", "send X-Hub-Signature-256: sha256=<HMAC-SHA256 of the body with the secret, in hex>");
}

Status Triggers::Cancel(const std::string& id) {
  std::lock_guard lock(mutex_);
  if (running_ == id && child_) {
    cancel_ = true;
    child_->Signal(SIGTERM);
    return {};
  }
  return store_.Finish(id, "cancelled");
}

void Triggers::Schedule() {
  NameThread("schedule");
  while (true) {
    auto due = scheduler_->Tick();
    bool stored = due.has_value();
    if (!due) LogError("pipeline", "the schedule: {}", due.error().message);
    else
      for (const Scheduler::Due& d : *due) {
        if (d.name == "retrain" && options_.allow_retrain && !options_.allow_retrain(d.event)) continue;
        const project::Trigger* t = FindTrigger(d.name);
        if (auto submitted = Submit(d.event, t ? LimitsOf(*t) : TriggerLimits{}); !submitted) {
          stored = false;
          LogError("pipeline", "{}: {}", d.event.cause, submitted.error().message);
        }
      }
    if (stored)
      if (auto kept = scheduler_->Keep(); !kept) LogError("pipeline", "the schedule: {}", kept.error().message);
    const auto next = scheduler_->NextMs();
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    if (!next) {
      wake_.wait(lock, [&] { return stopping_; });
      return;
    }
    const int64_t sleep = std::clamp<int64_t>(*next - clock_.NowMs(), 10, kLongestSleepMs);
    if (wake_.wait_for(lock, std::chrono::milliseconds(sleep), [&] { return stopping_; })) return;
  }
}

void Triggers::Run() {
  NameThread("trigger-runs");
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || work_; });
      if (stopping_) return;
      work_ = false;  // before looking: what is submitted from here on sets it again
    }
    while (true) {
      auto record = store_.Take();
      if (!record) LogError("pipeline", "events: {}", record.error().message);
      if (!record || !*record) break;
      if (WaitForProject()) RunOne(std::move(**record));
      std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
  }
}

bool Triggers::WaitForProject() {
  while (true) {
    auto held = FileLock::TryLock(data_ / "engine.lock");
    // Any other error shows when the run itself meets it.
    if (held || held.error().code != Code::kConflict) return true;
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, std::chrono::milliseconds(500), [&] { return stopping_; })) return false;
  }
}

void Triggers::RunOne(TriggerRecord record) {
  SpawnRequest request;
  const std::string program = options_.program.empty() ? SelfPath().string() : options_.program.string();
  request.argv = {program, "run", "--trigger", record.kind, "--cause", record.cause, "--run-id", record.run_id, "--data", data_.string()};
  if (!record.actor.empty()) request.argv.insert(request.argv.end(), {"--actor", record.actor});
  request.argv.insert(request.argv.end(), record.stages.begin(), record.stages.end());
  // The server's own token is no business of the user's stages.
  request.extra_env = {{"RONDO_DIE_WITH_PARENT", "1"}, {"RONDO_TOKEN", ""}};
  if (record.stages.size() == 1 && record.stages[0].starts_with(kPredictStage)) {
    request.argv = {program, "predict", record.stages[0].substr(kPredictStage.size())};
    request.extra_env.emplace_back("RONDO_DATA", data_.string());
  }
  request.cwd = root_;
  request.output = data_ / "runs" / record.run_id / "run.log";
  std::string state = "failed";
  if (auto made = MakeDirs(request.output.parent_path()); !made) {
    LogError("pipeline", "{}: {}", record.cause, made.error().message);
  } else if (auto child = Process::Spawn(request); !child) {
    LogError("pipeline", "{}: {}", record.cause, child.error().message);
  } else {
    {
      std::lock_guard lock(mutex_);
      running_ = record.id;
      child_ = &*child;
      cancel_ = false;
      if (stopping_) child_->Signal(SIGTERM);
    }
    int64_t stop_at = 0;
    while (true) {
      auto exit = child->Wait(200);
      if (exit || exit.error().code != Code::kUnavailable) {
        std::lock_guard lock(mutex_);
        state = exit && exit->code == 0 ? "succeeded" : cancel_ ? "cancelled" : "failed";
        // Stopped with the server: it is run again when the server is back.
        if (stopping_ && !cancel_ && state == "failed") state = "";
        child_ = nullptr;
        running_.clear();
        break;
      }
      std::lock_guard lock(mutex_);
      if ((stopping_ || cancel_) && stop_at == 0) stop_at = MonotonicNs() + kStopMs * 1'000'000;
      if (stop_at != 0 && MonotonicNs() > stop_at) child->Signal(SIGKILL);
    }
  }
  if (state.empty()) return;
  if (auto finished = store_.Finish(record.id, state); !finished) LogError("pipeline", "{}: {}", record.cause, finished.error().message);
  record.state = state;
  record.ended = clock_.NowMs();
  if (options_.on_end) options_.on_end(record);
}

}  // namespace rondo::pipeline
