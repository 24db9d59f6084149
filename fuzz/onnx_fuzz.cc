// A model file that somebody brings: the bounded reader, the plan in its metadata, the built-in evaluator.
#include <cstdint>
#include <string>

#include "model/features/graph.h"
#include "model/features/program.h"
#include "model/onnx/fused.h"
#include "model/runtimes/runtime.h"

namespace {
using namespace rondo;
using namespace rondo::model;

InputBatch OneRow(const std::vector<InputColumn>& inputs) {
  InputBatch batch;
  batch.rows = 1;
  batch.numbers.resize(inputs.size());
  batch.texts.resize(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (IsNumericType(inputs[i].type)) batch.numbers[i] = {1.5f};
    else batch.texts[i] = {"2024-02-29T10:00:00+02:00 free"};
  }
  return batch;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  LoadedModel loaded;
  loaded.bytes.assign(reinterpret_cast<const char*>(data), size);
  OnnxLimits limits;
  limits.max_elements = 1 << 20;
  auto model = ReadOnnx(loaded.bytes, limits);
  if (!model) return 0;
  loaded.model = std::move(*model);
  // The plan is checked by itself: hardly any mutated file gets past the comparison of the whole.
  if (const std::string* text = loaded.model.Metadata(kFeaturesKey)) {
    if (const auto json = ParseJson(*text)) {
      if (const auto plan = PlanFromJson(*json)) {
        const Program program(*plan);
        const InputBatch batch = OneRow(plan->inputs);
        std::vector<float> values(program.values()), out(program.width());
        if (program.Check(batch)) program.Run(batch, 0, values.data(), out.data());
        (void)ColumnsOf(*plan);
      }
    }
  }
  const auto fused = ReadFused(loaded.bytes, loaded.model);
  if (!fused) return 0;
  if (const auto scorer = LoadOwn(loaded, fused->signature)) {
    Scores scores;
    (void)(*scorer)->Score(OneRow(fused->signature.inputs), scores);
  }
  return 0;
}
