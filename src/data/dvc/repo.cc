#include "data/dvc/repo.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "data/dvc/fd.h"
#include "data/dvc/git.h"
#include "data/dvc/ignore.h"

namespace rondo::data::dvc {
namespace {

constexpr std::string_view kIgnoreText =
    "# Add patterns of files dvc should ignore, which could improve\n"
    "# the performance. Learn more at\n"
    "# https://dvc.org/doc/user-guide/dvcignore\n";

bool GitAround(const fs::path& root) {
  std::error_code ec;
  for (fs::path p = root; ; p = p.parent_path()) {
    if (fs::exists(p / ".git", ec)) return true;
    if (p == p.parent_path()) return false;
  }
}

/// The cache: cache.dir counts from the file that sets it.
fs::path CacheDir(const Config& config, const fs::path& dvc_dir) {
  const auto found = config.Find("cache", "dir");
  if (!found) return dvc_dir / "cache";
  fs::path path = found->value;
  if (found->value.starts_with("~/") && std::getenv("HOME")) path = fs::path(std::getenv("HOME")) / found->value.substr(2);
  return path.is_absolute() ? path.lexically_normal() : (found->folder / path).lexically_normal();
}

}  // namespace

Repo::Repo(fs::path root, Config config, Cache cache)
    : root_(std::move(root)), config_(std::move(config)), cache_(std::move(cache)), ignore_(std::make_unique<Ignore>(root_)) {
  has_git_ = !config_.Flag("core", "no_scm") && GitAround(root_);
}
Repo::~Repo() {
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

Result<std::unique_ptr<Repo>> Repo::Open(const fs::path& start) {
  std::error_code ec;
  const fs::path absolute = fs::canonical(start, ec);
  if (ec) return std::unexpected(SystemError("open", start, ec.value()));
  for (fs::path p = absolute; ; p = p.parent_path()) {
    if (fs::is_directory(p / ".dvc", ec)) {
      RONDO_TRY(Config config, Config::Load(p / ".dvc"));
      Cache cache(CacheDir(config, p / ".dvc"), config.GetOr("cache", "shared", "") == "group");
      return std::unique_ptr<Repo>(new Repo(p, std::move(config), std::move(cache)));
    }
    if (p == p.parent_path()) break;
  }
  return Fail(Code::kNotFound, "you are not inside of a DVC repository (checked up to mount point '/')", "make one: rondo data init, or dvc init");
}

Result<std::unique_ptr<Repo>> Repo::Init(const fs::path& folder, const InitOptions& options) {
  if (options.no_scm && options.subdir) return Fail(Code::kInvalid, "Cannot initialize repo with `--no-scm` and `--subdir`");
  std::error_code ec;
  const fs::path root = fs::canonical(folder, ec);
  if (ec) return std::unexpected(SystemError("open", folder, ec.value()));
  const fs::path dvc = root / ".dvc";
  const Git git(root);
  if (!options.no_scm) {
    if (options.subdir ? !GitAround(root) : !fs::exists(root / ".git", ec))
      return Fail(Code::kInvalid, fmt::format("{} is not tracked by any supported SCM tool (e.g. Git). Use `--no-scm` if you don't want to use any SCM or `--subdir` if initializing inside a "
                                              "subdirectory of a parent SCM repository.", root.string()));
    const auto ignored = git.Run({"check-ignore", "-q", ".dvc"});
    if (ignored && ignored->code == 0)
      return Fail(Code::kInvalid, fmt::format("{} is ignored by your SCM tool. \nMake sure that it's tracked, for example, by adding '!.dvc' to .gitignore.", dvc.string()));
  }
  if (fs::is_directory(dvc, ec)) {
    if (!options.force) return Fail(Code::kAlreadyExists, "'.dvc' exists. Use `-f` to force.");
    RONDO_DO(RemoveAll(dvc));
  }
  RONDO_DO(MakeDirs(dvc / "tmp"));
  RONDO_DO(WriteFileAtomic(dvc / "config", options.no_scm ? "[core]\n    no_scm = True\n" : ""));
  RONDO_DO(WriteFileAtomic(dvc / "tmp" / "btime", ""));
  if (!fs::exists(root / ".dvcignore", ec)) RONDO_DO(WriteFileAtomic(root / ".dvcignore", kIgnoreText));
  if (!options.no_scm) {
    RONDO_DO(WriteFileAtomic(dvc / ".gitignore", "/config.local\n/tmp\n/cache\n"));
    RONDO_TRY(const Git::Answer added, git.Run({"add", "--", ".dvc/config", ".dvc/.gitignore", ".dvcignore"}));
    if (added.code != 0) return Fail(Code::kEnvironment, "git add failed: " + added.err);
  }
  return Open(root);
}

Repo::Lock::~Lock() {
  if (!repo_ || --repo_->lock_depth_ > 0) return;
  ::close(repo_->lock_fd_);
  repo_->lock_fd_ = -1;
}

Result<Repo::Lock> Repo::TakeLock() {
  if (lock_depth_ > 0) {
    ++lock_depth_;
    return Lock(this);
  }
  RONDO_DO(MakeDirs(tmp_dir()));
  const fs::path path = tmp_dir() / "lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!fd.valid()) return std::unexpected(SystemError("open", path, errno));
  // As DVC does: six tries in three seconds.
  for (int attempt = 0; ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0; ++attempt) {
    if (errno != EWOULDBLOCK && errno != EINTR) return std::unexpected(SystemError("lock", path, errno));
    if (attempt == 6)
      return Fail(Code::kConflict, "Unable to acquire lock. Most likely another DVC process is running or was terminated abruptly. Check the page "
                                   "<https://dvc.org/doc/user-guide/troubleshooting#lock-issue> for other possible reasons and to learn how to resolve this.");
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  const std::string pid = fmt::format(" {}\n", ::getpid());
  (void)!::ftruncate(fd.get(), 0);
  (void)!::pwrite(fd.get(), pid.data(), pid.size(), 0);
  lock_fd_ = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
  if (lock_fd_ < 0) return std::unexpected(SystemError("lock", path, errno));
  lock_depth_ = 1;
  return Lock(this);
}

Result<std::string> Repo::Relative(const fs::path& typed) const {
  std::error_code ec;
  fs::path path = typed.is_absolute() ? typed : fs::current_path(ec) / typed;
  path = path.lexically_normal();
  if (path.filename().empty()) path = path.parent_path();
  auto below = [&](const fs::path& p) -> std::optional<std::string> {
    const std::string relative = p.lexically_relative(root_).string();
    if (relative.empty() || relative == ".." || relative.starts_with("../")) return std::nullopt;
    return relative == "." ? std::string() : relative;
  };
  if (auto r = below(path)) return *r;
  // The way to the present folder may lead over links; the name itself isn't resolved.
  const fs::path parent = fs::weakly_canonical(path.parent_path(), ec);
  if (!ec)
    if (auto r = below(parent / path.filename())) return *r;
  return Fail(Code::kInvalid, fmt::format("{} is outside of the repository {}", typed.string(), root_.string()));
}

std::string Repo::Shown(std::string_view relative) const {
  std::error_code ec;
  const fs::path here = fs::current_path(ec);
  const bool folder = relative.ends_with('/');
  const std::string shown = (root_ / relative).lexically_normal().lexically_relative(here).string();
  if (shown.empty()) return std::string(relative);
  return folder && !shown.ends_with('/') ? shown + "/" : shown;
}

}  // namespace rondo::data::dvc
