/// Realised performance: labelled predictions of a window (by prediction time) against the label, with coverage, delay and intervals.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "db/db.h"
#include "monitor/alarms.h"
#include "monitor/store.h"
#include "project/spec.h"

namespace rondo::monitor {

/// Fewer labelled rows than this never alarm.
inline constexpr int64_t kLeastLabels = 50;

struct RealisedMetric {
  std::string metric;
  double value = 0, low = 0, high = 0;  ///< bootstrap, 95 %; NaN when undefined on these rows
};
BOOST_DESCRIBE_STRUCT(RealisedMetric, (), (metric, value, low, high))

struct Performance {
  int64_t rows = 0, labelled = 0;
  double coverage = 0;
  double delay_p50_ms = 0, delay_p90_ms = 0, delay_p99_ms = 0;
  bool final_ = false;               ///< 80 % labelled, or older than the label delay
  std::vector<RealisedMetric> metrics;  ///< the gate's metric first
  std::string gate;                  ///< `monitor.alarm.performance`; empty: none
  double limit = 0;
  bool failed = false;               ///< the gate is true, on enough labels, and its one-sided 95 % bound agrees
  std::string why;
  std::vector<int64_t> labels;       ///< labelled rows per class
  double label_p = 1;                ///< chi-square of those against the held-out part's: label shift, tested
};
BOOST_DESCRIBE_STRUCT(Performance, (), (rows, labelled, coverage, delay_p50_ms, delay_p90_ms, delay_p99_ms, final_, metrics, gate, limit, failed, why, labels, label_p))

/// Metrics reported for a task when the gate names no other.
std::vector<std::string> DefaultMetrics(project::Task task);

Result<Performance> RealisePerformance(db::Session& session, const Window& window, const Reference& reference, const project::Monitor& spec, int64_t now);
/// The alarm of a failed gate.
Alarm PerformanceAlarm(const Window& window, const Performance& performance, int64_t now);

}  // namespace rondo::monitor
