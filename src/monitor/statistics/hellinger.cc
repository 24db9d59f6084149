// Hellinger distance.
#include <algorithm>
#include <cmath>
#include <limits>

#include "monitor/statistics/statistic.h"

namespace rondo::monitor {

Outcome Hellinger(const Sample& s) {
  const auto n = static_cast<double>(detail::Total(s.reference)), m = static_cast<double>(detail::Total(s.window));
  double overlap = 0;
  for (size_t i = 0; i < s.reference.size(); ++i) overlap += std::sqrt(static_cast<double>(s.reference[i]) / n * static_cast<double>(s.window[i]) / m);
  const double square = std::max(0.0, 1 - overlap);
  const double chance = static_cast<double>(detail::Filled(s) - 1) * detail::Noise(s) / 8;
  return {std::sqrt(square), std::sqrt(std::max(0.0, square - chance)), std::numeric_limits<double>::quiet_NaN()};
}

}  // namespace rondo::monitor
