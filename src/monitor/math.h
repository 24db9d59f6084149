/// Distribution functions and corrections that the monitor's tests stand on. Pure functions; NaN in, NaN out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"

namespace rondo::monitor {

double Chi2Sf(double x, double degrees);       ///< P(X >= x)
double NormalSf(double z);                     ///< P(Z >= z)
double KolmogorovSf(double x);                 ///< P(K >= x), the limit law of sqrt(n) D; scipy.special.kolmogorov
double BinomialSf(int64_t k, int64_t n, double p);  ///< P(X >= k)
/// One-sided exact test (Fisher) that the share a/n is greater than b/m: P(A >= a) given the margins.
double FisherGreater(int64_t a, int64_t n, int64_t b, int64_t m);
double BetaQuantile(double a, double b, double probability);

struct Bounds {
  double low = 0, high = 0;
};
Bounds WilsonInterval(int64_t k, int64_t n, double level = 0.95);

/// Benjamini-Hochberg (1995) adjusted p-values, in the order given: rejecting those <= q holds the false discovery rate at q. NaN stays NaN and doesn't count.
std::vector<double> BenjaminiHochberg(const std::vector<double>& p);

/// Draws `n` items over the shares given (they need not sum to 1). Normal approximation for large counts.
std::vector<int64_t> SampleMultinomial(Random& random, int64_t n, std::span<const double> shares);

/// q-quantile of sorted values by linear interpolation (numpy's default); NaN when empty.
double SortedQuantile(std::span<const double> sorted, double q);

}  // namespace rondo::monitor
