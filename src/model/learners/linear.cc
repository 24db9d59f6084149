// Learner linear: ordinary least squares and ridge regression, |y - Xw - b|^2 + alpha |w|^2, by blocked QR. The only file that sees Eigen.
#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "model/learners/learners.h"
#include "model/learners/params.h"
#include "model/learners/tree_check.h"

namespace rondo::model {
namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

const std::vector<ParamInfo>& Table() {
  static const std::vector<ParamInfo> table = {
      {"alpha", "number", "[0, inf)", "strength of the L2 penalty, as in scikit-learn's Ridge; 0: ordinary least squares", 0.0, {}},
  };
  return table;
}

class Linear : public Learner {
 public:
  Result<FittedModel> Train(const TrainRequest& request) const override;
  Result<std::vector<float>> PredictNative(const FittedModel& model, const Matrix& x) const override {
    const std::vector<double> values = EvaluateFitted(model, x);
    return std::vector<float>(values.begin(), values.end());
  }
};

/// R of the QR decomposition of the stacked rows, whatever their number: rows join in blocks, each block is reduced to d + 1 rows again. Unlike
/// the normal equations this doesn't square the condition number.
class StackedQr {
 public:
  explicit StackedQr(Eigen::Index columns) : columns_(columns), block_(std::max<Eigen::Index>(4 * columns, 512) + columns, columns) {}
  template <typename Row>
  void Add(const Row& row) {
    block_.row(used_++) = row;
    if (used_ == block_.rows()) Reduce();
  }
  Eigen::MatrixXd R() {
    Reduce();
    return block_.topRows(used_);
  }

 private:
  void Reduce() {
    const Eigen::HouseholderQR<Eigen::MatrixXd> qr(Eigen::MatrixXd(block_.topRows(used_)));
    const Eigen::Index kept = std::min(used_, columns_);
    const Eigen::MatrixXd r = qr.matrixQR().topRows(kept).triangularView<Eigen::Upper>();
    block_.topRows(kept) = r;
    used_ = kept;
  }
  Eigen::Index columns_, used_ = 0;
  RowMatrix block_;
};

Result<FittedModel> Linear::Train(const TrainRequest& request) const {
  RONDO_TRY(const Params params, Params::Read("linear", Table(), request.params));
  RONDO_DO(CheckData(request, {.missing_allowed = false}));
  const Matrix& x = *request.train_x;
  if (x.cols > 5000) return Fail(Code::kTooLarge, fmt::format("linear takes at most 5,000 features, not {}", x.cols), "use xgboost or lightgbm");
  const auto d = static_cast<Eigen::Index>(x.cols);
  const auto weight = [&](size_t r) { return request.train_y->weights.empty() ? 1.0 : static_cast<double>(request.train_y->weights[r]); };

  // Centred by the weighted means, the intercept drops out.
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(d), square = Eigen::VectorXd::Zero(d);
  double target = 0, total = 0;
  for (size_t r = 0; r < x.rows; ++r) {
    for (size_t c = 0; c < x.cols; ++c) mean[static_cast<Eigen::Index>(c)] += weight(r) * static_cast<double>(x.at(r, c));
    target += weight(r) * static_cast<double>(request.train_y->y[r]);
    total += weight(r);
  }
  mean /= total;
  target /= total;
  StackedQr qr(d + 1);
  Eigen::RowVectorXd row(d + 1);
  for (size_t r = 0; r < x.rows; ++r) {
    const double w = weight(r);
    if (w == 0) continue;
    for (Eigen::Index c = 0; c < d; ++c) {
      const double centred = static_cast<double>(x.at(r, static_cast<size_t>(c))) - mean[c];
      square[c] += w * centred * centred;
      row[c] = std::sqrt(w) * centred;
    }
    row[d] = std::sqrt(w) * (static_cast<double>(request.train_y->y[r]) - target);
    qr.Add(row);
  }
  if (const double alpha = params.Number("alpha"); alpha > 0) {
    for (Eigen::Index c = 0; c < d; ++c) {
      row.setZero();
      row[c] = std::sqrt(alpha);
      qr.Add(row);
    }
  }
  const Eigen::MatrixXd r = qr.R();
  // Rank-deficient designs (all levels of a one-hot column) get the solution of least norm, as scikit-learn's do.
  const Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> solver(r.leftCols(d));
  const Eigen::VectorXd w = solver.solve(r.col(d));

  FittedModel model;
  model.algorithm = "linear";
  model.linear = true;
  const double intercept = target - mean.dot(w);
  model.base = {static_cast<float>(intercept)};
  model.coefficients.assign(w.data(), w.data() + d);
  Json importance = Json::MakeObject(), coefficients = Json::MakeObject();
  for (size_t c = 0; c < x.cols; ++c) {
    const std::string name = c < request.feature_names.size() ? request.feature_names[c] : "f" + std::to_string(c);
    const auto i = static_cast<Eigen::Index>(c);
    coefficients.Set(name, w[i]);
    importance.Set(name, std::fabs(w[i]) * std::sqrt(square[i] / total));
  }
  model.info = Json::MakeObject()
                   .Set("rank", solver.rank())
                   .Set("params", params.ToJson())
                   .Set("importance", std::move(importance))
                   .Set("linear", Json::MakeArray().Push(Json::MakeObject().Set("intercept", intercept).Set("coefficients", std::move(coefficients))));
  return model;
}

}  // namespace

AlgorithmInfo LinearInfo() {
  return {"linear", "linear regression, ordinary or ridge: simple, fast, explainable", {project::Task::regression}, Table(), [] { return std::unique_ptr<Learner>(new Linear); }};
}

}  // namespace rondo::model
