// Metrics of predicted numbers: rmse, mae, median_ae, r2, mape, wape.
#include <cmath>

#include "model/metrics/ranked.h"

namespace rondo::model {
namespace {

/// Weighted mean of f(label, prediction).
template <typename F>
double Mean(Ranked& ranked, const std::vector<double>& w, F f) {
  const Scored& s = ranked.scored();
  double sum = 0, total = 0;
  for (size_t i = 0; i < s.y.size(); ++i) {
    sum += w[i] * f(s.y[i], s.scores[i]);
    total += w[i];
  }
  return total > 0 ? sum / total : kNaN;
}

}  // namespace

double Rmse(Ranked& ranked, const std::vector<double>& w, int) {
  return std::sqrt(Mean(ranked, w, [](double y, double p) { return (y - p) * (y - p); }));
}

double Mae(Ranked& ranked, const std::vector<double>& w, int) {
  return Mean(ranked, w, [](double y, double p) { return std::fabs(y - p); });
}

/// The weighted median; halfway between two rows when exactly half of the weight lies below (then it is the plain median of equal weights).
double MedianAe(Ranked& ranked, const std::vector<double>& w, int) {
  const Scored& s = ranked.scored();
  const std::vector<uint32_t>& order = ranked.ByError();
  double total = 0;
  for (const double x : w) total += x;
  if (total <= 0) return kNaN;
  const auto error = [&](size_t i) { return std::fabs(s.y[order[i]] - s.scores[order[i]]); };
  double below = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    below += w[order[i]];
    if (below < total / 2) continue;
    if (below > total / 2) return error(i);
    size_t next = i + 1;
    while (next < order.size() && w[order[next]] == 0) ++next;
    return next < order.size() ? (error(i) + error(next)) / 2 : error(i);
  }
  return kNaN;
}

/// Undefined when all labels are equal.
double R2(Ranked& ranked, const std::vector<double>& w, int) {
  const double mean = Mean(ranked, w, [](double y, double) { return y; });
  const double spread = Mean(ranked, w, [&](double y, double) { return (y - mean) * (y - mean); });
  const double error = Mean(ranked, w, [](double y, double p) { return (y - p) * (y - p); });
  return spread > 0 ? 1 - error / spread : kNaN;
}

/// As scikit-learn: labels of 0 count as 2.2e-16, so one of them makes it huge. Prefer wape then.
double Mape(Ranked& ranked, const std::vector<double>& w, int) {
  return Mean(ranked, w, [](double y, double p) { return std::fabs(y - p) / std::fmax(std::fabs(y), 2.220446049250313e-16); });
}

double Wape(Ranked& ranked, const std::vector<double>& w, int) {
  const double size = Mean(ranked, w, [](double y, double) { return std::fabs(y); });
  return size > 0 ? Mae(ranked, w, kAllClasses) / size : kNaN;
}

}  // namespace rondo::model
