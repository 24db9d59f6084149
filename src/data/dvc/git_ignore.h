/// `.gitignore` lines for outputs: one line `/name` in the output's own folder, as DVC writes them.
#pragma once

#include <string>
#include <string_view>

#include "data/dvc/repo.h"

namespace rondo::data::dvc {

/// The changed `.gitignore` (relative to the root), or "" when git ignores the path already (or there is no git).
Result<std::string> AddToGitIgnore(const Repo& repo, const std::string& path);
/// The changed `.gitignore`, or "" when it has no such line. One that becomes empty is removed.
Result<std::string> RemoveFromGitIgnore(const Repo& repo, const std::string& path);

}  // namespace rondo::data::dvc
