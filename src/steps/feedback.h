/// Labelled predictions that join the training data (`retrain.feedback: append`).
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "project/spec.h"
#include "steps/step.h"

namespace rondo::steps {

/// Where the monitor leaves labelled predictions of a dataset: out/feedback/<dataset>.parquet, raw columns + target + key.
std::filesystem::path FeedbackFile(const Context& c, const project::Dataset& spec);

/// Appends them to the ingested Parquet, matched by column name; rows whose key stands there already replace nothing and are skipped.
/// Returns how many rows were added; 0 when there is no feedback file or the project doesn't ask for it.
Result<int64_t> AppendFeedback(const Context& c, const project::Dataset& spec, const std::filesystem::path& parquet);

}  // namespace rondo::steps
