// Endpoints and rollouts: deploy, look, advance, pause, roll back.
#include <fmt/format.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_map.h"
#include "cli/verbs.h"
#include "project/reader.h"
#include "serving/rollout.h"

namespace rondo::cli {
namespace {

Json RolloutJson(const serving::Rollout& r) {
  return Json::MakeObject()
      .Set("id", r.id)
      .Set("endpoint", r.endpoint)
      .Set("model", r.model)
      .Set("version", r.version)
      .Set("previous", r.previous ? Json(*r.previous) : Json())
      .Set("plan", ToJson(r.plan))
      .Set("state", r.state)
      .Set("step", r.step)
      .Set("started", r.creation_time)
      .Set("ended", r.end_time ? Json(*r.end_time) : Json())
      .Set("actor", r.actor)
      .Set("reason", r.reason)
      .Set("why", r.why)
      .Set("verdict", r.verdict)
      .Set("arms", r.arms);
}

/// The endpoint named, or the only one there is.
Result<std::string> EndpointOf(workspace::Workspace& w, const std::string& given) {
  if (!given.empty()) return given;
  RONDO_TRY(const auto rows, serving::Endpoints(w));
  if (rows.size() == 1) return rows[0].name;
  if (rows.empty()) return Fail(Code::kNotFound, "there is no endpoint yet", "`rondo run` makes the one that `deploy:` declares");
  return Fail(Code::kInvalid, "which endpoint?", "`rondo endpoint list` names them");
}

void PrintRollout(const serving::Rollout& r) {
  Print(Bold(fmt::format("{} of {} version {}", r.plan.strategy, r.model, r.version)) + "  " + r.state + (r.why.empty() ? "" : ": " + r.why));
  for (size_t i = 0; i < r.plan.stages.size(); ++i) {
    const serving::Stage& s = r.plan.stages[i];
    const bool now = r.going_on() && static_cast<int64_t>(i) == r.step;
    Print(fmt::format("  {} step {}: {}", now ? "→" : static_cast<int64_t>(i) < r.step || r.state == "promoted" ? "✓" : " ", i + 1, s.shadow ? "shadow" : fmt::format("{:.0f} %", s.share * 100)));
  }
  for (const Json& guard : r.verdict["guards"].AsArray())
    Print(fmt::format("  guard {}: {}", guard["guard"].AsString().empty() ? guard["gate"].AsString() : guard["guard"].AsString(), guard["verdict"].AsString()));
}

Result<int> ActOn(Call& call, serving::Action action) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const std::string endpoint, EndpointOf(*w, call.Arg(0)));
  RONDO_TRY(const serving::Rollout r, serving::Act(*w, endpoint, action, govern::CurrentActor(), call.Value("--reason", "by hand")));
  if (call.json()) PrintJson(RolloutJson(r));
  else PrintRollout(r);
  return 0;
}

}  // namespace

Result<int> Deploy(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const registry::ModelRef ref, registry::ParseModelRef(call.Arg(0)));
  RONDO_TRY(const registry::Version version, registry::Resolve(w->registry(), ref));
  serving::RolloutRequest request;
  if (auto root = project::FindProjectRoot(fs::current_path())) {
    if (auto project = project::LoadProject(*root / "rondo.yaml")) {
      if (project->deploy) request.deploy = *project->deploy;
      request.approvals = project->govern.approvals;
    }
  }
  request.deploy.rollout = call.Value("--rollout", request.deploy.rollout);
  request.endpoint = call.Value("--endpoint", request.deploy.endpoint.empty() ? version.name : request.deploy.endpoint);
  request.model = version.name;
  request.version = version.version;
  request.actor = govern::CurrentActor();
  request.reason = call.Value("--reason", "deployed by hand");
  RONDO_TRY(const serving::Rollout r, serving::StartRollout(*w, request));
  if (call.json()) PrintJson(RolloutJson(r));
  else PrintRollout(r);
  return 0;
}

Result<int> RolloutShow(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const std::string endpoint, EndpointOf(*w, call.Arg(0)));
  RONDO_TRY(const auto rollouts, serving::Rollouts(*w, endpoint, 20));
  if (call.json()) {
    Json list = Json::MakeArray();
    for (const auto& r : rollouts) list.Push(RolloutJson(r));
    PrintJson(list);
    return 0;
  }
  if (rollouts.empty()) Print("no rollout on " + endpoint + " yet");
  for (size_t i = 0; i < rollouts.size(); ++i) {
    if (i == 0) PrintRollout(rollouts[i]);
    else Print(Dim(fmt::format("{}  {} of version {}: {}", FormatTime(rollouts[i].creation_time).substr(0, 19), rollouts[i].plan.strategy, rollouts[i].version, rollouts[i].state)));
  }
  return 0;
}

Result<int> RolloutAdvance(Call& call) { return ActOn(call, serving::Action::kAdvance); }
Result<int> RolloutPause(Call& call) { return ActOn(call, serving::Action::kPause); }
Result<int> RolloutResume(Call& call) { return ActOn(call, serving::Action::kResume); }
Result<int> RolloutAbort(Call& call) { return ActOn(call, serving::Action::kAbort); }

Result<int> ModelRollback(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  const std::string model = call.Arg(0);
  // The endpoint that follows the model; without one, only the alias moves.
  RONDO_TRY(const auto endpoints, serving::Endpoints(*w));
  for (const auto& e : endpoints)
    if (e.model == model || e.name == model) {
      RONDO_TRY(const serving::Rollout r, serving::Act(*w, e.name, serving::Action::kRollback, govern::CurrentActor(), call.Value("--reason", "rolled back by hand")));
      RONDO_TRY(const registry::Version now, w->registry().VersionByAlias(e.model, "champion"));
      if (call.json()) PrintJson(RolloutJson(r));
      else Print(fmt::format("version {} is champion of {} again", now.version, e.model));
      return 0;
    }
  RONDO_TRY(const auto previous, serving::PreviousChampion(*w, model));
  if (!previous) return Fail(Code::kConflict, "model \"" + model + "\" had no champion before the present one");
  RONDO_DO(w->MoveAlias(model, "champion", *previous, govern::CurrentActor(), call.Value("--reason", "rolled back by hand")));
  if (call.json()) PrintJson(Json::MakeObject().Set("model", model).Set("champion", *previous));
  else Print(fmt::format("version {} is champion of {} again", *previous, model));
  return 0;
}

Result<int> EndpointList(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const auto rows, serving::Endpoints(*w));
  Json list = Json::MakeArray();
  std::vector<std::vector<std::string>> table = {{"endpoint", "model", "champion", "rollout", "since"}};
  for (const auto& e : rows) {
    auto champion = w->registry().VersionByAlias(e.model, "champion");
    RONDO_TRY(const auto active, serving::ActiveRollout(*w, e.name));
    list.Push(Json::MakeObject().Set("name", e.name).Set("model", e.model).Set("champion", champion ? Json(champion->version) : Json()).Set("rollout", active ? RolloutJson(*active) : Json()));
    table.push_back({e.name, e.model, champion ? std::to_string(champion->version) : "-", active ? fmt::format("{} of version {}, {}", active->plan.strategy, active->version, active->state) : "-", Ago(e.creation_time, w->clock().NowMs())});
  }
  if (call.json()) PrintJson(list);
  else if (rows.empty()) Print("no endpoint yet: `rondo run` makes the one that `deploy:` declares");
  else PrintTable(table);
  return 0;
}

Result<int> EndpointShow(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const std::string endpoint, EndpointOf(*w, call.Arg(0)));
  RONDO_TRY(const auto row, serving::FindEndpoint(*w, endpoint));
  if (!row) return Fail(Code::kNotFound, "there is no endpoint \"" + endpoint + "\"", "`rondo endpoint list` names them");
  RONDO_TRY(const auto events, serving::Events(*w, endpoint, 20));
  RONDO_TRY(const auto active, serving::ActiveRollout(*w, endpoint));
  auto champion = w->registry().VersionByAlias(row->model, "champion");
  if (call.json()) {
    Json list = Json::MakeArray();
    for (const auto& e : events) list.Push(Json::MakeObject().Set("time", e.time).Set("actor", e.actor).Set("action", e.action).Set("text", e.text));
    PrintJson(Json::MakeObject().Set("name", row->name).Set("model", row->model).Set("champion", champion ? Json(champion->version) : Json()).Set("rollout", active ? RolloutJson(*active) : Json()).Set("events", list));
    return 0;
  }
  Print(Bold(row->name) + fmt::format("  follows {}@champion{}", row->model, champion ? fmt::format(", version {}", champion->version) : ""));
  if (active) PrintRollout(*active);
  for (const auto& e : events) Print(fmt::format("  {}  {}: {}", FormatTime(e.time).substr(0, 19), e.actor, e.text));
  return 0;
}

}  // namespace rondo::cli
