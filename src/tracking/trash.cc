// Listing and purging what was deleted.
#include "tracking/trash.h"

#include <fmt/format.h>

#include "tracking/store.h"

namespace rondo::tracking {
namespace {

constexpr std::string_view kList =
    "SELECT 'experiment', CAST(e.id AS text), e.name, e.id, e.name, e.last_update_time, (SELECT count(*) FROM run r WHERE r.experiment_id = e.id) FROM experiment e WHERE e.lifecycle_stage = 'deleted' "
    "UNION ALL SELECT 'run', r.run_id, r.name, e.id, e.name, coalesce(r.deleted_time, 0), 0 FROM run r JOIN experiment e ON e.id = r.experiment_id WHERE r.lifecycle_stage = 'deleted' AND e.lifecycle_stage = 'active' "
    "UNION ALL SELECT 'logged_model', m.model_id, m.name, e.id, e.name, m.last_update_time, 0 FROM logged_model m JOIN experiment e ON e.id = m.experiment_id WHERE m.lifecycle_stage = 'deleted' AND e.lifecycle_stage = 'active' "
    "ORDER BY 6 DESC, 2 LIMIT $1";

// What is marked. Experiment 0 is never purged: runs without an experiment go there.
constexpr std::string_view kMarkOldExperiments = "UPDATE experiment SET lifecycle_stage = 'purging' WHERE id <> 0 AND lifecycle_stage = 'deleted' AND last_update_time <= $1";
constexpr std::string_view kMarkOldRuns =
    "UPDATE run SET lifecycle_stage = 'purging' WHERE lifecycle_stage = 'deleted' AND deleted_time IS NOT NULL AND deleted_time <= $1 AND experiment_id IN (SELECT id FROM experiment WHERE lifecycle_stage = 'active')";
constexpr std::string_view kMarkOldModels =
    "UPDATE logged_model SET lifecycle_stage = 'purging' WHERE lifecycle_stage = 'deleted' AND last_update_time <= $1 AND experiment_id IN (SELECT id FROM experiment WHERE lifecycle_stage = 'active')";
constexpr std::string_view kMarkExperiment = "UPDATE experiment SET lifecycle_stage = 'purging' WHERE id = $1 AND lifecycle_stage = 'deleted'";
constexpr std::string_view kMarkRun = "UPDATE run SET lifecycle_stage = 'purging' WHERE run_id = $1 AND lifecycle_stage = 'deleted'";
constexpr std::string_view kMarkModel = "UPDATE logged_model SET lifecycle_stage = 'purging' WHERE model_id = $1 AND lifecycle_stage = 'deleted'";
constexpr std::string_view kSpread[] = {
    "UPDATE run SET lifecycle_stage = 'purging' WHERE lifecycle_stage <> 'purging' AND experiment_id IN (SELECT id FROM experiment WHERE lifecycle_stage = 'purging')",
    "UPDATE logged_model SET lifecycle_stage = 'purging' WHERE lifecycle_stage <> 'purging' AND experiment_id IN (SELECT id FROM experiment WHERE lifecycle_stage = 'purging')",
};
// The name is free at once.
constexpr std::string_view kFreeNames = "UPDATE experiment SET name = '(purging ' || CAST(id AS text) || ') ' || name WHERE lifecycle_stage = 'purging' AND name NOT LIKE '(purging %'";
constexpr std::string_view kNoteRuns = "INSERT INTO artifact_garbage (uri, time) SELECT artifact_uri, $1 FROM run WHERE lifecycle_stage = 'purging' AND artifact_uri <> '' ON CONFLICT (uri) DO NOTHING";
constexpr std::string_view kNoteModels = "INSERT INTO artifact_garbage (uri, time) SELECT artifact_uri, $1 FROM logged_model WHERE lifecycle_stage = 'purging' AND artifact_uri <> '' ON CONFLICT (uri) DO NOTHING";

// What goes. Large tables in pieces; the rest with its owner.
constexpr std::string_view kSomeRuns = "SELECT id FROM run WHERE lifecycle_stage = 'purging' LIMIT 200";
constexpr int64_t kPiece = 20'000;
constexpr std::string_view kMetricPiece = "DELETE FROM metric WHERE run = $1 AND seq IN (SELECT seq FROM metric WHERE run = $1 ORDER BY seq LIMIT $2)";
constexpr std::string_view kRunTables[] = {
    "DELETE FROM metric_digest WHERE run = $1", "DELETE FROM metric_digested WHERE run = $1", "DELETE FROM latest WHERE run = $1", "DELETE FROM param WHERE run = $1",
    "DELETE FROM run_tag WHERE run = $1",       "DELETE FROM run_input WHERE run = $1",       "DELETE FROM run_model WHERE run = $1", "DELETE FROM run WHERE id = $1",
};
constexpr std::string_view kModelTables[] = {
    "DELETE FROM logged_model_param WHERE model_id IN (SELECT model_id FROM logged_model WHERE lifecycle_stage = 'purging')",
    "DELETE FROM logged_model_tag WHERE model_id IN (SELECT model_id FROM logged_model WHERE lifecycle_stage = 'purging')",
    "DELETE FROM logged_model_metric WHERE model_id IN (SELECT model_id FROM logged_model WHERE lifecycle_stage = 'purging')",
    "DELETE FROM run_model WHERE model_id IN (SELECT model_id FROM logged_model WHERE lifecycle_stage = 'purging')",
};
constexpr std::string_view kModels = "DELETE FROM logged_model WHERE lifecycle_stage = 'purging'";
constexpr std::string_view kKeepHighest =
    "INSERT INTO experiment_ids (one, highest) SELECT 1, max(id) FROM experiment WHERE true ON CONFLICT (one) DO UPDATE SET highest = CASE WHEN excluded.highest > experiment_ids.highest THEN excluded.highest ELSE experiment_ids.highest END";
constexpr std::string_view kExperimentTables[] = {
    "DELETE FROM dataset WHERE experiment_id IN (SELECT id FROM experiment WHERE lifecycle_stage = 'purging') AND NOT EXISTS (SELECT 1 FROM run_input i WHERE i.dataset = dataset.id)",
    "DELETE FROM experiment_tag WHERE experiment_id IN (SELECT id FROM experiment WHERE lifecycle_stage = 'purging')",
};
constexpr std::string_view kExperiments = "DELETE FROM experiment WHERE lifecycle_stage = 'purging'";

constexpr std::string_view kGarbage = "SELECT uri FROM artifact_garbage ORDER BY time, uri LIMIT $1";
constexpr std::string_view kForget = "DELETE FROM artifact_garbage WHERE uri = $1";

Status Do(db::Session& s, std::string_view sql, const db::Args& args = {}) {
  RONDO_TRY([[maybe_unused]] const int64_t changed, s.Exec(sql, args));
  return {};
}

Result<PurgeReport> Finish(db::Database& db) {
  PurgeReport report;
  while (true) {
    std::vector<int64_t> runs;
    RONDO_DO(db.Read([&](db::Session& s) {
      return s.Query(kSomeRuns, {}, [&](const db::Row& r) {
        runs.push_back(r.Int(0));
        return true;
      });
    }));
    if (runs.empty()) break;
    for (const int64_t run : runs) {
      int64_t gone = kPiece;
      while (gone == kPiece) {
        RONDO_TRY(gone, db::Store<int64_t>(db, [&](db::Session& s) { return s.Exec(kMetricPiece, {run, kPiece}); }));
      }
      RONDO_DO(db.Write([&](db::Session& s) -> Status {
        for (const std::string_view sql : kRunTables) RONDO_DO(Do(s, sql, {run}));
        return {};
      }));
      ++report.runs;
    }
  }
  RONDO_DO(db.Write([&](db::Session& s) -> Status {
    for (const std::string_view sql : kModelTables) RONDO_DO(Do(s, sql));
    RONDO_TRY(report.logged_models, s.Exec(kModels));
    RONDO_DO(Do(s, kKeepHighest));
    for (const std::string_view sql : kExperimentTables) RONDO_DO(Do(s, sql));
    RONDO_TRY(report.experiments, s.Exec(kExperiments));
    return {};
  }));
  return report;
}

Status Note(db::Session& s, int64_t now) {
  for (const std::string_view sql : kSpread) RONDO_DO(Do(s, sql));
  RONDO_DO(Do(s, kFreeNames));
  RONDO_DO(Do(s, kNoteRuns, {now}));
  return Do(s, kNoteModels, {now});
}

}  // namespace

Result<std::vector<TrashItem>> ListTrash(db::Database& db, int64_t limit) {
  std::vector<TrashItem> out;
  RONDO_DO(db.Read([&](db::Session& s) {
    return s.Query(kList, {limit}, [&](const db::Row& r) {
      out.push_back({r.String(0), r.String(1), r.String(2), std::to_string(r.Int(3)), r.String(4), r.Int(5), r.Int(6)});
      return true;
    });
  }));
  return out;
}

Result<PurgeReport> PurgeOld(db::Database& db, int64_t before, int64_t now) {
  RONDO_DO(db.Write([&](db::Session& s) -> Status {
    for (const std::string_view sql : {kMarkOldExperiments, kMarkOldRuns, kMarkOldModels}) RONDO_DO(Do(s, sql, {before}));
    return Note(s, now);
  }));
  return Finish(db);
}

Result<PurgeReport> PurgeOne(db::Database& db, const std::string& kind, const std::string& id, int64_t now) {
  const std::string_view sql = kind == "experiment" ? kMarkExperiment : kind == "run" ? kMarkRun : kind == "logged_model" ? kMarkModel : std::string_view();
  if (sql.empty()) return Fail(Code::kInvalid, fmt::format("there is no trash for \"{}\"", kind.substr(0, 40)), "experiment, run or logged_model");
  db::Value key = id;
  if (kind == "experiment") {
    RONDO_TRY(const int64_t number, ExperimentNumber(id));
    if (number == 0) return Fail(Code::kInvalid, "experiment 0 can't be purged: runs without an experiment go there");
    key = number;
  }
  RONDO_DO(db.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t marked, s.Exec(sql, {key}));
    if (marked == 0) return Fail(Code::kConflict, fmt::format("{} {} is not in the trash", kind, id.substr(0, 100)), "delete it first");
    return Note(s, now);
  }));
  return Finish(db);
}

Result<std::vector<std::string>> ArtifactGarbage(db::Database& db, int64_t limit) {
  std::vector<std::string> out;
  RONDO_DO(db.Read([&](db::Session& s) {
    return s.Query(kGarbage, {limit}, [&](const db::Row& r) {
      out.push_back(r.String(0));
      return true;
    });
  }));
  return out;
}

Status ForgetGarbage(db::Database& db, const std::string& uri) {
  return db.Write([&](db::Session& s) { return Do(s, kForget, {uri}); });
}

}  // namespace rondo::tracking
