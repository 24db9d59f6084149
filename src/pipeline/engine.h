/// Plans and runs the graph: a stage is skipped when nothing it depends on has changed, restored when the same inputs were seen before, else run.
#pragma once

#include <boost/describe.hpp>
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/graph.h"
#include "pipeline/journal.h"
#include "project/spec.h"
#include "workspace/workspace.h"

namespace rondo::pipeline {

struct PlannedStage {
  std::string name;
  std::string action;  ///< run | restore | skip
  std::vector<Change> why;
};
BOOST_DESCRIBE_STRUCT(PlannedStage, (), (name, action, why))

struct RunOptions {
  std::vector<std::string> targets;  ///< stages to bring up to date, with what they need; empty: all
  bool force = false;                ///< run the targets even when nothing changed
  int jobs = 2;
  bool keep_going = false;
  bool downstream = false;           ///< the targets and what follows them, instead of what they need
  bool quiet_when_done = false;      ///< no run is recorded when nothing has to run, whatever the trigger
  bool no_cache = false;             ///< never restore from the run cache
  std::string trigger = "manual", cause;
  std::string run_id;                ///< empty: a new one
  std::string actor;
  std::string tracking_uri;          ///< MLFLOW_TRACKING_URI of the children, when a server runs
  /// Called when a stage changes state, from any thread, one at a time.
  std::function<void(const StageRecord&)> on_stage;
  std::atomic<bool>* cancel = nullptr;
};

struct RunSummary {
  std::string run_id;                ///< empty when nothing had to run
  std::string status;                ///< succeeded failed cancelled
  std::vector<StageRecord> stages;
  Error error;                       ///< of the first failed stage
  double seconds = 0;
};

class Engine {
 public:
  /// `root`: the project's folder; `data`: its data folder, opened at first need, so that an unchanged project costs milliseconds.
  /// `reload`: reads the project again, for stages whose items come from a file that another stage makes; may be empty.
  static Result<std::unique_ptr<Engine>> Open(project::Project project, std::filesystem::path root, std::filesystem::path data, std::function<Result<project::Project>()> reload = {});
  virtual ~Engine() = default;
  virtual const std::vector<StageNode>& graph() const = 0;
  /// What a run would do now. Stages behind one that would run are planned as "run" because their input may change.
  virtual Result<std::vector<PlannedStage>> Plan(const RunOptions& options) = 0;
  /// kConflict when another engine works on the project. A failing stage is not an error of this call: see RunSummary.
  virtual Result<RunSummary> Run(const RunOptions& options) = 0;
};

}  // namespace rondo::pipeline
