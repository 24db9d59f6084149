// The whole chain of this module on real data: features, learners, fused file, scorer, evaluation, report.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "base/file.h"
#include "base/hash.h"
#include "model/card.h"
#include "model/evaluation.h"
#include "model/report.h"
#include "model/test_data.h"

namespace rondo::model {
namespace {

struct Parts {
  table::Frame train, validation, test;
};

/// By hash of the row number: the same parts on every machine.
Parts SplitTelco() {
  const table::Frame all = Telco();
  std::vector<size_t> rows[3];
  for (size_t i = 0; i < all.rows(); ++i) {
    const uint64_t part = Xxh3(std::to_string(i), 7) % 5;
    rows[part == 0 ? 2 : part == 1 ? 1 : 0].push_back(i);
  }
  return {all.Take(rows[0]), all.Take(rows[1]), all.Take(rows[2])};
}

Labels Churned(const table::Frame& frame) {
  Labels labels;
  for (const std::string& text : frame.Find("churn")->strings) labels.y.push_back(text == "Yes" ? 1.0f : 0.0f);
  return labels;
}

Scored ToScored(const Labels& labels, const std::vector<float>& p, double threshold) {
  Scored s;
  s.y.assign(labels.y.begin(), labels.y.end());
  s.scores.assign(p.begin(), p.end());
  for (const float v : p) s.decisions.push_back(static_cast<double>(v) >= threshold ? 1 : 0);
  return s;
}

struct Trained {
  std::vector<float> train, validation, test;
  FittedModel model;
};
Trained TrainOn(const std::string& algorithm, const std::string& params, const FeatureGraph& features, const Parts& parts) {
  const Matrix train_x = *features.Transform(parts.train), valid_x = *features.Transform(parts.validation);
  const Labels train_y = Churned(parts.train), valid_y = Churned(parts.validation);
  TrainRequest request;
  request.train_x = &train_x;
  request.train_y = &train_y;
  request.valid_x = &valid_x;
  request.valid_y = &valid_y;
  request.feature_names = features.names();
  request.params = *ParseJson(params);
  request.seed = 7;
  const auto learner = (*FindAlgorithm(algorithm, project::Task::binary))->make();
  auto model = learner->Train(request);
  EXPECT_TRUE(model) << model.error().Text();
  if (!model) return {};
  return {*learner->PredictNative(*model, train_x), *learner->PredictNative(*model, valid_x), *learner->PredictNative(*model, *features.Transform(parts.test)), std::move(*model)};
}

project::Gate AucGate(double limit) {
  project::Gate gate;
  gate.text = "auc >= " + std::to_string(limit).substr(0, 4);
  gate.metric = "auc";
  gate.op = ">=";
  gate.limit = limit;
  return gate;
}

TEST(Churn, FromRawColumnsToTheReport) {
  const Parts parts = SplitTelco();
  ASSERT_GT(parts.test.rows(), 1000u);
  auto columns = ColumnsOfFrame(parts.train, "churn");
  project::Features spec;
  const auto features = FitFeatures(spec, columns, parts.train, 0);
  ASSERT_TRUE(features) << features.error().Text();
  spec.numeric.scale = "standard";
  const auto scaled = FitFeatures(spec, columns, parts.train, 0);
  ASSERT_TRUE(scaled);

  const Trained xgb = TrainOn("xgboost", R"({"max_depth": 4, "learning_rate": 0.1, "rounds": 300, "early_stopping": 20})", **features, parts);
  const Trained lgb = TrainOn("lightgbm", R"({"num_leaves": 15, "learning_rate": 0.05, "rounds": 300, "early_stopping": 20})", **features, parts);
  const Trained linear = TrainOn("logistic", "{}", **scaled, parts);
  const Trained dummy = TrainOn("dummy", "{}", **features, parts);
  const Labels test_y = Churned(parts.test), valid_y = Churned(parts.validation), train_y = Churned(parts.train);

  project::Project project;
  project.name = "churn";
  project.description = "Find customers who are about to leave, early enough to keep them.";
  project.problem.emplace();
  project.problem->target = "churn";
  project.problem->positive = "Yes";
  project.problem->cost = project::Cost{5, 60};
  project.problem->owner = "growth@example.org";
  project.problem->intended_use = "Rank customers for a retention call. A person decides.";
  project.problem->sensitive = {{"female", {}}, {"senior_citizen", {}}};
  project.evaluate.slices = {"contract", "payment_method"};
  project.problem->success = {AucGate(0.83), AucGate(0.80)};
  project::Gate gate;
  gate.text = "demographic_parity_ratio[female] >= 0.80";
  gate.metric = "demographic_parity_ratio";
  gate.column = "female";
  gate.op = ">=";
  gate.limit = 0.8;
  project.problem->success.push_back(gate);
  gate.text = "recall[contract=Two year] >= 0.40";
  gate.metric = "recall";
  gate.column = "contract";
  gate.value = "Two year";
  gate.limit = 0.4;
  gate.warn = true;
  project.problem->success.push_back(gate);

  Signature signature;
  signature.target = "churn";
  signature.inputs = columns;
  signature.classes = {"No", "Yes"};
  signature.algorithm = "xgboost";
  signature.threshold = ChooseThreshold(ToScored(valid_y, xgb.validation, 0.5), project.problem->cost, {});
  EXPECT_LT(signature.threshold, 0.3) << "a miss costs twelve times a false alarm";

  const TempDir dir;
  const auto onnx = WriteOnnx(**features, xgb.model, signature, {});
  ASSERT_TRUE(onnx) << onnx.error().Text();
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "model.onnx", *onnx));
  const auto check = CheckExport(dir.path() / "model.onnx", signature, parts.validation, xgb.validation);
  ASSERT_TRUE(check) << check.error().Text();
  const auto scorer = LoadScorer(dir.path() / "model.onnx", signature);
  ASSERT_TRUE(scorer) << scorer.error().Text();
  const auto score = [&](const table::Frame& frame) -> Result<std::vector<double>> {
    RONDO_TRY(const InputBatch batch, BatchFromFrame(signature, frame));
    Scores scores;
    RONDO_DO((*scorer)->Score(batch, scores));
    std::vector<double> out;
    for (size_t i = 0; i < frame.rows(); ++i) out.push_back(static_cast<double>(scores.Score(i)));
    return out;
  };

  EvaluationInput input;
  input.project = &project;
  input.signature = &signature;
  input.train = ToScored(train_y, xgb.train, signature.threshold);
  input.validation = ToScored(valid_y, xgb.validation, signature.threshold);
  input.test = ToScored(test_y, xgb.test, signature.threshold);
  input.baselines = {{"dummy", ToScored(test_y, dummy.test, 0.5)}, {"linear", ToScored(test_y, linear.test, 0.5)}};
  input.champion = ToScored(test_y, lgb.test, signature.threshold);
  input.champion_name = "churn/1";
  input.test_raw = &parts.test;
  input.score = score;
  input.seed = 7;
  const auto evaluation = EvaluateModel(input);
  ASSERT_TRUE(evaluation) << evaluation.error().Text();
  const Json& m = evaluation->metrics;
  EXPECT_TRUE(evaluation->passed) << m["gates"].Pretty();
  // What gradient boosting and logistic regression reach on these data with any library.
  EXPECT_GT(m["test"]["auc"]["value"].AsDouble(), 0.83);
  EXPECT_GT(m["baselines"]["linear"]["auc"]["value"].AsDouble(), 0.83);
  EXPECT_GT(m["champion"]["test"]["auc"]["value"].AsDouble(), 0.83);
  EXPECT_EQ(m["baselines"]["dummy"]["auc"]["value"].AsDouble(), 0.5);
  EXPECT_LT(std::fabs(m["champion"]["difference"]["auc"]["value"].AsDouble()), 0.02);
  EXPECT_LT(m["test"]["ece"]["value"].AsDouble(), 0.06);
  EXPECT_LT(m["cost"]["per_1000"].AsDouble(), m["cost"]["everybody_per_1000"].AsDouble());
  std::vector<std::string> top;
  for (size_t i = 0; i < 3; ++i) top.push_back(m["importance"][i]["column"].AsString());
  EXPECT_TRUE(std::find(top.begin(), top.end(), "contract") != top.end() || std::find(top.begin(), top.end(), "tenure") != top.end());

  const Json facts = Json::MakeObject().Set("model", "churn/2").Set("algorithm", "xgboost").Set("params", xgb.model.info["params"]).Set("features", (*features)->names().size());
  const std::string html = ReportHtml(project, m, facts);
  EXPECT_NE(html.find("Good to go"), std::string::npos);
  EXPECT_TRUE(MakeModelCard(project, m, facts).missing == std::vector<std::string>{"problem.risk"});
  if (const char* folder = std::getenv("RONDO_REPORT_SAMPLE")) {
    ASSERT_TRUE(WriteFileAtomic(std::filesystem::path(folder) / "churn.html", html));
    ASSERT_TRUE(WriteFileAtomic(std::filesystem::path(folder) / "churn.md", MakeModelCard(project, m, facts).markdown));
  }
}

}  // namespace
}  // namespace rondo::model
