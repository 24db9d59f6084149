/// Where a stage attempt runs: five calls, one class per kind of place, one row in the table of executor.cc.
///
/// An attempt is named by its token ("<run>/<stage>/<attempt>/<epoch>"), chosen by the engine and written to the run log before Submit. What a killed
/// engine left behind is found by token, never by a number that the place gave out.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/process.h"
#include "base/result.h"

namespace rondo::pipeline {

struct Job {
  std::string token;
  std::vector<std::string> argv;       ///< a program of ours; empty: `shell`
  std::string shell;                   ///< the user's command line; several lines stop at the first that fails
  std::vector<std::pair<std::string, std::string>> env;  ///< on top of the engine's own
  std::filesystem::path cwd, log;      ///< output is appended to `log`, which is cut in the middle at 16 MiB
  int64_t timeout_ms = 0;              ///< on the monotonic clock; 0: none
  int64_t memory_bytes = 0;            ///< the most it may allocate; 0: no limit
};

struct JobResult {
  ExitStatus exit;
  bool timed_out = false, cancelled = false;
  bool lost = false;                   ///< nobody knows how it ended: it has to run again
};

struct LogPart {
  std::string text;
  uint64_t next = 0;                   ///< where to go on
};

class Executor {
 public:
  virtual ~Executor() = default;
  /// Starts the attempt. kInvalid when its command can't be started.
  virtual Status Submit(const Job& job) = 0;
  /// Tokens of attempts of a run that are still there, started by this or an earlier engine.
  virtual Result<std::vector<std::string>> List(const std::string& run) = 0;
  /// Asks it to stop (SIGTERM, three seconds, SIGKILL for all it started). Reconcile reports the end. Not an error when it is gone.
  virtual Status Cancel(const std::string& token) = 0;
  /// What it printed, from a byte offset on.
  virtual Result<LogPart> Logs(const std::string& token, uint64_t from) = 0;
  /// How it stands, waiting up to wait_ms (-1: until it ends) for its end: empty while it runs. For an attempt of an earlier engine: ends what is left of
  /// it and reports `lost`. Call from the thread that called Submit: the kernel ends local processes with it.
  virtual Result<std::optional<JobResult>> Reconcile(const std::string& token, int64_t wait_ms) = 0;
};

struct ExecutorInfo {
  std::string_view name, help;
  std::unique_ptr<Executor> (*make)();
};
/// The static table; the first row is the default.
const std::vector<ExecutorInfo>& Executors();
std::unique_ptr<Executor> MakeLocalExecutor();

/// Ends every process that carries RONDO_PIPELINE_RUN=run in its environment: what a killed engine left behind. Returns how many.
int KillStrays(const std::string& run);

/// Whether `sh` adds nothing to a command: plain words only, no builtin, no assignment. Then the words; else empty.
std::vector<std::string> PlainWords(std::string_view command);

/// The last `lines` lines of a log.
std::string LogTail(const std::filesystem::path& log, size_t lines);
/// Text after the last "rondo: summary=" of a log; empty when there is none.
std::string LogSummary(const std::filesystem::path& log);
/// Replaces every occurrence of a secret in a log by "***". The file is rewritten only when there is one.
void MaskSecrets(const std::filesystem::path& log, const std::vector<std::string>& secrets);

/// Ends this process by SIGKILL when RONDO_CRASH_AT names the point ("after-intent", or "after-intent:3" for its third passing): crash tests.
void CrashPoint(std::string_view point);

}  // namespace rondo::pipeline
