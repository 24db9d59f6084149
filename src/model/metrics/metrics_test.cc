#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <map>
#include <numeric>

#include "base/random.h"
#include "model/metrics/curves.h"
#include "model/metrics/ranked.h"
#include "model/metrics/sample.h"

namespace rondo::model {
namespace {

using project::Task;
using Values = std::map<std::string, double>;

double Get(const Scored& s, const std::string& name) { return FindMetric(name)->compute(s); }

void ExpectAll(const Scored& s, const Values& oracle) {
  for (const MetricInfo& m : Metrics()) {
    if (!m.AppliesTo(s.task)) continue;
    ASSERT_TRUE(oracle.contains(m.name)) << m.name << " has no oracle";
    EXPECT_NEAR(m.compute(s), oracle.at(m.name), 1e-12 * std::max(1.0, std::fabs(oracle.at(m.name)))) << m.name;
  }
}

// All numbers below: scikit-learn 1.9.1 on the same rows (ece and wape: their formulas in numpy).
TEST(Metrics, BinaryEqualsScikitLearn) {
  ExpectAll(sample::Binary(), {{"auc", 0.70443446949144173}, {"average_precision", 0.59729744355456948}, {"log_loss", 0.91465035765911162}, {"brier", 0.234877}, {"ece", 0.11785999999999998},
                               {"accuracy", 0.644}, {"balanced_accuracy", 0.66449629227708451}, {"precision", 0.55183946488294311}, {"recall", 0.78947368421052633}, {"f1", 0.64960629921259838},
                               {"mcc", 0.33095742112089138}});
}
TEST(Metrics, WeightedBinaryEqualsScikitLearn) {
  ExpectAll(sample::Binary(true), {{"auc", 0.69558693131437133}, {"average_precision", 0.60618973724904324}, {"log_loss", 0.88882245672685667}, {"brier", 0.23917445783132529},
                                   {"ece", 0.11659437751004018}, {"accuracy", 0.64257028112449799}, {"balanced_accuracy", 0.65906407895358177}, {"precision", 0.56464379947229548},
                                   {"recall", 0.7882136279926335}, {"f1", 0.65795541890853193}, {"mcc", 0.32327453684898894}});
}
TEST(Metrics, MulticlassEqualsScikitLearn) {
  ExpectAll(sample::Multiclass(), {{"auc", 0.7057918283161948}, {"average_precision", 0.54770124158030398}, {"log_loss", 0.97446942516353596}, {"brier", 0.58610625961316887},
                                   {"ece", 0.023038114260567268}, {"accuracy", 0.5225}, {"balanced_accuracy", 0.52405784121968424}, {"precision", 0.52132913054898866},
                                   {"recall", 0.52405784121968424}, {"f1", 0.52185759661494269}, {"mcc", 0.28472903066359306}});
}
TEST(Metrics, WeightedMulticlassEqualsScikitLearn) {
  ExpectAll(sample::Multiclass(true), {{"auc", 0.70910473065819257}, {"average_precision", 0.5526059140350551}, {"log_loss", 0.96966856655008049}, {"brier", 0.5818033573358431},
                                       {"ece", 0.03757361879597073}, {"accuracy", 0.53876349362119724}, {"balanced_accuracy", 0.53555593793383738}, {"precision", 0.53456181338611097},
                                       {"recall", 0.53555593793383738}, {"f1", 0.53453985740445753}, {"mcc", 0.30686422644987255}});
}
TEST(Metrics, RegressionEqualsScikitLearn) {
  ExpectAll(sample::Regression(), {{"rmse", 4.1970615322150904}, {"mae", 3.3748747334834608}, {"median_ae", 2.8681689648881417}, {"r2", 0.97792886297666082}, {"mape", 0.26343250848890315}, {"wape", 0.1061019776720469}});
  ExpectAll(sample::Regression(true), {{"rmse", 4.2592296002542982}, {"mae", 3.4207667123661811}, {"median_ae", 2.8774042655210224}, {"r2", 0.97718502450386457}, {"mape", 0.23495083339289605}, {"wape", 0.10379858617153508}});
}
TEST(Metrics, OneClassOfMulticlass) {
  const Scored s = sample::Multiclass();
  EXPECT_NEAR(ClassMetric(s, *FindMetric("precision"), 1), 0.5, 1e-12);
  EXPECT_NEAR(ClassMetric(s, *FindMetric("recall"), 1), 0.4460431654676259, 1e-12);
  EXPECT_NEAR(ClassMetric(s, *FindMetric("f1"), 1), 0.4714828897338403, 1e-12);
  EXPECT_NEAR(ClassMetric(s, *FindMetric("auc"), 1), 0.6586179332396151, 1e-12);
  EXPECT_TRUE(std::isnan(ClassMetric(s, *FindMetric("accuracy"), 1))) << "accuracy has no value for one class";
  EXPECT_TRUE(std::isnan(ClassMetric(s, *FindMetric("auc"), 3)));
}

std::vector<Scored> AllTasks(bool weighted) { return {sample::Binary(weighted), sample::Multiclass(weighted), sample::Regression(weighted)}; }

TEST(Metrics, OrderOfRowsChangesNothing) {
  for (const Scored& s : AllTasks(true)) {
    std::vector<size_t> order(s.rows());
    std::iota(order.begin(), order.end(), size_t{0});
    Random(5).Shuffle(order);
    const Scored shuffled = Subset(s, order);
    for (const MetricInfo& m : Metrics())
      if (m.AppliesTo(s.task)) {
        EXPECT_NEAR(m.compute(s), m.compute(shuffled), 1e-13 * std::max(1.0, std::fabs(m.compute(s)))) << m.name;
      }
  }
}
TEST(Metrics, AWeightOfTwoIsTheRowTwice) {
  for (Scored s : AllTasks(false)) {
    std::vector<size_t> rows;
    s.weights.assign(s.rows(), 1);
    for (size_t i = 0; i < s.rows(); ++i) {
      rows.push_back(i);
      if (i % 3 == 0) {
        s.weights[i] = 2;
        rows.push_back(i);
      }
    }
    Scored doubled = Subset(s, rows);
    doubled.weights.clear();
    for (const MetricInfo& m : Metrics())
      if (m.AppliesTo(s.task)) {
        EXPECT_NEAR(m.compute(s), m.compute(doubled), 1e-12 * std::max(1.0, std::fabs(m.compute(s)))) << m.name;
      }
  }
}
TEST(Metrics, UndefinedIsNaNNeverZero) {
  Scored s = sample::Binary();
  for (double& y : s.y) y = 0;
  for (const char* name : {"auc", "average_precision", "recall", "mcc"}) EXPECT_TRUE(std::isnan(Get(s, name))) << name;
  EXPECT_EQ(Get(s, "precision"), 0) << "somebody was selected, wrongly";
  for (int& d : s.decisions) d = 0;
  EXPECT_TRUE(std::isnan(Get(s, "precision")));
  EXPECT_TRUE(std::isnan(Get(s, "f1")));
  Scored r = sample::Regression();
  for (double& y : r.y) y = 3;
  EXPECT_TRUE(std::isnan(Get(r, "r2")));
  for (const MetricInfo& m : Metrics()) EXPECT_TRUE(std::isnan(m.compute(Scored{}))) << m.name << " of no rows";
}
TEST(Metrics, NothingPredictedPositiveHasPrecisionZero) {
  Scored s = sample::Binary();
  for (int& d : s.decisions) d = 0;
  EXPECT_EQ(Get(s, "precision"), 0);
  EXPECT_EQ(Get(s, "mcc"), 0);
}
TEST(Metrics, BrokenInputIsNaN) {
  Scored nan = sample::Binary();
  nan.scores[3] = kNaN;
  Scored short_scores = sample::Binary();
  short_scores.scores.pop_back();
  Scored wrong_label = sample::Binary();
  wrong_label.y[0] = 7;
  Scored wrong_decision = sample::Binary();
  wrong_decision.decisions[0] = -1;
  Scored negative_weight = sample::Binary(true);
  negative_weight.weights[0] = -1;
  for (const Scored& s : {nan, short_scores, wrong_label, wrong_decision, negative_weight})
    for (const MetricInfo& m : Metrics())
      if (m.AppliesTo(s.task)) {
        EXPECT_TRUE(std::isnan(m.compute(s))) << m.name;
      }
}
TEST(Metrics, LogLossOfCertainAndWrongIsClipped) {
  Scored s;
  s.y = {1, 0};
  s.scores = {0, 1};
  s.decisions = {0, 1};
  EXPECT_NEAR(Get(s, "log_loss"), 36.04365338911715, 1e-9);  // -log(2.220446049250313e-16)
}
TEST(Metrics, AMillionRowsTakeLessThanASecond) {
  const Scored s = sample::Binary(false, 1'000'000, 9);
  const auto begin = std::chrono::steady_clock::now();
  const double auc = Get(s, "auc");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_GT(auc, 0.65);
  RecordProperty("seconds", std::to_string(took.count()));
}

TEST(Bootstrap, EqualsDrawingTheRowsThemselves) {
  // The counts are weights; a copy of the drawn rows must give the same number.
  const Scored s = sample::Binary(true);
  Random random(1);
  std::vector<double> counts(s.rows());
  std::vector<size_t> rows;
  for (size_t i = 0; i < s.rows(); ++i) {
    rows.push_back(random.Below(s.rows()));
    counts[rows.back()] += s.weights[rows.back()];
  }
  Ranked ranked(s);
  for (const MetricInfo& m : Metrics())
    if (m.AppliesTo(s.task)) {
      EXPECT_NEAR(m.kernel(ranked, counts, kAllClasses), m.compute(Subset(s, rows)), 1e-12) << m.name;
    }
}
TEST(Bootstrap, IntervalHoldsTheValueAndIsReproducible) {
  for (const Scored& s : AllTasks(false)) {
    std::vector<Measure> measures;
    for (const MetricInfo& m : Metrics())
      if (m.AppliesTo(s.task)) measures.push_back({&m, kAllClasses});
    const auto a = BootstrapAll(s, measures, 200, 7), b = BootstrapAll(s, measures, 200, 7), c = BootstrapAll(s, measures, 200, 8);
    for (size_t i = 0; i < measures.size(); ++i) {
      EXPECT_LT(a[i].low, a[i].high) << measures[i].metric->name;
      if (measures[i].metric->name != "ece") {  // its resamples are biased upwards: a bin is never calibrated by chance
        EXPECT_LT(a[i].low, a[i].value) << measures[i].metric->name;
      }
      EXPECT_GT(a[i].high, a[i].value) << measures[i].metric->name;
      EXPECT_EQ(a[i].low, b[i].low);
      EXPECT_EQ(a[i].high, b[i].high);
      EXPECT_NE(a[i].low, c[i].low);
    }
  }
}
TEST(Bootstrap, WidthIsThatOfTheBinomialForAccuracy) {
  // 95 % of accuracy on 500 rows: 2 * 1.96 * sqrt(p (1 - p) / n) = 0.0839.
  const Interval i = Bootstrap(sample::Binary(), *FindMetric("accuracy"), 2000, 3);
  EXPECT_NEAR(i.high - i.low, 0.0839, 0.008);
}
TEST(Bootstrap, NoIntervalWhereMostResamplesAreUndefined) {
  Scored s;
  s.y = {1, 0, 0, 0, 0, 0, 0, 0};
  s.scores = {0.9, 0.1, 0.2, 0.3, 0.2, 0.1, 0.4, 0.2};
  s.decisions = {1, 0, 0, 0, 0, 0, 0, 0};
  const Interval some = Bootstrap(s, *FindMetric("auc"), 200, 1);
  EXPECT_EQ(some.value, 1);
  EXPECT_EQ(some.low, 1) << "about a third of the resamples lack the positive row and are left out";
  for (double& y : s.y) y = 0;
  const Interval none = Bootstrap(s, *FindMetric("auc"), 200, 1);
  EXPECT_TRUE(std::isnan(none.value) && std::isnan(none.low));
}
TEST(Bootstrap, PairedDifferenceIsNarrowerThanTheParts) {
  const Scored a = sample::Binary();
  Scored b = a;
  for (size_t i = 0; i < b.rows(); i += 10) b.scores[i] = 0.5;
  const Measure auc{FindMetric("auc"), kAllClasses};
  const Interval d = BootstrapDifference(a, b, auc, 1, 300, 1), own = Bootstrap(a, *auc.metric, 300, 1);
  EXPECT_NEAR(d.value, Get(a, "auc") - Get(b, "auc"), 1e-15);
  EXPECT_LT(d.high - d.low, (own.high - own.low) / 2);
  const Interval same = BootstrapDifference(a, a, auc, 1, 50, 1);
  EXPECT_EQ(same.low, 0);
  EXPECT_EQ(same.high, 0);
}

TEST(Threshold, LeastCostAndBestF1AreFoundByTryingAll) {
  const Scored s = sample::Binary();
  const auto cost_at = [&](double t, double fp_cost, double fn_cost) {
    double sum = 0;
    for (size_t i = 0; i < s.rows(); ++i) {
      if (s.scores[i] >= t && s.y[i] == 0) sum += fp_cost;
      if (s.scores[i] < t && s.y[i] == 1) sum += fn_cost;
    }
    return sum;
  };
  for (const auto& [fp, fn] : {std::pair{5.0, 60.0}, std::pair{1.0, 1.0}, std::pair{10.0, 3.0}}) {
    const double chosen = ChooseThreshold(s, project::Cost{fp, fn}, {});
    double best = 1e9;
    for (int t = 0; t <= 1010; ++t) best = std::min(best, cost_at(t / 1000.0 - 0.0005, fp, fn));
    EXPECT_EQ(cost_at(chosen, fp, fn), best) << fp << ":" << fn << " at " << chosen;
  }
  const auto f1_at = [&](double t) {
    Scored d = s;
    for (size_t i = 0; i < d.rows(); ++i) d.decisions[i] = d.scores[i] >= t;
    return Get(d, "f1");
  };
  double best = 0;
  for (int t = 0; t <= 1000; ++t) best = std::max(best, f1_at(t / 1000.0 - 0.0005));
  EXPECT_EQ(f1_at(ChooseThreshold(s, {}, {})), best);
  EXPECT_EQ(ChooseThreshold(s, project::Cost{5, 60}, 0.7), 0.7) << "a fixed one wins";
}
TEST(Threshold, LiesBetweenScoresAndCanSelectNobody) {
  const Scored s = sample::Binary();
  const double t = ChooseThreshold(s, project::Cost{1, 2}, {});
  for (const double score : s.scores) EXPECT_GT(std::fabs(score - t), 1e-4);
  const double nobody = ChooseThreshold(s, project::Cost{1000, 1}, {});
  for (const double score : s.scores) EXPECT_LT(score, nobody);
  Scored one = s;
  for (double& y : one.y) y = 1;
  EXPECT_EQ(ChooseThreshold(one, {}, {}), 0.5);
}

TEST(Curves, CountsAndEnds) {
  const Scored s = sample::Binary();
  const Json calibration = CalibrationCurve(s), roc = RocCurve(s), pr = PrCurve(s), curve = ThresholdCurve(s, project::Cost{1, 2}), confusion = ConfusionMatrix(s, {"no", "yes"});
  int64_t rows = 0;
  for (const Json& bin : calibration.AsArray()) {
    rows += bin["rows"].AsInt();
    EXPECT_LE(bin["low"].AsDouble(), bin["share"].AsDouble());
    EXPECT_GE(bin["high"].AsDouble(), bin["share"].AsDouble());
    EXPECT_GE(bin["score"].AsDouble(), bin["from"].AsDouble());
  }
  EXPECT_EQ(rows, 500);
  EXPECT_EQ(roc[0].Dump(), "[0.0,0.0]");
  EXPECT_EQ(roc[roc.size() - 1].Dump(), "[1.0,1.0]");
  // The area under the (thinned) curve is the metric; 100 distinct scores need no thinning.
  double area = 0;
  for (size_t i = 1; i < roc.size(); ++i) area += (roc[i][0].AsDouble() - roc[i - 1][0].AsDouble()) * (roc[i][1].AsDouble() + roc[i - 1][1].AsDouble()) / 2;
  EXPECT_NEAR(area, Get(s, "auc"), 1e-12);
  EXPECT_EQ(pr[pr.size() - 1][0].AsDouble(), 1);
  int64_t all = 0;
  for (const Json& row : confusion["matrix"].AsArray())
    for (const Json& cell : row.AsArray()) all += cell.AsInt();
  EXPECT_EQ(all, 500);
  EXPECT_NEAR(confusion["matrix"][1][1].AsDouble() / (confusion["matrix"][1][0].AsDouble() + confusion["matrix"][1][1].AsDouble()), Get(s, "recall"), 1e-12);
  EXPECT_GE(curve.size(), 50u);
  EXPECT_LE(curve.size(), 102u);
}
TEST(Curves, ThinnedToTwoHundredPointsAndStillTrue) {
  Scored s = sample::Binary(false, 20'000, 4);
  Random random(2);
  for (double& v : s.scores) v = std::min(1.0, v + random.Uniform() * 0.01);
  const Json roc = RocCurve(s), pr = PrCurve(s);
  EXPECT_LE(roc.size(), 200u);
  EXPECT_GE(roc.size(), 100u);
  EXPECT_LE(pr.size(), 200u);
  double area = 0;
  for (size_t i = 1; i < roc.size(); ++i) area += (roc[i][0].AsDouble() - roc[i - 1][0].AsDouble()) * (roc[i][1].AsDouble() + roc[i - 1][1].AsDouble()) / 2;
  EXPECT_NEAR(area, Get(s, "auc"), 1e-3);
}
TEST(Curves, CostIsCountedByHand) {
  Scored s;
  s.y = {1, 1, 0, 0, 0};
  s.scores = {0.9, 0.2, 0.8, 0.1, 0.1};
  s.decisions = {1, 0, 1, 0, 0};
  const Json cost = CostSummary(s, {5, 60});
  EXPECT_EQ(cost["total"].AsDouble(), 65);
  EXPECT_EQ(cost["per_1000"].AsDouble(), 13000);
  EXPECT_EQ(cost["nobody_per_1000"].AsDouble(), 24000);
  EXPECT_EQ(cost["everybody_per_1000"].AsDouble(), 3000);
}

project::Gate MakeGate(const std::string& op, double limit, bool champion = false, double factor = 1) {
  project::Gate g;
  g.text = "auc " + op;
  g.metric = "auc";
  g.op = op;
  g.limit = limit;
  g.champion = champion;
  g.factor = factor;
  return g;
}
GateLookup Gives(std::optional<Interval> i, std::string reason = "") {
  return [=](const project::Gate&, std::string& why) {
    why = reason;
    return i;
  };
}

TEST(Gates, ValueBoundChampionAndUnknown) {
  const Interval value{0.84, 0.82, 0.86};
  EXPECT_TRUE(JudgeGate(MakeGate(">=", 0.83), Gives(value), {}, {}).passed);
  EXPECT_FALSE(JudgeGate(MakeGate(">=", 0.83), Gives(value), {}, 0.95).passed) << "the lower bound is 0.82";
  EXPECT_TRUE(JudgeGate(MakeGate(">=", 0.82), Gives(value), {}, 0.95).passed);
  EXPECT_FALSE(JudgeGate(MakeGate("<=", 0.85), Gives(value), {}, 0.95).passed) << "the upper bound is 0.86";
  EXPECT_TRUE(JudgeGate(MakeGate("<", 0.85), Gives(value), {}, {}).passed);
  EXPECT_TRUE(JudgeGate(MakeGate("==", 0.84), Gives(value), {}, 0.95).passed);
  EXPECT_FALSE(JudgeGate(MakeGate(">", 0.84), Gives(value), {}, {}).passed);
  const auto first = JudgeGate(MakeGate(">=", -0.005, true), Gives(value), {}, {});
  EXPECT_TRUE(first.passed);
  EXPECT_NE(first.why.find("no champion yet"), std::string::npos);
  const auto close = JudgeGate(MakeGate(">=", -0.005, true), Gives(value), Gives(Interval{0.844, 0.82, 0.86}), {});
  EXPECT_TRUE(close.passed);
  EXPECT_NEAR(close.limit, 0.839, 1e-12);
  EXPECT_FALSE(JudgeGate(MakeGate(">=", 0, true), Gives(value), Gives(Interval{0.841, 0, 1}), {}).passed);
  const auto factor = JudgeGate(MakeGate("<=", 0, true, 1.5), Gives(value), Gives(Interval{0.5, 0, 1}), {});
  EXPECT_FALSE(factor.passed);
  EXPECT_EQ(factor.limit, 0.75);
  const auto unknown = JudgeGate(MakeGate(">=", 0.83), Gives(std::nullopt, "no such column"), {}, {});
  EXPECT_FALSE(unknown.passed);
  EXPECT_EQ(unknown.why, "can't be evaluated: no such column");
  EXPECT_FALSE(JudgeGate(MakeGate(">=", 0.83), Gives(Interval{kNaN, kNaN, kNaN}), {}, {}).passed);
  EXPECT_FALSE(JudgeGate(MakeGate(">=", 0.1), Gives(Interval{0.5, kNaN, kNaN}), {}, 0.95).passed) << "no bound";
  const auto lost = JudgeGate(MakeGate(">=", 0, true), Gives(value), Gives(std::nullopt, "its file is gone"), {});
  EXPECT_FALSE(lost.passed);
  EXPECT_NE(lost.why.find("its file is gone"), std::string::npos);
  EXPECT_FALSE(JudgeGate(MakeGate(">=", 0.83), {}, {}, {}).passed);
}

}  // namespace
}  // namespace rondo::model
