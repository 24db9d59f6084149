/// Judges stored windows: verdicts, label shift, realised performance, change detectors; raises alarms in the transaction that stores the verdict.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "db/db.h"
#include "monitor/alarms.h"
#include "monitor/references.h"
#include "monitor/store.h"

namespace rondo::monitor {

struct JudgeContext {
  db::Database& db;
  Clock& clock;
  References& references;
  const project::Monitor& spec;
};

/// Verdict of a window, as stored: WindowVerdict plus "label_shift" and "season". Null when its version has no reference.
Result<Json> VerdictOf(db::Session& session, const JudgeContext& context, const Window& window);

/// Closed windows without a verdict, and windows with new labels. Adds the alarms raised.
Status JudgeWindows(const JudgeContext& context, const std::string& endpoint, std::vector<Alarm>& raised);
/// Feeds labelled predictions, in the order their labels came, to ADWIN: one detector per version, shadow rows left out (docs/decisions/0063).
Status WatchErrors(const JudgeContext& context, const std::string& endpoint, std::vector<Alarm>& raised);

}  // namespace rondo::monitor
