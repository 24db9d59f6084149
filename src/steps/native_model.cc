#include "steps/native_model.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/hash.h"
#include "model/learners/lightgbm_model.h"
#include "model/learners/xgboost_model.h"
#include "steps/fit.h"

namespace rondo::steps {
namespace {

struct Kind {
  const char *file, *algorithm;
};
constexpr Kind kKinds[] = {{"model.ubj", "xgboost"}, {"model.json", "xgboost"}, {"model.xgb", "xgboost"}, {"model.txt", "lightgbm"}, {"model.lgb", "lightgbm"}};

}  // namespace

Result<bool> AdoptNative(Context& c, const fs::path& folder, const table::Frame& train, const table::Frame& validation) {
  std::error_code ec;
  const Kind* kind = nullptr;
  for (const Kind& k : kKinds)
    if (!kind && fs::exists(folder / k.file, ec)) kind = &k;
  // An ONNX file beside it is what the script wants served.
  if (!kind || fs::exists(folder / "model.onnx", ec) || fs::exists(folder / "MLmodel", ec)) return false;
  RONDO_TRY(const std::string bytes, ReadFile(folder / kind->file));
  RONDO_TRY(const std::string features_text, ReadFile(c.Path("out/prepare/features.json")));
  RONDO_TRY(const Json features_json, ParseJson(features_text));
  RONDO_TRY(const auto features, model::FeaturesFromJson(features_json));

  Fit fit;
  if (std::string_view(kind->algorithm) == "xgboost") {
    RONDO_TRY(const std::string json, model::XgboostToJson(bytes));
    auto parsed = model::ParseXgboostModel(json, features->names());
    if (!parsed) return Wrap(parsed.error(), kind->file);
    fit.fitted = std::move(*parsed);
  } else {
    auto parsed = model::ParseLightgbmModel(bytes, features->names());
    if (!parsed) return Wrap(parsed.error(), kind->file);
    fit.fitted = std::move(*parsed);
  }
  fit.fitted.native = bytes;
  fit.fitted.native_name = kind->file;
  fit.signature.task = c.problem().task;
  fit.signature.target = c.problem().target;
  fit.signature.key = c.problem().key;
  fit.signature.inputs = features->inputs();
  fit.signature.algorithm = kind->algorithm;
  RONDO_TRY(fit.signature.classes, Classes(c.problem(), train));
  RONDO_TRY(fit.validation_y, LabelsOf(c.problem(), fit.signature.classes, validation, false));
  auto native = PredictNative(c, fit, *features, validation);
  if (!native)
    return Fail(Code::kFailedCheck, fmt::format("{}: the model can't score the features: {}", kind->file, native.error().message),
                fmt::format("train it on the {} columns of out/prepare/features.json (\"names\"), in that order", features->names().size()));
  fit.native_validation = std::move(*native);
  if (c.problem().task == project::Task::binary)
    fit.signature.threshold = model::ChooseThreshold(MakeScored(fit.signature, fit.native_validation, fit.validation_y), c.problem().cost, c.problem().threshold);
  RONDO_TRY(const model::ExportCheck check, WriteModel(c, fit, *features, validation, fit.native_validation, folder));
  Json info = fit.fitted.info.IsObject() ? fit.fitted.info : Json::MakeObject();
  info.Set("algorithm", kind->algorithm)
      .Set("source", kind->file)
      .Set("threshold", fit.signature.threshold)
      .Set("export_check", Json::MakeObject().Set("rows", check.rows).Set("max_difference", check.max_difference).Set("own_runtime", check.own_runtime));
  RONDO_DO(WriteFileAtomic(folder / "train.json", info.Pretty()));
  RONDO_TRY(const FileDigest digest, HashFile(folder / "model.onnx", HashKind::kSha256));
  if (!c.run_id.empty()) {
    tracking::LogBatch batch;
    batch.tags = {{"rondo.model_digest", digest.hex}};
    RONDO_DO(c.workspace->tracking().Log(c.run_id, batch));
  }
  c.Summary(fmt::format("{} of own code fused with {} features, export checked on {} rows (|Δ| ≤ {:.1e})", kind->file, features->names().size(), check.rows, check.max_difference));
  return true;
}

}  // namespace rondo::steps
