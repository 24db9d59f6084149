/// The built-in stages that a project's sections declare. Internal to pipeline.
#pragma once

#include <vector>

#include "pipeline/graph.h"

namespace rondo::pipeline {

std::vector<StageNode> DeriveStages(const project::Project& project);
/// A described section as dotted keys: {"max_depth": 4} under "train.params" -> "train.params.max_depth".
void Flatten(const std::string& prefix, const Json& value, std::vector<std::pair<std::string, Json>>& out);

}  // namespace rondo::pipeline
