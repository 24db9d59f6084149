// Defects of incoming data: each check is an exact test of a count against what the training data let expect, plus a share that matters.
#include <algorithm>
#include <cmath>

#include "monitor/math.h"
#include "monitor/verdict.h"

namespace rondo::monitor {
namespace {

constexpr double kFalseDiscovery = 0.01;  // stricter than drift: these alarms ask a person to repair something
constexpr double kNullsUp = 0.02;         // two points more missing values ...
constexpr double kNullsRatio = 1.5;       // ... and half as many again
constexpr double kShare = 0.01;           // unseen levels, out of range
constexpr double kFaultShare = 0.001;     // values that aren't of the type

/// The share of fresh values outside the range of n training values is Beta(2, n - 1) for continuous columns; its 99.9 % quantile is judged against.
double RangeLimit(int64_t n) { return n < 2 ? 1 : BetaQuantile(2, static_cast<double>(n - 1), 0.999); }

/// The share of levels never seen: Good-Turing's estimate, and its upper end for small counts.
double UnseenLimit(const ColumnProfile& profile) {
  const int64_t n = profile.present();
  if (n < 1) return 1;
  return WilsonInterval(static_cast<int64_t>(std::llround(profile.rare * static_cast<double>(n))), n, 0.998).high;
}

}  // namespace

std::vector<QualityVerdict> JudgeQuality(const Reference& reference, const WindowCounts& window) {
  std::vector<QualityVerdict> all;
  const auto add = [&](const std::string& column, const char* check, int64_t count, int64_t rows, double reference_share, double p, bool material) -> QualityVerdict& {
    QualityVerdict v;
    v.column = column;
    v.check = check;
    v.count = count;
    v.rows = rows;
    v.share = rows ? static_cast<double>(count) / static_cast<double>(rows) : 0;
    v.reference_share = reference_share;
    v.p = p;
    v.failed = material;  // so far; significance is decided below, over all checks
    all.push_back(v);
    return all.back();
  };
  const int64_t rows = window.rows - window.odd;
  if (window.odd > 0) add("", "columns", window.odd, window.rows, 0, 0, true);
  for (size_t i = 0; i < reference.columns.size() && i < window.columns.size() && rows > 0; ++i) {
    const ColumnProfile& profile = reference.columns[i];
    const ColumnCounts& counts = window.columns[i];
    const auto total = static_cast<double>(rows);
    const double nulls = static_cast<double>(counts.missing) / total;
    const double reference_nulls = profile.rows ? static_cast<double>(profile.missing) / static_cast<double>(profile.rows) : 0;
    add(profile.name, "nulls", counts.missing, rows, reference_nulls, FisherGreater(counts.missing, rows, profile.missing, profile.rows),
        nulls >= reference_nulls + kNullsUp && nulls >= kNullsRatio * reference_nulls);
    const int64_t present = rows - counts.missing;
    if (profile.kind == "category" && !profile.open) {
      const double limit = UnseenLimit(profile);
      add(profile.name, "unseen", counts.unseen, present, profile.rare, BinomialSf(counts.unseen, present, limit), static_cast<double>(counts.unseen) >= kShare * static_cast<double>(present))
          .examples = counts.examples;
    }
    if (profile.kind == "number") {
      add(profile.name, "range", counts.out_of_range, present, 0, BinomialSf(counts.out_of_range, present, RangeLimit(profile.present())),
          static_cast<double>(counts.out_of_range) >= kShare * static_cast<double>(present));
    }
    if (profile.kind == "number" || profile.kind == "date") {
      // No training value was of the wrong type; one in (n + 2) is what n clean rows still allow.
      add(profile.name, "type", counts.faults, present, 0, BinomialSf(counts.faults, present, 1.0 / static_cast<double>(profile.present() + 2)),
          static_cast<double>(counts.faults) >= kFaultShare * static_cast<double>(present))
          .examples = counts.examples;
    }
    const int64_t in_bins = counts.present();
    const auto filled = std::count_if(counts.bins.begin(), counts.bins.end(), [](int64_t c) { return c > 0; });
    const bool levels = profile.kind == "category" && filled == 1 && counts.unseen == 0 && counts.bins.back() == 0;
    const bool constant = in_bins >= kLeastRows && (levels || (profile.kind == "number" && counts.low == counts.high));
    const bool varied = std::count_if(profile.counts.begin(), profile.counts.end(), [](int64_t c) { return c > 0; }) > 1;
    if (constant && varied) {
      const auto bin = static_cast<size_t>(std::find_if(counts.bins.begin(), counts.bins.end(), [](int64_t c) { return c > 0; }) - counts.bins.begin());
      const double share = static_cast<double>(profile.counts[bin]) / static_cast<double>(profile.present());
      add(profile.name, "constant", in_bins, in_bins, share, std::pow(share, static_cast<double>(in_bins)), true);
    }
  }
  std::vector<double> p;
  for (const QualityVerdict& v : all) p.push_back(v.p);
  const std::vector<double> q = BenjaminiHochberg(p);
  std::vector<QualityVerdict> shown;
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].q = q[i];
    all[i].failed = all[i].failed && all[i].count > 0 && q[i] <= kFalseDiscovery;
    if (all[i].count > 0) shown.push_back(std::move(all[i]));
  }
  return shown;
}

}  // namespace rondo::monitor
