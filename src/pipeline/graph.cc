#include "pipeline/graph.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/json_map.h"
#include "pipeline/condition.h"
#include "pipeline/derive.h"
#include "pipeline/python_code.h"

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

Result<StageNode> FromUser(const project::Stage& stage, const Json& config, bool dvc) {
  if (stage.cmd.empty()) return Fail(Code::kInvalid, fmt::format("stage {} has no cmd", stage.name), "add: cmd: python script.py");
  StageNode node;
  node.name = stage.name;
  node.cmd = stage.cmd;
  node.builtin = false;
  node.wdir = stage.wdir;
  const auto relative = [&](const std::string& path) { return stage.wdir.empty() ? path : (fs::path(stage.wdir) / path).lexically_normal().string(); };
  for (const std::string& dep : stage.deps) node.deps.push_back(relative(dep));
  const auto persists = [&](const std::string& out) { return std::find(stage.persist.begin(), stage.persist.end(), out) != stage.persist.end(); };
  for (const std::string& out : stage.outs) node.outs.push_back({relative(out), true, persists(out)});
  for (const std::string& out : stage.metrics) node.outs.push_back({relative(out), false, persists(out)});
  AddParams(stage, config, node);
  // As in DVC: a command that reads nothing and makes nothing is run for its effect.
  node.always = stage.always_changed || (stage.deps.empty() && stage.outs.empty() && stage.metrics.empty() && stage.params.empty());
  node.frozen = stage.frozen;
  node.retry = stage.retry;
  node.timeout_ms = stage.timeout_ms;
  node.cpu = stage.cpu;
  node.memory_bytes = stage.memory_bytes;
  node.gpu = stage.gpu;
  node.pool = stage.pool;
  node.group = stage.group;
  node.map_source = stage.map_source;
  node.user_env = stage.env;
  node.when = stage.when;
  node.runs = stage.runs;
  node.cache_read = stage.cache == "read-write" || stage.cache == "read";
  node.cache_write = stage.cache == "read-write" || stage.cache == "write";
  if (!dvc) node.code = PythonFile(node.cmd);
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

/// Normal path -> the stage that makes it. Ordered, so that what lies below a folder stands behind it.
using Owners = std::map<std::string, size_t>;

std::string Normal(const std::string& path) {
  // Most paths are normal already: std::filesystem takes a microsecond to find that out.
  if (path.find("//") == std::string::npos && path.find("./") == std::string::npos && !path.ends_with('/') && !path.ends_with('.')) return path;
  std::string normal = fs::path(path).lexically_normal().string();
  if (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  return normal;
}

std::string Reach(const std::string& dep);

/// Whether a glob's matches may be the out, hold it, or lie in it: the components that both have must fit.
bool MayMatch(const std::string& glob, const std::string& out) {
  if (glob.find("**") != std::string::npos) return true;
  size_t g = 0, o = 0;
  while (g <= glob.size() && o <= out.size()) {
    const size_t ge = std::min(glob.find('/', g), glob.size()), oe = std::min(out.find('/', o), out.size());
    if (::fnmatch(glob.substr(g, ge - g).c_str(), out.substr(o, oe - o).c_str(), FNM_PERIOD) != 0) return false;
    g = ge + 1;
    o = oe + 1;
  }
  return true;
}

/// Calls `found` with every stage whose out is `dep` (a path or a glob), holds it, or lies below it.
template <typename F>
void ForEachOwner(const Owners& owners, const std::string& dep, F found) {
  const std::string path = Reach(dep);
  const bool glob = dep.find_first_of("*?[") < dep.size() - (dep.ends_with('?') ? 1 : 0);
  const std::string pattern = glob ? Normal(dep.ends_with('?') ? dep.substr(0, dep.size() - 1) : dep) : std::string();
  if (const auto it = owners.find(path); it != owners.end()) found(it->second);
  for (size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0; slash = path.rfind('/', slash - 1))
    if (const auto it = owners.find(path.substr(0, slash)); it != owners.end()) found(it->second);
  const std::string prefix = path == "." ? "" : path + "/";
  for (auto it = owners.lower_bound(prefix); it != owners.end() && it->first.starts_with(prefix); ++it)
    if (!glob || MayMatch(pattern, it->first)) found(it->second);
}

Result<Owners> FindOwners(const std::vector<StageNode>& stages) {
  Owners owners;
  const auto twice = [&](size_t a, size_t b, const std::string& path) {
    return Fail(Code::kInvalid, fmt::format("the stages {} and {} both write \"{}\"", stages[a].name, stages[b].name, path), "each output belongs to one stage");
  };
  for (size_t i = 0; i < stages.size(); ++i)
    for (const Out& out : stages[i].outs) {
      RONDO_DO(CheckPath(stages[i].name, out.path));
      const std::string path = Normal(out.path);
      const auto [it, fresh] = owners.emplace(path, i);
      if (!fresh) return twice(it->second, i, path);
    }
  for (const auto& [path, i] : owners) {
    for (size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0; slash = path.rfind('/', slash - 1))
      if (const auto it = owners.find(path.substr(0, slash)); it != owners.end()) return twice(std::min(it->second, i), std::max(it->second, i), path);
  }
  return owners;
}

/// What stands before the first wildcard of a glob, as a folder; other paths as they are, without the mark of an optional one.
std::string Reach(const std::string& dep) {
  std::string path = dep;
  if (path.ends_with('?')) path.pop_back();
  const size_t star = path.find_first_of("*?[");
  if (star != std::string::npos) {
    const size_t slash = path.rfind('/', star);
    path = slash == std::string::npos ? "." : path.substr(0, slash);
  }
  return Normal(path);
}

Result<std::vector<StageNode>> Sorted(std::vector<StageNode> stages, const Owners& owners) {
  const size_t n = stages.size();
  std::vector<std::vector<size_t>> before(n), source(n);
  for (size_t i = 0; i < n; ++i) {
    for (const std::string& dep : stages[i].deps)
      ForEachOwner(owners, dep, [&](size_t j) {
        if (j != i) before[i].push_back(j);
      });
    // Params of a file that another stage makes, conditions on it, items from it.
    const auto wait_for = [&](const std::string& path) {
      ForEachOwner(owners, path, [&](size_t j) {
        if (j != i) before[i].push_back(j);
      });
    };
    for (const std::string& reference : stages[i].param_files) wait_for((fs::path(stages[i].wdir) / reference.substr(0, reference.find(':'))).string());
    for (const std::string& condition : stages[i].when)
      for (const std::string& file : ConditionFiles(condition)) wait_for(file);
    if (!stages[i].map_source.empty())
      ForEachOwner(owners, stages[i].map_source, [&](size_t j) {
        if (j == i) return;
        before[i].push_back(j);
        source[i].push_back(j);
      });
    for (auto* list : {&before[i], &source[i]}) {
      std::sort(list->begin(), list->end());
      list->erase(std::unique(list->begin(), list->end()), list->end());
    }
  }
  std::vector<int> state(n);  // 0 new, 1 on the path, 2 done
  std::vector<size_t> order;
  order.reserve(n);
  // Depth first without recursion: chains may be a hundred thousand long.
  struct Step {
    size_t stage, next;
  };
  std::vector<Step> path;
  for (size_t start = 0; start < n; ++start) {
    if (state[start] != 0) continue;
    path.push_back({start, 0});
    state[start] = 1;
    while (!path.empty()) {
      Step& top = path.back();
      if (top.next == before[top.stage].size()) {
        state[top.stage] = 2;
        order.push_back(top.stage);
        path.pop_back();
        continue;
      }
      const size_t j = before[top.stage][top.next++];
      if (state[j] == 2) continue;
      if (state[j] == 1) {
        std::string cycle;
        size_t k = 0;
        while (path[k].stage != j) ++k;
        for (; k < path.size(); ++k) cycle += stages[path[k].stage].name + " → ";
        return Fail(Code::kInvalid, "the stages form a cycle: " + cycle + stages[j].name, "a stage can't depend on what is made from its own outputs");
      }
      state[j] = 1;
      path.push_back({j, 0});
    }
  }
  std::vector<size_t> place(n);
  for (size_t k = 0; k < n; ++k) place[order[k]] = k;
  std::vector<StageNode> out;
  out.reserve(n);
  for (const size_t i : order) {
    for (const size_t j : before[i]) stages[i].before.push_back(place[j]);
    for (const size_t j : source[i]) stages[i].source.push_back(place[j]);
    std::sort(stages[i].before.begin(), stages[i].before.end());
    out.push_back(std::move(stages[i]));
  }
  return out;
}

}  // namespace

std::string ModelName(const project::Project& project) { return project.deploy ? project.deploy->endpoint : project.name; }

Result<std::vector<StageNode>> BuildGraph(const project::Project& project, bool dvc) {
  std::vector<StageNode> stages = DeriveStages(project);
  const size_t builtin = stages.size();
  // Params of stages never lie in `stages:` itself, which may be long.
  project::Project rest = project;
  rest.stages.clear();
  const Json config = ToJson(rest);
  for (const project::Stage& stage : project.stages) {
    RONDO_TRY(StageNode node, FromUser(stage, config, dvc));
    const auto end = stages.begin() + static_cast<std::ptrdiff_t>(builtin);
    const auto it = std::find_if(stages.begin(), end, [&](const StageNode& s) { return s.name == stage.name; });
    if (it != end) Replace(*it, std::move(node));
    else stages.push_back(std::move(node));
  }
  RONDO_TRY(const Owners owners, FindOwners(stages));
  return Sorted(std::move(stages), owners);
}

}  // namespace rondo::pipeline
