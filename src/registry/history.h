/// What an alias or stage pointed to at a moment of the past.
#pragma once

#include <map>

#include "registry/registry.h"

namespace rondo::registry {

/// Alias -> version at `time` (ms), from the history of a model (any order). Aliases that were not set then are absent.
std::map<std::string, int64_t> AliasesAt(const std::vector<AliasChange>& history, int64_t time);

}  // namespace rondo::registry
