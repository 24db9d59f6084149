/// The model as an MLflow model folder with the ONNX flavour, so that `mlflow.onnx.load_model` works unchanged.
#pragma once

#include <string>

#include "model/scorer.h"

namespace rondo::steps {

/// Text of the `MLmodel` file. Format: MLflow 3 model folders, flavours `onnx` and `python_function`.
std::string MlmodelText(const model::Signature& signature, const std::string& run_id, const std::string& model_uuid, int64_t bytes, int64_t time_ms);
/// requirements.txt beside it.
std::string MlflowRequirements();

}  // namespace rondo::steps
