#include "base/nearest.h"

#include <algorithm>

namespace rondo {

size_t EditDistance(std::string_view a, std::string_view b) {
  // Optimal string alignment: three rows are enough, as a swap looks two back.
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string Nearest(std::string_view name, const std::vector<std::string_view>& candidates) {
  if (name.size() > 100) return {};
  std::string_view best;
  size_t distance = std::max<size_t>(1, name.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const size_t d = EditDistance(name, candidate);
    if (d < distance) {
      distance = d;
      best = candidate;
    }
  }
  // What somebody has begun to write counts too: "param" for "parameters".
  if (best.empty() && name.size() >= 3)
    for (const std::string_view candidate : candidates)
      if (candidate.starts_with(name)) return std::string(candidate);
  return std::string(best);
}

}  // namespace rondo
