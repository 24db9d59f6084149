// The decision threshold: fixed, or the cheapest, or the one of best F1 on the validation part.
#include <cmath>

#include "model/metrics/ranked.h"

namespace rondo::model {

double ChooseThreshold(const Scored& validation, const std::optional<project::Cost>& cost, const std::optional<double>& fixed) {
  if (fixed) return *fixed;
  Ranked ranked(validation);
  if (validation.task != project::Task::binary || !ranked.valid()) return 0.5;
  const Ranking& r = ranked.ByScore(1);
  const std::vector<double>& w = ranked.weights();
  double positives = 0, negatives = 0;
  for (size_t i = 0; i < w.size(); ++i) (ranked.Label(i) == 1 ? positives : negatives) += w[i];
  if (positives <= 0 || negatives <= 0) return 0.5;

  const auto score = [&](size_t i) { return validation.scores[r.rows[i]]; };
  // Higher is better. Deciding nobody positive is a candidate too: with costly false positives it can be the cheapest.
  double best = cost ? -cost->false_negative * positives : 0;
  double threshold = score(0) < 1 ? (score(0) + 1) / 2 : std::nextafter(score(0), 2.0);
  double tp = 0, fp = 0;
  for (size_t i = 0; i < r.rows.size(); ++i) {
    (r.positive[i] ? tp : fp) += w[r.rows[i]];
    if (!r.ends_block[i]) continue;
    const double value = cost ? -(cost->false_positive * fp + cost->false_negative * (positives - tp)) : 2 * tp / (tp + fp + positives);
    if (value <= best) continue;
    best = value;
    threshold = i + 1 < r.rows.size() ? (score(i) + score(i + 1)) / 2 : score(i) / 2;
  }
  return threshold;
}

}  // namespace rondo::model
