// Objects in a local folder. Every path is walked segment by segment without following links, so nothing inside the folder can lead out of it.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "blob/blob.h"

namespace rondo::blob {
namespace {

constexpr std::string_view kStaging = ".tmp";  ///< unfinished uploads; not an object
constexpr size_t kBuffer = 256u << 10;
constexpr int64_t kStaleMs = 24LL * 3600 * 1000;

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { Close(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int fd_;
};

/// Errors name the object, never the folder of the machine: they travel to clients.
std::unexpected<Error> Errno(std::string_view doing, const std::string& name, int error) {
  const std::string text = "cannot " + std::string(doing) + " \"" + name + "\": " + std::strerror(error);
  switch (error) {
    case ENOENT:
      return Fail(Code::kNotFound, "there is no artifact \"" + name + "\"");
    case ELOOP:
      return Fail(Code::kInvalid, "\"" + name + "\" leads through a link, which is not followed");
    case ENOTDIR:
    case EISDIR:
    case EEXIST:
    case ENOTEMPTY:
      return Fail(Code::kConflict, text, "a file and a folder cannot have the same name");
    case ENAMETOOLONG:
      return Fail(Code::kInvalid, text);
    case ENOSPC:
    case EDQUOT:
      return Fail(Code::kEnvironment, text, "the disk is full: free some space and try again; nothing was lost");
    default:
      return Fail(Code::kEnvironment, text, "check the disk and the permissions of the data folder");
  }
}

std::vector<std::string> Segments(std::string_view name) {
  std::vector<std::string> out;
  while (!name.empty()) {
    const size_t slash = std::min(name.find('/'), name.size());
    out.emplace_back(name.substr(0, slash));
    name.remove_prefix(std::min(slash + 1, name.size()));
  }
  return out;
}

class LocalStore : public BlobStore {
 public:
  LocalStore(fs::path root, Fd dir) : root_(std::move(root)), dir_(std::move(dir)) {}

  Status Put(const std::string& name, std::string_view bytes) override {
    return PutStream(name, [&](char* buffer, size_t size) -> Result<size_t> {
      const size_t n = std::min(size, bytes.size());
      std::memcpy(buffer, bytes.data(), n);
      bytes.remove_prefix(n);
      return n;
    });
  }

  Status PutFile(const std::string& name, const fs::path& from) override {
    const Fd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (!in) return std::unexpected(SystemError("open", from, errno));
    return PutStream(name, [&](char* buffer, size_t size) -> Result<size_t> {
      for (;;) {
        const ssize_t n = ::read(in.get(), buffer, size);
        if (n >= 0) return static_cast<size_t>(n);
        if (errno != EINTR) return std::unexpected(SystemError("read", from, errno));
      }
    });
  }

  Status Adopt(const std::string& name, const fs::path& from) override {
    RONDO_DO(CheckName(name));
    const Fd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!in) return std::unexpected(SystemError("open", from, errno));
    if (::fchmod(in.get(), 0644) != 0 || ::fsync(in.get()) != 0) return Errno("write", name, errno);
    std::vector<std::string> segments = Segments(name);
    const std::string last = segments.back();
    segments.pop_back();
    RONDO_TRY(const Fd parent, Walk(segments, name, true));
    if (::renameat(AT_FDCWD, from.c_str(), parent.get(), last.c_str()) != 0) {
      if (errno != EXDEV) return Errno("write", name, errno);
      return PutFile(name, from);
    }
    if (::fsync(parent.get()) != 0) return Errno("write", name, errno);
    return {};
  }

  Status PutStream(const std::string& name, const std::function<Result<size_t>(char*, size_t)>& next) override {
    RONDO_DO(CheckName(name));
    // The staging folder is on the same file system, so the finished object arrives by a rename.
    RONDO_TRY(const Fd staging, Walk({std::string(kStaging)}, name, true));
    const std::string temporary = RandomHex(12);
    const Fd out(::openat(staging.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!out) return Errno("write", name, errno);
    Status status = Fill(out.get(), name, next);
    if (status) status = Publish(staging.get(), temporary, name);
    if (!status) ::unlinkat(staging.get(), temporary.c_str(), 0);
    return status;
  }

  Result<std::string> Get(const std::string& name) override {
    RONDO_TRY(const Fd in, OpenObject(name));
    std::string out;
    std::vector<char> buffer(kBuffer);
    for (;;) {
      const ssize_t n = ::read(in.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Errno("read", name, errno);
      if (n == 0) return out;
      out.append(buffer.data(), static_cast<size_t>(n));
    }
  }

  Result<fs::path> LocalPath(const std::string& name) override {
    RONDO_DO(CheckName(name));
    if (auto object = OpenObject(name); !object) {
      if (auto folder = Walk(Segments(name), name, false); !folder) return std::unexpected(object.error());
    }
    return root_ / name;
  }

  Result<std::vector<Entry>> List(const std::string& prefix) override {
    std::vector<Entry> out;
    if (!prefix.empty()) RONDO_DO(CheckName(prefix));
    auto dir = Walk(Segments(prefix), prefix, false);
    if (!dir) {
      if (dir.error().code == Code::kNotFound || dir.error().code == Code::kConflict) return out;
      return std::unexpected(dir.error());
    }
    const int copy = ::fcntl(dir->get(), F_DUPFD_CLOEXEC, 0);
    DIR* stream = copy < 0 ? nullptr : ::fdopendir(copy);
    if (!stream) {
      const int error = errno;
      if (copy >= 0) ::close(copy);
      return Errno("list", prefix, error);
    }
    ::rewinddir(stream);  // the duplicate shares its position with earlier listings
    while (const dirent* entry = ::readdir(stream)) {
      const std::string name = entry->d_name;
      if (name == "." || name == ".." || (prefix.empty() && name == kStaging)) continue;
      struct stat st {};
      if (::fstatat(::dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) continue;
      out.push_back({prefix.empty() ? name : prefix + "/" + name, S_ISDIR(st.st_mode), S_ISDIR(st.st_mode) ? 0 : static_cast<int64_t>(st.st_size)});
    }
    ::closedir(stream);
    std::sort(out.begin(), out.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return out;
  }

  Status Delete(const std::string& name) override {
    RONDO_DO(CheckName(name));
    std::vector<std::string> segments = Segments(name);
    const std::string last = segments.back();
    segments.pop_back();
    RONDO_TRY(const Fd parent, Walk(segments, name, false));
    return Remove(parent.get(), last, name);
  }

  Result<bool> Exists(const std::string& name) override {
    RONDO_DO(CheckName(name));
    std::vector<std::string> segments = Segments(name);
    const std::string last = segments.back();
    segments.pop_back();
    auto parent = Walk(segments, name, false);
    if (!parent) {
      if (parent.error().code == Code::kNotFound || parent.error().code == Code::kConflict) return false;
      return std::unexpected(parent.error());
    }
    struct stat st {};
    if (::fstatat(parent->get(), last.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
    if (errno == ENOENT) return false;
    return Errno("look at", name, errno);
  }

  /// Uploads that were cut off by a crash.
  void DropStale() {
    auto staging = Walk({std::string(kStaging)}, {}, false);
    if (!staging) return;
    DIR* stream = ::fdopendir(::fcntl(staging->get(), F_DUPFD_CLOEXEC, 0));
    if (!stream) return;
    while (const dirent* entry = ::readdir(stream)) {
      struct stat st {};
      if (::fstatat(::dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) continue;
      if (SystemClock().NowMs() - static_cast<int64_t>(st.st_mtime) * 1000 > kStaleMs) ::unlinkat(::dirfd(stream), entry->d_name, 0);
    }
    ::closedir(stream);
  }

 private:
  /// Opens the folder at `segments`, making what is missing when `make`.
  Result<Fd> Walk(const std::vector<std::string>& segments, const std::string& name, bool make) {
    Fd at(::openat(dir_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!at) return Errno("open", name, errno);
    for (const std::string& segment : segments) {
      constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
      Fd next(::openat(at.get(), segment.c_str(), kFlags));
      if (!next && errno == ENOENT && make) {
        if (::mkdirat(at.get(), segment.c_str(), 0755) != 0 && errno != EEXIST) return Errno("make the folder of", name, errno);
        ::fsync(at.get());
        next = Fd(::openat(at.get(), segment.c_str(), kFlags));
      }
      if (!next) return Errno("open", name, errno);
      at = std::move(next);
    }
    return at;
  }

  Result<Fd> OpenObject(const std::string& name) {
    RONDO_DO(CheckName(name));
    std::vector<std::string> segments = Segments(name);
    const std::string last = segments.back();
    segments.pop_back();
    auto parent = Walk(segments, name, false);
    if (!parent) {
      if (parent.error().code == Code::kConflict) return Errno("read", name, ENOENT);
      return std::unexpected(parent.error());
    }
    Fd in(::openat(parent->get(), last.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!in) return Errno("read", name, errno);
    struct stat st {};
    if (::fstat(in.get(), &st) != 0) return Errno("read", name, errno);
    if (S_ISDIR(st.st_mode)) return Fail(Code::kInvalid, "\"" + name + "\" is a folder, not a file");
    if (!S_ISREG(st.st_mode)) return Errno("read", name, ELOOP);
    return in;
  }

  static Status Fill(int fd, const std::string& name, const std::function<Result<size_t>(char*, size_t)>& next) {
    std::vector<char> buffer(kBuffer);
    for (;;) {
      RONDO_TRY(const size_t n, next(buffer.data(), buffer.size()));
      if (n == 0) break;
      for (size_t at = 0; at < n;) {
        const ssize_t written = ::write(fd, buffer.data() + at, n - at);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return Errno("write", name, errno);
        at += static_cast<size_t>(written);
      }
    }
    if (::fsync(fd) != 0) return Errno("write", name, errno);
    return {};
  }

  Status Publish(int staging, const std::string& temporary, const std::string& name) {
    std::vector<std::string> segments = Segments(name);
    const std::string last = segments.back();
    segments.pop_back();
    RONDO_TRY(const Fd parent, Walk(segments, name, true));
    if (::renameat(staging, temporary.c_str(), parent.get(), last.c_str()) != 0) return Errno("write", name, errno);
    if (::fsync(parent.get()) != 0) return Errno("write", name, errno);
    return {};
  }

  static Status Remove(int parent, const std::string& last, const std::string& name) {
    if (::unlinkat(parent, last.c_str(), 0) == 0) return {};
    if (errno != EISDIR && errno != EPERM) return Errno("delete", name, errno);
    const int fd = ::openat(parent, last.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR* stream = fd < 0 ? nullptr : ::fdopendir(fd);
    if (!stream) return Errno("delete", name, errno);
    Status status;
    while (const dirent* entry = ::readdir(stream)) {
      const std::string child = entry->d_name;
      if (child == "." || child == "..") continue;
      status = Remove(fd, child, name + "/" + child);
      if (!status) break;
    }
    ::closedir(stream);
    if (status && ::unlinkat(parent, last.c_str(), AT_REMOVEDIR) != 0) return Errno("delete", name, errno);
    return status;
  }

  const fs::path root_;
  const Fd dir_;
};

}  // namespace

Status CheckName(const std::string& name) {
  const auto refuse = [&](std::string_view why) { return Fail(Code::kInvalid, "invalid path \"" + name.substr(0, 200) + "\": " + std::string(why)); };
  if (name.empty()) return refuse("it is empty");
  if (name.front() == '/') return refuse("it is absolute");
  if (name.size() > 4000) return refuse("it is too long");
  if (name.find('\0') != std::string::npos) return refuse("it contains a NUL");
  if (name.find('\\') != std::string::npos) return refuse("it contains a backslash");
  if (name.back() == '/') return refuse("it ends in a slash");
  const std::vector<std::string> segments = Segments(name);
  for (const std::string& segment : segments) {
    if (segment.empty()) return refuse("it has an empty segment");
    if (segment == "." || segment == "..") return refuse("\"" + segment + "\" is not allowed");
    if (segment.size() > 255) return refuse("a segment is longer than 255 bytes");
  }
  if (segments.front() == kStaging) return refuse("\".tmp\" is reserved");
  return {};
}

Result<std::unique_ptr<BlobStore>> OpenLocal(const fs::path& root) {
  RONDO_DO(MakeDirs(root));
  Fd dir(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir) return std::unexpected(SystemError("open", root, errno));
  auto store = std::make_unique<LocalStore>(root, std::move(dir));
  store->DropStale();
  return store;
}

}  // namespace rondo::blob
