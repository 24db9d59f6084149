// Kolmogorov-Smirnov on bins.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "monitor/math.h"
#include "monitor/statistics/statistic.h"

namespace rondo::monitor {

Outcome KolmogorovSmirnov(const Sample& s) {
  const auto n = static_cast<double>(detail::Total(s.reference)), m = static_cast<double>(detail::Total(s.window));
  double f = 0, g = 0;
  Outcome out;
  for (size_t i = 0; i < s.reference.size(); ++i) {
    f += static_cast<double>(s.reference[i]) / n;
    g += static_cast<double>(s.window[i]) / m;
    out.value = std::max(out.value, std::fabs(f - g));
  }
  // The square of the limit law has mean pi^2/12.
  const double chance = std::numbers::pi * std::numbers::pi / 12 * detail::Noise(s);
  out.adjusted = std::sqrt(std::max(0.0, out.value * out.value - chance));
  out.p = KolmogorovSf(out.value / std::sqrt(detail::Noise(s)));
  return out;
}

}  // namespace rondo::monitor
