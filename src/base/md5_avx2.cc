// MD5 in the eight lanes of a 256-bit register. Called only where the processor has AVX2.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

// The target holds for what follows: the kernel is compiled for it, the standard library is not.
#if defined(__x86_64__)
#pragma GCC target("avx2")
#endif
#include "base/md5_lanes.h"

namespace rondo::md5_detail {
namespace {

struct Ops {
  typedef uint32_t V __attribute__((vector_size(32)));
  static constexpr int kLanes = 8;
  [[gnu::always_inline]] static V F(V b, V c, V d) { return d ^ (b & (c ^ d)); }
  [[gnu::always_inline]] static V G(V b, V c, V d) { return c ^ (d & (b ^ c)); }
  [[gnu::always_inline]] static V H(V b, V c, V d) { return b ^ c ^ d; }
  [[gnu::always_inline]] static V I(V b, V c, V d) { return c ^ (b | ~d); }
  [[gnu::always_inline]] static V Low(V a, V b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
  [[gnu::always_inline]] static V High(V a, V b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
};

}  // namespace

void CompressAvx2(std::span<Job> jobs) { CompressLanes<Ops, 2>(jobs); }

}  // namespace rondo::md5_detail
