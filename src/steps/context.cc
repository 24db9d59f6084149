// Finds out what a step is to work on, and runs it.
#include <cstdio>
#include <cstdlib>

#include "base/file.h"
#include "base/json_map.h"
#include "govern/govern.h"
#include "project/reader.h"
#include "steps/step.h"

namespace rondo::steps {
namespace {

std::string Env(const char* name, const std::string& otherwise = {}) {
  const char* value = std::getenv(name);
  return value && *value ? std::string(value) : otherwise;
}

}  // namespace

void Context::Summary(const std::string& text) const {
  std::printf("rondo: summary=%s\n", text.c_str());
  std::fflush(stdout);
}

const std::vector<StepRow>& Steps() {
  static const std::vector<StepRow> rows = {
      {"ingest", "read the sources of `data:` into immutable Parquet versions", Ingest},
      {"check", "check each dataset against its contract", Check},
      {"profile", "describe each dataset: statistics, histograms, correlations", Profile},
      {"split", "divide the training dataset into train, validation and test", SplitStep},
      {"prepare", "fit the feature graph on the training part", Prepare},
      {"train", "fit the model, fuse it with the features into model.onnx, check the export", TrainStep},
      {"adopt-model", "take over a model that a user's train stage left in out/model", AdoptModel},
      {"evaluate", "score the held-out parts, compare with baselines and champion, judge the gates", EvaluateStep},
      {"register", "make the model a version of the registered model", Register},
      {"deploy", "start the rollout of the registered version on the endpoint", DeployStep},
  };
  return rows;
}

Result<const StepRow*> FindStep(const std::string& name) {
  std::string names;
  for (const StepRow& row : Steps()) {
    if (row.name == name) return &row;
    names += (names.empty() ? "" : ", ") + row.name;
  }
  return Fail(Code::kInvalid, "there is no built-in step \"" + name + "\"", "the steps are: " + names);
}

Result<Context> LoadContext(const std::string& stage) {
  Context context;
  context.stage = stage;
  RONDO_TRY(context.root, project::FindProjectRoot(fs::current_path()));
  if (const std::string config = Env("RONDO_CONFIG"); !config.empty()) {
    RONDO_TRY(const std::string text, ReadFile(config));
    RONDO_TRY(context.project, ReadJson<project::Project>(text));
  } else {
    RONDO_TRY(context.project, project::LoadProject(context.root / "rondo.yaml"));
  }
  RONDO_TRY(context.workspace, workspace::Workspace::Open(Env("RONDO_DATA", (context.root / ".rondo").string())));
  context.run_id = Env("MLFLOW_RUN_ID");
  context.pipeline_run = Env("RONDO_PIPELINE_RUN");
  context.actor = Env("RONDO_ACTOR", govern::CurrentActor());
  context.trigger = Env("RONDO_TRIGGER", "manual");
  if (!context.project.problem && stage != "ingest" && stage != "check" && stage != "profile")
    return Fail(Code::kInvalid, "rondo.yaml has no `problem:`, which the step " + stage + " needs", "add: problem: {task: binary, target: COLUMN, positive: VALUE}");
  return context;
}

Status RunStep(const std::string& name) {
  RONDO_TRY(const StepRow* row, FindStep(name));
  RONDO_TRY(Context context, LoadContext(name));
  return row->run(context);
}

}  // namespace rondo::steps
