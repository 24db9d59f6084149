#include "workspace/garbage.h"

#include "tracking/trash.h"

namespace rondo::workspace {
namespace {

constexpr std::string_view kNeeded = "SELECT count(*) FROM model_version WHERE stage <> 'Deleted_Internal' AND (run_id = $1 OR source LIKE '%' || $1 || '%')";

/// "mlflow-artifacts:/0/RUN/artifacts" -> RUN; the same for "…/models/MODEL/artifacts".
std::string OwnerOf(std::string uri) {
  while (uri.ends_with('/')) uri.pop_back();
  if (uri.ends_with("/artifacts")) uri.resize(uri.size() - 10);
  return uri.substr(uri.rfind('/') + 1);
}

Result<int64_t> CopyFolder(blob::BlobStore& store, const std::string& from, const std::string& to) {
  int64_t copied = 0;
  RONDO_TRY(const auto entries, store.List(from));
  for (const blob::Entry& e : entries) {
    const std::string target = to + e.name.substr(from.size());
    if (e.is_dir) {
      RONDO_TRY(const int64_t below, CopyFolder(store, e.name, target));
      copied += below;
      continue;
    }
    RONDO_TRY(const auto path, store.LocalPath(e.name));
    RONDO_DO(store.PutFile(target, path));
    ++copied;
  }
  return copied;
}

}  // namespace

Result<Collected> CollectGarbage(Workspace& workspace) {
  constexpr int64_t kMost = 100'000;
  Collected out;
  RONDO_TRY(const auto uris, tracking::ArtifactGarbage(workspace.db(), kMost));
  for (const std::string& uri : uris) {
    const std::string owner = OwnerOf(uri);
    RONDO_TRY(const auto needed, db::Fetch<std::optional<int64_t>>(workspace.db(), [&](db::Session& s) { return s.QueryInt(kNeeded, {owner}); }));
    if (owner.size() < 32 || needed.value_or(0) > 0) {
      ++out.kept;
      continue;
    }
    const auto name = Workspace::ArtifactName(uri);
    if (!name) {
      ++out.elsewhere;
    } else {
      if (auto gone = workspace.artifacts().Delete(*name); !gone && gone.error().code != Code::kNotFound) return std::unexpected(gone.error());
      // The folder of the run or model itself, when nothing else is in it.
      const std::string parent = name->substr(0, name->rfind('/') == std::string::npos ? 0 : name->rfind('/'));
      if (!parent.empty() && parent.ends_with(owner)) {
        RONDO_TRY(const auto rest, workspace.artifacts().List(parent));
        if (rest.empty()) (void)workspace.artifacts().Delete(parent);
      }
      ++out.folders;
    }
    RONDO_DO(tracking::ForgetGarbage(workspace.db(), uri));
  }
  return out;
}

Result<int64_t> CopyArtifacts(Workspace& workspace, const std::string& from_uri, const std::string& to_uri) {
  RONDO_TRY(const std::string from, Workspace::ArtifactName(from_uri));
  RONDO_TRY(const std::string to, Workspace::ArtifactName(to_uri));
  return CopyFolder(workspace.artifacts(), from, to);
}

}  // namespace rondo::workspace
