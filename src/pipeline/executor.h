/// Where a stage attempt runs. Local processes now; Slurm and Kubernetes will implement the same calls.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/process.h"
#include "base/result.h"

namespace rondo::pipeline {

struct Attempt {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> env;
  std::filesystem::path cwd, log;
  int64_t timeout_ms = 0;              ///< 0: none
  const std::atomic<bool>* cancel = nullptr;
};

struct AttemptResult {
  ExitStatus exit;
  bool timed_out = false, cancelled = false;
};

/// Runs one attempt as a child process group, its output in `log` (cut in the middle at 16 MiB), and waits for it. A cancelled or late attempt gets
/// SIGTERM, three seconds, SIGKILL.
Result<AttemptResult> RunLocal(const Attempt& attempt);

/// Ends every process that carries RONDO_PIPELINE_RUN=run in its environment: what a killed engine left behind. Returns how many.
int KillStrays(const std::string& run);

/// The last `lines` lines of a log.
std::string LogTail(const std::filesystem::path& log, size_t lines);
/// Text after the last "rondo: summary=" of a log; empty when there is none.
std::string LogSummary(const std::filesystem::path& log);

}  // namespace rondo::pipeline
