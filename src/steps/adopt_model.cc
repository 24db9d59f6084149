// Step `adopt-model`: what a user's train stage left in out/model becomes the standard form: model.onnx, signature.json, train.json.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_map.h"
#include "model/onnx/model.h"
#include "steps/fit.h"
#include "steps/native_model.h"
#include "steps/step.h"

namespace rondo::steps {
namespace {

/// Value of `key:` in a block of an MLmodel file that starts with `section:`; MLflow writes plain block YAML with two spaces of indent.
std::string MlmodelValue(const std::string& text, const std::string& section, const std::string& key) {
  size_t at = text.find("\n  " + section + ":");
  if (at == std::string::npos) return {};
  at = text.find('\n', at + 1);
  while (at != std::string::npos && text.compare(at, 5, "\n    ") == 0) {
    const size_t end = text.find('\n', at + 1);
    std::string line = text.substr(at + 5, end == std::string::npos ? std::string::npos : end - at - 5);
    if (line.starts_with(key + ":")) {
      line = line.substr(key.size() + 1);
      while (line.starts_with(' ')) line.erase(0, 1);
      return line;
    }
    at = end;
  }
  return {};
}

/// An MLflow model folder (out/model itself or one folder below it) -> path of its ONNX file; empty when there is none.
Result<fs::path> FromMlflow(const fs::path& folder) {
  std::vector<fs::path> candidates = {folder};
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder, ec))
    if (entry.is_directory()) candidates.push_back(entry.path());
  for (const fs::path& candidate : candidates) {
    if (!fs::exists(candidate / "MLmodel", ec)) continue;
    RONDO_TRY(const std::string text, ReadFile(candidate / "MLmodel", 4 << 20));
    const std::string data = MlmodelValue(text, "onnx", "data");
    if (data.empty())
      return Fail(Code::kUnsupported, "the MLflow model in " + candidate.string() + " has no `onnx` flavour", "save it with mlflow.onnx.save_model: pickles are never read");
    if (data.find("..") != std::string::npos || data.starts_with('/')) return Fail(Code::kFailedCheck, "the MLflow model names a file outside its folder: " + data);
    return candidate / data;
  }
  return fs::path();
}

/// The signature of a foreign ONNX file: inputs by name against the raw columns, classes from the problem.
Result<model::Signature> DeriveSignature(const Context& c, const std::string& bytes, const table::Frame& train) {
  RONDO_TRY(const model::OnnxModel onnx, model::ReadOnnx(bytes));
  model::Signature signature;
  signature.task = c.problem().task;
  signature.target = c.problem().target;
  signature.key = c.problem().key;
  signature.algorithm = "own code";
  RONDO_TRY(signature.classes, Classes(c.problem(), train));
  std::map<std::string, std::string> known;
  for (const model::InputColumn& column : FeatureColumns(c, train)) known[column.name] = column.type;
  for (const model::OnnxValue& input : onnx.inputs) {
    const auto it = known.find(input.name);
    if (it == known.end()) {
      std::string names;
      for (const auto& [name, type] : known) names += (names.empty() ? "" : ", ") + name;
      return Fail(Code::kFailedCheck, "the model's input \"" + input.name + "\" is no feature column of the data", "export one input per raw column, [N, 1], named like the column: " + names);
    }
    constexpr int32_t kOnnxString = 8;
    const bool text = input.element == kOnnxString;
    std::string type = it->second;
    const bool text_column = type == "string" || type == "category" || type == "date" || type == "datetime";
    if (text && !text_column) type = "category";  // the script reads the numbers as texts
    if (!text && text_column)
      return Fail(Code::kFailedCheck, "the model takes \"" + input.name + "\" as numbers, the data have texts there", "export that input as a string tensor");
    signature.inputs.push_back({input.name, type});
  }
  // Class order: classifiers keep their labels in the graph; ours is [negative, positive].
  for (const model::OnnxNode& node : onnx.nodes) {
    const model::OnnxAttribute* labels = node.Find("classlabels_strings");
    if (!labels) labels = node.Find("classlabels_string");
    if (!labels || labels->strings.empty()) continue;
    std::vector<std::string> order(labels->strings.begin(), labels->strings.end());
    if (signature.task == project::Task::binary && order.size() == 2 && order[1] != c.problem().positive && order[0] == c.problem().positive)
      return Fail(Code::kFailedCheck, "the model's second class is \"" + order[1] + "\", but the positive class \"" + c.problem().positive + "\" must come last",
                  "train on labels 0 and 1 (1 = positive), or rename the classes so that the positive one sorts last");
    if (signature.task == project::Task::multiclass) signature.classes = order;
  }
  return signature;
}

}  // namespace

Status AdoptModel(Context& c) {
  const fs::path folder = c.Path("out/model");
  std::error_code ec;
  if (!fs::is_directory(folder, ec)) return Fail(Code::kFailedCheck, "the train stage left no folder out/model", "write the model into the folder named by RONDO_OUT_MODEL");
  RONDO_TRY(const table::Frame train, ReadPart(c, "train"));
  RONDO_TRY(const table::Frame validation, ReadPart(c, "validation"));

  const fs::path onnx = folder / "model.onnx";
  RONDO_TRY(const bool native, AdoptNative(c, folder, train, validation));
  if (native) return {};
  RONDO_TRY(const fs::path mlflow, FromMlflow(folder));
  if (!mlflow.empty() && mlflow != onnx) {
    RONDO_TRY(const std::string bytes, ReadFile(mlflow));
    RONDO_DO(WriteFileAtomic(onnx, bytes));
  }
  if (!fs::exists(onnx, ec))
    return Fail(Code::kFailedCheck, "the train stage left nothing in out/model that can be served",
                "leave model.onnx, an XGBoost file (model.ubj or model.json), a LightGBM file (model.txt) or an MLflow model folder with the ONNX flavour");

  RONDO_TRY(const std::string bytes, ReadFile(onnx));
  model::Signature signature;
  if (fs::exists(folder / "signature.json", ec)) {
    RONDO_TRY(signature, model::ReadSignature(folder / "signature.json"));
  } else {
    auto derived = DeriveSignature(c, bytes, train);
    if (!derived) return Wrap(derived.error(), "out/model/model.onnx");
    signature = std::move(*derived);
  }
  auto scorer = model::LoadScorer(onnx, signature);
  if (!scorer) return Wrap(scorer.error(), "out/model/model.onnx");
  RONDO_TRY(const model::Labels labels, LabelsOf(c.problem(), signature.classes, validation, false));
  RONDO_TRY(const model::Scored scored, ScorePart(**scorer, c.problem(), validation, labels));
  if (signature.task == project::Task::binary) signature.threshold = model::ChooseThreshold(scored, c.problem().cost, c.problem().threshold);
  RONDO_DO(model::WriteSignature(signature, folder / "signature.json"));
  const Json info = Json::MakeObject()
                        .Set("algorithm", signature.algorithm)
                        .Set("source", mlflow.empty() ? "model.onnx" : "MLflow model folder")
                        .Set("runtime", (*scorer)->runtime())
                        .Set("train_rows", train.rows())
                        .Set("validation_rows", validation.rows())
                        .Set("threshold", signature.threshold);
  RONDO_DO(WriteFileAtomic(folder / "train.json", info.Pretty()));
  if (!c.run_id.empty()) {
    tracking::LogBatch batch;
    batch.tags = {{"rondo.model_digest", Sha256Hex(bytes)}};
    RONDO_DO(c.workspace->tracking().Log(c.run_id, batch));
  }
  c.Summary(fmt::format("own model with {} inputs, scored by {}", signature.inputs.size(), (*scorer)->runtime()));
  return {};
}

}  // namespace rondo::steps
