/// Metrics, intervals, slices, fairness, gates: from scores and labels to verdicts. Definitions are scikit-learn's and Fairlearn's.
#pragma once

#include <boost/describe.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "project/spec.h"

namespace rondo::model {

/// One part scored: labels, scores, decisions in step.
struct Scored {
  project::Task task = project::Task::binary;
  size_t classes = 2;
  std::vector<double> y;        ///< class index or value
  std::vector<double> scores;   ///< binary: P(positive) [n]; multiclass: [n][classes]; regression: [n]
  std::vector<int> decisions;   ///< class index; empty for regression
  std::vector<double> weights;  ///< empty: all 1
  size_t rows() const { return y.size(); }
};

class Ranked;

/// The whole metric (macro over the classes of multiclass), as opposed to the number of one class.
inline constexpr int kAllClasses = -1;
/// A metric of rows that carry weights `w` (one per row, >= 0; a resample is its counts); `cls` is a class index or kAllClasses.
using MetricKernel = double (*)(Ranked& ranked, const std::vector<double>& w, int cls);

struct MetricInfo {
  std::string name;  ///< auc average_precision log_loss brier accuracy balanced_accuracy precision recall f1 mcc ece rmse mae r2 mape median_ae ...
  std::vector<project::Task> tasks;
  bool higher_is_better = true;
  std::string help;
  bool per_class = false;  ///< `metric[class]` names one class against the rest
  /// NaN when undefined on these rows (one class only, no positive label, ...); never 0 instead.
  double (*compute)(const Scored&) = nullptr;
  MetricKernel kernel = nullptr;  ///< what `compute` calls; for resampling and single classes

  bool AppliesTo(project::Task task) const;
};
const std::vector<MetricInfo>& Metrics();
const MetricInfo* FindMetric(std::string_view name);
/// One class against the rest; NaN where the metric has no such form.
double ClassMetric(const Scored& scored, const MetricInfo& metric, int cls);

struct Interval {
  double value = 0, low = 0, high = 0;
};
BOOST_DESCRIBE_STRUCT(Interval, (), (value, low, high))

/// Percentile bootstrap over rows (not stratified), seeded; 95 %. Resamples where the metric is undefined are left out; low and high are NaN
/// when fewer than half are defined.
Interval Bootstrap(const Scored& scored, const MetricInfo& metric, int resamples, uint64_t seed, double level = 0.95);
/// What a bootstrap measures: a metric, of all classes or of one.
struct Measure {
  const MetricInfo* metric = nullptr;
  int cls = kAllClasses;
};
/// Several measures on the same resamples: rows are sorted once, so 8 metrics cost little more than one.
std::vector<Interval> BootstrapAll(const Scored& scored, const std::vector<Measure>& measures, int resamples, uint64_t seed, double level = 0.95);
/// Paired: interval of metric(a) - factor * metric(b), both scored on the same rows, resampled together.
Interval BootstrapDifference(const Scored& a, const Scored& b, const Measure& measure, double factor, int resamples, uint64_t seed, double level = 0.95);

/// Decision threshold on the validation part: least cost, or best F1, or the fixed one. It lies halfway between two scores that occur, so that
/// the last bit of a float decides nothing. 0.5 when the part has one class only.
double ChooseThreshold(const Scored& validation, const std::optional<project::Cost>& cost, const std::optional<double>& fixed);

/// Picks rows.
Scored Subset(const Scored& scored, const std::vector<size_t>& rows);

struct GateResult {
  std::string gate;
  double value = 0, limit = 0;
  bool passed = false, warn = false;
  std::string why;
};
BOOST_DESCRIBE_STRUCT(GateResult, (), (gate, value, limit, passed, warn, why))

/// How a gate finds its numbers; empty: it can't be evaluated, and the text says why.
using GateLookup = std::function<std::optional<Interval>(const project::Gate&, std::string& why)>;
/// A gate that can't be evaluated fails, with the reason. With confidence the bound is judged, not the value (low for >=, high for <=).
/// An empty `champion` function means that there is no champion yet: gates relative to it pass and say so.
GateResult JudgeGate(const project::Gate& gate, const GateLookup& candidate, const GateLookup& champion, std::optional<double> confidence);

}  // namespace rondo::model
