/// Which objects a cache has, asked for many at a time: the 256 folders are listed once each, instead of a stat for every object.
#pragma once

#include <array>
#include <mutex>
#include <unordered_set>

#include "data/dvc/cache.h"

namespace rondo::data::dvc {

/// Thread-safe. Folders' listings are objects of their own: ask with the whole id.
class Presence {
 public:
  /// `expected`: about how many questions will come; few are answered by stat.
  Presence(const Cache& cache, size_t expected);
  bool Has(const ObjectId& id);
  /// Remembers a new object. False: it was known already.
  bool Add(const ObjectId& id);

  /// Newest change (mtime, ctime) of the cache's folders: nothing was removed from them since, if this is older than a time when all was there. 0: no cache.
  static int64_t NewestFolderChange(const Cache& cache);

 private:
  struct Key {
    ObjectId id;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& k) const;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_set<Key, Hash> known;
    bool listed = false;
  };
  void List(size_t prefix, Shard& shard);

  const Cache& cache_;
  bool list_;
  std::array<Shard, 256> shards_;
};

}  // namespace rondo::data::dvc
