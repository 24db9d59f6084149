/// DVC's run cache: `<cache>/runs/<k[:2]>/<k>/<v>`, one file per outcome of a stage. Written and read for stages that DVC could have run. Internal to pipeline.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/graph.h"
#include "pipeline/lock.h"

namespace rondo::pipeline {

/// The key of a stage: SHA-256 of Python's json.dumps(entry, sort_keys=True) without sizes, outs as paths only. Empty when DVC has no words for the stage.
std::string DvcRunKey(const StageNode& node, const LockedStage& stage);
Status RememberForDvc(const std::filesystem::path& cache, const StageNode& node, const LockedStage& stage);
/// The newest outcome of the stage as it is now.
std::optional<LockedStage> FindForDvc(const std::filesystem::path& cache, const StageNode& node, const LockedStage& now);
/// json.dumps(value, sort_keys=True): separators ", " and ": ", ASCII only, floats as Python's repr.
std::string PythonJson(const Json& value);

}  // namespace rondo::pipeline
