// Learner logistic: binary and softmax regression with scikit-learn's objective, C * sum(w_i * loss_i) + |coefficients|^2 / 2, intercepts unpenalised.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/thread_pool.h"
#include "model/learners/lbfgs.h"
#include "model/learners/learners.h"
#include "model/learners/params.h"
#include "model/learners/tree_check.h"

namespace rondo::model {
namespace {

/// Rows of a matrix, zeros left out when most are (one-hot and text features).
class RowSet {
 public:
  explicit RowSet(const Matrix& x) : x_(x) {
    size_t filled = 0;
    for (const float v : x.values) filled += v != 0;
    sparse_ = filled * 3 < x.values.size() && x.cols < UINT32_MAX;
    if (!sparse_) return;
    starts_.push_back(0);
    for (size_t r = 0; r < x.rows; ++r) {
      for (size_t c = 0; c < x.cols; ++c) {
        if (x.at(r, c) == 0) continue;
        columns_.push_back(static_cast<uint32_t>(c));
        values_.push_back(x.at(r, c));
      }
      starts_.push_back(columns_.size());
    }
  }
  template <typename F>
  void ForRow(size_t r, F f) const {
    if (sparse_) {
      for (size_t i = starts_[r]; i < starts_[r + 1]; ++i) f(columns_[i], static_cast<double>(values_[i]));
    } else {
      const float* row = x_.values.data() + r * x_.cols;
      for (size_t c = 0; c < x_.cols; ++c) f(c, static_cast<double>(row[c]));
    }
  }

 private:
  const Matrix& x_;
  bool sparse_ = false;
  std::vector<size_t> starts_;
  std::vector<uint32_t> columns_;
  std::vector<float> values_;
};

const std::vector<ParamInfo>& Table() {
  static const std::vector<ParamInfo> table = {
      {"C", "number", "(0, inf)", "inverse strength of the L2 penalty, as in scikit-learn", 1.0, {}},
      {"class_weight", "text", "none | balanced", "balanced: classes count alike, whatever their sizes", "none", {}},
      {"max_iter", "integer", "[1, 100000]", "most iterations", 1000, {}},
      {"tol", "number", "(0, 1]", "stop when no component of the scaled gradient is larger", 1e-8, {}},
  };
  return table;
}

/// The objective over scaled variables: per output d coefficients and an intercept of centred features. `t` scales each variable so that the
/// diagonal of the Hessian is near 1; the penalty stays that of the original coefficients.
struct Objective {
  const TrainRequest& request;
  const RowSet& rows;
  size_t n, d, outputs;
  std::vector<double> weight, mean, t;
  double C, total;
  mutable double loss = 0;  ///< mean loss without the penalty, of the last call

  /// Coefficients and intercepts in the original space.
  void Original(const std::vector<double>& u, std::vector<double>& w, std::vector<double>& intercept) const {
    w.resize(outputs * d);
    intercept.assign(outputs, 0);
    for (size_t k = 0; k < outputs; ++k) {
      const double* part = u.data() + k * (d + 1);
      intercept[k] = part[d] / t[d];
      for (size_t j = 0; j < d; ++j) {
        w[k * d + j] = part[j] / t[j];
        intercept[k] -= w[k * d + j] * mean[j];
      }
    }
  }

  /// Mean objective (divided by C * total weight) and its gradient. Rows are summed in fixed blocks, so that threads change no bit.
  double operator()(const std::vector<double>& u, std::vector<double>& gradient) const {
    std::vector<double> w, intercept;
    Original(u, w, intercept);
    constexpr size_t kBlocks = 16;
    const size_t stride = outputs * (d + 1) + 1;
    std::vector<double> sums(kBlocks * stride, 0.0);
    ParallelFor(kBlocks, [&](size_t b) {
      double* sum = sums.data() + b * stride;
      std::vector<double> z(outputs);
      for (size_t r = b * n / kBlocks; r < (b + 1) * n / kBlocks; ++r) {
        if (weight[r] == 0) continue;
        std::copy(intercept.begin(), intercept.end(), z.begin());
        rows.ForRow(r, [&](size_t c, double v) {
          for (size_t k = 0; k < outputs; ++k) z[k] += w[k * d + c] * v;
        });
        sum[stride - 1] += weight[r] * Residuals(z, static_cast<int>(request.train_y->y[r]));
        for (size_t k = 0; k < outputs; ++k) sum[k * (d + 1) + d] += weight[r] * z[k];
        rows.ForRow(r, [&](size_t c, double v) {
          for (size_t k = 0; k < outputs; ++k) sum[k * (d + 1) + c] += weight[r] * z[k] * v;
        });
      }
    }, n * d * outputs > 2'000'000 ? 0 : 1);  // below, waking threads costs more than it saves
    for (size_t b = 1; b < kBlocks; ++b)
      for (size_t i = 0; i < stride; ++i) sums[i] += sums[b * stride + i];
    double penalty = 0;
    for (size_t k = 0; k < outputs; ++k) {
      const double all = sums[k * (d + 1) + d];
      for (size_t j = 0; j < d; ++j) {
        const double coefficient = w[k * d + j];
        penalty += coefficient * coefficient / 2;
        gradient[k * (d + 1) + j] = ((sums[k * (d + 1) + j] - mean[j] * all) + coefficient / C) / (t[j] * total);
      }
      gradient[k * (d + 1) + d] = all / (t[d] * total);
    }
    loss = sums[stride - 1] / total;
    return loss + penalty / (C * total);
  }

  /// Loss of one row; z becomes d loss / d z.
  double Residuals(std::vector<double>& z, int label) const {
    if (outputs == 1) {
      const double margin = label == 1 ? z[0] : -z[0];
      const double loss = margin > 0 ? std::log1p(std::exp(-margin)) : -margin + std::log1p(std::exp(margin));
      z[0] = 1 / (1 + std::exp(-z[0])) - label;
      return loss;
    }
    const double top = *std::max_element(z.begin(), z.end());
    double sum = 0;
    const double own = z[static_cast<size_t>(label)] - top;
    for (double& v : z) sum += v = std::exp(v - top);
    for (double& v : z) v /= sum;
    z[static_cast<size_t>(label)] -= 1;
    return std::log(sum) - own;
  }
};

class Logistic : public Learner {
 public:
  Result<FittedModel> Train(const TrainRequest& request) const override;
  Result<std::vector<float>> PredictNative(const FittedModel& model, const Matrix& x) const override {
    const std::vector<double> values = EvaluateFitted(model, x);
    return std::vector<float>(values.begin(), values.end());
  }
};

double LogLossOf(const FittedModel& model, const Matrix& x, const Labels& y) {
  const std::vector<double> p = EvaluateFitted(model, x);
  double sum = 0, total = 0;
  for (size_t i = 0; i < y.y.size(); ++i) {
    const auto label = static_cast<size_t>(y.y[i]);
    const double own = model.outputs == 1 ? (label == 1 ? p[i] : 1 - p[i]) : p[i * model.outputs + label];
    const double w = y.weights.empty() ? 1 : static_cast<double>(y.weights[i]);
    sum -= w * std::log(std::clamp(own, 2.220446049250313e-16, 1.0));
    total += w;
  }
  return total > 0 ? sum / total : std::nan("");
}

Result<FittedModel> Logistic::Train(const TrainRequest& request) const {
  RONDO_TRY(const Params params, Params::Read("logistic", Table(), request.params));
  RONDO_DO(CheckData(request, {.missing_allowed = false}));
  const Matrix& x = *request.train_x;
  const RowSet rows(x);
  Objective f{request, rows, x.rows, x.cols, request.task == project::Task::binary ? 1 : request.classes, {}, std::vector<double>(x.cols, 0.0), std::vector<double>(x.cols + 1, 0.0), params.Number("C"), 0};
  f.weight.resize(x.rows, 1.0);
  if (!request.train_y->weights.empty()) f.weight.assign(request.train_y->weights.begin(), request.train_y->weights.end());
  if (params.Text("class_weight") == "balanced") {
    std::vector<double> sizes(std::max<size_t>(request.classes, 2));
    double all = 0;
    size_t present = 0;
    for (size_t r = 0; r < x.rows; ++r) sizes[static_cast<size_t>(request.train_y->y[r])] += f.weight[r];
    for (const double s : sizes) {
      all += s;
      present += s > 0;
    }
    for (size_t r = 0; r < x.rows; ++r) f.weight[r] *= all / (static_cast<double>(present) * std::max(sizes[static_cast<size_t>(request.train_y->y[r])], 1e-300));
  }
  std::vector<double> square(x.cols, 0.0);
  for (size_t r = 0; r < x.rows; ++r) {
    f.total += f.weight[r];
    rows.ForRow(r, [&](size_t c, double v) { f.mean[c] += f.weight[r] * v; });
  }
  for (double& m : f.mean) m /= f.total;
  for (size_t r = 0; r < x.rows; ++r)
    rows.ForRow(r, [&](size_t c, double v) { square[c] += f.weight[r] * ((v - f.mean[c]) * (v - f.mean[c]) - f.mean[c] * f.mean[c]); });
  // `square` + total * mean^2 is the centred sum of squares whether or not zeros were left out.
  for (size_t c = 0; c < x.cols; ++c) {
    square[c] = std::max(0.0, square[c] + f.total * f.mean[c] * f.mean[c]) / f.total;
    f.t[c] = std::sqrt(square[c] * 0.25 + 1 / (f.C * f.total));
  }
  f.t[x.cols] = 0.5;

  FittedModel model;
  model.algorithm = "logistic";
  model.linear = true;
  model.outputs = f.outputs;
  model.link = f.outputs == 1 ? Link::kLogistic : Link::kSoftmax;
  std::vector<double> u(f.outputs * (x.cols + 1), 0.0), intercept;
  const auto take = [&] {
    f.Original(u, model.coefficients, intercept);
    model.base.assign(intercept.begin(), intercept.end());
  };
  const bool validate = request.valid_x && request.valid_y && request.valid_x->rows > 0;
  // The line search ends at the accepted point, so the objective's last loss is this iteration's. The validation loss costs a pass: every fifth.
  const auto after = [&](int64_t iteration) {
    if (!request.on_metric) return true;
    if (!request.on_metric("train_logloss", f.loss, iteration)) return false;
    if (!validate || iteration % 5 != 0) return true;
    take();
    return request.on_metric("validation_logloss", LogLossOf(model, *request.valid_x, *request.valid_y), iteration);
  };
  const LbfgsResult fit = MinimiseLbfgs(std::ref(f), u, {.max_iterations = params.Int("max_iter"), .gradient_tolerance = params.Number("tol")}, after);
  if (fit.stopped) return Cancelled(fit.iterations);
  take();

  Json importance = Json::MakeObject(), coefficients = Json::MakeArray();
  for (size_t k = 0; k < f.outputs; ++k) {
    Json one = Json::MakeObject();
    for (size_t c = 0; c < x.cols; ++c) one.Set(c < request.feature_names.size() ? request.feature_names[c] : "f" + std::to_string(c), model.coefficients[k * x.cols + c]);
    coefficients.Push(Json::MakeObject().Set("intercept", intercept[k]).Set("coefficients", std::move(one)));
  }
  for (size_t c = 0; c < x.cols; ++c) {
    double effect = 0;
    for (size_t k = 0; k < f.outputs; ++k) effect = std::max(effect, std::fabs(model.coefficients[k * x.cols + c]) * std::sqrt(square[c]));
    importance.Set(c < request.feature_names.size() ? request.feature_names[c] : "f" + std::to_string(c), effect);
  }
  model.info = Json::MakeObject().Set("rounds", fit.iterations).Set("converged", fit.converged).Set("params", params.ToJson()).Set("importance", std::move(importance)).Set("linear", std::move(coefficients));
  return model;
}

}  // namespace

AlgorithmInfo LogisticInfo() {
  return {"logistic", "logistic (softmax) regression with an L2 penalty: simple, fast, explainable", {project::Task::binary, project::Task::multiclass}, Table(),
          [] { return std::unique_ptr<Learner>(new Logistic); }};
}

}  // namespace rondo::model
