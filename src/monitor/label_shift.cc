// Black-box shift estimation with a bootstrap interval.
#include "monitor/label_shift.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "monitor/math.h"
#include "monitor/statistics/statistic.h"

namespace rondo::monitor {
namespace {

constexpr int kResamples = 400;
constexpr double kLeastSingular = 0.1;  // below, the estimate's noise is more than ten times the decisions'
constexpr double kMaterial = 0.1;
constexpr int64_t kLeastWindow = 100;
constexpr double kSignificant = 0.01;  // judged in every window, and no correction across windows

/// P(decided = i | true = j), row-major; false when a class has no rows.
bool Columns(const std::vector<std::vector<int64_t>>& confusion, std::vector<double>& out) {
  const size_t k = confusion.size();
  out.assign(k * k, 0);
  for (size_t j = 0; j < k; ++j) {
    int64_t total = 0;
    for (size_t i = 0; i < k; ++i) total += confusion[i][j];
    if (total == 0) return false;
    for (size_t i = 0; i < k; ++i) out[i * k + j] = static_cast<double>(confusion[i][j]) / static_cast<double>(total);
  }
  return true;
}

/// Gaussian elimination with partial pivoting; false when singular.
bool Solve(std::vector<double> a, std::vector<double>& x) {
  const size_t k = x.size();
  for (size_t c = 0; c < k; ++c) {
    size_t pivot = c;
    for (size_t r = c + 1; r < k; ++r)
      if (std::fabs(a[r * k + c]) > std::fabs(a[pivot * k + c])) pivot = r;
    if (std::fabs(a[pivot * k + c]) < 1e-12) return false;
    if (pivot != c) {
      std::swap_ranges(a.begin() + static_cast<std::ptrdiff_t>(c * k), a.begin() + static_cast<std::ptrdiff_t>((c + 1) * k), a.begin() + static_cast<std::ptrdiff_t>(pivot * k));
      std::swap(x[c], x[pivot]);
    }
    for (size_t r = c + 1; r < k; ++r) {
      const double f = a[r * k + c] / a[c * k + c];
      for (size_t j = c; j < k; ++j) a[r * k + j] -= f * a[c * k + j];
      x[r] -= f * x[c];
    }
  }
  for (size_t r = k; r-- > 0;) {
    for (size_t j = r + 1; j < k; ++j) x[r] -= a[r * k + j] * x[j];
    x[r] /= a[r * k + r];
  }
  return true;
}

bool Shares(const std::vector<std::vector<int64_t>>& confusion, std::span<const int64_t> decisions, std::vector<double>& out) {
  std::vector<double> conditional;
  const auto total = static_cast<double>(detail::Total(decisions));
  if (total == 0 || !Columns(confusion, conditional)) return false;
  out.assign(decisions.size(), 0);
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(decisions[i]) / total;
  if (!Solve(std::move(conditional), out)) return false;
  double sum = 0;
  for (double& v : out) {
    v = std::max(0.0, v);
    sum += v;
  }
  if (!(sum > 0)) return false;
  for (double& v : out) v /= sum;
  return true;
}

}  // namespace

double LeastSingularValue(const std::vector<double>& matrix, size_t n) {
  std::vector<double> s(n * n, 0);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j)
      for (size_t r = 0; r < n; ++r) s[i * n + j] += matrix[r * n + i] * matrix[r * n + j];
  for (int sweep = 0; sweep < 60; ++sweep) {
    double off = 0;
    for (size_t p = 0; p < n; ++p) {
      for (size_t q = p + 1; q < n; ++q) {
        off += s[p * n + q] * s[p * n + q];
        if (std::fabs(s[p * n + q]) < 1e-300) continue;
        const double theta = (s[q * n + q] - s[p * n + p]) / (2 * s[p * n + q]);
        const double t = (theta >= 0 ? 1 : -1) / (std::fabs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1), d = t * c;
        for (size_t i = 0; i < n; ++i) {
          const double a = s[i * n + p], b = s[i * n + q];
          s[i * n + p] = c * a - d * b;
          s[i * n + q] = d * a + c * b;
        }
        for (size_t i = 0; i < n; ++i) {
          const double a = s[p * n + i], b = s[q * n + i];
          s[p * n + i] = c * a - d * b;
          s[q * n + i] = d * a + c * b;
        }
      }
    }
    if (off < 1e-24) break;
  }
  double least = n ? s[0] : 0;
  for (size_t i = 0; i < n; ++i) least = std::min(least, s[i * n + i]);
  return std::sqrt(std::max(0.0, least));
}

LabelShift EstimateLabelShift(const Reference& reference, const std::vector<int64_t>& decisions) {
  LabelShift out;
  const size_t k = reference.classes.size();
  if (k < 2 || decisions.size() < k) {
    out.why = "the model doesn't decide between classes";
    return out;
  }
  const std::span<const int64_t> window(decisions.data(), k);
  const int64_t rows = detail::Total(window), held_out = detail::Total(reference.labels);
  if (rows < kLeastWindow || held_out < kLeastWindow) {
    out.why = fmt::format("needs {} rows, has {} in the window and {} held out", kLeastWindow, rows, held_out);
    return out;
  }
  std::vector<double> conditional, shares;
  if (!Columns(reference.confusion, conditional)) {
    out.why = "a class has no held-out rows";
    return out;
  }
  const double singular = LeastSingularValue(conditional, k);
  if (singular < kLeastSingular || !Shares(reference.confusion, window, shares)) {
    out.why = fmt::format("the model confuses its classes too much: least singular value {:.3f}, needs {}", singular, kLeastSingular);
    return out;
  }
  out.possible = true;

  Random random(0x6c6162656c);  // fixed: the same counts give the same interval
  std::vector<std::vector<double>> draws(k);
  std::vector<double> window_shares(k);
  for (size_t i = 0; i < k; ++i) window_shares[i] = static_cast<double>(window[i]) / static_cast<double>(rows);
  for (int b = 0; b < kResamples; ++b) {
    std::vector<std::vector<int64_t>> confusion(k, std::vector<int64_t>(k));
    for (size_t j = 0; j < k; ++j) {
      std::vector<double> column(k);
      for (size_t i = 0; i < k; ++i) column[i] = conditional[i * k + j];
      const auto drawn = SampleMultinomial(random, reference.labels[j], column);
      for (size_t i = 0; i < k; ++i) confusion[i][j] = drawn[i];
    }
    std::vector<double> estimate;
    if (!Shares(confusion, SampleMultinomial(random, rows, window_shares), estimate)) continue;
    for (size_t i = 0; i < k; ++i) draws[i].push_back(estimate[i]);
  }
  const Sample sample{reference.decisions, window, {}, 0, false};
  out.p = Chi2(sample).p;
  bool outside = false;
  for (size_t i = 0; i < k; ++i) {
    std::sort(draws[i].begin(), draws[i].end());
    ClassShare share;
    share.name = reference.classes[i];
    share.reference = static_cast<double>(reference.labels[i]) / static_cast<double>(held_out);
    share.value = shares[i];
    share.low = SortedQuantile(draws[i], 0.025);
    share.high = SortedQuantile(draws[i], 0.975);
    const double moved = std::fabs(share.value - share.reference);
    if (moved > out.largest) {
      out.largest = moved;
      outside = share.reference < share.low || share.reference > share.high;
    }
    out.classes.push_back(std::move(share));
  }
  out.shifted = out.p <= kSignificant && out.largest >= kMaterial && outside;
  return out;
}

}  // namespace rondo::monitor
