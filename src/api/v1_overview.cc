// The loop page: facts gathered once, one sentence of verdict, what waits for a person, what happened lately.
#include <fmt/format.h>

#include <algorithm>

#include "api/model_json.h"
#include "api/overview.h"
#include "monitor/monitor.h"
#include "pipeline/graph.h"
#include "project/spec.h"

namespace rondo::api {
namespace {

struct ProjectJson {
  std::string name, description;
  Json config;
};
BOOST_DESCRIBE_STRUCT(ProjectJson, (), (name, description, config))

struct VerdictJson {
  std::string state, text;
};
BOOST_DESCRIBE_STRUCT(VerdictJson, (), (state, text))

struct WaitingJson {
  std::string kind, text;
  int64_t time = 0;
  Ref ref;
};
BOOST_DESCRIBE_STRUCT(WaitingJson, (), (kind, text, time, ref))

struct EventJson {
  int64_t seq = 0, time = 0;
  std::string actor, action, object, reason;
  std::optional<Ref> ref;
};
BOOST_DESCRIBE_STRUCT(EventJson, (), (seq, time, actor, action, object, reason, ref))

struct OverviewJson {
  std::string project, user;
  VerdictJson verdict;
  std::vector<LoopStage> stages;
  std::vector<WaitingJson> waiting;
  std::vector<EventJson> events;
};
BOOST_DESCRIBE_STRUCT(OverviewJson, (), (project, user, verdict, stages, waiting, events))

std::string Spoken(const std::vector<std::string>& names) {
  if (names.size() == 1) return names[0] + " drifts";
  if (names.size() == 2) return names[0] + " and " + names[1] + " drift";
  return fmt::format("{} and {} more columns drift", names[0], names.size() - 1);
}

/// What answers, then what is wrong with it, then what goes on: the order in which a person asks.
VerdictJson VerdictOf(const LoopFacts& f, const std::vector<LoopStage>& stages) {
  if (!f.project) return {"idle", "This server has no project: start `rondo up` in a folder with a rondo.yaml"};
  const std::string& name = f.project->name;
  if (!f.run && !f.newest) return {"idle", name + " has not run yet"};
  std::string text;
  if (f.champion && f.endpoint) {
    text = fmt::format("{} v{} ", f.champion->name, f.champion->version);
    const bool trial = f.rollout && f.rollout->going_on() && f.rollout->stage();
    if (!trial) text += "answers all traffic";
    else if (f.rollout->stage()->shadow) text += fmt::format("answers, v{} shadows it", f.rollout->version);
    else text += fmt::format("answers {:.3g}% of the traffic, v{} the rest", (1 - f.rollout->stage()->share) * 100, f.rollout->version);
  } else if (f.champion) {
    text = fmt::format("{} v{} is champion, nothing serves it", f.champion->name, f.champion->version);
  } else {
    text = f.newest ? fmt::format("{} v{} waits to become champion", f.newest->name, f.newest->version) : name + " has no model yet";
  }
  std::string state = "ok";
  const auto worse = [&](const char* to) {
    constexpr std::string_view kOrder = "ok busy warn bad";
    if (kOrder.find(to) > kOrder.find(state)) state = to;
  };
  if (!f.champion) worse("warn");
  const WindowNews news = NewestWindow(f.monitor);
  if (!news.drifting.empty()) {
    text += "; " + Spoken(news.drifting);
    worse("warn");
  }
  if (!news.defective.empty()) {
    text += fmt::format("; {} {} bad values", news.defective[0], news.defective.size() == 1 ? "has" : "and others have");
    worse("warn");
  }
  if (const Json p = NewestPerformance(f.monitor); p["failed"].AsBool()) {
    text += fmt::format("; {} fell to {:.3f}", p["metric"].AsString(), p["value"].AsDouble());
    worse("bad");
  }
  if (f.run && f.run->status == "running") {
    text += StartedByPerson(*f.run) ? "; a run goes on" : fmt::format("; retraining for {}", f.run->trigger);
    worse("busy");
  }
  if (f.run && f.run->status == "failed") {
    const auto failed = std::ranges::find(f.run->stages, "failed", &pipeline::StageRecord::status);
    text += failed != f.run->stages.end() ? "; the last run failed in " + failed->name : "; the last run failed";
    worse("bad");
  }
  if (std::ranges::any_of(stages, [](const LoopStage& s) { return s.state == "busy"; })) worse("busy");
  return {state, text};
}

std::vector<WaitingJson> WaitingOf(const Context& context, const LoopFacts& f) {
  std::vector<WaitingJson> out;
  if (const auto policy = ApprovalPolicy(context, "champion"); policy && f.newest) {
    const registry::Version& v = *f.newest;
    const bool champion = f.champion && f.champion->version == v.version;
    if (const auto records = context.workspace->approvals().Of(v.name, v.version); records && !champion) {
      const ApprovalCount count = CountApprovals(*records, v, &*policy);
      if (count.rejected == 0 && count.approved < policy->count) {
        const int64_t missing = policy->count - count.approved;
        std::string roles;
        for (const std::string& r : policy->roles) roles += (roles.empty() ? " by " : " or ") + r;
        out.push_back({"approval", fmt::format("v{} needs {} more {}{}", v.version, missing, missing == 1 ? "approval" : "approvals", roles), v.creation_time, {"version", fmt::format("{}/{}", v.name, v.version), {}}});
      }
    }
  }
  if (f.rollout && f.rollout->going_on() && f.rollout->plan.by_hand)
    out.push_back({"approval", fmt::format("the A/B test of v{} is ended by a person", f.rollout->version), f.rollout->step_time, {"endpoint", f.rollout->endpoint, {}}});
  if (f.run && f.run->status == "failed") {
    for (const pipeline::StageRecord& s : f.run->stages)
      if (s.status == "failed") out.push_back({s.name == "evaluate" || s.name == "check" ? "gate" : "run", s.name + " failed" + (s.summary.empty() ? "" : ": " + s.summary), s.ended.value_or(s.started), {"pipeline_run", f.run->id, {}}});
  }
  for (const monitor::Alarm* a : OpenAlarms(f)) {
    if (out.size() >= 20) break;
    out.push_back({"alarm", a->summary.empty() ? a->kind : a->summary, a->time, {"alarm", a->id, {}}});
  }
  return out;
}

Result<net::Response> ShowOverview(Call& call) {
  const Context& context = call.context();
  const LoopFacts facts = GatherFacts(context);
  OverviewJson out;
  out.project = facts.project ? facts.project->name : "";
  out.user = call.actor();
  out.stages = LoopStages(facts);
  out.verdict = VerdictOf(facts, out.stages);
  out.waiting = WaitingOf(context, facts);
  RONDO_TRY(const auto entries, call.workspace().audit().List(0, 14, ""));
  for (const govern::AuditEntry& e : entries) out.events.push_back({e.seq, e.time, e.actor, e.action, e.object, e.reason, RefOfObject(e)});
  return JsonResponse(ToJson(out));
}

Result<net::Response> ListProjects(Call& call) {
  std::vector<ProjectJson> out;
  if (const auto p = ProjectOf(call.context())) out.push_back({p->name, p->description, ToJson(*p)});
  return JsonResponse(ToJson(out));
}

}  // namespace

LoopFacts GatherFacts(const Context& context) {
  LoopFacts f;
  workspace::Workspace& w = *context.workspace;
  f.project = ProjectOf(context);
  f.now = w.clock().NowMs();
  if (auto journal = pipeline::Journal::Open(w.db(), w.clock()))
    if (auto runs = journal->Runs(1); runs && !runs->empty()) f.run = std::move(runs->front());
  if (!f.project) return f;
  const std::string dataset = f.project->problem ? f.project->problem->data : f.project->data.empty() ? "" : f.project->data.front().name;
  if (!dataset.empty())
    if (auto versions = data::ListVersions(w.db(), dataset); versions && !versions->empty()) f.dataset = *std::ranges::max_element(*versions, {}, &data::DatasetVersion::number);
  if (const auto experiment = w.tracking().GetExperimentByName(f.project->name)) {
    tracking::RunQuery query;
    query.experiment_ids = {experiment->experiment_id};
    query.max_results = 1;
    if (auto page = w.tracking().SearchRuns(query); page && !page->runs.empty()) f.tracked = std::move(page->runs.front());
  }
  const std::string name = pipeline::ModelName(*f.project);
  if (const auto model = w.registry().GetModel(name)) {
    int64_t newest = 0;
    for (const registry::Version& v : model->latest_versions) newest = std::max(newest, v.version);
    if (newest > 0)
      if (auto v = w.registry().GetVersion(name, newest)) f.newest = std::move(*v);
    if (auto v = w.registry().VersionByAlias(name, "champion")) f.champion = std::move(*v);
  }
  const std::string endpoint = f.project->deploy ? f.project->deploy->endpoint : name;
  if (auto row = serving::FindEndpoint(w, endpoint); row && *row) f.endpoint = std::move(**row);
  if (f.endpoint)
    if (auto rollouts = serving::Rollouts(w, endpoint, 1); rollouts && !rollouts->empty()) f.rollout = std::move(rollouts->front());
  if (context.monitor) {
    monitor::SnapshotOptions options;
    options.limit = 12;
    if (auto view = context.monitor->View(endpoint, options)) f.monitor = std::move(*view);
    if (auto alarms = context.monitor->Alarms(endpoint, 20)) f.alarms = std::move(*alarms);
    if (auto history = context.monitor->retrain().History(5)) f.retrains = std::move(*history);
  }
  return f;
}

void AddV1Projects(Router& router) {
  router.Get("/api/v1/projects", Permission::kRead | Scope::kServer, "The project and its resolved rondo.yaml", ListProjects);
  router.Get("/api/v1/overview", Permission::kRead | Scope::kServer, "The loop at a glance", ShowOverview);
}

}  // namespace rondo::api
