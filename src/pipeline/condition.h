/// Conditions of `when:`: `train.enabled`, `not params.yaml:fast`, `out/metrics.json:test.auc.value >= 0.8`, `exists data/extra.csv`. Internal to pipeline.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace rondo::pipeline {

/// Files that a condition reads (relative to the project).
std::vector<std::string> ConditionFiles(const std::string& condition);
/// kInvalid when it can't be read; a file or key that isn't there makes it false. `config`: the resolved project.
Result<bool> Holds(const std::string& condition, const Json& config, const std::filesystem::path& root);
/// A dotted key of a document; nullptr when there is none. Parts that are numbers index lists.
const Json* At(const Json& document, std::string_view key);

}  // namespace rondo::pipeline
