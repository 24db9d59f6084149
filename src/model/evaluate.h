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

struct MetricInfo {
  std::string name;  ///< auc average_precision log_loss brier accuracy balanced_accuracy precision recall f1 mcc ece rmse mae r2 mape median_ae ...
  std::vector<project::Task> tasks;
  bool higher_is_better = true;
  std::string help;
  std::vector<std::string> class_names() const;
  /// NaN when undefined on these rows (one class only, ...); never 0 instead.
  double (*compute)(const Scored&) = nullptr;
};
const std::vector<MetricInfo>& Metrics();
const MetricInfo* FindMetric(std::string_view name);

struct Interval {
  double value = 0, low = 0, high = 0;
};
BOOST_DESCRIBE_STRUCT(Interval, (), (value, low, high))

/// Percentile bootstrap over rows, stratified for nothing, seeded; 95 %.
Interval Bootstrap(const Scored& scored, const MetricInfo& metric, int resamples, uint64_t seed, double level = 0.95);

/// Decision threshold on the validation part: least cost, or best F1, or the fixed one.
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
/// A gate that can't be evaluated fails, with the reason. With confidence the bound is judged, not the value.
GateResult JudgeGate(const project::Gate& gate, const GateLookup& candidate, const GateLookup& champion, std::optional<double> confidence);

}  // namespace rondo::model
