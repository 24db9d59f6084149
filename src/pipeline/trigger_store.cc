// Events that ask for runs, in the database: stored before anything starts.
#include "base/hash.h"
#include "base/id.h"
#include "base/json.h"
#include "pipeline/journal.h"
#include "pipeline/trigger.h"

namespace rondo::pipeline {
namespace {

constexpr int kMaxStarts = 3;
constexpr int64_t kMaxQueued = 100;

constexpr std::string_view kFind = "SELECT run_id FROM trigger_events WHERE id = $1";
constexpr std::string_view kInsert =
    "INSERT INTO trigger_events (id, kind, cause, time, state, run_id, project, stages, actor, why) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
constexpr std::string_view kLast = "SELECT max(time) FROM trigger_events WHERE project = $1 AND kind = $2 AND state <> 'refused'";
constexpr std::string_view kCount = "SELECT count(*) FROM trigger_events WHERE project = $1 AND kind = $2 AND state <> 'refused' AND time > $3";
constexpr std::string_view kLastLike = "SELECT max(time) FROM trigger_events WHERE project = $1 AND cause >= $2 AND cause < $3 AND state <> 'refused'";
constexpr std::string_view kCountLike = "SELECT count(*) FROM trigger_events WHERE project = $1 AND cause >= $2 AND cause < $3 AND state <> 'refused' AND time > $4";
constexpr std::string_view kBusyLike = "SELECT id, state FROM trigger_events WHERE project = $1 AND cause >= $2 AND cause < $3 AND state IN ('queued', 'running')";
constexpr std::string_view kQueued = "SELECT count(*) FROM trigger_events WHERE project = $1 AND state = 'queued'";
constexpr std::string_view kColumns = "SELECT id, kind, cause, why, actor, time, state, run_id, stages, starts, ended FROM trigger_events ";
constexpr std::string_view kStart = "UPDATE trigger_events SET state = 'running', starts = starts + 1, run_id = $2 WHERE id = $1";
constexpr std::string_view kFinish = "UPDATE trigger_events SET state = $2, ended = $3 WHERE id = $1 AND state IN ('queued', 'running')";
constexpr std::string_view kRequeue = "UPDATE trigger_events SET state = 'queued' WHERE project = $1 AND state = 'running' AND starts < $2";
constexpr std::string_view kGiveUp = "UPDATE trigger_events SET state = 'failed', ended = $2 WHERE project = $1 AND state = 'running'";
constexpr std::string_view kGetMark = "SELECT time, seen FROM trigger_marks WHERE project = $1 AND name = $2";
constexpr std::string_view kSetMark =
    "INSERT INTO trigger_marks (project, name, time, seen) VALUES ($1, $2, $3, $4) ON CONFLICT (project, name) DO UPDATE SET time = excluded.time, seen = excluded.seen";

TriggerRecord Read(const db::Row& row) {
  TriggerRecord r;
  r.id = row.String(0);
  r.kind = row.String(1);
  r.cause = row.String(2);
  r.why = row.String(3);
  r.actor = row.String(4);
  r.time = row.Int(5);
  r.state = row.String(6);
  r.run_id = row.String(7);
  if (auto stages = ParseJson(row.String(8).empty() ? "[]" : row.String(8)))
    for (const Json& s : stages->AsArray()) r.stages.push_back(s.AsString());
  r.starts = row.Int(9);
  r.ended = row.OptInt(10);
  return r;
}

}  // namespace

Result<TriggerStore> TriggerStore::Open(db::Database& db, Clock& clock, std::string project) {
  RONDO_DO(db.Migrate("pipeline", Migrations()));
  return TriggerStore(db, clock, std::move(project));
}

Result<Submitted> TriggerStore::Submit(const TriggerEvent& event, const TriggerLimits& limits) {
  if (event.kind.empty() || event.cause.empty()) return Fail(Code::kInvalid, "an event needs a kind and a cause");
  Submitted out;
  out.event = event.id.empty() ? Sha256Hex(project_ + '\n' + event.kind + '\n' + event.cause).substr(0, 32) : event.id;
  const std::string fresh_run = NewId();
  const int64_t now = clock_->NowMs();
  RONDO_DO(db_->Write([&](db::Session& s) -> Status {
    out.accepted = false;
    RONDO_TRY(const auto known, s.QueryText(kFind, {out.event}));
    if (known) {
      out.run_id = *known;
      out.why = "this cause has had its run";
      return {};
    }
    out.why.clear();
    out.cancelled.clear();
    const bool like = !limits.prefix.empty();
    const std::string above = limits.prefix + "\x7f";
    if (like && limits.concurrency != "queue") {
      std::vector<std::pair<std::string, std::string>> busy;
      RONDO_DO(s.Query(kBusyLike, {project_, limits.prefix, above}, [&](const db::Row& row) {
        busy.emplace_back(row.String(0), row.String(1));
        return true;
      }));
      if (limits.concurrency == "skip" && !busy.empty()) out.why = "a run of this trigger is " + busy[0].second + " already";
      if (limits.concurrency == "cancel")
        for (const auto& [id, state] : busy) {
          if (state == "running") {
            out.cancelled.push_back(id);
            continue;
          }
          RONDO_TRY(const int64_t rows, s.Exec(kFinish, {id, "cancelled", now}));
          (void)rows;
        }
    }
    if (out.why.empty() && limits.cooldown_ms > 0) {
      RONDO_TRY(const auto last, like ? s.QueryInt(kLastLike, {project_, limits.prefix, above}) : s.QueryInt(kLast, {project_, event.kind}));
      if (last && *last > 0 && now - *last < limits.cooldown_ms) out.why = "the cooldown of " + FormatDuration(limits.cooldown_ms) + " still lasts " + FormatDuration(limits.cooldown_ms - (now - *last));
    }
    if (out.why.empty() && limits.max_runs > 0) {
      RONDO_TRY(const auto count, like ? s.QueryInt(kCountLike, {project_, limits.prefix, above, now - limits.per_ms}) : s.QueryInt(kCount, {project_, event.kind, now - limits.per_ms}));
      if (count.value_or(0) >= limits.max_runs) out.why = "there were " + std::to_string(*count) + " runs within " + FormatDuration(limits.per_ms) + ", the limit is " + std::to_string(limits.max_runs);
    }
    if (out.why.empty()) {
      RONDO_TRY(const auto queued, s.QueryInt(kQueued, {project_}));
      if (queued.value_or(0) >= kMaxQueued) return Fail(Code::kUnavailable, std::to_string(*queued) + " events wait for a run already", "look at what holds them up: rondo runs");
    }
    out.accepted = out.why.empty();
    out.run_id = out.accepted ? fresh_run : std::string();
    RONDO_TRY(const int64_t rows, s.Exec(kInsert, {out.event, event.kind, event.cause, now, out.accepted ? "queued" : "refused", out.run_id, project_, Json(event.stages).Dump(), event.actor,
                                                   out.accepted ? event.why : out.why}));
    (void)rows;
    return {};
  }));
  return out;
}

Result<std::optional<TriggerRecord>> TriggerStore::Take() {
  std::optional<TriggerRecord> record;
  RONDO_DO(db_->Write([&](db::Session& s) -> Status {
    record.reset();
    RONDO_DO(s.Query(std::string(kColumns) + "WHERE project = $1 AND state = 'queued' ORDER BY time, id LIMIT 1", {project_}, [&](const db::Row& row) {
      record = Read(row);
      return false;
    }));
    if (!record) return {};
    if (record->starts > 0) record->run_id = NewId();
    RONDO_TRY(const int64_t rows, s.Exec(kStart, {record->id, record->run_id}));
    (void)rows;
    record->state = "running";
    ++record->starts;
    return {};
  }));
  return record;
}

Status TriggerStore::Finish(const std::string& id, const std::string& state) {
  return db_->Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t rows, s.Exec(kFinish, {id, state, clock_->NowMs()}));
    if (rows == 0) return Fail(Code::kNotFound, "no event " + id + " is queued or running");
    return {};
  });
}

Status TriggerStore::Recover() {
  return db_->Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t requeued, s.Exec(kRequeue, {project_, kMaxStarts}));
    RONDO_TRY(const int64_t failed, s.Exec(kGiveUp, {project_, clock_->NowMs()}));
    (void)requeued;
    (void)failed;
    return {};
  });
}

Result<std::vector<TriggerRecord>> TriggerStore::List(int64_t limit) {
  std::vector<TriggerRecord> out;
  RONDO_DO(db_->Read([&](db::Session& s) -> Status {
    return s.Query(std::string(kColumns) + "WHERE project = $1 ORDER BY time DESC, id LIMIT $2", {project_, limit}, [&](const db::Row& row) {
      out.push_back(Read(row));
      return true;
    });
  }));
  return out;
}

Result<std::optional<TriggerStore::Mark>> TriggerStore::GetMark(const std::string& name) {
  std::optional<Mark> mark;
  RONDO_DO(db_->Read([&](db::Session& s) -> Status {
    return s.Query(kGetMark, {project_, name}, [&](const db::Row& row) {
      mark = Mark{row.Int(0), row.String(1)};
      return false;
    });
  }));
  return mark;
}

Status TriggerStore::SetMark(const std::string& name, const Mark& mark) {
  return db_->Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t rows, s.Exec(kSetMark, {project_, name, mark.time, mark.seen}));
    (void)rows;
    return {};
  });
}

}  // namespace rondo::pipeline
