// The three evaluators (Transform + plain walk, our scorer, ONNX Runtime) agree on real and on nasty data.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <thread>

#include "base/file.h"
#include "model/features/emit.h"
#include "model/onnx/fused.h"
#include "model/test_data.h"

namespace rondo::model {
namespace {

project::Features TelcoSpec() {
  project::Features spec;
  spec.derive = {{"charge_per_month", "total_charges / max(tenure, 1)"}};
  return spec;
}

Signature SignatureFor(const FeatureGraph& graph, project::Task task, size_t classes) {
  Signature s;
  s.task = task;
  s.target = "y";
  s.inputs = graph.inputs();
  for (size_t i = 0; task != project::Task::regression && i < classes; ++i) s.classes.push_back(i == 0 ? "No" : i == 1 ? "Yes" : "c" + std::to_string(i));
  s.threshold = 0.4;
  return s;
}

bool SameBits(float a, float b) { return (a != a && b != b) || a == b; }

// The matrix of the graph, through ONNX Runtime: as a "classifier" whose probabilities are the columns.
void ExpectSameMatrix(const FeatureGraph& graph, const table::Frame& frame) {
  const auto plan = PlanFromJson(graph.ToJson());
  ASSERT_TRUE(plan) << plan.error().Text();
  OnnxBuilder builder;
  const auto matrix_name = EmitFeatures(*plan, builder);
  builder.Node("Identity", {matrix_name}, {}, "probabilities");
  const auto width = static_cast<int64_t>(graph.names().size());
  builder.Output("probabilities", OnnxType::kFloat, std::vector<int64_t>{-1, width});
  TempDir dir;
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "f.onnx", builder.Finish("features", {})));
  Signature signature = SignatureFor(graph, project::Task::multiclass, graph.names().size());
  const auto scorer = LoadScorer(dir.path() / "f.onnx", signature, RuntimeChoice::kOnnxRuntime);
  ASSERT_TRUE(scorer) << scorer.error().Text();
  const auto batch = BatchFromFrame(signature, frame);
  ASSERT_TRUE(batch) << batch.error().Text();
  Scores scores;
  const Status status = (*scorer)->Score(*batch, scores);
  ASSERT_TRUE(status) << status.error().Text();
  const auto matrix = graph.Transform(frame);
  ASSERT_TRUE(matrix);
  size_t wrong = 0;
  for (size_t r = 0; r < matrix->rows; ++r)
    for (size_t c = 0; c < matrix->cols; ++c)
      if (!SameBits(matrix->at(r, c), scores.values[r * matrix->cols + c]) && ++wrong < 10)
        ADD_FAILURE() << "row " << r << " column " << graph.names()[c] << ": " << matrix->at(r, c) << " in the program, " << scores.values[r * matrix->cols + c] << " in ONNX Runtime";
  EXPECT_EQ(wrong, 0u);
}

// Writes, loads twice, compares with the plain walk, and each batch with its rows.
void ExpectParity(const FeatureGraph& graph, const FittedModel& model, const Signature& signature, const table::Frame& frame, const char* runtime) {
  const auto bytes = WriteOnnx(graph, model, signature, {{"run_id", "r1"}});
  ASSERT_TRUE(bytes) << bytes.error().Text();
  TempDir dir;
  const auto file = dir.path() / "model.onnx";
  ASSERT_TRUE(WriteFileAtomic(file, *bytes));
  const auto matrix = graph.Transform(frame);
  ASSERT_TRUE(matrix);
  const std::vector<double> raw = RawScores(model, *matrix);
  const size_t k = model.outputs;
  std::vector<float> native;
  for (size_t r = 0; r < matrix->rows; ++r) {
    double sum = 0;
    const double most = *std::max_element(raw.begin() + static_cast<long>(r * k), raw.begin() + static_cast<long>(r * k + k));
    for (size_t i = 0; i < k; ++i) sum += std::exp(raw[r * k + i] - most);
    for (size_t i = 0; i < k; ++i) {
      const double x = raw[r * k + i];
      native.push_back(static_cast<float>(model.link == Link::kLogistic ? 1 / (1 + std::exp(-x)) : model.link == Link::kSoftmax ? std::exp(x - most) / sum : model.link == Link::kExp ? std::exp(x) : model.link == Link::kExpm1 ? std::expm1(x) : x));
    }
  }
  const auto check = CheckExport(file, signature, frame, native);
  ASSERT_TRUE(check) << check.error().Text();
  EXPECT_EQ(check->own_runtime, runtime);
  EXPECT_GE(check->rows, std::min<size_t>(frame.rows(), 1000));
  EXPECT_LE(check->max_difference, 2e-6);

  const auto batch = BatchFromFrame(signature, frame);
  ASSERT_TRUE(batch);
  for (const RuntimeChoice choice : {RuntimeChoice::kOwn, RuntimeChoice::kOnnxRuntime}) {
    const auto scorer = LoadScorer(file, signature, choice);
    ASSERT_TRUE(scorer) << scorer.error().Text();
    Scores all, one;
    ASSERT_TRUE((*scorer)->Score(*batch, all));
    for (size_t r = 0; r < std::min<size_t>(batch->rows, 300); ++r) {
      InputBatch row;
      row.rows = 1;
      row.numbers.resize(batch->numbers.size());
      row.texts.resize(batch->texts.size());
      for (size_t c = 0; c < batch->numbers.size(); ++c) {
        if (!batch->numbers[c].empty()) row.numbers[c] = {batch->numbers[c][r]};
        else row.texts[c] = {batch->texts[c][r]};
      }
      ASSERT_TRUE((*scorer)->Score(row, one));
      ASSERT_EQ(std::memcmp(one.values.data(), all.values.data() + r * all.width, all.width * sizeof(float)), 0) << (*scorer)->runtime() << ", row " << r;
    }
  }
}

TEST(Parity, TelcoTrees) {
  const table::Frame frame = Telco();
  ASSERT_EQ(frame.rows(), 7043u);
  const auto graph = FitFeatures(TelcoSpec(), ColumnsOfFrame(frame, "churn"), frame, 0);
  ASSERT_TRUE(graph) << graph.error().Text();
  EXPECT_EQ((*graph)->inputs().size(), 19u);
  ExpectSameMatrix(**graph, frame);
  const auto matrix = (*graph)->Transform(frame);
  ASSERT_TRUE(matrix);
  FittedModel trees = RandomTrees(*matrix, 300, 4, 1, 1);
  trees.link = Link::kLogistic;
  ExpectParity(**graph, trees, SignatureFor(**graph, project::Task::binary, 2), frame, "trees");
  // LightGBM's shape: x <= t, deep, several classes.
  FittedModel deep = RandomTrees(*matrix, 90, 11, 3, 2, Compare::kLessEqual);
  deep.link = Link::kSoftmax;
  ExpectParity(**graph, deep, SignatureFor(**graph, project::Task::multiclass, 3), frame, "trees");
}

TEST(Parity, TelcoLinear) {
  const table::Frame frame = Telco();
  const auto graph = FitFeatures(TelcoSpec(), ColumnsOfFrame(frame, "churn"), frame, 0);
  ASSERT_TRUE(graph);
  Random random(3);
  FittedModel m;
  m.algorithm = "logistic";
  m.linear = true;
  for (const size_t outputs : {size_t{1}, size_t{4}}) {
    m.outputs = outputs;
    m.base.assign(outputs, -0.5f);
    m.coefficients.clear();
    // Large cancelling terms: total_charges reaches 8,700.
    for (size_t i = 0; i < outputs * (*graph)->names().size(); ++i) m.coefficients.push_back(random.Normal() * 0.3);
    m.link = outputs == 1 ? Link::kLogistic : Link::kSoftmax;
    ExpectParity(**graph, m, SignatureFor(**graph, outputs == 1 ? project::Task::binary : project::Task::multiclass, outputs == 1 ? 2 : 4), frame, "linear");
  }
  m.outputs = 1;
  m.base = {3};
  m.coefficients.resize((*graph)->names().size());
  m.link = Link::kIdentity;
  ExpectParity(**graph, m, SignatureFor(**graph, project::Task::regression, 0), frame, "linear");
}

TEST(Parity, NastyDataEveryPreparation) {
  const table::Frame train = NastyFrame(700, 1);
  const auto graph = FitFeatures(NastySpec(), ColumnsOfFrame(train), train, 1'700'000'000'000);
  ASSERT_TRUE(graph) << graph.error().Text();
  // Rows of another seed: unseen levels, other holes.
  table::Frame test = NastyFrame(900, 2);
  for (size_t r = 0; r < 30; ++r) {
    test.Find("cat")->strings[r] = "unseen" + std::to_string(r);
    test.Find("cat")->missing[r] = 0;
    test.Find("small")->numbers[r] = 1000;
  }
  ExpectSameMatrix(**graph, train);
  ExpectSameMatrix(**graph, test);
  ExpectSameMatrix(**graph, test.Take({5}));
  const auto matrix = (*graph)->Transform(test);
  ASSERT_TRUE(matrix);
  for (const int depth : {0, 1, 2, 3, 5, 6, 7, 12}) {
    FittedModel trees = RandomTrees(*matrix, 37, depth, 1, static_cast<uint64_t>(depth), depth % 2 ? Compare::kLess : Compare::kLessEqual);
    trees.link = depth % 3 == 0 ? Link::kExpm1 : depth % 3 == 1 ? Link::kExp : Link::kIdentity;
    ExpectParity(**graph, trees, SignatureFor(**graph, project::Task::regression, 0), test, "trees");
  }
  FittedModel constant;
  constant.algorithm = "dummy";
  constant.base = {-1.5f};
  constant.link = Link::kLogistic;
  ExpectParity(**graph, constant, SignatureFor(**graph, project::Task::binary, 2), test, "trees");
}

TEST(Parity, OneTextColumnAlone) {
  table::Frame frame;
  frame.columns = {TextColumn("t", {"a", "b", "", "a"})};
  const auto graph = FitFeatures({}, ColumnsOfFrame(frame), frame, 0);
  ASSERT_TRUE(graph) << graph.error().Text();
  EXPECT_EQ((*graph)->names(), (std::vector<std::string>{"t=a", "t=b", "t_missing"}));
  ExpectSameMatrix(**graph, frame);
}

TEST(Parity, WordsOnlyInEmptyRows) {
  table::Frame frame;
  frame.columns = {TextColumn("t", {"buy now", "buy it", "", "now it"})};
  project::Features spec;
  spec.columns.push_back({});
  spec.columns[0].column = "t";
  spec.columns[0].text = "tfidf";
  const auto graph = FitFeatures(spec, ColumnsOfFrame(frame), frame, 0);
  ASSERT_TRUE(graph) << graph.error().Text();
  ExpectSameMatrix(**graph, frame);
  table::Frame empty;
  empty.columns = {TextColumn("t", {"", " "})};
  ExpectSameMatrix(**graph, empty);
}

TEST(Parity, LabelFollowsThreshold) {
  table::Frame frame;
  frame.columns = {NumberColumn("x", {0, 1, 2, 3})};
  const auto graph = FitFeatures({}, ColumnsOfFrame(frame), frame, 0);
  ASSERT_TRUE(graph);
  FittedModel m;
  m.linear = true;
  m.algorithm = "logistic";
  m.base = {-1.5f};
  m.coefficients = {1};
  m.link = Link::kLogistic;
  Signature s = SignatureFor(**graph, project::Task::binary, 2);
  s.threshold = 1 / (1 + std::exp(-0.5));  // exactly the score of x = 2, as double; the graph compares floats
  const auto bytes = WriteOnnx(**graph, m, s, {});
  ASSERT_TRUE(bytes);
  TempDir dir;
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "m.onnx", *bytes));
  const auto scorer = LoadScorer(dir.path() / "m.onnx", s);
  ASSERT_TRUE(scorer);
  Scores scores;
  ASSERT_TRUE((*scorer)->Score(*BatchFromFrame(s, frame), scores));
  EXPECT_EQ(Decision(s, scores, 1), "No");
  EXPECT_EQ(Decision(s, scores, 2), "Yes");
  EXPECT_EQ(Decision(s, scores, 3), "Yes");
}

TEST(Parity, ThreadsShareAScorer) {
  const table::Frame frame = NastyFrame(200, 5);
  const auto graph = FitFeatures(NastySpec(), ColumnsOfFrame(frame), frame, 0);
  ASSERT_TRUE(graph);
  const FittedModel trees = RandomTrees(*(*graph)->Transform(frame), 50, 5, 1, 1);
  const Signature s = SignatureFor(**graph, project::Task::regression, 0);
  TempDir dir;
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "m.onnx", *WriteOnnx(**graph, trees, s, {})));
  const auto batch = BatchFromFrame(s, frame);
  ASSERT_TRUE(batch);
  for (const RuntimeChoice choice : {RuntimeChoice::kOwn, RuntimeChoice::kOnnxRuntime}) {
    const auto scorer = LoadScorer(dir.path() / "m.onnx", s, choice);
    ASSERT_TRUE(scorer);
    Scores expected;
    ASSERT_TRUE((*scorer)->Score(*batch, expected));
    std::vector<std::jthread> threads;
    std::atomic<int> wrong = 0;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        Scores scores;
        for (int i = 0; i < 20; ++i) wrong += !(*scorer)->Score(*batch, scores) || std::memcmp(scores.values.data(), expected.values.data(), expected.values.size() * sizeof(float)) != 0;
      });
    threads.clear();
    EXPECT_EQ(wrong, 0);
  }
}

// The file in exchange for its graph: what was changed behind the metadata's back is never scored by the built-in evaluator.
TEST(Parity, TamperedFilesGoToOnnxRuntime) {
  const table::Frame frame = Telco();
  const auto graph = FitFeatures({}, ColumnsOfFrame(frame, "churn"), frame, 0);
  ASSERT_TRUE(graph);
  FittedModel trees = RandomTrees(*(*graph)->Transform(frame), 20, 3, 1, 1);
  trees.link = Link::kLogistic;
  const Signature s = SignatureFor(**graph, project::Task::binary, 2);
  const auto bytes = WriteOnnx(**graph, trees, s, {});
  ASSERT_TRUE(bytes);
  TempDir dir;
  const auto file = dir.path() / "m.onnx";
  ASSERT_TRUE(WriteFileAtomic(file, *bytes));
  ASSERT_EQ((*LoadScorer(file, s))->runtime(), "trees");
  // The comparison of every branch, in the nodes only.
  std::string changed = *bytes;
  size_t count = 0;
  for (size_t at = changed.find("\x09" "BRANCH_LT"); at != std::string::npos; at = changed.find("\x09" "BRANCH_LT", at + 1), ++count) changed[at + 8] = 'G';
  ASSERT_GT(count, 20u);
  ASSERT_TRUE(WriteFileAtomic(file, changed));
  EXPECT_EQ(LoadScorer(file, s, RuntimeChoice::kOwn).error().code, Code::kUnsupported);
  ASSERT_TRUE(LoadScorer(file, s));
  EXPECT_EQ((*LoadScorer(file, s))->runtime(), "onnxruntime");
  // A leaf's weight is in the nodes only too. The reader takes it from there, so both runtimes score the changed file, and the same.
  changed = *bytes;
  for (const TreeNode& node : trees.trees[0].nodes) {
    if (node.left >= 0) continue;
    std::string weight("\x3d....", 5);
    std::memcpy(weight.data() + 1, &node.value, 4);
    const size_t where = changed.find(weight);
    ASSERT_NE(where, std::string::npos);
    const float other = node.value + 1;
    std::memcpy(changed.data() + where + 1, &other, 4);
  }
  ASSERT_TRUE(WriteFileAtomic(file, changed));
  const auto by_own = LoadScorer(file, s, RuntimeChoice::kOwn), by_ort = LoadScorer(file, s, RuntimeChoice::kOnnxRuntime);
  ASSERT_TRUE(by_own && by_ort);
  const auto batch = BatchFromFrame(s, frame);
  Scores own, ort;
  ASSERT_TRUE((*by_own)->Score(*batch, own));
  ASSERT_TRUE((*by_ort)->Score(*batch, ort));
  for (size_t i = 0; i < own.values.size(); ++i) ASSERT_NEAR(own.values[i], ort.values[i], 2e-6);
  // A level in the graph but not in the metadata.
  changed = *bytes;
  const size_t at = changed.find("Month-to-month");
  ASSERT_NE(at, std::string::npos);
  changed[at] = 'X';
  ASSERT_TRUE(WriteFileAtomic(file, changed));
  EXPECT_EQ((*LoadScorer(file, s))->runtime(), "onnxruntime");
  // A wrong signature is an error, not another runtime.
  ASSERT_TRUE(WriteFileAtomic(file, *bytes));
  Signature other = s;
  std::swap(other.inputs[0], other.inputs[1]);
  EXPECT_EQ(LoadScorer(file, other).error().code, Code::kInvalid);
}

TEST(Parity, CheckExportCatchesWrongScores) {
  const table::Frame frame = Telco();
  const auto graph = FitFeatures({}, ColumnsOfFrame(frame, "churn"), frame, 0);
  ASSERT_TRUE(graph);
  const auto matrix = (*graph)->Transform(frame);
  FittedModel trees = RandomTrees(*matrix, 20, 3, 1, 1);
  const Signature s = SignatureFor(**graph, project::Task::regression, 0);
  TempDir dir;
  const auto file = dir.path() / "m.onnx";
  ASSERT_TRUE(WriteFileAtomic(file, *WriteOnnx(**graph, trees, s, {})));
  std::vector<float> native;
  for (const double v : RawScores(trees, *matrix)) native.push_back(static_cast<float>(v));
  ASSERT_TRUE(CheckExport(file, s, frame, native));
  for (float& v : native) v += 3e-5f;
  const auto wrong = CheckExport(file, s, frame, native);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::kFailedCheck);
  native[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(CheckExport(file, s, frame, native));
  native.pop_back();
  EXPECT_EQ(CheckExport(file, s, frame, native).error().code, Code::kInvalid);
}

}  // namespace
}  // namespace rondo::model
