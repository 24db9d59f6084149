/// Predictions beside their labels, as the metrics take them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "db/db.h"
#include "model/evaluate.h"
#include "monitor/reference.h"

namespace rondo::monitor {

struct Labelled {
  model::Scored scored;
  std::vector<double> delays;  ///< ms from prediction to label
};
/// `sql` gives time, scores, decision, label, label_time. Rows whose label or scores can't be used (an unknown class) are left out.
Result<Labelled> ReadLabelled(db::Session& session, const char* sql, const db::Args& args, const Reference& reference);
/// One class against the rest: what `metric[class]` means.
model::Scored OneClass(const model::Scored& all, int wanted);

/// Bytes of scores as kept in monitor_prediction, and back.
std::string PackScores(const std::vector<float>& scores);
std::vector<double> UnpackScores(std::string_view bytes);

}  // namespace rondo::monitor
