/// Stages of model versions in the past, from the audit log: who moved which version where, and when.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/db.h"

namespace rondo::govern {

struct StageChange {
  int64_t version = 0;
  std::string from, to;          ///< None, Staging, Production, Archived
  bool archived_others = false;  ///< versions that were in `to` went to Archived
  int64_t time = 0;
  std::string actor;
};
/// Oldest first.
Result<std::vector<StageChange>> StageHistory(db::Database& db, const std::string& model);
/// Stage -> versions in it at `time` (ms), without None.
std::map<std::string, std::vector<int64_t>> StagesAt(const std::vector<StageChange>& history, int64_t time);

}  // namespace rondo::govern
