/// The fused model: features and learner in one ONNX file, and the way back from such a file.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/features/plan.h"
#include "model/onnx/model.h"
#include "model/scorer.h"
#include "model/train.h"

namespace rondo::model {

struct FusedModel {
  Plan plan;
  FittedModel model;  ///< without info and native
  Signature signature;
};

using MetadataList = std::vector<std::pair<std::string, std::string>>;

/// Metadata keys that the writer sets itself.
constexpr std::string_view kFeaturesKey = "rondo.features", kModelKey = "rondo.model", kSignatureKey = "rondo.signature";

/// The same input always gives the same bytes.
Result<std::string> WriteFused(const FusedModel& fused, const MetadataList& metadata);

/// Reads back what WriteFused wrote: trees and coefficients from the nodes, the plan from the metadata. Then writes it again and compares: only a file
/// whose every byte is explained is accepted, so scoring it from these structs is scoring its graph. Anything else is kUnsupported, for ONNX Runtime.
Result<FusedModel> ReadFused(std::string_view bytes, const OnnxModel& model);

/// kInvalid when inputs, task or classes differ. The threshold may: it is the caller's.
Status SameInterface(const Signature& of_file, const Signature& wanted);

}  // namespace rondo::model
