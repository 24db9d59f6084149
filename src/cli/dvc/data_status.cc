#include <fmt/format.h>

#include "cli/dvc/verbs.h"

namespace rondo::cli::dvc {
namespace {

void SetList(Json& to, const char* key, const std::vector<std::string>& paths) {
  if (!paths.empty()) to.Set(key, Json(paths));
}
Json ToJson(const data::dvc::Changes& c) {
  Json j = Json::MakeObject();
  SetList(j, "modified", c.modified);
  SetList(j, "added", c.added);
  SetList(j, "deleted", c.deleted);
  SetList(j, "unknown", c.unknown);
  if (!c.renamed.empty()) {
    Json list = Json::MakeArray();
    for (const auto& [from, to] : c.renamed) list.Push(Json::MakeObject().Set("old", from).Set("new", to));
    j.Set("renamed", list);
  }
  return j;
}

struct Section {
  const char *key, *label, *hints;
};
constexpr Section kSections[] = {
    {"not_in_cache", "Not in cache", "  (use \"dvc fetch <file>...\" to download files)\n"},
    {"committed", "DVC committed changes", "  (git commit the corresponding dvc files to update the repo)\n"},
    {"uncommitted", "DVC uncommitted changes", "  (use \"dvc commit <file>...\" to track changes)\n  (use \"dvc checkout <file>...\" to discard changes)\n"},
    {"untracked", "Untracked files", "  (use \"git add <file> ...\" or \"dvc add <file>...\" to commit to git or to dvc)\n"},
    {"unchanged", "DVC unchanged files", ""},
};

}  // namespace

Result<int> DataStatus(Call& call) {
  if (call.Has("--not-in-remote") || call.Has("--remote")) return Fail(Code::kUnsupported, "`dvc data status --not-in-remote` isn't covered by this command line");
  RONDO_TRY(const auto repo, call.OpenRepo());
  data::dvc::Repo::DataStatusOptions options;
  options.granular = call.Has("--granular");
  options.unchanged = call.Has("--unchanged");
  options.untracked = call.Has("--untracked-files") && call.Value("--untracked-files", "all") != "no";
  options.targets = call.args;
  RONDO_TRY(const auto status, repo->GetDataStatus(options));
  Json j = Json::MakeObject();
  SetList(j, "not_in_cache", status.not_in_cache);
  if (!status.committed.empty()) j.Set("committed", ToJson(status.committed));
  if (!status.uncommitted.empty()) j.Set("uncommitted", ToJson(status.uncommitted));
  if (options.untracked) SetList(j, "untracked", status.untracked);
  if (options.unchanged) SetList(j, "unchanged", status.unchanged);
  if (call.Has("--json")) {
    std::printf("%s\n", PythonJson(j).c_str());
    return kOk;
  }
  if (j.size() == 0) call.Write(std::string("No changes") + (status.git_empty ? " in an empty git repo" : "") + ".");
  bool first = true;
  for (const Section& s : kSections) {
    const Json* value = j.Find(s.key);
    if (!value) continue;
    if (!first) call.Write("");
    first = false;
    call.Write(std::string(s.label) + ":");
    std::string hints = s.hints;
    if (!hints.empty()) call.Write(hints.substr(0, hints.size() - 1));
    auto item = [&](const Json& i) { return i.IsString() ? i.AsString() : i["old"].AsString() + " -> " + i["new"].AsString(); };
    if (value->IsArray()) {
      for (const Json& i : value->AsArray()) call.Write("        " + item(i));
    } else {
      for (const auto& [state, paths] : value->AsObject())
        for (const Json& i : paths.AsArray()) call.Write("        " + state + ": " + item(i));
    }
  }
  if (status.git_dirty) call.Write(fmt::format("(there are {}changes not tracked by dvc, use \"git status\" to see)", j.size() > 0 ? "other " : ""));
  return kOk;
}

}  // namespace rondo::cli::dvc
