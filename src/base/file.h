/// Files: whole reads, atomic writes, folders. Every write is old or new, never half: temporary file beside the
/// target, fsync, rename, fsync of the folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rondo {

namespace fs = std::filesystem;

Result<std::string> ReadFile(const fs::path& path, size_t max_bytes = size_t{4} << 30);
/// Creates missing parent folders. On error the target is unchanged.
Status WriteFileAtomic(const fs::path& path, std::string_view bytes, mode_t mode = 0644);
/// Publishes a finished temporary file (fsync, rename over `target`, fsync of the folder).
Status PublishFile(const fs::path& temporary, const fs::path& target);
/// A fresh name beside `target`, for a writer that needs a path: finish with PublishFile.
fs::path TemporaryBeside(const fs::path& target);
Status MakeDirs(const fs::path& path);
Status RemoveAll(const fs::path& path);

/// Appends durable records to a file (journals, logs). Not thread-safe.
class AppendFile {
 public:
  static Result<AppendFile> Open(const fs::path& path);
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;
  ~AppendFile();
  Status Append(std::string_view bytes);  ///< all bytes or an error; a failed append is cut off again
  Status Sync();                          ///< fdatasync
  uint64_t size() const { return size_; }

 private:
  AppendFile(int fd, uint64_t size, fs::path path);
  int fd_ = -1;
  uint64_t size_ = 0;
  fs::path path_;
};

/// An advisory lock on a file, held until destroyed or the process dies.
class FileLock {
 public:
  /// kConflict when somebody else holds it; the message names the holder's pid when the file says it.
  static Result<FileLock> TryLock(const fs::path& path);
  FileLock(FileLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

/// A folder that is removed when the object goes (tests, staging).
class TempDir {
 public:
  explicit TempDir(std::string_view prefix = "rondo");
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Error for a failed system call: "cannot write out/x.json: No space left on device".
Error SystemError(std::string_view doing, const fs::path& path, int error_number);

}  // namespace rondo
