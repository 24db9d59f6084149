// The retrain policy.
#include "monitor/retrain.h"

#include <fmt/format.h>

#include <optional>

namespace rondo::monitor {
namespace {

constexpr int64_t kAlarmsOf = 86'400'000;  // older alarms are history when the policy is switched on
constexpr const char* kAlarms = R"(
SELECT a.id, a.kind, a.summary FROM monitor_alarm a LEFT JOIN monitor_retrain r ON r.cause = 'alarm:' || a.id
WHERE a.endpoint = $1 AND a.time >= $2 AND r.cause IS NULL ORDER BY a.time, a.id)";
constexpr const char* kLabelled = "SELECT COUNT(*) FROM monitor_prediction WHERE endpoint = $1 AND label IS NOT NULL AND shadow = 0";
constexpr const char* kLabelsThen = "SELECT MAX(labels) FROM monitor_retrain WHERE endpoint = $1 AND started = 1";
constexpr const char* kKnown = "SELECT started FROM monitor_retrain WHERE cause = $1";
constexpr const char* kLastStart = "SELECT MAX(time) FROM monitor_retrain WHERE started = 1";
constexpr const char* kStarts = "SELECT COUNT(*) FROM monitor_retrain WHERE started = 1 AND time > $1";
constexpr const char* kStore = "INSERT INTO monitor_retrain (cause, endpoint, kind, time, started, why, run, labels) VALUES ($1, $2, $3, $4, $5, $6, '', $7)";

}  // namespace

bool RetrainPolicy::Listed(const std::string& kind) const {
  if (kind == "drift") return spec_.on_drift;
  if (kind == "performance") return spec_.on_performance;
  if (kind == "labels") return spec_.on_labels > 0;
  if (kind == "data") return spec_.on_data;
  if (kind == "cron") return !spec_.cron.empty();
  return false;
}

Result<std::vector<RetrainCause>> RetrainPolicy::Pending(const std::string& endpoint) {
  std::vector<RetrainCause> out;
  if (!spec_.enabled) return out;
  RONDO_DO(db_.Read([&](db::Session& session) -> Status {
    RONDO_TRY(const auto labelled, session.QueryInt(kLabelled, {endpoint}));
    const int64_t now_labelled = labelled.value_or(0);
    RONDO_DO(session.Query(kAlarms, {endpoint, clock_.NowMs() - kAlarmsOf}, [&](const db::Row& row) {
      const std::string kind = row.String(1) == "concept" ? "performance" : row.String(1);
      if (Listed(kind)) out.push_back({"alarm:" + row.String(0), kind, endpoint, row.String(2), now_labelled});
      return true;
    }));
    if (spec_.on_labels > 0) {
      RONDO_TRY(const auto then, session.QueryInt(kLabelsThen, {endpoint}));
      const int64_t since = now_labelled - then.value_or(0);
      if (since >= spec_.on_labels) out.push_back({fmt::format("labels:{}:{}", endpoint, then.value_or(0)), "labels", endpoint, fmt::format("{} new labels", since), now_labelled});
    }
    return {};
  }));
  return out;
}

Result<RetrainDecision> RetrainPolicy::Consider(const RetrainCause& cause) {
  RetrainDecision decision{false, cause.kind, cause.id, ""};
  if (!spec_.enabled || !Listed(cause.kind)) {
    decision.why = fmt::format("retrain.when doesn't list {}", cause.kind);
    return decision;
  }
  return db::Store<RetrainDecision>(db_, [&](db::Session& session) -> Result<RetrainDecision> {
    RetrainDecision d{false, cause.kind, cause.id, ""};
    const int64_t now = clock_.NowMs();
    RONDO_TRY(const auto known, session.QueryInt(kKnown, {cause.id}));
    if (known) {
      d.why = *known ? "this cause has started a run" : "this cause was decided before";
      return d;
    }
    RONDO_TRY(const auto last, session.QueryInt(kLastStart));
    RONDO_TRY(const auto starts, session.QueryInt(kStarts, {now - spec_.max_per_ms}));
    if (last && now - *last < spec_.cooldown_ms) {
      d.why = fmt::format("{}; held back: the last retraining started {} ago, the cooldown is {}", cause.text, FormatDuration(now - *last), FormatDuration(spec_.cooldown_ms));
    } else if (starts.value_or(0) >= spec_.max_runs) {
      d.why = fmt::format("{}; held back: {} retrainings in the last {} are the limit", cause.text, spec_.max_runs, FormatDuration(spec_.max_per_ms));
    } else {
      d.should = true;
      d.why = cause.text;
    }
    if (!d.should && cause.kind == "labels") return d;
    RONDO_TRY([[maybe_unused]] const int64_t stored, session.Exec(kStore, {cause.id, cause.endpoint, cause.kind, now, d.should, d.why, cause.labels}));
    return d;
  });
}

Status RetrainPolicy::RecordRun(const std::string& cause_id, const std::string& run) {
  return db_.Write([&](db::Session& session) -> Status {
    RONDO_TRY([[maybe_unused]] const int64_t set, session.Exec("UPDATE monitor_retrain SET run = $2 WHERE cause = $1", {cause_id, run}));
    return {};
  });
}

Result<std::vector<RetrainRecord>> RetrainPolicy::History(int64_t limit) {
  std::vector<RetrainRecord> out;
  RONDO_DO(db_.Read([&](db::Session& session) {
    return session.Query("SELECT cause, endpoint, kind, time, started, why, run FROM monitor_retrain ORDER BY time DESC, cause LIMIT $1", {limit}, [&](const db::Row& row) {
      out.push_back({row.String(0), row.String(1), row.String(2), row.Int(3), row.Int(4) != 0, row.String(5), row.String(6)});
      return true;
    });
  }));
  return out;
}

}  // namespace rondo::monitor
