#include <fmt/format.h>

#include "cli/dvc/remote_verbs.h"
#include "cli/dvc/verbs.h"

namespace rondo::cli::dvc {
namespace {

Json ToJson(const data::dvc::StageStatus& s) {
  Json list = Json::MakeArray();
  auto changed = [&](const char* what, const std::vector<std::pair<std::string, std::string>>& paths) {
    if (paths.empty()) return;
    Json object = Json::MakeObject();
    for (const auto& [path, state] : paths) object.Set(path, state);
    list.Push(Json::MakeObject().Set(what, object));
  };
  changed("changed deps", s.deps);
  changed("changed outs", s.outs);
  if (s.always_changed) list.Push("always changed");
  if (s.changed_checksum) list.Push("changed checksum");
  if (s.changed_command) list.Push("changed command");
  return list;
}

/// DVC's indented text of the same structure.
void Show(const Call& call, const Json& j, int indent) {
  const std::string tabs(static_cast<size_t>(indent), '\t');
  if (j.IsString()) {
    call.Write(tabs + j.AsString());
  } else if (j.IsArray()) {
    for (const Json& item : j.AsArray()) Show(call, item, indent);
  } else {
    for (const auto& [key, value] : j.AsObject()) {
      if (value.IsString()) {
        call.Write(tabs + fmt::format("{:<20}", value.AsString() + ":") + key);
      } else if (value.size() > 0) {
        call.Write(tabs + key + ":");
        Show(call, value, indent + 1);
      }
    }
  }
}

}  // namespace

Result<int> StatusVerb(Call& call) {
  if (call.Has("--cloud") || call.Has("--remote") || call.Has("--all-branches") || call.Has("--all-tags") || call.Has("--all-commits"))
    return CloudStatusVerb(call);
  RONDO_TRY(const auto repo, call.OpenRepo());
  const auto status = repo->GetStatus(call.args, call.Has("--recursive"));
  if (!status) {
    PrintError(status.error().message);
    return kFailed;
  }
  Json all = Json::MakeObject();
  for (const auto& stage : *status)
    if (!stage.Clean()) all.Set(stage.name, ToJson(stage));
  if (call.Has("--json")) {
    std::printf("%s\n", PythonJson(all).c_str());
    return kOk;
  }
  if (call.quiet) return all.size() > 0 ? kFailed : kOk;
  if (all.size() > 0) Show(call, all, 0);
  else if (status->empty()) call.Write("There are no data or pipelines tracked in this project yet.\nSee <https://dvc.org/doc/start> to get started!");
  else call.Write("Data and pipelines are up to date.");
  return kOk;
}

}  // namespace rondo::cli::dvc
