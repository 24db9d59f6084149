// Stage attempts as child processes of this machine: own process group, ended with the engine, limited, and nothing of them left when they have ended.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "base/clock.h"
#include "base/file.h"
#include "pipeline/executor.h"
#include "pipeline/executors/spawn.h"

namespace rondo::pipeline {
namespace {

constexpr uint64_t kMaxLog = 16u << 20;
constexpr int64_t kPollMs = 100;
constexpr int64_t kGraceMs = 3000;

/// A flooding child must not fill the disk: what is too much is cut off and said.
void CapLog(const fs::path& log) {
  struct stat st {};
  if (::stat(log.c_str(), &st) != 0 || static_cast<uint64_t>(st.st_size) <= kMaxLog) return;
  if (::truncate(log.c_str(), kMaxLog / 2) != 0) return;
  if (auto file = AppendFile::Open(log)) (void)file->Append("\n[rondo: the log was cut here: it passed 16 MiB]\n");
}

bool Carries(int pid, const std::string& entry) {
  auto environment = ReadFile("/proc/" + std::to_string(pid) + "/environ", 4u << 20);
  if (!environment) return false;  // another user's, or gone
  // Entries end with NUL: the whole entry must match.
  const std::string bytes = '\0' + *environment;
  return bytes.find('\0' + entry + '\0') != std::string::npos;
}

template <typename F>
void ForEachProcess(F visit) {
  std::error_code ec;
  for (fs::directory_iterator it("/proc", ec), end; it != end && !ec; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    if (name.find_first_not_of("0123456789") == std::string::npos) visit(std::atoi(name.c_str()));
  }
}

/// Processes that were handed to us because their parent is gone (we are the subreaper): the kernel lists them with our first thread, which starts no
/// attempts itself. Those of this attempt are ended; what has ended is reaped.
void EndAdopted(const std::string& mark) {
  static const std::string list = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
  for (int round = 0; round < 50; ++round) {  // ending one may hand us its children
    auto text = ReadFile(list, 1 << 20);
    if (!text || text->empty()) return;
    bool ended = false;
    for (const char* at = text->c_str(); *at;) {
      char* next = nullptr;
      const int pid = static_cast<int>(std::strtol(at, &next, 10));
      if (next == at) break;
      at = next;
      while (*at == ' ') ++at;
      if (!Carries(pid, mark)) continue;
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      ended = true;
    }
    if (!ended) return;
  }
}

class LocalExecutor : public Executor {
 public:
  LocalExecutor() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~LocalExecutor() override {
    for (auto& [token, running] : running_) {
      ::kill(-running.pid, SIGKILL);
      ::waitpid(running.pid, nullptr, 0);
      ::close(running.pidfd);
    }
  }

  Status Submit(const Job& job) override {
    SpawnPlan plan;
    plan.env = job.env;
    plan.env.emplace_back("RONDO_ATTEMPT", job.token);
    plan.cwd = job.cwd;
    plan.log = job.log;
    plan.memory_bytes = job.memory_bytes;
    plan.argv = job.argv;
    const bool lines = job.shell.find('\n') != std::string::npos;
    if (plan.argv.empty() && !lines) plan.argv = PlainWords(job.shell);
    const bool direct = !job.shell.empty() && !plan.argv.empty();
    if (plan.argv.empty()) plan.argv = {"/bin/sh", lines ? "-ec" : "-c", job.shell};
    Result<pid_t> pid = SpawnChild(plan);
    if (!pid && direct) {
      // Not found, or a script without #!: the shell knows what to say and do.
      plan.argv = {"/bin/sh", "-c", job.shell};
      pid = SpawnChild(plan);
    }
    if (!pid) return std::unexpected(pid.error());
    Running running;
    running.pid = *pid;
    running.pidfd = static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0));
    running.log = job.log;
    running.deadline = job.timeout_ms > 0 ? MonotonicNs() + job.timeout_ms * 1'000'000 : 0;
    std::lock_guard lock(mutex_);
    running_[job.token] = running;
    return {};
  }

  Result<std::vector<std::string>> List(const std::string& run) override {
    std::vector<std::string> tokens;
    constexpr std::string_view kToken = "RONDO_ATTEMPT=";
    ForEachProcess([&](int pid) {
      auto environment = ReadFile("/proc/" + std::to_string(pid) + "/environ", 4u << 20);
      if (!environment) return;
      for (size_t at = 0; at < environment->size();) {
        const size_t end = std::min(environment->find('\0', at), environment->size());
        const std::string_view entry(environment->data() + at, end - at);
        if (entry.starts_with(kToken) && entry.substr(kToken.size()).starts_with(run + "/")) tokens.emplace_back(entry.substr(kToken.size()));
        at = end + 1;
      }
    });
    std::sort(tokens.begin(), tokens.end());
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    return tokens;
  }

  Status Cancel(const std::string& token) override {
    std::lock_guard lock(mutex_);
    const auto it = running_.find(token);
    if (it == running_.end() || it->second.stop_at != 0) return {};
    it->second.cancelled = true;
    Stop(it->second);
    return {};
  }

  Result<LogPart> Logs(const std::string& token, uint64_t from) override {
    fs::path log;
    {
      std::lock_guard lock(mutex_);
      const auto it = running_.find(token);
      if (it == running_.end()) return Fail(Code::kNotFound, "no attempt " + token + " runs here");
      log = it->second.log;
    }
    RONDO_TRY(const std::string text, ReadFile(log, kMaxLog * 2));
    from = std::min<uint64_t>(from, text.size());
    return LogPart{text.substr(from), text.size()};
  }

  Result<std::optional<JobResult>> Reconcile(const std::string& token, int64_t wait_ms) override {
    Running running;
    {
      std::lock_guard lock(mutex_);
      const auto it = running_.find(token);
      if (it == running_.end()) {
        // An earlier engine's: its exit status went with that engine.
        const std::string mark = "RONDO_ATTEMPT=" + token;
        ForEachProcess([&](int pid) {
          if (pid != ::getpid() && Carries(pid, mark)) ::kill(pid, SIGKILL);
        });
        JobResult lost;
        lost.lost = true;
        return std::optional(lost);
      }
      running = it->second;
    }
    const int64_t until = wait_ms < 0 ? INT64_MAX : MonotonicNs() + wait_ms * 1'000'000;
    while (true) {
      const int64_t now = MonotonicNs();
      int64_t slice = wait_ms < 0 ? kPollMs : std::min(kPollMs, (until - now) / 1'000'000);
      if (running.deadline != 0) slice = std::min(slice, (running.deadline - now) / 1'000'000 + 1);
      pollfd p{running.pidfd, POLLIN, 0};
      const int rc = ::poll(&p, 1, static_cast<int>(std::max<int64_t>(0, slice)));
      if (rc > 0 && p.revents != 0) return std::optional(Reap(token));
      if (rc < 0 && errno != EINTR) return Fail(Code::kInternal, std::string("poll: ") + std::strerror(errno));
      CapLog(running.log);
      {
        std::lock_guard lock(mutex_);
        Running& live = running_[token];
        if (live.stop_at == 0 && live.deadline != 0 && MonotonicNs() > live.deadline) {
          live.timed_out = true;
          Stop(live);
        }
        if (live.stop_at != 0 && MonotonicNs() > live.stop_at) ::kill(-live.pid, SIGKILL);
        running = live;
      }
      if (MonotonicNs() >= until) return std::optional<JobResult>();
    }
  }

 private:
  struct Running {
    pid_t pid = -1;
    int pidfd = -1;
    fs::path log;
    int64_t deadline = 0, stop_at = 0;
    bool cancelled = false, timed_out = false;
  };

  static void Stop(Running& running) {
    running.stop_at = MonotonicNs() + kGraceMs * 1'000'000;
    ::kill(-running.pid, SIGTERM);
  }

  JobResult Reap(const std::string& token) {
    Running running;
    {
      std::lock_guard lock(mutex_);
      running = running_[token];
      running_.erase(token);
    }
    // The leader is a zombie now, so the group's number is still its own: whatever it left behind goes.
    ::kill(-running.pid, SIGKILL);
    int status = 0;
    rusage usage{};
    while (::wait4(running.pid, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    ::close(running.pidfd);
    // Members of the group are ours now that their parent is gone: they are dying, and no zombie is to remain.
    for (int round = 0; round < 200; ++round) {
      const pid_t got = ::waitpid(-running.pid, nullptr, WNOHANG);
      if (got < 0) break;
      if (got == 0) ::usleep(500);
    }
    EndAdopted("RONDO_ATTEMPT=" + token);
    CapLog(running.log);
    JobResult result;
    result.cancelled = running.cancelled;
    result.timed_out = running.timed_out;
    if (WIFEXITED(status)) {
      result.exit.code = WEXITSTATUS(status);
    } else {
      result.exit.signal = WTERMSIG(status);
      result.exit.code = 128 + result.exit.signal;
    }
    if (running.cancelled) result.exit.code = 130;
    else if (running.timed_out) result.exit.code = 124;
    result.exit.cpu_s = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    result.exit.max_rss_kb = usage.ru_maxrss;
    return result;
  }

  std::mutex mutex_;
  std::map<std::string, Running> running_;
};

}  // namespace

std::unique_ptr<Executor> MakeLocalExecutor() { return std::make_unique<LocalExecutor>(); }

int KillStrays(const std::string& run) {
  const std::string mark = "RONDO_PIPELINE_RUN=" + run;
  std::vector<int> killed;
  ForEachProcess([&](int pid) {
    if (pid != ::getpid() && Carries(pid, mark) && ::kill(pid, SIGKILL) == 0) killed.push_back(pid);
  });
  // Those that were handed to us are reaped; of others waitpid says at once that they are not ours.
  for (const int pid : killed)
    for (int round = 0; round < 200 && ::waitpid(pid, nullptr, WNOHANG) == 0; ++round) ::usleep(500);
  return static_cast<int>(killed.size());
}

}  // namespace rondo::pipeline
