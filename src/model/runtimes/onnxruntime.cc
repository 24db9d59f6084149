#include <onnxruntime_c_api.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/dynlib.h"
#include "base/json_map.h"
#include "model/features/plan.h"
#include "model/runtimes/runtime.h"

namespace rondo::model {
namespace {

// The C functions and the process' one environment; made at first use and never released, as ONNX Runtime wants it.
struct Ort {
  const OrtApi* api = nullptr;
  OrtEnv* env = nullptr;
  OrtMemoryInfo* memory = nullptr;
  OrtAllocator* allocator = nullptr;

  Status Check(OrtStatus* status, std::string_view doing) const {
    if (!status) return {};
    std::string message = api->GetErrorMessage(status);
    api->ReleaseStatus(status);
    return Fail(Code::kFailedCheck, "ONNX Runtime: " + std::string(doing) + ": " + message.substr(0, 500));
  }
};

Result<const Ort*> LoadOrt() {
  static const Result<const Ort*> loaded = []() -> Result<const Ort*> {
    RONDO_TRY(Engine* const engine, Engine::Load("onnxruntime"));
    RONDO_TRY(void* const symbol, engine->Symbol("OrtGetApiBase"));
    const OrtApiBase* base = reinterpret_cast<const OrtApiBase* (*)()>(symbol)();
    auto* ort = new Ort;
    ort->api = base->GetApi(ORT_API_VERSION);
    if (!ort->api)
      return Fail(Code::kEnvironment, "ONNX Runtime " + std::string(base->GetVersionString()) + " in " + engine->path().string() + " is too old", "install the version that deps.lock pins: ./dev setup");
    RONDO_DO(ort->Check(ort->api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "rondo", &ort->env), "starting"));
    RONDO_DO(ort->Check(ort->api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &ort->memory), "starting"));
    RONDO_DO(ort->Check(ort->api->GetAllocatorWithDefaultOptions(&ort->allocator), "starting"));
    return ort;
  }();
  return loaded;
}

// TensorProto.DataType, which the C API's element types equal.
enum Element : int32_t { kFloat = 1, kInt32 = 6, kInt64 = 7, kString = 8, kBool = 9, kDouble = 11 };

// A model that Rondo didn't write may take one float matrix instead of a tensor per column.
struct Interface {
  bool matrix = false;
  std::vector<std::string> input_names;
  std::vector<int32_t> elements;
  std::string output;
  size_t width = 1;     ///< of the result
  bool positive_only = false;  ///< binary: the output is P(positive) alone
};

Result<Interface> FindInterface(const OnnxModel& model, const Signature& signature) {
  const auto refuse = [](const std::string& what, const std::string& hint = {}) { return Fail(Code::kInvalid, "the ONNX model doesn't fit its signature: " + what, hint); };
  Interface out;
  const size_t n = signature.inputs.size();
  const bool all_numeric = std::all_of(signature.inputs.begin(), signature.inputs.end(), [](const InputColumn& c) { return IsNumericType(c.type); });
  const auto known = [](int32_t e) { return e == kFloat || e == kInt32 || e == kInt64 || e == kBool || e == kDouble; };
  if (model.inputs.size() == 1 && all_numeric && (n != 1 || model.inputs[0].name != signature.inputs[0].name)) {
    const OnnxValue& in = model.inputs[0];
    if (in.element != kFloat && in.element != kDouble) return refuse("its one input " + in.name + " is no float or double matrix");
    if (in.has_shape && (in.dims.size() != 2 || (in.dims[1] >= 0 && in.dims[1] != static_cast<int64_t>(n)))) return refuse("its one input " + in.name + " hasn't the shape [N, " + std::to_string(n) + "]");
    out.matrix = true;
    out.input_names.push_back(in.name);
    out.elements.push_back(in.element);
  } else {
    for (const InputColumn& column : signature.inputs) {
      const auto in = std::find_if(model.inputs.begin(), model.inputs.end(), [&](const OnnxValue& v) { return v.name == column.name; });
      if (in == model.inputs.end()) return refuse("it has no input named " + column.name, "the model takes one input per column, named as the column, or one float matrix [N, columns]");
      if (IsNumericType(column.type) ? !known(in->element) : in->element != kString) return refuse("its input " + column.name + " has another type than the column (" + column.type + ")");
      if (in->has_shape && (in->dims.empty() || in->dims.size() > 2 || (in->dims.size() == 2 && in->dims[1] > 1))) return refuse("its input " + column.name + " hasn't the shape [N, 1]");
      out.input_names.push_back(column.name);
      out.elements.push_back(in->element);
    }
    if (model.inputs.size() != n)
      for (const OnnxValue& v : model.inputs)
        if (std::find(out.input_names.begin(), out.input_names.end(), v.name) == out.input_names.end()) return refuse("it has the input " + v.name + ", which is no column");
  }
  const bool regression = signature.task == project::Task::regression;
  out.width = regression ? 1 : signature.classes.size();
  const OnnxValue* found = nullptr;
  bool one_column = false;
  for (const bool by_name : {true, false}) {
    for (const OnnxValue& v : model.outputs) {
      if (found || (v.element != kFloat && v.element != kDouble)) continue;
      if (by_name && v.name != (regression ? "prediction" : "probabilities")) continue;
      const int64_t last = v.dims.size() == 2 ? v.dims[1] : v.dims.size() == 1 ? 1 : -1;
      if (v.dims.size() > 2) continue;
      const bool one = last == 1 && signature.task == project::Task::binary;
      if (last >= 0 && last != static_cast<int64_t>(out.width) && !one) continue;
      found = &v;
      one_column = one;
    }
  }
  if (!found)
    return refuse("no output is a float tensor [N, " + std::to_string(out.width) + "]", regression ? "" : "export it with probabilities as a tensor (skl2onnx: zipmap=False)");
  out.output = found->name;
  out.positive_only = one_column;
  return out;
}

class OnnxRuntimeScorer : public Scorer {
 public:
  OnnxRuntimeScorer(Signature signature, const Ort* ort, OrtSession* session, Interface interface)
      : Scorer(std::move(signature)), ort_(ort), session_(session), interface_(std::move(interface)) {
    for (const std::string& name : interface_.input_names) names_.push_back(name.c_str());
  }
  ~OnnxRuntimeScorer() override { ort_->api->ReleaseSession(session_); }
  std::string_view runtime() const override { return "onnxruntime"; }

  Status Score(const InputBatch& batch, Scores& out) const override {
    const size_t n = signature_.inputs.size();
    bool fits = batch.numbers.size() == n && batch.texts.size() == n;
    for (size_t c = 0; fits && c < n; ++c) fits = (IsNumericType(signature_.inputs[c].type) ? batch.numbers[c].size() : batch.texts[c].size()) == batch.rows;
    if (!fits) return Fail(Code::kInvalid, "the rows to score haven't the model's " + std::to_string(n) + " columns", "take the columns from signature.json");
    out.width = interface_.width;
    out.values.resize(batch.rows * out.width);
    // In blocks: a graph's intermediate tensors are many times its input (one-hot columns, terms in double).
    constexpr size_t kBlock = 512;
    for (size_t begin = 0; begin < batch.rows; begin += kBlock) RONDO_DO(ScoreBlock(batch, begin, std::min(kBlock, batch.rows - begin), out));
    return {};
  }

 private:
  // Tensors of one call; released at its end.
  struct Values {
    explicit Values(const Ort* o) : ort(o) {}
    ~Values() {
      for (OrtValue* v : list) ort->api->ReleaseValue(v);
    }
    Values(const Values&) = delete;
    Values& operator=(const Values&) = delete;
    const Ort* ort;
    std::vector<OrtValue*> list;
  };

  Status ScoreBlock(const InputBatch& batch, size_t begin, size_t rows, Scores& out) const {
    Values values(ort_);
    if (interface_.matrix) {
      RONDO_DO(AddMatrix(batch, begin, rows, values));
    } else {
      for (size_t c = 0; c < signature_.inputs.size(); ++c) RONDO_DO(AddColumn(batch, c, begin, rows, values));
    }
    OrtValue* result = nullptr;
    const char* output = interface_.output.c_str();
    RONDO_DO(ort_->Check(ort_->api->Run(session_, nullptr, names_.data(), values.list.data(), values.list.size(), &output, 1, &result), "scoring"));
    Values owned(ort_);
    owned.list.push_back(result);
    return Take(result, begin, rows, out);
  }

  Result<void*> NewTensor(size_t rows, size_t columns, int32_t element, Values& values) const {
    const int64_t shape[2] = {static_cast<int64_t>(rows), static_cast<int64_t>(columns)};
    OrtValue* value = nullptr;
    RONDO_DO(ort_->Check(ort_->api->CreateTensorAsOrtValue(ort_->allocator, shape, 2, static_cast<ONNXTensorElementDataType>(element), &value), "a tensor"));
    values.list.push_back(value);
    void* data = nullptr;
    if (element != kString) RONDO_DO(ort_->Check(ort_->api->GetTensorMutableData(value, &data), "a tensor"));
    return data;
  }

  static Status Convert(float x, int32_t element, void* data, size_t at, const std::string& column) {
    if (element == kFloat) static_cast<float*>(data)[at] = x;
    else if (element == kDouble) static_cast<double*>(data)[at] = static_cast<double>(x);
    else if (!(std::fabs(x) < 9e18f)) return Fail(Code::kFailedCheck, "the column " + column + " is missing in a row, and the model takes only whole numbers there", "export the model with float inputs, or fill the column before");
    else if (element == kInt64) static_cast<int64_t*>(data)[at] = static_cast<int64_t>(x);
    else if (element == kInt32) static_cast<int32_t*>(data)[at] = static_cast<int32_t>(std::clamp(x, -2147483648.0f, 2147483520.0f));
    else static_cast<bool*>(data)[at] = x != 0;
    return {};
  }

  Status AddMatrix(const InputBatch& batch, size_t begin, size_t rows, Values& values) const {
    const size_t n = signature_.inputs.size();
    RONDO_TRY(void* const data, NewTensor(rows, n, interface_.elements[0], values));
    for (size_t c = 0; c < n; ++c)
      for (size_t r = 0; r < rows; ++r) RONDO_DO(Convert(batch.numbers[c][begin + r], interface_.elements[0], data, r * n + c, signature_.inputs[c].name));
    return {};
  }

  Status AddColumn(const InputBatch& batch, size_t c, size_t begin, size_t rows, Values& values) const {
    const int32_t element = interface_.elements[c];
    RONDO_TRY(void* const data, NewTensor(rows, 1, element, values));
    if (element != kString) {
      for (size_t r = 0; r < rows; ++r) RONDO_DO(Convert(batch.numbers[c][begin + r], element, data, r, signature_.inputs[c].name));
      return {};
    }
    for (size_t r = 0; r < rows; ++r) {
      const std::string_view text = batch.texts[c][begin + r];
      char* buffer = nullptr;
      RONDO_DO(ort_->Check(ort_->api->GetResizedStringTensorElementBuffer(values.list.back(), r, text.size(), &buffer), "a text"));
      if (!text.empty()) std::memcpy(buffer, text.data(), text.size());
    }
    return {};
  }

  Status Take(OrtValue* result, size_t begin, size_t rows, Scores& out) const {
    OrtTensorTypeAndShapeInfo* info = nullptr;
    RONDO_DO(ort_->Check(ort_->api->GetTensorTypeAndShape(result, &info), "the result"));
    size_t count = 0;
    ONNXTensorElementDataType element{};
    Status status = ort_->Check(ort_->api->GetTensorShapeElementCount(info, &count), "the result");
    if (status) status = ort_->Check(ort_->api->GetTensorElementType(info, &element), "the result");
    ort_->api->ReleaseTensorTypeAndShapeInfo(info);
    if (!status) return status;
    void* data = nullptr;
    RONDO_DO(ort_->Check(ort_->api->GetTensorMutableData(result, &data), "the result"));
    const auto at = [&](size_t i) { return element == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE ? static_cast<float>(static_cast<const double*>(data)[i]) : static_cast<const float*>(data)[i]; };
    const bool one = interface_.positive_only || (out.width == 2 && count == rows);
    if (count != rows * (one ? 1 : out.width) || (element != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT && element != ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE))
      return Fail(Code::kFailedCheck, "the model gave " + std::to_string(count) + " numbers for " + std::to_string(rows) + " rows", "its output " + interface_.output + " must have the shape [N, " + std::to_string(out.width) + "]");
    float* to = out.values.data() + begin * out.width;
    for (size_t r = 0; r < rows; ++r) {
      if (one) {
        to[2 * r] = 1 - at(r);
        to[2 * r + 1] = at(r);
        continue;
      }
      for (size_t k = 0; k < out.width; ++k) to[r * out.width + k] = at(r * out.width + k);
    }
    return {};
  }

  const Ort* ort_;
  OrtSession* session_;
  Interface interface_;
  std::vector<const char*> names_;
};

}  // namespace

Result<std::unique_ptr<Scorer>> LoadOnnxRuntime(const LoadedModel& loaded, const Signature& signature) {
  RONDO_TRY(Interface interface, FindInterface(loaded.model, signature));
  RONDO_TRY(const Ort* const ort, LoadOrt());
  OrtSessionOptions* options = nullptr;
  RONDO_DO(ort->Check(ort->api->CreateSessionOptions(&options), "options"));
  // Requests are many and small: one thread each, no pool per model.
  Status status = ort->Check(ort->api->SetIntraOpNumThreads(options, 1), "options");
  if (status) status = ort->Check(ort->api->SetInterOpNumThreads(options, 1), "options");
  OrtSession* session = nullptr;
  // From memory: without a folder there is nothing that external data could be relative to.
  if (status) status = ort->Check(ort->api->CreateSessionFromArray(ort->env, loaded.bytes.data(), loaded.bytes.size(), options, &session), "loading the model");
  ort->api->ReleaseSessionOptions(options);
  if (!status) return std::unexpected(status.error());
  return std::make_unique<OnnxRuntimeScorer>(signature, ort, session, std::move(interface));
}

}  // namespace rondo::model
