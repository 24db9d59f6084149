/// The tests that guards stand on. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rondo::serving {

/// P(X >= k) of a binomial(n, p), exact (regularised incomplete beta function).
double BinomialTail(int64_t k, int64_t n, double p);

struct Interval {
  double low = 0, high = 0;
};
/// Wilson's score interval of k/n; z = 1.96: 95 %.
Interval WilsonInterval(int64_t k, int64_t n, double z = 1.959963984540054);

/// p-value of Pearson's chi-square that `first` of `first + second` was drawn with probability `share`: the sample ratio mismatch test.
double SampleRatioP(int64_t first, int64_t second, double share);

/// Latencies in buckets of 1/16 octave from 0.25 µs on: 4.4 % wide, exact to merge.
inline constexpr size_t kLatencyBuckets = 16 * 26;
size_t LatencyBucket(double us);
double LatencyLowerEdge(size_t bucket);
/// q-quantile by linear interpolation inside the bucket; 0 when empty.
double LatencyQuantile(std::span<const int64_t> counts, double q);

/// Population stability index of `sample` against `reference` over at most 10 bins between the reference's deciles, with half a row added to each bin.
/// `excess` has the value expected without any difference, (bins - 1)(1/n + 1/m), taken off; `low` is its one-sided 99.9 % bound
/// (PSI / (1/n + 1/m) is approximately a noncentral chi-square).
struct Psi {
  double psi = 0, excess = 0, low = 0;
  int bins = 0;
};
Psi ScorePsi(std::span<const float> reference, std::span<const float> sample);

}  // namespace rondo::serving
