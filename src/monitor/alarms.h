/// Alarms: stored, de-duplicated, told. One row per firing; a repeat within `silence` is counted on the row that it repeats.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "db/db.h"
#include "monitor/store.h"
#include "project/spec.h"

namespace rondo::monitor {

struct Alarm {
  std::string id;              ///< derived from what fired: judging a window twice can't raise it twice
  std::string kind;            ///< drift | quality | performance | concept | label_shift
  std::string endpoint, model;
  int64_t version = 0;
  std::vector<std::string> columns;  ///< strongest first; "score" or "decision" when only predictions drift
  int64_t window = 0;          ///< index
  int64_t rows_seen = 0;       ///< rows (performance: labelled rows) that the verdict rests on
  std::string summary;         ///< one sentence for people
  Json evidence;               ///< the numbers that decided
  int64_t time = 0;
  std::string state = "open";  ///< open | acknowledged
  int64_t repeats = 0;         ///< firings since, inside the silence
  int64_t last_time = 0;
};
BOOST_DESCRIBE_STRUCT(Alarm, (), (id, kind, endpoint, model, version, columns, window, rows_seen, summary, evidence, time, state, repeats, last_time))

/// On base/event_bus.h, after the alarm is durable.
struct AlarmRaised {
  Alarm alarm;
};

/// A new alarm's id.
std::string AlarmId(const Alarm& alarm, std::string_view what);

/// Stores the alarm, with one delivery per target of `monitor.notify`; false when it is known, or repeats one within the silence: the same kind, endpoint
/// and version, and no column that wasn't named already.
Result<bool> RaiseAlarm(db::Session& session, const Alarm& alarm, const project::Monitor& spec);
/// Newest first; empty endpoint: all.
Result<std::vector<Alarm>> ListAlarms(db::Session& session, const std::string& endpoint, int64_t limit);
Result<Alarm> GetAlarm(db::Session& session, const std::string& id);
Status AcknowledgeAlarm(db::Database& db, const std::string& id);

/// Calls `announce` (audit, lineage, events) once for each new alarm; again after a crash between the call and its record.
Result<int64_t> AnnounceAlarms(db::Database& db, const std::function<Status(const Alarm&)>& announce);

/// Tells one target; an error means: try again later. Replaced in tests.
using Teller = std::function<Status(const project::Notify& target, const Alarm& alarm)>;
/// Webhook: POST in the shape of Alertmanager's webhook version 4, plus "alarm". Command: run by the shell with RONDO_ALARM_* in its environment.
/// `resolve` turns secret references into values (project::ResolveSecret).
Teller DefaultTeller(std::function<Result<std::string>(const std::string&)> resolve);
Json WebhookBody(const Alarm& alarm, std::string_view receiver);

/// Sends what is due; at most `limit` attempts. Retries after 10 s, 20 s, 40 s ... up to 8 attempts; then the delivery is "failed" and logged.
Result<int64_t> DeliverAlarms(db::Database& db, const project::Monitor& spec, const Teller& teller, int64_t now, int64_t limit = 20);
/// When the next delivery is due; empty: none waits.
Result<std::optional<int64_t>> NextDelivery(db::Session& session);
/// kUnsupported names a target of `monitor.notify` that this release can't tell.
Status CheckNotify(const project::Monitor& spec);

}  // namespace rondo::monitor
