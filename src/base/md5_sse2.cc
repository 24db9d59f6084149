// MD5 in the four lanes of a 128-bit register: every x86-64 has them; on other processors the compiler makes what it can of it.
#include "base/md5_lanes.h"

namespace rondo::md5_detail {
namespace {

struct Ops {
  typedef uint32_t V __attribute__((vector_size(16)));
  static constexpr int kLanes = 4;
  static V F(V b, V c, V d) { return d ^ (b & (c ^ d)); }
  static V G(V b, V c, V d) { return c ^ (d & (b ^ c)); }
  static V H(V b, V c, V d) { return b ^ c ^ d; }
  static V I(V b, V c, V d) { return c ^ (b | ~d); }
  static V Low(V a, V b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
  static V High(V a, V b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
};

}  // namespace

void CompressSse2(std::span<Job> jobs) { CompressLanes<Ops, 2>(jobs); }

void CompressOne(uint32_t* state, const uint8_t* data, size_t blocks) {
  struct One {
    typedef uint32_t V;
    static V F(V b, V c, V d) { return d ^ (b & (c ^ d)); }
    static V G(V b, V c, V d) { return c ^ (d & (b ^ c)); }
    static V H(V b, V c, V d) { return b ^ c ^ d; }
    static V I(V b, V c, V d) { return c ^ (b | ~d); }
  };
  uint32_t s[1][4], w[1][16];
  std::memcpy(s[0], state, 16);
  for (; blocks > 0; --blocks, data += 64) {
    std::memcpy(w[0], data, 64);
    Steps<One, 1>(s, w, std::make_integer_sequence<int, 64>());
    for (int i = 0; i < 4; ++i) state[i] = s[0][i] += state[i];
  }
}

}  // namespace rondo::md5_detail
