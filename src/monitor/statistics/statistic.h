/// Drift statistics over fixed bins: one file per statistic, one row in the table of statistics.cc.
/// An alarm needs two things: significance (the p-value of the two-sample chi-square, which knows both sample sizes) and materiality (an effect
/// measure, corrected for what pure chance adds to it). Every statistic here can be the effect measure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rondo::monitor {

/// Counts of the same bins in both samples.
struct Sample {
  std::span<const int64_t> reference, window;
  std::span<const double> centers;  ///< a value standing for each bin; empty for categories
  double scale = 0;                 ///< standard deviation of the reference; 0 for categories
  bool ordered = false;             ///< bins follow each other (numbers)
};

struct Outcome {
  double value = 0;     ///< as the definition says
  double adjusted = 0;  ///< less what two samples of one distribution show on average; compared with the alarm's effect
  double p = 0;         ///< NaN when the statistic has no test
};

struct StatisticInfo {
  std::string name, help;
  bool ordered_only = false;  ///< means nothing for categories
  Outcome (*compute)(const Sample&) = nullptr;
};
const std::vector<StatisticInfo>& Statistics();
const StatisticInfo* FindStatistic(std::string_view name);

/// Population stability index: sum (r - w) ln(r / w) with half a row added to each bin, so that an empty bin doesn't decide alone.
/// Adjusted by its mean under no drift, (B-1)(1/n + 1/m) (Yurdakul 2018, theorem for two samples). p: PSI nm/(n+m) ~ chi-square(B-1).
Outcome Psi(const Sample&);
/// Pearson's chi-square of the 2 x B table: both samples are random (scipy.stats.chi2_contingency without correction). Bins whose expected
/// count is under 5 are joined first (neighbours for ordered bins). Value: the statistic; adjusted: Cramér's V.
Outcome Chi2(const Sample&);
/// Kolmogorov-Smirnov on the bins' cumulated shares: max |F - G|. p from the limit law: too large, never too small, for binned values.
Outcome KolmogorovSmirnov(const Sample&);
/// Jensen-Shannon distance, base 2, 0 to 1 (scipy.spatial.distance.jensenshannon(base=2)).
Outcome JensenShannon(const Sample&);
/// Hellinger distance, 0 to 1: sqrt(1 - sum sqrt(r w)).
Outcome Hellinger(const Sample&);
/// Wasserstein-1 distance between the bins' centres, in standard deviations of the reference.
Outcome Wasserstein(const Sample&);

namespace detail {
inline int64_t Total(std::span<const int64_t> counts) {
  int64_t n = 0;
  for (const int64_t c : counts) n += c;
  return n;
}
/// Bins where either sample has rows.
inline int64_t Filled(const Sample& s) {
  int64_t n = 0;
  for (size_t i = 0; i < s.reference.size(); ++i) n += s.reference[i] + s.window[i] > 0;
  return n;
}
/// 1/n + 1/m.
inline double Noise(const Sample& s) {
  return 1.0 / static_cast<double>(Total(s.reference)) + 1.0 / static_cast<double>(Total(s.window));
}
}  // namespace detail
}  // namespace rondo::monitor
