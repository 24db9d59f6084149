/// A plan as ONNX nodes.
#pragma once

#include "model/features/plan.h"
#include "model/onnx/builder.h"

namespace rondo::model {

/// Declares the raw inputs and adds the nodes; returns the name of the matrix, float [N, columns].
OnnxBuilder::Name EmitFeatures(const Plan& plan, OnnxBuilder& graph);
/// Parts of a date text [N,1], each float [N,1], missing as NaN.
std::vector<OnnxBuilder::Name> EmitDateParts(const OnnxBuilder::Name& text, const std::vector<DatePart>& parts, int64_t reference_days, OnnxBuilder& graph);

}  // namespace rondo::model
