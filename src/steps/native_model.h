/// Learners' own files (XGBoost, LightGBM) that a user's script left behind, fused with the project's fitted features.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "steps/step.h"
#include "table/table.h"

namespace rondo::steps {

/// False when the folder holds no such file. The matrix of the script must have the columns of out/prepare/features.json, in that order.
Result<bool> AdoptNative(Context& c, const std::filesystem::path& folder, const table::Frame& train, const table::Frame& validation);

}  // namespace rondo::steps
