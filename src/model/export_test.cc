// The whole path with the real learners: fit, train, write, and the exported file scores as the learner's own library does.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "base/json_map.h"
#include "model/test_data.h"

namespace rondo::model {
namespace {

struct Case {
  const char* algorithm;
  project::Task task;
  bool nasty;
};
std::string Name(const testing::TestParamInfo<Case>& info) { return std::string(info.param.algorithm) + "_" + EnumName(info.param.task) + (info.param.nasty ? "_nasty" : "_telco"); }

class Export : public testing::TestWithParam<Case> {};

TEST_P(Export, ScoresAsTheLearner) {
  const auto [algorithm, task, nasty] = GetParam();
  const bool linear = std::string(algorithm) == "logistic" || std::string(algorithm) == "linear";
  table::Frame frame = nasty ? NastyFrame(1500, 11) : Telco();
  ASSERT_GT(frame.rows(), 1000u);
  Signature signature;
  signature.task = task;
  signature.algorithm = algorithm;
  signature.target = nasty ? "plain" : task == project::Task::binary ? "churn" : task == project::Task::multiclass ? "contract" : "total_charges";
  Labels labels;
  if (task == project::Task::regression) {
    for (const double v : frame.Find(signature.target)->numbers) labels.y.push_back(v == v ? static_cast<float>(v) : 0.0f);
  } else if (nasty) {
    const size_t k = task == project::Task::binary ? 2 : 3;
    for (size_t r = 0; r < frame.rows(); ++r) {
      const double v = frame.Find("plain")->numbers[r] + (frame.Find("cat")->strings[r] == "a" ? 10 : 0) + (std::isnan(frame.Find("holes")->numbers[r]) ? 8 : 0);
      labels.y.push_back(static_cast<float>(v > 5 ? k - 1 : v > -5 && k == 3 ? 1 : 0));
    }
    for (size_t i = 0; i < k; ++i) signature.classes.push_back("class " + std::to_string(i));
  } else {
    const table::Column& target = *frame.Find(signature.target);
    signature.classes = target.strings;
    std::sort(signature.classes.begin(), signature.classes.end());
    signature.classes.erase(std::unique(signature.classes.begin(), signature.classes.end()), signature.classes.end());
    for (const std::string& text : target.strings) labels.y.push_back(static_cast<float>(std::find(signature.classes.begin(), signature.classes.end(), text) - signature.classes.begin()));
  }

  project::Features spec = nasty ? NastySpec() : project::Features{};
  if (nasty && linear) std::erase_if(spec.columns, [](const project::ColumnFeature& c) { return c.column == "strange"; });
  if (nasty && task == project::Task::regression) {
    spec.columns.erase(spec.columns.begin());
    spec.derive.clear();
  }
  if (!nasty && !linear) spec.numeric.impute = "none";  // the trees meet missing values themselves
  const auto graph = FitFeatures(spec, ColumnsOfFrame(frame, nasty && task != project::Task::regression ? "" : signature.target), frame, 1'700'000'000'000);
  ASSERT_TRUE(graph) << graph.error().Text();
  signature.inputs = (*graph)->inputs();
  const auto matrix = (*graph)->Transform(frame);
  ASSERT_TRUE(matrix);

  TrainRequest request;
  request.task = task;
  request.classes = std::max<size_t>(2, signature.classes.size());
  request.train_x = &*matrix;
  request.train_y = &labels;
  request.feature_names = (*graph)->names();
  request.seed = 7;
  request.params = Json::MakeObject();
  if (!linear && std::string(algorithm) != "dummy") request.params.Set("rounds", 60);
  const auto info = FindAlgorithm(algorithm, task);
  ASSERT_TRUE(info) << info.error().Text();
  const auto learner = (*info)->make();
  const auto model = learner->Train(request);
  ASSERT_TRUE(model) << model.error().Text();
  const auto native = learner->PredictNative(*model, *matrix);
  ASSERT_TRUE(native) << native.error().Text();
  TempDir dir;
  const auto bytes = WriteOnnx(**graph, *model, signature, {});
  ASSERT_TRUE(bytes) << bytes.error().Text();
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "model.onnx", *bytes));
  const auto check = CheckExport(dir.path() / "model.onnx", signature, frame, *native);
  ASSERT_TRUE(check) << check.error().Text();
  EXPECT_EQ(check->own_runtime, linear || model->linear ? "linear" : "trees");
  RecordProperty("max_difference", std::to_string(check->max_difference));
}

constexpr auto kBinary = project::Task::binary, kMulticlass = project::Task::multiclass, kRegression = project::Task::regression;
INSTANTIATE_TEST_SUITE_P(Learners, Export,
                         testing::Values(Case{"xgboost", kBinary, false}, Case{"xgboost", kMulticlass, false}, Case{"xgboost", kRegression, false}, Case{"xgboost", kBinary, true}, Case{"xgboost", kMulticlass, true},
                                         Case{"xgboost", kRegression, true}, Case{"lightgbm", kBinary, false}, Case{"lightgbm", kMulticlass, false}, Case{"lightgbm", kRegression, false},
                                         Case{"lightgbm", kBinary, true}, Case{"lightgbm", kMulticlass, true}, Case{"lightgbm", kRegression, true}, Case{"logistic", kBinary, false},
                                         Case{"logistic", kMulticlass, false}, Case{"logistic", kBinary, true}, Case{"linear", kRegression, false}, Case{"dummy", kBinary, false}, Case{"dummy", kMulticlass, true},
                                         Case{"dummy", kRegression, false}),
                         Name);

}  // namespace
}  // namespace rondo::model
