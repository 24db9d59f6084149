#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "base/clock.h"
#include "base/file.h"

extern char** environ;

namespace rondo {
namespace {

std::vector<std::string> MergedEnv(const std::vector<std::pair<std::string, std::string>>& extra) {
  std::map<std::string, std::string> env;
  for (char** e = environ; *e; ++e) {
    const std::string_view line(*e);
    const size_t eq = line.find('=');
    if (eq != std::string_view::npos) env[std::string(line.substr(0, eq))] = std::string(line.substr(eq + 1));
  }
  for (const auto& [k, v] : extra) env[k] = v;
  std::vector<std::string> out;
  for (const auto& [k, v] : env) out.push_back(k + "=" + v);
  return out;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (auto& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

int PidFd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

}  // namespace

Result<Process> Process::Spawn(const SpawnRequest& request) {
  if (request.argv.empty()) return Fail(Code::kInvalid, "no command to run");
  std::vector<std::string> argv = request.argv;
  std::vector<std::string> env = MergedEnv(request.extra_env);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (!request.output.empty()) {
    posix_spawn_file_actions_addopen(&actions, 1, request.output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
  }
  if (!request.cwd.empty()) posix_spawn_file_actions_addchdir_np(&actions, request.cwd.c_str());
  posix_spawnattr_t attr;
  posix_spawnattr_init(&attr);
  sigset_t none, defaults;
  sigemptyset(&none);
  sigfillset(&defaults);
  posix_spawnattr_setsigmask(&attr, &none);
  posix_spawnattr_setsigdefault(&attr, &defaults);
  posix_spawnattr_setpgroup(&attr, 0);
  posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int rc = ::posix_spawnp(&pid, argv[0].c_str(), &actions, &attr, Pointers(argv).data(), Pointers(env).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attr);
  if (rc != 0) return Fail(Code::kEnvironment, "cannot run " + argv[0] + ": " + std::strerror(rc), "is it installed and on PATH?");
  return Process(pid);
}

Process::Process(Process&& other) noexcept : pid_(other.pid_), reaped_(other.reaped_) { other.pid_ = -1; }
Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(reaped_, other.reaped_);
  return *this;
}
Process::~Process() {
  if (pid_ > 0 && !reaped_) Terminate(0);
}

Result<ExitStatus> Process::Wait(int64_t timeout_ms) {
  if (pid_ <= 0 || reaped_) return Fail(Code::kInvalid, "no process to wait for");
  if (timeout_ms >= 0) {
    const int fd = PidFd(pid_);
    if (fd >= 0) {
      pollfd p{fd, POLLIN, 0};
      const int64_t deadline = MonotonicNs() + timeout_ms * 1'000'000;
      int rc = 0;
      do {
        const int64_t left = std::max<int64_t>(0, (deadline - MonotonicNs()) / 1'000'000);
        rc = ::poll(&p, 1, static_cast<int>(std::min<int64_t>(left, 1 << 30)));
      } while (rc < 0 && errno == EINTR);
      ::close(fd);
      if (rc == 0) return Fail(Code::kUnavailable, "the process still runs");
    }
  }
  int status = 0;
  rusage usage{};
  pid_t got = -1;
  do {
    got = ::wait4(pid_, &status, 0, &usage);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return Fail(Code::kInternal, std::string("wait4: ") + std::strerror(errno));
  reaped_ = true;
  ExitStatus out;
  if (WIFEXITED(status)) {
    out.code = WEXITSTATUS(status);
  } else {
    out.signal = WTERMSIG(status);
    out.code = 128 + out.signal;
  }
  out.cpu_s = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  out.max_rss_kb = usage.ru_maxrss;
  ::kill(-pid_, SIGKILL);  // whatever it left behind in its group
  return out;
}

void Process::Signal(int signal) {
  if (pid_ > 0 && !reaped_) ::kill(-pid_, signal);
}

void Process::Terminate(int64_t grace_ms) {
  if (pid_ <= 0 || reaped_) return;
  if (grace_ms > 0) {
    Signal(SIGTERM);
    if (Wait(grace_ms)) return;
  }
  Signal(SIGKILL);
  (void)Wait(-1);
}

void DieWithParent() { ::prctl(PR_SET_PDEATHSIG, SIGKILL); }

std::filesystem::path SelfPath() {
  // Asked once, at the first call: a program that is replaced while it runs goes on with what stands in its place.
  static const std::filesystem::path path = [] {
    std::error_code ec;
    return std::filesystem::read_symlink("/proc/self/exe", ec);
  }();
  return path;
}

Result<CommandOutput> RunCommand(const std::vector<std::string>& argv, const std::filesystem::path& cwd, int64_t timeout_ms) {
  TempDir scratch("rondo-cmd");
  SpawnRequest request{argv, {}, cwd, scratch.path() / "out"};
  RONDO_TRY(Process process, Process::Spawn(request));
  auto exit = process.Wait(timeout_ms);
  if (!exit) {
    process.Terminate(500);
    return Fail(Code::kUnavailable, argv[0] + " did not finish within " + FormatDuration(timeout_ms));
  }
  CommandOutput out;
  out.code = exit->code;
  RONDO_TRY(out.out, ReadFile(request.output));
  if (out.out.size() > (1u << 20)) out.out.resize(1u << 20);
  return out;
}

}  // namespace rondo
