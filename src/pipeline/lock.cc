#include "pipeline/lock.h"

#include <algorithm>

#include "base/file.h"
#include "project/yaml.h"

namespace rondo::pipeline {
namespace {

Json PathsToJson(std::vector<LockedPath> paths) {
  std::sort(paths.begin(), paths.end(), [](const LockedPath& a, const LockedPath& b) { return a.path < b.path; });
  Json list = Json::MakeArray();
  for (const LockedPath& p : paths) {
    Json item = Json::MakeObject().Set("path", p.path);
    if (p.state.exists) {
      item.Set("hash", "md5").Set("md5", p.state.md5).Set("size", p.state.size);
      if (p.state.nfiles >= 0) item.Set("nfiles", p.state.nfiles);
    }
    list.Push(std::move(item));
  }
  return list;
}

Result<std::vector<LockedPath>> PathsFromJson(const Json& list, const std::string& where) {
  std::vector<LockedPath> out;
  for (const Json& item : list.AsArray()) {
    LockedPath p;
    p.path = item["path"].AsString();
    if (p.path.empty()) return Fail(Code::kInvalid, where + " has an entry without a path", "restore rondo.lock from git, or delete it: the next run makes it again");
    if (const Json* md5 = item.Find("md5")) {
      p.state.exists = true;
      p.state.md5 = md5->AsString();
      p.state.size = item["size"].AsInt();
      p.state.nfiles = item.Find("nfiles") ? item["nfiles"].AsInt() : -1;
    }
    out.push_back(std::move(p));
  }
  return out;
}

}  // namespace

Json StageToJson(const LockedStage& stage) {
  Json json = Json::MakeObject().Set("cmd", stage.cmd);
  if (!stage.deps.empty()) json.Set("deps", PathsToJson(stage.deps));
  if (!stage.params.empty() || !stage.externals.empty()) {
    Json files = Json::MakeObject();
    Json values = Json::MakeObject();
    // As DVC does: values by their dotted key. Structured values are kept as JSON text, so that any value survives YAML.
    std::map<std::string, Json> others;
    auto params = stage.params;
    std::sort(params.begin(), params.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [key, value] : params) {
      const size_t colon = key.find(':');
      if (colon == std::string::npos) {
        values.Set(key, value.IsArray() || value.IsObject() ? Json(value.Dump()) : value);
        continue;
      }
      // Another program's file: as that program (DVC) writes it.
      Json& file = others.try_emplace(key.substr(0, colon), Json::MakeObject()).first->second;
      file.Set(key.substr(colon + 1), value);
    }
    if (values.size()) files.Set("rondo.yaml", values);
    for (auto& [file, entries] : others) files.Set(file, std::move(entries));
    if (!stage.externals.empty()) {
      Json state = Json::MakeObject();
      for (const auto& [key, value] : stage.externals) state.Set(key, value);
      files.Set(std::string(kStateFile), state);
    }
    json.Set("params", files);
  }
  if (!stage.outs.empty()) json.Set("outs", PathsToJson(stage.outs));
  return json;
}

Result<LockedStage> StageFromJson(const Json& json, const std::string& where) {
  LockedStage stage;
  if (!json.IsObject()) return Fail(Code::kInvalid, where + " is no stage", "restore rondo.lock from git, or delete it: the next run makes it again");
  stage.cmd = json["cmd"].AsString();
  for (const Json& line : json["cmd"].AsArray()) stage.cmd += (stage.cmd.empty() ? "" : "\n") + line.AsString();
  RONDO_TRY(stage.deps, PathsFromJson(json["deps"], where));
  RONDO_TRY(stage.outs, PathsFromJson(json["outs"], where));
  for (const auto& [file, values] : json["params"].AsObject())
    for (const auto& [key, value] : values.AsObject()) {
      if (file == kStateFile) stage.externals[key] = value.AsString();
      else stage.params.emplace_back(file == "rondo.yaml" ? key : file + ":" + key, value);
    }
  return stage;
}

std::string LockHead(bool empty) { return empty ? "schema: '2.0'\nstages: {}\n" : "schema: '2.0'\nstages:\n"; }

std::string StageText(const std::string& name, const LockedStage& stage) { return project::JsonToYaml(Json::MakeObject().Set("stages", Json::MakeObject().Set(name, StageToJson(stage)))).substr(8); }

std::string LockText(const Lock& lock) {
  std::string text = LockHead(lock.empty());
  for (const auto& [name, stage] : lock) text += StageText(name, stage);
  return text;
}

Result<Lock> ParseLock(const std::string& text, const std::string& name) {
  if (auto fast = ParseLockFast(text)) return std::move(*fast);
  project::YamlLimits limits;
  limits.max_bytes = size_t{256} << 20;
  limits.max_nodes = 20'000'000;
  RONDO_TRY(const project::YamlNode node, project::ParseYaml(text, name, limits));
  const Json json = project::YamlToJson(node);
  if (json["schema"].AsString() != "2.0") return Fail(Code::kInvalid, name + " is no lock file of schema 2.0", "restore it from git, or delete it: the next run makes it again");
  Lock lock;
  for (const auto& [stage, value] : json["stages"].AsObject()) {
    RONDO_TRY(lock[stage], StageFromJson(value, name + ": stage " + stage));
  }
  return lock;
}

Result<Lock> ReadLock(const fs::path& file) {
  auto text = ReadFile(file, size_t{256} << 20);
  if (!text) {
    if (text.error().code == Code::kNotFound) return Lock{};
    return std::unexpected(text.error());
  }
  return ParseLock(*text, file.filename().string());
}

Status WriteLock(const fs::path& file, const Lock& lock) {
  const std::string text = LockText(lock);
  if (auto old = ReadFile(file, size_t{256} << 20); old && *old == text) return {};
  return WriteFileAtomic(file, text);
}

}  // namespace rondo::pipeline
