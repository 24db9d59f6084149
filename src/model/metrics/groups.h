/// Rows divided by the values of one raw column: the slices and the groups of fairness.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "table/table.h"

namespace rondo::model {

/// Groups under this many rows are shown, not gated.
inline constexpr size_t kMinGroup = 30;
inline constexpr const char* kMissingGroup = "(missing)";
inline constexpr const char* kOtherGroup = "(other)";

struct Groups {
  std::string column;
  std::vector<std::string> names;          ///< sorted by value; missing last
  std::vector<std::vector<size_t>> rows;   ///< per group
};

/// Numeric columns with `edges`, or with more than ten values, are binned: "<30", "30..50", ">=50" (a bin holds its lower edge; without edges:
/// quartiles). Other columns: one group a value; beyond `max_levels` the rarest become "(other)". Missing is a group.
Groups MakeGroups(const table::Column& column, const std::vector<double>& edges, size_t max_levels = 20);
/// The group of that name; numbers may be written in any way ("1", "1.0").
std::optional<size_t> FindGroup(const Groups& groups, const std::string& name);

}  // namespace rondo::model
