#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace rondo::net {
namespace {

struct Range4 {
  uint32_t base;
  int bits;
};
constexpr uint32_t Ip(uint32_t a, uint32_t b, uint32_t c, uint32_t d) { return a << 24 | b << 16 | c << 8 | d; }
constexpr Range4 kClosed4[] = {
    {Ip(0, 0, 0, 0), 8},        {Ip(10, 0, 0, 0), 8},     {Ip(100, 64, 0, 0), 10},   {Ip(127, 0, 0, 0), 8},    {Ip(169, 254, 0, 0), 16}, {Ip(172, 16, 0, 0), 12}, {Ip(192, 0, 0, 0), 24},
    {Ip(192, 0, 2, 0), 24},     {Ip(192, 88, 99, 0), 24}, {Ip(192, 168, 0, 0), 16},  {Ip(198, 18, 0, 0), 15},  {Ip(198, 51, 100, 0), 24}, {Ip(203, 0, 113, 0), 24}, {Ip(224, 0, 0, 0), 3},
};

bool Public4(uint32_t ip) {
  return std::none_of(std::begin(kClosed4), std::end(kClosed4), [&](const Range4& r) { return ((ip ^ r.base) >> (32 - r.bits)) == 0; });
}

bool Public6(const std::array<uint8_t, 16>& b) {
  const auto embedded = [&](size_t at) { return Public4(Ip(b[at], b[at + 1], b[at + 2], b[at + 3])); };
  const bool zeros80 = std::all_of(b.begin(), b.begin() + 10, [](uint8_t x) { return x == 0; });
  if (zeros80 && b[10] == 0xff && b[11] == 0xff) return embedded(12);                        // ::ffff:a.b.c.d
  if (b[0] == 0x00 && b[1] == 0x64 && b[2] == 0xff && b[3] == 0x9b && b[4] == 0 && b[5] == 0) return embedded(12);  // NAT64
  if (b[0] == 0x20 && b[1] == 0x02) return embedded(2);                                      // 6to4
  if (b[0] == 0x20 && b[1] == 0x01 && b[2] < 0x02) return false;                             // 2001::/23: Teredo and other protocol ranges
  if (b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8) return false;            // documentation
  return (b[0] & 0xe0) == 0x20;                                                              // global unicast is 2000::/3, all else is closed
}

}  // namespace

bool IsPublicAddress(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    return Public4(ntohl(in.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    std::array<uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return Public6(bytes);
  }
  return false;
}

}  // namespace rondo::net
