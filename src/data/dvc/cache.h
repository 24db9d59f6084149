/// The object cache in DVC 3's layout: `<dir>/files/md5/ab/cdef…[.dir]`, mode 0444. Objects of DVC 2 (`<dir>/ab/cdef…`, md5-dos2unix) are read only.
/// A remote folder has the same tree, so the class serves both. Thread-safe: every method is independent, objects appear by rename.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "data/dvc/dir_object.h"
#include "data/dvc/object_id.h"

namespace rondo::data::dvc {

class Cache {
 public:
  /// `shared`: folders are group-writable (cache.shared = group).
  explicit Cache(fs::path dir, bool shared = false) : dir_(std::move(dir)), shared_(shared) {}
  const fs::path& dir() const { return dir_; }
  bool shared() const { return shared_; }
  fs::path objects() const { return dir_ / "files" / "md5"; }

  /// "ab/cdef….dir": below objects().
  static std::string RelativePath(const ObjectId& id);
  fs::path PathOf(const ObjectId& id) const;
  fs::path LegacyPathOf(const ObjectId& id) const;

  bool Has(const ObjectId& id) const;  ///< there is a file; says nothing about its bytes
  std::optional<uint64_t> SizeOf(const ObjectId& id) const;

  /// The whole object, its MD5 checked. kNotFound; kFailedCheck when the bytes are damaged.
  Result<std::string> Read(const ObjectId& id, size_t max_bytes = size_t{2} << 30) const;
  Result<DirListing> ReadDir(const ObjectId& id) const;
  /// kFailedCheck when the object's bytes don't have its name. Reads with constant memory.
  Status Verify(const ObjectId& id) const;

  /// How an object gets in: write (or link) a temporary, then Publish it under the MD5 of the bytes that were written. Call Sync() before anything
  /// that names the objects is written (.dir, .dvc, lock).
  Result<fs::path> NewTemporary() const;  ///< a free name in objects(): ".<22 characters>.tmp"; the folder exists afterwards
  Status Publish(const fs::path& temporary, const ObjectId& id) const;  ///< mode 0444, rename; an object that is there is replaced
  Status Sync() const;                    ///< syncfs: all that was written before is durable
  Result<ObjectId> PutBytes(std::string_view bytes, bool dir) const;
  Result<ObjectId> PutListing(const DirListing& listing) const;  ///< after the children: Sync() first

  struct Object {
    ObjectId id;
    uint64_t size = 0;
    int64_t mtime_ns = 0;
  };
  /// Every object of the present layout, in no order. Other files are passed to `strange` (may be empty), relative to objects().
  Status ForEach(const std::function<void(const Object&)>& each, const std::function<void(const fs::path&)>& strange = {}) const;

  /// Takes an object out of sight without deleting it: `<dir>/rondo-quarantine/ab/cdef…`, its mtime becomes now. Restore() is the way back.
  Status Quarantine(const ObjectId& id) const;
  Result<bool> Restore(const ObjectId& id) const;  ///< false: not in quarantine
  fs::path quarantine() const { return dir_ / "rondo-quarantine"; }

 private:
  Status MakeObjectDir(const ObjectId& id) const;

  fs::path dir_;
  bool shared_;
};

}  // namespace rondo::data::dvc
