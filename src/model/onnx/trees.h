/// Trees as the attributes of TreeEnsembleRegressor (ai.onnx.ml 3), and back.
#pragma once

#include "model/onnx/builder.h"
#include "model/onnx/model.h"
#include "model/train.h"

namespace rondo::model {

/// kInvalid when a tree isn't one: children out of range or shared, unreachable nodes, features or outputs that don't exist.
Status CheckTrees(const FittedModel& model, size_t features);
OnnxAttributes TreeAttributes(const FittedModel& model);
/// Only what TreeAttributes writes; kUnsupported otherwise.
Result<std::vector<Tree>> TreesFrom(const OnnxNode& node);

}  // namespace rondo::model
