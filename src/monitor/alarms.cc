// Alarms in SQL, with silence.
#include "monitor/alarms.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/hash.h"
#include "base/json_map.h"

namespace rondo::monitor {
namespace {

#define RONDO_ALARM_COLUMNS "id, kind, endpoint, model, version, columns, idx, rows_seen, summary, evidence, time, state, repeats, last_time"
constexpr const char* kRecent = R"(
SELECT id, columns FROM monitor_alarm WHERE endpoint = $1 AND model = $2 AND version = $3 AND kind = $4 AND time > $5 AND time <= $6 ORDER BY time DESC)";
constexpr const char* kRepeat = "UPDATE monitor_alarm SET repeats = repeats + 1, last_time = $2 WHERE id = $1";
constexpr const char* kInsert = "INSERT INTO monitor_alarm (" RONDO_ALARM_COLUMNS ", announced) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $11, 0)";
constexpr const char* kNews = "SELECT " RONDO_ALARM_COLUMNS " FROM monitor_alarm WHERE announced = 0 ORDER BY time, id LIMIT 100";
constexpr const char* kAnnounced = "UPDATE monitor_alarm SET announced = 1 WHERE id = $1";
constexpr const char* kKnown = "SELECT 1 FROM monitor_alarm WHERE id = $1";
constexpr const char* kQueue = "INSERT INTO monitor_delivery (alarm, target, attempts, next_time, state, error) VALUES ($1, $2, 0, $3, 'waiting', '')";
constexpr const char* kOf = "SELECT " RONDO_ALARM_COLUMNS " FROM monitor_alarm WHERE endpoint = $1 ORDER BY time DESC, id LIMIT $2";
constexpr const char* kAll = "SELECT " RONDO_ALARM_COLUMNS " FROM monitor_alarm ORDER BY time DESC, id LIMIT $1";
constexpr const char* kOne = "SELECT " RONDO_ALARM_COLUMNS " FROM monitor_alarm WHERE id = $1";

Alarm Decode(const db::Row& row) {
  Alarm a;
  a.id = row.String(0);
  a.kind = row.String(1);
  a.endpoint = row.String(2);
  a.model = row.String(3);
  a.version = row.Int(4);
  if (const auto columns = ParseJson(row.Text(5)))
    for (const Json& c : columns->AsArray()) a.columns.push_back(c.AsString());
  a.window = row.Int(6);
  a.rows_seen = row.Int(7);
  a.summary = row.String(8);
  if (auto evidence = ParseJson(row.Text(9))) a.evidence = std::move(*evidence);
  a.time = row.Int(10);
  a.state = row.String(11);
  a.repeats = row.Int(12);
  a.last_time = row.Int(13);
  return a;
}

}  // namespace

std::string AlarmId(const Alarm& a, std::string_view what) {
  return Sha256Hex(fmt::format("{}\n{}\n{}\n{}\n{}\n{}", a.kind, a.endpoint, a.model, a.version, a.window, what)).substr(0, 16);
}

Result<bool> RaiseAlarm(db::Session& session, const Alarm& a, const project::Monitor& spec) {
  RONDO_TRY(const auto known, session.QueryInt(kKnown, {a.id}));
  if (known) return false;
  std::string latest;
  std::set<std::string> named;
  RONDO_DO(session.Query(kRecent, {a.endpoint, a.model, a.version, a.kind, a.time - spec.silence_ms, a.time}, [&](const db::Row& row) {
    if (latest.empty()) latest = row.String(0);
    if (const auto columns = ParseJson(row.Text(1)))
      for (const Json& c : columns->AsArray()) named.insert(c.AsString());
    return true;
  }));
  const bool nothing_new = std::all_of(a.columns.begin(), a.columns.end(), [&](const std::string& c) { return named.contains(c); });
  if (!latest.empty() && nothing_new) {
    RONDO_TRY([[maybe_unused]] const int64_t counted, session.Exec(kRepeat, {latest, a.time}));
    return false;
  }
  RONDO_TRY([[maybe_unused]] const int64_t stored,
            session.Exec(kInsert, {a.id, a.kind, a.endpoint, a.model, a.version, Json(a.columns).Dump(), a.window, a.rows_seen, a.summary, a.evidence.Dump(), a.time, a.state}));
  for (size_t target = 0; target < spec.notify.size(); ++target) {
    RONDO_TRY([[maybe_unused]] const int64_t queued, session.Exec(kQueue, {a.id, static_cast<int64_t>(target), a.time}));
  }
  return true;
}

Result<std::vector<Alarm>> ListAlarms(db::Session& session, const std::string& endpoint, int64_t limit) {
  std::vector<Alarm> out;
  const auto take = [&](const db::Row& row) {
    out.push_back(Decode(row));
    return true;
  };
  RONDO_DO(endpoint.empty() ? session.Query(kAll, {limit}, take) : session.Query(kOf, {endpoint, limit}, take));
  return out;
}

Result<Alarm> GetAlarm(db::Session& session, const std::string& id) {
  std::optional<Alarm> found;
  RONDO_DO(session.Query(kOne, {id}, [&](const db::Row& row) {
    found = Decode(row);
    return false;
  }));
  if (!found) return Fail(Code::kNotFound, fmt::format("no alarm \"{}\"", id.substr(0, 80)), "rondo alarms lists them");
  return std::move(*found);
}

Result<int64_t> AnnounceAlarms(db::Database& db, const std::function<Status(const Alarm&)>& announce) {
  std::vector<Alarm> news;
  RONDO_DO(db.Read([&](db::Session& session) {
    return session.Query(kNews, {}, [&](const db::Row& row) {
      news.push_back(Decode(row));
      return true;
    });
  }));
  for (const Alarm& alarm : news) {
    RONDO_DO(announce(alarm));
    RONDO_DO(db.Write([&](db::Session& session) -> Status {
      RONDO_TRY([[maybe_unused]] const int64_t set, session.Exec(kAnnounced, {alarm.id}));
      return {};
    }));
  }
  return static_cast<int64_t>(news.size());
}

Status AcknowledgeAlarm(db::Database& db, const std::string& id) {
  return db.Write([&](db::Session& session) -> Status {
    RONDO_TRY(const int64_t changed, session.Exec("UPDATE monitor_alarm SET state = 'acknowledged' WHERE id = $1", {id}));
    if (changed == 0) return Fail(Code::kNotFound, fmt::format("no alarm \"{}\"", id.substr(0, 80)), "rondo alarms lists them");
    return {};
  });
}

}  // namespace rondo::monitor
