#include "model/runtimes/runtime.h"

namespace rondo::model {

const std::vector<RuntimeInfo>& Runtimes() {
  static const std::vector<RuntimeInfo> runtimes = {
      {"own", "models that Rondo trained: features, tree ensembles and linear models in a few microseconds a row", true, LoadOwn},
      {"onnxruntime", "every other ONNX model", false, LoadOnnxRuntime},
  };
  return runtimes;
}

}  // namespace rondo::model
