#include "data/dvc/git.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "data/dvc/fd.h"

extern char** environ;

namespace rondo::data::dvc {

Result<Git::Answer> Git::Run(const std::vector<std::string>& args, std::string_view input) const {
  int in[2], out[2], err[2];
  auto pipe = [](int (&p)[2]) { return ::pipe2(p, O_CLOEXEC) == 0; };
  if (!pipe(in)) return std::unexpected(SystemError("make a pipe for", "git", errno));
  Fd in_read(in[0]), in_write(in[1]);
  if (!pipe(out)) return std::unexpected(SystemError("make a pipe for", "git", errno));
  Fd out_read(out[0]), out_write(out[1]);
  if (!pipe(err)) return std::unexpected(SystemError("make a pipe for", "git", errno));
  Fd err_read(err[0]), err_write(err[1]);

  std::vector<std::string> words = {"git", "-C", folder_.string(), "-c", "core.quotepath=false"};
  words.insert(words.end(), args.begin(), args.end());
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in_read.get(), 0);
  ::posix_spawn_file_actions_adddup2(&actions, out_write.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, err_write.get(), 2);
  pid_t pid = -1;
  const int why = ::posix_spawnp(&pid, "git", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (why != 0) return Fail(Code::kEnvironment, fmt::format("git can't be started: {}", std::strerror(why)), "install git");
  {  // the child has its ends now
    const Fd gone_in(std::move(in_read)), gone_out(std::move(out_write)), gone_err(std::move(err_write));
  }

  Answer answer;
  ::fcntl(in_write.get(), F_SETFL, O_NONBLOCK);
  bool writing = true, out_open = true, err_open = true;
  std::string buffer(1 << 16, 0);
  while (writing || out_open || err_open) {
    if (writing && input.empty()) {
      Fd done(std::move(in_write));
      writing = false;
    }
    pollfd fds[3] = {{writing ? in_write.get() : -1, POLLOUT, 0}, {out_open ? out_read.get() : -1, POLLIN, 0}, {err_open ? err_read.get() : -1, POLLIN, 0}};
    if (!writing && !out_open && !err_open) break;
    if (::poll(fds, 3, -1) < 0 && errno != EINTR) break;
    if (fds[0].revents) {
      const ssize_t n = ::write(in_write.get(), input.data(), std::min<size_t>(input.size(), 1 << 16));
      if (n > 0) input.remove_prefix(static_cast<size_t>(n));
      else if (errno != EAGAIN && errno != EINTR) input = {};  // git has gone: its exit code tells
    }
    auto drain = [&](int fd, std::string& to, bool& open) {
      const ssize_t n = ::read(fd, buffer.data(), buffer.size());
      if (n > 0) to.append(buffer.data(), static_cast<size_t>(n));
      else if (n == 0 || errno != EINTR) open = false;
    };
    if (fds[1].revents) drain(out_read.get(), answer.out, out_open);
    if (fds[2].revents) drain(err_read.get(), answer.err, err_open);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return answer;
}

std::optional<fs::path> Git::Top() const {
  const auto answer = Run({"rev-parse", "--show-toplevel"});
  if (!answer || answer->code != 0) return std::nullopt;
  return fs::path(answer->out.substr(0, answer->out.find('\n')));
}

Result<std::string> Git::Commit(const std::string& revision) const {
  if (revision.starts_with('-')) return Fail(Code::kNotFound, fmt::format("unknown Git revision '{}'", revision));
  RONDO_TRY(const Answer answer, Run({"rev-parse", "--verify", "--quiet", revision + "^{commit}"}));
  if (answer.code != 0) return Fail(Code::kNotFound, fmt::format("unknown Git revision '{}'", revision));
  return answer.out.substr(0, answer.out.find('\n'));
}

Result<std::vector<Git::Blob>> Git::Files(const std::string& commit, bool (*wanted)(std::string_view)) const {
  RONDO_TRY(const Answer answer, Run({"ls-tree", "-r", "-z", commit, "--", "."}));
  if (answer.code != 0) return Fail(Code::kNotFound, fmt::format("git can't list {}: {}", commit, answer.err));
  std::vector<Blob> blobs;
  const std::string_view text = answer.out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\0', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    const size_t tab = line.find('\t');
    if (tab == line.npos || tab < 41) continue;
    const std::string_view path = line.substr(tab + 1);
    if (line.substr(0, 2) != "10" || !wanted(path)) continue;  // regular files
    const size_t space = line.rfind(' ', tab);
    blobs.push_back({std::string(path), std::string(line.substr(space + 1, tab - space - 1))});
  }
  return blobs;
}

Result<std::vector<std::string>> Git::Contents(const std::vector<std::string>& hashes) const {
  std::vector<std::string> out;
  if (hashes.empty()) return out;
  std::string input;
  for (const std::string& h : hashes) input += h + "\n";
  RONDO_TRY(const Answer answer, Run({"cat-file", "--batch"}, input));
  const std::string_view text = answer.out;
  size_t at = 0;
  for (const std::string& hash : hashes) {
    const size_t end = text.find('\n', at);
    if (end == text.npos) return Fail(Code::kNotFound, fmt::format("git has no object {}: {}", hash, answer.err));
    const std::string_view head = text.substr(at, end - at);
    uint64_t size = 0;
    const size_t space = head.rfind(' ');
    if (head.ends_with(" missing") || space == head.npos || std::from_chars(head.data() + space + 1, head.data() + head.size(), size).ec != std::errc() || size > text.size() - end - 1)
      return Fail(Code::kNotFound, fmt::format("git has no object {}", hash), "a shallow or partial clone lacks history: git fetch --unshallow");
    out.emplace_back(text.substr(end + 1, size));
    at = end + 1 + size + 1;
  }
  return out;
}

bool Git::Tracks(const std::string& path) const {
  const auto answer = Run({"ls-files", "--error-unmatch", "--", path});
  return answer && answer->code == 0;
}

}  // namespace rondo::data::dvc
