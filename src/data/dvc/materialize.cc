#include "data/dvc/materialize.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/thread_pool.h"

namespace rondo::data::dvc {
namespace {

constexpr uint64_t kSmall = uint64_t{4} << 20;
constexpr size_t kBatchFiles = 512;
constexpr uint64_t kBatchBytes = uint64_t{32} << 20;

std::string_view ParentOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

class Maker {
 public:
  Maker(const Cache& cache, const fs::path& root, std::string_view folder, FileTable& table, const std::vector<size_t>& rows, LinkKind kind, bool fresh, const ProgressSink& progress)
      : cache_(cache), root_(root), folder_(folder), table_(table), rows_(rows), kind_(kind), fresh_(fresh), progress_(progress) {}

  Result<MadeFiles> Run() {
    objects_ = Fd(::open(cache_.objects().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!objects_.valid() && errno != ENOENT) return std::unexpected(SystemError("open", cache_.objects(), errno));
    const size_t batches = (rows_.size() + kBatchFiles - 1) / kBatchFiles;
    ParallelFor(batches, [&](size_t b) {
      if (failed_.load(std::memory_order_relaxed)) return;
      const Status status = Batch(b * kBatchFiles, std::min(rows_.size(), (b + 1) * kBatchFiles));
      const std::lock_guard lock(mutex_);
      if (!status) {
        failed_ = true;
        if (error_) error_ = status;
      }
      if (progress_) progress_({made_.files, made_.bytes, rows_.size(), 0, "checking out"});
    }, rows_.size() < 64 ? 1 : 0);
    if (!error_) return std::unexpected(error_.error());
    return std::move(made_);
  }

 private:
  struct Ready {
    size_t row;
    std::string bytes;
    bool linked = false;
  };

  Status Batch(size_t first, size_t last) {
    RONDO_TRY(Beneath beneath, Beneath::Open(root_));
    std::vector<size_t> large;
    std::vector<Ready> ready;
    uint64_t bytes = 0;
    auto flush = [&]() -> Status {
      std::vector<std::string_view> views;
      for (const Ready& r : ready) views.push_back(r.bytes);
      std::vector<Md5> md5s(views.size());
      Md5Many(views, md5s);
      for (size_t i = 0; i < ready.size(); ++i) {
        if (md5s[i] != table_.rows[ready[i].row].md5) {
          const std::lock_guard lock(mutex_);
          made_.damaged.emplace_back(ready[i].row, md5s[i].Hex());
          continue;
        }
        RONDO_DO(Make(beneath, ready[i].row, &ready[i].bytes));
      }
      ready.clear();
      bytes = 0;
      return {};
    };
    for (size_t i = first; i < last; ++i) {
      FileTable::Row& row = table_.rows[rows_[i]];
      const std::string object = Cache::RelativePath({row.md5, false});
      const Fd fd(objects_.valid() ? ::openat(objects_.get(), object.c_str(), O_RDONLY | O_CLOEXEC) : -1);
      struct stat st;
      if (!fd.valid() || ::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd.valid() || errno == ENOENT || !objects_.valid()) {
          const std::lock_guard lock(mutex_);
          made_.missing.push_back(rows_[i]);
          continue;
        }
        return std::unexpected(SystemError("open", cache_.objects() / object, errno));
      }
      const auto size = static_cast<uint64_t>(st.st_size);
      if (size > kSmall) {
        large.push_back(rows_[i]);
        continue;
      }
      Ready r{rows_[i], std::string(size + 1, 0)};
      size_t done = 0;
      while (done < r.bytes.size()) {
        const ssize_t n = ::read(fd.get(), r.bytes.data() + done, r.bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return std::unexpected(SystemError("read", cache_.objects() / object, errno));
        if (n == 0) break;
        done += static_cast<size_t>(n);
        if (done == size) break;
      }
      r.bytes.resize(done);
      bytes += done;
      ready.push_back(std::move(r));
      if (bytes > kBatchBytes) RONDO_DO(flush());
    }
    RONDO_DO(flush());
    for (const size_t row : large) RONDO_DO(MakeLarge(beneath, row));
    return {};
  }

  std::string ParentPath(const FileTable::Row& row) const {
    const std::string_view parent = ParentOf(table_.path(row));
    std::string path(folder_);
    if (!parent.empty()) path += (path.empty() ? "" : "/") + std::string(parent);
    return path;
  }
  fs::path Shown(const FileTable::Row& row) const { return root_ / folder_ / table_.path(row); }
  static std::string TemporaryName() { return "." + RandomHex(11) + ".tmp"; }

  /// `bytes`: the object's, verified.
  Status Make(Beneath& beneath, size_t index, const std::string* bytes) {
    FileTable::Row& row = table_.rows[index];
    RONDO_TRY(const int dir, beneath.Folder(ParentPath(row), true));
    const std::string_view path = table_.path(row);
    const std::string name(path.substr(ParentOf(path).empty() ? 0 : ParentOf(path).size() + 1));
    if (bytes->empty() || kind_ == LinkKind::kCopy || kind_ == LinkKind::kReflink || !Link(dir, row, name)) RONDO_DO(Write(dir, row, name, *bytes));
    return Done(dir, row, name);
  }

  bool Link(int dir, const FileTable::Row& row, const std::string& name) {
    const std::string object = Cache::RelativePath({row.md5, false});
    const std::string target = fresh_ ? name : TemporaryName();
    const int failed = kind_ == LinkKind::kHardlink ? ::linkat(objects_.get(), object.c_str(), dir, target.c_str(), 0)
                                                    : ::symlinkat(fs::absolute(cache_.objects() / object).c_str(), dir, target.c_str());
    if (failed) return false;  // 65,000 names of one file: it becomes a copy
    if (!fresh_ && ::renameat(dir, target.c_str(), dir, name.c_str()) != 0) {
      ::unlinkat(dir, target.c_str(), 0);
      return false;
    }
    // rename() does nothing when both names are the same file already: the temporary one stays.
    if (!fresh_) ::unlinkat(dir, target.c_str(), 0);
    return true;
  }

  /// The owner's x bit only, as DVC sets it.
  static void MakeExecutable(int fd) {
    struct stat st;
    if (::fstat(fd, &st) == 0) ::fchmod(fd, (st.st_mode & 07777) | S_IXUSR);
  }

  Status Write(int dir, const FileTable::Row& row, const std::string& name, std::string_view bytes) {
    const std::string target = fresh_ ? name : TemporaryName();
    Fd fd(::openat(dir, target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (!fd.valid()) return std::unexpected(SystemError("create", Shown(row), errno));
    if (row.executable) MakeExecutable(fd.get());
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        const int why = errno;
        ::unlinkat(dir, target.c_str(), 0);
        return std::unexpected(SystemError("write", Shown(row), why));
      }
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    if (!fresh_ && ::renameat(dir, target.c_str(), dir, name.c_str()) != 0) {
      const int why = errno;
      ::unlinkat(dir, target.c_str(), 0);
      return std::unexpected(SystemError("replace", Shown(row), why));
    }
    return {};
  }

  Status MakeLarge(Beneath& beneath, size_t index) {
    FileTable::Row& row = table_.rows[index];
    RONDO_TRY(const int dir, beneath.Folder(ParentPath(row), true));
    const std::string_view path = table_.path(row);
    const std::string name(path.substr(ParentOf(path).empty() ? 0 : ParentOf(path).size() + 1)), object = Cache::RelativePath({row.md5, false});
    const Fd in(::openat(objects_.get(), object.c_str(), O_RDONLY | O_CLOEXEC));
    if (!in.valid()) return std::unexpected(SystemError("open", cache_.objects() / object, errno));
    const bool link = kind_ == LinkKind::kHardlink || kind_ == LinkKind::kSymlink;
    const std::string target = TemporaryName();
    Fd out(link ? -1 : ::openat(dir, target.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (!link && !out.valid()) return std::unexpected(SystemError("create", Shown(row), errno));
    if (!link && row.executable) MakeExecutable(out.get());
    auto give_up = [&](Status status) {
      if (out.valid()) ::unlinkat(dir, target.c_str(), 0);
      return status;
    };
    const bool cloned = kind_ == LinkKind::kReflink && ::ioctl(out.get(), FICLONE, in.get()) == 0;
    Hasher hasher(HashKind::kMd5);
    std::string piece(1 << 20, 0);
    while (true) {
      const ssize_t n = ::read(cloned ? out.get() : in.get(), piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return give_up(std::unexpected(SystemError("read", cache_.objects() / object, errno)));
      if (n == 0) break;
      std::string_view bytes(piece.data(), static_cast<size_t>(n));
      hasher.Update(bytes);
      while (!link && !cloned && !bytes.empty()) {
        const ssize_t w = ::write(out.get(), bytes.data(), bytes.size());
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) return give_up(std::unexpected(SystemError("write", Shown(row), errno)));
        bytes.remove_prefix(static_cast<size_t>(w));
      }
    }
    const std::string hex = hasher.HexDigest();
    if (hex != row.md5.Hex()) {
      give_up({});
      const std::lock_guard lock(mutex_);
      made_.damaged.emplace_back(index, hex);
      return {};
    }
    if (link) {
      if (!Link(dir, row, name)) {
        // Not linkable: a copy, verified on its way like any other.
        const LinkKind before = std::exchange(kind_, LinkKind::kCopy);
        const Status status = MakeLarge(beneath, index);
        kind_ = before;
        return status;
      }
    } else if (::renameat(dir, target.c_str(), dir, name.c_str()) != 0) {
      return give_up(std::unexpected(SystemError("replace", Shown(row), errno)));
    }
    return Done(dir, row, name);
  }

  Status Done(int dir, FileTable::Row& row, const std::string& name) {
    struct stat st;
    if (::fstatat(dir, name.c_str(), &st, 0) != 0) return std::unexpected(SystemError("look at", Shown(row), errno));
    row.stat = StatOf(st);
    row.known = 1;
    const std::lock_guard lock(mutex_);
    ++made_.files;
    made_.bytes += row.stat.size;
    return {};
  }

  const Cache& cache_;
  const fs::path root_;
  const std::string_view folder_;
  FileTable& table_;
  const std::vector<size_t>& rows_;
  LinkKind kind_;
  const bool fresh_;
  const ProgressSink& progress_;
  Fd objects_;
  std::mutex mutex_;
  std::atomic<bool> failed_ = false;
  Status error_;
  MadeFiles made_;
};

}  // namespace

Result<Beneath> Beneath::Open(const fs::path& root) {
  Beneath b;
  b.root_ = root;
  b.top_ = Fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!b.top_.valid()) return std::unexpected(SystemError("open", root, errno));
  return b;
}

Result<int> Beneath::Folder(std::string_view path, bool create) {
  if (path.empty()) return top_.get();
  if (has_last_ && path == last_path_) return last_.get();
  // From the folder of the last call when it is above, as it is for neighbours in a sorted list.
  int from = top_.get();
  std::string_view rest = path;
  Fd here;
  if (has_last_ && path.starts_with(last_path_) && path.size() > last_path_.size() && path[last_path_.size()] == '/') {
    here = std::move(last_);
    from = here.get();
    rest = path.substr(last_path_.size() + 1);
  }
  has_last_ = false;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('/'), rest.size());
    const std::string part(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.empty() || part == "." || part == "..") return Fail(Code::kForbidden, fmt::format("the path \"{}\" leads out of {}", path, root_.string()));
    int fd = ::openat(from, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && create) {
      if (::mkdirat(from, part.c_str(), 0777) != 0 && errno != EEXIST) return std::unexpected(SystemError("create", root_ / path, errno));
      fd = ::openat(from, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd < 0) {
      if (errno == ENOENT) return Fail(Code::kNotFound, fmt::format("{} is not there", (root_ / path).string()));
      if (errno == ELOOP || errno == ENOTDIR) return Fail(Code::kForbidden, fmt::format("{} in the path of {} is a link or a file: nothing is written through it", part, (root_ / path).string()), "remove it, then check out again");
      return std::unexpected(SystemError("open", root_ / path, errno));
    }
    here = Fd(fd);
    from = fd;
  }
  last_ = std::move(here);
  last_path_ = path;
  has_last_ = true;
  return last_.get();
}

Result<MadeFiles> Materialize(const Cache& cache, const fs::path& root, std::string_view folder, FileTable& table, const std::vector<size_t>& rows, LinkKind kind, bool fresh,
                              const ProgressSink& progress) {
  return Maker(cache, root, folder, table, rows, kind, fresh, progress).Run();
}

}  // namespace rondo::data::dvc
