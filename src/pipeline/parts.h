/// What planning and running share: the project, its graph, hashes, caches and the data folder. Internal to pipeline.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "pipeline/engine.h"
#include "pipeline/externals.h"
#include "pipeline/graph.h"
#include "pipeline/hashing.h"
#include "pipeline/journal.h"
#include "pipeline/python_code.h"
#include "pipeline/state.h"
#include "project/spec.h"
#include "workspace/workspace.h"

namespace rondo::pipeline {

struct Parts {
  Parts(project::Project project, std::filesystem::path root, std::filesystem::path data, std::vector<StageNode> graph);

  project::Project project;
  const std::filesystem::path root, data;
  const bool dvc;                          ///< a repository with only a dvc.yaml: DVC's lock, DVC's cache, nothing in keys that DVC doesn't know
  const std::filesystem::path lock_file;
  std::vector<StageNode> graph;
  PathHasher hasher;
  RunCache cache;
  WorkspaceExternals externals;
  PythonCode code;

  /// The data folder, opened at first need. Thread-safe.
  Result<workspace::Workspace*> Open();
  Journal& journal() { return *journal_; }  ///< after Open()
  workspace::Workspace& workspace() { return *workspace_; }
  Result<StageState> Look(const StageNode& node, const LockedStage* old) { return LookAt(node, old, hasher, externals, &code); }
  /// The resolved project without its stages, for conditions. Made once.
  const Json& Config();

  static bool IsDvc(const std::filesystem::path& root);

 private:
  std::mutex open_mutex_;
  std::unique_ptr<workspace::Workspace> workspace_;
  std::optional<Journal> journal_;
  std::optional<Json> config_;
};

/// Which stages a run is about: the targets with what they need, or (`downstream`) with what follows. kInvalid names the nearest stage.
Result<std::vector<bool>> Wanted(const std::vector<StageNode>& graph, const std::vector<std::string>& targets, bool downstream);
bool IsTarget(const RunOptions& options, const StageNode& node);

}  // namespace rondo::pipeline
