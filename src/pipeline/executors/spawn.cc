// vfork and exec: what posix_spawn does, plus the parent-death signal and limits that it has no words for.
#include "pipeline/executors/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "base/file.h"

extern char** environ;

namespace rondo::pipeline {
namespace {

/// The engine's own environment as it was at the first spawn, by name.
const std::unordered_map<std::string_view, const char*>& OwnEnvironment() {
  static const auto& own = *[] {
    auto* map = new std::unordered_map<std::string_view, const char*>();
    for (char** e = environ; *e; ++e) {
      const std::string_view line(*e);
      if (const size_t eq = line.find('='); eq != std::string_view::npos) map->emplace(line.substr(0, eq), *e);
    }
    return map;
  }();
  return own;
}

/// The program that `name` means: looked up once per PATH.
std::string FindProgram(const std::string& name, const std::string& path) {
  if (name.find('/') != std::string::npos) return name;
  static std::mutex mutex;
  static auto& known = *new std::unordered_map<std::string, std::string>();
  const std::string key = name + '\0' + path;
  {
    std::lock_guard lock(mutex);
    if (const auto it = known.find(key); it != known.end()) return it->second;
  }
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find(':', at), path.size());
    const fs::path candidate = fs::path(end == at ? "." : path.substr(at, end - at)) / name;
    std::error_code ec;
    if (fs::is_regular_file(candidate, ec) && ::access(candidate.c_str(), X_OK) == 0) {
      std::lock_guard lock(mutex);
      return known[key] = candidate.string();
    }
    at = end + 1;
  }
  return {};
}

/// All that the child needs, prepared before: between vfork and exec it makes system calls only.
struct Child {
  const char* program;
  char* const* argv;
  char* const* env;
  const char* cwd;
  int log_fd, null_fd;
  pid_t parent;
  rlimit memory;
  bool limited;
  volatile int error;
  const char* volatile failed;
};

[[gnu::noinline]] pid_t Vfork(Child& child) {
  const pid_t pid = ::vfork();
  if (pid != 0) return pid;
  const auto fail = [&](const char* what) {
    child.failed = what;
    child.error = errno;
    ::_exit(127);
  };
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != child.parent) ::_exit(127);  // the parent died in between
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int s = 1; s < 32; ++s) ::sigaction(s, &standard, nullptr);
  if (::dup2(child.null_fd, 0) < 0 || ::dup2(child.log_fd, 1) < 0 || ::dup2(child.log_fd, 2) < 0) fail("connect the output of");
  if (child.cwd && ::chdir(child.cwd) != 0) fail("enter the folder of");
  if (child.limited && ::setrlimit(RLIMIT_DATA, &child.memory) != 0) fail("limit the memory of");
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(child.program, child.argv, child.env);
  fail("run");
  return -1;
}

}  // namespace

Result<pid_t> SpawnChild(const SpawnPlan& plan) {
  if (plan.argv.empty()) return Fail(Code::kInvalid, "no command to run");
  std::unordered_map<std::string_view, size_t> replaced;
  std::vector<std::string> lines;
  lines.reserve(plan.env.size());
  std::string path = "/usr/bin:/bin";
  for (const auto& [name, value] : plan.env) {
    const auto [it, fresh] = replaced.emplace(name, lines.size());
    if (fresh) lines.push_back(name + "=" + value);
    else lines[it->second] = name + "=" + value;
    if (name == "PATH") path = value;
  }
  if (!replaced.contains("PATH"))
    if (const auto own = OwnEnvironment().find("PATH"); own != OwnEnvironment().end()) path = own->second + 5;
  std::vector<char*> env;
  for (std::string& line : lines) env.push_back(line.data());
  for (const auto& [name, line] : OwnEnvironment())
    if (!replaced.contains(name)) env.push_back(const_cast<char*>(line));
  env.push_back(nullptr);
  std::vector<char*> argv;
  for (const std::string& word : plan.argv) argv.push_back(const_cast<char*>(word.data()));
  argv.push_back(nullptr);
  const std::string program = FindProgram(plan.argv[0], path);
  if (program.empty()) return Fail(Code::kInvalid, "cannot run " + plan.argv[0] + ": not found", "is it installed and on PATH?");

  static const int null_fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int log_fd = ::open(plan.log.empty() ? "/dev/null" : plan.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log_fd < 0) return std::unexpected(SystemError("write the log", plan.log, errno));
  Child child{};
  child.program = program.c_str();
  child.argv = argv.data();
  child.env = env.data();
  child.cwd = plan.cwd.empty() ? nullptr : plan.cwd.c_str();
  child.log_fd = log_fd;
  child.null_fd = null_fd;
  child.parent = ::getpid();
  child.limited = plan.memory_bytes > 0;
  child.memory.rlim_cur = child.memory.rlim_max = static_cast<rlim_t>(plan.memory_bytes);
  // No handler of ours may run in the child, which shares our memory until exec.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = Vfork(child);
  const int fork_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(log_fd);
  if (pid < 0) return Fail(Code::kEnvironment, std::string("cannot start a process: ") + std::strerror(fork_error), "the limit of processes may be reached: ulimit -u");
  if (child.error != 0) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return Fail(Code::kInvalid, std::string("cannot ") + child.failed + " " + plan.argv[0] + ": " + std::strerror(child.error), "is it installed and on PATH?");
  }
  return pid;
}

}  // namespace rondo::pipeline
