// A folder as a remote: the same tree as the cache.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <mutex>
#include <set>

#include "base/thread_pool.h"
#include "data/remotes/staging.h"

namespace rondo::data::remotes {
namespace {

constexpr uint64_t kWhole = 1u << 20;  ///< up to here an object is read at once

/// Copies objects between two trees; what arrives has the MD5 of its name.
Report CopyObjects(std::span<const ObjectId> ids, const Cache& from, const Cache& to, size_t jobs, const dvc::ProgressSink& progress, std::string_view what) {
  Outcomes outcomes;
  Staging staging(to);
  Meter meter(progress, what, ids.size());
  auto copy = [&](const ObjectId& id) -> Status {
    RONDO_TRY(OpenObject object, OpenVerified(from, id, kWhole));
    RONDO_TRY(Staging::File file, staging.Create(id));
    Status status;
    if (object.size <= kWhole) {
      status = WriteAll(file.fd.get(), object.bytes, "an object");
    } else {
      Hasher hasher(HashKind::kMd5);
      std::string buffer(kWhole, '\0');
      for (;;) {
        const ssize_t n = ::read(object.fd.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) status = std::unexpected(SystemError("read", from.PathOf(id), errno));
        if (n <= 0 || !status) break;
        const std::string_view piece(buffer.data(), static_cast<size_t>(n));
        hasher.Update(piece);
        status = WriteAll(file.fd.get(), piece, "an object");
        meter.AddBytes(piece.size());
      }
      if (const std::string md5 = hasher.HexDigest(); status && md5 != id.md5.Hex()) status = std::unexpected(Damaged(from.PathOf(id), md5));
    }
    if (!status) {
      staging.Drop(id, file);
      return status;
    }
    if (object.size <= kWhole) meter.AddBytes(object.size);
    staging.Keep(id, std::move(file));
    meter.AddFile();
    return {};
  };
  ParallelFor(
      ids.size(),
      [&](size_t i) {
        if (outcomes.stopped()) return;
        const Status status = copy(ids[i]);
        if (status) outcomes.Done(ids[i]);
        else outcomes.Failed(ids[i], status.error());
      },
      jobs);
  if (const Status status = staging.Commit(); !status) outcomes.Stop(status.error());
  return outcomes.Take(meter.bytes());
}

class LocalRemote : public Remote {
 public:
  LocalRemote(std::string path, bool shared) : tree_(path, shared), path_(std::move(path)) {}
  std::string Url() const override { return path_; }
  std::string Identity() const override { return "folder " + path_; }

  Result<std::vector<ObjectId>> Present(std::span<const ObjectId> ids, const TransferOptions&) override {
    std::vector<ObjectId> present;
    // Asking for a file costs as much as reading a few entries of its folder.
    if (ids.size() < 2000) {
      for (const ObjectId& id : ids)
        if (tree_.Has(id)) present.push_back(id);
    } else {
      RONDO_TRY(const std::vector<ObjectId> there, Names());
      std::vector<ObjectId> wanted(ids.begin(), ids.end());
      std::sort(wanted.begin(), wanted.end());
      std::set_intersection(wanted.begin(), wanted.end(), there.begin(), there.end(), std::back_inserter(present));
    }
    std::sort(present.begin(), present.end());
    return present;
  }
  Result<std::vector<StoredObject>> ListObjects(const TransferOptions&) override {
    std::vector<StoredObject> out;
    RONDO_DO(tree_.ForEach([&](const Cache::Object& o) { out.push_back({o.id, o.size}); }));
    return out;
  }
  Report Put(std::span<const ObjectId> ids, const Cache& from, const TransferOptions& options) override {
    return CopyObjects(ids, from, tree_, options.jobs, options.progress, "pushing");
  }
  Report Get(std::span<const ObjectId> ids, const Cache& to, const TransferOptions& options) override {
    return CopyObjects(ids, tree_, to, options.jobs, options.progress, "fetching");
  }
  Status Delete(std::span<const ObjectId> ids) override {
    for (const ObjectId& id : ids)
      if (::unlink(tree_.PathOf(id).c_str()) != 0 && errno != ENOENT) return std::unexpected(SystemError("remove", tree_.PathOf(id), errno));
    return {};
  }

  Result<std::vector<std::string>> ListFiles(const std::string& folder) override {
    std::vector<std::string> out;
    std::error_code ec;
    const fs::path root = tree_.dir() / folder;
    for (fs::recursive_directory_iterator it(root, ec), end; !ec && it != end; it.increment(ec))
      if (it->is_regular_file(ec)) out.push_back(it->path().lexically_relative(tree_.dir()).string());
    std::sort(out.begin(), out.end());
    return out;
  }
  Result<std::string> GetFile(const std::string& name) override {
    if (!IsSafeName(name)) return Fail(Code::kInvalid, "\"" + name + "\" is no name of a file of a remote");
    return ReadFile(tree_.dir() / name, 64u << 20);
  }
  Status PutFile(const std::string& name, std::string_view bytes) override {
    if (!IsSafeName(name)) return Fail(Code::kInvalid, "\"" + name + "\" is no name of a file of a remote");
    return WriteFileAtomic(tree_.dir() / name, bytes);
  }

 private:
  /// Names of all objects, sorted; by the folders' entries alone.
  Result<std::vector<ObjectId>> Names() const {
    std::vector<std::vector<ObjectId>> parts(256);
    std::mutex mutex;
    Status status;
    ParallelFor(256, [&](size_t i) {
      const std::string prefix = fmt::format("{:02x}", i);
      const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir((tree_.objects() / prefix).c_str()), ::closedir);
      if (!dir) {
        if (errno == ENOENT) return;
        const std::lock_guard lock(mutex);
        status = std::unexpected(SystemError("list", tree_.objects() / prefix, errno));
        return;
      }
      while (const dirent* entry = ::readdir(dir.get())) {
        if (entry->d_type != DT_REG && entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) continue;
        const auto id = ObjectId::Parse(prefix + entry->d_name);
        if (id) parts[i].push_back(*id);
      }
      std::sort(parts[i].begin(), parts[i].end());
    });
    RONDO_DO(status);
    std::vector<ObjectId> out;
    for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
    return out;
  }

  Cache tree_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<Remote>> OpenLocalRemote(const RemoteKeys& keys) {
  const auto shared = keys.find("shared");
  return std::make_unique<LocalRemote>(keys.at("url"), shared != keys.end() && shared->second == "group");
}

}  // namespace rondo::data::remotes
