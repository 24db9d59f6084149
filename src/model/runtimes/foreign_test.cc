// Models that Rondo didn't write: other inputs, other outputs, through ONNX Runtime.
#include <gtest/gtest.h>

#include <functional>

#include "base/file.h"
#include "model/onnx/builder.h"
#include "model/test_data.h"

namespace rondo::model {
namespace {

Result<std::unique_ptr<Scorer>> Load(const TempDir& dir, const std::function<void(OnnxBuilder&)>& build, const Signature& signature) {
  OnnxBuilder g;
  build(g);
  if (Status s = WriteFileAtomic(dir.path() / "m.onnx", g.Finish("foreign", {})); !s) return std::unexpected(s.error());
  return LoadScorer(dir.path() / "m.onnx", signature);
}
const std::vector<int64_t> kColumn = {-1, 1};

table::Frame TwoColumns() {
  table::Frame f;
  f.columns = {NumberColumn("a", {1, 2}), NumberColumn("b", {10, 20})};
  return f;
}
Signature Regression() {
  Signature s;
  s.task = project::Task::regression;
  s.inputs = {{"a", "float"}, {"b", "float"}};
  return s;
}

TEST(Foreign, OneMatrixInput) {
  TempDir dir;
  const auto scorer = Load(dir, [](OnnxBuilder& g) {
    g.Input("X", OnnxType::kFloat, std::vector<int64_t>{-1, 2});
    g.Node("MatMul", {"X", g.Floats(std::vector<float>{1, 0.5f}, {2, 1})}, {}, "variable");
    g.Output("variable", OnnxType::kFloat, kColumn);
  }, Regression());
  ASSERT_TRUE(scorer) << scorer.error().Text();
  EXPECT_EQ((*scorer)->runtime(), "onnxruntime");
  Scores scores;
  ASSERT_TRUE((*scorer)->Score(*BatchFromFrame(Regression(), TwoColumns()), scores));
  EXPECT_EQ(scores.values, (std::vector<float>{6, 12}));
}

TEST(Foreign, PositiveScoreAloneAndDoubleInputs) {
  TempDir dir;
  Signature s = Regression();
  s.task = project::Task::binary;
  s.classes = {"No", "Yes"};
  const auto scorer = Load(dir, [](OnnxBuilder& g) {
    g.Input("a", OnnxType::kDouble, kColumn);
    g.Input("b", OnnxType::kInt64, kColumn);
    g.Node("Add", {g.Node("Mul", {"a", g.Scalar(0.25)}), g.Cast(g.Node("Mul", {"b", g.Scalar(int64_t{0})}), OnnxType::kDouble)}, {}, "p");
    g.Output("p", OnnxType::kDouble, kColumn);
  }, s);
  ASSERT_TRUE(scorer) << scorer.error().Text();
  Scores scores;
  ASSERT_TRUE((*scorer)->Score(*BatchFromFrame(s, TwoColumns()), scores));
  EXPECT_EQ(scores.values, (std::vector<float>{0.75f, 0.25f, 0.5f, 0.5f}));
  EXPECT_EQ(Decision(s, scores, 1), "Yes");
  // A missing whole number can't be said to this model.
  table::Frame frame = TwoColumns();
  frame.columns[1].numbers[1] = std::numeric_limits<double>::quiet_NaN();
  const Status status = (*scorer)->Score(*BatchFromFrame(s, frame), scores);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("column b"), std::string::npos);
}

TEST(Foreign, WhatDoesNotFitIsRefused) {
  TempDir dir;
  const auto refused = [&](const std::function<void(OnnxBuilder&)>& build, const char* what) {
    const auto scorer = Load(dir, build, Regression());
    ASSERT_FALSE(scorer) << what;
    EXPECT_EQ(scorer.error().code, Code::kInvalid) << scorer.error().Text();
    EXPECT_NE(scorer.error().Text().find(what), std::string::npos) << scorer.error().Text();
  };
  const auto with = [](std::vector<std::pair<std::string, OnnxType>> inputs, std::vector<int64_t> out) {
    return [=](OnnxBuilder& g) {
      for (const auto& [name, type] : inputs) g.Input(name, type, kColumn);
      g.Node("Identity", {inputs[0].first}, {}, "prediction");
      g.Output("prediction", inputs[0].second == OnnxType::kString ? OnnxType::kString : OnnxType::kFloat, out);
    };
  };
  refused(with({{"a", OnnxType::kFloat}, {"c", OnnxType::kFloat}}, kColumn), "no input named b");
  refused(with({{"a", OnnxType::kFloat}, {"b", OnnxType::kString}}, kColumn), "input b has another type");
  refused(with({{"a", OnnxType::kFloat}, {"b", OnnxType::kFloat}, {"c", OnnxType::kFloat}}, kColumn), "the input c, which is no column");
  refused(with({{"a", OnnxType::kFloat}, {"b", OnnxType::kFloat}}, {-1, 7}), "no output is a float tensor");
  refused(with({{"X", OnnxType::kFloat}}, kColumn), "hasn't the shape [N, 2]");
  // A graph that only ONNX Runtime can judge: an operator that doesn't exist.
  const auto broken = Load(dir, [](OnnxBuilder& g) {
    g.Input("X", OnnxType::kFloat, std::vector<int64_t>{-1, 2});
    g.Node("NoSuchOperator", {"X"}, {}, "prediction");
    g.Output("prediction", OnnxType::kFloat, kColumn);
  }, Regression());
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message.find("ONNX Runtime"), std::string::npos);
}

TEST(Foreign, ShapeLiesAreErrors) {
  TempDir dir;
  const auto scorer = Load(dir, [](OnnxBuilder& g) {
    g.Input("X", OnnxType::kFloat, std::vector<int64_t>{-1, 2});
    g.Node("ReduceSum", {"X"}, OnnxAttributes().Int("keepdims", 0), "prediction");
    g.Output("prediction", OnnxType::kFloat, {});
  }, Regression());
  ASSERT_TRUE(scorer) << scorer.error().Text();
  Scores scores;
  const Status status = (*scorer)->Score(*BatchFromFrame(Regression(), TwoColumns()), scores);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("1 numbers for 2 rows"), std::string::npos) << status.error().Text();
}

TEST(Foreign, WrongBatchesAreErrors) {
  TempDir dir;
  const auto scorer = Load(dir, [](OnnxBuilder& g) {
    g.Input("a", OnnxType::kFloat, kColumn);
    g.Input("b", OnnxType::kFloat, kColumn);
    g.Node("Add", {"a", "b"}, {}, "prediction");
    g.Output("prediction", OnnxType::kFloat, kColumn);
  }, Regression());
  ASSERT_TRUE(scorer);
  Scores scores;
  InputBatch batch;
  batch.rows = 2;
  EXPECT_FALSE((*scorer)->Score(batch, scores));
  batch.numbers = {{1, 2}, {3}};
  batch.texts.resize(2);
  EXPECT_FALSE((*scorer)->Score(batch, scores));
  batch.numbers[1] = {3, 4};
  EXPECT_TRUE((*scorer)->Score(batch, scores));
  batch = {};
  batch.numbers.resize(2);
  batch.texts.resize(2);
  EXPECT_TRUE((*scorer)->Score(batch, scores));
  EXPECT_TRUE(scores.values.empty());
}

}  // namespace
}  // namespace rondo::model
