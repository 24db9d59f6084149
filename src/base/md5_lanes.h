/// The vector form of MD5's block function, shared by md5_sse2.cc, md5_avx2.cc and md5_avx512.cc: each brings its vector type and its bitwise functions.
/// Everything is local to the including file, so that no function compiled for a newer processor can be picked by the linker for an older one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace rondo::md5_detail {

/// Blocks of one message: `state` is read and written.
struct Job {
  uint32_t* state;      ///< a, b, c, d
  const uint8_t* data;  ///< blocks * 64 bytes
  size_t blocks;
};

void CompressOne(uint32_t* state, const uint8_t* data, size_t blocks);
void CompressSse2(std::span<Job> jobs);
void CompressAvx2(std::span<Job> jobs);
void CompressAvx512(std::span<Job> jobs);

// RFC 1321: floor(2^32 * |sin(i + 1)|), the shifts and the order of words.
inline constexpr uint32_t kSine[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122,
    0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6,
    0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60,
    0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039,
    0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
inline constexpr int kShift[16] = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};

constexpr int WordOf(int step) {
  switch (step / 16) {
    case 0: return step;
    case 1: return (5 * step + 1) % 16;
    case 2: return (3 * step + 5) % 16;
    default: return (7 * step) % 16;
  }
}

/// One step on G independent groups of lanes: G > 1 hides the latency of the chain from a to b.
template <typename Ops, int G, int I>
[[gnu::always_inline]] inline void Step(typename Ops::V (&s)[G][4], const typename Ops::V (&w)[G][16]) {
  constexpr int a = (64 - I) % 4, b = (65 - I) % 4, c = (66 - I) % 4, d = (67 - I) % 4;
  constexpr int shift = kShift[I / 16 * 4 + I % 4];
#pragma GCC unroll 4
  for (int g = 0; g < G; ++g) {
    typename Ops::V f;
    if constexpr (I < 16) f = Ops::F(s[g][b], s[g][c], s[g][d]);
    else if constexpr (I < 32) f = Ops::G(s[g][b], s[g][c], s[g][d]);
    else if constexpr (I < 48) f = Ops::H(s[g][b], s[g][c], s[g][d]);
    else f = Ops::I(s[g][b], s[g][c], s[g][d]);
    const typename Ops::V x = s[g][a] + f + w[g][WordOf(I)] + kSine[I];
    s[g][a] = ((x << shift) | (x >> (32 - shift))) + s[g][b];
  }
}
template <typename Ops, int G, int... I>
[[gnu::always_inline]] inline void Steps(typename Ops::V (&s)[G][4], const typename Ops::V (&w)[G][16], std::integer_sequence<int, I...>) {
  (Step<Ops, G, I>(s, w), ...);
}

/// Words of one block of each lane: lane l's word i becomes element l of w[i]. An N x N transposition is log2(N) perfect shuffles of its rows.
template <typename Ops>
[[gnu::always_inline]] inline void LoadBlock(const uint8_t* const* data, typename Ops::V (&w)[16]) {
  constexpr int N = Ops::kLanes;
#pragma GCC unroll 4
  for (int part = 0; part < 16 / N; ++part) {
    typename Ops::V rows[N], next[N];
#pragma GCC unroll 16
    for (int l = 0; l < N; ++l) std::memcpy(&rows[l], data[l] + part * N * 4, N * 4);
#pragma GCC unroll 4
    for (int stage = 1; stage < N; stage *= 2) {
#pragma GCC unroll 8
      for (int i = 0; i < N / 2; ++i) {
        next[2 * i] = Ops::Low(rows[i], rows[i + N / 2]);
        next[2 * i + 1] = Ops::High(rows[i], rows[i + N / 2]);
      }
#pragma GCC unroll 16
      for (int i = 0; i < N; ++i) rows[i] = next[i];
    }
#pragma GCC unroll 16
    for (int i = 0; i < N; ++i) w[part * N + i] = rows[i];
  }
}

/// Keeps G * kLanes messages in flight; a lane whose message is finished takes the next one. Few left: one by one.
template <typename Ops, int G>
inline void CompressLanes(std::span<Job> jobs) {
  using V = typename Ops::V;
  constexpr int N = Ops::kLanes, kAll = N * G;
  alignas(64) static const uint8_t idle_block[64] = {};
  alignas(64) uint32_t state[4][kAll] = {};
  const uint8_t* data[kAll];
  size_t left[kAll] = {};
  Job* job[kAll] = {};
  size_t next = 0;
  int active = 0;
  auto refill = [&](int l) {
    job[l] = nullptr;
    data[l] = idle_block;
    while (next < jobs.size() && jobs[next].blocks == 0) ++next;
    if (next == jobs.size()) return;
    job[l] = &jobs[next++];
    data[l] = job[l]->data;
    left[l] = job[l]->blocks;
    for (int i = 0; i < 4; ++i) state[i][l] = job[l]->state[i];
    ++active;
  };
  for (int l = 0; l < kAll; ++l) refill(l);
  while (active > 0) {
    if (active <= 2 && next == jobs.size()) {
      for (int l = 0; l < kAll; ++l) {
        if (!job[l]) continue;
        for (int i = 0; i < 4; ++i) job[l]->state[i] = state[i][l];
        CompressOne(job[l]->state, data[l], left[l]);
      }
      return;
    }
    size_t run = SIZE_MAX;
    for (int l = 0; l < kAll; ++l)
      if (job[l] && left[l] < run) run = left[l];
    V s[G][4];
    for (int g = 0; g < G; ++g)
      for (int i = 0; i < 4; ++i) std::memcpy(&s[g][i], &state[i][g * N], sizeof(V));
    for (size_t block = 0; block < run; ++block) {
      V w[G][16], before[G][4];
      for (int g = 0; g < G; ++g) {
        LoadBlock<Ops>(data + g * N, w[g]);
        for (int i = 0; i < 4; ++i) before[g][i] = s[g][i];
      }
      Steps<Ops, G>(s, w, std::make_integer_sequence<int, 64>());
      for (int g = 0; g < G; ++g)
        for (int i = 0; i < 4; ++i) s[g][i] += before[g][i];
      for (int l = 0; l < kAll; ++l) data[l] += job[l] ? 64 : 0;
    }
    for (int g = 0; g < G; ++g)
      for (int i = 0; i < 4; ++i) std::memcpy(&state[i][g * N], &s[g][i], sizeof(V));
    for (int l = 0; l < kAll; ++l) {
      if (!job[l]) continue;
      left[l] -= run;
      if (left[l] > 0) continue;
      for (int i = 0; i < 4; ++i) job[l]->state[i] = state[i][l];
      --active;
      refill(l);
    }
  }
}

}  // namespace rondo::md5_detail
