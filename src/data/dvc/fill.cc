#include "data/dvc/fill.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/thread_pool.h"
#include "data/dvc/fd.h"
#include "data/dvc/presence.h"
#include "data/dvc/walk.h"

namespace rondo::data::dvc {
namespace {

constexpr uint64_t kSmall = uint64_t{4} << 20;         // read as a whole, hashed in lanes
constexpr uint64_t kBatchBytes = uint64_t{32} << 20;   // of one worker
constexpr size_t kBatchFiles = 1024;
constexpr size_t kPiece = size_t{1} << 20;             // of a large file
constexpr uint64_t kFewObjects = 16;                   // up to here each is fsynced; above, the file system is, once

struct Batch {
  size_t first, count;  ///< of `order`
  bool large;
};

/// The cache's 256 folders, opened when first used.
class ObjectFolders {
 public:
  explicit ObjectFolders(const Cache& cache) : cache_(cache) {}
  Result<int> Open(const ObjectId& id) {
    const size_t prefix = id.md5.bytes[0];
    const std::lock_guard lock(mutex_);
    if (!fds_[prefix].valid()) {
      const fs::path folder = cache_.PathOf(id).parent_path();
      RONDO_DO(MakeDirs(folder));
      if (cache_.shared()) ::chmod(folder.c_str(), 02775);
      fds_[prefix] = Fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!fds_[prefix].valid()) return std::unexpected(SystemError("open", folder, errno));
    }
    return fds_[prefix].get();
  }

 private:
  const Cache& cache_;
  std::mutex mutex_;
  std::array<Fd, 256> fds_;
};

Status WriteAll(int fd, std::string_view bytes, const fs::path& shown) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(SystemError("write", shown, errno));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

class Filler {
 public:
  Filler(const fs::path& folder, FileTable& table, const Cache* cache, bool hardlink, const ProgressSink& progress)
      : folder_(folder), table_(table), cache_(cache), hardlink_(hardlink), progress_(progress) {}

  Result<FillResult> Run() {
    top_ = Fd(::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!top_.valid()) return std::unexpected(SystemError("open", folder_, errno));
    if (cache_) {
      presence_.emplace(*cache_, table_.size());
      folders_.emplace(*cache_);
    }
    for (size_t i = 0; i < table_.size(); ++i) {
      const auto& row = table_.rows[i];
      if (row.known && (!cache_ || presence_->Has({row.md5, false}))) continue;
      order_.push_back(static_cast<uint32_t>(i));
      total_bytes_ += row.stat.size;
    }
    if (order_.empty()) return FillResult{};
    // Large ones first, so that no worker is left alone with one at the end; small ones stay in the order of their folders.
    std::stable_partition(order_.begin(), order_.end(), [&](uint32_t i) { return table_.rows[i].stat.size > kSmall; });
    std::vector<Batch> batches;
    uint64_t bytes = 0;
    for (size_t i = 0; i < order_.size(); ++i) {
      const uint64_t size = table_.rows[order_[i]].stat.size;
      const bool large = size > kSmall;
      if (large || batches.empty() || batches.back().large || batches.back().count >= kBatchFiles || bytes + size > kBatchBytes) {
        batches.push_back({i, 0, large});
        bytes = 0;
      }
      ++batches.back().count;
      bytes += size;
    }
    ParallelFor(batches.size(), [&](size_t i) {
      if (failed_.load(std::memory_order_relaxed)) return;
      const Batch& b = batches[i];
      const Status status = b.large ? Large(order_[b.first]) : Small(b.first, b.count);
      if (!status) {
        failed_ = true;
        const std::lock_guard lock(mutex_);
        if (error_) error_ = status;
      }
      Report(false);
    });
    if (!error_) return std::unexpected(error_.error());
    Report(true);
    if (cache_ && new_objects_ > kFewObjects) RONDO_DO(cache_->Sync());
    return FillResult{read_files_, read_bytes_, new_objects_, new_bytes_};
  }

 private:
  Fd OpenRow(const FileTable::Row& row) { return Fd(::openat(top_.get(), table_.names.data() + row.name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)); }
  fs::path Shown(const FileTable::Row& row) const { return folder_ / table_.path(row); }

  /// Did the file keep the stat data it had when the reading began?
  Status Settle(int fd, FileTable::Row& row, bool& same) {
    struct stat st;
    if (::fstat(fd, &st) != 0) return std::unexpected(SystemError("look at", Shown(row), errno));
    const FileStat now = StatOf(st);
    same = now == row.stat;
    row.stat = now;
    row.executable = (st.st_mode & 0111) != 0;
    return {};
  }
  static std::unexpected<Error> KeepsChanging(const fs::path& path) {
    return Fail(Code::kConflict, fmt::format("{} changes while it is read", path.string()), "let its writer finish, then try again");
  }

  Status ReadSmall(FileTable::Row& row, std::string& out) {
    for (int attempt = 0; attempt < 4; ++attempt) {
      const Fd fd = OpenRow(row);
      if (!fd.valid()) return std::unexpected(SystemError("open", Shown(row), errno));
      out.resize(row.stat.size + 1);  // one more: the end shows in the same call
      size_t size = 0;
      while (true) {
        const ssize_t n = ::read(fd.get(), out.data() + size, out.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return std::unexpected(SystemError("read", Shown(row), errno));
        if (n == 0) break;
        size += static_cast<size_t>(n);
        if (size == row.stat.size) {
          // The whole file, unless it grew; fstat tells.
          break;
        }
        if (size == out.size()) out.resize(out.size() * 2);
        if (size > kSmall * 4) return KeepsChanging(Shown(row));
      }
      bool same = false;
      RONDO_DO(Settle(fd.get(), row, same));
      if (same && size == row.stat.size) {
        out.resize(size);
        return {};
      }
    }
    return KeepsChanging(Shown(row));
  }

  Status Small(size_t first, size_t count) {
    std::vector<std::string> texts(count);
    std::vector<std::string_view> views(count);
    std::vector<Md5> md5s(count);
    for (size_t i = 0; i < count; ++i) {
      RONDO_DO(ReadSmall(table_.rows[order_[first + i]], texts[i]));
      views[i] = texts[i];
    }
    Md5Many(views, md5s);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      FileTable::Row& row = table_.rows[order_[first + i]];
      row.md5 = md5s[i];
      row.known = 1;
      bytes += texts[i].size();
      if (cache_) RONDO_DO(Store(row, texts[i]));
    }
    read_files_ += count;
    read_bytes_ += bytes;
    return {};
  }

  Status Store(FileTable::Row& row, const std::string& bytes) {
    const ObjectId id{row.md5, false};
    const bool known = !presence_->Add(id);
    if (known && SameObject(id, bytes)) return hardlink_ ? LinkBack(row, id) : Status();
    RONDO_TRY(const int dir, folders_->Open(id));
    const std::string temporary = TemporaryName();
    if (hardlink_ && !bytes.empty()) {
      bool linked = false;
      RONDO_DO(LinkIn(row, id, dir, linked));
      if (linked) return {};
    }
    const Fd fd(::openat(dir, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
    if (!fd.valid()) return std::unexpected(SystemError("create", cache_->PathOf(id), errno));
    Status status = WriteAll(fd.get(), bytes, cache_->PathOf(id));
    if (status) status = Finish(fd.get(), dir, temporary, id, bytes.size());
    if (!status) ::unlinkat(dir, temporary.c_str(), 0);
    return status;
  }
  Status Finish(int fd, int dir, const std::string& temporary, const ObjectId& id, uint64_t size) {
    ::fchmod(fd, 0444);  // whatever the umask
    const bool few = order_.size() <= kFewObjects;
    if (few && ::fsync(fd) != 0) return std::unexpected(SystemError("write to disk", cache_->PathOf(id), errno));
    const std::string name = id.md5.Hex().substr(2);
    if (::renameat(dir, temporary.c_str(), dir, name.c_str()) != 0) return std::unexpected(SystemError("create", cache_->PathOf(id), errno));
    if (few && ::fsync(dir) != 0) return std::unexpected(SystemError("write to disk", cache_->PathOf(id).parent_path(), errno));
    ++new_objects_;
    new_bytes_ += size;
    return {};
  }
  static std::string TemporaryName() { return "." + RandomHex(11) + ".tmp"; }

  /// An object of this name is there: does it have these bytes? A damaged one is replaced.
  bool SameObject(const ObjectId& id, const std::string& bytes) {
    const auto there = ReadFile(cache_->PathOf(id), kSmall + 1);
    return there && *there == bytes;
  }

  /// The file becomes the object: one more name for it in the cache. Not when it changed since it was read, or has another owner's hard links full.
  Status LinkIn(FileTable::Row& row, const ObjectId& id, int dir, bool& linked) {
    const std::string temporary = TemporaryName();
    if (::linkat(top_.get(), table_.names.data() + row.name, dir, temporary.c_str(), AT_SYMLINK_FOLLOW) != 0) return {};
    struct stat st;
    const bool same = ::fstatat(dir, temporary.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && static_cast<uint64_t>(st.st_size) == row.stat.size &&
                      st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec == row.stat.mtime_ns && st.st_ino == row.stat.inode;
    const Fd fd(same ? ::openat(dir, temporary.c_str(), O_RDONLY | O_CLOEXEC) : -1);
    if (!fd.valid()) {
      ::unlinkat(dir, temporary.c_str(), 0);
      return {};
    }
    const Status status = Finish(fd.get(), dir, temporary, id, row.stat.size);
    // Also after success: rename() leaves both names when they are one file already.
    ::unlinkat(dir, temporary.c_str(), 0);
    linked = true;
    return status;
  }
  /// The workspace's file is replaced by a link to the object that was there already.
  Status LinkBack(FileTable::Row& row, const ObjectId& id) {
    struct stat mine, object;
    const fs::path path = Shown(row), from = cache_->PathOf(id);
    if (row.stat.size == 0 || ::stat(from.c_str(), &object) != 0 || ::stat(path.c_str(), &mine) != 0) return {};
    if (mine.st_ino == object.st_ino && mine.st_dev == object.st_dev) return {};
    const fs::path temporary = path.parent_path() / TemporaryName();
    if (::link(from.c_str(), temporary.c_str()) != 0) return {};  // 65,000 names at most: it stays a copy
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      const int why = errno;
      ::unlink(temporary.c_str());
      return std::unexpected(SystemError("replace", path, why));
    }
    row.stat = StatOf(object);
    return {};
  }

  /// One stream: hash and copy from the same bytes.
  Status Large(uint32_t index) {
    FileTable::Row& row = table_.rows[index];
    for (int attempt = 0; attempt < 3; ++attempt) {
      const Fd in = OpenRow(row);
      if (!in.valid()) return std::unexpected(SystemError("open", Shown(row), errno));
      ::posix_fadvise(in.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
      fs::path temporary;
      Fd out;
      if (cache_ && !hardlink_) {
        RONDO_TRY(temporary, cache_->NewTemporary());
        out = Fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
        if (!out.valid()) return std::unexpected(SystemError("create", temporary, errno));
      }
      Hasher hasher(HashKind::kMd5);
      uint64_t size = 0;
      Status status;
      std::string piece(kPiece, 0);
      while (status) {
        const ssize_t n = ::read(in.get(), piece.data(), piece.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) status = std::unexpected(SystemError("read", Shown(row), errno));
        if (n <= 0) break;
        const std::string_view bytes(piece.data(), static_cast<size_t>(n));
        hasher.Update(bytes);
        if (out.valid()) status = WriteAll(out.get(), bytes, temporary);
        size += bytes.size();
        read_bytes_ += bytes.size();
        Report(false);
      }
      bool same = false;
      if (status) status = Settle(in.get(), row, same);
      if (status && same && size == row.stat.size) {
        row.md5 = *Md5::FromHex(hasher.HexDigest());
        row.known = 1;
        ++read_files_;
        if (cache_) status = StoreLarge(row, out, temporary);
        if (!status && !temporary.empty()) ::unlink(temporary.c_str());
        return status;
      }
      if (!temporary.empty()) ::unlink(temporary.c_str());
      if (!status) return status;
    }
    return KeepsChanging(Shown(row));
  }
  Status StoreLarge(FileTable::Row& row, const Fd& out, const fs::path& temporary) {
    const ObjectId id{row.md5, false};
    RONDO_TRY(const int dir, folders_->Open(id));
    if (hardlink_) {
      // Was there already and is whole: the workspace becomes a link to it. Else the file becomes the object.
      if (!presence_->Add(id) && cache_->Verify(id)) return LinkBack(row, id);
      bool linked = false;
      RONDO_DO(LinkIn(row, id, dir, linked));
      return linked ? Status() : CopyLarge(row, id, dir);
    }
    const bool fresh = presence_->Add(id);
    ::fchmod(out.get(), 0444);
    if (order_.size() <= kFewObjects && ::fsync(out.get()) != 0) return std::unexpected(SystemError("write to disk", temporary, errno));
    if (::renameat(AT_FDCWD, temporary.c_str(), dir, id.md5.Hex().substr(2).c_str()) != 0) return std::unexpected(SystemError("create", cache_->PathOf(id), errno));
    if (order_.size() <= kFewObjects && ::fsync(dir) != 0) return std::unexpected(SystemError("write to disk", cache_->PathOf(id).parent_path(), errno));
    if (fresh) {
      ++new_objects_;
      new_bytes_ += row.stat.size;
    }
    return {};
  }
  /// Where the file can't be linked (another file system): a copy after all.
  Status CopyLarge(FileTable::Row& row, const ObjectId&, int) {
    const bool before = hardlink_.exchange(false);
    const Status status = Large(static_cast<uint32_t>(&row - table_.rows.data()));
    hardlink_ = before;
    return status;
  }

  void Report(bool last) {
    if (!progress_) return;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return;
    const int64_t now = MonotonicNs();
    if (!last && now - reported_ns_ < 100'000'000) return;
    reported_ns_ = now;
    progress_({read_files_, read_bytes_, order_.size(), total_bytes_, cache_ ? "adding" : "hashing"});
  }

  const fs::path folder_;
  FileTable& table_;
  const Cache* cache_;
  std::atomic<bool> hardlink_;
  const ProgressSink& progress_;
  Fd top_;
  std::vector<uint32_t> order_;
  std::optional<Presence> presence_;
  std::optional<ObjectFolders> folders_;
  std::atomic<bool> failed_ = false;
  std::atomic<uint64_t> read_files_ = 0, read_bytes_ = 0, new_objects_ = 0, new_bytes_ = 0;
  uint64_t total_bytes_ = 0;
  std::mutex mutex_;
  Status error_;
  int64_t reported_ns_ = 0;
};

}  // namespace

Result<FillResult> Fill(const fs::path& folder, FileTable& table, const Cache* cache, bool hardlink, const ProgressSink& progress) {
  return Filler(folder, table, cache, hardlink, progress).Run();
}

}  // namespace rondo::data::dvc
