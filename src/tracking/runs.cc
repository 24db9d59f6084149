// Runs: created, read, updated, deleted.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/id.h"
#include "base/json_map.h"
#include "tracking/limits.h"
#include "tracking/store.h"

namespace rondo::tracking {
namespace {

constexpr std::string_view kFind = "SELECT id, experiment_id, lifecycle_stage FROM run WHERE run_id = $1 AND lifecycle_stage <> 'purging'";
constexpr std::string_view kInsert =
    "INSERT INTO run (run_id, experiment_id, name, user_id, status, start_time, end_time, artifact_uri, lifecycle_stage) VALUES ($1, $2, $3, $4, 'RUNNING', $5, NULL, $6, 'active')";
constexpr std::string_view kUpdate = "UPDATE run SET status = coalesce($2, status), end_time = coalesce($3, end_time), name = coalesce($4, name) WHERE id = $1";
constexpr std::string_view kSetStage = "UPDATE run SET lifecycle_stage = $2, deleted_time = CASE WHEN $2 = 'deleted' THEN coalesce(deleted_time, $3) END WHERE id = $1";
constexpr std::string_view kMetrics = "SELECT k.name, l.value, l.time, l.step FROM latest l JOIN metric_key k ON k.id = l.key WHERE l.run = $1 ORDER BY k.name";
constexpr std::string_view kParams = "SELECT key, value FROM param WHERE run = $1 ORDER BY key";
constexpr std::string_view kTags = "SELECT key, value FROM run_tag WHERE run = $1 ORDER BY key";
constexpr std::string_view kInputs =
    "SELECT d.name, d.digest, d.source_type, d.source, d.schema_text, d.profile, i.context, i.tags FROM run_input i JOIN dataset d ON d.id = i.dataset WHERE i.run = $1 ORDER BY d.id";
constexpr std::string_view kModels = "SELECT direction, model_id, step FROM run_model WHERE run = $1 ORDER BY step, model_id";
constexpr std::string_view kPutTag = "INSERT INTO run_tag (run, key, value) VALUES ($1, $2, $3) ON CONFLICT (run, key) DO UPDATE SET value = excluded.value";
constexpr std::string_view kRename = "UPDATE run SET name = $2 WHERE id = $1";

constexpr std::string_view kStatuses[] = {"RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};

std::string ByIdSql() { return fmt::format("SELECT {} FROM run r WHERE r.id = $1", kRunColumns); }

}  // namespace

db::Value MetricValue(double value) { return std::isnan(value) ? db::Value() : db::Value(value); }
double MetricValue(const db::Row& row, int column) { return row.IsNull(column) ? std::numeric_limits<double>::quiet_NaN() : row.Double(column); }

Result<RunRow> FindRun(db::Session& s, const std::string& run_id) {
  std::optional<RunRow> found;
  RONDO_DO(s.Query(kFind, {run_id}, [&](const db::Row& r) {
    found = RunRow{r.Int(0), r.Int(1), r.Text(2) == "active"};
    return false;
  }));
  if (!found) return Fail(Code::kNotFound, fmt::format("Run with id={} not found", run_id.substr(0, 100)));
  return *found;
}

Result<RunRow> FindActiveRun(db::Session& s, const std::string& run_id) {
  RONDO_TRY(const RunRow row, FindRun(s, run_id));
  if (!row.active) return Fail(Code::kInvalid, fmt::format("The run {} must be in the 'active' state. Current state is deleted.", run_id));
  return row;
}

Result<Run> LoadRun(db::Session& s, int64_t id) {
  static const std::string sql = ByIdSql();
  Run run;
  RONDO_DO(s.Query(sql, {id}, [&](const db::Row& r) {
    run.run_id = r.String(1);
    run.run_name = r.String(2);
    run.experiment_id = std::to_string(r.Int(3));
    run.user_id = r.String(4);
    run.status = r.String(5);
    run.start_time = r.Int(6);
    run.end_time = r.OptInt(7);
    run.artifact_uri = r.String(8);
    run.lifecycle_stage = r.String(9);
    return false;
  }));
  RONDO_DO(s.Query(kMetrics, {id}, [&](const db::Row& r) {
    run.metrics.push_back({r.String(0), MetricValue(r, 1), r.Int(2), r.Int(3)});
    return true;
  }));
  RONDO_DO(s.Query(kParams, {id}, [&](const db::Row& r) {
    run.params.push_back({r.String(0), r.String(1)});
    return true;
  }));
  RONDO_DO(s.Query(kTags, {id}, [&](const db::Row& r) {
    run.tags.push_back({r.String(0), r.String(1)});
    return true;
  }));
  Status status;
  RONDO_DO(s.Query(kInputs, {id}, [&](const db::Row& r) {
    DatasetInput input{r.String(0), r.String(1), r.String(2), r.String(3), r.String(4), r.String(5), r.String(6), {}};
    if (auto tags = ReadJson<std::vector<KeyValue>>(r.Text(7))) {
      input.tags = std::move(*tags);
    } else {
      status = std::unexpected(tags.error());
    }
    run.inputs.push_back(std::move(input));
    return status.has_value();
  }));
  RONDO_DO(status);
  RONDO_DO(s.Query(kModels, {id}, [&](const db::Row& r) {
    if (r.Text(0) == "in") {
      run.model_inputs.push_back(r.String(1));
    } else {
      run.outputs.push_back({r.String(1), r.Int(2)});
    }
    return true;
  }));
  return run;
}

Status PutTag(db::Session& s, int64_t run, const KeyValue& tag) {
  const std::string value = Truncated(tag.value, kMaxTagValue);
  RONDO_TRY(const int64_t put, s.Exec(kPutTag, {run, tag.key, value}));
  (void)put;
  if (tag.key != kRunNameTag) return {};
  RONDO_TRY(const int64_t renamed, s.Exec(kRename, {run, value}));
  (void)renamed;
  return {};
}

Result<Run> Store::CreateRun(const std::string& experiment_id, const std::string& user, const std::string& name, int64_t start_time, const std::vector<KeyValue>& tags) {
  RONDO_TRY(const int64_t experiment, ExperimentNumber(experiment_id));
  std::string run_name = name;
  for (size_t i = 0; i < tags.size(); ++i) {
    RONDO_DO(CheckKey("key", tags[i].key));
    RONDO_DO(CheckLength("key", kMaxKey, tags[i].key));
    if (tags[i].key != kRunNameTag || tags[i].value.empty()) continue;
    if (!name.empty() && name != tags[i].value)
      return Fail(Code::kInvalid,
                  fmt::format("Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='{}', mlflow.runName='{}').", name, tags[i].value));
    run_name = tags[i].value;
  }
  if (run_name.empty()) run_name = RandomRunName();
  if (start_time < 0) return Fail(Code::kInvalid, fmt::format("Invalid value {} for parameter 'start_time' supplied: it must not be negative", start_time));
  const std::string run_id = NewId();
  return db::Store<Run>(db_, [&](db::Session& s) -> Result<Run> {
    RONDO_TRY(const Experiment e, LoadExperiment(s, experiment));
    if (e.lifecycle_stage != "active") return Fail(Code::kInvalid, fmt::format("The experiment {} must be in the 'active' state. Current state is deleted.", experiment_id));
    const std::string slash = e.artifact_location.ends_with('/') ? "" : "/";
    RONDO_TRY(const int64_t inserted, s.Exec(kInsert, {run_id, experiment, run_name, user, start_time, e.artifact_location + slash + run_id + "/artifacts"}));
    (void)inserted;
    RONDO_TRY(const RunRow row, FindRun(s, run_id));
    for (const KeyValue& tag : tags) RONDO_DO(PutTag(s, row.id, tag));
    RONDO_DO(PutTag(s, row.id, {std::string(kRunNameTag), run_name}));
    return LoadRun(s, row.id);
  });
}

Result<Run> Store::GetRun(const std::string& run_id) {
  return db::Fetch<Run>(db_, [&](db::Session& s) -> Result<Run> {
    RONDO_TRY(const RunRow row, FindRun(s, run_id));
    return LoadRun(s, row.id);
  });
}

Result<Run> Store::UpdateRun(const std::string& run_id, const std::string& status, std::optional<int64_t> end_time, const std::string& name) {
  if (!status.empty() && std::find(std::begin(kStatuses), std::end(kStatuses), status) == std::end(kStatuses))
    return Fail(Code::kInvalid, fmt::format("Invalid run status '{}'", status), "RUNNING, SCHEDULED, FINISHED, FAILED or KILLED");
  return db::Store<Run>(db_, [&](db::Session& s) -> Result<Run> {
    RONDO_TRY(const RunRow row, FindActiveRun(s, run_id));
    const auto given = [](const std::string& text) { return text.empty() ? db::Value() : db::Value(text); };
    RONDO_TRY(const int64_t updated, s.Exec(kUpdate, {row.id, given(status), end_time, given(name)}));
    (void)updated;
    if (!name.empty()) RONDO_DO(PutTag(s, row.id, {std::string(kRunNameTag), name}));
    return LoadRun(s, row.id);
  });
}

Status Store::SetRunDeleted(const std::string& run_id, bool deleted) {
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const RunRow row, FindRun(s, run_id));
    RONDO_TRY(const int64_t changed, s.Exec(kSetStage, {row.id, deleted ? "deleted" : "active", clock_.NowMs()}));
    (void)changed;
    return {};
  });
}

}  // namespace rondo::tracking
