// Experiments: created, renamed, deleted and restored with their runs.
#include <fmt/format.h>

#include <charconv>

#include "tracking/limits.h"
#include "tracking/store.h"

namespace rondo::tracking {
namespace {

constexpr std::string_view kSelect = "SELECT id, name, artifact_location, lifecycle_stage, creation_time, last_update_time FROM experiment WHERE id = $1";
constexpr std::string_view kSelectTags = "SELECT key, value FROM experiment_tag WHERE experiment_id = $1 ORDER BY key";
constexpr std::string_view kIdByName = "SELECT id FROM experiment WHERE name = $1";
constexpr std::string_view kNextId = "SELECT max(n) + 1 FROM (SELECT coalesce(max(id), 0) AS n FROM experiment UNION ALL SELECT highest FROM experiment_ids) AS used";
constexpr std::string_view kInsert = "INSERT INTO experiment (id, name, artifact_location, lifecycle_stage, creation_time, last_update_time) VALUES ($1, $2, $3, 'active', $4, $4)";
constexpr std::string_view kPutTag = "INSERT INTO experiment_tag (experiment_id, key, value) VALUES ($1, $2, $3) ON CONFLICT (experiment_id, key) DO UPDATE SET value = excluded.value";
constexpr std::string_view kDeleteTag = "DELETE FROM experiment_tag WHERE experiment_id = $1 AND key = $2";
constexpr std::string_view kRename = "UPDATE experiment SET name = $2, last_update_time = $3 WHERE id = $1";
constexpr std::string_view kTouch = "UPDATE experiment SET last_update_time = $2 WHERE id = $1";
constexpr std::string_view kSetStage = "UPDATE experiment SET lifecycle_stage = $2, last_update_time = $3 WHERE id = $1 AND lifecycle_stage NOT IN ($2, 'purging')";
constexpr std::string_view kMoveDefault = "UPDATE experiment SET artifact_location = $1 || '/0' WHERE id = 0 AND NOT EXISTS (SELECT 1 FROM run WHERE experiment_id = 0)";
constexpr std::string_view kSetStageOfRuns = "UPDATE run SET lifecycle_stage = $2, deleted_time = CASE WHEN $2 = 'deleted' THEN coalesce(deleted_time, $3) END WHERE experiment_id = $1";

std::unexpected<Error> NoExperiment(std::string_view id) { return Fail(Code::kNotFound, fmt::format("No Experiment with id={} exists", id)); }

Status CheckTag(const KeyValue& tag) {
  RONDO_DO(CheckKey("key", tag.key));
  RONDO_DO(CheckLength("key", kMaxKey, tag.key));
  return CheckLength("value", kMaxExperimentTagValue, tag.value);
}

Status Do(db::Session& s, std::string_view sql, const db::Args& args) {
  RONDO_TRY(const int64_t changed, s.Exec(sql, args));
  (void)changed;
  return {};
}

}  // namespace

Result<int64_t> ExperimentNumber(const std::string& id) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error != std::errc() || end != id.data() + id.size()) return NoExperiment(id);
  return number;
}

Result<Experiment> LoadExperiment(db::Session& s, int64_t id) {
  std::optional<Experiment> e;
  RONDO_DO(s.Query(kSelect, {id}, [&](const db::Row& r) {
    e = Experiment{std::to_string(r.Int(0)), r.String(1), r.String(2), r.String(3), r.Int(4), r.Int(5), {}};
    return false;
  }));
  if (!e) return NoExperiment(std::to_string(id));
  RONDO_DO(s.Query(kSelectTags, {id}, [&](const db::Row& r) {
    e->tags.push_back({r.String(0), r.String(1)});
    return true;
  }));
  return *e;
}

Result<int64_t> NewExperiment(db::Session& s, int64_t now, const std::string& root, const std::string& name, const std::vector<KeyValue>& tags, const std::string& artifact_location) {
  RONDO_TRY(const auto present, s.QueryInt(kIdByName, {name}));
  if (present) return Fail(Code::kAlreadyExists, fmt::format("Experiment(name={}) already exists.", name));
  RONDO_TRY(const auto next, s.QueryInt(kNextId));
  const int64_t id = next.value_or(1);
  RONDO_DO(Do(s, kInsert, {id, name, artifact_location.empty() ? fmt::format("{}/{}", root, id) : artifact_location, now}));
  for (const KeyValue& tag : tags) RONDO_DO(Do(s, kPutTag, {id, tag.key, tag.value}));
  return id;
}

Result<std::string> ViewCondition(const std::string& view, const std::string& column) {
  if (view.empty() || view == "ACTIVE_ONLY") return column + " = 'active'";
  if (view == "DELETED_ONLY") return column + " = 'deleted'";
  if (view == "ALL") return "1 = 1";
  return Fail(Code::kInvalid, "Invalid view type '" + view + "'", "ACTIVE_ONLY, DELETED_ONLY or ALL");
}

Status Store::SetArtifactRoot(const std::string& root) {
  std::string trimmed = root;
  while (trimmed.ends_with('/')) trimmed.pop_back();
  artifact_root_ = trimmed.empty() ? "mlflow-artifacts:" : trimmed;
  return db_.Write([&](db::Session& s) { return Do(s, kMoveDefault, {artifact_root_}); });
}

Result<std::string> Store::CreateExperiment(const std::string& name, const std::vector<KeyValue>& tags, const std::string& artifact_location) {
  RONDO_DO(CheckExperimentName(name));
  for (const KeyValue& tag : tags) RONDO_DO(CheckTag(tag));
  RONDO_TRY(const int64_t id, db::Store<int64_t>(db_, [&](db::Session& s) { return NewExperiment(s, clock_.NowMs(), artifact_root_, name, tags, artifact_location); }));
  return std::to_string(id);
}

Result<std::string> Store::EnsureExperiment(const std::string& name) {
  RONDO_DO(CheckExperimentName(name));
  RONDO_TRY(const auto present, db::Fetch<std::optional<int64_t>>(db_, [&](db::Session& s) { return s.QueryInt(kIdByName, {name}); }));
  if (present) return std::to_string(*present);
  RONDO_TRY(const int64_t id, db::Store<int64_t>(db_, [&](db::Session& s) -> Result<int64_t> {
    RONDO_TRY(const auto known, s.QueryInt(kIdByName, {name}));
    if (known) return *known;
    return NewExperiment(s, clock_.NowMs(), artifact_root_, name, {}, {});
  }));
  return std::to_string(id);
}

Result<Experiment> Store::GetExperiment(const std::string& id) {
  RONDO_TRY(const int64_t number, ExperimentNumber(id));
  return db::Fetch<Experiment>(db_, [&](db::Session& s) { return LoadExperiment(s, number); });
}

Result<Experiment> Store::GetExperimentByName(const std::string& name) {
  return db::Fetch<Experiment>(db_, [&](db::Session& s) -> Result<Experiment> {
    RONDO_TRY(const auto id, s.QueryInt(kIdByName, {name}));
    if (!id) return Fail(Code::kNotFound, fmt::format("Could not find experiment with name '{}'", name));
    return LoadExperiment(s, *id);
  });
}

Status Store::UpdateExperiment(const std::string& id, const std::string& name) {
  RONDO_DO(CheckExperimentName(name));
  RONDO_TRY(const int64_t number, ExperimentNumber(id));
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const Experiment e, LoadExperiment(s, number));
    if (e.lifecycle_stage != "active") return Fail(Code::kConflict, "Cannot rename a non-active experiment.");
    RONDO_TRY(const auto other, s.QueryInt(kIdByName, {name}));
    if (other && *other != number) return Fail(Code::kAlreadyExists, fmt::format("Experiment(name={}) already exists.", name));
    return Do(s, kRename, {number, name, clock_.NowMs()});
  });
}

Status Store::SetExperimentDeleted(const std::string& id, bool deleted) {
  RONDO_TRY(const int64_t number, ExperimentNumber(id));
  return db_.Write([&](db::Session& s) -> Status {
    const char* stage = deleted ? "deleted" : "active";
    RONDO_TRY(const int64_t changed, s.Exec(kSetStage, {number, stage, clock_.NowMs()}));
    if (changed == 0) return NoExperiment(id);  // MLflow's answer also when it is in that state already
    return Do(s, kSetStageOfRuns, {number, stage, clock_.NowMs()});
  });
}

Status Store::SetExperimentTag(const std::string& id, const KeyValue& tag) {
  RONDO_DO(CheckTag(tag));
  RONDO_TRY(const int64_t number, ExperimentNumber(id));
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const Experiment e, LoadExperiment(s, number));
    if (e.lifecycle_stage != "active") return Fail(Code::kInvalid, fmt::format("The experiment {} must be in the 'active' state. Current state is deleted.", id));
    RONDO_DO(Do(s, kPutTag, {number, tag.key, tag.value}));
    return Do(s, kTouch, {number, clock_.NowMs()});
  });
}

Status Store::DeleteExperimentTag(const std::string& id, const std::string& key) {
  RONDO_TRY(const int64_t number, ExperimentNumber(id));
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const Experiment e, LoadExperiment(s, number));
    if (e.lifecycle_stage != "active") return Fail(Code::kInvalid, fmt::format("The experiment {} must be in the 'active' state. Current state is deleted.", id));
    RONDO_TRY(const int64_t removed, s.Exec(kDeleteTag, {number, key}));
    if (removed == 0) return Fail(Code::kNotFound, fmt::format("No tag with name: {} in experiment with id {}", key, id));
    return Do(s, kTouch, {number, clock_.NowMs()});
  });
}

std::unique_ptr<Tracking> MakeTracking(db::Database& db, Clock& clock) { return std::make_unique<Store>(db, clock); }

}  // namespace rondo::tracking
