// An S3 bucket as a BlobStore.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/hash.h"
#include "blob/blob.h"
#include "blob/s3.h"

namespace rondo::blob {
namespace {

class OpenFile {
 public:
  explicit OpenFile(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

class S3Store : public BlobStore {
 public:
  S3Store(std::unique_ptr<S3> s3, std::string prefix) : s3_(std::move(s3)), prefix_(std::move(prefix)) {}

  Status Put(const std::string& name, std::string_view bytes) override {
    RONDO_DO(CheckName(name));
    return s3_->Put(prefix_ + name, bytes);
  }
  Status PutFile(const std::string& name, const fs::path& from) override {
    RONDO_DO(CheckName(name));
    const OpenFile file(from);
    struct stat st {};
    if (file.get() < 0 || ::fstat(file.get(), &st) != 0) return std::unexpected(SystemError("open", from, errno));
    const auto size = static_cast<uint64_t>(st.st_size);
    if (size < S3::kMultipartFrom) return s3_->PutRange(prefix_ + name, file.get(), 0, size);
    return s3_->PutMultipart(prefix_ + name, file.get(), size, 4, [] { return Status(); });
  }
  Status Adopt(const std::string& name, const fs::path& from) override {
    RONDO_DO(PutFile(name, from));
    std::error_code ec;
    fs::remove(from, ec);
    return {};
  }
  /// The size must be known to sign a request: the stream goes through a file.
  Status PutStream(const std::string& name, const std::function<Result<size_t>(char*, size_t)>& next) override {
    RONDO_DO(CheckName(name));
    const TempDir staging("rondo-s3");
    const fs::path file = staging.path() / "object";
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return std::unexpected(SystemError("create", file, errno));
    Status status;
    std::vector<char> buffer(256u << 10);
    while (status) {
      const auto n = next(buffer.data(), buffer.size());
      if (!n) status = std::unexpected(n.error());
      if (!n || *n == 0) break;
      for (size_t done = 0; done < *n;) {
        const ssize_t w = ::write(fd, buffer.data() + done, *n - done);
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) {
          status = std::unexpected(SystemError("write", file, errno));
          break;
        }
        done += static_cast<size_t>(w);
      }
    }
    ::close(fd);
    RONDO_DO(status);
    return PutFile(name, file);
  }
  Result<std::string> Get(const std::string& name) override {
    RONDO_DO(CheckName(name));
    return s3_->Get(prefix_ + name, uint64_t{4} << 30);
  }
  Result<fs::path> LocalPath(const std::string& name) override { return Fail(Code::kUnsupported, "\"" + name + "\" lies in a bucket, not on this machine"); }
  Result<std::vector<Entry>> List(const std::string& prefix) override {
    if (!prefix.empty()) RONDO_DO(CheckName(prefix));
    const std::string folder = prefix_ + (prefix.empty() ? "" : prefix + "/");
    std::vector<Entry> out;
    std::string after;
    for (;;) {
      RONDO_TRY(const S3Page page, s3_->ListPage(folder, "/", after));
      for (const S3Object& o : page.objects)
        if (o.key.size() > folder.size() && CheckName(o.key.substr(prefix_.size()))) out.push_back({o.key.substr(prefix_.size()), false, static_cast<int64_t>(o.size)});
      for (const std::string& p : page.prefixes)
        if (const std::string name = p.substr(prefix_.size(), p.size() - prefix_.size() - 1); CheckName(name)) out.push_back({name, true, 0});
      if (!page.more) break;
      after = std::max(page.objects.empty() ? "" : page.objects.back().key, page.prefixes.empty() ? "" : page.prefixes.back() + "\xff");
    }
    std::sort(out.begin(), out.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return out;
  }
  Status Delete(const std::string& name) override {
    RONDO_DO(CheckName(name));
    std::vector<std::string> keys = {prefix_ + name};
    RONDO_DO(s3_->List(prefix_ + name + "/", [&](const S3Object& o) {
      keys.push_back(o.key);
      return true;
    }));
    if (keys.size() == 1) {
      RONDO_TRY(const auto there, s3_->Head(keys[0]));
      if (!there) return Fail(Code::kNotFound, "there is no artifact \"" + name + "\"");
    }
    return s3_->Delete(keys);
  }
  Result<bool> Exists(const std::string& name) override {
    RONDO_DO(CheckName(name));
    RONDO_TRY(const auto there, s3_->Head(prefix_ + name));
    if (there) return true;
    RONDO_TRY(const S3Page page, s3_->ListPage(prefix_ + name + "/", "/", ""));
    return !page.objects.empty() || !page.prefixes.empty();
  }

 private:
  std::unique_ptr<S3> s3_;
  std::string prefix_;  ///< empty or with a final '/'
};

}  // namespace

Result<std::unique_ptr<BlobStore>> OpenS3(const std::string& bucket, const std::string& prefix, const S3Settings& settings) {
  RONDO_TRY(auto s3, S3::Open(bucket, settings));
  std::string folder = prefix;
  while (folder.ends_with('/')) folder.pop_back();
  if (!folder.empty()) folder += '/';
  return std::make_unique<S3Store>(std::move(s3), folder);
}

}  // namespace rondo::blob
