// Jensen-Shannon distance.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "monitor/statistics/statistic.h"

namespace rondo::monitor {

Outcome JensenShannon(const Sample& s) {
  const auto n = static_cast<double>(detail::Total(s.reference)), m = static_cast<double>(detail::Total(s.window));
  double divergence = 0;
  for (size_t i = 0; i < s.reference.size(); ++i) {
    const double r = static_cast<double>(s.reference[i]) / n, w = static_cast<double>(s.window[i]) / m, middle = (r + w) / 2;
    if (r > 0) divergence += r / 2 * std::log2(r / middle);
    if (w > 0) divergence += w / 2 * std::log2(w / middle);
  }
  divergence = std::max(0.0, divergence);
  // Near zero the divergence is PSI / (8 ln 2).
  const double chance = static_cast<double>(detail::Filled(s) - 1) * detail::Noise(s) / (8 * std::numbers::ln2);
  return {std::sqrt(divergence), std::sqrt(std::max(0.0, divergence - chance)), std::numeric_limits<double>::quiet_NaN()};
}

}  // namespace rondo::monitor
