// Content-addressed objects in DVC's cache layout (docs/formats/datasets.md).
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "data/dataset.h"

namespace rondo::data {
namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

/// MD5 as 32 lower-case hex digits, with ".dir" for folders. Anything else could name a path outside the cache.
bool IsObjectName(std::string_view md5) {
  if (md5.ends_with(".dir")) md5.remove_suffix(4);
  return md5.size() == 32 && std::all_of(md5.begin(), md5.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
fs::path ObjectPath(const fs::path& cache, const std::string& md5) { return cache / "files" / "md5" / md5.substr(0, 2) / md5.substr(2); }

/// Copies `from` into the new file `to` and returns the MD5 of what was written: it names the copy, whatever happens to the original meanwhile.
/// Shares blocks where the file system can (FICLONE), so that a copy costs no space.
Result<std::string> CopyAndHash(const fs::path& from, const fs::path& to, mode_t mode) {
  const Fd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() < 0) return std::unexpected(SystemError("open", from, errno));
  const Fd out(::open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (out.get() < 0) return std::unexpected(SystemError("create", to, errno));
  const bool cloned = ::ioctl(out.get(), FICLONE, in.get()) == 0;
  Hasher hasher(HashKind::kMd5);
  std::vector<char> buffer(1 << 18);
  while (true) {
    const ssize_t n = ::read(cloned ? out.get() : in.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(SystemError("read", from, errno));
    if (n == 0) break;
    hasher.Update({buffer.data(), static_cast<size_t>(n)});
    for (ssize_t done = 0; !cloned && done < n;) {
      const ssize_t w = ::write(out.get(), buffer.data() + done, static_cast<size_t>(n - done));
      if (w < 0 && errno == EINTR) continue;
      if (w < 0) return std::unexpected(SystemError("write", to, errno));
      done += w;
    }
  }
  if (::fchmod(out.get(), mode) != 0) return std::unexpected(SystemError("set the mode of", to, errno));
  return hasher.HexDigest();
}

}  // namespace

Result<std::string> PutObject(const fs::path& cache, const fs::path& file) {
  std::error_code ec;
  if (!fs::is_regular_file(file, ec)) return Fail(Code::kNotFound, fmt::format("{} is not a file", file.string()));
  const fs::path root = cache / "files" / "md5";
  RONDO_DO(MakeDirs(root));
  // Never a hard link: the file stays the user's, and an edit in place would change the object.
  const fs::path temporary = TemporaryBeside(root / "put");
  const auto md5 = CopyAndHash(file, temporary, 0444);
  if (!md5) {
    fs::remove(temporary, ec);
    return std::unexpected(md5.error());
  }
  const fs::path target = ObjectPath(cache, *md5);
  Status status = MakeDirs(target.parent_path());
  bool good = false;
  if (status && fs::exists(target, ec)) {
    const auto present = HashFile(target, HashKind::kMd5);
    good = present && present->hex == *md5;  // else: damaged, replace it
  }
  if (status && !good) status = PublishFile(temporary, target);
  if (!status || good) fs::remove(temporary, ec);
  if (!status) return std::unexpected(status.error());
  return *md5;
}

Status GetObject(const fs::path& cache, const std::string& md5, const fs::path& to) {
  if (!HasObject(cache, md5)) return Fail(Code::kNotFound, fmt::format("the cache {} has no object \"{}\"", cache.string(), md5), "run the stage that makes it, or pull it from the remote");
  if (to.has_parent_path()) RONDO_DO(MakeDirs(to.parent_path()));
  const fs::path from = ObjectPath(cache, md5), temporary = TemporaryBeside(to);
  std::error_code ec;
  const auto copied = CopyAndHash(from, temporary, 0644);
  if (!copied || *copied != md5.substr(0, 32)) {
    fs::remove(temporary, ec);
    if (!copied) return std::unexpected(copied.error());
    return Fail(Code::kFailedCheck, fmt::format("the object {} is damaged: its content has the MD5 {}", from.string(), *copied), "remove the file and run the stage that makes it, or pull it again");
  }
  const Status status = PublishFile(temporary, to);
  if (!status) fs::remove(temporary, ec);
  return status;
}

bool HasObject(const fs::path& cache, const std::string& md5) {
  std::error_code ec;
  return IsObjectName(md5) && fs::is_regular_file(ObjectPath(cache, md5), ec);
}

}  // namespace rondo::data
