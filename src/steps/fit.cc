#include "steps/fit.h"

#include <fmt/format.h>

#include <cmath>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_map.h"
#include "base/version.h"

namespace rondo::steps {
namespace {

bool Log1p(const Context& c) { return c.problem().task == project::Task::regression && c.project.train.target == "log1p"; }

}  // namespace

Result<Fit> FitModel(const Context& c, const FitRequest& request) {
  const project::Problem& problem = c.problem();
  RONDO_TRY(const model::AlgorithmInfo* algorithm, model::FindAlgorithm(request.algorithm, problem.task));
  Fit fit;
  RONDO_TRY(const std::vector<std::string> classes, Classes(problem, *request.train));
  RONDO_TRY(fit.train_y, LabelsOf(problem, classes, *request.train, Log1p(c)));
  RONDO_TRY(fit.validation_y, LabelsOf(problem, classes, *request.validation, Log1p(c)));
  RONDO_TRY(const model::Matrix train_x, request.features->Transform(*request.train));
  RONDO_TRY(const model::Matrix validation_x, request.features->Transform(*request.validation));

  model::TrainRequest job;
  job.task = problem.task;
  job.classes = std::max<size_t>(classes.size(), 1);
  job.train_x = &train_x;
  job.train_y = &fit.train_y;
  job.valid_x = &validation_x;
  job.valid_y = &fit.validation_y;
  job.feature_names = request.features->names();
  job.params = request.params;
  job.seed = c.project.TrainSeed();
  job.on_metric = [&](const std::string& name, double value, int64_t round) {
    if (request.on_metric) request.on_metric(name, value, round);
    return true;
  };
  const auto learner = algorithm->make();
  RONDO_TRY(fit.fitted, learner->Train(job));
  RONDO_TRY(fit.native_validation, learner->PredictNative(fit.fitted, validation_x));
  RONDO_TRY(fit.native_train, learner->PredictNative(fit.fitted, train_x));
  if (Log1p(c)) {
    fit.fitted.link = model::Link::kExpm1;
    for (auto* values : {&fit.native_validation, &fit.native_train})
      for (float& v : *values) v = std::expm1(v);
    // From here on labels are in the target's units again.
    RONDO_TRY(fit.train_y, LabelsOf(problem, classes, *request.train, false));
    RONDO_TRY(fit.validation_y, LabelsOf(problem, classes, *request.validation, false));
  }

  fit.signature.task = problem.task;
  fit.signature.target = problem.target;
  fit.signature.key = problem.key;
  fit.signature.inputs = request.features->inputs();
  fit.signature.classes = classes;
  fit.signature.algorithm = request.algorithm;
  if (problem.task == project::Task::binary)
    fit.signature.threshold = model::ChooseThreshold(MakeScored(fit.signature, fit.native_validation, fit.validation_y), problem.cost, problem.threshold);
  return fit;
}

Result<std::vector<float>> PredictNative(const Context& c, const Fit& fit, const model::FeatureGraph& features, const table::Frame& part) {
  RONDO_TRY(const model::AlgorithmInfo* algorithm, model::FindAlgorithm(fit.signature.algorithm, c.problem().task));
  RONDO_TRY(const model::Matrix x, features.Transform(part));
  RONDO_TRY(std::vector<float> values, algorithm->make()->PredictNative(fit.fitted, x));
  if (Log1p(c))
    for (float& v : values) v = std::expm1(v);
  return values;
}

Result<model::ExportCheck> WriteModel(const Context& c, const Fit& fit, const model::FeatureGraph& features, const table::Frame& raw, const std::vector<float>& native,
                                      const fs::path& folder) {
  // Nothing here may depend on the time or the run: the same inputs give the same bytes, so that `reproduce` can compare them.
  RONDO_TRY(const std::string onnx, model::WriteOnnx(features, fit.fitted, fit.signature,
                                                     {{"rondo.version", std::string(kVersion)},
                                                      {"rondo.project", c.project.name},
                                                      {"rondo.algorithm", fit.signature.algorithm},
                                                      {"rondo.features_sha256", Sha256Hex(features.ToJson().Dump())},
                                                      {"rondo.seed", std::to_string(c.project.TrainSeed())}}));
  RONDO_DO(MakeDirs(folder));
  const fs::path candidate = folder / "model.onnx.candidate";
  RONDO_DO(WriteFileAtomic(candidate, onnx));
  auto check = model::CheckExport(candidate, fit.signature, raw, native);
  if (!check) {
    (void)RemoveAll(candidate);
    return std::unexpected(check.error());
  }
  RONDO_DO(WriteFileAtomic(folder / "signature.json", ToJson(fit.signature).Pretty()));
  if (!fit.fitted.native.empty()) RONDO_DO(WriteFileAtomic(folder / fit.fitted.native_name, fit.fitted.native));
  RONDO_DO(PublishFile(candidate, folder / "model.onnx"));
  return *check;
}

}  // namespace rondo::steps
