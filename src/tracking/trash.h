/// The trash: deleted experiments, runs and logged models, until they are purged for good. Also what moves and copies runs between experiments.
///
/// Purging takes three steps, so that it may be cut off anywhere: the things are marked `purging` (they are gone for everybody) and their artifact folders
/// noted; rows go in pieces of some thousands, so that other writers are not held up; files go last. What was begun is finished by the next purge.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/db.h"

namespace rondo::tracking {

struct TrashItem {
  std::string kind;  ///< experiment | run | logged_model
  std::string id, name;
  std::string experiment_id, experiment_name;
  int64_t deleted = 0;  ///< ms; 0: before times were kept
  int64_t runs = 0;     ///< of an experiment
};
/// Newest first. Runs and models of a deleted experiment are not listed apart: they come and go with it.
Result<std::vector<TrashItem>> ListTrash(db::Database& db, int64_t limit);

struct PurgeReport {
  int64_t experiments = 0, runs = 0, logged_models = 0;
};
/// What has been in the trash since `before` (ms) or longer.
Result<PurgeReport> PurgeOld(db::Database& db, int64_t before, int64_t now);
/// One thing that is in the trash; kConflict when it isn't, kInvalid for experiment 0.
Result<PurgeReport> PurgeOne(db::Database& db, const std::string& kind, const std::string& id, int64_t now);

/// Artifact folders of purged things, for whoever can delete them (workspace/garbage.h).
Result<std::vector<std::string>> ArtifactGarbage(db::Database& db, int64_t limit);
Status ForgetGarbage(db::Database& db, const std::string& uri);

/// Moves active runs with their datasets and logged models; artifacts stay where they are. All or none.
Status MoveRuns(db::Database& db, const std::vector<std::string>& run_ids, const std::string& experiment_id, int64_t now);
/// A run with the same params, tags, metrics, inputs and times; its id. Artifacts are the caller's to copy. Tag rondo.copied_from names the origin.
Result<std::string> CopyRun(db::Database& db, const std::string& run_id, const std::string& experiment_id, int64_t now);

}  // namespace rondo::tracking
