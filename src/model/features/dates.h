/// Dates in the feature graph: the same grammar and integer arithmetic as the ONNX nodes of features/onnx_dates.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "model/features/plan.h"

namespace rondo::model {

/// Minutes since 1970-01-01T00:00Z of `YYYY-MM-DD`, optionally followed by `T` or a space, `HH:MM`, `:SS`, a fraction, and `Z` or `±HH:MM`.
/// Everything else is missing. Day 31 of a short month counts on into the next one.
std::optional<int64_t> ParseMinutes(std::string_view text);
/// The part of that time, in UTC; weekday: 0 is Monday.
float PartOf(DatePart part, int64_t minutes, int64_t reference_days);
/// The whole UTC days since 1970 of a time.
int64_t DaysOf(int64_t time_ms);

/// The grammar as RE2 expressions, for the graph.
extern const char* const kDatePattern;

}  // namespace rondo::model
