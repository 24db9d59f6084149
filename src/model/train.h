/// Training: fitted features + a learner -> one model.onnx from raw columns to scores.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/scorer.h"
#include "project/spec.h"
#include "table/table.h"

namespace rondo::model {

/// A dense float matrix, row-major. NaN is missing.
struct Matrix {
  size_t rows = 0, cols = 0;
  std::vector<float> values;
  float at(size_t r, size_t c) const { return values[r * cols + c]; }
  std::span<const float> row(size_t r) const { return {values.data() + r * cols, cols}; }
};

/// The target of a part: class index (0..k-1, binary: 1 is positive) or value; weights empty when all are 1.
struct Labels {
  std::vector<float> y;
  std::vector<float> weights;
};

struct TrainRequest {
  project::Task task = project::Task::binary;
  size_t classes = 2;
  const Matrix* train_x = nullptr;
  const Labels* train_y = nullptr;
  const Matrix* valid_x = nullptr;  ///< for early stopping and per-round metrics; may be null
  const Labels* valid_y = nullptr;
  std::vector<std::string> feature_names;
  Json params;        ///< the learner's; unknown names are errors that list the known ones
  uint64_t seed = 0;
  /// Called each round, live: name ("train_logloss"), value, round. Returning false stops the training (cancelled).
  std::function<bool(const std::string&, double, int64_t)> on_metric;
};

/// A tree node; leaves have left == -1.
struct TreeNode {
  int32_t left = -1, right = -1;
  int32_t feature = -1;
  float threshold = 0;
  bool missing_left = false;  ///< where NaN goes
  float value = 0;            ///< leaf value
};
struct Tree {
  std::vector<TreeNode> nodes;  ///< node 0 is the root
  int32_t output = 0;           ///< which score it adds to
};
enum class Compare { kLess, kLessEqual };               ///< go left when x < t (XGBoost) or x <= t (LightGBM)
enum class Link { kIdentity, kLogistic, kSoftmax, kExp, kExpm1 };

/// What a learner hands back, free of the learner's library: a sum of trees, or a linear form, plus base scores and link.
struct FittedModel {
  std::string algorithm;
  size_t outputs = 1;               ///< 1 for binary and regression, k for multiclass
  std::vector<float> base;          ///< [outputs], added to the raw scores
  Link link = Link::kIdentity;
  std::vector<Tree> trees;
  Compare compare = Compare::kLess;
  std::vector<double> coefficients; ///< linear: [outputs][features]
  bool linear = false;
  Json info;                        ///< best_iteration, rounds, importance by feature name, ...
  std::string native;               ///< the learner's own file (XGBoost UBJSON, LightGBM text), logged as artifact; may be empty
  std::string native_name;          ///< "model.ubj"
};

class Learner {
 public:
  virtual ~Learner() = default;
  virtual Result<FittedModel> Train(const TrainRequest& request) const = 0;
  /// The learner's own prediction of the same matrix (probabilities or values, [row][outputs or classes]): the oracle of the export check.
  virtual Result<std::vector<float>> PredictNative(const FittedModel& model, const Matrix& x) const = 0;
};

struct ParamInfo {
  std::string name, kind, range, help;  ///< kind: integer | number | text | bool; range: "[0, 1]", "(0, inf)", "auto | exact | hist"
  Json otherwise;                       ///< default
  std::vector<std::string> aliases;     ///< other names that users know it by: "eta"
};
struct AlgorithmInfo {
  std::string name, help;
  std::vector<project::Task> tasks;
  std::vector<ParamInfo> params;
  std::unique_ptr<Learner> (*make)();
};
/// The static table: xgboost, lightgbm, logistic, linear, dummy.
const std::vector<AlgorithmInfo>& Algorithms();
Result<const AlgorithmInfo*> FindAlgorithm(const std::string& name, project::Task task);

/// Fitted preparation: raw columns -> matrix. Fitted on the training part only. Described as JSON (docs/formats/features.md) and written as ONNX.
class FeatureGraph {
 public:
  virtual ~FeatureGraph() = default;
  virtual const std::vector<InputColumn>& inputs() const = 0;
  virtual const std::vector<std::string>& names() const = 0;         ///< of the matrix' columns: "tenure", "contract=Two year", "charges_missing"
  virtual const std::vector<size_t>& sources() const = 0;            ///< per matrix column: index of the raw input it came from (derived: of the first one)
  virtual Result<Matrix> Transform(const table::Frame& raw) const = 0;
  virtual Json ToJson() const = 0;
};
/// `columns`: the raw feature columns with their types (no key, target, weight, dropped ones). Errors name the column.
Result<std::unique_ptr<FeatureGraph>> FitFeatures(const project::Features& spec, const std::vector<InputColumn>& columns, const table::Frame& train, int64_t reference_time_ms);
Result<std::unique_ptr<FeatureGraph>> FeaturesFromJson(const Json& json);

/// Bytes of the fused model. Opsets: ai.onnx 20 or lower, ai.onnx.ml 3, IR 8. `metadata` goes into metadata_props.
Result<std::string> WriteOnnx(const FeatureGraph& features, const FittedModel& model, const Signature& signature, const std::vector<std::pair<std::string, std::string>>& metadata);

/// Scores at least min(rows, 1000) rows with ONNX Runtime, with our own evaluator where it applies, and with the learner; kFailedCheck when any |difference| > 1e-5
/// (regression: relative to max(1, |value|, mean |value|)). `native`: the learner's scores on the outputs' scale, [row][classes], [row] of P(positive), or [row].
struct ExportCheck {
  size_t rows = 0;
  double max_difference = 0;
  std::string own_runtime;  ///< "trees" ... or "" when only ONNX Runtime can run it
};
Result<ExportCheck> CheckExport(const std::filesystem::path& onnx, const Signature& signature, const table::Frame& raw, const std::vector<float>& native);

}  // namespace rondo::model
