/// MD5 of many buffers at once: independent messages fill the lanes of a vector register (4 with SSE2, 8 with AVX2, 16 with AVX-512;
/// chosen when the program starts, by cpuid). One message alone is serial by MD5's design: OpenSSL hashes it (base/hash.h).
/// MD5 names DVC's objects; it is no protection against a forger. Source: RFC 1321.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rondo {

/// The 16 bytes of an MD5.
struct Md5 {
  std::array<uint8_t, 16> bytes{};

  std::string Hex() const;  ///< 32 lower-case digits
  /// Exactly 32 lower-case hex digits; anything else is kInvalid (it could name a path outside a cache).
  static Result<Md5> FromHex(std::string_view hex);
  auto operator<=>(const Md5&) const = default;
};

/// The digest of each message into `out` (same length). Any mix of lengths, empty ones too; equal lengths are fastest. Thread-safe.
void Md5Many(std::span<const std::string_view> messages, std::span<Md5> out);
/// One message.
Md5 Md5Of(std::string_view message);

/// Instruction sets, for tests and measurements.
enum class Md5Lanes { kOne, kSse2, kAvx2, kAvx512 };
bool Md5LanesAvailable(Md5Lanes lanes);
Md5Lanes Md5LanesChosen();
void Md5ManyWith(Md5Lanes lanes, std::span<const std::string_view> messages, std::span<Md5> out);

}  // namespace rondo
