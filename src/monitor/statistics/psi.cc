// Population stability index.
#include <algorithm>
#include <cmath>

#include "monitor/math.h"
#include "monitor/statistics/statistic.h"

namespace rondo::monitor {

Outcome Psi(const Sample& s) {
  const auto bins = static_cast<double>(detail::Filled(s));
  const double n = static_cast<double>(detail::Total(s.reference)) + 0.5 * bins;
  const double m = static_cast<double>(detail::Total(s.window)) + 0.5 * bins;
  Outcome out;
  for (size_t i = 0; i < s.reference.size(); ++i) {
    if (s.reference[i] + s.window[i] == 0) continue;
    const double r = (static_cast<double>(s.reference[i]) + 0.5) / n, w = (static_cast<double>(s.window[i]) + 0.5) / m;
    out.value += (r - w) * std::log(r / w);
  }
  const double noise = detail::Noise(s);
  out.adjusted = std::max(0.0, out.value - (bins - 1) * noise);
  out.p = bins > 1 ? Chi2Sf(out.value / noise, bins - 1) : 1;
  return out;
}

}  // namespace rondo::monitor
