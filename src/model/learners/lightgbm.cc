// Learner lightgbm: gradient-boosted trees by lib_lightgbm 4.7 through its C API (LightGBM/c_api.h of that release), loaded at first use.
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "model/learners/boosting.h"
#include "model/learners/learners.h"
#include "model/learners/lightgbm_model.h"
#include "model/learners/params.h"

namespace rondo::model {
namespace {

using Handle = void*;
constexpr int kFloat32 = 0;      // C_API_DTYPE_FLOAT32
constexpr int kNormal = 0;       // C_API_PREDICT_NORMAL
constexpr int kGainImportance = 1;

/// The functions used here.
struct Api {
  const char* (*GetLastError)();
  int (*RegisterLog)(void (*)(const char*));
  int (*DatasetFromMat)(const void*, int, int32_t, int32_t, int, const char*, Handle, Handle*);
  int (*DatasetSetField)(Handle, const char*, const void*, int, int);
  int (*DatasetFree)(Handle);
  int (*Create)(Handle, const char*, Handle*);
  int (*Free)(Handle);
  int (*AddValid)(Handle, Handle);
  int (*Update)(Handle, int*);
  int (*EvalCount)(Handle, int*);
  int (*EvalNames)(Handle, int, int*, size_t, size_t*, char**);
  int (*Eval)(Handle, int, int*, double*);
  int (*SaveString)(Handle, int, int, int, int64_t, int64_t*, char*);
  int (*LoadString)(const char*, int*, Handle*);
  int (*Predict)(Handle, const void*, int, int32_t, int32_t, int, int, int, int, const char*, int64_t*, double*);

  Error LastError(const char* doing) const { return {Code::kFailedCheck, fmt::format("lightgbm: {}: {}", doing, GetLastError()), {}}; }
};

Result<const Api*> LoadApi() {
  static Api api;
  static const Status status = []() -> Status {
    RONDO_TRY(Engine* const engine, LoadTrainingEngine("lightgbm"));
    RONDO_DO(Bind(*engine, "LGBM_GetLastError", api.GetLastError));
    RONDO_DO(Bind(*engine, "LGBM_RegisterLogCallback", api.RegisterLog));
    RONDO_DO(Bind(*engine, "LGBM_DatasetCreateFromMat", api.DatasetFromMat));
    RONDO_DO(Bind(*engine, "LGBM_DatasetSetField", api.DatasetSetField));
    RONDO_DO(Bind(*engine, "LGBM_DatasetFree", api.DatasetFree));
    RONDO_DO(Bind(*engine, "LGBM_BoosterCreate", api.Create));
    RONDO_DO(Bind(*engine, "LGBM_BoosterFree", api.Free));
    RONDO_DO(Bind(*engine, "LGBM_BoosterAddValidData", api.AddValid));
    RONDO_DO(Bind(*engine, "LGBM_BoosterUpdateOneIter", api.Update));
    RONDO_DO(Bind(*engine, "LGBM_BoosterGetEvalCounts", api.EvalCount));
    RONDO_DO(Bind(*engine, "LGBM_BoosterGetEvalNames", api.EvalNames));
    RONDO_DO(Bind(*engine, "LGBM_BoosterGetEval", api.Eval));
    RONDO_DO(Bind(*engine, "LGBM_BoosterSaveModelToString", api.SaveString));
    RONDO_DO(Bind(*engine, "LGBM_BoosterLoadModelFromString", api.LoadString));
    RONDO_DO(Bind(*engine, "LGBM_BoosterPredictForMat", api.Predict));
    return {};
  }();
  if (!status) return std::unexpected(status.error());
  // The callback is kept per thread: the library's chatter never reaches our output.
  api.RegisterLog([](const char*) {});
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

const std::vector<ParamInfo>& Table() {
  static const std::vector<ParamInfo> table = {
      {"rounds", "integer", "[1, 100000]", "trees (per class)", 500, {"num_boost_round", "n_estimators", "num_iterations"}},
      {"learning_rate", "number", "(0, 1]", "how much each tree counts", 0.05, {"eta"}},
      {"num_leaves", "integer", "[2, 131072]", "most leaves of a tree", 31, {}},
      {"max_depth", "integer", "[-1, 64]", "levels of a tree; -1: no limit", -1, {}},
      {"early_stopping", "integer", "[0, 100000]", "stop when the validation loss hasn't improved for so many rounds; 0: never", 20, {"early_stopping_rounds"}},
      {"min_data_in_leaf", "integer", "[0, 1000000000]", "least rows in a leaf", 20, {"min_child_samples"}},
      {"min_child_weight", "number", "[0, inf)", "least sum of hessians in a leaf", 0.001, {"min_sum_hessian_in_leaf"}},
      {"min_gain_to_split", "number", "[0, inf)", "least gain of a split", 0.0, {}},
      {"feature_fraction", "number", "(0, 1]", "share of features per tree", 1.0, {"colsample_bytree"}},
      {"bagging_fraction", "number", "(0, 1]", "share of rows per tree", 1.0, {"subsample"}},
      {"bagging_freq", "integer", "[0, 100000]", "draw rows again after so many rounds; 0: every round when bagging_fraction is below 1", 0, {"subsample_freq"}},
      {"lambda_l1", "number", "[0, inf)", "L1 penalty of leaf values", 0.0, {"reg_alpha"}},
      {"lambda_l2", "number", "[0, inf)", "L2 penalty of leaf values", 0.0, {"reg_lambda"}},
      {"scale_pos_weight", "number", "(0, inf)", "weight of positive rows (binary)", 1.0, {}},
      {"max_bin", "integer", "[2, 65535]", "bins of a feature's histogram", 255, {}},
      {"n_jobs", "integer", "[0, 1024]", "threads; 0: as many as pay", 0, {"num_threads"}},
  };
  return table;
}

std::string Settings(const TrainRequest& request, const Params& params, int threads) {
  std::string out = fmt::format("verbosity=-1 num_threads={} seed={} deterministic=true force_row_wise=true feature_pre_filter=false", threads, request.seed & 0x7fffffff);
  for (const char* name : {"learning_rate", "num_leaves", "max_depth", "min_data_in_leaf", "min_gain_to_split", "feature_fraction", "bagging_fraction", "lambda_l1", "lambda_l2", "max_bin"}) {
    const Json all = params.ToJson();
    out += fmt::format(" {}={}", name, all[name].Dump());
  }
  out += fmt::format(" min_sum_hessian_in_leaf={}", params.Number("min_child_weight"));
  const int64_t freq = params.Int("bagging_freq");
  out += fmt::format(" bagging_freq={}", freq == 0 && params.Number("bagging_fraction") < 1 ? 1 : freq);
  switch (request.task) {
    case project::Task::binary: out += fmt::format(" objective=binary metric=binary_logloss,auc scale_pos_weight={}", params.Number("scale_pos_weight")); break;
    case project::Task::multiclass: out += fmt::format(" objective=multiclass metric=multi_logloss,multi_error num_class={}", request.classes); break;
    case project::Task::regression: out += " objective=regression metric=rmse,l1"; break;
  }
  return out;
}

Status FillDataset(const Api& api, const Matrix& x, const Labels& y, const std::string& settings, Handle reference, Owned& out) {
  if (x.rows > 0x7fffffff || x.cols > 0x7fffffff) return Fail(Code::kTooLarge, fmt::format("lightgbm takes at most 2^31 rows, not {}", x.rows));
  const auto rows = static_cast<int32_t>(x.rows);
  if (api.DatasetFromMat(x.values.data(), kFloat32, rows, static_cast<int32_t>(x.cols), 1, settings.c_str(), reference, out.out()) != 0) return std::unexpected(api.LastError("reading the matrix"));
  if (api.DatasetSetField(out.get(), "label", y.y.data(), rows, kFloat32) != 0) return std::unexpected(api.LastError("setting labels"));
  if (!y.weights.empty() && api.DatasetSetField(out.get(), "weight", y.weights.data(), rows, kFloat32) != 0) return std::unexpected(api.LastError("setting weights"));
  return {};
}

/// The names of the metrics in the order of Eval's numbers: logloss, auc, error, rmse, mae.
Result<std::vector<std::string>> EvalNames(const Api& api, Handle booster) {
  int count = 0;
  if (api.EvalCount(booster, &count) != 0) return std::unexpected(api.LastError("listing metrics"));
  constexpr size_t kLength = 64;
  std::vector<std::vector<char>> buffers(static_cast<size_t>(count), std::vector<char>(kLength));
  std::vector<char*> pointers;
  for (auto& buffer : buffers) pointers.push_back(buffer.data());
  size_t needed = 0;
  if (api.EvalNames(booster, count, &count, kLength, &needed, pointers.data()) != 0 || needed > kLength) return std::unexpected(api.LastError("listing metrics"));
  std::vector<std::string> names;
  for (const char* p : pointers) {
    std::string name = p;
    for (const char* prefix : {"binary_", "multi_"})
      if (name.starts_with(prefix)) name.erase(0, std::strlen(prefix));
    names.push_back(name == "l1" ? "mae" : name);
  }
  return names;
}

class Lightgbm : public Learner {
 public:
  Result<FittedModel> Train(const TrainRequest& request) const override;
  Result<std::vector<float>> PredictNative(const FittedModel& model, const Matrix& x) const override;
};

Result<FittedModel> Lightgbm::Train(const TrainRequest& request) const {
  RONDO_TRY(const Params params, Params::Read("lightgbm", Table(), request.params));
  RONDO_DO(CheckData(request, {}));
  const bool validate = request.valid_x && request.valid_y && request.valid_x->rows > 0;
  // The default asks for validation rows only where there are some.
  const bool asked = request.params.Find("early_stopping") || request.params.Find("early_stopping_rounds");
  const int64_t patience = validate || asked ? params.Int("early_stopping") : 0;
  if (patience > 0 && !validate) return Fail(Code::kInvalid, "train.params.early_stopping needs validation rows", "set split.validation, or early_stopping: 0");
  RONDO_TRY(const Api* const api, LoadApi());
  const int threads = ThreadsFor(params.Int("n_jobs"), *request.train_x);
  const std::string settings = Settings(request, params, threads);

  Owned train(api->DatasetFree), valid(api->DatasetFree), booster(api->Free);
  RONDO_DO(FillDataset(*api, *request.train_x, *request.train_y, settings, nullptr, train));
  if (validate) RONDO_DO(FillDataset(*api, *request.valid_x, *request.valid_y, settings, train.get(), valid));
  if (api->Create(train.get(), settings.c_str(), booster.out()) != 0) return std::unexpected(api->LastError("creating the model"));
  if (validate && api->AddValid(booster.get(), valid.get()) != 0) return std::unexpected(api->LastError("adding the validation part"));
  RONDO_TRY(const std::vector<std::string> names, EvalNames(*api, booster.get()));

  const std::string loss = request.task == project::Task::regression ? "rmse" : "logloss";
  EarlyStopping stopping(validate ? patience : 0);
  const int64_t rounds = params.Int("rounds");
  int64_t done = 0;
  bool stop = false;
  std::vector<double> values(names.size());
  while (done < rounds && !stop) {
    int finished = 0;
    if (api->Update(booster.get(), &finished) != 0) return std::unexpected(api->LastError("training"));
    const int64_t round = done++;
    double value = std::nan("");
    for (int set = 0; set < (validate ? 2 : 1); ++set) {
      int count = 0;
      if (api->Eval(booster.get(), set, &count, values.data()) != 0) return std::unexpected(api->LastError("evaluating a round"));
      for (size_t i = 0; i < static_cast<size_t>(count) && i < names.size(); ++i) {
        if (names[i] == loss && set == (validate ? 1 : 0)) value = values[i];
        if (request.on_metric && !request.on_metric((set == 0 ? "train_" : "validation_") + names[i], values[i], round)) return Cancelled(round);
      }
    }
    // `finished` says that no leaf can be split any more: further rounds would change nothing.
    stop = stopping.Stop(round, value) || finished != 0;
  }
  const int kept = static_cast<int>(patience > 0 ? stopping.best_round() + 1 : done);
  int64_t size = 0;
  if (api->SaveString(booster.get(), 0, kept, kGainImportance, 0, &size, nullptr) != 0) return std::unexpected(api->LastError("saving the model"));
  std::string text(static_cast<size_t>(size), '\0');
  if (api->SaveString(booster.get(), 0, kept, kGainImportance, size, &size, text.data()) != 0) return std::unexpected(api->LastError("saving the model"));
  while (text.ends_with('\0')) text.pop_back();
  RONDO_TRY(FittedModel model, ParseLightgbmModel(text, request.feature_names));
  model.native = std::move(text);
  model.native_name = "model.txt";
  model.info.Set("rounds", done).Set("params", params.ToJson()).Set("threads", threads);
  if (validate) model.info.Set("best_iteration", stopping.best_round()).Set("best_validation_" + loss, stopping.best_loss());
  return model;
}

Result<std::vector<float>> Lightgbm::PredictNative(const FittedModel& model, const Matrix& x) const {
  RONDO_TRY(const Api* const api, LoadApi());
  Owned booster(api->Free);
  int rounds = 0;
  if (x.rows == 0) return std::vector<float>{};
  if (api->LoadString(model.native.c_str(), &rounds, booster.out()) != 0) return std::unexpected(api->LastError("loading the model"));
  std::vector<double> values(x.rows * model.outputs);
  int64_t count = 0;
  const std::string settings = fmt::format("verbosity=-1 num_threads={}", ThreadsFor(0, x));
  if (api->Predict(booster.get(), x.values.data(), kFloat32, static_cast<int32_t>(x.rows), static_cast<int32_t>(x.cols), 1, kNormal, 0, -1, settings.c_str(), &count, values.data()) != 0)
    return std::unexpected(api->LastError("predicting"));
  return std::vector<float>(values.begin(), values.end());
}

}  // namespace

AlgorithmInfo LightgbmInfo() {
  return {"lightgbm", "gradient-boosted trees grown leaf by leaf (LightGBM 4.7): fast on many rows", {project::Task::binary, project::Task::multiclass, project::Task::regression}, Table(),
          [] { return std::unique_ptr<Learner>(new Lightgbm); }};
}

}  // namespace rondo::model
