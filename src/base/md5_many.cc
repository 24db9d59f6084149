#include "base/md5_many.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "base/hash.h"
#include "base/md5_lanes.h"

namespace rondo {
namespace {

using md5_detail::Job;
static_assert(std::endian::native == std::endian::little, "MD5's words are little-endian");

constexpr uint32_t kStart[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

void Compress(Md5Lanes lanes, std::span<Job> jobs) {
  switch (lanes) {
    case Md5Lanes::kAvx512: return md5_detail::CompressAvx512(jobs);
    case Md5Lanes::kAvx2: return md5_detail::CompressAvx2(jobs);
    case Md5Lanes::kSse2: return md5_detail::CompressSse2(jobs);
    case Md5Lanes::kOne:
      for (const Job& j : jobs) md5_detail::CompressOne(j.state, j.data, j.blocks);
  }
}

int HexValue(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

}  // namespace

std::string Md5::Hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex(32, '0');
  for (size_t i = 0; i < 16; ++i) {
    hex[2 * i] = kDigits[bytes[i] >> 4];
    hex[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return hex;
}

Result<Md5> Md5::FromHex(std::string_view hex) {
  Md5 md5;
  bool good = hex.size() == 32;
  for (size_t i = 0; good && i < 16; ++i) {
    const int high = HexValue(hex[2 * i]), low = HexValue(hex[2 * i + 1]);
    good = high >= 0 && low >= 0;
    md5.bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  if (!good) return Fail(Code::kInvalid, "\"" + std::string(hex.substr(0, 80)) + "\" is no MD5", "an MD5 is 32 lower-case hex digits");
  return md5;
}

bool Md5LanesAvailable(Md5Lanes lanes) {
#if defined(__x86_64__)
  if (lanes == Md5Lanes::kAvx512) return __builtin_cpu_supports("avx512f");
  if (lanes == Md5Lanes::kAvx2) return __builtin_cpu_supports("avx2");
  return true;
#else
  return lanes == Md5Lanes::kOne || lanes == Md5Lanes::kSse2;
#endif
}

Md5Lanes Md5LanesChosen() {
  static const Md5Lanes chosen = Md5LanesAvailable(Md5Lanes::kAvx512) ? Md5Lanes::kAvx512 : Md5LanesAvailable(Md5Lanes::kAvx2) ? Md5Lanes::kAvx2 : Md5Lanes::kSse2;
  return chosen;
}

void Md5ManyWith(Md5Lanes lanes, std::span<const std::string_view> messages, std::span<Md5> out) {
  struct Tail {
    uint32_t state[4];
    uint8_t bytes[128];
  };
  std::vector<Tail> tails(messages.size());
  std::vector<Job> jobs(messages.size());
  // Whole blocks where they lie; then the rest with its padding and length (one block, or two) from a copy.
  for (size_t i = 0; i < messages.size(); ++i) {
    std::memcpy(tails[i].state, kStart, 16);
    jobs[i] = {tails[i].state, reinterpret_cast<const uint8_t*>(messages[i].data()), messages[i].size() / 64};
  }
  // Lanes stay full to the end when the long ones start first.
  if (std::any_of(jobs.begin(), jobs.end(), [&](const Job& j) { return j.blocks != jobs[0].blocks; }))
    std::stable_sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) { return a.blocks > b.blocks; });
  Compress(lanes, jobs);
  for (size_t i = 0; i < messages.size(); ++i) {
    Tail& t = tails[i];
    const size_t size = messages[i].size(), rest = size % 64, end = rest < 56 ? 64 : 128;
    if (rest > 0) std::memcpy(t.bytes, messages[i].data() + size - rest, rest);
    t.bytes[rest] = 0x80;
    std::memset(t.bytes + rest + 1, 0, end - 8 - rest - 1);
    const uint64_t bits = uint64_t{size} * 8;
    std::memcpy(t.bytes + end - 8, &bits, 8);
    jobs[i] = {t.state, t.bytes, end / 64};
  }
  Compress(lanes, jobs);
  for (size_t i = 0; i < messages.size(); ++i) std::memcpy(out[i].bytes.data(), tails[i].state, 16);
}

void Md5Many(std::span<const std::string_view> messages, std::span<Md5> out) {
  if (messages.size() == 1) out[0] = Md5Of(messages[0]);
  else Md5ManyWith(Md5LanesChosen(), messages, out);
}

Md5 Md5Of(std::string_view message) {
  Md5 md5;
  // OpenSSL's assembly wins on a long message; below that its set-up costs more than the blocks.
  if (message.size() >= 4096) return *Md5::FromHex(Md5Hex(message));
  Md5ManyWith(Md5Lanes::kOne, {&message, 1}, {&md5, 1});
  return md5;
}

}  // namespace rondo
