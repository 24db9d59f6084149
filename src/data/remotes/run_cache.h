/// The run cache (`<cache>/runs/<2>/<key>/<value>`, lock entries in YAML) between cache and remote. Internal to this module.
#pragma once

#include "data/remotes/wanted.h"

namespace rondo::data::remotes {

struct RunCacheResult {
  uint64_t files = 0;              ///< entries moved
  std::vector<ObjectId> objects;   ///< that entries of both sides name
};
Result<RunCacheResult> PushRuns(const Cache& cache, Remote& remote);
Result<RunCacheResult> FetchRuns(const Cache& cache, Remote& remote);

}  // namespace rondo::data::remotes
