/// The stages of a project as a graph: derived from the sections of rondo.yaml, plus the user's own `stages:`.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "project/spec.h"

namespace rondo::pipeline {

struct Out {
  std::string path;    ///< relative to the project; a file or a folder
  bool cached = true;  ///< false: `metrics:` and the like; over 1 MiB they stay in the workspace only
  bool persist = false;  ///< not removed before the stage runs again
};

struct StageNode {
  std::string name;
  std::string cmd;                  ///< "rondo step train", or the user's shell line
  bool builtin = true;              ///< false: run through `sh -c`
  std::string post;                 ///< built-in step that runs after the user's command in the same attempt ("adopt-model"); empty: none
  std::string wdir;
  std::vector<std::string> deps;    ///< paths, folders or globs; a trailing '?' may be missing
  std::vector<std::pair<std::string, Json>> params;  ///< tracked values by dotted key: "train.params.max_depth" -> 4
  std::vector<std::string> param_files;  ///< values tracked in other files: "params.yaml:lr", "other.json:" (all of it)
  std::vector<Out> outs;
  std::vector<std::string> externals;  ///< states outside the folder that matter: "champion", "registered"
  std::vector<std::pair<std::string, std::string>> env;  ///< RONDO_IN_..., RONDO_OUT_...: values are paths
  std::vector<std::pair<std::string, std::string>> user_env;  ///< declared by the user: part of the key, except secret references
  std::vector<std::string> when;
  std::string runs = "success";     ///< success | failure | always
  std::string code;                 ///< Python file whose imports inside the project belong to the key; empty: none
  bool cache_read = true, cache_write = true;
  bool restorable = true;           ///< may be restored from the run cache instead of running
  bool workspace_bound = false;     ///< leaves facts in the data folder, so it counts as done only where it ran
  bool keep_outs_on_failure = false;
  bool needs_run = false;           ///< belongs to a training run (MLFLOW_RUN_ID)
  bool always = false, frozen = false;
  project::Retry retry;
  int64_t timeout_ms = 0;
  int64_t cpu = 1, memory_bytes = 0, gpu = 0;
  std::string pool, group;
  std::string map_source;           ///< its items come from there: it waits for the stage that makes it
  std::vector<size_t> before;       ///< indices of the stages whose outs it reads, rising
  std::vector<size_t> source;       ///< of those, the makers of map_source
};

/// `dvc`: the project is a dvc.yaml, so nothing that DVC doesn't know enters the keys.
/// In an order in which they can run. kInvalid: cycles (named in order), two stages with one out, outs outside the project, a command missing.
Result<std::vector<StageNode>> BuildGraph(const project::Project& project, bool dvc = false);

/// The registered model's name: the endpoint, else the project.
std::string ModelName(const project::Project& project);

}  // namespace rondo::pipeline
