// Step `train`: the model that the project declares, fused with its features into out/model/model.onnx.
#include <fmt/format.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "steps/fit.h"
#include "steps/metric_stream.h"
#include "steps/step.h"

namespace rondo::steps {
namespace {

/// Params as MLflow shows them: flat, as texts.
void Flatten(const std::string& prefix, const Json& json, std::vector<tracking::KeyValue>& out) {
  for (const auto& [key, value] : json.AsObject()) {
    const std::string name = prefix.empty() ? key : prefix + "." + key;
    if (value.IsObject()) Flatten(name, value, out);
    else out.push_back({name, value.IsString() ? value.AsString() : value.Dump()});
  }
}

}  // namespace

Status TrainStep(Context& c) {
  const int64_t begin = MonotonicNs();
  RONDO_TRY(const table::Frame train, ReadPart(c, "train"));
  RONDO_TRY(const table::Frame validation, ReadPart(c, "validation"));
  RONDO_TRY(const std::string features_text, ReadFile(c.Path("out/prepare/features.json")));
  RONDO_TRY(const Json features_json, ParseJson(features_text));
  RONDO_TRY(const auto features, model::FeaturesFromJson(features_json));

  if (!c.run_id.empty()) {
    tracking::LogBatch batch;
    Flatten("", c.project.train.params, batch.params);
    batch.params.push_back({"algorithm", c.project.train.algorithm});
    batch.params.push_back({"seed", std::to_string(c.project.seed)});
    RONDO_DO(c.workspace->tracking().Log(c.run_id, batch));
  }
  MetricStream stream(c.workspace->tracking(), c.workspace->clock(), c.run_id);
  FitRequest request;
  request.algorithm = c.project.train.algorithm;
  request.params = c.project.train.params;
  request.train = &train;
  request.validation = &validation;
  request.features = features.get();
  request.on_metric = [&](const std::string& name, double value, int64_t round) { stream.Add(name, value, round); };
  RONDO_TRY(const Fit fit, FitModel(c, request));
  RONDO_DO(stream.Finish());

  // The export is checked on the training part when the validation part is too small to tell.
  const bool enough = validation.rows() >= 1000;
  RONDO_TRY(const model::ExportCheck check,
            WriteModel(c, fit, *features, enough ? validation : train, enough ? fit.native_validation : fit.native_train, c.Path("out/model")));
  Json info = fit.fitted.info.IsObject() ? fit.fitted.info : Json::MakeObject();
  if (!info.Find("params")) info.Set("params", c.project.train.params);
  info.Set("algorithm", fit.signature.algorithm)
      .Set("declared_params", c.project.train.params)
      .Set("seed", c.project.TrainSeed())
      .Set("features", features->names().size())
      .Set("train_rows", train.rows())
      .Set("validation_rows", validation.rows())
      .Set("threshold", fit.signature.threshold)
      .Set("export_check", Json::MakeObject().Set("rows", check.rows).Set("max_difference", check.max_difference).Set("own_runtime", check.own_runtime));
  RONDO_DO(WriteFileAtomic(c.Path("out/model/train.json"), info.Pretty()));
  RONDO_TRY(const FileDigest digest, HashFile(c.Path("out/model/model.onnx"), HashKind::kSha256));
  if (!c.run_id.empty()) {
    tracking::LogBatch batch;
    batch.tags = {{"rondo.model_digest", digest.hex}};
    const double seconds = static_cast<double>(MonotonicNs() - begin) / 1e9;
    batch.metrics = {{"training_seconds", seconds, c.workspace->clock().NowMs(), 0}, {"export_max_difference", check.max_difference, c.workspace->clock().NowMs(), 0}};
    RONDO_DO(c.workspace->tracking().Log(c.run_id, batch));
  }
  std::string summary = fmt::format("{} on {} rows × {} features", fit.signature.algorithm, train.rows(), features->names().size());
  if (const Json* best = info.Find("best_iteration")) summary += fmt::format(", best round {}", best->AsInt() + 1);
  if (fit.signature.task == project::Task::binary) summary += fmt::format(", threshold {:.3f}", fit.signature.threshold);
  summary += fmt::format(", export checked on {} rows (|Δ| ≤ {:.1e})", check.rows, check.max_difference);
  c.Summary(summary);
  return {};
}

}  // namespace rondo::steps
