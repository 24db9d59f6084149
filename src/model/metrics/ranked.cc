#include "model/metrics/ranked.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rondo::model {

Ranked::Ranked(const Scored& scored) : scored_(scored) {
  const size_t n = scored.y.size();
  const bool regression = scored.task == project::Task::regression;
  const size_t width = scored.task == project::Task::multiclass ? scored.classes : 1;
  const double classes = scored.task == project::Task::binary ? 2 : static_cast<double>(scored.classes);
  valid_ = n > 0 && n < std::numeric_limits<uint32_t>::max() && scored.scores.size() == n * width && (regression || scored.decisions.size() == n) &&
           (scored.weights.empty() || scored.weights.size() == n);
  for (size_t i = 0; valid_ && i < n; ++i)
    valid_ = regression ? std::isfinite(scored.y[i]) : scored.y[i] >= 0 && scored.y[i] < classes && scored.decisions[i] >= 0 && scored.decisions[i] < static_cast<int>(classes);
  for (size_t i = 0; valid_ && i < scored.scores.size(); ++i) valid_ = !std::isnan(scored.scores[i]);
  for (size_t i = 0; valid_ && i < scored.weights.size(); ++i) valid_ = scored.weights[i] >= 0 && std::isfinite(scored.weights[i]);
  weights_ = scored.weights.empty() ? std::vector<double>(n, 1.0) : scored.weights;
  rankings_.resize(scored.task == project::Task::binary ? 2 : scored.classes);
}

const Ranking& Ranked::ByScore(int cls) {
  Ranking& r = rankings_[static_cast<size_t>(cls)];
  if (!r.rows.empty()) return r;
  // Sorting (score, row) pairs keeps the keys together: several times faster than sorting indices by a look-up.
  std::vector<std::pair<double, uint32_t>> keys(rows());
  for (size_t i = 0; i < rows(); ++i) keys[i] = {-Score(i, cls), static_cast<uint32_t>(i)};
  std::sort(keys.begin(), keys.end());
  r.rows.resize(rows());
  r.positive.resize(rows());
  r.ends_block.resize(rows());
  for (size_t i = 0; i < keys.size(); ++i) {
    r.rows[i] = keys[i].second;
    r.positive[i] = Label(keys[i].second) == cls;
    r.ends_block[i] = i + 1 == keys.size() || keys[i + 1].first != keys[i].first;
  }
  return r;
}

const std::vector<uint32_t>& Ranked::ByError() {
  if (!by_error_.empty()) return by_error_;
  std::vector<std::pair<double, uint32_t>> keys(rows());
  for (size_t i = 0; i < rows(); ++i) keys[i] = {std::fabs(scored_.y[i] - scored_.scores[i]), static_cast<uint32_t>(i)};
  std::sort(keys.begin(), keys.end());
  for (const auto& [error, row] : keys) by_error_.push_back(row);
  return by_error_;
}

}  // namespace rondo::model
