#include "serving/statistics.h"

#include <algorithm>
#include <cmath>

namespace rondo::serving {
namespace {

/// Continued fraction of the incomplete beta function (Lentz's method; Abramowitz & Stegun 26.5.8).
double BetaFraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  double c = 1, d = 1 - (a + b) * x / (a + 1);
  if (std::fabs(d) < kTiny) d = kTiny;
  d = 1 / d;
  double h = d;
  for (int m = 1; m <= 1000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 + even * d;
    c = 1 + even / c;
    if (std::fabs(d) < kTiny) d = kTiny;
    if (std::fabs(c) < kTiny) c = kTiny;
    d = 1 / d;
    h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 + odd * d;
    c = 1 + odd / c;
    if (std::fabs(d) < kTiny) d = kTiny;
    if (std::fabs(c) < kTiny) c = kTiny;
    d = 1 / d;
    const double step = d * c;
    h *= step;
    if (std::fabs(step - 1) < 1e-15) break;
  }
  return h;
}

double IncompleteBeta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * BetaFraction(a, b, x) / a;
  return 1 - front * BetaFraction(b, a, 1 - x) / b;
}

}  // namespace

double BinomialTail(int64_t k, int64_t n, double p) {
  if (k <= 0) return 1;
  if (k > n) return 0;
  return IncompleteBeta(static_cast<double>(k), static_cast<double>(n - k + 1), p);
}

Interval WilsonInterval(int64_t k, int64_t n, double z) {
  if (n <= 0) return {0, 1};
  const double count = static_cast<double>(n), p = static_cast<double>(k) / count, z2 = z * z;
  const double center = p + z2 / (2 * count), spread = z * std::sqrt(p * (1 - p) / count + z2 / (4 * count * count)), scale = 1 + z2 / count;
  return {std::max(0.0, (center - spread) / scale), std::min(1.0, (center + spread) / scale)};
}

double SampleRatioP(int64_t first, int64_t second, double share) {
  const double n = static_cast<double>(first + second), expected = n * share;
  if (n <= 0 || share <= 0 || share >= 1) return 1;
  const double difference = static_cast<double>(first) - expected;
  const double chi2 = difference * difference / expected + difference * difference / (n - expected);
  return std::erfc(std::sqrt(chi2 / 2));  // one degree of freedom
}

size_t LatencyBucket(double us) {
  if (!(us > 0.25)) return 0;
  return std::min(kLatencyBuckets - 1, static_cast<size_t>(std::log2(us * 4) * 16));
}
double LatencyLowerEdge(size_t bucket) { return bucket == 0 ? 0 : 0.25 * std::exp2(static_cast<double>(bucket) / 16); }
double LatencyQuantile(std::span<const int64_t> counts, double q) {
  int64_t total = 0;
  for (const int64_t c : counts) total += c;
  if (total == 0) return 0;
  const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(total);
  double seen = 0;
  double last = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const double here = static_cast<double>(counts[i]), low = LatencyLowerEdge(i), high = LatencyLowerEdge(i + 1);
    last = high;
    if (seen + here >= rank) return low + (high - low) * std::clamp((rank - seen) / here, 0.0, 1.0);
    seen += here;
  }
  return last;
}

Psi ScorePsi(std::span<const float> reference, std::span<const float> sample) {
  Psi out;
  if (reference.empty() || sample.empty()) return out;
  std::vector<float> sorted(reference.begin(), reference.end());
  std::sort(sorted.begin(), sorted.end());
  // Inclusive upper ends of all bins but the last; ties leave fewer bins.
  std::vector<float> edges;
  for (size_t i = 1; i < 10; ++i) {
    const float edge = sorted[std::min(sorted.size() - 1, (sorted.size() * i + 9) / 10 - 1)];
    if (edge < sorted.back() && (edges.empty() || edge > edges.back())) edges.push_back(edge);
  }
  // A reference of one value: three bins, below, equal and above it.
  if (edges.empty()) edges = {std::nextafter(sorted.front(), -INFINITY), sorted.back()};
  const size_t bins = edges.size() + 1;
  std::vector<double> a(bins, 0.5), b(bins, 0.5);
  auto bin = [&](float v) { return static_cast<size_t>(std::lower_bound(edges.begin(), edges.end(), v) - edges.begin()); };
  for (const float v : reference) a[bin(v)] += 1;
  for (const float v : sample) b[bin(v)] += 1;
  const double n = static_cast<double>(reference.size()), m = static_cast<double>(sample.size()), smooth = 0.5 * static_cast<double>(bins);
  for (size_t i = 0; i < bins; ++i) {
    const double p = a[i] / (n + smooth), q = b[i] / (m + smooth);
    out.psi += (q - p) * std::log(q / p);
  }
  const double scale = 1 / n + 1 / m, degrees = static_cast<double>(bins - 1);
  out.bins = static_cast<int>(bins);
  out.excess = std::max(0.0, out.psi - degrees * scale);
  const double noncentrality = out.excess / scale;
  out.low = out.excess - 3.0902 * scale * std::sqrt(2 * (degrees + 2 * noncentrality));
  return out;
}

}  // namespace rondo::serving
