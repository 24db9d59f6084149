/// Names and sizes that MLflow accepts, with its messages. Lengths count characters (code points).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "tracking/tracking.h"

namespace rondo::tracking {

inline constexpr size_t kMaxKey = 250, kMaxParamValue = 6000, kMaxTagValue = 8000, kMaxExperimentName = 500, kMaxExperimentTagValue = 20'000;
inline constexpr size_t kMaxBatchMetrics = 1000, kMaxBatchParams = 100, kMaxBatchTags = 100, kMaxBatch = 1000, kMaxInputs = 1000;

size_t Characters(std::string_view utf8);
/// Metric, param and tag keys: letters, digits, _ - . : / and space; must be the same after normalising as a path. `path` is what the message names ("key").
Status CheckKey(std::string_view path, std::string_view key);
Status CheckLength(std::string_view what, size_t limit, std::string_view value);
/// Cuts at a character boundary.
std::string Truncated(std::string_view value, size_t limit);
Status CheckBatch(const LogBatch& batch);
Status CheckExperimentName(const std::string& name);
Status CheckInput(const DatasetInput& input);
/// "thoughtful-heron-412"
std::string RandomRunName();

}  // namespace rondo::tracking
