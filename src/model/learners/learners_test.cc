#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <map>
#include <numeric>

#include "base/random.h"
#include "model/learners/lightgbm_model.h"
#include "model/learners/tree_check.h"
#include "model/learners/xgboost_model.h"
#include "model/metrics/sample.h"

namespace rondo::model {
namespace {

using project::Task;

struct Data {
  Matrix x;
  Labels binary, multi, number;
  const Labels& Of(Task task) const { return task == Task::binary ? binary : task == Task::multiclass ? multi : number; }
};

/// Four features of very different scale; with `holes` the first one is missing in a tenth of the rows. The oracles' script makes the same rows.
Data Make(uint64_t seed, int rows, bool holes) {
  sample::Lcg r(seed);
  Data d;
  d.x.rows = static_cast<size_t>(rows);
  d.x.cols = 4;
  for (int i = 0; i < rows; ++i) {
    float x[4];
    x[0] = static_cast<float>(r.U() * 2 - 1);
    x[1] = static_cast<float>(r.U() * 1000 + 2000);
    x[2] = r.U() < 0.3 ? 1 : 0;
    x[3] = static_cast<float>(r.U() * 0.01);
    const double a = static_cast<double>(x[0]), b = static_cast<double>(x[1]), c = static_cast<double>(x[2]), e = static_cast<double>(x[3]);
    const double s = 2 * a - 0.002 * (b - 2500) + 1.5 * c - 0.5;
    d.binary.y.push_back(r.U() < 1 / (1 + std::exp(-s)) ? 1 : 0);
    const double u = r.U();
    d.multi.y.push_back(u < 0.3 + 0.2 * a ? 0 : u < 0.6 + 0.1 * c ? 1 : 2);
    d.number.y.push_back(static_cast<float>(3 * a + 0.01 * b - 2 * c + 100 * e + r.U()));
    if (holes && r.U() < 0.1) x[0] = std::nanf("");
    d.x.values.insert(d.x.values.end(), x, x + 4);
  }
  return d;
}

Json Params(const std::string& text) { return *ParseJson(text); }

struct Job {
  Data train, valid;
  TrainRequest request;
  Job(Task task, Data t, Data v) : train(std::move(t)), valid(std::move(v)) {
    request.task = task;
    request.classes = task == Task::binary ? 2 : task == Task::multiclass ? 3 : 1;
    request.train_x = &train.x;
    request.train_y = &train.Of(task);
    request.valid_x = &valid.x;
    request.valid_y = &valid.Of(task);
    request.feature_names = {"a", "b", "c=1", "[weird],\"name\""};
    request.seed = 7;
  }
  Job(const Job&) = delete;
};
std::unique_ptr<Job> Boosted(Task task) { return std::make_unique<Job>(task, Make(11, 1000, true), Make(12, 400, true)); }

Result<FittedModel> Fit(const std::string& algorithm, Job& setup, const std::string& params) {
  setup.request.params = Params(params);
  RONDO_TRY(const AlgorithmInfo* info, FindAlgorithm(algorithm, setup.request.task));
  return info->make()->Train(setup.request);
}
std::vector<float> Native(const FittedModel& model, const Matrix& x) {
  const auto values = FindAlgorithm(model.algorithm, model.algorithm == "linear" ? Task::regression : Task::binary).value()->make()->PredictNative(model, x);
  EXPECT_TRUE(values) << values.error().Text();
  return values.value_or(std::vector<float>{});
}

struct Oracle {
  Task task;
  int64_t best, rounds;
  double loss;
  std::vector<double> first;
  double sum;
};

// Python xgboost 3.2.0, the same rows: depth 3, rate 0.3, 40 rounds, early stopping 5, hist.
TEST(Xgboost, EqualsThePythonPackage) {
  const Oracle oracles[] = {
      {Task::binary, 8, 14, 0.5554831026494503, {0.361368864774704, 0.6067481637001038, 0.6949119567871094, 0.5202203392982483, 0.7837978005409241, 0.8286991119384766}, 190.56065578758717},
      {Task::multiclass, 3, 9, 1.067540257871151, {0.24307194352149963, 0.487583726644516, 0.2693443298339844, 0.35968735814094543, 0.2786514163017273, 0.36166125535964966}, 400.0000012218952},
      {Task::regression, 31, 37, 0.7552932376513275, {26.8117733001709, 27.007553100585938, 20.730628967285156, 23.28556251525879, 25.70307731628418, 25.108295440673828}, 10126.895252227783}};
  for (const Oracle& o : oracles) {
    const auto s = Boosted(o.task);
    std::map<std::string, int64_t> seen;
    s->request.on_metric = [&](const std::string& name, double, int64_t round) {
      EXPECT_EQ(seen[name]++, round);
      return true;
    };
    const auto model = Fit("xgboost", *s, R"({"max_depth": 3, "eta": 0.3, "rounds": 40, "early_stopping": 5})");
    ASSERT_TRUE(model) << model.error().Text();
    EXPECT_EQ(model->info["best_iteration"].AsInt(), o.best);
    EXPECT_EQ(model->info["rounds"].AsInt(), o.rounds);
    EXPECT_EQ(model->trees.size(), static_cast<size_t>(o.best + 1) * model->outputs);
    const std::string loss = o.task == Task::regression ? "rmse" : "logloss";
    EXPECT_NEAR(model->info["best_validation_" + loss].AsDouble(), o.loss, 1e-9);
    EXPECT_EQ(seen["train_" + loss], o.rounds);
    EXPECT_EQ(seen["validation_" + loss], o.rounds);
    EXPECT_EQ(seen["validation_auc"], o.task == Task::binary ? o.rounds : 0);
    const std::vector<float> native = Native(*model, s->valid.x);
    double sum = 0;
    for (const float v : native) sum += static_cast<double>(v);
    EXPECT_NEAR(sum, o.sum, 2e-5);
    for (size_t i = 0; i < o.first.size(); ++i) EXPECT_NEAR(static_cast<double>(native[i]), o.first[i], 1e-6 * std::max(1.0, o.first[i]));
  }
}
// Python lightgbm 4.7.0, the same rows: 8 leaves, rate 0.3, 40 rounds, early stopping 5.
TEST(Lightgbm, EqualsThePythonPackage) {
  const Oracle oracles[] = {
      {Task::binary, 8, 14, 0.555968276660752, {0.29798376304164576, 0.722419941720981, 0.7510666389050248, 0.5531113560539295, 0.8265436990224286, 0.8030637380260595}, 190.49933871000076},
      {Task::multiclass, 2, 8, 1.0655952805054851, {0.27325961218241096, 0.449506470276612, 0.27723391754097704, 0.34204108931292443, 0.27236275038602303, 0.3855961603010524}, 400},
      {Task::regression, 29, 35, 0.7766625478932069, {27.280924240117486, 27.408811728128242, 21.05357623547079, 23.566549081392594, 26.07158445296992, 24.757278934929808}, 10119.32352863613}};
  for (const Oracle& o : oracles) {
    const auto s = Boosted(o.task);
    std::map<std::string, int64_t> seen;
    s->request.on_metric = [&](const std::string& name, double, int64_t round) {
      EXPECT_EQ(seen[name]++, round);
      return true;
    };
    const auto model = Fit("lightgbm", *s, R"({"num_leaves": 8, "learning_rate": 0.3, "rounds": 40, "early_stopping": 5})");
    ASSERT_TRUE(model) << model.error().Text();
    EXPECT_EQ(model->info["best_iteration"].AsInt(), o.best);
    EXPECT_EQ(model->info["rounds"].AsInt(), o.rounds);
    const std::string loss = o.task == Task::regression ? "rmse" : "logloss";
    EXPECT_NEAR(model->info["best_validation_" + loss].AsDouble(), o.loss, 1e-9);
    EXPECT_EQ(seen["validation_" + loss], o.rounds);
    const std::vector<float> native = Native(*model, s->valid.x);
    double sum = 0;
    for (const float v : native) sum += static_cast<double>(v);
    EXPECT_NEAR(sum, o.sum, 2e-5);
    for (size_t i = 0; i < o.first.size(); ++i) EXPECT_NEAR(static_cast<double>(native[i]), o.first[i], 1e-6 * std::max(1.0, o.first[i]));
  }
}

/// Values around every threshold, where `<` and `<=` and the rounding of thresholds show.
Matrix OnThresholds(const FittedModel& model, const Matrix& like) {
  Matrix out;
  out.cols = like.cols;
  size_t row = 0;
  for (const Tree& tree : model.trees) {
    for (const TreeNode& node : tree.nodes) {
      if (node.left == -1) continue;
      for (const float v : {node.threshold, std::nextafterf(node.threshold, -INFINITY), std::nextafterf(node.threshold, INFINITY)}) {
        // LightGBM's matrix reader takes what is this near to zero as zero (kZeroThreshold).
        if (v != 0 && std::fabs(v) <= 1.1e-35f) continue;
        const auto base = like.row(row++ % like.rows);
        out.values.insert(out.values.end(), base.begin(), base.end());
        out.values[out.rows * out.cols + static_cast<size_t>(node.feature)] = v;
        ++out.rows;
      }
    }
  }
  return out;
}
TEST(Boosting, ParsedTreesScoreLikeTheLibrary) {
  for (const char* algorithm : {"xgboost", "lightgbm"}) {
    for (const Task task : {Task::binary, Task::multiclass, Task::regression}) {
      for (const bool holes : {true, false}) {
        Job s(task, Make(21, 800, holes), Make(22, 300, true));
        const auto model = Fit(algorithm, s, R"({"rounds": 60, "max_depth": 5})");
        ASSERT_TRUE(model) << model.error().Text();
        for (const Matrix& x : {s.valid.x, OnThresholds(*model, s.valid.x)}) {
          const std::vector<float> native = Native(*model, x);
          const std::vector<double> ours = EvaluateFitted(*model, x);
          ASSERT_EQ(native.size(), ours.size());
          for (size_t i = 0; i < ours.size(); ++i)
            ASSERT_NEAR(static_cast<double>(native[i]), ours[i], 2e-6 * std::max(1.0, std::fabs(ours[i]))) << algorithm << " row " << i / model->outputs;
        }
      }
    }
  }
}
TEST(Boosting, SameSeedSameModelOtherSeedAnother) {
  for (const auto& [algorithm, params] : {std::pair{"xgboost", R"({"rounds": 20, "subsample": 0.7, "colsample_bytree": 0.5})"}, std::pair{"lightgbm", R"({"rounds": 20, "bagging_fraction": 0.7, "feature_fraction": 0.5})"}}) {
    const auto s = Boosted(Task::binary);
    const auto a = Fit(algorithm, *s, params), b = Fit(algorithm, *s, params);
    s->request.seed = 8;
    const auto c = Fit(algorithm, *s, params);
    ASSERT_TRUE(a && b && c);
    EXPECT_EQ(a->native, b->native) << algorithm;
    EXPECT_NE(Native(*a, s->valid.x), Native(*c, s->valid.x)) << algorithm;
  }
}
TEST(Boosting, AWeightOfTwoIsTheRowTwice) {
  for (const char* algorithm : {"xgboost", "lightgbm"}) {
    Job weighted(Task::binary, Make(31, 300, false), Make(32, 100, false)), twice(Task::binary, Make(31, 300, false), Make(32, 100, false));
    weighted.train.binary.weights.assign(300, 1);
    for (size_t i = 0; i < 100; ++i) {
      weighted.train.binary.weights[i] = 2;
      const auto row = weighted.train.x.row(i);
      twice.train.x.values.insert(twice.train.x.values.end(), row.begin(), row.end());
      twice.train.binary.y.push_back(weighted.train.binary.y[i]);
      ++twice.train.x.rows;
    }
    // Bins follow rows, not weights, in these libraries: exact splits (or a binary feature alone) make both alike.
    for (Job* s : {&weighted, &twice})
      for (Data* d : {&s->train, &s->valid})
        for (size_t r = 0; r < d->x.rows; ++r) d->x.values[r * 4] = d->x.values[r * 4 + 1] = d->x.values[r * 4 + 3] = 0;
    const std::string params = R"({"rounds": 5})";
    const auto a = Fit(algorithm, weighted, params), b = Fit(algorithm, twice, params);
    ASSERT_TRUE(a && b);
    const auto p = Native(*a, weighted.valid.x), q = Native(*b, weighted.valid.x);
    for (size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(p[i], q[i], 1e-5) << algorithm;
  }
}
TEST(Boosting, CancelsWhenTold) {
  for (const char* algorithm : {"xgboost", "lightgbm", "logistic"}) {
    Job s(Task::binary, Make(11, 300, false), Make(12, 100, false));
    int calls = 0;
    s.request.on_metric = [&](const std::string&, double, int64_t) { return ++calls < 5; };
    const auto model = Fit(algorithm, s, "{}");
    ASSERT_FALSE(model) << algorithm;
    EXPECT_EQ(calls, 5);
    EXPECT_NE(model.error().message.find("cancelled"), std::string::npos);
  }
}

// IRLS in numpy to machine precision; scikit-learn 1.9.1 (newton-cholesky, tol 1e-12) gives the same to 1e-8.
TEST(Logistic, BinaryIsTheOptimumOfScikitLearnsObjective) {
  Job s(Task::binary, Make(5, 300, false), Make(12, 100, false));
  // The oracle's generator drew no holes here.
  auto model = Fit("logistic", s, R"({"C": 1.0})");
  ASSERT_TRUE(model) << model.error().Text();
  const double oracle[] = {2.0388388499963965, -0.0020652053721054984, 1.6365602977357716, 0.02643368906381278};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(model->coefficients[i], oracle[i], 1e-6 * std::fabs(oracle[i]) + 1e-9) << i;
  EXPECT_NEAR(model->info["linear"][0]["intercept"].AsDouble(), 4.890514772398217, 1e-6);
  EXPECT_TRUE(model->info["converged"].AsBool());
  for (size_t i = 0; i < 300; ++i) s.train.binary.weights.push_back(1 + static_cast<float>(i % 3));
  model = Fit("logistic", s, R"({"C": 0.1})");
  ASSERT_TRUE(model);
  const double weighted[] = {1.6589581867976135, -0.0018042251426410839, 1.0876297624025204, 0.008186392198520406};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(model->coefficients[i], weighted[i], 1e-6 * std::fabs(weighted[i]) + 1e-9) << i;
  EXPECT_NEAR(model->info["linear"][0]["intercept"].AsDouble(), 4.364106839245744, 1e-6);
}
// scikit-learn 1.9.1, LogisticRegression(C=1, tol=1e-14, newton-cholesky), second feature as (x - 2500) / 1000.
TEST(Logistic, SoftmaxEqualsScikitLearn) {
  Job s(Task::multiclass, Make(5, 300, false), Make(12, 100, false));
  for (Data* d : {&s.train, &s.valid})
    for (size_t r = 0; r < d->x.rows; ++r) d->x.values[r * 4 + 1] = static_cast<float>((static_cast<double>(d->x.values[r * 4 + 1]) - 2500) / 1000);
  const auto model = Fit("logistic", s, "{}");
  ASSERT_TRUE(model) << model.error().Text();
  const double oracle[3][5] = {{0.7211596097982594, -0.1765136947605986, -0.3951532559525518, 0.0028168142406496655, 0.09103024271433434},
                               {-0.7657712382289628, 0.04238166268659442, 0.4934535924461795, -0.016974375415468347, -0.2882014766633464},
                               {0.04461162843070772, 0.13413203207400523, -0.09830033649362602, 0.014157561174818659, 0.19717123394901206}};
  for (size_t k = 0; k < 3; ++k) {
    for (size_t j = 0; j < 4; ++j) EXPECT_NEAR(model->coefficients[k * 4 + j], oracle[k][j], 1e-6);
    EXPECT_NEAR(model->info["linear"][k]["intercept"].AsDouble(), oracle[k][4], 1e-6);
  }
  const std::vector<float> p = Native(*model, s.valid.x);
  for (size_t i = 0; i < p.size(); i += 3) EXPECT_NEAR(p[i] + p[i + 1] + p[i + 2], 1, 1e-6);
}
TEST(Logistic, SparseAndDenseRowsAgreeAndSeparationEnds) {
  // One-hot columns: mostly zeros; perfectly separable, where an unpenalised fit would run away.
  Job s(Task::binary, Make(5, 200, false), Make(12, 50, false));
  s.train.x = {200, 10, std::vector<float>(2000, 0)};
  for (size_t i = 0; i < 200; ++i) {
    s.train.x.values[i * 10 + i % 10] = 1;
    s.train.binary.y[i] = i % 10 < 5;
  }
  s.request.valid_x = nullptr;
  const auto model = Fit("logistic", s, "{}");
  ASSERT_TRUE(model) << model.error().Text();
  EXPECT_TRUE(model->info["converged"].AsBool());
  // By symmetry the ten coefficients are +-b with 20 sigmoid(-b) = b.
  const double b = model->coefficients[0];
  EXPECT_NEAR(20 / (1 + std::exp(b)), b, 1e-6);
  for (size_t j = 0; j < 10; ++j) EXPECT_NEAR(std::fabs(model->coefficients[j]), b, 1e-6);
}

// scikit-learn 1.9.1: LinearRegression, with weights, Ridge(alpha=5), and with all levels of a one-hot column (rank 2 of 3).
TEST(Linear, EqualsScikitLearn) {
  const auto check = [](const Result<FittedModel>& model, const std::vector<double>& w, double intercept, double tolerance) {
    ASSERT_TRUE(model) << model.error().Text();
    for (size_t i = 0; i < w.size(); ++i) EXPECT_NEAR(model->coefficients[i], w[i], tolerance * std::max(1.0, std::fabs(w[i]))) << i;
    EXPECT_NEAR(model->info["linear"][0]["intercept"].AsDouble(), intercept, tolerance);
  };
  Job s(Task::regression, Make(5, 300, false), Make(12, 100, false));
  check(Fit("linear", s, "{}"), {3.0275241405560607, 0.010054711624602598, -2.037180391163375, 114.54157720635001}, 0.30818291105554607, 1e-9);
  check(Fit("linear", s, R"({"alpha": 5})"), {2.8821377210314734, 0.010133500824157452, -1.8328008388294428, 0.052060526931019126}, 0.6269804351206965, 1e-9);
  for (size_t i = 0; i < 300; ++i) s.train.number.weights.push_back(1 + static_cast<float>(i % 3));
  check(Fit("linear", s, "{}"), {3.027926956395834, 0.0100238285220601, -2.0274885901381574, 117.03208163540631}, 0.35254690138745204, 1e-9);
  s.train.number.weights.clear();
  Matrix x{300, 3, {}};
  for (size_t i = 0; i < 300; ++i) x.values.insert(x.values.end(), {s.train.x.at(i, 0), s.train.x.at(i, 2), 1 - s.train.x.at(i, 2)});
  s.train.x = x;
  s.request.valid_x = nullptr;
  const auto deficient = Fit("linear", s, "{}");
  check(deficient, {2.635658030486148, -1.1436761839805236, 1.1436761839805238}, 24.877908299084062, 1e-9);
  EXPECT_EQ(deficient->info["rank"].AsInt(), 2);
}
TEST(Linear, ManyRowsGoThroughTheBlocks) {
  Job s(Task::regression, Make(77, 20'000, false), Make(12, 100, false));
  const auto model = Fit("linear", s, "{}");
  ASSERT_TRUE(model);
  EXPECT_NEAR(model->coefficients[0], 3, 0.05);
  EXPECT_NEAR(model->coefficients[1], 0.01, 1e-4);
  EXPECT_NEAR(model->coefficients[3], 100, 5);
  const auto p = Native(*model, s.train.x);
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) sum += static_cast<double>(s.train.number.y[i] - p[i]);
  EXPECT_NEAR(sum / 20'000, 0, 1e-4) << "residuals of least squares have mean 0";
}

TEST(Dummy, SharesMeanAndMedianEvenWithMissingFeatures) {
  Job s(Task::binary, Make(11, 1000, true), Make(12, 10, true));
  const double share = std::accumulate(s.train.binary.y.begin(), s.train.binary.y.end(), 0.0) / 1000;
  const auto binary = Fit("dummy", s, "{}");
  ASSERT_TRUE(binary);
  for (const float p : Native(*binary, s.valid.x)) EXPECT_NEAR(static_cast<double>(p), share, 1e-6);
  Job m(Task::multiclass, Make(11, 1000, true), Make(12, 10, true));
  const auto multi = Fit("dummy", m, "{}");
  ASSERT_TRUE(multi);
  const double first = static_cast<double>(std::count(m.train.multi.y.begin(), m.train.multi.y.end(), 0.0f)) / 1000;
  EXPECT_NEAR(static_cast<double>(Native(*multi, m.valid.x)[0]), first, 1e-6);
  Job r(Task::regression, Make(11, 5, true), Make(12, 10, true));
  r.train.number.y = {1, 2, 3, 4, 100};
  EXPECT_FLOAT_EQ(Native(*Fit("dummy", r, "{}"), r.valid.x)[0], 22);
  EXPECT_FLOAT_EQ(Native(*Fit("dummy", r, R"({"strategy": "median"})"), r.valid.x)[0], 3);
  r.train.number.weights = {1, 1, 1, 3, 0};
  EXPECT_FLOAT_EQ(Native(*Fit("dummy", r, R"({"strategy": "median"})"), r.valid.x)[0], 3.5);
  r.train.number.weights = {0, 0, 0, 0, 0};
  EXPECT_FALSE(Fit("dummy", r, "{}"));
}

struct BadParams {
  const char *algorithm, *params, *message, *hint;
};
TEST(Params, ErrorsNameTheParamTheValueAndTheWayOut) {
  const BadParams cases[] = {
      {"xgboost", R"({"max_dept": 4})", "no param \"max_dept\"", "did you mean max_depth?"},
      {"xgboost", R"({"objective": "rank:pairwise"})", "objective can't be set", "problem.task"},
      {"xgboost", R"({"seed": 3})", "seed can't be set", "train.seed"},
      {"xgboost", R"({"max_depth": 4.5})", "an integer in [0, 64], not 4.5", ""},
      {"xgboost", R"({"max_depth": "deep"})", "not \"deep\"", ""},
      {"xgboost", R"({"learning_rate": 0})", "(0, 1], not 0", ""},
      {"xgboost", R"({"learning_rate": 0.1, "eta": 0.2})", "twice", ""},
      {"xgboost", R"({"tree_method": "gpu_hist"})", "auto | exact | approx | hist", ""},
      {"xgboost", R"({"rounds": true})", "not true", ""},
      {"xgboost", R"([1])", "must be a map", ""},
      {"lightgbm", R"({"num_leaves": 1})", "[2, 131072], not 1", ""},
      {"lightgbm", R"({"metric": "auc"})", "metric can't be set", "problem.success"},
      {"logistic", R"({"C": -1})", "(0, inf), not -1", ""},
      {"logistic", R"({"class_weight": "even"})", "none | balanced", ""},
      {"dummy", R"({"rounds": 3})", "no param \"rounds\"", "it has: strategy"},
  };
  for (const BadParams& c : cases) {
    Job s(Task::binary, Make(11, 100, false), Make(12, 50, false));
    const auto model = Fit(c.algorithm, s, c.params);
    ASSERT_FALSE(model) << c.params;
    EXPECT_EQ(model.error().code, Code::kInvalid);
    EXPECT_NE(model.error().message.find(c.message), std::string::npos) << model.error().Text();
    EXPECT_NE(model.error().hint.find(c.hint), std::string::npos) << model.error().Text();
  }
  EXPECT_EQ(FindAlgorithm("catboost", Task::binary).error().code, Code::kInvalid);
  EXPECT_NE(FindAlgorithm("linear", Task::binary).error().hint.find("logistic"), std::string::npos);
}
TEST(Params, NumbersGivenAsTextAreNumbers) {
  Job s(Task::binary, Make(11, 100, false), Make(12, 50, false));
  const auto model = Fit("xgboost", s, R"({"rounds": "3", "learning_rate": "0.5"})");
  ASSERT_TRUE(model) << model.error().Text();
  EXPECT_EQ(model->trees.size(), 3u);
}

TEST(BadData, EveryLearnerExplains) {
  for (const AlgorithmInfo& info : Algorithms()) {
    const Task task = info.name == "linear" ? Task::regression : Task::binary;
    const auto expect = [&](const char* text, auto change) {
      Job s(task, Make(11, 100, false), Make(12, 50, false));
      s.request.params = Json::MakeObject();
      change(s);
      const auto model = info.make()->Train(s.request);
      ASSERT_FALSE(model) << info.name << ": " << text;
      EXPECT_EQ(model.error().code, Code::kFailedCheck);
      EXPECT_NE(model.error().message.find(text), std::string::npos) << info.name << ": " << model.error().Text();
    };
    const auto y = [&](Job& s) -> std::vector<float>& { return const_cast<Labels*>(s.request.train_y)->y; };
    expect("training row 3 is missing", [&](Job& s) { y(s)[3] = std::nanf(""); });
    expect("no rows", [&](Job& s) {
      s.train.x = {0, 4, {}};
      y(s).clear();
    });
    expect("is infinite in row 0", [](Job& s) { s.train.x.values[1] = INFINITY; });
    expect("weights of the training part are 0", [](Job& s) { const_cast<Labels*>(s.request.train_y)->weights.assign(100, 0); });
    if (info.name != "dummy" || task != Task::regression) expect(task == Task::binary ? "one class only" : "in every training row", [&](Job& s) { std::fill(y(s).begin(), y(s).end(), 1.0f); });
    if (info.name == "dummy") continue;
    expect("no features", [](Job& s) { s.train.x = {100, 0, {}}; });
    if (info.name == "logistic" || info.name == "linear") {
      expect("can't have missing values", [](Job& s) { s.train.x.values[4] = std::nanf(""); });
      expect("the feature \"a\" is missing in row 2 of the validation part", [](Job& s) { s.valid.x.values[8] = std::nanf(""); });
    }
  }
}

TEST(XgboostModel, BaseScoreOfEveryRelease) {
  const auto file = [](const std::string& base, const std::string& objective, int classes) {
    return R"({"learner":{"learner_model_param":{"base_score":")" + base + R"(","num_class":")" + std::to_string(classes) + R"(","num_feature":"1"},"objective":{"name":")" + objective +
           R"("},"gradient_booster":{"name":"gbtree","model":{"tree_info":[0],"trees":[{"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[0,0,0],"split_conditions":[0.5,-1,2],"default_left":[1,0,0],"loss_changes":[3,0,0]}]}}}})";
  };
  for (const char* base : {"2.5E-1", "[2.5E-1]", "0.25"}) {
    const auto model = ParseXgboostModel(file(base, "binary:logistic", 0), {"x"});
    ASSERT_TRUE(model) << model.error().Text();
    EXPECT_NEAR(static_cast<double>(model->base[0]), std::log(0.25 / 0.75), 1e-7);
    const std::vector<double> p = EvaluateFitted(*model, {3, 1, {0.4f, 0.5f, std::nanf("")}});
    const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
    EXPECT_NEAR(p[0], sigmoid(std::log(1.0 / 3) - 1), 1e-7);
    EXPECT_NEAR(p[1], sigmoid(std::log(1.0 / 3) + 2), 1e-7) << "0.5 < 0.5 is false";
    EXPECT_NEAR(p[2], p[0], 1e-12) << "missing goes left";
  }
  const auto multi = ParseXgboostModel(file("[1E-1,2E-1,3E-1]", "multi:softprob", 3), {"x"});
  ASSERT_TRUE(multi) << multi.error().Text();
  EXPECT_EQ(multi->base, (std::vector<float>{0.1f, 0.2f, 0.3f}));
  EXPECT_FALSE(ParseXgboostModel(file("[1,2]", "multi:softprob", 3), {"x"}));
  EXPECT_FALSE(ParseXgboostModel(file("abc", "reg:squarederror", 0), {"x"}));
  EXPECT_EQ(ParseXgboostModel(file("1", "rank:pairwise", 0), {"x"}).error().code, Code::kUnsupported);
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"[1,-1,-1]", "[0,-1,-1]"}, {"[1,-1,-1]", "[7,-1,-1]"}, {"[2,-1,-1]", "[1,-1,-1]"}, {"[0,0,0],\"split_cond", "[5,0,0],\"split_cond"}, {"[0.5,-1,2]", "[0.5,-1]"}, {"gbtree", "gblinear"}, {"\"tree_info\":[0]", "\"tree_info\":[3]"}}) {
    std::string text = file("0.5", "binary:logistic", 0);
    text.replace(text.find(from), from.size(), to);
    EXPECT_FALSE(ParseXgboostModel(text, {"x"})) << from << " -> " << to;
  }
  const auto wide = ParseXgboostModel(file("0.5", "binary:logistic", 0), {"x", "y"});
  ASSERT_FALSE(wide);
  EXPECT_NE(wide.error().message.find("takes 1 features, the prepared data have 2"), std::string::npos) << wide.error().Text();
  EXPECT_FALSE(ParseXgboostModel("{}", {}));
  EXPECT_FALSE(ParseXgboostModel("not json", {}));
}
TEST(LightgbmModel, ThresholdsRoundDownAndMissingFollowsTheType) {
  EXPECT_EQ(FloorToFloat(0.1), std::nextafterf(0.1f, 0.0f)) << "0.1f is above 0.1";
  EXPECT_EQ(FloorToFloat(0.5), 0.5f);
  EXPECT_LE(static_cast<double>(FloorToFloat(-0.3)), -0.3);
  const auto file = [](int type, const std::string& threshold) {
    return "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\nobjective=regression\nfeature_names=x\ntree_sizes=1\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nsplit_gain=1\nthreshold=" + threshold +
           "\ndecision_type=" + std::to_string(type) + "\nleft_child=-1\nright_child=-2\nleaf_value=1 2\nshrinkage=1\n\n\nend of trees\n";
  };
  const float nan = std::nanf("");
  const auto scores = [&](int type, const std::string& threshold) {
    const auto model = ParseLightgbmModel(file(type, threshold), {"x"});
    EXPECT_TRUE(model) << model.error().Text();
    return EvaluateFitted(*model, {3, 1, {0.1f, 0.09f, nan}});
  };
  EXPECT_EQ(scores(8, "0.1"), (std::vector<double>{2, 1, 2})) << "0.1f > 0.1; missing goes right";
  EXPECT_EQ(scores(10, "0.1"), (std::vector<double>{2, 1, 1})) << "missing goes left";
  EXPECT_EQ(scores(0, "0.1"), (std::vector<double>{2, 1, 1})) << "no missing seen in training: NaN counts as 0";
  EXPECT_EQ(scores(0, "-0.1"), (std::vector<double>{2, 2, 2}));
  EXPECT_EQ(ParseLightgbmModel(file(1, "0"), {"x"}).error().code, Code::kUnsupported) << "categorical";
  EXPECT_EQ(ParseLightgbmModel(file(4, "0"), {"x"}).error().code, Code::kUnsupported) << "zero as missing";
  EXPECT_FALSE(ParseLightgbmModel("tree\n", {}));
  EXPECT_EQ(ParseLightgbmModel(file(0, "0"), {"x", "y"}).error().code, Code::kFailedCheck);
  EXPECT_FALSE(ParseLightgbmModel(file(0, "nan"), {"x"}));
  std::string broken = file(0, "0");
  broken.replace(broken.find("left_child=-1"), 13, "left_child=-9");
  EXPECT_FALSE(ParseLightgbmModel(broken, {"x"}));
}

}  // namespace
}  // namespace rondo::model
