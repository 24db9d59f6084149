#include "model/evaluation.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <numeric>

#include "base/file.h"
#include "model/card.h"
#include "model/metrics/sample.h"
#include "model/report.h"

namespace rondo::model {
namespace {

using project::Task;

table::Column Texts(const std::string& name, std::vector<std::string> values) {
  table::Column c;
  c.name = name;
  c.type = table::Type::kString;
  for (const auto& v : values) c.missing.push_back(v.empty());
  c.strings = std::move(values);
  return c;
}

project::Gate Gate(const std::string& text, const std::string& metric, const std::string& op, double limit, const std::string& column = "", const std::string& value = "") {
  project::Gate g;
  g.text = text;
  g.metric = metric;
  g.op = op;
  g.limit = limit;
  g.column = column;
  g.value = value;
  return g;
}

/// A binary problem on 900 rows: the score is column "signal" itself, "noise" means nothing, "plan" has a rare level, "female" is sensitive.
struct World {
  project::Project project;
  Signature signature;
  table::Frame raw;
  EvaluationInput input;

  World() {
    project.name = "churn";
    project.description = "Find customers <who> are about to leave & keep them";
    project.problem.emplace();
    project.problem->target = "churn";
    project.problem->positive = "Yes";
    project.problem->cost = project::Cost{5, 60};
    project.problem->sensitive = {{"female", {}}};
    project.evaluate.slices = {"plan"};
    signature.classes = {"No", "Yes"};
    signature.threshold = 0.4;
    signature.algorithm = "xgboost";
    signature.inputs = {{"signal", "float"}, {"noise", "float"}, {"plan", "string"}};
    input.project = &project;
    input.signature = &signature;
    input.test = sample::Binary(false, 900, 21);
    input.validation = sample::Binary(false, 400, 22);
    input.train = sample::Binary(false, 1500, 23);
    sample::Lcg r(8);
    table::Column signal, noise, female;
    signal.name = "signal";
    noise.name = "noise";
    female.name = "female";
    female.type = table::Type::kInt;
    std::vector<std::string> plan;
    for (size_t i = 0; i < input.test.rows(); ++i) {
      signal.numbers.push_back(input.test.scores[i]);
      noise.numbers.push_back(r.U());
      female.numbers.push_back(r.U() < 0.5 ? 1 : 0);
      plan.push_back(i < 12 ? "tiny" : i % 3 == 0 ? "Two year" : i % 3 == 1 ? "Month-to-month" : "");
    }
    raw.columns = {signal, noise, female, Texts("plan", plan)};
    input.test_raw = &raw;
    Scored dummy = input.test;
    for (size_t i = 0; i < dummy.rows(); ++i) {
      dummy.scores[i] = 0.45;
      dummy.decisions[i] = 1;
    }
    input.baselines = {{"dummy", dummy}};
    input.score = [](const table::Frame& frame) -> Result<std::vector<double>> { return frame.Find("signal")->numbers; };
    input.resamples = 200;
    input.seed = 5;
  }
  World(const World&) = delete;
  Evaluation Evaluate() {
    auto result = EvaluateModel(input);
    EXPECT_TRUE(result) << result.error().Text();
    return result ? std::move(*result) : Evaluation{};
  }
  GateResult Judge(const project::Gate& gate) {
    project.problem->success = {gate};
    const Evaluation e = Evaluate();
    return e.gates.empty() ? GateResult{} : e.gates[0];
  }
};

TEST(Evaluation, HasTheShapeThatOthersRead) {
  World w;
  w.project.problem->success = {Gate("auc >= 0.6", "auc", ">=", 0.6)};
  const Evaluation e = w.Evaluate();
  EXPECT_TRUE(e.passed);
  const Json& m = e.metrics;
  EXPECT_EQ(m["task"].AsString(), "binary");
  EXPECT_EQ(m["threshold"].AsDouble(), 0.4);
  for (const char* part : {"validation", "test"})
    for (const char* name : {"auc", "average_precision", "log_loss", "brier", "accuracy", "precision", "recall", "f1", "mcc"}) {
      EXPECT_TRUE(m[part][name]["value"].IsNumber()) << part << name;
      EXPECT_LT(m[part][name]["low"].AsDouble(), m[part][name]["high"].AsDouble()) << part << name;
    }
  EXPECT_EQ(m["baselines"]["dummy"]["auc"]["value"].AsDouble(), 0.5);
  EXPECT_EQ(m["gates"][0]["gate"].AsString(), "auc >= 0.6");
  for (const char* key : {"value", "limit", "low", "high"}) EXPECT_TRUE(m["gates"][0][key].IsNumber()) << key;
  EXPECT_TRUE(m["gates"][0]["passed"].AsBool());
  EXPECT_FALSE(m["gates"][0]["why"].AsString().empty());
  EXPECT_EQ(m["slices"].size(), 4u + 2u) << "three plans and missing, two of female";
  for (const Json& s : m["slices"].AsArray()) {
    EXPECT_TRUE(s["rows"].IsInt());
    EXPECT_EQ(s["small"].AsBool(), s["value"].AsString() == "tiny");
  }
  EXPECT_TRUE(m["fairness"]["female"]["demographic_parity_ratio"].IsNumber());
  EXPECT_TRUE(m["fairness"]["female"]["groups"]["1"]["rows"].IsInt());
  EXPECT_TRUE(m["cost"]["per_1000"].IsNumber());
  EXPECT_TRUE(m["overfit"]["auc"]["train"].IsNumber());
  EXPECT_EQ(m.Find("champion"), nullptr);
  const auto text = m.Dump();
  EXPECT_EQ(text.find("NaN"), std::string::npos) << "undefined is null";
  EXPECT_TRUE(ParseJson(text));
}
TEST(Evaluation, SameSeedSameBytes) {
  World w;
  const std::string a = w.Evaluate().metrics.Dump(), b = w.Evaluate().metrics.Dump();
  EXPECT_EQ(a, b);
  w.input.seed = 6;
  EXPECT_NE(w.Evaluate().metrics.Dump(), a);
}
TEST(Evaluation, ImportanceFindsTheColumnThatMatters) {
  World w;
  const Json importance = w.Evaluate().metrics["importance"];
  ASSERT_EQ(importance.size(), 3u);
  EXPECT_EQ(importance[0]["column"].AsString(), "signal");
  EXPECT_GT(importance[0]["mean"].AsDouble(), 0.15);
  EXPECT_EQ(importance[1]["mean"].AsDouble(), 0);
  EXPECT_EQ(importance[0]["metric"].AsString(), "auc");
  w.input.score = nullptr;
  EXPECT_EQ(w.Evaluate().metrics.Find("importance"), nullptr);
  w.input.score = [](const table::Frame&) -> Result<std::vector<double>> { return Fail(Code::kFailedCheck, "no scorer today"); };
  EXPECT_EQ(EvaluateModel(w.input).error().message, "no scorer today");
}

TEST(EvaluationGates, EveryForm) {
  World w;
  const double auc = FindMetric("auc")->compute(w.input.test);
  EXPECT_EQ(w.Judge(Gate("auc", "auc", ">=", 0.6)).value, auc);
  const auto slice = w.Judge(Gate("recall[plan=Two year] >= 0.1", "recall", ">=", 0.1, "plan", "Two year"));
  EXPECT_TRUE(slice.passed) << slice.why;
  std::vector<size_t> rows;
  for (size_t i = 12; i < 900; ++i)
    if (i % 3 == 0) rows.push_back(i);
  EXPECT_EQ(slice.value, FindMetric("recall")->compute(Subset(w.input.test, rows)));
  const auto number = w.Judge(Gate("auc[female=1]", "auc", ">=", 0.5, "female", "1"));
  EXPECT_TRUE(number.passed) << number.why;
  const auto worst = w.Judge(Gate("auc[plan] >= 0.99", "auc", ">=", 0.99, "plan"));
  EXPECT_FALSE(worst.passed);
  const Json slices = w.Evaluate().metrics["slices"];
  for (const Json& s : slices.AsArray())
    EXPECT_TRUE(s["column"].AsString() != "plan" || s["small"].AsBool() || worst.value <= s["auc"].AsDouble());
  const auto cls = w.Judge(Gate("recall[No] >= 0.1", "recall", ">=", 0.1, "No"));
  EXPECT_NEAR(cls.value, ClassMetric(w.input.test, *FindMetric("recall"), 0), 1e-15);
  const auto fair = w.Judge(Gate("dp", "demographic_parity_ratio", ">=", 0.5, "female"));
  EXPECT_TRUE(fair.passed) << fair.why;
  w.input.other = [](const project::Gate& g, std::string&) -> std::optional<Interval> { return g.metric == "latency_p99_ms" ? std::optional(Interval{2, NAN, NAN}) : std::nullopt; };
  EXPECT_TRUE(w.Judge(Gate("latency_p99_ms <= 5", "latency_p99_ms", "<=", 5)).passed);
  w.project.problem->confidence = 0.95;
  EXPECT_TRUE(w.Judge(Gate("latency_p99_ms <= 5", "latency_p99_ms", "<=", 5)).passed) << "no sampling error: its own bound";
}
TEST(EvaluationGates, WhatCannotBeEvaluatedFailsWithTheReason) {
  World w;
  const std::pair<project::Gate, const char*> cases[] = {
      {Gate("g", "rmse", "<=", 1), "no metric of this task"},
      {Gate("g", "aucc", ">=", 1), "nothing measures aucc"},
      {Gate("g", "latency_p99_ms", "<=", 1), "nothing measures"},
      {Gate("g", "recall", ">=", 0, "plan", "tiny"), "only 12 test rows"},
      {Gate("g", "recall", ">=", 0, "plan", "Never"), "no test row has plan=Never"},
      {Gate("g", "recall", ">=", 0, "nowhere"), "no column \"nowhere\""},
      {Gate("g", "accuracy", ">=", 0, "Yes"), "no value for one class"},
      {Gate("g", "demographic_parity_ratio", ">=", 0), "write demographic_parity_ratio[COLUMN]"},
      {Gate("g", "demographic_parity_ratio", ">=", 0, "nowhere"), "no column \"nowhere\""},
      {Gate("g", "mae_ratio", ">=", 0, "female"), "no measure of this task"},
  };
  for (const auto& [gate, text] : cases) {
    const GateResult r = w.Judge(gate);
    EXPECT_FALSE(r.passed) << text;
    EXPECT_NE(r.why.find(text), std::string::npos) << r.why;
    EXPECT_TRUE(r.why.starts_with("can't be evaluated: ")) << r.why;
  }
  project::Gate warn = Gate("warn", "auc", ">=", 0.999);
  warn.warn = true;
  w.project.problem->success = {warn};
  EXPECT_TRUE(w.Evaluate().passed) << "warnings never block";
  w.project.problem->success = {Gate("no", "auc", ">=", 0.999)};
  EXPECT_FALSE(w.Evaluate().passed);
}
TEST(EvaluationGates, ChampionOnTheSameRows) {
  World w;
  project::Gate gate = Gate("auc >= champion - 0.005", "auc", ">=", -0.005);
  gate.champion = true;
  EXPECT_TRUE(w.Judge(gate).passed) << "no champion yet";
  w.input.champion_name = "churn/3";
  w.input.champion_note = "its engine is missing";
  const auto lost = w.Judge(gate);
  EXPECT_FALSE(lost.passed);
  EXPECT_NE(lost.why.find("its engine is missing"), std::string::npos);
  w.input.champion = w.input.test;
  EXPECT_TRUE(w.Judge(gate).passed);
  EXPECT_EQ(w.Evaluate().metrics["champion"]["difference"]["auc"]["value"].AsDouble(), 0);
  // With confidence the paired difference is judged: identical models differ by nothing, though each alone is uncertain.
  w.project.problem->confidence = 0.95;
  EXPECT_TRUE(w.Judge(gate).passed);
  for (size_t i = 0; i < w.input.test.rows(); i += 4) w.input.test.scores[i] = 0.5;
  EXPECT_FALSE(w.Judge(gate).passed) << "a quarter of the scores is lost";
  w.input.champion->y[0] = 1 - w.input.champion->y[0];
  EXPECT_FALSE(EvaluateModel(w.input)) << "other rows";
}
TEST(EvaluationGates, ConfidenceMakesSmallSamplesStricter) {
  World w;
  const double auc = FindMetric("auc")->compute(w.input.test);
  const auto gate = Gate("auc", "auc", ">=", auc - 0.01);
  EXPECT_TRUE(w.Judge(gate).passed);
  w.project.problem->confidence = 0.95;
  const auto strict = w.Judge(gate);
  EXPECT_FALSE(strict.passed);
  EXPECT_NE(strict.why.find("bound"), std::string::npos) << strict.why;
}

TEST(Evaluation, BadPartsAreNamed) {
  const auto error = [](auto change) {
    World w;
    change(w);
    const auto result = EvaluateModel(w.input);
    EXPECT_FALSE(result);
    return result ? std::string() : result.error().Text();
  };
  EXPECT_NE(error([](World& w) { w.input.test = Scored{}; }).find("the test part has no rows"), std::string::npos);
  EXPECT_NE(error([](World& w) { w.input.test.scores[7] = NAN; }).find("score of row 7 of the test part"), std::string::npos);
  EXPECT_NE(error([](World& w) { w.input.baselines[0].second.y.pop_back(); }).find("baseline dummy"), std::string::npos);
  EXPECT_NE(error([](World& w) { w.project.evaluate.slices = {"nowhere"}; }).find("\"nowhere\""), std::string::npos);
  EXPECT_NE(error([](World& w) { w.raw.columns[0].numbers.pop_back(); w.raw.columns.resize(1); }).find("899"), std::string::npos);
  EXPECT_NE(error([](World& w) { w.project.problem.reset(); }).find("problem"), std::string::npos);
}
TEST(Evaluation, MulticlassAndRegression) {
  for (const bool multi : {true, false}) {
    World w;
    w.project.problem->task = multi ? Task::multiclass : Task::regression;
    w.project.problem->cost.reset();
    w.project.evaluate.slices = {};
    w.signature.task = w.project.problem->task;
    w.signature.classes = multi ? std::vector<std::string>{"a", "b", "c"} : std::vector<std::string>{};
    w.input.test = w.input.validation = multi ? sample::Multiclass() : sample::Regression();
    w.input.train.reset();
    w.input.baselines.clear();
    table::Column female;
    female.name = "female";
    for (size_t i = 0; i < w.input.test.rows(); ++i) female.numbers.push_back(i % 2 ? 1 : 0);
    w.raw.columns = {female};
    w.input.score = nullptr;
    w.project.problem->success = {multi ? Gate("precision[b] >= 0.4", "precision", ">=", 0.4, "b") : Gate("mae_ratio[female] >= 0.5", "mae_ratio", ">=", 0.5, "female")};
    const Evaluation e = w.Evaluate();
    EXPECT_TRUE(e.passed) << e.metrics["gates"].Dump();
    EXPECT_EQ(e.metrics.Find("threshold"), nullptr);
    EXPECT_EQ(e.metrics["confusion"]["labels"].size(), multi ? 3u : 0u);
    EXPECT_GT(e.metrics["calibration"].size(), 3u);
    const std::string html = ReportHtml(w.project, e.metrics, Json::MakeObject());
    EXPECT_NE(html.find(multi ? "decided b" : "Predicted against true"), std::string::npos);
    EXPECT_EQ(html.find("nan"), std::string::npos);
  }
}
TEST(Evaluation, FourteenHundredRowsAreQuick) {
  World w;
  w.input.test = sample::Binary(false, 1400, 31);
  w.input.test_raw = nullptr;
  w.project.evaluate.slices = {};
  w.project.problem->sensitive = {};
  w.input.baselines.clear();
  w.input.resamples = 500;
  const auto begin = std::chrono::steady_clock::now();
  w.Evaluate();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  RecordProperty("seconds", std::to_string(took.count()));
  EXPECT_LT(took.count(), 10) << "a guard against quadratic work, not a measurement";
}

World& Full(World& w) {
  w.project.problem->success = {Gate("auc >= 0.6", "auc", ">=", 0.6), Gate("recall[plan=Two year] >= 0.95", "recall", ">=", 0.95, "plan", "Two year"), Gate("demographic_parity_ratio[female] >= 0.80", "demographic_parity_ratio", ">=", 0.8, "female")};
  w.project.problem->success.push_back(Gate("brier <= 0.15", "brier", "<=", 0.15));
  w.project.problem->success.back().warn = true;
  w.input.champion_name = "churn/3";
  w.input.champion = w.input.test;
  for (size_t i = 0; i < w.input.test.rows(); i += 9) w.input.champion->scores[i] = 0.5;
  return w;
}
Json SomeFacts() {
  return *ParseJson(R"({"model": "churn/4", "algorithm": "xgboost", "created": "2026-01-31T12:00:00Z", "run": "a1f3", "commit": "deadbeef", "dirty": true, "digest": "9f2c", "seed": 7,
    "params": {"max_depth": 4}, "features": 41, "rows": {"train": 1500, "validation": 400, "test": 900}, "split": "key",
    "datasets": [{"name": "customers", "md5": "abc", "rows": 2800, "source": "data/<script>alert(1)</script>.csv"}], "warnings": ["3 duplicate rows across parts"]})");
}
TEST(Report, IsOneSafePageWithAVerdict) {
  World w;
  const Evaluation e = Full(w).Evaluate();
  const std::string html = ReportHtml(w.project, e.metrics, SomeFacts());
  EXPECT_NE(html.find("Not good enough: 1 of 4 gates is missed: recall[plan=Two year] &gt;= 0.95."), std::string::npos);
  for (const char* text : {"churn = Yes", "What the decisions cost", "female", "few rows", "Two year", "3 duplicate rows across parts", "with uncommitted changes", "churn/3"})
    EXPECT_NE(html.find(text), std::string::npos) << text;
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(html.find("customers &lt;who&gt;"), std::string::npos);
  for (const char* outside : {"http://", "https://", "src=", "@import", "url("}) EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  size_t opened = 0, closed = 0;
  for (size_t at = 0; (at = html.find("<section", at)) != std::string::npos; ++at) ++opened;
  for (size_t at = 0; (at = html.find("</section>", at)) != std::string::npos; ++at) ++closed;
  EXPECT_EQ(opened, closed);
  EXPECT_LT(html.size(), 300'000u);
  // For looking at it: RONDO_REPORT_SAMPLE=FOLDER model_test --gtest_filter=Report.*
  if (const char* folder = std::getenv("RONDO_REPORT_SAMPLE")) {
    ASSERT_TRUE(WriteFileAtomic(std::filesystem::path(folder) / "report.html", html));
  }
  w.project.problem->success.clear();
  EXPECT_NE(ReportHtml(w.project, w.Evaluate().metrics, Json()).find("No gate is declared"), std::string::npos);
  EXPECT_FALSE(ReportHtml(w.project, Json::MakeObject(), Json()).empty()) << "an empty metrics.json still gives a page";
}
TEST(Card, SaysWhatIsMissingByRisk) {
  World w;
  const Json metrics = Full(w).Evaluate().metrics;
  ModelCard card = MakeModelCard(w.project, metrics, SomeFacts());
  EXPECT_EQ(card.missing, (std::vector<std::string>{"problem.intended_use", "problem.owner", "problem.risk"}));
  EXPECT_NE(card.markdown.find("**MISSING** (set `problem.intended_use`)"), std::string::npos);
  EXPECT_NE(card.markdown.find("customers &lt;who&gt;"), std::string::npos);
  EXPECT_NE(card.markdown.find("missed `recall[plan=Two year] >= 0.95`"), std::string::npos);
  EXPECT_EQ(card.json["quantitative_analysis"]["performance_metrics"][0]["type"].AsString(), "auc");
  EXPECT_TRUE(card.json["quantitative_analysis"]["performance_metrics"][0]["confidence_interval"]["lower_bound"].IsString());
  w.project.problem->risk = "minimal";
  EXPECT_TRUE(MakeModelCard(w.project, metrics, Json()).missing.empty());
  w.project.problem->risk = "high";
  w.project.problem->sensitive.clear();
  EXPECT_EQ(MakeModelCard(w.project, metrics, Json()).missing.size(), 5u) << "use, owner, scope, limits, sensitive columns";
  w.project.problem->intended_use = "a | b\n# not a heading";
  card = MakeModelCard(w.project, metrics, Json());
  EXPECT_NE(card.markdown.find("a \\| b \\# not a heading"), std::string::npos);
}

}  // namespace
}  // namespace rondo::model
