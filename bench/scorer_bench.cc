// One row through a fused model of the churn data's shape (19 raw columns, 16 of them texts; 300 trees of depth 4): our evaluator against ONNX Runtime.
#include <benchmark/benchmark.h>

#include "base/file.h"
#include "model/test_data.h"

namespace rondo::model {
namespace {

struct Setup {
  TempDir dir;
  std::unique_ptr<FeatureGraph> graph;
  Signature signature;
  table::Frame frame;
  InputBatch batch;

  explicit Setup(size_t trees, int depth, bool linear = false) {
    // Texts and numbers as in examples/churn, so that the benchmark needs no file.
    Random random(1);
    const size_t rows = 4096;
    const std::vector<std::vector<std::string>> levels = {{"Yes", "No"}, {"Yes", "No", "No internet service"}, {"DSL", "Fiber optic", "No"}, {"Month-to-month", "One year", "Two year"},
                                                          {"Electronic check", "Mailed check", "Bank transfer (automatic)", "Credit card (automatic)"}};
    for (int c = 0; c < 16; ++c) {
      std::vector<std::string> texts(rows);
      const auto& list = levels[static_cast<size_t>(c) % levels.size()];
      for (auto& t : texts) t = list[random.Below(list.size())];
      frame.columns.push_back(TextColumn("text" + std::to_string(c), texts));
    }
    for (int c = 0; c < 3; ++c) {
      std::vector<double> numbers(rows);
      for (double& v : numbers) v = random.Below(20) == 0 ? std::numeric_limits<double>::quiet_NaN() : random.Uniform() * 100;
      frame.columns.push_back(NumberColumn("number" + std::to_string(c), numbers));
    }
    graph = std::move(*FitFeatures({}, ColumnsOfFrame(frame), frame, 0));
    FittedModel model = linear ? FittedModel{} : RandomTrees(*graph->Transform(frame), trees, depth, 1, 7);
    if (linear) {
      model.algorithm = "logistic";
      model.linear = true;
      model.base = {0.1f};
      for (size_t i = 0; i < graph->names().size(); ++i) model.coefficients.push_back(random.Normal());
    }
    model.link = Link::kLogistic;
    signature.inputs = graph->inputs();
    signature.classes = {"No", "Yes"};
    const auto bytes = WriteOnnx(*graph, model, signature, {});
    (void)WriteFileAtomic(dir.path() / "m.onnx", *bytes);
    batch = *BatchFromFrame(signature, frame);
  }
  InputBatch Row(size_t r) const {
    InputBatch row;
    row.rows = 1;
    row.numbers.resize(batch.numbers.size());
    row.texts.resize(batch.texts.size());
    for (size_t c = 0; c < batch.numbers.size(); ++c) {
      if (!batch.numbers[c].empty()) row.numbers[c] = {batch.numbers[c][r]};
      else row.texts[c] = {batch.texts[c][r]};
    }
    return row;
  }
};

void OneRow(benchmark::State& state, RuntimeChoice choice, size_t trees, int depth, bool linear) {
  const Setup setup(trees, depth, linear);
  const auto scorer = LoadScorer(setup.dir.path() / "m.onnx", setup.signature, choice);
  if (!scorer) return state.SkipWithError(scorer.error().Text().c_str());
  // Different rows: a repeated one would be learnt by the branch predictor.
  std::vector<InputBatch> rows;
  for (size_t r = 0; r < 1024; ++r) rows.push_back(setup.Row(r));
  Scores scores;
  size_t at = 0;
  for (auto _ : state) {
    (void)(*scorer)->Score(rows[at++ % rows.size()], scores);
    benchmark::DoNotOptimize(scores.values.data());
  }
}
void Batch(benchmark::State& state, RuntimeChoice choice, size_t trees, int depth) {
  const Setup setup(trees, depth);
  const auto scorer = LoadScorer(setup.dir.path() / "m.onnx", setup.signature, choice);
  if (!scorer) return state.SkipWithError(scorer.error().Text().c_str());
  Scores scores;
  for (auto _ : state) {
    (void)(*scorer)->Score(setup.batch, scores);
    benchmark::DoNotOptimize(scores.values.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * setup.batch.rows));
}

BENCHMARK_CAPTURE(OneRow, own_300x4, RuntimeChoice::kOwn, 300, 4, false);
BENCHMARK_CAPTURE(OneRow, onnxruntime_300x4, RuntimeChoice::kOnnxRuntime, 300, 4, false);
BENCHMARK_CAPTURE(OneRow, own_500x8, RuntimeChoice::kOwn, 500, 8, false);
BENCHMARK_CAPTURE(OneRow, onnxruntime_500x8, RuntimeChoice::kOnnxRuntime, 500, 8, false);
BENCHMARK_CAPTURE(OneRow, own_features_only, RuntimeChoice::kOwn, 1, 1, false);
BENCHMARK_CAPTURE(OneRow, own_linear, RuntimeChoice::kOwn, 0, 0, true);
BENCHMARK_CAPTURE(OneRow, onnxruntime_linear, RuntimeChoice::kOnnxRuntime, 0, 0, true);
BENCHMARK_CAPTURE(Batch, own_300x4, RuntimeChoice::kOwn, 300, 4);
BENCHMARK_CAPTURE(Batch, onnxruntime_300x4, RuntimeChoice::kOnnxRuntime, 300, 4);
BENCHMARK_CAPTURE(Batch, own_500x8, RuntimeChoice::kOwn, 500, 8);

}  // namespace
}  // namespace rondo::model

BENCHMARK_MAIN();
