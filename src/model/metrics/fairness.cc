#include "model/metrics/fairness.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "model/metrics/curves.h"
#include "model/metrics/ranked.h"

namespace rondo::model {
namespace {

using project::Task;

/// What all measures are made of, per group. NaN where a rate has no rows to stand on.
struct Rates {
  double selection = kNaN, tpr = kNaN, fpr = kNaN;  ///< binary
  double accuracy = kNaN;                           ///< classification
  double prediction = kNaN, label = kNaN, mae = kNaN;  ///< regression
};

Rates RatesOf(const Scored& s, const std::vector<size_t>& rows, const std::vector<double>& w) {
  double total = 0, selected = 0, positives = 0, tp = 0, fp = 0, right = 0, prediction = 0, label = 0, error = 0;
  for (const size_t r : rows) {
    total += w[r];
    if (s.task == Task::regression) {
      prediction += w[r] * s.scores[r];
      label += w[r] * s.y[r];
      error += w[r] * std::fabs(s.y[r] - s.scores[r]);
      continue;
    }
    const int truth = static_cast<int>(s.y[r]);
    if (truth == s.decisions[r]) right += w[r];
    if (truth == 1) positives += w[r];
    if (s.decisions[r] == 1) {
      selected += w[r];
      (truth == 1 ? tp : fp) += w[r];
    }
  }
  Rates out;
  if (total <= 0) return out;
  if (s.task == Task::regression) {
    out.prediction = prediction / total;
    out.label = label / total;
    out.mae = error / total;
    return out;
  }
  out.accuracy = right / total;
  if (s.task != Task::binary) return out;
  out.selection = selected / total;
  if (positives > 0) out.tpr = tp / positives;
  if (total > positives) out.fpr = fp / (total - positives);
  return out;
}

using Part = double Rates::*;

/// Smallest and largest over the groups that have the rate; false with fewer than two.
bool Range(const std::vector<Rates>& groups, Part part, double& low, double& high) {
  int found = 0;
  for (const Rates& r : groups) {
    const double v = r.*part;
    if (std::isnan(v)) continue;
    low = found == 0 ? v : std::min(low, v);
    high = found == 0 ? v : std::max(high, v);
    ++found;
  }
  return found >= 2;
}

double Difference(const std::vector<Rates>& groups, Part part) {
  double low = 0, high = 0;
  return Range(groups, part, low, high) ? high - low : kNaN;
}
/// 0/0 (no group selects anybody) is undefined, as in Fairlearn.
double Ratio(const std::vector<Rates>& groups, Part part) {
  double low = 0, high = 0;
  return Range(groups, part, low, high) && high > 0 ? low / high : kNaN;
}

/// The worse of true and false positive rate; NaN when one of them is unknown.
double Worse(double tpr, double fpr, bool larger) { return std::isnan(tpr) || std::isnan(fpr) ? kNaN : larger ? std::max(tpr, fpr) : std::min(tpr, fpr); }

double Compute(const std::string& measure, const std::vector<Rates>& groups) {
  if (measure == "demographic_parity_difference") return Difference(groups, &Rates::selection);
  if (measure == "demographic_parity_ratio") return Ratio(groups, &Rates::selection);
  if (measure == "equalized_odds_difference") return Worse(Difference(groups, &Rates::tpr), Difference(groups, &Rates::fpr), true);
  if (measure == "equalized_odds_ratio") return Worse(Ratio(groups, &Rates::tpr), Ratio(groups, &Rates::fpr), false);
  if (measure == "equal_opportunity_difference") return Difference(groups, &Rates::tpr);
  if (measure == "equal_opportunity_ratio") return Ratio(groups, &Rates::tpr);
  if (measure == "accuracy_difference") return Difference(groups, &Rates::accuracy);
  if (measure == "mean_prediction_difference") return Difference(groups, &Rates::prediction);
  if (measure == "mae_difference") return Difference(groups, &Rates::mae);
  if (measure == "mae_ratio") return Ratio(groups, &Rates::mae);
  return kNaN;
}

std::vector<double> Weights(const Scored& s) { return s.weights.empty() ? std::vector<double>(s.rows(), 1.0) : s.weights; }

double ValueWith(const Scored& s, const Groups& groups, const std::string& measure, const std::vector<double>& w) {
  std::vector<Rates> rates;
  for (const auto& rows : groups.rows)
    if (rows.size() >= kMinGroup) rates.push_back(RatesOf(s, rows, w));
  return Compute(measure, rates);
}

}  // namespace

const std::vector<FairnessInfo>& FairnessMeasures() {
  static const std::vector<FairnessInfo> rows = {
      {"demographic_parity_difference", {Task::binary}, "largest minus smallest share decided positive; 0 is equal"},
      {"demographic_parity_ratio", {Task::binary}, "smallest over largest share decided positive; 1 is equal, 0.8 the four-fifths rule"},
      {"equalized_odds_difference", {Task::binary}, "the larger of the differences in true and false positive rate"},
      {"equalized_odds_ratio", {Task::binary}, "the smaller of the ratios of true and false positive rates"},
      {"equal_opportunity_difference", {Task::binary}, "largest minus smallest true positive rate"},
      {"equal_opportunity_ratio", {Task::binary}, "smallest over largest true positive rate"},
      {"accuracy_difference", {Task::binary, Task::multiclass}, "largest minus smallest accuracy"},
      {"mean_prediction_difference", {Task::regression}, "largest minus smallest mean prediction, in the target's unit"},
      {"mae_difference", {Task::regression}, "largest minus smallest mean absolute error, in the target's unit"},
      {"mae_ratio", {Task::regression}, "smallest over largest mean absolute error"},
  };
  return rows;
}

const FairnessInfo* FindFairness(std::string_view name) {
  for (const FairnessInfo& row : FairnessMeasures())
    if (row.name == name) return &row;
  return nullptr;
}

std::optional<double> FairnessValue(const Scored& scored, const Groups& groups, const std::string& measure, std::string& why) {
  const double value = ValueWith(scored, groups, measure, Weights(scored));
  if (!std::isnan(value)) return value;
  const auto large = std::count_if(groups.rows.begin(), groups.rows.end(), [](const auto& rows) { return rows.size() >= kMinGroup; });
  why = large < 2 ? fmt::format("column \"{}\" has {} group{} of at least {} rows in the test part, two are needed", groups.column, large, large == 1 ? "" : "s", kMinGroup)
                  : fmt::format("{} is undefined over the groups of \"{}\": a rate has no rows to stand on, or nobody is selected", measure, groups.column);
  return std::nullopt;
}

std::optional<Interval> FairnessInterval(const Scored& scored, const Groups& groups, const std::string& measure, int resamples, uint64_t seed, double level, std::string& why) {
  const std::optional<double> value = FairnessValue(scored, groups, measure, why);
  if (!value) return std::nullopt;
  const std::vector<double> own = Weights(scored);
  Random random(seed);
  std::vector<double> samples, w;
  for (int b = 0; b < resamples; ++b) {
    w.assign(own.size(), 0);
    for (size_t i = 0; i < own.size(); ++i) w[random.Below(own.size())] += 1;
    for (size_t i = 0; i < own.size(); ++i) w[i] *= own[i];
    const double v = ValueWith(scored, groups, measure, w);
    if (!std::isnan(v)) samples.push_back(v);
  }
  if (samples.size() * 2 < static_cast<size_t>(std::max(resamples, 1))) return Interval{*value, kNaN, kNaN};
  std::sort(samples.begin(), samples.end());
  const auto at = [&](double q) { return samples[static_cast<size_t>(std::lround(q * static_cast<double>(samples.size() - 1)))]; };
  return Interval{*value, at((1 - level) / 2), at((1 + level) / 2)};
}

Json FairnessReport(const Scored& scored, const Groups& groups) {
  Json out = Json::MakeObject();
  std::string why;
  Json notes = Json::MakeArray();
  for (const FairnessInfo& info : FairnessMeasures()) {
    if (std::find(info.tasks.begin(), info.tasks.end(), scored.task) == info.tasks.end()) continue;
    why.clear();
    const auto value = FairnessValue(scored, groups, info.name, why);
    out.Set(info.name, value ? Json(*value) : Json());
    if (!value && (notes.size() == 0 || notes[notes.size() - 1].AsString() != why)) notes.Push(why);
  }
  if (scored.task == Task::multiclass) notes.Push("parity and odds measures are for binary tasks; for multiclass compare accuracy and the metrics per group");
  if (scored.task == Task::regression) notes.Push("parity and odds measures are for binary tasks; for regression compare mean predictions and errors per group");
  const std::vector<double> w = Weights(scored);
  Json members = Json::MakeObject();
  for (size_t g = 0; g < groups.names.size(); ++g) {
    const Rates rates = RatesOf(scored, groups.rows[g], w);
    Json group = Json::MakeObject().Set("rows", groups.rows[g].size());
    if (groups.rows[g].size() < kMinGroup) group.Set("small", true);
    if (scored.task == Task::binary) group.Set("selection_rate", Number(rates.selection)).Set("true_positive_rate", Number(rates.tpr)).Set("false_positive_rate", Number(rates.fpr));
    if (scored.task == Task::regression) group.Set("mean_prediction", Number(rates.prediction)).Set("mean_label", Number(rates.label));
    const Scored part = Subset(scored, groups.rows[g]);
    for (const MetricInfo& metric : Metrics())
      if (metric.AppliesTo(scored.task)) group.Set(metric.name, Number(metric.compute(part)));
    members.Set(groups.names[g], std::move(group));
  }
  out.Set("groups", std::move(members));
  if (notes.size() > 0) out.Set("notes", std::move(notes));
  return out;
}

}  // namespace rondo::model
