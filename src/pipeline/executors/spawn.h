/// Starts a child for the local executor. Internal.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace rondo::pipeline {

struct SpawnPlan {
  std::vector<std::string> argv;  ///< argv[0] is looked up in the child's PATH
  std::vector<std::pair<std::string, std::string>> env;
  std::filesystem::path cwd, log;
  int64_t memory_bytes = 0;       ///< RLIMIT_DATA; 0: as ours
};

/// A child in its own process group, its output appended to `log`, killed when the calling thread ends. Costs what posix_spawn costs: the parent's memory is
/// not copied (vfork), see docs/decisions/0100.
Result<pid_t> SpawnChild(const SpawnPlan& plan);

}  // namespace rondo::pipeline
