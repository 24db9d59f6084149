// Step `deploy`: starts the rollout of the registered version on the project's endpoint. The server follows it; without one it waits in the database.
#include <fmt/format.h>

#include "base/file.h"
#include "serving/rollout.h"
#include "steps/files.h"
#include "steps/step.h"

namespace rondo::steps {

Status DeployStep(Context& c) {
  if (!c.project.deploy) return Fail(Code::kInvalid, "rondo.yaml has no `deploy:`", "add: deploy: {endpoint: NAME}");
  RONDO_TRY(const std::string text, ReadFile(c.Path("out/register.json")));
  RONDO_TRY(const Json registered, ParseJson(text));
  serving::RolloutRequest request;
  request.endpoint = c.project.deploy->endpoint;
  request.model = registered["name"].AsString();
  request.version = registered["version"].AsInt();
  request.deploy = *c.project.deploy;
  request.approvals = c.project.govern.approvals;
  request.needs_approval = c.project.retrain.promote == "approval" && c.trigger != "manual";
  request.actor = c.actor;
  request.reason = "pipeline run " + (c.pipeline_run.empty() ? std::string("by hand") : c.pipeline_run) + ", trigger " + c.trigger;
  RONDO_TRY(const serving::Rollout rollout, serving::StartRollout(*c.workspace, request));
  RONDO_DO(WriteFileAtomic(c.Path("out/deploy.json"),
                           Json::MakeObject().Set("endpoint", rollout.endpoint).Set("model", rollout.model).Set("version", rollout.version).Set("rollout", rollout.plan.strategy).Pretty()));
  if (rollout.state == "promoted") c.Summary(fmt::format("version {} is champion on endpoint {}", rollout.version, rollout.endpoint));
  else c.Summary(fmt::format("version {} on endpoint {}: {} {}; `rondo rollout show {}` follows it", rollout.version, rollout.endpoint, rollout.plan.strategy, rollout.state, rollout.endpoint));
  return {};
}

}  // namespace rondo::steps
