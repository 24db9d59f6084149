// MD5 in the sixteen lanes of a 512-bit register, with its three-input logic and rotations. Called only where the processor has AVX-512F.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>

// The target holds for what follows: the kernel is compiled for it, the standard library is not.
#pragma GCC target("avx512f,prefer-vector-width=512")
#include "base/md5_lanes.h"

namespace rondo::md5_detail {
namespace {

struct Ops {
  typedef uint32_t V __attribute__((vector_size(64)));
  static constexpr int kLanes = 16;
  // Truth tables of the three inputs b, c, d: bit (b << 2 | c << 1 | d) of the constant.
  template <int kTable>
  [[gnu::always_inline]] static V Logic(V b, V c, V d) {
    return reinterpret_cast<V>(_mm512_ternarylogic_epi32(reinterpret_cast<__m512i>(b), reinterpret_cast<__m512i>(c), reinterpret_cast<__m512i>(d), kTable));
  }
  [[gnu::always_inline]] static V F(V b, V c, V d) { return Logic<0xCA>(b, c, d); }
  [[gnu::always_inline]] static V G(V b, V c, V d) { return Logic<0xE4>(b, c, d); }
  [[gnu::always_inline]] static V H(V b, V c, V d) { return Logic<0x96>(b, c, d); }
  [[gnu::always_inline]] static V I(V b, V c, V d) { return Logic<0x39>(b, c, d); }
  [[gnu::always_inline]] static V Low(V a, V b) { return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23); }
  [[gnu::always_inline]] static V High(V a, V b) { return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31); }
};

}  // namespace

void CompressAvx512(std::span<Job> jobs) { CompressLanes<Ops, 2>(jobs); }

}  // namespace rondo::md5_detail

#else
#include "base/md5_lanes.h"

namespace rondo::md5_detail {
void CompressAvx512(std::span<Job> jobs) { CompressSse2(jobs); }
}  // namespace rondo::md5_detail

#endif
