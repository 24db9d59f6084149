/// The built-in stages: plain functions from input files to output files, run as child processes (`rondo step NAME`).
/// What each reads and writes is fixed in pipeline/ (the stage table) and in PROJECT_FILE.md.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "project/spec.h"
#include "tracking/tracking.h"
#include "workspace/workspace.h"

namespace rondo::steps {

/// What a step works with; from the environment that the pipeline sets (see LoadContext).
struct Context {
  project::Project project;
  std::filesystem::path root;         ///< the project's folder
  std::unique_ptr<workspace::Workspace> workspace;
  std::string run_id;                 ///< MLFLOW_RUN_ID; empty outside a training run
  std::string pipeline_run;           ///< RONDO_PIPELINE_RUN
  std::string stage, actor, trigger;

  std::filesystem::path Path(const std::string& relative) const { return root / relative; }
  const project::Problem& problem() const { return *project.problem; }
  /// One line for the person who watches: shown beside the stage when it has finished.
  void Summary(const std::string& text) const;
};

/// RONDO_CONFIG (resolved config, JSON) or, when absent, rondo.yaml of the folder; RONDO_DATA or `.rondo`.
Result<Context> LoadContext(const std::string& stage);

struct StepRow {
  std::string name, help;
  Status (*run)(Context&);
};
const std::vector<StepRow>& Steps();
Result<const StepRow*> FindStep(const std::string& name);
/// Loads the context and runs the step.
Status RunStep(const std::string& name);

// One per file of the same name.
Status Ingest(Context&);
Status Check(Context&);
Status Profile(Context&);
Status SplitStep(Context&);
Status Prepare(Context&);
Status TrainStep(Context&);
Status EvaluateStep(Context&);
Status Register(Context&);
Status DeployStep(Context&);
Status AdoptModel(Context&);

}  // namespace rondo::steps
