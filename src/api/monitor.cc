// Monitor, alarms, labels.
#include "monitor/monitor.h"

#include <fmt/format.h>

#include <charconv>

#include "api/monitor.h"
#include "api/v1.h"

namespace rondo::api {
namespace {

constexpr uint64_t kLabelBody = 64u << 20;

Result<monitor::Monitor*> MonitorOf(Call& call) {
  if (!call.context().monitor) return Fail(Code::kUnavailable, "this server doesn't monitor", "start it with rondo up in a project");
  return call.context().monitor;
}

Result<std::optional<int64_t>> OptionalInt(const Call& call, std::string_view name) {
  const std::string text = call.Query(name);
  if (text.empty()) return std::optional<int64_t>();
  int64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size()) return Fail(Code::kInvalid, fmt::format("{} must be a whole number, not \"{}\"", name, text.substr(0, 40)));
  return std::optional<int64_t>(value);
}

Result<net::Response> View(Call& call) {
  RONDO_TRY(monitor::Monitor* const m, MonitorOf(call));
  monitor::SnapshotOptions options;
  RONDO_TRY(options.version, OptionalInt(call, "version"));
  RONDO_TRY(options.window, OptionalInt(call, "window"));
  RONDO_TRY(options.limit, call.QueryInt("limit", 60, 1, 1000));
  options.shadow = call.Query("shadow") == "true";
  RONDO_TRY(const Json view, m->View(call.Path("name"), options));
  return JsonResponse(view);
}

Result<net::Response> Alarms(Call& call, const std::string& endpoint) {
  RONDO_TRY(monitor::Monitor* const m, MonitorOf(call));
  RONDO_TRY(const int64_t limit, call.QueryInt("limit", 200, 1, 10'000));
  RONDO_TRY(const auto alarms, m->Alarms(endpoint, limit));
  Json out = Json::MakeArray();
  for (const monitor::Alarm& alarm : alarms) {
    RONDO_TRY(const auto caused, Neighbours(call.workspace(), "alarm", alarm.id, false));
    out.Push(ToJson(alarm).Set("caused", ToJson(caused)));
  }
  return JsonResponse(out);
}

Result<net::Response> Labels(Call& call) {
  RONDO_TRY(monitor::Monitor* const m, MonitorOf(call));
  RONDO_TRY(const Json body, ParseJson(call.request().body));
  RONDO_TRY(auto rows, monitor::ParseLabels(body));
  RONDO_TRY(const monitor::LabelCounts counts, m->TakeLabels(call.Path("name"), std::move(rows), ActorOf(call)));
  return JsonResponse(ToJson(counts));
}

Json LabelSchema() {
  const auto text = [](const char* type) { return Json::MakeObject().Set("type", type); };
  const Json scalar = Json::MakeObject().Set("type", Json::MakeArray().Push("string").Push("number").Push("boolean"));
  return Json::MakeObject()
      .Set("type", "array")
      .Set("items", Json::MakeObject()
                        .Set("type", "object")
                        .Set("properties", Json::MakeObject().Set("id", text("string")).Set("key", text("string")).Set("label", scalar).Set("time", Json::MakeObject().Set("type", Json::MakeArray().Push("string").Push("integer"))))
                        .Set("required", Json::MakeArray().Push("label")));
}

}  // namespace

void AddMonitor(Router& router) {
  router.Get("/api/v1/endpoints/{name}/monitor", Permission::kRead | Scope::kEndpoint, "Windows, drift, quality and realised performance of an endpoint", View);
  router.Get("/api/v1/endpoints/{name}/alarms", Permission::kRead | Scope::kEndpoint, "Alarms of an endpoint, newest first", [](Call& call) { return Alarms(call, call.Path("name")); });
  router.Get("/api/v1/alarms", Permission::kRead | Scope::kServer, "Alarms of all endpoints, newest first", [](Call& call) { return Alarms(call, ""); });
  router.Post("/api/v1/alarms/{id}/acknowledge", Permission::kWrite | Scope::kServer, "Mark an alarm as seen", [](Call& call) -> Result<net::Response> {
    RONDO_TRY(monitor::Monitor* const m, MonitorOf(call));
    RONDO_DO(m->Acknowledge(call.Path("id"), ActorOf(call)));
    return JsonResponse(Json::MakeObject());
  });
  router.Get("/api/v1/retrains", Permission::kRead | Scope::kServer, "What the retrain policy decided, newest first", [](Call& call) -> Result<net::Response> {
    RONDO_TRY(monitor::Monitor* const m, MonitorOf(call));
    RONDO_TRY(const int64_t limit, call.QueryInt("limit", 50, 1, 1000));
    RONDO_TRY(const auto records, m->retrain().History(limit));
    return JsonResponse(ToJson(records));
  });
  for (const char* path : {"/endpoints/{name}/labels", "/api/v1/endpoints/{name}/labels"}) {
    RouteRow& row = router.Post(path, Permission::kPredict | Scope::kEndpoint, "Ground truth of earlier predictions, by id or key", Labels);
    row.max_body = kLabelBody;
    row.body_schema = LabelSchema();
  }
}

}  // namespace rondo::api
