/// Child processes by posix_spawn (never fork): own process group, killed with the parent.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace rondo {

struct SpawnRequest {
  std::vector<std::string> argv;                               ///< argv[0] is looked up in PATH
  std::vector<std::pair<std::string, std::string>> extra_env;  ///< added to (or replacing in) ours
  std::filesystem::path cwd;                                   ///< empty: ours
  std::filesystem::path output;                                ///< stdout and stderr appended there; empty: inherited
};

struct ExitStatus {
  int code = -1;      ///< exit code; 128 + signal when killed
  int signal = 0;     ///< 0 unless killed by a signal
  double cpu_s = 0;   ///< user + system
  int64_t max_rss_kb = 0;
};

/// A running child in its own process group, which is killed when the object goes before Wait() has returned.
/// A child that must not outlive a killed parent calls DieWithParent() itself (rondo's own `step` does).
class Process {
 public:
  static Result<Process> Spawn(const SpawnRequest& request);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();
  pid_t pid() const { return pid_; }
  /// Waits at most timeout_ms (-1: for ever). kUnavailable on timeout: the child still runs.
  Result<ExitStatus> Wait(int64_t timeout_ms = -1);
  void Signal(int signal);                  ///< to the whole group
  void Terminate(int64_t grace_ms = 3000);  ///< SIGTERM, then SIGKILL to the group; reaps

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
  bool reaped_ = false;
};

/// Asks the kernel to kill this process when its parent dies (prctl PR_SET_PDEATHSIG).
void DieWithParent();
/// Path of the running program (/proc/self/exe at the first call: main makes it).
std::filesystem::path SelfPath();
/// Runs argv, collects stdout; for short helpers (git, notifier commands). Output capped at 1 MiB.
struct CommandOutput {
  int code = 0;
  std::string out;
};
Result<CommandOutput> RunCommand(const std::vector<std::string>& argv, const std::filesystem::path& cwd = {}, int64_t timeout_ms = 30'000);

}  // namespace rondo
