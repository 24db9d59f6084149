// Downloads into the cache: small objects in one answer, large ones in ranges that survive a killed process; every MD5 is checked while the bytes arrive.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/thread_pool.h"
#include "data/remotes/staging.h"

namespace rondo::data::remotes {
namespace {

constexpr uint64_t kFirst = 32u << 20;  ///< the first request asks for so much; a longer object goes on in ranges
constexpr uint64_t kRange = 16u << 20;
constexpr size_t kRangesAtOnce = 4;
constexpr size_t kBatch = 20'000;       ///< objects made visible together

fs::path PartialFolder(const Cache& cache) { return cache.dir() / "rondo-partial"; }

Status WriteAt(int fd, uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(SystemError("write", "an object", errno));
    bytes.remove_prefix(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

/// A large object on its way: the file, and beside it one byte per range that has arrived.
class Partial {
 public:
  static Result<std::unique_ptr<Partial>> Open(const Cache& cache, const ObjectId& id, uint64_t total) {
    RONDO_DO(MakeDirs(PartialFolder(cache)));
    auto p = std::make_unique<Partial>();
    p->path_ = PartialFolder(cache) / id.Text();
    p->marks_path_ = p->path_.string() + ".ranges";
    p->file_ = Fd(::open(p->path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    p->marks_ = Fd(::open(p->marks_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!p->file_.valid() || !p->marks_.valid()) return std::unexpected(SystemError("create", p->path_, errno));
    if (::flock(p->marks_.get(), LOCK_EX | LOCK_NB) != 0) return Fail(Code::kConflict, "another process is fetching " + id.Text(), "wait for it, or run the command again");
    struct stat st {};
    if (::fstat(p->file_.get(), &st) != 0) return std::unexpected(SystemError("look at", p->path_, errno));
    p->total_ = total;
    p->done_.assign(static_cast<size_t>((total + kRange - 1) / kRange), 0);
    if (static_cast<uint64_t>(st.st_size) == total) {
      std::vector<char> marks(p->done_.size());
      const ssize_t n = ::pread(p->marks_.get(), marks.data(), marks.size(), 0);
      for (ssize_t i = 0; i < n; ++i) p->done_[static_cast<size_t>(i)] = marks[static_cast<size_t>(i)] == 1;
    } else if (::ftruncate(p->marks_.get(), 0) != 0 || ::ftruncate(p->file_.get(), static_cast<off_t>(total)) != 0) {
      return std::unexpected(SystemError("make room for", p->path_, errno));
    }
    return p;
  }
  int fd() const { return file_.get(); }
  const fs::path& path() const { return path_; }
  size_t ranges() const { return done_.size(); }
  uint64_t BeginOf(size_t i) const { return i * kRange; }
  uint64_t EndOf(size_t i) const { return std::min(total_, (i + 1) * kRange); }
  bool IsDone(size_t i) {
    const std::lock_guard lock(mutex_);
    return done_[i];
  }
  void MarkDone(size_t i) {
    const char one = 1;
    (void)!::pwrite(marks_.get(), &one, 1, static_cast<off_t>(i));
    const std::lock_guard lock(mutex_);
    done_[i] = 1;
    arrived_.notify_all();
  }
  void GiveUp() {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
    arrived_.notify_all();
  }
  /// The MD5 of the file, read behind the ranges as they arrive in order; "" when it was given up.
  std::string HashInOrder() {
    Hasher hasher(HashKind::kMd5);
    std::string buffer(256u << 10, '\0');
    for (size_t i = 0; i < ranges(); ++i) {
      {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [&] { return done_[i] || given_up_; });
        if (!done_[i]) return {};
      }
      for (uint64_t at = BeginOf(i); at < EndOf(i);) {
        const ssize_t n = ::pread(file_.get(), buffer.data(), std::min<uint64_t>(buffer.size(), EndOf(i) - at), static_cast<off_t>(at));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return {};
        hasher.Update({buffer.data(), static_cast<size_t>(n)});
        at += static_cast<uint64_t>(n);
      }
    }
    return hasher.HexDigest();
  }
  void Remove() {
    ::unlink(path_.c_str());
    ::unlink(marks_path_.c_str());
  }
  void RemoveMarks() { ::unlink(marks_path_.c_str()); }

 private:
  fs::path path_, marks_path_;
  Fd file_, marks_;
  uint64_t total_ = 0;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<char> done_;
  bool given_up_ = false;
};

class Downloader {
 public:
  Downloader(const Cache& to, Meter& meter, const ReadRange& read) : to_(to), meter_(meter), read_(read) {}

  /// Sets `large` when the object goes on after the first request: call Large() then.
  Status Small(const ObjectId& id, Staging& staging, std::optional<uint64_t>& large) {
    // A fault on the way that no checksum saw: bytes are asked for once more before the object counts as damaged.
    for (int attempt = 0;; ++attempt) {
      const Status status = SmallOnce(id, staging, large);
      if (status || status.error().code != Code::kFailedCheck || attempt > 0) return status;
    }
  }

  Status Large(const ObjectId& id, uint64_t total) {
    for (int attempt = 0;; ++attempt) {
      const Status status = LargeOnce(id, total);
      if (status || status.error().code != Code::kFailedCheck || attempt > 0) return status;
    }
  }

 private:
  Status SmallOnce(const ObjectId& id, Staging& staging, std::optional<uint64_t>& large) {
    RONDO_TRY(Staging::File file, staging.Create(id));
    Hasher hasher(HashKind::kMd5);
    uint64_t got = 0;
    Status written;
    std::optional<uint64_t> total;
    Status status = read_(
        id, 0, kFirst,
        [&](uint64_t, std::string_view piece) {
          hasher.Update(piece);
          written = WriteAll(file.fd.get(), piece, "an object");
          got += piece.size();
          meter_.AddBytes(piece.size());
          return written.has_value();
        },
        &total);
    if (!written) status = written;
    if (status && total && *total > kFirst && got == kFirst) {
      status = Begin(id, file, *total);
      large = *total;
    } else if (status) {
      if (const std::string md5 = hasher.HexDigest(); md5 != id.md5.Hex())
        status = Fail(Code::kFailedCheck, fmt::format("the remote's object {} is damaged: its content has the MD5 {}", id.Text(), md5), "push it again from a clone that has it, after removing it from the remote");
    }
    if (!status || large) {
      staging.Drop(id, file);
      return status;
    }
    staging.Keep(id, std::move(file));
    return {};
  }

  /// The first bytes of a large object are not asked for twice.
  Status Begin(const ObjectId& id, const Staging::File& file, uint64_t total) {
    RONDO_TRY(const auto partial, Partial::Open(to_, id, total));
    std::string buffer(kRange, '\0');
    for (size_t i = 0; i < kFirst / kRange; ++i) {
      if (partial->IsDone(i)) continue;
      if (::pread(file.fd.get(), buffer.data(), buffer.size(), static_cast<off_t>(partial->BeginOf(i))) != static_cast<ssize_t>(buffer.size())) return {};  // asked for again
      RONDO_DO(WriteAt(partial->fd(), partial->BeginOf(i), buffer));
      partial->MarkDone(i);
    }
    return {};
  }

  Status LargeOnce(const ObjectId& id, uint64_t total) {
    RONDO_TRY(const auto partial, Partial::Open(to_, id, total));
    std::string md5;
    std::thread hashing([&] { md5 = partial->HashInOrder(); });
    std::mutex mutex;
    Status status;
    ParallelFor(
        partial->ranges(),
        [&](size_t i) {
          {
            const std::lock_guard lock(mutex);
            if (!status) return;
          }
          if (partial->IsDone(i)) return;
          Status written;
          uint64_t got = 0;
          Status read = read_(
              id, partial->BeginOf(i), partial->EndOf(i),
              [&](uint64_t offset, std::string_view piece) {
                written = WriteAt(partial->fd(), offset, piece);
                got += piece.size();
                meter_.AddBytes(piece.size());
                return written.has_value();
              },
              nullptr);
          if (!written) read = written;
          if (read && got != partial->EndOf(i) - partial->BeginOf(i)) read = Fail(Code::kUnavailable, "a range of " + id.Text() + " came short");
          if (read) {
            partial->MarkDone(i);
            return;
          }
          const std::lock_guard lock(mutex);
          if (status) status = read;
        },
        kRangesAtOnce);
    if (!status) partial->GiveUp();
    hashing.join();
    if (!status) return status;  // what arrived stays for the next time
    if (md5 != id.md5.Hex()) {
      partial->Remove();
      return Fail(Code::kFailedCheck, fmt::format("the remote's object {} is damaged: its content has the MD5 {}", id.Text(), md5), "push it again from a clone that has it, after removing it from the remote");
    }
    if (::fsync(partial->fd()) != 0) return std::unexpected(SystemError("write to disk", partial->path(), errno));
    RONDO_DO(to_.Publish(partial->path(), id));
    partial->RemoveMarks();
    return {};
  }

  const Cache& to_;
  Meter& meter_;
  const ReadRange& read_;
};

/// What an interrupted fetch left and nobody took up for a week.
void DropOldPartials(const Cache& cache) {
  std::error_code ec;
  const auto limit = fs::file_time_type::clock::now() - std::chrono::hours(24 * 7);
  for (fs::directory_iterator it(PartialFolder(cache), ec), end; !ec && it != end; it.increment(ec)) {
    std::error_code ignored;
    if (it->last_write_time(ignored) < limit) fs::remove(it->path(), ignored);
  }
  fs::remove(PartialFolder(cache), ec);  // only when empty
}

}  // namespace

Report Download(std::span<const ObjectId> ids, const Cache& to, size_t jobs, const dvc::ProgressSink& progress, const ReadRange& read) {
  Outcomes outcomes;
  Meter meter(progress, "fetching", ids.size());
  Downloader downloader(to, meter, read);
  std::vector<std::pair<ObjectId, uint64_t>> large;
  std::mutex mutex;
  for (size_t from = 0; from < ids.size() && !outcomes.stopped(); from += kBatch) {
    Staging staging(to);
    const auto batch = ids.subspan(from, std::min(kBatch, ids.size() - from));
    std::vector<char> arrived(batch.size());
    ParallelFor(
        batch.size(),
        [&](size_t i) {
          if (outcomes.stopped()) return;
          std::optional<uint64_t> total;
          const Status status = downloader.Small(batch[i], staging, total);
          if (!status) {
            outcomes.Failed(batch[i], status.error());
          } else if (total) {
            const std::lock_guard lock(mutex);
            large.emplace_back(batch[i], *total);
          } else {
            arrived[i] = 1;
            meter.AddFile();
          }
        },
        jobs);
    if (const Status status = staging.Commit(); !status) {
      outcomes.Stop(status.error());
      break;
    }
    for (size_t i = 0; i < batch.size(); ++i)
      if (arrived[i]) outcomes.Done(batch[i]);
  }
  for (const auto& [id, total] : large) {
    if (outcomes.stopped()) break;
    const Status status = downloader.Large(id, total);
    if (!status) {
      outcomes.Failed(id, status.error());
    } else {
      outcomes.Done(id);
      meter.AddFile();
    }
  }
  DropOldPartials(to);
  return outcomes.Take(meter.bytes());
}

}  // namespace rondo::data::remotes
