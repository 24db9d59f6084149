// Wasserstein-1 distance between bin centres.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "monitor/statistics/statistic.h"

namespace rondo::monitor {

Outcome Wasserstein(const Sample& s) {
  const auto n = static_cast<double>(detail::Total(s.reference)), m = static_cast<double>(detail::Total(s.window));
  double f = 0, g = 0, area = 0, chance = 0;
  for (size_t i = 0; i + 1 < s.reference.size() && i + 1 < s.centers.size(); ++i) {
    f += static_cast<double>(s.reference[i]) / n;
    g += static_cast<double>(s.window[i]) / m;
    const double step = s.centers[i + 1] - s.centers[i];
    const double pooled = (f * n + g * m) / (n + m);
    area += std::fabs(f - g) * step;
    // Mean of |F - G| under no drift: a normal with variance F(1-F)(1/n + 1/m).
    chance += std::sqrt(2 * std::numbers::inv_pi * std::max(0.0, pooled * (1 - pooled)) * detail::Noise(s)) * step;
  }
  const double scale = s.scale > 0 ? s.scale : 1;
  return {area / scale, std::max(0.0, area - chance) / scale, std::numeric_limits<double>::quiet_NaN()};
}

}  // namespace rondo::monitor
