/// The lock file while a run works on it: results go to the run log at once and into `rondo.lock` now and then. Internal to pipeline.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include "pipeline/lock.h"
#include "pipeline/run_log.h"

namespace rondo::pipeline {

/// Thread-safe.
class LockKeeper {
 public:
  /// The lock with what an interrupted run had finished laid over it.
  static Result<LockKeeper> Load(const std::filesystem::path& lock_file, const std::filesystem::path& data);
  LockKeeper(LockKeeper&& other) noexcept : file_(std::move(other.file_)), data_(std::move(other.data_)), lock_(std::move(other.lock_)), dirty_(other.dirty_) {}

  /// A copy: entries change under other stages' hands. Empty when there is none.
  std::optional<LockedStage> Find(const std::string& stage) const;
  void Drop(const std::function<bool(const std::string&)>& keep);  ///< entries of stages that are no more
  /// From now on results are logged; `epoch` must still stand in engine.open whenever the lock is written.
  void Attach(RunLog* log, int64_t epoch);
  /// Publishes a result: into the log, then into memory; the lock file follows when it has been long enough.
  Status Put(const std::string& stage, const std::string& token, const std::string& status, const LockedStage& entry, int64_t time);
  Status Flush();
  bool dirty() const { return dirty_; }
  const Lock& lock() const { return lock_; }  ///< not while others Put

 private:
  LockKeeper(std::filesystem::path file, std::filesystem::path data, Lock lock, bool dirty) : file_(std::move(file)), data_(std::move(data)), lock_(std::move(lock)), dirty_(dirty) {}
  Status FlushLocked();
  mutable std::mutex mutex_;
  std::filesystem::path file_, data_;
  Lock lock_;
  std::unordered_map<std::string, std::string> texts_;  ///< YAML of entries, so that a flush formats only what is new
  bool dirty_ = false;
  RunLog* log_ = nullptr;
  int64_t epoch_ = 0;
  int64_t flushed_ns_ = 0, cost_ns_ = 0;
};

}  // namespace rondo::pipeline
