#include "steps/mlflow_model.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/version.h"

namespace rondo::steps {
namespace {

/// YAML single-quoted scalar.
std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

std::string_view MlflowType(const std::string& type) {
  if (type == "string" || type == "category" || type == "date" || type == "datetime") return "string";
  return "float";  // ints and bools too: a missing value must be possible, and the graph takes floats
}

}  // namespace

std::string MlmodelText(const model::Signature& signature, const std::string& run_id, const std::string& model_uuid, int64_t bytes, int64_t time_ms) {
  Json inputs = Json::MakeArray();
  for (const model::InputColumn& column : signature.inputs)
    inputs.Push(Json::MakeObject().Set("type", MlflowType(column.type)).Set("name", column.name).Set("required", false));
  Json outputs = Json::MakeArray();
  if (signature.task == project::Task::regression) {
    outputs.Push(Json::MakeObject().Set("type", "float").Set("name", "prediction").Set("required", true));
  } else {
    outputs.Push(Json::MakeObject().Set("type", "string").Set("name", "label").Set("required", true));
    outputs.Push(Json::MakeObject().Set("type", "float").Set("name", "probabilities").Set("required", true));
  }
  std::string when = FormatTime(time_ms);
  when[10] = ' ';
  return fmt::format(
      "artifact_path: model\n"
      "flavors:\n"
      "  onnx:\n"
      "    code: null\n"
      "    data: model.onnx\n"
      "    onnx_version: 1.19.0\n"
      "    providers:\n"
      "    - CPUExecutionProvider\n"
      "  python_function:\n"
      "    data: model.onnx\n"
      "    env:\n"
      "      virtualenv: python_env.yaml\n"
      "    loader_module: mlflow.onnx\n"
      "    python_version: 3.11.2\n"
      "mlflow_version: {}\n"
      "model_size_bytes: {}\n"
      "model_uuid: {}\n"
      "run_id: {}\n"
      "signature:\n"
      "  inputs: {}\n"
      "  outputs: {}\n"
      "  params: null\n"
      "utc_time_created: {}\n",
      kMlflowVersion, bytes, model_uuid, run_id, Quoted(inputs.Dump()), Quoted(outputs.Dump()), Quoted(when.substr(0, 23)));
}

std::string MlflowRequirements() { return fmt::format("mlflow=={}\nonnx\nonnxruntime\n", kMlflowVersion); }

}  // namespace rondo::steps
