/// Deterministic random numbers: the same seed gives the same sequence on every platform and release.
/// xoshiro256** (Blackman, Vigna 2018) seeded by splitmix64. Not for secrets: those come from base/id.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

namespace rondo {

class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t Next();
  double Uniform();                 ///< [0, 1)
  uint64_t Below(uint64_t n);       ///< [0, n), unbiased (Lemire 2019)
  double Normal();                  ///< mean 0, variance 1 (polar method)
  template <typename Vector>
  void Shuffle(Vector& v) {
    for (size_t i = v.size(); i > 1; --i) std::swap(v[i - 1], v[Below(i)]);
  }

 private:
  uint64_t s_[4];
  double spare_ = 0;
  bool has_spare_ = false;
};

/// A seed for one purpose derived from the project's: DeriveSeed(7, "split") never equals DeriveSeed(7, "train"). 63 bits,
/// so that it fits every integer type it is written as.
uint64_t DeriveSeed(uint64_t seed, std::string_view purpose);

}  // namespace rondo
