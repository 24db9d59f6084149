#include "serving/answer.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/json.h"
#include "serving/columns.h"

namespace rondo::serving {
namespace {

void AppendFloat(std::string& out, float value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, static_cast<size_t>(end - buffer));
}
void AppendSize(std::string& out, size_t value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, static_cast<size_t>(end - buffer));
}

void AppendIds(const AnswerFacts& facts, std::string& out) {
  for (size_t i = 0; i < facts.ids.size(); ++i) {
    if (i) out += ',';
    out += facts.ids[i];
  }
}

void WriteOutput(const AnswerFacts& facts, const OutputInfo& output, std::string& out) {
  const model::Scores& scores = *facts.scores;
  const size_t rows = facts.decisions.size();
  out += R"({"name":")";
  out += output.name;
  out += R"(","datatype":")";
  out += output.datatype;
  out += R"(","shape":[)";
  AppendSize(out, rows);
  if (output.name != "label") {
    out += ',';
    AppendSize(out, output.width);
  }
  out += R"(],"data":[)";
  if (output.name == "label") {
    for (size_t i = 0; i < rows; ++i) {
      if (i) out += ',';
      AppendJsonString(out, facts.decisions[i]);
    }
  } else {
    for (size_t i = 0; i < rows * scores.width; ++i) {
      if (i) out += ',';
      AppendFloat(out, scores.values[i]);
    }
  }
  out += "]}";
}

}  // namespace

std::vector<OutputInfo> OutputsOf(const model::Signature& signature) {
  if (signature.task == project::Task::regression) return {{"prediction", "FP32", 1}};
  return {{"label", "BYTES", 1}, {"probabilities", "FP32", signature.classes.size()}};
}

Status CheckOutputs(const model::Signature& signature, const std::vector<std::string_view>& wanted) {
  const auto outputs = OutputsOf(signature);
  for (const std::string_view name : wanted) {
    bool known = false;
    std::string names;
    for (const OutputInfo& o : outputs) {
      known |= o.name == name;
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", o.name);
    }
    if (!known) return Fail(Code::kInvalid, fmt::format("the model has no output \"{}\"; it has {}", Shown(name), names));
  }
  return {};
}

void WriteOip(const AnswerFacts& facts, const std::vector<std::string_view>& wanted, std::string& out) {
  out.reserve(out.size() + 320 + facts.decisions.size() * 64 * (1 + facts.scores->width / 4));
  out += R"({"model_name":)";
  AppendJsonString(out, facts.endpoint);
  out += R"(,"model_version":")";
  out += facts.version;
  out += R"(","id":)";
  AppendJsonString(out, facts.request_id);
  out += R"(,"parameters":{"variant":")";
  out += facts.variant;
  out += R"(","prediction_id":")";
  out += facts.ids[0];
  if (facts.ids.size() > 1) {
    out += R"(","prediction_ids":")";
    AppendIds(facts, out);
  }
  out += R"("},"outputs":[)";
  bool first = true;
  auto write = [&](const OutputInfo& output) {
    if (!first) out += ',';
    first = false;
    WriteOutput(facts, output, out);
  };
  const auto outputs = OutputsOf(*facts.signature);
  if (wanted.empty()) {
    for (const OutputInfo& output : outputs) write(output);
  } else {
    for (const std::string_view name : wanted)
      for (const OutputInfo& output : outputs)
        if (output.name == name) write(output);
  }
  out += "]}";
}

void WriteInvocations(const AnswerFacts& facts, std::string& out) {
  const model::Scores& scores = *facts.scores;
  out += R"({"predictions":[)";
  for (size_t row = 0; row < facts.decisions.size(); ++row) {
    out += row ? ",{" : "{";
    if (facts.signature->task == project::Task::regression) {
      out += R"("prediction":)";
      AppendFloat(out, scores.values[row]);
    } else {
      out += R"("label":)";
      AppendJsonString(out, facts.decisions[row]);
      out += R"(,"probabilities":{)";
      for (size_t k = 0; k < scores.width; ++k) {
        if (k) out += ',';
        AppendJsonString(out, facts.signature->classes[k]);
        out += ':';
        AppendFloat(out, scores.values[row * scores.width + k]);
      }
      out += '}';
    }
    out += '}';
  }
  out += R"(],"model_version":")";
  out += facts.version;
  out += R"(","variant":")";
  out += facts.variant;
  out += R"(","prediction_ids":[)";
  for (size_t i = 0; i < facts.ids.size(); ++i) {
    out += i ? ",\"" : "\"";
    out += facts.ids[i];
    out += '"';
  }
  out += "]}";
}

}  // namespace rondo::serving
