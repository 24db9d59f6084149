// Runs to other experiments: moved or copied.
#include <fmt/format.h>

#include "base/id.h"
#include "tracking/store.h"
#include "tracking/trash.h"

namespace rondo::tracking {
namespace {

constexpr std::string_view kMove = "UPDATE run SET experiment_id = $2 WHERE id = $1";
constexpr std::string_view kMoveModels = "UPDATE logged_model SET experiment_id = $2, last_update_time = $3 WHERE source_run_id = $1 AND lifecycle_stage = 'active'";
// Datasets belong to an experiment: the same ones are made in the other, and the inputs point there.
constexpr std::string_view kSameDatasets =
    "INSERT INTO dataset (experiment_id, name, digest, source_type, source, schema_text, profile) SELECT $2, d.name, d.digest, d.source_type, d.source, d.schema_text, d.profile FROM dataset d "
    "JOIN run_input i ON i.dataset = d.id WHERE i.run = $1 ON CONFLICT (experiment_id, name, digest) DO NOTHING";
constexpr std::string_view kInputsOver =
    "INSERT INTO run_input (run, dataset, context, tags) SELECT $3, n.id, i.context, i.tags FROM run_input i JOIN dataset d ON d.id = i.dataset JOIN dataset n ON n.experiment_id = $2 AND n.name = d.name AND n.digest = d.digest "
    "WHERE i.run = $1 ON CONFLICT (run, dataset) DO NOTHING";
constexpr std::string_view kDropOldInputs = "DELETE FROM run_input WHERE run = $1 AND dataset IN (SELECT id FROM dataset WHERE experiment_id <> $2)";

constexpr std::string_view kCopyRun =
    "INSERT INTO run (run_id, experiment_id, name, user_id, status, start_time, end_time, artifact_uri, lifecycle_stage) SELECT $2, $3, name, user_id, status, start_time, end_time, $4, 'active' FROM run WHERE id = $1";
constexpr std::string_view kCopies[] = {
    "INSERT INTO metric (run, seq, key, step, time, value) SELECT $2, seq, key, step, time, value FROM metric WHERE run = $1",
    "INSERT INTO latest (run, key, step, time, value) SELECT $2, key, step, time, value FROM latest WHERE run = $1",
    "INSERT INTO param (run, key, value) SELECT $2, key, value FROM param WHERE run = $1",
    "INSERT INTO run_tag (run, key, value) SELECT $2, key, value FROM run_tag WHERE run = $1",
    "INSERT INTO run_model (run, direction, model_id, step) SELECT $2, direction, model_id, step FROM run_model WHERE run = $1 AND direction = 'in'",
};

Status Do(db::Session& s, std::string_view sql, const db::Args& args) {
  RONDO_TRY([[maybe_unused]] const int64_t changed, s.Exec(sql, args));
  return {};
}

Result<Experiment> Target(db::Session& s, int64_t id) {
  RONDO_TRY(Experiment e, LoadExperiment(s, id));
  if (e.lifecycle_stage != "active") return Fail(Code::kInvalid, fmt::format("The experiment {} must be in the 'active' state. Current state is deleted.", id));
  return e;
}

}  // namespace

Status MoveRuns(db::Database& db, const std::vector<std::string>& run_ids, const std::string& experiment_id, int64_t now) {
  RONDO_TRY(const int64_t to, ExperimentNumber(experiment_id));
  return db.Write([&](db::Session& s) -> Status {
    RONDO_TRY([[maybe_unused]] const Experiment target, Target(s, to));
    for (const std::string& run_id : run_ids) {
      RONDO_TRY(const RunRow run, FindActiveRun(s, run_id));
      if (run.experiment == to) continue;
      RONDO_DO(Do(s, kMove, {run.id, to}));
      RONDO_DO(Do(s, kMoveModels, {run_id, to, now}));
      RONDO_DO(Do(s, kSameDatasets, {run.id, to}));
      RONDO_DO(Do(s, kInputsOver, {run.id, to, run.id}));
      RONDO_DO(Do(s, kDropOldInputs, {run.id, to}));
    }
    return {};
  });
}

Result<std::string> CopyRun(db::Database& db, const std::string& run_id, const std::string& experiment_id, int64_t) {
  RONDO_TRY(const int64_t to, ExperimentNumber(experiment_id));
  const std::string copy_id = NewId();
  RONDO_DO(db.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const Experiment target, Target(s, to));
    RONDO_TRY(const RunRow run, FindActiveRun(s, run_id));
    const std::string slash = target.artifact_location.ends_with('/') ? "" : "/";
    RONDO_DO(Do(s, kCopyRun, {run.id, copy_id, to, target.artifact_location + slash + copy_id + "/artifacts"}));
    RONDO_TRY(const RunRow copy, FindRun(s, copy_id));
    for (const std::string_view sql : kCopies) RONDO_DO(Do(s, sql, {run.id, copy.id}));
    RONDO_DO(Do(s, kSameDatasets, {run.id, to}));
    RONDO_DO(Do(s, kInputsOver, {run.id, to, copy.id}));
    return PutTag(s, copy.id, {"rondo.copied_from", run_id});
  }));
  return copy_id;
}

}  // namespace rondo::tracking
