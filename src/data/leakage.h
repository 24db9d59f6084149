/// Leakage that can be seen in the split itself. Internal to this module.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"

namespace rondo::data {

/// Area under the ROC curve of `score` for `positive`; rows whose score is NaN are left out; NaN when one side is empty. Ties count half.
double SingleAuc(const std::vector<double>& score, const std::vector<uint8_t>& positive);

/// Warnings {"check", "severity", "message", "count"}: duplicates_across_parts, key_across_parts, group_across_parts, time_order, near_perfect_feature.
std::vector<Json> FindLeakage(const project::Project& project, const table::Frame& data, const SplitResult& split);

}  // namespace rondo::data
