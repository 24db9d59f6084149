/// A scored part with its sort orders, so that many metrics and many resamples sort each column of scores once.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "model/evaluate.h"

namespace rondo::model {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Rows of one class' score, best first.
struct Ranking {
  std::vector<uint32_t> rows;
  std::vector<uint8_t> positive;    ///< in step with rows: the label is the class
  std::vector<uint8_t> ends_block;  ///< in step with rows: the next row has another score
};

/// Not thread-safe until every order that is needed has been asked for once; read-only afterwards.
class Ranked {
 public:
  explicit Ranked(const Scored& scored);
  const Scored& scored() const { return scored_; }
  size_t rows() const { return scored_.y.size(); }
  /// Sizes fit, labels are classes, nothing is NaN. Kernels may be called only when true.
  bool valid() const { return valid_; }
  /// The rows' own weights, or ones.
  const std::vector<double>& weights() const { return weights_; }

  int Label(size_t row) const { return static_cast<int>(scored_.y[row]); }
  /// Probability of a class.
  double Score(size_t row, int cls) const {
    if (scored_.task == project::Task::binary) return cls == 0 ? 1 - scored_.scores[row] : scored_.scores[row];
    return scored_.scores[row * scored_.classes + static_cast<size_t>(cls)];
  }
  const Ranking& ByScore(int cls);
  /// Regression: rows by |label - prediction|, smallest first.
  const std::vector<uint32_t>& ByError();

 private:
  const Scored& scored_;
  bool valid_ = true;
  std::vector<double> weights_;
  std::vector<Ranking> rankings_;  ///< per class; empty until asked for
  std::vector<uint32_t> by_error_;
};

// The kernels, by family. See Metrics() for names.
double Auc(Ranked&, const std::vector<double>& w, int cls);
double AveragePrecision(Ranked&, const std::vector<double>& w, int cls);
double LogLoss(Ranked&, const std::vector<double>& w, int cls);
double Brier(Ranked&, const std::vector<double>& w, int cls);
double Ece(Ranked&, const std::vector<double>& w, int cls);
double Accuracy(Ranked&, const std::vector<double>& w, int cls);
double BalancedAccuracy(Ranked&, const std::vector<double>& w, int cls);
double Precision(Ranked&, const std::vector<double>& w, int cls);
double Recall(Ranked&, const std::vector<double>& w, int cls);
double F1(Ranked&, const std::vector<double>& w, int cls);
double Mcc(Ranked&, const std::vector<double>& w, int cls);
double Rmse(Ranked&, const std::vector<double>& w, int cls);
double Mae(Ranked&, const std::vector<double>& w, int cls);
double MedianAe(Ranked&, const std::vector<double>& w, int cls);
double R2(Ranked&, const std::vector<double>& w, int cls);
double Mape(Ranked&, const std::vector<double>& w, int cls);
double Wape(Ranked&, const std::vector<double>& w, int cls);

}  // namespace rondo::model
