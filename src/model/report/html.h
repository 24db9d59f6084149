/// Small helpers for writing the report's HTML: escaping, numbers for people, table cells.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace rondo::model::report {

/// Text as HTML text or attribute value.
std::string Escape(std::string_view text);
/// Three decimals below 10, fewer above, thousands separated: 0.842, 12.3, 1,234. "–" for null and NaN.
std::string Show(double value);
std::string Show(const Json& number);
/// 0.125 -> "12.5 %".
std::string Percent(double share);
/// 7043 -> "7,043".
std::string Count(int64_t n);
/// "0.842" with its interval in a lighter line: 0.821–0.861.
std::string WithInterval(const Json& interval);

/// What a metric or fairness name means to a reader: "auc" -> "AUC", "false_positive_rate" -> "false positive rate".
std::string MetricTitle(const std::string& name);

enum class State { kOk, kWarn, kBad };
/// A mark that differs in shape, colour and word.
std::string Mark(State state, std::string_view word);
/// A horizontal bar for a share in [0, 1] of the scale; `negative` paints it in the warning colour.
std::string Bar(double share, bool negative = false);

/// <table> with a header row; `numeric_from`: columns from that index on are right-aligned numbers. Cells are HTML already.
std::string Table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows, size_t numeric_from = 1);
std::string Section(const std::string& id, const std::string& title, const std::string& lead, const std::string& body);

}  // namespace rondo::model::report
