/// Answers as JSON text, written straight into one string.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/scorer.h"

namespace rondo::serving {

/// Names, datatypes and widths of what a model answers: label + probabilities, or prediction.
struct OutputInfo {
  std::string_view name, datatype;
  size_t width = 1;
};
std::vector<OutputInfo> OutputsOf(const model::Signature& signature);
/// kInvalid when one of the names isn't an output of the model.
Status CheckOutputs(const model::Signature& signature, const std::vector<std::string_view>& wanted);

struct AnswerFacts {
  std::string_view endpoint, version, variant;
  std::string_view request_id;             ///< echoed, or the first prediction's id
  std::span<const std::string> ids;        ///< one per row
  std::span<const std::string> decisions;  ///< one per row
  const model::Signature* signature = nullptr;
  const model::Scores* scores = nullptr;
};
/// Open Inference Protocol. `parameters`: variant and prediction_id of the first row; with several rows also prediction_ids, joined by commas (the
/// protocol's parameters are single values). Numbers that JSON can't hold are null.
void WriteOip(const AnswerFacts& facts, const std::vector<std::string_view>& wanted, std::string& out);
/// MLflow's scoring protocol: {"predictions": [{"label", "probabilities": {CLASS: p}} or {"prediction"}], ...} and, beside them, variant, version and ids.
void WriteInvocations(const AnswerFacts& facts, std::string& out);

}  // namespace rondo::serving
