#include "pipeline/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/file.h"
#include "base/hash.h"
#include "data/dataset.h"
#include "project/yaml.h"

namespace rondo::pipeline {
namespace {

constexpr int64_t kMaxUncached = 1 << 20;

std::string Show(const PathState& s) { return s.exists ? s.md5.substr(0, 12) : "missing"; }
std::string Show(const Json& j) { return j.IsString() ? j.AsString() : j.Dump(); }

/// Values of `params.yaml:lr`, `other.json:` (all top-level keys) as they are now; a missing file or key counts as not set.
Status AddFileParams(const StageNode& node, const fs::path& root, std::vector<std::pair<std::string, Json>>& out) {
  for (const std::string& reference : node.param_files) {
    const size_t colon = reference.find(':');
    const std::string file = reference.substr(0, colon), key = reference.substr(colon + 1);
    auto text = ReadFile(root / node.wdir / file, 16u << 20);
    if (!text) {
      if (text.error().code == Code::kNotFound && file == "params.yaml") return Fail(Code::kInvalid, fmt::format("stage {}: there is no param \"{}\" in rondo.yaml, and no params.yaml", node.name, key), "check `params:` of the stage");
      if (text.error().code == Code::kNotFound) return Fail(Code::kInvalid, fmt::format("stage {} tracks params of \"{}\", which does not exist", node.name, file), "check `params:` of the stage");
      return std::unexpected(text.error());
    }
    project::YamlLimits limits;
    limits.max_bytes = 16u << 20;
    limits.anchors = true;
    RONDO_TRY(const project::YamlNode yaml, project::ParseYaml(*text, file, limits));
    const Json json = project::YamlToJson(yaml);
    if (key.empty()) {
      for (const auto& [name, value] : json.AsObject()) out.emplace_back(file + ":" + name, value);
      continue;
    }
    const Json* at = &json;
    for (size_t begin = 0; at && begin <= key.size();) {
      const size_t end = std::min(key.find('.', begin), key.size());
      at = at->Find(key.substr(begin, end - begin));
      begin = end + 1;
    }
    if (!at) return Fail(Code::kInvalid, fmt::format("stage {}: there is no param \"{}\" in {}", node.name, key, file == "params.yaml" ? "rondo.yaml or params.yaml" : file), "check `params:` of the stage");
    out.emplace_back(reference, *at);
  }
  return {};
}

}  // namespace

Result<StageState> LookAt(const StageNode& node, const Lock& lock, PathHasher& hasher, Externals& externals) {
  StageState state;
  state.now.cmd = node.cmd + (node.post.empty() ? "" : " && rondo step " + node.post);
  for (const std::string& dep : node.deps) {
    const bool optional = dep.ends_with('?') && !IsGlob(dep.substr(0, dep.size() - 1));
    const std::string path = optional ? dep.substr(0, dep.size() - 1) : dep;
    RONDO_TRY(const PathState now, hasher.Hash(path));
    if (!now.exists && !optional)
      return Fail(node.builtin ? Code::kFailedCheck : Code::kInvalid, fmt::format("stage {} needs \"{}\", which does not exist", node.name, path),
                  IsGlob(path) ? "no file matches: check the pattern in rondo.yaml" : "check the path in rondo.yaml, relative to its folder");
    state.now.deps.push_back({path, now});
  }
  state.now.params = node.params;
  RONDO_DO(AddFileParams(node, hasher.root(), state.now.params));
  for (const std::string& name : node.externals) {
    RONDO_TRY(state.now.externals[name], externals.Value(name));
  }
  const auto found = lock.find(node.name);
  if (found == lock.end()) {
    state.changes.push_back({"never ran", "", ""});
    return state;
  }
  const LockedStage& old = found->second;
  if (node.workspace_bound && !externals.Seen(node.name, found->second)) state.changes.push_back({"workspace", "", "this data folder does not know the stage's result"});
  if (node.always) state.changes.push_back({"always_changed", "", ""});
  if (old.cmd != state.now.cmd) state.changes.push_back({"command", old.cmd, state.now.cmd});
  std::map<std::string, PathState> old_deps, old_outs;
  for (const LockedPath& p : old.deps) old_deps[p.path] = p.state;
  for (const LockedPath& p : old.outs) old_outs[p.path] = p.state;
  for (const LockedPath& p : state.now.deps) {
    const auto it = old_deps.find(p.path);
    if (it == old_deps.end()) state.changes.push_back({"dep " + p.path, "not a dep", Show(p.state)});
    else if (!(it->second == p.state)) state.changes.push_back({"dep " + p.path, Show(it->second), Show(p.state)});
    old_deps.erase(p.path);
  }
  for (const auto& [path, s] : old_deps) state.changes.push_back({"dep " + path, Show(s), "not a dep"});
  std::map<std::string, Json> old_params(old.params.begin(), old.params.end());
  for (const auto& [key, value] : state.now.params) {
    const auto it = old_params.find(key);
    // Structured values stand in the lock as their JSON text.
    const Json now = value.IsArray() || value.IsObject() ? Json(value.Dump()) : value;  // Show() of both is the same text
    if (it == old_params.end()) state.changes.push_back({"param " + key, "not set", Show(now)});
    else if (Show(it->second) != Show(now)) state.changes.push_back({"param " + key, Show(it->second), Show(now)});
    if (it != old_params.end()) old_params.erase(it);
  }
  for (const auto& [key, value] : old_params) state.changes.push_back({"param " + key, Show(value), "not set"});
  for (auto& [name, now] : state.now.externals) {
    const auto it = old.externals.find(name);
    const std::string before = it == old.externals.end() ? "" : it->second;
    if (before == now) continue;
    RONDO_TRY(const bool fine, externals.Accepts(name, before, now));
    if (fine) now = before;
    else state.changes.push_back({name, before.empty() ? "none" : before, now.empty() ? "none" : now});
  }
  for (const Out& out : node.outs) {
    RONDO_TRY(const PathState now, hasher.Hash(out.path));
    const auto it = old_outs.find(out.path);
    if (it == old_outs.end()) state.changes.push_back({"out " + out.path, "not an out", Show(now)});
    else if (!(it->second == now)) state.changes.push_back({"out " + out.path, Show(it->second), Show(now)});
  }
  return state;
}

std::string CacheKey(const LockedStage& now) {
  LockedStage key = now;
  key.outs.clear();
  return Sha256Hex(StageToJson(key).Dump());
}

Result<std::vector<LockedPath>> RunCache::StoreOuts(const StageNode& node, PathHasher& hasher) {
  std::vector<LockedPath> outs;
  for (const Out& out : node.outs) {
    RONDO_TRY(const PathState state, hasher.Hash(out.path));
    if (!state.exists) return Fail(Code::kFailedCheck, fmt::format("stage {} ended well but did not make \"{}\"", node.name, out.path), "write it, or take it out of `outs:`");
    outs.push_back({out.path, state});
    // As DVC does, so that a stage with a metrics file can be restored; but nothing big against the user's will.
    if (!out.cached && state.size > kMaxUncached) continue;
    if (state.nfiles < 0) {
      if (data::HasObject(cache_, state.md5)) continue;
      RONDO_TRY(const std::string md5, data::PutObject(cache_, root_ / out.path));
      if (md5 != state.md5) return Fail(Code::kConflict, fmt::format("\"{}\" changed while it was stored", out.path), "run again");
      continue;
    }
    RONDO_TRY(const auto files, hasher.Files(out.path));
    for (const FileEntry& f : files)
      if (!data::HasObject(cache_, f.md5)) {
        RONDO_TRY(const std::string md5, data::PutObject(cache_, root_ / out.path / f.relpath));
        if (md5 != f.md5) return Fail(Code::kConflict, fmt::format("\"{}/{}\" changed while it was stored", out.path, f.relpath), "run again");
      }
    const std::string hex = state.md5.substr(0, 32);
    RONDO_DO(WriteFileAtomic(cache_ / "files" / "md5" / hex.substr(0, 2) / (hex.substr(2) + ".dir"), DirObject(files)));
  }
  return outs;
}

Status RunCache::Remember(const std::string& key, const LockedStage& stage) { return WriteFileAtomic(cache_ / "stages" / key.substr(0, 2) / (key + ".json"), StageToJson(stage).Dump()); }

Result<std::optional<LockedStage>> RunCache::Find(const std::string& key, const StageNode& node) {
  auto text = ReadFile(cache_ / "stages" / key.substr(0, 2) / (key + ".json"));
  if (!text) return std::nullopt;
  auto json = ParseJson(*text);
  if (!json) return std::nullopt;
  auto stage = StageFromJson(*json, "run cache");
  if (!stage) return std::nullopt;
  std::error_code ec;
  // Nothing but the stage's own outs is ever written.
  if (stage->outs.size() != node.outs.size()) return std::nullopt;
  for (const LockedPath& out : stage->outs) {
    if (std::none_of(node.outs.begin(), node.outs.end(), [&](const Out& o) { return o.path == out.path; })) return std::nullopt;
    const std::string hex = out.state.md5.substr(0, 32);
    if (out.state.nfiles < 0 ? !data::HasObject(cache_, hex) : !fs::exists(cache_ / "files" / "md5" / hex.substr(0, 2) / (hex.substr(2) + ".dir"), ec)) return std::nullopt;
  }
  return std::optional(std::move(*stage));
}

Status RunCache::Restore(const std::vector<LockedPath>& outs) {
  for (const LockedPath& out : outs) {
    const std::string hex = out.state.md5.substr(0, 32);
    if (out.state.nfiles < 0) {
      RONDO_DO(data::GetObject(cache_, hex, root_ / out.path));
      continue;
    }
    RONDO_TRY(const std::string text, ReadFile(cache_ / "files" / "md5" / hex.substr(0, 2) / (hex.substr(2) + ".dir")));
    if (Md5Hex(text) != hex) return Fail(Code::kFailedCheck, "the stored list of " + out.path + " is damaged");
    RONDO_TRY(const Json list, ParseJson(text));
    // Built beside, then swapped in, so that a failure leaves the old folder.
    const fs::path staging = TemporaryBeside(root_ / out.path);
    Status status;
    for (const Json& f : list.AsArray()) {
      const fs::path relative = fs::path(f["relpath"].AsString()).lexically_normal();
      if (relative.is_absolute() || relative.string().starts_with("..")) status = Fail(Code::kFailedCheck, "the stored list of " + out.path + " names a file outside: " + relative.string());
      if (status) status = data::GetObject(cache_, f["md5"].AsString(), staging / relative);
      if (!status) break;
    }
    if (status) status = RemoveAll(root_ / out.path);
    std::error_code ec;
    if (status) {
      fs::rename(staging, root_ / out.path, ec);
      if (ec) status = std::unexpected(SystemError("replace", root_ / out.path, ec.value()));
    }
    if (!status) {
      (void)RemoveAll(staging);
      return status;
    }
  }
  return {};
}

}  // namespace rondo::pipeline
