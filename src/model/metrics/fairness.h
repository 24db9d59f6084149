/// Group fairness as Fairlearn defines it (fairlearn.metrics, 0.12): differences and ratios between the groups of a sensitive column.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/evaluate.h"
#include "model/metrics/groups.h"

namespace rondo::model {

struct FairnessInfo {
  std::string name;  ///< demographic_parity_difference ...
  std::vector<project::Task> tasks;
  std::string help;
};
/// Binary: selection_rate-, true and false positive rate-based. Multiclass and regression: differences of accuracy, error and mean prediction.
const std::vector<FairnessInfo>& FairnessMeasures();
const FairnessInfo* FindFairness(std::string_view name);

/// The measure over the groups of at least kMinGroup rows; empty with the reason in `why` when fewer than two groups have it.
std::optional<double> FairnessValue(const Scored& scored, const Groups& groups, const std::string& measure, std::string& why);
/// With bootstrap bounds: rows are drawn within the whole part, so group sizes vary as they would.
std::optional<Interval> FairnessInterval(const Scored& scored, const Groups& groups, const std::string& measure, int resamples, uint64_t seed, double level, std::string& why);

/// {MEASURE: value | null, "groups": {NAME: {"rows", "small"?, "selection_rate", "true_positive_rate", ..., METRIC: value}}, "notes": […]}.
Json FairnessReport(const Scored& scored, const Groups& groups);

}  // namespace rondo::model
