/// The run log: what an engine was doing, so that the next one goes on after kill -9. Append-only file of checked records; docs/formats/run_log.md.
///
/// An intent is in the file before its process starts, a result after the outputs are in the cache. A record survives the death of the process as soon as
/// Append returns (it is in the kernel); it survives a power cut after Sync. Nothing waits for Sync but the end of the run: whatever a power cut takes
/// away, hashes find, and the stage runs again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/result.h"
#include "pipeline/lock.h"

namespace rondo::pipeline {

/// Thread-safe.
class RunLog {
 public:
  static Result<RunLog> Create(const std::filesystem::path& file);
  RunLog(RunLog&& other) noexcept : file_(std::move(other.file_)) {}
  Status Begin(const std::string& run, int64_t epoch, int64_t time);
  Status Intent(const std::string& stage, const std::string& token, int64_t time);
  /// The stage's new entry of the lock, when `published`; else what happened to the attempt.
  Status Done(const std::string& stage, const std::string& token, const std::string& status, const LockedStage* entry, int64_t time);
  /// The lock file now holds every result so far.
  Status Kept();
  Status End(const std::string& status);
  Status Sync();

 private:
  explicit RunLog(AppendFile file) : file_(std::move(file)) {}
  Status Append(const Json& record);
  std::mutex mutex_;
  AppendFile file_;
};

/// What a run log says.
struct RunLogState {
  std::string run;
  int64_t epoch = 0;
  bool ended = false;
  bool cut = false;                                          ///< the last record is incomplete or damaged: it and what follows are left out
  std::vector<std::pair<std::string, std::string>> open;     ///< stage, token: intents without an end
  std::vector<std::pair<std::string, LockedStage>> results;  ///< since the last Kept, in order
  int64_t published = 0;                                     ///< results in all
};
/// kNotFound when there is none; kFailedCheck when its head is damaged. Never fails on a damaged tail.
Result<RunLogState> ReadRunLog(const std::filesystem::path& file);
Result<RunLogState> ParseRunLog(std::string_view bytes);

/// `engine.open` in the data folder: the run that is (or was) being worked on.
struct EngineMark {
  std::string run;
  int64_t epoch = 0, pid = 0;
};
Result<EngineMark> ReadEngineMark(const std::filesystem::path& data);  ///< kNotFound: the last engine ended by itself
Status WriteEngineMark(const std::filesystem::path& data, const EngineMark& mark);
std::filesystem::path RunLogFile(const std::filesystem::path& data, const std::string& run);

}  // namespace rondo::pipeline
