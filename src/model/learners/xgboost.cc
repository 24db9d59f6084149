// Learner xgboost: gradient-boosted trees by libxgboost 3.2 through its C API (xgboost/c_api.h of that release), loaded at first use.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <map>

#include "model/learners/boosting.h"
#include "model/learners/learners.h"
#include "model/learners/params.h"
#include "model/learners/xgboost_model.h"

namespace rondo::model {
namespace {

using Handle = void*;

/// The functions used here; bst_ulong is uint64_t.
struct Api {
  const char* (*GetLastError)();
  int (*SetGlobalConfig)(const char*);
  int (*MatrixFromMat)(const float*, uint64_t, uint64_t, float, Handle*);
  int (*MatrixSetFloat)(Handle, const char*, const float*, uint64_t);
  int (*MatrixFree)(Handle);
  int (*Create)(const Handle*, uint64_t, Handle*);
  int (*Free)(Handle);
  int (*SetParam)(Handle, const char*, const char*);
  int (*Update)(Handle, int, Handle);
  int (*Eval)(Handle, int, Handle*, const char**, uint64_t, const char**);
  int (*Predict)(Handle, Handle, const char*, const uint64_t**, uint64_t*, const float**);
  int (*Save)(Handle, const char*, uint64_t*, const char**);
  int (*LoadBuffer)(Handle, const void*, uint64_t);
  int (*Slice)(Handle, int, int, int, Handle*);

  Error LastError(const char* doing) const { return {Code::kFailedCheck, fmt::format("xgboost: {}: {}", doing, GetLastError()), {}}; }
};

Result<const Api*> LoadApi() {
  static Api api;
  static const Status status = []() -> Status {
    RONDO_TRY(Engine* const engine, LoadTrainingEngine("xgboost"));
    RONDO_DO(Bind(*engine, "XGBGetLastError", api.GetLastError));
    RONDO_DO(Bind(*engine, "XGBSetGlobalConfig", api.SetGlobalConfig));
    RONDO_DO(Bind(*engine, "XGDMatrixCreateFromMat", api.MatrixFromMat));
    RONDO_DO(Bind(*engine, "XGDMatrixSetFloatInfo", api.MatrixSetFloat));
    RONDO_DO(Bind(*engine, "XGDMatrixFree", api.MatrixFree));
    RONDO_DO(Bind(*engine, "XGBoosterCreate", api.Create));
    RONDO_DO(Bind(*engine, "XGBoosterFree", api.Free));
    RONDO_DO(Bind(*engine, "XGBoosterSetParam", api.SetParam));
    RONDO_DO(Bind(*engine, "XGBoosterUpdateOneIter", api.Update));
    RONDO_DO(Bind(*engine, "XGBoosterEvalOneIter", api.Eval));
    RONDO_DO(Bind(*engine, "XGBoosterPredictFromDMatrix", api.Predict));
    RONDO_DO(Bind(*engine, "XGBoosterSaveModelToBuffer", api.Save));
    RONDO_DO(Bind(*engine, "XGBoosterLoadModelFromBuffer", api.LoadBuffer));
    RONDO_DO(Bind(*engine, "XGBoosterSlice", api.Slice));
    api.SetGlobalConfig("{\"verbosity\": 0}");
    return {};
  }();
  if (!status) return std::unexpected(status.error());
  return &api;
}

/// Owns a library handle.
class Owned {
 public:
  explicit Owned(int (*free)(Handle)) : free_(free) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (handle_) free_(handle_);
  }
  Handle get() const { return handle_; }
  Handle* out() { return &handle_; }

 private:
  Handle handle_ = nullptr;
  int (*free_)(Handle);
};

Status FillMatrix(const Api& api, const Matrix& x, const Labels* y, Owned& out) {
  if (api.MatrixFromMat(x.values.data(), x.rows, x.cols, std::nanf(""), out.out()) != 0) return std::unexpected(api.LastError("reading the matrix"));
  if (y && api.MatrixSetFloat(out.get(), "label", y->y.data(), y->y.size()) != 0) return std::unexpected(api.LastError("setting labels"));
  if (y && !y->weights.empty() && api.MatrixSetFloat(out.get(), "weight", y->weights.data(), y->weights.size()) != 0) return std::unexpected(api.LastError("setting weights"));
  return {};
}

Result<std::string> Save(const Api& api, Handle booster, const char* config) {
  uint64_t size = 0;
  const char* bytes = nullptr;
  if (api.Save(booster, config, &size, &bytes) != 0) return std::unexpected(api.LastError("saving the model"));
  return std::string(bytes, size);
}

/// "[3]\ttrain-logloss:0.51\tvalidation-auc:0.8" -> {"train_logloss", 0.51}, ... The library's "mlogloss" is logloss here too.
std::vector<std::pair<std::string, double>> ParseEval(const std::string& text) {
  std::vector<std::pair<std::string, double>> out;
  for (size_t tab = text.find('\t'); tab != std::string::npos;) {
    const size_t end = text.find('\t', tab + 1);
    const std::string item = text.substr(tab + 1, end == std::string::npos ? end : end - tab - 1);
    const size_t dash = item.find('-'), colon = item.rfind(':');
    if (dash != std::string::npos && colon != std::string::npos && dash < colon) {
      std::string metric = item.substr(dash + 1, colon - dash - 1);
      if (metric == "mlogloss" || metric == "merror") metric.erase(0, 1);
      out.emplace_back(item.substr(0, dash) + "_" + metric, std::strtod(item.c_str() + colon + 1, nullptr));
    }
    tab = end;
  }
  return out;
}

const std::vector<ParamInfo>& Table() {
  static const std::vector<ParamInfo> table = {
      {"rounds", "integer", "[1, 100000]", "trees (per class)", 500, {"num_boost_round", "n_estimators", "num_round"}},
      {"learning_rate", "number", "(0, 1]", "how much each tree counts", 0.05, {"eta"}},
      {"max_depth", "integer", "[0, 64]", "levels of a tree; 0: no limit", 4, {}},
      {"early_stopping", "integer", "[0, 100000]", "stop when the validation loss hasn't improved for so many rounds; 0: never", 20, {"early_stopping_rounds"}},
      {"subsample", "number", "(0, 1]", "share of rows per tree", 1.0, {}},
      {"colsample_bytree", "number", "(0, 1]", "share of features per tree", 1.0, {}},
      {"min_child_weight", "number", "[0, inf)", "least sum of hessians in a leaf", 1.0, {}},
      {"reg_lambda", "number", "[0, inf)", "L2 penalty of leaf values", 1.0, {"lambda"}},
      {"reg_alpha", "number", "[0, inf)", "L1 penalty of leaf values", 0.0, {"alpha"}},
      {"gamma", "number", "[0, inf)", "least gain of a split", 0.0, {"min_split_loss"}},
      {"scale_pos_weight", "number", "(0, inf)", "weight of positive rows (binary)", 1.0, {}},
      {"max_bin", "integer", "[2, 65535]", "bins of a feature's histogram (tree_method: hist)", 256, {}},
      {"tree_method", "text", "auto | exact | approx | hist", "how splits are searched", "hist", {}},
      {"n_jobs", "integer", "[0, 1024]", "threads; 0: as many as pay", 0, {"nthread"}},
  };
  return table;
}

class Xgboost : public Learner {
 public:
  Result<FittedModel> Train(const TrainRequest& request) const override;
  Result<std::vector<float>> PredictNative(const FittedModel& model, const Matrix& x) const override;
};

Status SetParams(const Api& api, Handle booster, const TrainRequest& request, const Params& params, int threads) {
  std::vector<std::pair<std::string, std::string>> settings;
  for (const char* name : {"learning_rate", "max_depth", "subsample", "colsample_bytree", "min_child_weight", "reg_lambda", "reg_alpha", "gamma", "max_bin", "tree_method"}) {
    const Json all = params.ToJson();
    const Json& value = all[name];
    if (std::string(name) == "max_bin" && params.Text("tree_method") == "exact") continue;
    settings.emplace_back(name, value.IsString() ? value.AsString() : value.Dump());
  }
  settings.emplace_back("nthread", std::to_string(threads));
  // The library's seed is a 32-bit integer.
  settings.emplace_back("seed", std::to_string(request.seed & 0x7fffffff));
  switch (request.task) {
    case project::Task::binary:
      settings.emplace_back("scale_pos_weight", fmt::format("{}", params.Number("scale_pos_weight")));
      settings.insert(settings.end(), {{"objective", "binary:logistic"}, {"eval_metric", "logloss"}, {"eval_metric", "auc"}});
      break;
    case project::Task::multiclass:
      settings.insert(settings.end(), {{"objective", "multi:softprob"}, {"num_class", std::to_string(request.classes)}, {"eval_metric", "mlogloss"}, {"eval_metric", "merror"}});
      break;
    case project::Task::regression: settings.insert(settings.end(), {{"objective", "reg:squarederror"}, {"eval_metric", "rmse"}, {"eval_metric", "mae"}}); break;
  }
  for (const auto& [name, value] : settings)
    if (api.SetParam(booster, name.c_str(), value.c_str()) != 0) return std::unexpected(api.LastError(("setting " + name).c_str()));
  return {};
}

Result<FittedModel> Xgboost::Train(const TrainRequest& request) const {
  RONDO_TRY(const Params params, Params::Read("xgboost", Table(), request.params));
  RONDO_DO(CheckData(request, {}));
  const bool validate = request.valid_x && request.valid_y && request.valid_x->rows > 0;
  // The default asks for validation rows only where there are some.
  const bool asked = request.params.Find("early_stopping") || request.params.Find("early_stopping_rounds");
  const int64_t patience = validate || asked ? params.Int("early_stopping") : 0;
  if (patience > 0 && !validate) return Fail(Code::kInvalid, "train.params.early_stopping needs validation rows", "set split.validation, or early_stopping: 0");
  RONDO_TRY(const Api* const api, LoadApi());

  Owned train(api->MatrixFree), valid(api->MatrixFree), booster(api->Free), sliced(api->Free);
  RONDO_DO(FillMatrix(*api, *request.train_x, request.train_y, train));
  std::vector<Handle> sets = {train.get()};
  std::vector<const char*> names = {"train"};
  if (validate) {
    RONDO_DO(FillMatrix(*api, *request.valid_x, request.valid_y, valid));
    sets.push_back(valid.get());
    names.push_back("validation");
  }
  if (api->Create(sets.data(), sets.size(), booster.out()) != 0) return std::unexpected(api->LastError("creating the model"));
  const int threads = ThreadsFor(params.Int("n_jobs"), *request.train_x);
  RONDO_DO(SetParams(*api, booster.get(), request, params, threads));

  // The loss leads in the evaluation line of each set; the validation set's decides.
  const std::string loss = std::string(validate ? "validation_" : "train_") + (request.task == project::Task::regression ? "rmse" : "logloss");
  EarlyStopping stopping(validate ? patience : 0);
  const int64_t rounds = params.Int("rounds");
  int64_t done = 0;
  while (done < rounds) {
    const auto round = static_cast<int>(done);
    if (api->Update(booster.get(), round, train.get()) != 0) return std::unexpected(api->LastError("training"));
    const char* line = nullptr;
    if (api->Eval(booster.get(), round, sets.data(), names.data(), sets.size(), &line) != 0) return std::unexpected(api->LastError("evaluating a round"));
    ++done;
    double value = std::nan("");
    const auto metrics = ParseEval(line);
    for (const auto& [name, v] : metrics) {
      if (name == loss) value = v;
      if (request.on_metric && !request.on_metric(name, v, round)) return Cancelled(round);
    }
    if (stopping.Stop(round, value)) break;
  }
  Handle best = booster.get();
  const int64_t kept = patience > 0 ? stopping.best_round() + 1 : done;
  if (kept < done) {
    if (api->Slice(booster.get(), 0, static_cast<int>(kept), 1, sliced.out()) != 0) return std::unexpected(api->LastError("keeping the best rounds"));
    best = sliced.get();
  }
  RONDO_TRY(const std::string json, Save(*api, best, "{\"format\": \"json\"}"));
  RONDO_TRY(FittedModel model, ParseXgboostModel(json, request.feature_names));
  RONDO_TRY(model.native, Save(*api, best, "{\"format\": \"ubj\"}"));
  model.native_name = "model.ubj";
  model.info.Set("rounds", done).Set("params", params.ToJson()).Set("threads", threads);
  if (validate) model.info.Set("best_iteration", stopping.best_round()).Set("best_" + loss, stopping.best_loss());
  return model;
}

Result<std::vector<float>> Xgboost::PredictNative(const FittedModel& model, const Matrix& x) const {
  RONDO_TRY(const Api* const api, LoadApi());
  Owned booster(api->Free), data(api->MatrixFree);
  if (x.rows == 0) return std::vector<float>{};
  if (api->Create(nullptr, 0, booster.out()) != 0 || api->LoadBuffer(booster.get(), model.native.data(), model.native.size()) != 0) return std::unexpected(api->LastError("loading the model"));
  const std::string threads = std::to_string(ThreadsFor(0, x));
  api->SetParam(booster.get(), "nthread", threads.c_str());
  RONDO_DO(FillMatrix(*api, x, nullptr, data));
  const uint64_t *shape = nullptr, zero = 0;
  uint64_t dimensions = zero;
  const float* values = nullptr;
  if (api->Predict(booster.get(), data.get(), R"({"type": 0, "training": false, "iteration_begin": 0, "iteration_end": 0, "strict_shape": true})", &shape, &dimensions, &values) != 0)
    return std::unexpected(api->LastError("predicting"));
  uint64_t count = 1;
  for (uint64_t d = 0; d < dimensions; ++d) count *= shape[d];
  return std::vector<float>(values, values + count);
}

}  // namespace

AlgorithmInfo XgboostInfo() {
  return {"xgboost", "gradient-boosted trees (XGBoost 3.2): a strong first choice for tables", {project::Task::binary, project::Task::multiclass, project::Task::regression}, Table(),
          [] { return std::unique_ptr<Learner>(new Xgboost); }};
}

Result<std::string> XgboostToJson(const std::string& bytes) {
  RONDO_TRY(const Api* const api, LoadApi());
  Owned booster(api->Free);
  if (api->Create(nullptr, 0, booster.out()) != 0 || api->LoadBuffer(booster.get(), bytes.data(), bytes.size()) != 0) return std::unexpected(api->LastError("loading the model"));
  return Save(*api, booster.get(), "{\"format\": \"json\"}");
}

}  // namespace rondo::model
