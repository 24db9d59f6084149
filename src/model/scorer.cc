#include "model/scorer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "base/file.h"
#include "base/json_map.h"
#include "base/nearest.h"
#include "model/batch.h"
#include "model/features/plan.h"
#include "model/runtimes/runtime.h"

namespace rondo::model {
namespace {

Result<std::vector<float>> NumbersOf(const InputColumn& input, const table::Column& column) {
  std::vector<float> out(column.size());
  if (column.numeric()) {
    for (size_t r = 0; r < out.size(); ++r) out[r] = static_cast<float>(column.numbers[r]);
    return out;
  }
  for (size_t r = 0; r < out.size(); ++r) {
    out[r] = std::numeric_limits<float>::quiet_NaN();
    if (column.missing[r]) continue;
    const std::string& text = column.strings[r];
    if (input.type == "bool" && (text == "true" || text == "false")) {
      out[r] = text == "true";
      continue;
    }
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
      return Fail(Code::kFailedCheck, "column " + input.name + ", row " + std::to_string(r + 1) + ": \"" + text.substr(0, 60) + "\" is no number",
                  "the model takes " + input.type + " here; an empty cell is missing");
    out[r] = static_cast<float>(number);
  }
  return out;
}

}  // namespace

Result<InputBatch> MakeBatch(const std::vector<InputColumn>& inputs, const table::Frame& frame) {
  InputBatch batch;
  batch.rows = frame.rows();
  batch.numbers.resize(inputs.size());
  batch.texts.resize(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const InputColumn& input = inputs[i];
    const table::Column* column = frame.Find(input.name);
    if (!column) {
      std::vector<std::string_view> names;
      for (const table::Column& c : frame.columns) names.push_back(c.name);
      const std::string nearest = Nearest(input.name, names);
      return Fail(Code::kInvalid, "the column " + input.name + " (" + input.type + ") is missing: the model needs it", nearest.empty() ? "" : "is it the column " + nearest + "?");
    }
    if (IsNumericType(input.type)) {
      RONDO_TRY(batch.numbers[i], NumbersOf(input, *column));
      continue;
    }
    std::vector<std::string_view>& texts = batch.texts[i];
    texts.reserve(column->size());
    if (column->numeric()) {
      auto made = std::make_shared<std::vector<std::string>>();
      made->reserve(column->size());
      for (size_t r = 0; r < column->size(); ++r) texts.push_back(made->emplace_back(column->Text(r)));
      batch.made.push_back(std::move(made));
    } else {
      for (size_t r = 0; r < column->size(); ++r) texts.push_back(column->missing[r] ? std::string_view() : std::string_view(column->strings[r]));
    }
  }
  return batch;
}

Result<InputBatch> BatchFromFrame(const Signature& signature, const table::Frame& frame) { return MakeBatch(signature.inputs, frame); }

Status CheckSignature(const Signature& s) {
  const std::string fix = "train or register the model again, or mend signature.json";
  std::unordered_set<std::string> seen;
  for (const InputColumn& input : s.inputs) {
    if (input.name.empty() || !seen.insert(input.name).second) return Fail(Code::kInvalid, "signature: the input \"" + input.name + "\" is there twice or has no name", fix);
    if (!table::ParseType(input.type)) return Fail(Code::kInvalid, "signature: the input " + input.name + " has the unknown type \"" + input.type + "\"", fix);
  }
  if (s.inputs.empty()) return Fail(Code::kInvalid, "signature: there are no inputs", fix);
  const size_t classes = s.classes.size();
  const bool fits = s.task == project::Task::binary ? classes == 2 : s.task == project::Task::multiclass ? classes >= 2 : classes == 0;
  if (!fits) return Fail(Code::kInvalid, "signature: " + std::to_string(classes) + " classes don't fit the task " + EnumName(s.task), fix);
  if (std::unordered_set<std::string>(s.classes.begin(), s.classes.end()).size() != classes) return Fail(Code::kInvalid, "signature: a class is there twice", fix);
  if (!std::isfinite(s.threshold)) return Fail(Code::kInvalid, "signature: the threshold is no finite number", fix);
  return {};
}

Result<Signature> ReadSignature(const std::filesystem::path& file) {
  RONDO_TRY(const std::string text, ReadFile(file, 64u << 20));
  auto signature = ReadJson<Signature>(text, UnknownKeys::kIgnore);
  if (!signature) return Wrap(signature.error(), file.string());
  if (Status status = CheckSignature(*signature); !status) return Wrap(status.error(), file.string());
  return signature;
}
Status WriteSignature(const Signature& signature, const std::filesystem::path& file) {
  RONDO_DO(CheckSignature(signature));
  return WriteFileAtomic(file, ToJson(signature).Pretty());
}

std::string Decision(const Signature& signature, const Scores& scores, size_t row) {
  if (signature.task == project::Task::regression) {
    std::string out;
    AppendJsonNumber(out, static_cast<double>(scores.Score(row)), Json::NonFinite::kNull);
    return out;
  }
  const float* p = scores.values.data() + row * scores.width;
  // The comparison is the graph's: float against the threshold as float.
  if (signature.task == project::Task::binary) return signature.classes[p[scores.width - 1] >= static_cast<float>(signature.threshold)];
  return signature.classes[static_cast<size_t>(std::max_element(p, p + scores.width) - p)];
}

Result<std::unique_ptr<Scorer>> LoadScorer(const std::filesystem::path& onnx, const Signature& signature, RuntimeChoice choice) {
  RONDO_DO(CheckSignature(signature));
  LoadedModel loaded;
  RONDO_TRY(loaded.bytes, ReadFile(onnx, OnnxLimits().max_bytes));
  auto model = ReadOnnx(loaded.bytes);
  if (!model) return Wrap(model.error(), onnx.string());
  loaded.model = std::move(*model);
  Error last{Code::kUnsupported, "no runtime reads it", ""};
  for (const RuntimeInfo& runtime : Runtimes()) {
    if ((choice == RuntimeChoice::kOwn && !runtime.own) || (choice == RuntimeChoice::kOnnxRuntime && runtime.own)) continue;
    auto scorer = runtime.load(loaded, signature);
    if (scorer) return scorer;
    last = scorer.error();
    if (last.code != Code::kUnsupported) break;
  }
  return Wrap(std::move(last), onnx.string());
}

}  // namespace rondo::model
