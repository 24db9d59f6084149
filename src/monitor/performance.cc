// Realised performance of a window.
#include "monitor/performance.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/clock.h"
#include "base/json_map.h"
#include "model/evaluate.h"
#include "monitor/labelled.h"
#include "monitor/math.h"
#include "monitor/statistics/statistic.h"

namespace rondo::monitor {
namespace {

constexpr int kResamples = 200;
constexpr double kFinalCoverage = 0.8;

constexpr const char* kLabelled = R"(
SELECT time, scores, decision, label, label_time FROM monitor_prediction
WHERE endpoint = $1 AND version = $3 AND shadow = $4 AND idx = $5 AND model = $2 AND label IS NOT NULL ORDER BY time, id)";

bool Holds(double value, const std::string& op, double limit) {
  if (op == "<") return value < limit;
  if (op == "<=") return value <= limit;
  if (op == ">") return value > limit;
  if (op == ">=") return value >= limit;
  return value == limit;
}

void JudgeGate(Performance& p, const project::Gate& gate, const model::Scored& scored, const model::MetricInfo& metric, const Reference& r) {
  p.limit = gate.limit;
  if (gate.champion) {
    // There is no other model on these rows: "champion" is this version's own value on its held-out part.
    const Json& held_out = r.metrics[gate.metric]["value"];
    if (!held_out.IsNumber()) {
      p.why = fmt::format("{} of the held-out part isn't known", gate.metric);
      return;
    }
    p.limit = gate.factor * held_out.AsDouble() + gate.limit;
  }
  if (p.labelled < kLeastLabels) {
    p.why = fmt::format("{} labels, needs {}", p.labelled, kLeastLabels);
    return;
  }
  const double value = metric.compute(scored);
  if (std::isnan(value)) {
    p.why = gate.metric + " is undefined on these rows";
    return;
  }
  if (!Holds(value, gate.op, p.limit)) {
    p.why = fmt::format("{} is {:.4g}", gate.metric, value);
    return;
  }
  // A 90 % interval leaves 5 % on the side that counts.
  const model::Interval interval = model::Bootstrap(scored, metric, kResamples, 1, 0.90);
  const bool below = gate.op.starts_with("<");
  const double bound = below ? interval.high : interval.low;
  p.failed = Holds(bound, gate.op, p.limit);
  p.why = fmt::format("{} is {:.4g}, {} end of its 90 % interval {:.4g}: {}", gate.metric, value, below ? "upper" : "lower", bound,
                      p.failed ? "beyond the limit" : "could still be chance");
}

}  // namespace

std::vector<std::string> DefaultMetrics(project::Task task) {
  switch (task) {
    case project::Task::binary: return {"auc", "accuracy", "f1"};
    case project::Task::multiclass: return {"accuracy", "f1"};
    case project::Task::regression: return {"rmse", "mae", "r2"};
  }
  return {};
}

Result<Performance> RealisePerformance(db::Session& session, const Window& window, const Reference& reference, const project::Monitor& spec, int64_t now) {
  const Stream& stream = window.stream;
  RONDO_TRY(const Labelled labelled, ReadLabelled(session, kLabelled, {stream.endpoint, stream.model, stream.version, stream.shadow, window.index}, reference));
  Performance p;
  p.rows = window.rows;
  p.labelled = static_cast<int64_t>(labelled.scored.rows());
  p.coverage = p.rows ? static_cast<double>(p.labelled) / static_cast<double>(p.rows) : 0;
  p.final_ = p.coverage >= kFinalCoverage || (window.closed && now - window.time_to > spec.label_delay_ms);
  std::vector<double> delays = labelled.delays;
  std::sort(delays.begin(), delays.end());
  p.delay_p50_ms = SortedQuantile(delays, 0.5);
  p.delay_p90_ms = SortedQuantile(delays, 0.9);
  p.delay_p99_ms = SortedQuantile(delays, 0.99);
  if (p.labelled == 0) return p;

  std::vector<std::string> names = DefaultMetrics(reference.task);
  if (spec.performance) {
    const project::Gate& gate = *spec.performance;
    p.gate = gate.text;
    const model::MetricInfo* metric = model::FindMetric(gate.metric);
    const int wanted = gate.column.empty() ? -1 : ClassIndex(reference.classes, gate.column);
    if (!metric) {
      p.why = fmt::format("\"{}\" isn't a metric of labelled rows", gate.metric);
    } else if (!gate.column.empty() && (wanted < 0 || reference.task != project::Task::multiclass)) {
      p.why = fmt::format("\"{}\" is no class of {}; slices aren't watched", gate.column, reference.target);
    } else {
      const model::Scored scored = wanted >= 0 ? OneClass(labelled.scored, wanted) : labelled.scored;
      JudgeGate(p, gate, scored, *metric, reference);
      const model::Interval interval = model::Bootstrap(scored, *metric, kResamples, 1);
      p.metrics.push_back({wanted >= 0 ? gate.metric + "[" + gate.column + "]" : gate.metric, interval.value, interval.low, interval.high});
      if (wanted < 0) std::erase(names, gate.metric);
    }
  }
  for (const std::string& name : names) {
    const model::MetricInfo* metric = model::FindMetric(name);
    if (!metric) continue;
    const model::Interval interval = model::Bootstrap(labelled.scored, *metric, kResamples, 1);
    p.metrics.push_back({name, interval.value, interval.low, interval.high});
  }
  if (!reference.classes.empty()) {
    p.labels.assign(reference.classes.size(), 0);
    for (const double y : labelled.scored.y) ++p.labels[static_cast<size_t>(y)];
    p.label_p = Chi2({reference.labels, p.labels, {}, 0, false}).p;
  }
  return p;
}

Alarm PerformanceAlarm(const Window& window, const Performance& p, int64_t now) {
  Alarm a;
  a.kind = "performance";
  a.endpoint = window.stream.endpoint;
  a.model = window.stream.model;
  a.version = window.stream.version;
  a.window = window.index;
  a.rows_seen = p.labelled;
  a.time = a.last_time = now;
  a.evidence = ToJson(p);
  a.evidence.Set("window_start", window.time_from).Set("window_end", window.time_to);
  a.summary = fmt::format("{} version {} in window {}: {} on {} labelled of {} predictions ({}); the limit was {}", a.endpoint, a.version, a.window, p.why, p.labelled, p.rows,
                          p.final_ ? "final" : "labels still coming", p.gate);
  a.id = AlarmId(a, p.gate);
  return a;
}

}  // namespace rondo::monitor
