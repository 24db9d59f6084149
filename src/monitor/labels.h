/// Ground truth that arrives late. Labels are stored first and joined to predictions by prediction id or row key, whichever comes first, so neither
/// a label before its prediction was followed nor a prediction before its label is lost. Durable and idempotent.
///
/// Which predictions a label by key means (docs/decisions/0062): without a time, all predictions of that key made in the `delay` before it arrived;
/// with a time, those made in the `delay` before that time and not yet answered by an earlier one.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "db/db.h"
#include "monitor/reference.h"

namespace rondo::monitor {

struct LabelRow {
  std::string id;    ///< prediction id, or
  std::string key;   ///< row key: exactly one of both
  std::string label;
  std::optional<int64_t> time;  ///< ms: when the truth was observed; absent: when it arrived
};

struct LabelCounts {
  int64_t received = 0;
  int64_t joined = 0;     ///< predictions labelled now
  int64_t known = 0;      ///< rows that said nothing new
  int64_t corrected = 0;  ///< rows that replaced another label; the old one is kept in the history
  int64_t pending = 0;    ///< rows that match no prediction yet
};
BOOST_DESCRIBE_STRUCT(LabelCounts, (), (received, joined, known, corrected, pending))

/// Body of POST /endpoints/<e>/labels: a list of {"id" or "key", "label", "time"?}; numbers and booleans become the text that a CSV would hold.
/// kInvalid names the row. `time`: milliseconds or ISO 8601.
Result<std::vector<LabelRow>> ParseLabels(const Json& body);

/// kInvalid (naming row and value) when a label is none of the classes (classification) or no number (regression). A whole-valued "1.0" means "1".
Status CheckLabels(std::vector<LabelRow>& rows, const Reference& reference);

struct LabelContext {
  std::string endpoint;
  std::string actor;
  int64_t now = 0;
  int64_t delay_ms = 0;  ///< monitor.labels.delay
};
/// All rows or none, in one transaction. Marks the windows of the predictions for recomputation.
Result<LabelCounts> AddLabels(db::Database& db, const LabelContext& context, const std::vector<LabelRow>& rows);

/// A prediction that has just been followed: joins labels that were there before it. Call inside the follower's transaction.
Status JoinWaiting(db::Session& session, const LabelContext& context, const std::string& id, const std::string& key, int64_t time);
/// True when any stored label could concern predictions since `time`.
Result<bool> LabelsMayWait(db::Session& session, const std::string& endpoint, int64_t time);

struct LabelTotals {
  int64_t labels = 0, pending = 0, labelled = 0, predictions = 0;
};
BOOST_DESCRIBE_STRUCT(LabelTotals, (), (labels, pending, labelled, predictions))
/// Shadow rows left out.
Result<LabelTotals> TotalsOf(db::Session& session, const std::string& endpoint);

}  // namespace rondo::monitor
