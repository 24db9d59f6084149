#include "pipeline/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>

#include "base/json_map.h"
#include "pipeline/derive.h"

namespace rondo::pipeline {
namespace {

namespace fs = std::filesystem;

/// Names of a built-in stage's files for a script that replaces it: out/split/train.parquet -> TRAIN.
std::string EnvName(const std::string& path) {
  std::string name = fs::path(path).stem().string();
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : '_';
  return name;
}

Status CheckPath(const std::string& stage, const std::string& path) {
  const fs::path normal = fs::path(path).lexically_normal();
  if (path.empty() || normal.is_absolute() || normal.string().starts_with("..") || normal == ".")
    return Fail(Code::kInvalid, fmt::format("stage {}: the output \"{}\" is outside the project", stage, path), "outputs are paths below the project's folder");
  return {};
}

/// Tracked params of a user's stage: sections or dotted keys of the resolved config; what it hasn't got is looked for in params.yaml, as DVC does.
void AddParams(const project::Stage& stage, const Json& config, StageNode& node) {
  for (const std::string& key : stage.params) {
    if (key.find(':') != std::string::npos) {
      node.param_files.push_back(key);
      continue;
    }
    const Json* at = &config;
    for (size_t begin = 0; begin <= key.size();) {
      const size_t end = std::min(key.find('.', begin), key.size());
      at = at->Find(key.substr(begin, end - begin));
      if (!at) break;
      begin = end + 1;
    }
    if (at) Flatten(key, *at, node.params);
    else node.param_files.push_back("params.yaml:" + key);
  }
}

Result<StageNode> FromUser(const project::Stage& stage, const Json& config) {
  if (stage.cmd.empty()) return Fail(Code::kInvalid, fmt::format("stage {} has no cmd", stage.name), "add: cmd: python script.py");
  StageNode node;
  node.name = stage.name;
  node.cmd = stage.cmd;
  node.builtin = false;
  node.wdir = stage.wdir;
  const auto relative = [&](const std::string& path) { return stage.wdir.empty() ? path : (fs::path(stage.wdir) / path).lexically_normal().string(); };
  for (const std::string& dep : stage.deps) node.deps.push_back(relative(dep));
  for (const std::string& out : stage.outs) node.outs.push_back({relative(out), true});
  for (const std::string& out : stage.metrics) node.outs.push_back({relative(out), false});
  AddParams(stage, config, node);
  // As in DVC: a command that reads nothing and makes nothing is run for its effect.
  node.always = stage.always_changed || (stage.deps.empty() && stage.outs.empty() && stage.metrics.empty() && stage.params.empty());
  node.frozen = stage.frozen;
  node.retry = stage.retry;
  node.timeout_ms = stage.timeout_ms;
  node.cpu = stage.cpu;
  node.memory_bytes = stage.memory_bytes;
  return node;
}

/// The user's command in the place of a built-in stage: its files and params stay, the user's join.
void Replace(StageNode& builtin, StageNode user) {
  const bool has_own = !user.deps.empty() || !user.outs.empty() || !user.params.empty() || !user.param_files.empty();
  for (const std::string& dep : builtin.deps) user.env.emplace_back("RONDO_IN_" + EnvName(dep), dep);
  for (const Out& out : builtin.outs) user.env.emplace_back("RONDO_OUT_" + EnvName(out.path), out.path);
  if (builtin.name == "train") {
    user.env.emplace_back("RONDO_IN_TEST", "out/split/test.parquet");
    user.post = "adopt-model";
  }
  user.deps.insert(user.deps.begin(), builtin.deps.begin(), builtin.deps.end());
  for (const Out& out : builtin.outs)
    if (std::none_of(user.outs.begin(), user.outs.end(), [&](const Out& o) { return o.path == out.path || o.path.starts_with(out.path + "/"); })) user.outs.push_back(out);
  // An out inside a folder that the built-in stage owns is part of it.
  std::erase_if(user.outs, [&](const Out& o) {
    return std::any_of(builtin.outs.begin(), builtin.outs.end(), [&](const Out& b) { return o.path != b.path && o.path.starts_with(b.path + "/"); });
  });
  for (const Out& out : builtin.outs)
    if (std::none_of(user.outs.begin(), user.outs.end(), [&](const Out& o) { return o.path == out.path; })) user.outs.push_back(out);
  user.params.insert(user.params.begin(), builtin.params.begin(), builtin.params.end());
  user.externals = builtin.externals;
  user.always = user.always && has_own;  // without own paths it still reads and makes what the built-in stage does
  user.restorable = builtin.restorable;
  user.workspace_bound = builtin.workspace_bound;
  user.keep_outs_on_failure = builtin.keep_outs_on_failure;
  user.needs_run = builtin.needs_run;
  builtin = std::move(user);
}

bool Reads(const std::string& dep, const std::string& out) {
  std::string path = dep;
  if (path.ends_with('?')) path.pop_back();
  path = fs::path(path).lexically_normal().string();
  const std::string target = fs::path(out).lexically_normal().string();
  return path == target || path.starts_with(target + "/") || target.starts_with(path + "/");
}

Result<std::vector<StageNode>> Sorted(std::vector<StageNode> stages) {
  const size_t n = stages.size();
  std::vector<std::vector<size_t>> before(n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      if (i == j) continue;
      for (const std::string& dep : stages[i].deps)
        for (const Out& out : stages[j].outs)
          if (Reads(dep, out.path) && std::find(before[i].begin(), before[i].end(), j) == before[i].end()) before[i].push_back(j);
    }
  std::vector<int> state(n);  // 0 new, 1 on the path, 2 done
  std::vector<size_t> order, path;
  std::string cycle;
  std::function<bool(size_t)> visit = [&](size_t i) {
    if (state[i] == 2) return true;
    if (state[i] == 1) {
      for (size_t k = static_cast<size_t>(std::find(path.begin(), path.end(), i) - path.begin()); k < path.size(); ++k) cycle += stages[path[k]].name + " → ";
      cycle += stages[i].name;
      return false;
    }
    state[i] = 1;
    path.push_back(i);
    for (const size_t j : before[i])
      if (!visit(j)) return false;
    path.pop_back();
    state[i] = 2;
    order.push_back(i);
    return true;
  };
  for (size_t i = 0; i < n; ++i)
    if (!visit(i)) return Fail(Code::kInvalid, "the stages form a cycle: " + cycle, "a stage can't depend on what is made from its own outputs");
  std::vector<size_t> place(n);
  for (size_t k = 0; k < n; ++k) place[order[k]] = k;
  std::vector<StageNode> out;
  for (const size_t i : order) {
    for (const size_t j : before[i]) stages[i].before.push_back(place[j]);
    out.push_back(std::move(stages[i]));
  }
  return out;
}

}  // namespace

std::string ModelName(const project::Project& project) { return project.deploy ? project.deploy->endpoint : project.name; }

Result<std::vector<StageNode>> BuildGraph(const project::Project& project) {
  std::vector<StageNode> stages = DeriveStages(project);
  const Json config = ToJson(project);
  for (const project::Stage& stage : project.stages) {
    RONDO_TRY(StageNode node, FromUser(stage, config));
    const auto it = std::find_if(stages.begin(), stages.end(), [&](const StageNode& s) { return s.name == stage.name; });
    if (it != stages.end()) Replace(*it, std::move(node));
    else stages.push_back(std::move(node));
  }
  std::map<std::string, std::string> owner;
  for (const StageNode& stage : stages)
    for (const Out& out : stage.outs) {
      RONDO_DO(CheckPath(stage.name, out.path));
      const std::string path = fs::path(out.path).lexically_normal().string();
      for (const auto& [other, name] : owner)
        if (path == other || path.starts_with(other + "/") || other.starts_with(path + "/"))
          return Fail(Code::kInvalid, fmt::format("the stages {} and {} both write \"{}\"", name, stage.name, path), "each output belongs to one stage");
      owner.emplace(path, stage.name);
    }
  return Sorted(std::move(stages));
}

}  // namespace rondo::pipeline
