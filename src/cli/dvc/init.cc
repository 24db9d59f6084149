#include "cli/dvc/verbs.h"

namespace rondo::cli::dvc {

Result<int> Init(Call& call) {
  data::dvc::InitOptions options;
  options.no_scm = call.Has("--no-scm");
  options.force = call.Has("--force");
  options.subdir = call.Has("--subdir");
  const auto repo = data::dvc::Repo::Init(call.args.empty() ? "." : call.args[0], options);
  if (!repo) {
    if (options.no_scm && options.subdir) return std::unexpected(repo.error());
    PrintError("failed to initiate DVC - " + repo.error().message);
    return kFailed;
  }
  call.Write("Initialized DVC repository.\n");
  if (!options.no_scm) call.Write("You can now commit the changes to git.\n");
  call.Write("What's next?\n------------\n- Check out the documentation: <https://dvc.org/doc>\n- Get help and share ideas: <https://dvc.org/chat>\n- Star us on GitHub: <https://github.com/treeverse/dvc>");
  return kOk;
}

Result<int> Root(Call& call) {
  RONDO_TRY(const auto repo, call.OpenRepo());
  call.Write(repo->Shown(""));
  return kOk;
}

}  // namespace rondo::cli::dvc
