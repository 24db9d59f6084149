#include "pipeline/keeper.h"

#include "base/clock.h"
#include "base/log.h"
#include "pipeline/executor.h"

namespace rondo::pipeline {
namespace {

/// The lock is written again when this long has passed, and at least twenty times what writing it costs: a long lock must not eat the run.
constexpr int64_t kFlushNs = 500'000'000;
constexpr int64_t kShare = 20;

}  // namespace

Result<LockKeeper> LockKeeper::Load(const fs::path& lock_file, const fs::path& data) {
  RONDO_TRY(Lock lock, ReadLock(lock_file));
  bool dirty = false;
  if (auto mark = ReadEngineMark(data); mark && !mark->run.empty()) {
    if (auto log = ReadRunLog(RunLogFile(data, mark->run))) {
      for (auto& [stage, entry] : log->results) {
        lock[stage] = std::move(entry);
        dirty = true;
      }
    } else if (log.error().code != Code::kNotFound) {
      LogWarn("pipeline", "the log of the interrupted run {} can't be read, what it had finished since the last write of the lock runs again: {}", mark->run, log.error().message);
    }
  }
  return LockKeeper(lock_file, data, std::move(lock), dirty);
}

std::optional<LockedStage> LockKeeper::Find(const std::string& stage) const {
  std::lock_guard guard(mutex_);
  const auto it = lock_.find(stage);
  return it == lock_.end() ? std::nullopt : std::optional(it->second);
}

void LockKeeper::Drop(const std::function<bool(const std::string&)>& keep) {
  std::lock_guard guard(mutex_);
  for (auto it = lock_.begin(); it != lock_.end();) {
    if (keep(it->first)) {
      ++it;
      continue;
    }
    it = lock_.erase(it);
    dirty_ = true;
  }
}

void LockKeeper::Attach(RunLog* log, int64_t epoch) {
  std::lock_guard guard(mutex_);
  log_ = log;
  epoch_ = epoch;
  flushed_ns_ = MonotonicNs();
}

Status LockKeeper::Put(const std::string& stage, const std::string& token, const std::string& status, const LockedStage& entry, int64_t time) {
  std::lock_guard guard(mutex_);
  if (log_) RONDO_DO(log_->Done(stage, token, status, &entry, time));
  CrashPoint("after-result");
  lock_[stage] = entry;
  texts_.erase(stage);
  dirty_ = true;
  if (log_ && MonotonicNs() - flushed_ns_ < std::max(kFlushNs, cost_ns_ * kShare)) return {};
  return FlushLocked();
}

Status LockKeeper::Flush() {
  std::lock_guard guard(mutex_);
  return dirty_ ? FlushLocked() : Status{};
}

Status LockKeeper::FlushLocked() {
  const int64_t begin = MonotonicNs();
  if (log_) {
    // An engine that was stopped for long enough to be given up must not write over its successor.
    auto mark = ReadEngineMark(data_);
    if (!mark || mark->epoch != epoch_)
      return Fail(Code::kConflict, "another engine has taken over this project: its epoch is " + std::to_string(mark ? mark->epoch : 0) + ", ours " + std::to_string(epoch_), "this run stops; what it finished is in its log");
  }
  std::string text = LockHead(lock_.empty());
  for (const auto& [name, stage] : lock_) {
    std::string& part = texts_[name];
    if (part.empty()) part = StageText(name, stage);
    text += part;
  }
  CrashPoint("before-lock");
  auto old = ReadFile(file_, size_t{1} << 30);
  if (!old || *old != text) RONDO_DO(WriteFileAtomic(file_, text));
  CrashPoint("after-lock");
  if (log_) RONDO_DO(log_->Kept());
  dirty_ = false;
  flushed_ns_ = MonotonicNs();
  cost_ns_ = flushed_ns_ - begin;
  return {};
}

}  // namespace rondo::pipeline
