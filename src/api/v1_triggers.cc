// What starts pipeline runs by itself: schedules, watched data, the retrain policy; with its last and next firing.
#include <fmt/format.h>

#include <algorithm>

#include "api/v1.h"
#include "base/clock.h"
#include "pipeline/cron.h"
#include "pipeline/trigger.h"
#include "project/spec.h"

namespace rondo::api {
namespace {

struct TriggerJson {
  std::string name, kind, rule;
  std::optional<int64_t> last, next;
};
BOOST_DESCRIBE_STRUCT(TriggerJson, (), (name, kind, rule, last, next))

std::optional<int64_t> NextFiring(const std::string& cron, const std::string& tz, int64_t now) {
  const auto parsed = pipeline::Cron::Parse(cron);
  const auto zone = pipeline::TimeZone::Load(tz.empty() ? "UTC" : tz);
  if (!parsed || !zone) return std::nullopt;
  return parsed->Next(now, **zone);
}

/// Newest accepted event that `mine` recognises.
template <typename F>
std::optional<int64_t> LastOf(const std::vector<pipeline::TriggerRecord>& records, F mine) {
  for (const pipeline::TriggerRecord& r : records)
    if (r.state != "refused" && mine(r)) return r.time;
  return std::nullopt;
}

std::string RetrainRule(const project::Retrain& r) {
  std::string rule;
  const auto add = [&](bool on, const std::string& text) {
    if (on) rule += (rule.empty() ? "" : ", ") + text;
  };
  add(r.on_drift, "drift");
  add(r.on_performance, "performance");
  add(r.on_data, "data");
  add(r.on_labels > 0, fmt::format("{} labels", r.on_labels));
  add(!r.cron.empty(), r.cron);
  if (r.max_runs > 0) rule += fmt::format("; at most {} per {}, {} apart", r.max_runs, FormatDuration(r.max_per_ms), FormatDuration(r.cooldown_ms));
  return rule;
}

Result<net::Response> ListTriggers(Call& call) {
  std::vector<TriggerJson> out;
  const auto project = ProjectOf(call.context());
  if (!project) return JsonResponse(ToJson(out));
  workspace::Workspace& w = call.workspace();
  const int64_t now = w.clock().NowMs();
  RONDO_TRY(auto store, pipeline::TriggerStore::Open(w.db(), w.clock(), project->name));
  RONDO_TRY(const auto records, store.List(500));
  if (const project::Retrain& r = project->retrain; r.enabled) {
    TriggerJson& row = out.emplace_back();
    row.name = "retrain";
    row.kind = "policy";
    row.rule = RetrainRule(r);
    row.last = LastOf(records, [&](const pipeline::TriggerRecord& e) { return e.kind == "drift" || e.kind == "performance" || e.kind == "labels" || e.cause.starts_with("cron:retrain:") || (r.on_data && e.kind == "data"); });
    if (!r.cron.empty()) row.next = NextFiring(r.cron, "UTC", now);
  }
  for (const project::Trigger& t : project->triggers) {
    TriggerJson& row = out.emplace_back();
    row.name = t.name;
    row.kind = !t.cron.empty() ? "cron" : !t.data.empty() ? "data" : "webhook";
    row.rule = !t.cron.empty() ? t.cron + (t.tz.empty() || t.tz == "UTC" ? "" : " " + t.tz) : !t.data.empty() ? fmt::format("new {}, {} quiet", t.data, FormatDuration(t.quiet_ms)) : "webhook";
    const std::string prefix = row.kind + ":" + (t.data.empty() ? t.name : t.data) + ":";
    row.last = LastOf(records, [&](const pipeline::TriggerRecord& e) { return e.cause.starts_with(prefix); });
    if (!t.cron.empty()) row.next = NextFiring(t.cron, t.tz, now);
  }
  return JsonResponse(ToJson(out));
}

/// Webhooks come from programs without a login: the trigger's secret, or the signature made with it, is the proof.
Result<net::Response> CallHook(Call& call) {
  if (!call.context().call_hook) return Fail(Code::kForbidden, "the secret of the webhook \"" + call.Path("name").substr(0, 100) + "\" is wrong");
  const net::Request& request = call.request();
  std::string key(request.Header("Idempotency-Key"));
  if (key.empty()) key = request.Header("X-GitHub-Delivery");
  RONDO_TRY(const std::string run, call.context().call_hook({call.Path("name"), std::string(request.Header("X-Rondo-Secret")), std::string(request.Header("X-Hub-Signature-256")), key, request.body}));
  return JsonResponse(Json::MakeObject().Set("run_id", run), 202);
}

}  // namespace

void AddV1Triggers(Router& router) {
  router.Get("/api/v1/pipeline/triggers", Permission::kRead | Scope::kServer, "What starts runs by itself, with last and next firing", ListTriggers);
  router.Post("/api/v1/hooks/{name}", Permission::kPublic, "Call a webhook trigger: X-Rondo-Secret, or X-Hub-Signature-256 over the body; Idempotency-Key makes repeats one run", CallHook).max_body = 1u << 20;
}

}  // namespace rondo::api
