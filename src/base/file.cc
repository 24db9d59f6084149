#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/id.h"

namespace rondo {
namespace {

Status WriteAll(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(SystemError("write", path, errno));
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Status SyncFolder(const fs::path& folder) {
  const fs::path dir = folder.empty() ? fs::path(".") : folder;
  const int fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return std::unexpected(SystemError("open", dir, errno));
  const int rc = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  if (rc != 0 && error != EINVAL) return std::unexpected(SystemError("sync", dir, error));
  return {};
}

}  // namespace

Error SystemError(std::string_view doing, const fs::path& path, int error_number) {
  Error error{Code::kEnvironment, "cannot " + std::string(doing) + " " + path.string() + ": " + std::strerror(error_number), {}};
  if (error_number == ENOSPC) error.hint = "the disk is full: free some space and run the command again; nothing was lost";
  if (error_number == ENOENT) error.code = Code::kNotFound;
  if (error_number == EACCES) error.hint = "check the permissions of the file and its folder";
  return error;
}

Result<std::string> ReadFile(const fs::path& path, size_t max_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::unexpected(SystemError("open", path, errno));
  struct stat st {};
  std::string out;
  if (::fstat(fd, &st) == 0) {
    if (S_ISDIR(st.st_mode)) {
      ::close(fd);
      return Fail(Code::kInvalid, path.string() + " is a folder, not a file");
    }
    if (static_cast<size_t>(st.st_size) > max_bytes) {
      ::close(fd);
      return Fail(Code::kTooLarge, path.string() + " has " + std::to_string(st.st_size) + " bytes, the limit is " + std::to_string(max_bytes));
    }
    out.reserve(static_cast<size_t>(st.st_size) + 1);
  }
  char buffer[1 << 16];
  while (true) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      ::close(fd);
      return std::unexpected(SystemError("read", path, error));
    }
    if (n == 0) break;
    out.append(buffer, static_cast<size_t>(n));
    if (out.size() > max_bytes) {
      ::close(fd);
      return Fail(Code::kTooLarge, path.string() + " is over the limit of " + std::to_string(max_bytes) + " bytes");
    }
  }
  ::close(fd);
  return out;
}

fs::path TemporaryBeside(const fs::path& target) {
  return target.parent_path() / ("." + target.filename().string() + "." + RandomHex(4) + ".tmp");
}

Status WriteFileAtomic(const fs::path& path, std::string_view bytes, mode_t mode) {
  if (path.has_parent_path()) RONDO_DO(MakeDirs(path.parent_path()));
  const fs::path temporary = TemporaryBeside(path);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return std::unexpected(SystemError("create", temporary, errno));
  Status status = WriteAll(fd, bytes, path);
  ::close(fd);
  if (status) status = PublishFile(temporary, path);
  if (!status) ::unlink(temporary.c_str());
  return status;
}

Status PublishFile(const fs::path& temporary, const fs::path& target) {
  const int fd = ::open(temporary.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::unexpected(SystemError("open", temporary, errno));
  const int rc = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  if (rc != 0) return std::unexpected(SystemError("sync", temporary, error));
  if (::rename(temporary.c_str(), target.c_str()) != 0) return std::unexpected(SystemError("replace", target, errno));
  return SyncFolder(target.parent_path());
}

Status MakeDirs(const fs::path& path) {
  std::error_code ec;
  fs::create_directories(path, ec);
  if (ec) return std::unexpected(SystemError("create folder", path, ec.value()));
  return {};
}

Status RemoveAll(const fs::path& path) {
  std::error_code ec;
  fs::remove_all(path, ec);
  if (ec) return std::unexpected(SystemError("remove", path, ec.value()));
  return {};
}

AppendFile::AppendFile(int fd, uint64_t size, fs::path path) : fd_(fd), size_(size), path_(std::move(path)) {}
AppendFile::AppendFile(AppendFile&& other) noexcept : fd_(other.fd_), size_(other.size_), path_(std::move(other.path_)) { other.fd_ = -1; }
AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.fd_;
    size_ = other.size_;
    path_ = std::move(other.path_);
    other.fd_ = -1;
  }
  return *this;
}
AppendFile::~AppendFile() {
  if (fd_ >= 0) ::close(fd_);
}
Result<AppendFile> AppendFile::Open(const fs::path& path) {
  if (path.has_parent_path()) RONDO_DO(MakeDirs(path.parent_path()));
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return std::unexpected(SystemError("open", path, errno));
  struct stat st {};
  ::fstat(fd, &st);
  return AppendFile(fd, static_cast<uint64_t>(st.st_size), path);
}
Status AppendFile::Append(std::string_view bytes) {
  Status status = WriteAll(fd_, bytes, path_);
  if (!status) {
    // Cut a half record off again, so that the file stays readable.
    if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) return status;
    return status;
  }
  size_ += bytes.size();
  return {};
}
Status AppendFile::Sync() {
  if (::fdatasync(fd_) != 0) return std::unexpected(SystemError("sync", path_, errno));
  return {};
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}
Result<FileLock> FileLock::TryLock(const fs::path& path) {
  if (path.has_parent_path()) RONDO_DO(MakeDirs(path.parent_path()));
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return std::unexpected(SystemError("open", path, errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char holder[32] = {};
    const ssize_t n = ::pread(fd, holder, sizeof holder - 1, 0);
    ::close(fd);
    return Fail(Code::kConflict, path.string() + " is held by another process" + (n > 0 ? " (pid " + std::string(holder) + ")" : ""));
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) { /* the pid is only information */ }
  return FileLock(fd);
}

TempDir::TempDir(std::string_view prefix) {
  path_ = fs::temp_directory_path() / (std::string(prefix) + "-" + RandomHex(8));
  fs::create_directories(path_);
}
TempDir::~TempDir() {
  std::error_code ec;
  fs::remove_all(path_, ec);
}

}  // namespace rondo
