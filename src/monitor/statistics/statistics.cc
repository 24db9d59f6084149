// The table of drift statistics.
#include "monitor/statistics/statistic.h"

namespace rondo::monitor {

const std::vector<StatisticInfo>& Statistics() {
  static const std::vector<StatisticInfo> rows = {
      {"psi", "population stability index; 0.1 is a small shift, 0.25 a large one", false, Psi},
      {"chi2", "Pearson's chi-square of both samples; the effect is Cramér's V", false, Chi2},
      {"ks", "Kolmogorov-Smirnov distance of the bins", true, KolmogorovSmirnov},
      {"jensen_shannon", "Jensen-Shannon distance, base 2", false, JensenShannon},
      {"hellinger", "Hellinger distance", false, Hellinger},
      {"wasserstein", "Wasserstein distance in standard deviations of the reference", true, Wasserstein},
  };
  return rows;
}

const StatisticInfo* FindStatistic(std::string_view name) {
  for (const StatisticInfo& row : Statistics())
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace rondo::monitor
