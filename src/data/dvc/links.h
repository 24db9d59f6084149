/// How a file in the workspace shares its bytes with the cache: cache.type, in the order of the configuration, as far as the file systems can.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace rondo::data::dvc {

enum class LinkKind { kReflink, kHardlink, kSymlink, kCopy };

/// "reflink,copy" -> kinds. kInvalid names an unknown one.
Result<std::vector<LinkKind>> ParseLinkKinds(std::string_view text);
/// The first kind that works from `cache` to `workspace` (both exist), tried once with a file of its own. Nothing works: kEnvironment.
Result<LinkKind> ProbeLinkKind(const std::vector<LinkKind>& kinds, const fs::path& cache, const fs::path& workspace);

}  // namespace rondo::data::dvc
