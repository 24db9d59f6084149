// The table of change detectors.
#include "monitor/detectors/detector.h"

namespace rondo::monitor {

const std::vector<DetectorInfo>& Detectors() {
  static const std::vector<DetectorInfo> rows = {
      {"adwin", "adaptive window: finds where two halves of the stream differ", MakeAdwin},
      {"page_hinkley", "cumulated deviation from the running mean", MakePageHinkley},
      {"ddm", "error rate against its own best", MakeDdm},
  };
  return rows;
}

const DetectorInfo* FindDetector(std::string_view name) {
  for (const DetectorInfo& row : Detectors())
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace rondo::monitor
