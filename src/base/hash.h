/// Hashes: MD5 (DVC's object names), SHA-256 (our content addresses), xxh3 (caches, sticky assignment), HMAC.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rondo {

enum class HashKind { kMd5, kSha256 };

/// Streaming digest. Not thread-safe.
class Hasher {
 public:
  explicit Hasher(HashKind kind);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  void Update(std::string_view bytes);
  std::string HexDigest();  ///< finishes; the object can't be used afterwards

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string Md5Hex(std::string_view bytes);
std::string Sha256Hex(std::string_view bytes);
std::string HmacSha256Hex(std::string_view key, std::string_view bytes);
/// 64-bit xxh3 with a seed: stable across platforms and releases (https://xxhash.com, XXH3_64bits_withSeed).
uint64_t Xxh3(std::string_view bytes, uint64_t seed = 0);

struct FileDigest {
  std::string hex;
  uint64_t size = 0;
};
Result<FileDigest> HashFile(const std::filesystem::path& path, HashKind kind);

std::string HexEncode(std::string_view bytes);
Result<std::string> HexDecode(std::string_view hex);
std::string Base64Encode(std::string_view bytes);
Result<std::string> Base64Decode(std::string_view text);
/// Comparison that takes the same time wherever the texts differ.
bool ConstantTimeEqual(std::string_view a, std::string_view b);

}  // namespace rondo
