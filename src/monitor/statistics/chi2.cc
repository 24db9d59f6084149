// Two-sample chi-square with both sample sizes.
#include <algorithm>
#include <cmath>

#include "monitor/math.h"
#include "monitor/statistics/statistic.h"

namespace rondo::monitor {
namespace {

constexpr double kLeastExpected = 5;

struct Cell {
  double reference = 0, window = 0;
  double both() const { return reference + window; }
};

/// Joins bins until each has the expected count that the chi-square law needs.
std::vector<Cell> Join(const Sample& s, double smaller_share) {
  std::vector<Cell> cells;
  for (size_t i = 0; i < s.reference.size(); ++i)
    if (s.reference[i] + s.window[i] > 0) cells.push_back({static_cast<double>(s.reference[i]), static_cast<double>(s.window[i])});
  if (!s.ordered) std::stable_sort(cells.begin(), cells.end(), [](const Cell& a, const Cell& b) { return a.both() < b.both(); });
  std::vector<Cell> out;
  Cell now;
  for (const Cell& cell : cells) {
    now.reference += cell.reference;
    now.window += cell.window;
    if (now.both() * smaller_share < kLeastExpected) continue;
    out.push_back(now);
    now = {};
  }
  if (now.both() > 0) {
    if (out.empty()) out.push_back({});
    out.back().reference += now.reference;
    out.back().window += now.window;
  }
  return out;
}

}  // namespace

Outcome Chi2(const Sample& s) {
  const auto n = static_cast<double>(detail::Total(s.reference)), m = static_cast<double>(detail::Total(s.window));
  const auto cells = Join(s, std::min(n, m) / (n + m));
  Outcome out;
  if (cells.size() < 2) {
    out.p = 1;
    return out;
  }
  for (const Cell& cell : cells) {
    const double r = cell.both() * n / (n + m), w = cell.both() * m / (n + m);
    out.value += (cell.reference - r) * (cell.reference - r) / r + (cell.window - w) * (cell.window - w) / w;
  }
  const auto degrees = static_cast<double>(cells.size() - 1);
  out.p = Chi2Sf(out.value, degrees);
  out.adjusted = std::sqrt(std::max(0.0, (out.value - degrees) / (n + m)));
  return out;
}

}  // namespace rondo::monitor
