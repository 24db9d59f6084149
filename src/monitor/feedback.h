/// Labelled predictions as training rows: raw inputs from the prediction log, the target from the labels.
#pragma once

#include <cstdint>
#include <string>

#include "db/db.h"
#include "monitor/follower.h"
#include "monitor/references.h"
#include "table/table.h"

namespace rondo::monitor {

struct Feedback {
  table::Frame frame;        ///< key (when the model has one), the inputs, the target; types as in the training data
  int64_t predictions = 0;   ///< labelled ones found in the log
  int64_t without_key = 0;   ///< left out: the training data have a numeric key and the prediction none
  int64_t gone = 0;          ///< labelled, but no longer in the log
};

/// One row per key, the newest labelled prediction; shadow rows left out. Predictions without a key get "prediction:<id>". Columns are those of the
/// newest version; a column that an older version lacked is missing there. Empty frame: nothing is labelled.
Result<Feedback> BuildFeedback(db::Database& db, References& references, const PredictionReader& reader, const std::string& endpoint);

}  // namespace rondo::monitor
