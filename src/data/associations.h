/// How columns go together, on a frame in memory. Internal to this module.
#pragma once

#include <vector>

#include "base/json.h"
#include "table/table.h"

namespace rondo::data {

/// Pearson's r over the rows where both are present; NaN when either is constant or fewer than 2 rows remain.
double Pearson(const std::vector<double>& x, const std::vector<double>& y);
/// Cramér's V over the rows where both codes are >= 0 (no bias correction): sqrt(χ² / n / (min(rows, columns) - 1)); NaN for a constant.
double CramersV(const std::vector<int>& a, int levels_a, const std::vector<int>& b, int levels_b);

/// {"pearson": {"columns", "matrix"}, "cramers_v": {"columns", "matrix"}, "rows"}; null where undefined. Strings with 2 to 50 levels and bools count as categories.
Json Associations(const table::Frame& frame);

}  // namespace rondo::data
