// Objects written under temporary names, made durable together, then renamed.
#include "data/remotes/staging.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "base/id.h"
#include "base/thread_pool.h"

namespace rondo::data::remotes {

Staging::Staging(const Cache& tree) : tree_(tree) {
  for (auto& dir : dirs_) dir = -1;
}

Staging::~Staging() {
  for (const Kept& kept : kept_) ::unlinkat(dirs_[kept.id.md5.bytes[0]], kept.temporary.c_str(), 0);
  for (const auto& dir : dirs_)
    if (dir >= 0) ::close(dir);
}

Result<int> Staging::Folder(const ObjectId& id) {
  std::atomic<int>& slot = dirs_[id.md5.bytes[0]];
  if (const int fd = slot; fd >= 0) return fd;
  const std::lock_guard lock(mutex_);
  if (const int fd = slot; fd >= 0) return fd;
  const fs::path folder = tree_.PathOf(id).parent_path();
  int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    RONDO_DO(MakeDirs(folder));
    if (tree_.shared()) ::chmod(folder.c_str(), 02775);
    fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  if (fd < 0) return std::unexpected(SystemError("open", folder, errno));
  slot = fd;
  return fd;
}

Result<Staging::File> Staging::Create(const ObjectId& id) {
  RONDO_TRY(const int folder, Folder(id));
  File file;
  file.temporary = "." + RandomHex(11) + ".tmp";  // DVC's own pattern, so that it knows a left-over for what it is
  file.fd = Fd(::openat(folder, file.temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  if (!file.fd.valid()) return std::unexpected(SystemError("create", PathOf(id, file), errno));
  return file;
}

fs::path Staging::PathOf(const ObjectId& id, const File& file) const { return tree_.PathOf(id).parent_path() / file.temporary; }

void Staging::Keep(const ObjectId& id, File file) {
  (void)::fchmod(file.fd.get(), 0444);
  const std::lock_guard lock(mutex_);
  kept_.push_back({id, std::move(file.temporary)});
}

void Staging::Drop(const ObjectId& id, const File& file) { ::unlinkat(dirs_[id.md5.bytes[0]], file.temporary.c_str(), 0); }

Status Staging::Commit() {
  const std::lock_guard lock(mutex_);
  if (kept_.empty()) return {};
  RONDO_DO(tree_.Sync());
  std::atomic<int> error{0};
  std::vector<char> renamed(kept_.size());
  ParallelFor(
      kept_.size(),
      [&](size_t i) {
        const Kept& kept = kept_[i];
        const int folder = dirs_[kept.id.md5.bytes[0]];
        if (::renameat(folder, kept.temporary.c_str(), folder, kept.id.Text().substr(2).c_str()) == 0) renamed[i] = 1;
        else error = errno;
      },
      kept_.size() < 500 ? 1 : 0);
  size_t left = 0;
  for (size_t i = 0; i < kept_.size(); ++i)
    if (!renamed[i]) kept_[left++] = kept_[i];
  kept_.resize(left);
  if (error) return std::unexpected(SystemError("create objects in", tree_.objects(), error));
  return {};
}

Status WriteAll(int fd, std::string_view bytes, const char* what) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(SystemError("write", what, errno));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Meter::Meter(const dvc::ProgressSink& sink, std::string_view what, uint64_t files_total) : sink_(sink), what_(what), files_total_(files_total) {}

void Meter::Tell(bool last) {
  if (!sink_) return;
  const int64_t now = MonotonicNs();
  if (!last && now < next_ns_.load(std::memory_order_relaxed)) return;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  next_ns_ = now + 100'000'000;
  dvc::Progress progress;
  progress.files = files_;
  progress.bytes = bytes_;
  progress.files_total = files_total_;
  progress.what = what_;
  sink_(progress);
}

void Outcomes::Done(const ObjectId& id) {
  const std::lock_guard lock(mutex_);
  report_.done.push_back(id);
}

void Outcomes::Failed(const ObjectId& id, Error error) {
  constexpr size_t kEnough = 20;  // nothing works: the rest won't either
  const std::lock_guard lock(mutex_);
  if (error.code == Code::kNotFound) {
    report_.missing.push_back(id);
    return;
  }
  const bool hopeless = error.code == Code::kUnauthorized || error.code == Code::kEnvironment || error.code == Code::kInvalid || error.code == Code::kUnsupported ||
                        (report_.done.empty() && report_.failed.size() + 1 >= kEnough && error.code != Code::kFailedCheck);
  if (hopeless && !stop_) {
    stop_ = true;
    report_.stopped = error;
  }
  report_.failed.emplace_back(id, std::move(error));
}

void Outcomes::Stop(Error error) {
  const std::lock_guard lock(mutex_);
  stop_ = true;
  report_.stopped = std::move(error);
  // What was staged did not become visible.
  for (const ObjectId& id : report_.done) report_.failed.emplace_back(id, *report_.stopped);
  report_.done.clear();
}

Report Outcomes::Take(uint64_t bytes) {
  report_.bytes = bytes;
  return std::move(report_);
}

Error Damaged(const fs::path& path, const std::string& md5) {
  return {Code::kFailedCheck, fmt::format("the object {} is damaged: its content has the MD5 {}", path.string(), md5), "`rondo data verify` finds damaged objects and repairs them from the remote"};
}

Result<OpenObject> OpenVerified(const Cache& cache, const ObjectId& id, uint64_t limit) {
  const fs::path path = cache.PathOf(id);
  OpenObject out;
  out.fd = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!out.fd.valid()) {
    if (errno == ENOENT) return Fail(Code::kNotFound, fmt::format("{} has no object {}", cache.dir().string(), id.Text()));
    return std::unexpected(SystemError("open", path, errno));
  }
  struct stat st {};
  if (::fstat(out.fd.get(), &st) != 0) return std::unexpected(SystemError("look at", path, errno));
  if (!S_ISREG(st.st_mode)) return Fail(Code::kFailedCheck, path.string() + " is no regular file");
  out.size = static_cast<uint64_t>(st.st_size);
  if (out.size > limit) return out;
  out.bytes.resize(out.size);
  for (size_t done = 0; done < out.size;) {
    const ssize_t n = ::read(out.fd.get(), out.bytes.data() + done, out.size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(SystemError("read", path, errno));
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  if (const Md5 md5 = Md5Of(out.bytes); md5 != id.md5) return std::unexpected(Damaged(path, md5.Hex()));
  return out;
}

}  // namespace rondo::data::remotes
