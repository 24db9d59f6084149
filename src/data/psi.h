/// Population stability index of a column against a stored profile. Internal to this module.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "table/table.h"

namespace rondo::data {

/// Σ (p - q) · ln(p / q) over the bins, with half a count added to each bin of both sides, so that an empty bin is finite.
double Psi(const std::vector<double>& reference, const std::vector<double>& current);

/// The bins of one column: SQL conditions over the present data, and the counts that the profile had.
struct PsiBins {
  std::string column;
  std::vector<std::string> conditions;
  std::vector<double> reference;
};
/// Numeric columns use the profile's decile bins, strings and bools its most frequent values plus the rest; missing is a bin of its own.
/// Empty conditions when the column can't be compared (dates, identifiers, another kind of type).
PsiBins BinsFromProfile(const std::string& column, table::Type type, const Json& profile);

}  // namespace rondo::data
