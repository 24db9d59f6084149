#include "data/dvc/presence.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace rondo::data::dvc {
namespace {

std::string PrefixName(size_t prefix) {
  static constexpr char kDigits[] = "0123456789abcdef";
  return {kDigits[prefix >> 4], kDigits[prefix & 15]};
}

}  // namespace

Presence::Presence(const Cache& cache, size_t expected) : cache_(cache), list_(expected > 512) {}

size_t Presence::Hash::operator()(const Key& k) const {
  size_t h;
  std::memcpy(&h, k.id.md5.bytes.data() + 1, sizeof h);  // an MD5 needs no further mixing; the first byte is the shard's
  return h ^ k.id.dir;
}

void Presence::List(size_t prefix, Shard& shard) {
  shard.listed = true;
  const std::string name = PrefixName(prefix);
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir((cache_.objects() / name).c_str()), ::closedir);
  if (!dir) return;
  while (const dirent* e = ::readdir(dir.get()))
    if (e->d_type == DT_REG || e->d_type == DT_LNK || e->d_type == DT_UNKNOWN)
      if (const auto id = ObjectId::Parse(name + e->d_name)) shard.known.insert({*id});
}

bool Presence::Has(const ObjectId& id) {
  Shard& shard = shards_[id.md5.bytes[0]];
  const std::lock_guard lock(shard.mutex);
  if (shard.known.contains({id})) return true;
  if (list_) {
    if (shard.listed) return false;
    List(id.md5.bytes[0], shard);
    return shard.known.contains({id});
  }
  if (!cache_.Has(id)) return false;
  shard.known.insert({id});
  return true;
}

bool Presence::Add(const ObjectId& id) {
  Shard& shard = shards_[id.md5.bytes[0]];
  const std::lock_guard lock(shard.mutex);
  if (list_ && !shard.listed) List(id.md5.bytes[0], shard);
  return shard.known.insert({id}).second;
}

int64_t Presence::NewestFolderChange(const Cache& cache) {
  int64_t newest = 0;
  for (size_t prefix = 0; prefix < 256; ++prefix) {
    struct stat st;
    if (::stat((cache.objects() / PrefixName(prefix)).c_str(), &st) != 0) continue;
    newest = std::max({newest, st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec, st.st_ctim.tv_sec * 1'000'000'000 + st.st_ctim.tv_nsec});
  }
  // A folder that was removed shows in its parent.
  struct stat st;
  if (::stat(cache.objects().c_str(), &st) != 0) return 0;
  return std::max(newest, static_cast<int64_t>(st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec));
}

}  // namespace rondo::data::dvc
