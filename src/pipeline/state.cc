#include "pipeline/state.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>

#include "base/file.h"
#include "base/hash.h"
#include "data/dataset.h"
#include "pipeline/condition.h"
#include "pipeline/dvc_runs.h"
#include "pipeline/executor.h"
#include "project/params_file.h"

namespace rondo::pipeline {
namespace {

constexpr int64_t kMaxUncached = 1 << 20;
constexpr int64_t kSmall = 1 << 20;
constexpr size_t kMaxUnsynced = 512;

std::string Show(const PathState& s) { return s.exists ? s.md5.substr(0, 12) : "missing"; }
std::string Show(const Json& j) { return j.IsString() ? j.AsString() : j.Dump(); }

/// Values of `params.yaml:lr`, `other.json:` (all top-level keys) as they are now; a missing file or key counts as not set.
Status AddFileParams(const StageNode& node, const fs::path& root, std::vector<std::pair<std::string, Json>>& out) {
  std::map<std::string, Json> files;
  for (const std::string& reference : node.param_files) {
    const size_t colon = reference.find(':');
    const std::string file = reference.substr(0, colon), key = reference.substr(colon + 1);
    auto read = files.find(file);
    if (read == files.end()) {
      auto json = project::ReadParamsFile(root / node.wdir / file);
      if (!json) {
        if (json.error().code == Code::kNotFound && file == "params.yaml") return Fail(Code::kInvalid, fmt::format("stage {}: there is no param \"{}\" in rondo.yaml, and no params.yaml", node.name, key), "check `params:` of the stage");
        if (json.error().code == Code::kNotFound) return Fail(Code::kInvalid, fmt::format("stage {} tracks params of \"{}\", which does not exist", node.name, file), "check `params:` of the stage");
        return std::unexpected(json.error());
      }
      read = files.emplace(file, std::move(*json)).first;
    }
    const Json& json = read->second;
    if (key.empty()) {
      for (const auto& [name, value] : json.AsObject()) out.emplace_back(file + ":" + name, value);
      continue;
    }
    const Json* at = At(json, key);
    if (!at) return Fail(Code::kInvalid, fmt::format("stage {}: there is no param \"{}\" in {}", node.name, key, file == "params.yaml" ? "rondo.yaml or params.yaml" : file), "check `params:` of the stage");
    out.emplace_back(reference, *at);
  }
  return {};
}

/// DVC compares numbers by value: 1 and 1.0 are the same.
bool SameParam(const Json& before, const Json& now) {
  if (before.IsNumber() && now.IsNumber()) return before.AsDouble() == now.AsDouble();
  return Show(before) == Show(now);
}

bool IsReference(const std::string& value) { return value.find("${env:") != std::string::npos || value.find("${file:") != std::string::npos || value.find("${command:") != std::string::npos; }

/// What the user's own stage depends on beside files and params: declared variables and imported code.
Status AddSurroundings(const StageNode& node, PathHasher& hasher, PythonCode* code, LockedStage& now) {
  for (const auto& [name, value] : node.user_env) {
    if (IsReference(value)) continue;  // a secret is no part of any key
    const char* own = value == "\x01" ? std::getenv(name.c_str()) : nullptr;
    now.externals["env " + name] = value == "\x01" ? (own ? own : "") : value;
  }
  if (!code || node.code.empty()) return {};
  for (const std::string& file : code->Closure(node.code, node.wdir)) {
    // What is a declared dependency (or lies in one) counts there.
    if (std::any_of(node.deps.begin(), node.deps.end(), [&](const std::string& dep) { return file == dep || file.starts_with(dep + "/"); })) continue;
    RONDO_TRY(const PathState state, hasher.Hash(file));
    now.externals["code " + file] = state.md5;
  }
  return {};
}

const std::string& Platform() {
  static const std::string& platform = *[] {
    utsname u{};
    ::uname(&u);
    return new std::string(std::string(u.sysname) + "-" + u.machine);
  }();
  return platform;
}

}  // namespace

Result<StageState> LookAt(const StageNode& node, const LockedStage* old_entry, PathHasher& hasher, Externals& externals, PythonCode* code) {
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
  RONDO_DO(AddSurroundings(node, hasher, code, state.now));
  if (!old_entry) {
    state.changes.push_back({"never ran", "", ""});
    return state;
  }
  const LockedStage& old = *old_entry;
  if (node.workspace_bound && !externals.Seen(node.name, old)) state.changes.push_back({"workspace", "", "this data folder does not know the stage's result"});
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
    else if (!SameParam(it->second, now)) state.changes.push_back({"param " + key, Show(it->second), Show(now)});
    if (it != old_params.end()) old_params.erase(it);
  }
  for (const auto& [key, value] : old_params) state.changes.push_back({"param " + key, Show(value), "not set"});
  for (auto& [name, now] : state.now.externals) {
    const auto it = old.externals.find(name);
    const std::string before = it == old.externals.end() ? "" : it->second;
    if (before == now && it != old.externals.end()) continue;
    if (name.starts_with("env ")) {
      state.changes.push_back({name, it == old.externals.end() ? "not declared" : before, now});
    } else if (name.starts_with("code ")) {
      state.changes.push_back({name, it == old.externals.end() ? "not imported" : before.substr(0, 12), now.substr(0, 12)});
    } else if (before != now) {
      RONDO_TRY(const bool fine, externals.Accepts(name, before, now));
      if (fine) now = before;
      else state.changes.push_back({name, before.empty() ? "none" : before, now.empty() ? "none" : now});
    }
  }
  for (const auto& [name, before] : old.externals) {
    if (state.now.externals.contains(name)) continue;
    if (name.starts_with("env ")) state.changes.push_back({name, before, "not declared"});
    else if (name.starts_with("code ")) state.changes.push_back({name, before.substr(0, 12), "not imported"});
  }
  for (const Out& out : node.outs) {
    RONDO_TRY(const PathState now, hasher.Hash(out.path));
    const auto it = old_outs.find(out.path);
    if (it == old_outs.end()) state.changes.push_back({"out " + out.path, "not an out", Show(now)});
    else if (!(it->second == now)) state.changes.push_back({"out " + out.path, Show(it->second), Show(now)});
  }
  return state;
}

std::string CacheKey(const StageNode& node, const LockedStage& now) {
  LockedStage key = now;
  key.outs.clear();
  std::string text = StageToJson(key).Dump();
  if (!node.builtin) text += "\n" + Platform();
  return Sha256Hex(text);
}

RunCache::~RunCache() { (void)Sync(); }

Status RunCache::Sync() {
  std::vector<int> files;
  {
    std::lock_guard lock(mutex_);
    files.swap(unsynced_);
  }
  // All are on their way before the first is waited for: one journal commit serves them all.
  int error = 0;
  for (const int fd : files) ::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  for (const int fd : files) {
    if (::fdatasync(fd) != 0) error = errno;
    ::close(fd);
  }
  return error ? std::unexpected(SystemError("sync objects of", cache_, error)) : Status{};
}

Status RunCache::StoreBytes(const fs::path& target, std::string_view bytes) {
  const fs::path temporary = TemporaryBeside(target);
  int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (fd < 0 && errno == ENOENT) {
    RONDO_DO(MakeDirs(target.parent_path()));
    fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  }
  if (fd < 0) return std::unexpected(SystemError("create", temporary, errno));
  int error = 0;
  for (size_t done = 0; done < bytes.size() && error == 0;) {
    const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno != EINTR) error = errno;
    if (n > 0) done += static_cast<size_t>(n);
  }
  if (error == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    ::close(fd);
    return std::unexpected(SystemError("write", target, error));
  }
  bool full = false;
  {
    std::lock_guard lock(mutex_);
    unsynced_.push_back(fd);
    full = unsynced_.size() >= kMaxUnsynced;
  }
  return full ? Sync() : Status{};
}

Status RunCache::StoreFile(const fs::path& file, const std::string& md5, int64_t size) {
  struct stat st {};
  const fs::path target = cache_ / "files" / "md5" / md5.substr(0, 2) / md5.substr(2);
  // The size tells a torn object from a whole one for the price of looking; the bytes are checked when they are used.
  if (::stat(target.c_str(), &st) == 0 && S_ISREG(st.st_mode) && st.st_size == size) return {};
  if (size > kSmall) {
    RONDO_TRY(const std::string stored, data::PutObject(cache_, file));
    if (stored != md5) return Fail(Code::kConflict, fmt::format("\"{}\" changed while it was stored", file.lexically_relative(root_).string()), "run again");
    return {};
  }
  RONDO_TRY(const std::string bytes, ReadFile(file));
  if (Md5Hex(bytes) != md5) return Fail(Code::kConflict, fmt::format("\"{}\" changed while it was stored", file.lexically_relative(root_).string()), "run again");
  return StoreBytes(target, bytes);
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
      RONDO_DO(StoreFile(root_ / out.path, state.md5, state.size));
      continue;
    }
    RONDO_TRY(const auto files, hasher.Files(out.path));
    for (const FileEntry& f : files) RONDO_DO(StoreFile(root_ / out.path / f.relpath, f.md5, f.size));
    CrashPoint("mid-store");
    const std::string hex = state.md5.substr(0, 32), list = DirObject(files);
    if (Md5Hex(list) != hex) return Fail(Code::kConflict, fmt::format("\"{}\" changed while it was stored", out.path), "run again");
    RONDO_DO(StoreBytes(cache_ / "files" / "md5" / hex.substr(0, 2) / (hex.substr(2) + ".dir"), list));
  }
  return outs;
}

Status RunCache::Remember(const std::string& key, const StageNode& node, const LockedStage& stage) {
  RONDO_DO(RememberForDvc(cache_, node, stage));
  return StoreBytes(cache_ / "stages" / key.substr(0, 2) / (key + ".json"), StageToJson(stage).Dump());
}

Result<std::optional<LockedStage>> RunCache::Find(const std::string& key, const StageNode& node, const LockedStage& now) {
  std::optional<LockedStage> stage;
  if (auto text = ReadFile(cache_ / "stages" / key.substr(0, 2) / (key + ".json")))
    if (auto json = ParseJson(*text))
      if (auto read = StageFromJson(*json, "run cache")) stage = std::move(*read);
  if (!stage) stage = FindForDvc(cache_, node, now);
  if (!stage) return std::nullopt;
  std::error_code ec;
  // Nothing but the stage's own outs is ever written.
  if (stage->outs.size() != node.outs.size()) return std::nullopt;
  for (const LockedPath& out : stage->outs) {
    if (std::none_of(node.outs.begin(), node.outs.end(), [&](const Out& o) { return o.path == out.path; })) return std::nullopt;
    const std::string hex = out.state.md5.substr(0, 32);
    if (out.state.nfiles < 0 ? !data::HasObject(cache_, hex) : !fs::exists(cache_ / "files" / "md5" / hex.substr(0, 2) / (hex.substr(2) + ".dir"), ec)) return std::nullopt;
  }
  return stage;
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
