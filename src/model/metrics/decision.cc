// Metrics of the decisions: accuracy, balanced_accuracy, precision, recall, f1, mcc. All come from one weighted confusion matrix.
#include <cmath>

#include "model/metrics/ranked.h"

namespace rondo::model {
namespace {

/// Rows and columns of the confusion matrix, and its diagonal.
struct Counts {
  std::vector<double> truth, predicted, hit;
  double total = 0, correct = 0;
};

Counts Count(Ranked& ranked, const std::vector<double>& w) {
  const Scored& s = ranked.scored();
  const size_t k = s.task == project::Task::binary ? 2 : s.classes;
  Counts c{std::vector<double>(k), std::vector<double>(k), std::vector<double>(k)};
  for (size_t i = 0; i < ranked.rows(); ++i) {
    const auto label = static_cast<size_t>(ranked.Label(i)), decision = static_cast<size_t>(s.decisions[i]);
    c.truth[label] += w[i];
    c.predicted[decision] += w[i];
    if (label == decision) {
      c.hit[label] += w[i];
      c.correct += w[i];
    }
    c.total += w[i];
  }
  return c;
}

double PrecisionOf(const Counts& c, size_t k) { return c.predicted[k] > 0 ? c.hit[k] / c.predicted[k] : 0; }
double RecallOf(const Counts& c, size_t k) { return c.truth[k] > 0 ? c.hit[k] / c.truth[k] : 0; }
double F1Of(const Counts& c, size_t k) {
  const double both = c.truth[k] + c.predicted[k];
  return both > 0 ? 2 * c.hit[k] / both : 0;
}

/// One class: undefined when it occurs neither as label nor as decision; recall (kNeedsTruth) also without a single row of it. All of
/// multiclass: macro over the classes that occur as label or decision (scikit-learn's rule, zero_division 0).
template <double (*F)(const Counts&, size_t), bool kNeedsTruth>
double PerClass(Ranked& ranked, const std::vector<double>& w, int cls) {
  const Counts c = Count(ranked, w);
  const bool binary = ranked.scored().task == project::Task::binary;
  if (binary && cls == kAllClasses) cls = 1;
  if (cls != kAllClasses) {
    const auto k = static_cast<size_t>(cls);
    const bool defined = c.truth[k] > 0 || (!kNeedsTruth && c.predicted[k] > 0);
    return defined ? F(c, k) : kNaN;
  }
  double sum = 0;
  int present = 0;
  for (size_t k = 0; k < c.truth.size(); ++k) {
    if (c.truth[k] == 0 && c.predicted[k] == 0) continue;
    sum += F(c, k);
    ++present;
  }
  return present > 0 ? sum / present : kNaN;
}

}  // namespace

double Precision(Ranked& ranked, const std::vector<double>& w, int cls) { return PerClass<PrecisionOf, false>(ranked, w, cls); }
double Recall(Ranked& ranked, const std::vector<double>& w, int cls) { return PerClass<RecallOf, true>(ranked, w, cls); }
double F1(Ranked& ranked, const std::vector<double>& w, int cls) { return PerClass<F1Of, false>(ranked, w, cls); }

double Accuracy(Ranked& ranked, const std::vector<double>& w, int) {
  const Counts c = Count(ranked, w);
  return c.total > 0 ? c.correct / c.total : kNaN;
}

double BalancedAccuracy(Ranked& ranked, const std::vector<double>& w, int) {
  const Counts c = Count(ranked, w);
  double sum = 0;
  int present = 0;
  for (size_t k = 0; k < c.truth.size(); ++k) {
    if (c.truth[k] == 0) continue;
    sum += c.hit[k] / c.truth[k];
    ++present;
  }
  return present > 0 ? sum / present : kNaN;
}

/// Matthews' correlation, the multiclass form R_k of Gorodkin (2004). One label only: undefined; one decision only: 0.
double Mcc(Ranked& ranked, const std::vector<double>& w, int) {
  const Counts c = Count(ranked, w);
  double tp = 0, tt = 0, pp = 0;
  for (size_t k = 0; k < c.truth.size(); ++k) {
    tp += c.truth[k] * c.predicted[k];
    tt += c.truth[k] * c.truth[k];
    pp += c.predicted[k] * c.predicted[k];
  }
  const double square = c.total * c.total;
  if (square - tt <= 0) return kNaN;
  if (square - pp <= 0) return 0;
  return (c.correct * c.total - tp) / std::sqrt((square - tt) * (square - pp));
}

}  // namespace rondo::model
