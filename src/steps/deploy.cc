// Step `deploy`.
#include "base/file.h"
#include "steps/files.h"
#include "steps/step.h"

namespace rondo::steps {

Status DeployStep(Context& c) {
  RONDO_TRY(const std::string text, ReadFile(c.Path("out/register.json")));
  RONDO_TRY(const Json reg, ParseJson(text));
  RONDO_DO(c.workspace->MoveAlias(reg["name"].AsString(), "champion", reg["version"].AsInt(), c.actor, "first"));
  RONDO_DO(WriteFileAtomic(c.Path("out/deploy.json"), Json::MakeObject().Set("version", reg["version"]).Pretty()));
  return {};
}

}  // namespace rondo::steps
