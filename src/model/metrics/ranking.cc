// Metrics of the order of scores: auc, average_precision. Ties are one block, as scikit-learn has it.
#include "model/metrics/ranked.h"

namespace rondo::model {
namespace {

/// Mann-Whitney form of the area under the ROC curve: the chance that a positive outranks a negative, ties half.
double BinaryAuc(const Ranking& r, const std::vector<double>& w) {
  double positives = 0, negatives = 0, area = 0, block_positive = 0, block_negative = 0;
  for (size_t i = 0; i < r.rows.size(); ++i) {
    const double weight = w[r.rows[i]];
    if (r.positive[i]) block_positive += weight;
    else block_negative += weight;
    if (!r.ends_block[i]) continue;
    area += block_negative * (positives + block_positive / 2);
    positives += block_positive;
    negatives += block_negative;
    block_positive = block_negative = 0;
  }
  return positives > 0 && negatives > 0 ? area / (positives * negatives) : kNaN;
}

/// Sum over thresholds of the precision times the recall gained (no interpolation).
double BinaryAveragePrecision(const Ranking& r, const std::vector<double>& w) {
  double tp = 0, all = 0, gained = 0, sum = 0;
  for (size_t i = 0; i < r.rows.size(); ++i) {
    const double weight = w[r.rows[i]];
    all += weight;
    if (r.positive[i]) gained += weight;
    if (!r.ends_block[i]) continue;
    tp += gained;
    if (gained > 0) sum += gained * (tp / all);
    gained = 0;
  }
  return tp > 0 ? sum / tp : kNaN;
}

/// One class against the rest, or the mean over all classes; NaN when any of them is undefined.
template <double (*F)(const Ranking&, const std::vector<double>&)>
double OneVersusRest(Ranked& ranked, const std::vector<double>& w, int cls) {
  if (cls != kAllClasses) return F(ranked.ByScore(cls), w);
  if (ranked.scored().task == project::Task::binary) return F(ranked.ByScore(1), w);
  double sum = 0;
  const int classes = static_cast<int>(ranked.scored().classes);
  for (int k = 0; k < classes; ++k) sum += F(ranked.ByScore(k), w);
  return sum / classes;
}

}  // namespace

double Auc(Ranked& ranked, const std::vector<double>& w, int cls) { return OneVersusRest<BinaryAuc>(ranked, w, cls); }
double AveragePrecision(Ranked& ranked, const std::vector<double>& w, int cls) { return OneVersusRest<BinaryAveragePrecision>(ranked, w, cls); }

}  // namespace rondo::model
