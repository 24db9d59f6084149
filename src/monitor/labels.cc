// Labels: stored, joined, corrected.
#include "monitor/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <tuple>

#include "base/clock.h"
#include "monitor/packed.h"

namespace rondo::monitor {
namespace {

constexpr const char* kFindLabel = "SELECT label, observed, received, actor FROM monitor_label WHERE endpoint = $1 AND kind = $2 AND ref = $3 AND slot = $4";
constexpr const char* kStoreLabel = R"(
INSERT INTO monitor_label (endpoint, kind, ref, slot, label, observed, received, joined, actor) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)
ON CONFLICT (endpoint, kind, ref, slot) DO UPDATE SET label = excluded.label, observed = excluded.observed, received = excluded.received, actor = excluded.actor)";
constexpr const char* kKeepOld = R"(
INSERT INTO monitor_label_history (endpoint, kind, ref, slot, label, observed, received, replaced, actor) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))";
constexpr const char* kJoined = "UPDATE monitor_label SET joined = joined + $5 WHERE endpoint = $1 AND kind = $2 AND ref = $3 AND slot = $4";
constexpr const char* kJoinedBefore = "SELECT joined FROM monitor_label WHERE endpoint = $1 AND kind = $2 AND ref = $3 AND slot = $4";
constexpr const char* kById = R"(
SELECT id, model, version, shadow, idx, time, label, label_slot, label_kind, label_time, join_seq FROM monitor_prediction WHERE endpoint = $1 AND id = $2)";
constexpr const char* kByKey = R"(
SELECT id, model, version, shadow, idx, time, label, label_slot, label_kind, label_time, join_seq FROM monitor_prediction
WHERE endpoint = $1 AND row_key = $2 AND row_key <> '' AND time >= $3 AND time <= $4 ORDER BY time, id)";
constexpr const char* kSetLabel = R"(
UPDATE monitor_prediction SET label = $5, label_slot = $6, label_kind = $7, label_time = $8, join_seq = $9 WHERE endpoint = $1 AND id = $2 AND version = $3 AND shadow = $4)";
constexpr const char* kLastJoin = "SELECT MAX(join_seq) FROM monitor_prediction WHERE endpoint = $1 AND join_seq IS NOT NULL";
constexpr const char* kJoinedSince = "SELECT id, version, shadow FROM monitor_prediction WHERE endpoint = $1 AND join_seq IS NOT NULL AND join_seq > $2 ORDER BY time, id, version, shadow";
constexpr const char* kSetSeq = "UPDATE monitor_prediction SET join_seq = $5 WHERE endpoint = $1 AND id = $2 AND version = $3 AND shadow = $4";
constexpr const char* kDirty = "UPDATE monitor_window SET labels_dirty = labels_dirty + 1 WHERE endpoint = $1 AND model = $2 AND version = $3 AND shadow = $4 AND idx = $5";
constexpr const char* kWaitingId = "SELECT label, observed FROM monitor_label WHERE endpoint = $1 AND kind = 'id' AND ref = $2";
constexpr const char* kWaitingKey = R"(
SELECT slot, label, observed FROM monitor_label WHERE endpoint = $1 AND kind = 'key' AND ref = $2 AND observed >= $3 AND observed <= $4 ORDER BY observed LIMIT 1)";
constexpr const char* kAnyPending = "SELECT 1 FROM monitor_label WHERE endpoint = $1 AND joined = 0 LIMIT 1";
constexpr const char* kAnySince = "SELECT 1 FROM monitor_label WHERE endpoint = $1 AND observed >= $2 LIMIT 1";

struct Target {
  std::string id, model;
  int64_t version = 0, shadow = 0, idx = 0, time = 0;
  std::optional<std::string> label;
  int64_t slot = 0, label_time = 0;
  std::string kind;
  std::optional<int64_t> join_seq;
};

Result<std::vector<Target>> Targets(db::Session& session, const char* sql, const db::Args& args) {
  std::vector<Target> out;
  RONDO_DO(session.Query(sql, args, [&](const db::Row& row) {
    Target t{row.String(0), row.String(1), row.Int(2), row.Int(3), row.Int(4), row.Int(5), {}, 0, 0, {}, row.OptInt(10)};
    if (!row.IsNull(6)) {
      t.label = row.String(6);
      t.slot = row.Int(7);
      t.kind = row.String(8);
      t.label_time = row.Int(9);
    }
    out.push_back(std::move(t));
    return true;
  }));
  return out;
}

/// What has this id becomes rows first: a label wants a place to stand.
Result<std::vector<Target>> TargetsById(db::Session& session, const std::string& endpoint, const std::string& id) {
  RONDO_DO(TakeOut(session, endpoint, id));
  return Targets(session, kById, {endpoint, id});
}

/// One label on its way to its predictions.
struct Label {
  std::string kind, ref, label;
  int64_t slot = 0, observed = 0;
};

/// A prediction keeps a label by id against one by key, and of labels by key with times the first one after it.
bool Replaces(const Label& label, const Target& target) {
  if (!target.label) return true;
  if (label.kind == "id") return true;
  if (target.kind == "id") return false;
  if (label.slot == target.slot) return true;
  return label.slot != 0 && label.observed < target.label_time;
}

class Join {
 public:
  Join(db::Session& session, const LabelContext& context) : session_(session), context_(context) {}

  Status Apply(const Label& label, std::vector<Target> targets, int64_t& joined) {
    int64_t touched = 0;
    for (const Target& t : targets) {
      if (!Replaces(label, t)) continue;
      ++touched;
      if (t.label && *t.label == label.label && t.kind == label.kind) continue;
      // Corrections keep their place in the stream of errors: a detector must not see a row twice.
      std::optional<int64_t> seq = t.join_seq;
      if (!seq) {
        RONDO_TRY(seq, NextSeq());
        unordered_ = unordered_ || t.time < last_time_;
        last_time_ = t.time;
        ++joined;
      }
      RONDO_TRY([[maybe_unused]] const int64_t set,
                session_.Exec(kSetLabel, {context_.endpoint, t.id, t.version, t.shadow, label.label, label.slot, label.kind, label.observed, *seq}));
      if (dirty_.insert({t.model, t.version, t.shadow, t.idx}).second) {
        RONDO_TRY([[maybe_unused]] const int64_t marked, session_.Exec(kDirty, {context_.endpoint, t.model, t.version, t.shadow, t.idx}));
      }
    }
    if (touched > 0) {
      RONDO_TRY([[maybe_unused]] const int64_t counted, session_.Exec(kJoined, {context_.endpoint, label.kind, label.ref, label.slot, touched}));
    }
    return {};
  }

  /// Labels that came together enter the stream of errors by prediction time: a file may be sorted by anything.
  Status Order() {
    if (!unordered_) return {};
    std::vector<db::Args> rows;
    RONDO_DO(session_.Query(kJoinedSince, {context_.endpoint, base_}, [&](const db::Row& row) {
      rows.push_back({context_.endpoint, row.String(0), row.Int(1), row.Int(2), base_ + static_cast<int64_t>(rows.size()) + 1});
      return true;
    }));
    for (const db::Args& row : rows) {
      RONDO_TRY([[maybe_unused]] const int64_t set, session_.Exec(kSetSeq, row));
    }
    return {};
  }

 private:
  Result<int64_t> NextSeq() {
    if (!seq_) {
      RONDO_TRY(const auto last, session_.QueryInt(kLastJoin, {context_.endpoint}));
      seq_ = base_ = last.value_or(0);
    }
    return ++*seq_;
  }
  db::Session& session_;
  const LabelContext& context_;
  std::optional<int64_t> seq_;
  int64_t base_ = 0, last_time_ = 0;
  bool unordered_ = false;
  std::set<std::tuple<std::string, int64_t, int64_t, int64_t>> dirty_;
};

std::optional<double> Number(const std::string& text) {
  double v = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (ec != std::errc() || end != text.data() + text.size() || !std::isfinite(v)) return std::nullopt;
  return v;
}

}  // namespace

Result<std::vector<LabelRow>> ParseLabels(const Json& body) {
  if (!body.IsArray()) return Fail(Code::kInvalid, "the labels must be a list, not " + std::string(body.TypeName()), R"(send [{"id": "...", "label": "..."}])");
  std::vector<LabelRow> rows;
  const auto& list = body.AsArray();
  for (size_t i = 0; i < list.size(); ++i) {
    const auto bad = [&](std::string what) { return Fail(Code::kInvalid, fmt::format("label {}: {}", i, what), R"(each is {"id" or "key", "label", "time"?})"); };
    const Json& item = list[i];
    if (!item.IsObject()) return bad("must be an object, not " + std::string(item.TypeName()));
    LabelRow row;
    const auto text = [](const Json& j) { return j.IsString() ? j.AsString() : j.IsBool() ? std::string(j.AsBool() ? "true" : "false") : j.Dump(); };
    for (const auto& [key, value] : item.AsObject()) {
      if (key == "id" && value.IsString()) {
        row.id = value.AsString();
      } else if (key == "key" && (value.IsString() || value.IsInt())) {
        row.key = text(value);
      } else if (key == "label" && (value.IsString() || value.IsNumber() || value.IsBool())) {
        row.label = text(value);
      } else if (key == "time" && value.IsInt()) {
        row.time = value.AsInt();
      } else if (key == "time" && value.IsString()) {
        const auto time = ParseTime(value.AsString());
        if (!time) return bad(time.error().message);
        row.time = *time;
      } else if (key == "time" && value.IsNull()) {
        continue;
      } else if (key == "id" || key == "key" || key == "label" || key == "time") {
        return bad(fmt::format("\"{}\" can't be {}", key, value.TypeName()));
      } else {
        return bad(fmt::format("unknown key \"{}\"", key.substr(0, 60)));
      }
    }
    if (row.id.empty() == row.key.empty()) return bad("needs an id or a key, and not both");
    if (row.label.empty()) return bad("has no label");
    if (row.id.size() > 200 || row.key.size() > 1000 || row.label.size() > 1000) return bad("is too long");
    rows.push_back(std::move(row));
  }
  return rows;
}

Status CheckLabels(std::vector<LabelRow>& rows, const Reference& reference) {
  for (size_t i = 0; i < rows.size(); ++i) {
    std::string& label = rows[i].label;
    const auto number = Number(label);
    if (reference.task == project::Task::regression) {
      if (!number) return Fail(Code::kInvalid, fmt::format("label {}: \"{}\" is no number, {} is predicted as one", i, label, reference.target));
      continue;
    }
    if (ClassIndex(reference.classes, label) >= 0) continue;
    bool found = false;
    for (const std::string& name : reference.classes) {
      const auto value = Number(name);
      const bool truth = (label == "true" && name == "1") || (label == "false" && name == "0");
      if (truth || (number && value && *number == *value)) {
        label = name;
        found = true;
        break;
      }
    }
    if (found) continue;
    std::string known;
    for (size_t c = 0; c < reference.classes.size() && c < 20; ++c) known += (c ? ", " : "") + reference.classes[c];
    return Fail(Code::kInvalid, fmt::format("label {}: \"{}\" is none of the classes of {}", i, label.substr(0, 80), reference.target), "known classes: " + known);
  }
  return {};
}

Result<LabelCounts> AddLabels(db::Database& db, const LabelContext& c, const std::vector<LabelRow>& rows) {
  return db::Store<LabelCounts>(db, [&](db::Session& session) -> Result<LabelCounts> {
    LabelCounts counts;
    Join join(session, c);
    for (const LabelRow& row : rows) {
      ++counts.received;
      const bool by_id = !row.id.empty();
      const Label label{by_id ? "id" : "key", by_id ? row.id : row.key, row.label, by_id ? 0 : row.time.value_or(0), row.time.value_or(c.now)};
      const db::Args where = {c.endpoint, label.kind, label.ref, label.slot};
      bool known = false, same = false;
      std::optional<db::Args> old;
      RONDO_DO(session.Query(kFindLabel, where, [&](const db::Row& r) {
        known = true;
        same = r.Text(0) == label.label;
        if (!same) old = db::Args{c.endpoint, label.kind, label.ref, label.slot, r.String(0), r.Int(1), r.Int(2), c.now, r.String(3)};
        return false;
      }));
      if (old) {
        RONDO_TRY([[maybe_unused]] const int64_t kept, session.Exec(kKeepOld, *old));
        ++counts.corrected;
      }
      // The same label once more is a no-op for an id; for a key it reaches on to predictions made since.
      if (!known || !same || !by_id) {
        RONDO_TRY([[maybe_unused]] const int64_t stored, session.Exec(kStoreLabel, {c.endpoint, label.kind, label.ref, label.slot, label.label, label.observed, c.now, c.actor}));
      }
      Result<std::vector<Target>> targets =
          by_id ? TargetsById(session, c.endpoint, label.ref) : Targets(session, kByKey, {c.endpoint, label.ref, label.observed - c.delay_ms, label.observed});
      if (!targets) return std::unexpected(targets.error());
      const int64_t before = counts.joined;
      RONDO_DO(join.Apply(label, std::move(*targets), counts.joined));
      RONDO_TRY(const auto joined, session.QueryInt(kJoinedBefore, where));
      counts.pending += joined.value_or(0) == 0;
      counts.known += known && same && counts.joined == before;
    }
    RONDO_DO(join.Order());
    return counts;
  });
}

Result<bool> LabelsMayWait(db::Session& session, const std::string& endpoint, int64_t time) {
  RONDO_TRY(const auto pending, session.QueryInt(kAnyPending, {endpoint}));
  if (pending) return true;
  RONDO_TRY(const auto since, session.QueryInt(kAnySince, {endpoint, time}));
  return since.has_value();
}

Status JoinWaiting(db::Session& session, const LabelContext& c, const std::string& id, const std::string& key, int64_t time) {
  std::optional<Label> label;
  RONDO_DO(session.Query(kWaitingId, {c.endpoint, id}, [&](const db::Row& row) {
    label = Label{"id", id, row.String(0), 0, row.Int(1)};
    return false;
  }));
  if (!label && !key.empty()) {
    RONDO_DO(session.Query(kWaitingKey, {c.endpoint, key, time, time + c.delay_ms}, [&](const db::Row& row) {
      label = Label{"key", key, row.String(1), row.Int(0), row.Int(2)};
      return false;
    }));
  }
  if (!label) return {};
  RONDO_TRY(auto targets, TargetsById(session, c.endpoint, id));
  int64_t joined = 0;
  Join join(session, c);
  return join.Apply(*label, std::move(targets), joined);
}

Result<LabelTotals> TotalsOf(db::Session& session, const std::string& endpoint) {
  LabelTotals t;
  RONDO_TRY(const auto labels, session.QueryInt("SELECT COUNT(*) FROM monitor_label WHERE endpoint = $1", {endpoint}));
  RONDO_TRY(const auto pending, session.QueryInt("SELECT COUNT(*) FROM monitor_label WHERE endpoint = $1 AND joined = 0", {endpoint}));
  RONDO_TRY(const auto labelled, session.QueryInt("SELECT COUNT(*) FROM monitor_prediction WHERE endpoint = $1 AND label IS NOT NULL AND shadow = 0", {endpoint}));
  RONDO_TRY(const auto predictions, session.QueryInt("SELECT SUM(rows) FROM monitor_window WHERE endpoint = $1 AND shadow = 0", {endpoint}));
  t.labels = labels.value_or(0);
  t.pending = pending.value_or(0);
  t.labelled = labelled.value_or(0);
  t.predictions = predictions.value_or(0);
  return t;
}

}  // namespace rondo::monitor
