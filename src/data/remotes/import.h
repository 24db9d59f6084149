/// Data from elsewhere, tracked: `.dvc` files with a dependency on another repository or a URL (`dvc import`, `import-url`, `update`), and copies without
/// tracking (`get`, `get-url`). The workspace changes only when all has arrived.
#pragma once

#include <string>
#include <vector>

#include "data/remotes/external.h"

namespace rondo::data::remotes {

struct ImportResult {
  std::string source, out;             ///< as DVC shows them: 'f.txt (../repo)' -> 'f.txt'
  fs::path dvc_file;                   ///< relative to the root
  std::vector<std::string> git_files;  ///< changed files that belong into git
  bool changed = true;                 ///< false: an update that found nothing new
};

/// `out` empty: the source's name in the present folder; an existing folder: inside of it. kAlreadyExists unless `force`.
Result<ImportResult> Import(dvc::Repo& repo, const std::string& url, const std::string& path, const std::string& out, const ExternalOptions& options, bool force);
Result<ImportResult> ImportUrl(dvc::Repo& repo, const std::string& url, const std::string& out, const RemoteKeys& keys, size_t jobs, bool force);
/// Looks at the source of an import again. `dvc_file` as typed; `revision` for imports from repositories.
Result<ImportResult> Update(dvc::Repo& repo, const std::string& dvc_file, const std::string& revision, size_t jobs);

Result<fs::path> Get(const std::string& url, const std::string& path, const std::string& out, const ExternalOptions& options, bool force, const dvc::ProgressSink& progress);
Result<fs::path> GetUrl(const std::string& url, const std::string& out, const dvc::Config* config, const RemoteKeys& keys, size_t jobs, bool force, const dvc::ProgressSink& progress);

/// The `md5` of an import: MD5 of json.dumps(stage, sort_keys=True) without what is no identity (docs/formats/dvc.md).
std::string ImportMd5(const dvc::Yaml& deps, const dvc::Yaml& outs);

}  // namespace rondo::data::remotes
