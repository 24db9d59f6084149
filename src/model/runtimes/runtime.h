/// The static table of model runtimes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/onnx/model.h"
#include "model/scorer.h"

namespace rondo::model {

struct LoadedModel {
  std::string bytes;
  OnnxModel model;  ///< views into `bytes`
};

struct RuntimeInfo {
  std::string_view name, help;
  bool own = false;  ///< part of this program, needs no engine
  /// kUnsupported: another runtime may be able to; any other error is final.
  Result<std::unique_ptr<Scorer>> (*load)(const LoadedModel&, const Signature&);
};
/// In the order in which they are tried.
const std::vector<RuntimeInfo>& Runtimes();

Result<std::unique_ptr<Scorer>> LoadOwn(const LoadedModel& loaded, const Signature& signature);
Result<std::unique_ptr<Scorer>> LoadOnnxRuntime(const LoadedModel& loaded, const Signature& signature);

}  // namespace rondo::model
