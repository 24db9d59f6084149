/// Which outputs and stage files a repository has: `.dvc` files, and dvc.lock as far as dvc.yaml declares its stages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/dvc/repo.h"

namespace rondo::data::dvc {

/// May a file of this path be a stage file (`x.dvc`, dvc.yaml, dvc.lock)?
bool IsStageFile(std::string_view path);

/// Outputs of one `.dvc` file at `file` (relative to the root). Paths that leave the repository are kForbidden.
Result<std::vector<Tracked>> OutputsOfDvcFile(const std::string& file, std::string_view text);
/// Outputs of a dvc.yaml with its dvc.lock: those of the lock whose stage is still declared. Without a lock entry nothing is known of a stage.
Result<std::vector<Tracked>> OutputsOfPipeline(const std::string& yaml_file, std::string_view yaml_text, std::string_view lock_text);

struct StageText {
  std::string path, text;  ///< relative to the root
};
/// `files`: all stage files of one state of the repository.
Result<std::vector<Tracked>> OutputsOf(const std::vector<StageText>& files);
/// The stage files of the workspace. Folders that are outputs, that `.dvcignore` or git ignores, and other repositories aren't entered.
Result<std::vector<StageText>> StageFiles(const Repo& repo);

}  // namespace rondo::data::dvc
