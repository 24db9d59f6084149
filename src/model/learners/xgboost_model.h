/// XGBoost's JSON model file as trees. Format: "Introduction to Model IO" of its documentation; base_score forms of 1.x, 2.x and 3.x.
#pragma once

#include <string>
#include <vector>

#include "model/train.h"

namespace rondo::model {

/// Objectives binary:logistic, multi:softprob, reg:squarederror; booster gbtree; numerical splits. Everything else is kUnsupported and named.
/// Malformed files (children out of range, cycles, wrong lengths) are kFailedCheck. `info` gets "trees" and "importance" (total gain by feature name).
Result<FittedModel> ParseXgboostModel(const std::string& json, const std::vector<std::string>& feature_names);

/// Any model file that the XGBoost library reads (UBJSON, JSON) as its JSON text; loads the engine.
Result<std::string> XgboostToJson(const std::string& bytes);

}  // namespace rondo::model
