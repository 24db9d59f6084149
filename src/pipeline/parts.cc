#include "pipeline/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_map.h"
#include "base/nearest.h"

namespace rondo::pipeline {
namespace {

fs::path CacheFolder(const fs::path& root, const fs::path& data, bool dvc) {
  std::error_code ec;
  return dvc && fs::is_directory(root / ".dvc", ec) ? root / ".dvc" / "cache" : data / "cache";
}

}  // namespace

bool Parts::IsDvc(const fs::path& root) {
  std::error_code ec;
  return !fs::exists(root / "rondo.yaml", ec) && fs::exists(root / "dvc.yaml", ec);
}

Parts::Parts(project::Project p, fs::path r, fs::path d, std::vector<StageNode> g)
    : project(std::move(p)),
      root(std::move(r)),
      data(std::move(d)),
      dvc(IsDvc(root)),
      lock_file(root / (dvc ? "dvc.lock" : "rondo.lock")),
      graph(std::move(g)),
      hasher(root, data / "cache" / "stat"),
      cache(root, CacheFolder(root, data, dvc)),
      externals([this] { return Open(); }, root, ModelName(project), data / "cache" / fmt::format("done-{:016x}.json", Xxh3(root.string()))),
      code(root) {}

Result<workspace::Workspace*> Parts::Open() {
  std::lock_guard lock(open_mutex_);
  if (!workspace_) {
    RONDO_TRY(workspace_, workspace::Workspace::Open(data));
    RONDO_TRY(Journal journal, Journal::Open(workspace_->db(), workspace_->clock()));
    journal_.emplace(std::move(journal));
  }
  return workspace_.get();
}

const Json& Parts::Config() {
  std::lock_guard lock(open_mutex_);
  if (!config_) {
    project::Project rest = project;
    rest.stages.clear();
    config_ = ToJson(rest);
  }
  return *config_;
}

bool IsTarget(const RunOptions& options, const StageNode& node) {
  if (options.targets.empty()) return true;
  return std::any_of(options.targets.begin(), options.targets.end(), [&](const std::string& t) { return t == node.name || (!node.group.empty() && t == node.group); });
}

Result<std::vector<bool>> Wanted(const std::vector<StageNode>& graph, const std::vector<std::string>& targets, bool downstream) {
  std::vector<bool> wanted(graph.size(), targets.empty());
  if (targets.empty()) return wanted;
  std::unordered_map<std::string_view, std::vector<size_t>> named;
  for (size_t i = 0; i < graph.size(); ++i) {
    named[graph[i].name].push_back(i);
    if (!graph[i].group.empty()) named[graph[i].group].push_back(i);
  }
  for (const std::string& target : targets) {
    const auto it = named.find(target);
    if (it == named.end()) {
      std::vector<std::string_view> names;
      std::string all;
      for (const StageNode& n : graph) {
        names.push_back(n.name);
        if (names.size() <= 30) all += (all.empty() ? "" : ", ") + n.name;
      }
      if (names.size() > 30) all += ", …";
      const std::string near = Nearest(target, names);
      return Fail(Code::kInvalid, "there is no stage \"" + target + "\"", (near.empty() ? "" : "did you mean " + near + "? ") + std::string("the stages are: ") + all);
    }
    for (const size_t i : it->second) wanted[i] = true;
  }
  if (downstream) {
    for (size_t i = 0; i < graph.size(); ++i)
      if (std::any_of(graph[i].before.begin(), graph[i].before.end(), [&](size_t j) { return wanted[j]; })) wanted[i] = true;
  } else {
    for (size_t i = graph.size(); i-- > 0;)
      if (wanted[i])
        for (const size_t j : graph[i].before) wanted[j] = true;
  }
  return wanted;
}

}  // namespace rondo::pipeline
