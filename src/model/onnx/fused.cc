#include "model/onnx/fused.h"

#include <algorithm>
#include <cmath>

#include "base/json_map.h"
#include "model/features/emit.h"
#include "model/onnx/builder.h"
#include "model/onnx/trees.h"

namespace rondo::model {
namespace {

using Name = OnnxBuilder::Name;
int64_t I64(size_t n) { return static_cast<int64_t>(n); }

// What the nodes alone don't tell.
struct ModelNote {
  int64_t version = 1;
  std::string algorithm;
  size_t outputs = 1;
  std::vector<double> base;
  std::string link, compare;
  bool linear = false;
};
BOOST_DESCRIBE_STRUCT(ModelNote, (), (version, algorithm, outputs, base, link, compare, linear))

constexpr std::string_view kLinks[] = {"identity", "logistic", "softmax", "exp", "expm1"};
constexpr std::string_view kCompares[] = {"less", "less_equal"};

Status CheckFused(const FusedModel& f, size_t width) {
  RONDO_DO(CheckSignature(f.signature));
  const FittedModel& m = f.model;
  const auto bad = [&](const std::string& what) { return Fail(Code::kInvalid, "cannot write the model of " + m.algorithm + ": " + what); };
  const auto same = [](const InputColumn& a, const InputColumn& b) { return a.name == b.name && a.type == b.type; };
  if (!std::equal(f.plan.inputs.begin(), f.plan.inputs.end(), f.signature.inputs.begin(), f.signature.inputs.end(), same)) return bad("the signature's inputs are not those of the features");
  if (m.base.size() != m.outputs) return bad("it has " + std::to_string(m.base.size()) + " base scores for " + std::to_string(m.outputs) + " outputs");
  if (m.linear && m.coefficients.size() != m.outputs * width) return bad("it has " + std::to_string(m.coefficients.size()) + " coefficients for " + std::to_string(width) + " columns");
  if (m.linear && !m.trees.empty()) return bad("it is linear and has trees");
  for (const float b : m.base)
    if (std::isnan(b)) return bad("a base score is not a number");
  bool fits = false;
  if (f.signature.task == project::Task::binary) fits = (m.outputs == 1 && m.link == Link::kLogistic) || (m.outputs == 2 && m.link == Link::kSoftmax);
  if (f.signature.task == project::Task::multiclass) fits = m.outputs == f.signature.classes.size() && m.link == Link::kSoftmax;
  if (f.signature.task == project::Task::regression) fits = m.outputs == 1 && (m.link == Link::kIdentity || m.link == Link::kExp || m.link == Link::kExpm1);
  if (!fits) return bad(std::to_string(m.outputs) + " outputs with the link " + std::string(kLinks[static_cast<size_t>(m.link)]) + " don't fit the task " + EnumName(f.signature.task));
  for (const InputColumn& input : f.signature.inputs)
    if (f.signature.task == project::Task::regression ? input.name == "prediction" : input.name == "label" || input.name == "probabilities")
      return Fail(Code::kInvalid, "the column " + input.name + " has the name of one of the model's outputs", "rename it, for example with a dataset's sql: SELECT ... AS");
  return {};
}

// Raw scores, double [N, outputs].
Name EmitScores(const FittedModel& m, const Name& matrix, const std::string& first_input, size_t width, OnnxBuilder& g) {
  std::vector<double> base(m.base.begin(), m.base.end());
  const Name bases = g.Doubles(base, {1, I64(m.outputs)});
  if (m.linear) {
    std::vector<double> by_row(m.coefficients.size());
    for (size_t k = 0; k < m.outputs; ++k)
      for (size_t i = 0; i < width; ++i) by_row[i * m.outputs + k] = m.coefficients[k * width + i];
    const Name weights = g.Doubles(by_row, {I64(width), I64(m.outputs)});
    return g.Node("Add", {g.Node("MatMul", {g.Cast(matrix, OnnxType::kDouble), weights}), bases});
  }
  // Constant: one row of base scores for each row.
  if (m.trees.empty()) return g.Node("Expand", {bases, g.Node("Shape", {first_input})});
  return g.Node("Add", {g.Cast(g.Ml("TreeEnsembleRegressor", {matrix}, TreeAttributes(m)), OnnxType::kDouble), bases});
}

// Links are taken in double and rounded once: vectorised float versions depend on a row's place in the batch.
void EmitOutputs(const FusedModel& f, const Name& scores, OnnxBuilder& g) {
  const Signature& s = f.signature;
  const std::vector<int64_t> rows = {-1};
  if (s.task == project::Task::regression) {
    Name value = scores;
    if (f.model.link != Link::kIdentity) value = g.Node("Exp", {value});
    if (f.model.link == Link::kExpm1) value = g.Node("Sub", {value, g.Scalar(1.0)});
    g.Cast(value, OnnxType::kFloat, "prediction");
    g.Output("prediction", OnnxType::kFloat, std::vector<int64_t>{-1, 1});
    return;
  }
  Name wide;
  if (f.model.link == Link::kSoftmax) {
    wide = g.Node("Softmax", {scores}, OnnxAttributes().Int("axis", 1));
  } else {
    const Name p = g.Node("Sigmoid", {scores});
    wide = g.Node("Concat", {g.Node("Sub", {g.Scalar(1.0), p}), p}, OnnxAttributes().Int("axis", 1));
  }
  const Name probabilities = g.Cast(wide, OnnxType::kFloat, "probabilities");
  if (s.task == project::Task::binary) {
    const Name positive = g.Node("Gather", {probabilities, g.Scalar(int64_t{1})}, OnnxAttributes().Int("axis", 1));
    const Name yes = g.Node("GreaterOrEqual", {positive, g.Scalar(static_cast<float>(s.threshold))});
    const auto text = [&](const std::string& c) { return g.Strings({&c, 1}, {1}); };
    g.Node("Where", {yes, text(s.classes[1]), text(s.classes[0])}, {}, "label");
  } else {
    const Name best = g.Node("ArgMax", {probabilities}, OnnxAttributes().Int("axis", 1).Int("keepdims", 0));
    g.Node("Gather", {g.Strings(s.classes, {I64(s.classes.size())}), best}, OnnxAttributes().Int("axis", 0), "label");
  }
  g.Output("label", OnnxType::kString, rows);
  g.Output("probabilities", OnnxType::kFloat, std::vector<int64_t>{-1, I64(s.classes.size())});
}

std::unexpected<Error> NotOurs(const std::string& why) { return Fail(Code::kUnsupported, "the built-in evaluator can't read it: " + why, "ONNX Runtime can"); }

}  // namespace

Result<std::string> WriteFused(const FusedModel& f, const MetadataList& metadata) {
  size_t width = 0;
  for (const PlanBlock& b : f.plan.blocks) width += BlockWidth(b);
  RONDO_DO(CheckFused(f, width));
  RONDO_DO(CheckTrees(f.model, width));
  OnnxBuilder g;
  const Name matrix = EmitFeatures(f.plan, g);
  EmitOutputs(f, EmitScores(f.model, matrix, f.plan.inputs[0].name, width, g), g);
  ModelNote note;
  note.algorithm = f.model.algorithm;
  note.outputs = f.model.outputs;
  note.base.assign(f.model.base.begin(), f.model.base.end());
  note.link = kLinks[static_cast<size_t>(f.model.link)];
  note.compare = kCompares[static_cast<size_t>(f.model.compare)];
  note.linear = f.model.linear;
  MetadataList all;
  for (const auto& entry : metadata) {
    if (entry.first == kFeaturesKey || entry.first == kModelKey || entry.first == kSignatureKey) return Fail(Code::kInvalid, "the metadata key " + entry.first + " is the writer's own");
    all.push_back(entry);
  }
  all.emplace_back(kFeaturesKey, PlanToJson(f.plan).Dump());
  all.emplace_back(kModelKey, WriteJson(note));
  all.emplace_back(kSignatureKey, WriteJson(f.signature));
  std::string bytes = g.Finish("rondo", all);
  if (bytes.size() > OnnxLimits().max_bytes) return Fail(Code::kTooLarge, "the model would have " + std::to_string(bytes.size()) + " bytes; ONNX files end at 2 GiB", "train fewer or smaller trees");
  return bytes;
}

Result<std::string> WriteOnnx(const FeatureGraph& features, const FittedModel& model, const Signature& signature, const MetadataList& metadata) {
  RONDO_TRY(Plan plan, PlanFromJson(features.ToJson()));
  return WriteFused({std::move(plan), model, signature}, metadata);
}

Result<FusedModel> ReadFused(std::string_view bytes, const OnnxModel& model) {
  const std::string* features = model.Metadata(kFeaturesKey);
  const std::string* note_text = model.Metadata(kModelKey);
  const std::string* signature = model.Metadata(kSignatureKey);
  if (!features || !note_text || !signature) return NotOurs("Rondo didn't write it");
  FusedModel out;
  const auto parse = [&]() -> Status {
    RONDO_TRY(const Json plan, ParseJson(*features));
    RONDO_TRY(out.plan, PlanFromJson(plan));
    RONDO_TRY(const ModelNote note, ReadJson<ModelNote>(*note_text));
    RONDO_TRY(out.signature, ReadJson<Signature>(*signature));
    if (note.version != 1 || note.outputs > 100'000) return Fail(Code::kUnsupported, "unknown version");
    out.model.algorithm = note.algorithm;
    out.model.outputs = note.outputs;
    out.model.base.clear();
    for (const double b : note.base) out.model.base.push_back(static_cast<float>(b));
    const auto link = std::find(std::begin(kLinks), std::end(kLinks), note.link);
    const auto compare = std::find(std::begin(kCompares), std::end(kCompares), note.compare);
    if (link == std::end(kLinks) || compare == std::end(kCompares)) return Fail(Code::kUnsupported, "unknown link or comparison");
    out.model.link = static_cast<Link>(link - std::begin(kLinks));
    out.model.compare = static_cast<Compare>(compare - std::begin(kCompares));
    out.model.linear = note.linear;
    for (const OnnxNode& node : model.nodes) {
      if (node.op == "TreeEnsembleRegressor") {
        RONDO_TRY(out.model.trees, TreesFrom(node));
      }
      if (node.op == "MatMul" && note.linear) {
        const OnnxTensor* weights = node.inputs.size() == 2 ? model.Initializer(node.inputs[1]) : nullptr;
        if (!weights || weights->type != static_cast<int32_t>(OnnxType::kDouble) || weights->dims.size() != 2 || weights->raw.size() % 8) return Fail(Code::kUnsupported, "odd weights");
        const size_t count = weights->raw.size() / 8;
        if (note.outputs == 0 || count % note.outputs) return Fail(Code::kUnsupported, "odd weights");
        std::vector<double> by_row(count);
        std::copy_n(weights->raw.data(), weights->raw.size(), reinterpret_cast<char*>(by_row.data()));
        out.model.coefficients.resize(count);
        const size_t width = count / note.outputs;
        for (size_t k = 0; k < note.outputs; ++k)
          for (size_t i = 0; i < width; ++i) out.model.coefficients[k * width + i] = by_row[i * note.outputs + k];
      }
    }
    return {};
  };
  if (Status status = parse(); !status) return NotOurs(status.error().message);
  MetadataList metadata;
  for (const auto& entry : model.metadata)
    if (entry.first != kFeaturesKey && entry.first != kModelKey && entry.first != kSignatureKey) metadata.push_back(entry);
  auto again = WriteFused(out, metadata);
  if (!again) return NotOurs(again.error().message);
  if (*again != bytes) return NotOurs("it was changed after Rondo wrote it, or another release did");
  return out;
}

Status SameInterface(const Signature& of_file, const Signature& wanted) {
  const auto refuse = [](const std::string& what) { return Fail(Code::kInvalid, "model.onnx and its signature don't belong together: " + what, "use the signature.json that was written with the model"); };
  if (of_file.task != wanted.task) return refuse("the task is " + EnumName(of_file.task) + ", not " + EnumName(wanted.task));
  if (of_file.classes != wanted.classes) return refuse("the classes differ");
  if (of_file.inputs.size() != wanted.inputs.size()) return refuse("the model has " + std::to_string(of_file.inputs.size()) + " inputs, the signature " + std::to_string(wanted.inputs.size()));
  for (size_t i = 0; i < wanted.inputs.size(); ++i)
    if (of_file.inputs[i].name != wanted.inputs[i].name || of_file.inputs[i].type != wanted.inputs[i].type)
      return refuse("input " + std::to_string(i + 1) + " is " + of_file.inputs[i].name + " (" + of_file.inputs[i].type + "), not " + wanted.inputs[i].name + " (" + wanted.inputs[i].type + ")");
  return {};
}

}  // namespace rondo::model
