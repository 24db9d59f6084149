// Distribution functions: Boost.Math where it has them (errors come back as NaN), a few lines of our own otherwise.
#include "monitor/math.h"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace rondo::monitor {
namespace {

namespace bp = boost::math::policies;
using Quiet = bp::policy<bp::domain_error<bp::ignore_error>, bp::pole_error<bp::ignore_error>, bp::overflow_error<bp::ignore_error>,
                         bp::underflow_error<bp::ignore_error>, bp::evaluation_error<bp::ignore_error>, bp::promote_double<false>>;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double LogChoose(int64_t n, int64_t k) {
  return std::lgamma(static_cast<double>(n) + 1) - std::lgamma(static_cast<double>(k) + 1) - std::lgamma(static_cast<double>(n - k) + 1);
}

int64_t SampleBinomial(Random& random, int64_t n, double p) {
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return n;
  const double mean = static_cast<double>(n) * p;
  const double variance = mean * (1 - p);
  if (variance > 25) return std::clamp(static_cast<int64_t>(std::llround(mean + std::sqrt(variance) * random.Normal())), int64_t{0}, n);
  int64_t k = 0;
  for (int64_t i = 0; i < n; ++i) k += random.Uniform() < p;
  return k;
}

}  // namespace

double Chi2Sf(double x, double degrees) {
  if (std::isnan(x) || !(degrees > 0)) return kNaN;
  return x <= 0 ? 1 : boost::math::gamma_q(degrees / 2, x / 2, Quiet());
}

double NormalSf(double z) { return 0.5 * std::erfc(z / std::numbers::sqrt2); }

double KolmogorovSf(double x) {
  if (std::isnan(x)) return kNaN;
  if (x <= 0) return 1;
  if (x < 1.18) {  // the other theta series, which converges for small x
    const double t = std::exp(-std::numbers::pi * std::numbers::pi / (8 * x * x));
    return 1 - std::sqrt(2 * std::numbers::pi) / x * (t + std::pow(t, 9) + std::pow(t, 25) + std::pow(t, 49));
  }
  double sum = 0;
  for (int k = 1; k < 20; ++k) sum += (k % 2 ? 1 : -1) * std::exp(-2.0 * k * k * x * x);
  return std::clamp(2 * sum, 0.0, 1.0);
}

double BinomialSf(int64_t k, int64_t n, double p) {
  if (std::isnan(p)) return kNaN;
  if (k <= 0) return 1;
  if (k > n || p <= 0) return 0;
  if (p >= 1) return 1;
  return boost::math::ibeta(static_cast<double>(k), static_cast<double>(n - k + 1), p, Quiet());
}

double FisherGreater(int64_t a, int64_t n, int64_t b, int64_t m) {
  if (a <= 0) return 1;
  const int64_t total = a + b;  // successes in both
  const int64_t most = std::min(total, n);
  const double base = LogChoose(n + m, total);
  double sum = 0;
  for (int64_t x = a; x <= most; ++x) {
    if (total - x > m) continue;
    const double term = std::exp(LogChoose(n, x) + LogChoose(m, total - x) - base);
    sum += term;
    if (x > a && term < sum * 1e-17) break;
  }
  return std::min(sum, 1.0);
}

double BetaQuantile(double a, double b, double probability) { return boost::math::ibeta_inv(a, b, probability, Quiet()); }

Bounds WilsonInterval(int64_t k, int64_t n, double level) {
  if (n <= 0) return {0, 1};
  const double z = std::numbers::sqrt2 * boost::math::erf_inv(level, Quiet());
  const double size = static_cast<double>(n), share = static_cast<double>(k) / size;
  const double middle = (share + z * z / (2 * size)) / (1 + z * z / size);
  const double half = z / (1 + z * z / size) * std::sqrt(share * (1 - share) / size + z * z / (4 * size * size));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

std::vector<double> BenjaminiHochberg(const std::vector<double>& p) {
  std::vector<size_t> order;
  for (size_t i = 0; i < p.size(); ++i)
    if (!std::isnan(p[i])) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
  std::vector<double> q(p.size(), kNaN);
  double least = 1;
  for (size_t i = order.size(); i-- > 0;) {
    least = std::min(least, p[order[i]] * static_cast<double>(order.size()) / static_cast<double>(i + 1));
    q[order[i]] = least;
  }
  return q;
}

std::vector<int64_t> SampleMultinomial(Random& random, int64_t n, std::span<const double> shares) {
  double left = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::vector<int64_t> counts(shares.size(), 0);
  for (size_t i = 0; i < shares.size() && n > 0 && left > 0; ++i) {
    counts[i] = i + 1 == shares.size() ? n : SampleBinomial(random, n, shares[i] / left);
    n -= counts[i];
    left -= shares[i];
  }
  return counts;
}

double SortedQuantile(std::span<const double> sorted, double q) {
  if (sorted.empty()) return kNaN;
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

}  // namespace rondo::monitor
