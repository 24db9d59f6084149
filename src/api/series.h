/// Long metric histories for a chart that is some hundred pixels wide.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "tracking/tracking.h"

namespace rondo::api {

struct MetricSeries {
  std::string key;
  int64_t total = 0;  ///< points stored
  std::vector<int64_t> step, time;
  std::vector<double> value;
};
BOOST_DESCRIBE_STRUCT(MetricSeries, (), (key, total, step, time, value))

/// Sorted by (step, time). Above `points`, the history is cut into points / 4 buckets of equal length and each keeps its first, lowest, highest and last
/// point (M4, Jugel et al. 2014): no spike is ever lost. A bucket with a value that isn't a number keeps one of those too, so gaps stay gaps.
MetricSeries Reduce(const std::string& key, std::vector<tracking::Metric> history, size_t points);

}  // namespace rondo::api
