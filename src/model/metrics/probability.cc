// Metrics of the probabilities themselves: log_loss, brier, ece.
#include <algorithm>
#include <array>
#include <cmath>

#include "model/metrics/ranked.h"

namespace rondo::model {
namespace {

/// scikit-learn clips by the machine epsilon of float64.
constexpr double kEpsilon = 2.220446049250313e-16;

double Total(const std::vector<double>& w) {
  double sum = 0;
  for (const double x : w) sum += x;
  return sum;
}

}  // namespace

double LogLoss(Ranked& ranked, const std::vector<double>& w, int) {
  double sum = 0;
  for (size_t i = 0; i < ranked.rows(); ++i) {
    if (w[i] == 0) continue;
    sum -= w[i] * std::log(std::clamp(ranked.Score(i, ranked.Label(i)), kEpsilon, 1 - kEpsilon));
  }
  const double total = Total(w);
  return total > 0 ? sum / total : kNaN;
}

/// Binary: mean (p - y)^2. Multiclass: the sum over classes, in [0, 2] (Brier 1950), as scikit-learn's brier_score_loss for more than two.
double Brier(Ranked& ranked, const std::vector<double>& w, int cls) {
  const Scored& s = ranked.scored();
  const bool binary = s.task == project::Task::binary;
  double sum = 0;
  for (size_t i = 0; i < ranked.rows(); ++i) {
    if (w[i] == 0) continue;
    const int label = ranked.Label(i);
    if (binary || cls != kAllClasses) {
      const int k = cls == kAllClasses ? 1 : cls;
      const double d = ranked.Score(i, k) - (label == k ? 1 : 0);
      sum += w[i] * d * d;
      continue;
    }
    double row = 0;
    for (int k = 0; k < static_cast<int>(s.classes); ++k) {
      const double d = ranked.Score(i, k) - (label == k ? 1 : 0);
      row += d * d;
    }
    sum += w[i] * row;
  }
  const double total = Total(w);
  return total > 0 ? sum / total : kNaN;
}

/// Expected calibration error over ten equal bins (Naeini 2015): binary bins P(positive) against the share of positives; multiclass bins the
/// confidence of the top class against how often it is right (Guo 2017).
double Ece(Ranked& ranked, const std::vector<double>& w, int) {
  constexpr size_t kBins = 10;
  const Scored& s = ranked.scored();
  std::array<double, kBins> weight{}, score{}, hit{};
  for (size_t i = 0; i < ranked.rows(); ++i) {
    double p = 0;
    bool right = false;
    if (s.task == project::Task::binary) {
      p = s.scores[i];
      right = ranked.Label(i) == 1;
    } else {
      const double* row = s.scores.data() + i * s.classes;
      const double* best = std::max_element(row, row + s.classes);
      p = *best;
      right = ranked.Label(i) == best - row;
    }
    const auto bin = static_cast<size_t>(std::clamp(p * kBins, 0.0, kBins - 1.0));
    weight[bin] += w[i];
    score[bin] += w[i] * p;
    if (right) hit[bin] += w[i];
  }
  double sum = 0, total = 0;
  for (size_t b = 0; b < kBins; ++b) {
    total += weight[b];
    sum += std::fabs(score[b] - hit[b]);
  }
  return total > 0 ? sum / total : kNaN;
}

}  // namespace rondo::model
