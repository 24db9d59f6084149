// States outside the project's folder that a stage may depend on: the champion, and whether the registered version is still known.
#include <fmt/format.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "pipeline/externals.h"

namespace rondo::pipeline {

Result<std::string> WorkspaceExternals::Value(const std::string& name) {
  RONDO_TRY(workspace::Workspace* const w, open_());
  if (name == "champion") {
    auto version = w->registry().VersionByAlias(model_, "champion");
    if (!version) return version.error().code == Code::kNotFound ? Result<std::string>("") : std::unexpected(version.error());
    return fmt::format("{}/{} {}", version->name, version->version, version->digest);
  }
  if (name == "registered") {
    auto text = ReadFile(root_ / "out/register.json", 1 << 20);
    if (!text) return std::string("no");
    auto json = ParseJson(*text);
    if (!json) return std::string("no");
    auto version = w->registry().GetVersion((*json)["name"].AsString(), (*json)["version"].AsInt());
    return std::string(version && version->digest == (*json)["digest"].AsString() ? "yes" : "no");
  }
  return Fail(Code::kInternal, "unknown external state " + name);
}

Result<bool> WorkspaceExternals::Accepts(const std::string& name, const std::string&, const std::string& now) {
  if (name != "champion") return false;
  // A champion that is this very model says nothing new about it.
  auto digest = HashFile(root_ / "out/model/model.onnx", HashKind::kSha256);
  return digest && now.ends_with(" " + digest->hex);
}

void WorkspaceExternals::ReadDone() {
  if (read_) return;
  read_ = true;
  auto text = ReadFile(done_file_, 1 << 20);
  if (!text) return;
  auto json = ParseJson(*text);
  if (!json) return;  // damaged: the stages run once more
  for (const auto& [stage, md5] : json->AsObject()) done_[stage] = md5.AsString();
}

bool WorkspaceExternals::Seen(const std::string& stage, const LockedStage& entry) {
  std::lock_guard lock(mutex_);
  ReadDone();
  const auto it = done_.find(stage);
  return it != done_.end() && it->second == Md5Hex(StageToJson(entry).Dump());
}

Status WorkspaceExternals::MarkSeen(const std::string& stage, const LockedStage& entry) {
  std::lock_guard lock(mutex_);
  ReadDone();
  done_[stage] = Md5Hex(StageToJson(entry).Dump());
  Json json = Json::MakeObject();
  for (const auto& [name, md5] : done_) json.Set(name, md5);
  return WriteFileAtomic(done_file_, json.Pretty());
}

}  // namespace rondo::pipeline
