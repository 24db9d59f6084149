#include "data/dvc/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/hash.h"
#include "base/id.h"
#include "data/dvc/fd.h"

namespace rondo::data::dvc {

std::string Cache::RelativePath(const ObjectId& id) {
  const std::string text = id.Text();
  return text.substr(0, 2) + "/" + text.substr(2);
}
fs::path Cache::PathOf(const ObjectId& id) const { return objects() / RelativePath(id); }
fs::path Cache::LegacyPathOf(const ObjectId& id) const { return dir_ / RelativePath(id); }

bool Cache::Has(const ObjectId& id) const { return SizeOf(id).has_value(); }
std::optional<uint64_t> Cache::SizeOf(const ObjectId& id) const {
  struct stat st;
  if (::stat(PathOf(id).c_str(), &st) != 0 || !S_ISREG(st.st_mode)) return std::nullopt;
  return static_cast<uint64_t>(st.st_size);
}

Result<std::string> Cache::Read(const ObjectId& id, size_t max_bytes) const {
  const fs::path path = PathOf(id);
  auto bytes = ReadFile(path, max_bytes);
  if (!bytes) {
    if (bytes.error().code == Code::kNotFound)
      return Fail(Code::kNotFound, fmt::format("the cache {} has no object {}", dir_.string(), id.Text()), "pull it from the remote, or run the stage that makes it");
    return bytes;
  }
  if (const Md5 md5 = Md5Of(*bytes); md5 != id.md5)
    return Fail(Code::kFailedCheck, fmt::format("the object {} is damaged: its content has the MD5 {}", path.string(), md5.Hex()), "remove the file and pull it again");
  return bytes;
}

Result<DirListing> Cache::ReadDir(const ObjectId& id) const {
  RONDO_TRY(const std::string bytes, Read(id));
  return ParseDirListing(bytes, "the object " + id.Text());
}

Status Cache::Verify(const ObjectId& id) const {
  const fs::path path = PathOf(id);
  if (!Has(id)) return Fail(Code::kNotFound, fmt::format("the cache {} has no object {}", dir_.string(), id.Text()));
  RONDO_TRY(const FileDigest digest, HashFile(path, HashKind::kMd5));
  if (digest.hex != id.md5.Hex()) return Fail(Code::kFailedCheck, fmt::format("the object {} is damaged: its content has the MD5 {}", path.string(), digest.hex), "pull it again");
  return {};
}

Status Cache::MakeObjectDir(const ObjectId& id) const {
  const fs::path folder = PathOf(id).parent_path();
  if (::access(folder.c_str(), F_OK) == 0) return {};
  RONDO_DO(MakeDirs(folder));
  if (shared_) ::chmod(folder.c_str(), 02775);
  return {};
}

Result<fs::path> Cache::NewTemporary() const {
  if (::access(objects().c_str(), F_OK) != 0) {
    RONDO_DO(MakeDirs(objects()));
    if (shared_) ::chmod(objects().c_str(), 02775);
  }
  return objects() / ("." + RandomHex(11) + ".tmp");
}

Status Cache::Publish(const fs::path& temporary, const ObjectId& id) const {
  if (::chmod(temporary.c_str(), 0444) != 0) return std::unexpected(SystemError("set the mode of", temporary, errno));
  const fs::path target = PathOf(id);
  if (::rename(temporary.c_str(), target.c_str()) == 0) return {};
  if (errno != ENOENT) return std::unexpected(SystemError("create", target, errno));
  RONDO_DO(MakeObjectDir(id));
  if (::rename(temporary.c_str(), target.c_str()) != 0) return std::unexpected(SystemError("create", target, errno));
  return {};
}

Status Cache::Sync() const {
  const Fd folder(::open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return errno == ENOENT ? Status() : std::unexpected(SystemError("open", dir_, errno));
  if (::syncfs(folder.get()) != 0) return std::unexpected(SystemError("write to disk", dir_, errno));
  return {};
}

Result<ObjectId> Cache::PutBytes(std::string_view bytes, bool dir) const {
  const ObjectId id{Md5Of(bytes), dir};
  if (const auto size = SizeOf(id); size && *size == bytes.size() && Read(id)) return id;
  RONDO_TRY(const fs::path temporary, NewTemporary());
  Status status = WriteFileAtomic(temporary, bytes, 0444);
  if (status) status = Publish(temporary, id);
  if (!status) {
    ::unlink(temporary.c_str());
    return std::unexpected(status.error());
  }
  return id;
}
Result<ObjectId> Cache::PutListing(const DirListing& listing) const { return PutBytes(listing.Bytes(), true); }

Status Cache::ForEach(const std::function<void(const Object&)>& each, const std::function<void(const fs::path&)>& strange) const {
  using Dir = std::unique_ptr<DIR, int (*)(DIR*)>;
  const fs::path root = objects();
  Dir top(::opendir(root.c_str()), ::closedir);
  if (!top) return errno == ENOENT ? Status() : std::unexpected(SystemError("list", root, errno));
  while (const dirent* e = ::readdir(top.get())) {
    const std::string prefix = e->d_name;
    if (prefix == "." || prefix == "..") continue;
    struct stat st;
    const bool is_dir = e->d_type == DT_DIR || (e->d_type == DT_UNKNOWN && ::fstatat(::dirfd(top.get()), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode));
    if (!is_dir || prefix.size() != 2) {
      if (strange) strange(prefix);
      continue;
    }
    Dir below(::opendir((root / prefix).c_str()), ::closedir);
    if (!below) return std::unexpected(SystemError("list", root / prefix, errno));
    while (const dirent* o = ::readdir(below.get())) {
      const std::string name = o->d_name;
      if (name == "." || name == "..") continue;
      const auto id = ObjectId::Parse(prefix + name);
      if (!id || ::fstatat(::dirfd(below.get()), o->d_name, &st, 0) != 0 || !S_ISREG(st.st_mode)) {
        if (strange) strange(fs::path(prefix) / name);
        continue;
      }
      each({*id, static_cast<uint64_t>(st.st_size), st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec});
    }
  }
  return {};
}

Status Cache::Quarantine(const ObjectId& id) const {
  const fs::path from = PathOf(id), to = quarantine() / RelativePath(id);
  if (::access(to.parent_path().c_str(), F_OK) != 0) RONDO_DO(MakeDirs(to.parent_path()));
  if (::rename(from.c_str(), to.c_str()) != 0) return std::unexpected(SystemError("move to quarantine", from, errno));
  (void)::utimensat(AT_FDCWD, to.c_str(), nullptr, 0);
  return {};
}

Result<bool> Cache::Restore(const ObjectId& id) const {
  const fs::path from = quarantine() / RelativePath(id);
  if (::access(from.c_str(), F_OK) != 0) return false;
  RONDO_DO(MakeObjectDir(id));
  if (::rename(from.c_str(), PathOf(id).c_str()) != 0) return std::unexpected(SystemError("take from quarantine", from, errno));
  return true;
}

}  // namespace rondo::data::dvc
