/// Fits one model end to end: features -> learner -> fused ONNX bytes -> export check. Used by `train` and for the baselines of `evaluate`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/evaluate.h"
#include "model/scorer.h"
#include "model/train.h"
#include "steps/files.h"

namespace rondo::steps {

struct FitRequest {
  std::string algorithm;
  Json params;
  const table::Frame* train = nullptr;
  const table::Frame* validation = nullptr;
  const model::FeatureGraph* features = nullptr;
  std::function<void(const std::string&, double, int64_t)> on_metric;
};

struct Fit {
  model::FittedModel fitted;
  model::Signature signature;     ///< with the threshold chosen on the validation part
  model::Labels train_y, validation_y;
  std::vector<float> native_validation, native_train;  ///< the learner's own predictions, undone of log1p
};

Result<Fit> FitModel(const Context& c, const FitRequest& request);

/// Learner outputs of any part, in the target's units.
Result<std::vector<float>> PredictNative(const Context& c, const Fit& fit, const model::FeatureGraph& features, const table::Frame& part);

/// Writes out/model: model.onnx, signature.json, the learner's own file; refuses a graph that scores differently from the learner.
Result<model::ExportCheck> WriteModel(const Context& c, const Fit& fit, const model::FeatureGraph& features, const table::Frame& raw, const std::vector<float>& native,
                                      const std::filesystem::path& folder);

}  // namespace rondo::steps
