/// What transfers share: writing many objects into a tree in DVC's layout, and reading one with its MD5 checked. Internal to this module.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "data/dvc/cache.h"
#include "data/dvc/fd.h"
#include "data/remotes/remote.h"

namespace rondo::data::remotes {

using dvc::Fd;

/// Objects under temporary names that become visible together: Commit() makes the bytes durable by one syncfs, then renames. Thread-safe. What was not
/// committed is removed with the object.
class Staging {
 public:
  explicit Staging(const Cache& tree);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  struct File {
    Fd fd;
    std::string temporary;  ///< in the folder of the object's first two digits
  };
  Result<File> Create(const ObjectId& id);
  /// The file is whole and its MD5 is the object's name.
  void Keep(const ObjectId& id, File file);
  void Drop(const ObjectId& id, const File& file);
  Status Commit();
  fs::path PathOf(const ObjectId& id, const File& file) const;

 private:
  struct Kept {
    ObjectId id;
    std::string temporary;
  };
  Result<int> Folder(const ObjectId& id);

  const Cache& tree_;
  std::mutex mutex_;
  std::array<std::atomic<int>, 256> dirs_;  ///< open folders, -1: not yet
  std::vector<Kept> kept_;
};

Status WriteAll(int fd, std::string_view bytes, const char* what);

/// Counts what workers did and tells the watcher, ten times a second at most. Thread-safe.
class Meter {
 public:
  Meter(const dvc::ProgressSink& sink, std::string_view what, uint64_t files_total);
  ~Meter() { Tell(true); }
  void AddBytes(uint64_t n) {
    bytes_ += n;
    Tell(false);
  }
  void AddFile() {
    ++files_;
    Tell(false);
  }
  uint64_t bytes() const { return bytes_; }

 private:
  void Tell(bool last);
  const dvc::ProgressSink& sink_;
  std::string_view what_;
  uint64_t files_total_;
  std::atomic<uint64_t> files_{0}, bytes_{0};
  std::atomic<int64_t> next_ns_{0};
  std::mutex mutex_;
};

/// Collects the outcomes of workers; knows when to stop. Thread-safe.
class Outcomes {
 public:
  void Done(const ObjectId& id);
  void Failed(const ObjectId& id, Error error);  ///< kNotFound counts as missing
  bool stopped() const { return stop_; }
  void Stop(Error error);
  Report Take(uint64_t bytes);

 private:
  std::mutex mutex_;
  std::atomic<bool> stop_{false};
  Report report_;
};

/// The object's bytes in the reader's buffer, when it is at most `limit` long and its MD5 fits; kTooLarge when longer (then `fd` is open and `size` set).
struct OpenObject {
  Fd fd;
  uint64_t size = 0;
  std::string bytes;  ///< the whole object when size <= limit
};
Result<OpenObject> OpenVerified(const Cache& cache, const ObjectId& id, uint64_t limit);
Error Damaged(const fs::path& path, const std::string& md5);

/// Reads bytes [from, to) of an object into `sink(offset, piece)`; sets `total` to the object's size when the source says it.
using ReadRange = std::function<Status(const ObjectId& id, uint64_t from, uint64_t to, const std::function<bool(uint64_t, std::string_view)>& sink, std::optional<uint64_t>* total)>;
/// Downloads into the cache: `jobs` at a time, large ones in ranges that survive a killed process (`<cache>/rondo-partial`), every MD5 checked.
Report Download(std::span<const ObjectId> ids, const Cache& to, size_t jobs, const dvc::ProgressSink& progress, const ReadRange& read);

}  // namespace rondo::data::remotes
