// Stage attempts as child processes of this machine.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/clock.h"
#include "base/file.h"
#include "pipeline/executor.h"

namespace rondo::pipeline {
namespace {

constexpr uint64_t kMaxLog = 16u << 20;
constexpr int64_t kPollMs = 100;

/// A flooding child must not fill the disk: what is too much is cut off and said.
void CapLog(const fs::path& log) {
  struct stat st {};
  if (::stat(log.c_str(), &st) != 0 || static_cast<uint64_t>(st.st_size) <= kMaxLog) return;
  if (::truncate(log.c_str(), kMaxLog / 2) != 0) return;
  if (auto file = AppendFile::Open(log)) (void)file->Append("\n[rondo: the log was cut here: it passed 16 MiB]\n");
}

}  // namespace

Result<AttemptResult> RunLocal(const Attempt& attempt) {
  RONDO_TRY(Process process, Process::Spawn({attempt.argv, attempt.env, attempt.cwd, attempt.log}));
  const int64_t deadline = attempt.timeout_ms > 0 ? MonotonicNs() + attempt.timeout_ms * 1'000'000 : 0;
  AttemptResult result;
  while (true) {
    auto exit = process.Wait(kPollMs);
    if (exit) {
      result.exit = *exit;
      CapLog(attempt.log);
      return result;
    }
    if (exit.error().code != Code::kUnavailable) return std::unexpected(exit.error());
    CapLog(attempt.log);
    result.cancelled = attempt.cancel && attempt.cancel->load();
    result.timed_out = deadline != 0 && MonotonicNs() > deadline;
    if (result.cancelled || result.timed_out) {
      process.Terminate(3000);
      result.exit.code = result.cancelled ? 130 : 124;
      return result;
    }
  }
}

int KillStrays(const std::string& run) {
  const std::string mark = "RONDO_PIPELINE_RUN=" + run;
  int killed = 0;
  std::error_code ec;
  for (fs::directory_iterator it("/proc", ec), end; it != end && !ec; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const int pid = std::atoi(name.c_str());
    if (pid == ::getpid()) continue;
    auto environment = ReadFile(it->path() / "environ", 4u << 20);
    if (!environment) continue;  // another user's, or gone
    // Entries end with NUL: the whole entry must match.
    const std::string bytes = '\0' + *environment;
    if (bytes.find('\0' + mark + '\0') == std::string::npos) continue;
    if (::kill(pid, SIGKILL) == 0) ++killed;
  }
  return killed;
}

std::string LogTail(const fs::path& log, size_t lines) {
  auto text = ReadFile(log, kMaxLog * 2);
  if (!text) return {};
  size_t at = text->size();
  while (at > 0 && (*text)[at - 1] == '\n') --at;
  const size_t end = at;
  for (size_t n = 0; at > 0 && n < lines; ++n) {
    const size_t newline = text->rfind('\n', at - 1);
    if (newline == std::string::npos) {
      at = 0;
      break;
    }
    at = newline;
  }
  return text->substr(at == 0 ? 0 : at + 1, end - (at == 0 ? 0 : at + 1));
}

std::string LogSummary(const fs::path& log) {
  auto text = ReadFile(log, kMaxLog * 2);
  if (!text) return {};
  constexpr std::string_view kMark = "rondo: summary=";
  const size_t at = text->rfind(kMark);
  if (at == std::string::npos) return {};
  const size_t begin = at + kMark.size();
  return text->substr(begin, std::min(text->find('\n', begin), text->size()) - begin);
}

}  // namespace rondo::pipeline
