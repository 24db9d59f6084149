/// LightGBM's text model file as trees (format "v4", GBDT::SaveModelToString).
#pragma once

#include <string>
#include <vector>

#include "model/train.h"

namespace rondo::model {

/// The largest float that isn't above `value`: for a float x, `x <= value` and `x <= FloorToFloat(value)` decide alike.
float FloorToFloat(double value);

/// Objectives binary, multiclass, regression; numerical splits; missing values as NaN or none (zero_as_missing is refused). Everything else is
/// kUnsupported and named; malformed files are kFailedCheck. `info` gets "trees" and "importance" (total gain by feature name).
Result<FittedModel> ParseLightgbmModel(const std::string& text, const std::vector<std::string>& feature_names);

}  // namespace rondo::model
