#include <fmt/format.h>

#include "cli/dvc/verbs.h"

namespace rondo::cli::dvc {

Result<int> Remove(Call& call) {
  RONDO_TRY(const auto repo, call.OpenRepo());
  for (const std::string& target : call.args) {
    if (const auto removed = repo->Remove(target, call.Has("--outs")); !removed) {
      PrintError(removed.error().message);
      return kFailed;
    }
  }
  return kOk;
}

Result<int> Move(Call& call) {
  RONDO_TRY(const auto repo, call.OpenRepo());
  const auto files = repo->Move(call.args[0], call.args[1]);
  if (!files) {
    PrintError(fmt::format("failed to move '{}' -> '{}' - {}", call.args[0], call.args[1], files.error().message));
    return kFailed;
  }
  PrintGitHint(call, *repo, *files);
  return kOk;
}

}  // namespace rondo::cli::dvc
