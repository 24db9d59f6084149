#include "model/metrics/curves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "model/metrics/ranked.h"

namespace rondo::model {
namespace {

constexpr size_t kPoints = 200;

struct Point {
  double x = 0, y = 0;
};

/// Keeps the ends and the points that lie furthest apart along the curve.
Json Thin(const std::vector<Point>& points) {
  Json out = Json::MakeArray();
  if (points.empty()) return out;
  std::vector<double> length(points.size());
  for (size_t i = 1; i < points.size(); ++i) length[i] = length[i - 1] + std::fabs(points[i].x - points[i - 1].x) + std::fabs(points[i].y - points[i - 1].y);
  const double step = points.size() > kPoints ? length.back() / (kPoints - 2) : 0;
  double next = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    if (i + 1 < points.size() && length[i] < next) continue;
    next = length[i] + step;
    out.Push(Json::MakeArray().Push(points[i].x).Push(points[i].y));
  }
  return out;
}

/// Totals of both classes and, per distinct score from the top, what lies at or above it.
struct Cut {
  double score, tp, fp;
};
std::vector<Cut> Cuts(Ranked& ranked) {
  std::vector<Cut> cuts;
  const Ranking& r = ranked.ByScore(1);
  double tp = 0, fp = 0;
  for (size_t i = 0; i < r.rows.size(); ++i) {
    (r.positive[i] ? tp : fp) += ranked.weights()[r.rows[i]];
    if (r.ends_block[i]) cuts.push_back({ranked.scored().scores[r.rows[i]], tp, fp});
  }
  return cuts;
}

bool Binary(const Scored& scored) { return scored.task == project::Task::binary; }

Json Bin(double low, double high, size_t rows, double weight, double score, double hit) {
  // Wilson score interval (1927) of the share, on the number of rows.
  const double n = static_cast<double>(rows), p = hit / weight, z = 1.959963984540054;
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return Json::MakeObject().Set("from", low).Set("to", high).Set("rows", rows).Set("score", score / weight).Set("share", p).Set("low", std::max(0.0, middle - half)).Set("high", std::min(1.0, middle + half));
}

Json RegressionBins(const Scored& s, const std::vector<double>& w) {
  std::vector<size_t> order(s.y.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return s.scores[a] != s.scores[b] ? s.scores[a] < s.scores[b] : a < b; });
  Json out = Json::MakeArray();
  const size_t bins = std::min<size_t>(10, order.size());
  for (size_t b = 0; b < bins; ++b) {
    const size_t from = b * order.size() / bins, to = (b + 1) * order.size() / bins;
    double weight = 0, score = 0, label = 0;
    for (size_t i = from; i < to; ++i) {
      weight += w[order[i]];
      score += w[order[i]] * s.scores[order[i]];
      label += w[order[i]] * s.y[order[i]];
    }
    if (weight > 0) out.Push(Json::MakeObject().Set("from", s.scores[order[from]]).Set("to", s.scores[order[to - 1]]).Set("rows", to - from).Set("score", score / weight).Set("label", label / weight));
  }
  return out;
}

}  // namespace

Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json CalibrationCurve(const Scored& s) {
  constexpr size_t kBins = 10;
  Json out = Json::MakeArray();
  const Ranked ranked(s);
  if (!ranked.valid()) return out;
  const std::vector<double>& w = ranked.weights();
  if (s.task == project::Task::regression) return RegressionBins(s, w);
  std::array<size_t, kBins> rows{};
  std::array<double, kBins> weight{}, score{}, hit{};
  for (size_t i = 0; i < s.y.size(); ++i) {
    const double* best = Binary(s) ? &s.scores[i] : std::max_element(s.scores.data() + i * s.classes, s.scores.data() + (i + 1) * s.classes);
    const bool right = Binary(s) ? ranked.Label(i) == 1 : best - (s.scores.data() + i * s.classes) == ranked.Label(i);
    const auto bin = static_cast<size_t>(std::clamp(*best * kBins, 0.0, kBins - 1.0));
    ++rows[bin];
    weight[bin] += w[i];
    score[bin] += w[i] * *best;
    if (right) hit[bin] += w[i];
  }
  for (size_t b = 0; b < kBins; ++b)
    if (weight[b] > 0) out.Push(Bin(static_cast<double>(b) / kBins, static_cast<double>(b + 1) / kBins, rows[b], weight[b], score[b], hit[b]));
  return out;
}

Json ConfusionMatrix(const Scored& s, const std::vector<std::string>& classes) {
  std::vector<std::vector<int64_t>> counts(classes.size(), std::vector<int64_t>(classes.size()));
  for (size_t i = 0; i < s.y.size() && i < s.decisions.size(); ++i) {
    const auto label = static_cast<size_t>(s.y[i]), decision = static_cast<size_t>(s.decisions[i]);
    if (label < classes.size() && decision < classes.size()) ++counts[label][decision];
  }
  Json matrix = Json::MakeArray();
  for (const auto& row : counts) matrix.Push(Json(row));
  return Json::MakeObject().Set("labels", Json(classes)).Set("matrix", std::move(matrix));
}

Json RocCurve(const Scored& s) {
  Ranked ranked(s);
  if (!Binary(s) || !ranked.valid()) return Json::MakeArray();
  const std::vector<Cut> cuts = Cuts(ranked);
  if (cuts.back().tp <= 0 || cuts.back().fp <= 0) return Json::MakeArray();
  std::vector<Point> points = {{0, 0}};
  for (const Cut& c : cuts) points.push_back({c.fp / cuts.back().fp, c.tp / cuts.back().tp});
  return Thin(points);
}

Json PrCurve(const Scored& s) {
  Ranked ranked(s);
  if (!Binary(s) || !ranked.valid()) return Json::MakeArray();
  const std::vector<Cut> cuts = Cuts(ranked);
  if (cuts.back().tp <= 0) return Json::MakeArray();
  std::vector<Point> points;
  for (const Cut& c : cuts)
    if (c.tp + c.fp > 0) points.push_back({c.tp / cuts.back().tp, c.tp / (c.tp + c.fp)});
  return Thin(points);
}

Json ThresholdCurve(const Scored& s, const std::optional<project::Cost>& cost) {
  Ranked ranked(s);
  Json out = Json::MakeArray();
  if (!Binary(s) || !ranked.valid()) return out;
  const std::vector<Cut> cuts = Cuts(ranked);
  const double positives = cuts.back().tp, all = cuts.back().tp + cuts.back().fp;
  if (positives <= 0 || all <= positives) return out;
  double next = 0;
  for (size_t i = 0; i < cuts.size(); ++i) {
    const Cut& c = cuts[i];
    const double selected = c.tp + c.fp;
    if (selected <= 0 || (i + 1 < cuts.size() && selected / all < next)) continue;
    next = selected / all + 0.01;
    Json point = Json::MakeObject().Set("threshold", c.score).Set("precision", c.tp / selected).Set("recall", c.tp / positives).Set("f1", 2 * c.tp / (selected + positives)).Set("selected", selected / all);
    if (cost) point.Set("cost", 1000 * (cost->false_positive * c.fp + cost->false_negative * (positives - c.tp)) / all);
    out.Push(std::move(point));
  }
  return out;
}

Json CostSummary(const Scored& s, const project::Cost& cost) {
  const Ranked ranked(s);
  if (!Binary(s) || !ranked.valid()) return Json();
  double fp = 0, fn = 0, positives = 0, total = 0;
  for (size_t i = 0; i < s.y.size(); ++i) {
    const double w = ranked.weights()[i];
    total += w;
    if (ranked.Label(i) == 1) positives += w;
    if (s.decisions[i] == 1 && ranked.Label(i) == 0) fp += w;
    if (s.decisions[i] == 0 && ranked.Label(i) == 1) fn += w;
  }
  if (total <= 0) return Json();
  const double model = cost.false_positive * fp + cost.false_negative * fn, nobody = cost.false_negative * positives, everybody = cost.false_positive * (total - positives);
  return Json::MakeObject()
      .Set("false_positive", cost.false_positive)
      .Set("false_negative", cost.false_negative)
      .Set("false_positives", fp)
      .Set("false_negatives", fn)
      .Set("total", model)
      .Set("per_1000", 1000 * model / total)
      .Set("nobody_per_1000", 1000 * nobody / total)
      .Set("everybody_per_1000", 1000 * everybody / total);
}

}  // namespace rondo::model
