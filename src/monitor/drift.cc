// Drift: two-sample chi-square with both sample sizes, Benjamini-Hochberg across columns, and an effect that matters.
#include <algorithm>
#include <limits>
#include <numeric>

#include "monitor/math.h"
#include "monitor/statistics/statistic.h"
#include "monitor/verdict.h"

namespace rondo::monitor {
namespace {

DriftVerdict Compare(const ColumnProfile& profile, std::span<const int64_t> reference, std::span<const int64_t> window, const StatisticInfo& statistic) {
  DriftVerdict v;
  v.name = profile.name;
  v.rows = std::accumulate(window.begin(), window.end(), int64_t{0});
  v.reference_rows = std::accumulate(reference.begin(), reference.end(), int64_t{0});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  v.psi = v.effect = v.p = v.q = nan;
  if (reference.size() < 2 || reference.size() != window.size() || v.reference_rows == 0) {
    v.verdict = "none";
    return v;
  }
  if (v.rows < kLeastRows || v.reference_rows < kLeastRows) {
    v.verdict = "few";
    return v;
  }
  const Sample sample{reference, window, profile.centers, profile.ordered() ? profile.std : 0, profile.ordered()};
  v.psi = Psi(sample).value;
  const StatisticInfo& measure = statistic.ordered_only && !profile.ordered() ? *FindStatistic("psi") : statistic;
  v.effect = measure.compute(sample).adjusted;
  v.p = Chi2(sample).p;
  v.verdict = "ok";
  return v;
}

void Correct(std::span<DriftVerdict* const> family, const project::DriftAlarm& alarm) {
  std::vector<double> p;
  for (const DriftVerdict* v : family) p.push_back(v->p);
  const std::vector<double> q = BenjaminiHochberg(p);
  for (size_t i = 0; i < family.size(); ++i) {
    DriftVerdict& v = *family[i];
    v.q = q[i];
    if (v.verdict == "ok" && v.q <= alarm.q && v.effect >= alarm.effect) v.verdict = "drift";
  }
}

}  // namespace

WindowVerdict JudgeWindow(const Reference& reference, const WindowCounts& window, const project::DriftAlarm& alarm, const WindowCounts* season) {
  const StatisticInfo* statistic = FindStatistic(alarm.statistic);
  if (!statistic) statistic = FindStatistic("psi");
  WindowVerdict verdict;
  std::vector<DriftVerdict*> family;
  verdict.columns.reserve(reference.columns.size());
  for (size_t i = 0; i < reference.columns.size(); ++i) {
    const ColumnProfile& profile = reference.columns[i];
    const std::vector<int64_t> none(profile.counts.size(), 0);
    const auto& counted = i < window.columns.size() ? window.columns[i].bins : none;
    verdict.columns.push_back(Compare(profile, season ? season->columns[i].bins : profile.counts, counted, *statistic));
    family.push_back(&verdict.columns.back());
  }
  Correct(family, alarm);
  verdict.score = Compare(reference.score, season ? season->scores : reference.score.counts, window.scores, *statistic);
  std::vector<DriftVerdict*> outputs = {&verdict.score};
  if (!reference.classes.empty()) {
    ColumnProfile decision = ProfileLevels(reference.classes, reference.decisions, "decision");
    verdict.decision = Compare(decision, season ? season->decisions : decision.counts, window.decisions, *statistic);
    outputs.push_back(&verdict.decision);
  } else {
    verdict.decision.name = "decision";
    verdict.decision.verdict = "none";
  }
  Correct(outputs, alarm);

  std::vector<const DriftVerdict*> drifted;
  size_t judged = 0;
  for (const DriftVerdict& v : verdict.columns) {
    judged += v.verdict == "ok" || v.verdict == "drift";
    if (v.verdict == "drift") drifted.push_back(&v);
  }
  std::stable_sort(drifted.begin(), drifted.end(), [](const auto* a, const auto* b) { return a->effect > b->effect; });
  for (const DriftVerdict* v : drifted) verdict.drifted.push_back(v->name);
  verdict.drifted_share = judged ? static_cast<double>(drifted.size()) / static_cast<double>(judged) : 0;
  verdict.dataset_drift = !drifted.empty() && verdict.drifted_share >= alarm.share;
  verdict.quality = JudgeQuality(reference, window);
  return verdict;
}

}  // namespace rondo::monitor
