// Registers MLflow's surface, and what all of its groups share.
#include "api/mlflow.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/version.h"

namespace rondo::api {
namespace mlflow {

void SetSome(Json& object, std::string name, Json value) {
  if (value.IsArray() ? value.size() > 0 : !value.IsString() || !value.AsString().empty()) object.Set(std::move(name), std::move(value));
}

double WireDouble(double value) { return std::isinf(value) ? std::copysign(std::numeric_limits<double>::max(), value) : value; }

Json WireKeyValues(const std::vector<tracking::KeyValue>& values) {
  Json out = Json::MakeArray();
  for (const auto& [key, value] : values) out.Push(Json::MakeObject().Set("key", key).Set("value", value));
  return out;
}

void AddRows(Router& router, std::span<const Row> rows) {
  for (const Row& row : rows)
    for (const char* root : {"/api", "/ajax-api"}) {
      auto handler = row.handler;
      RouteRow& added = router.Add(row.method, fmt::format("{}/{}/mlflow{}", root, row.version, row.path), row.access, row.summary, [handler](Call& call) -> Result<net::Response> {
        RONDO_TRY(Args args, Args::Of(call));
        Request request{call, std::move(args)};
        RONDO_TRY(const Json json, handler(request));
        return JsonResponse(json);
      });
      added.errors = ErrorStyle::kMlflow;
      added.max_body = 64u << 20;
    }
}

Status Audit(Request& request, const std::string& action, const std::string& object, Json before, Json after) {
  govern::AuditEntry entry;
  entry.actor = ActorOf(request.call);
  entry.action = action;
  entry.object = object;
  entry.reason = "through the MLflow API";
  entry.before = std::move(before);
  entry.after = std::move(after);
  RONDO_TRY(const auto appended, request.workspace().audit().Append(std::move(entry)));
  (void)appended;
  return {};
}

namespace {

/// Newer clients ask before they try presigned or multipart transfers and workspaces.
Result<Json> ServerInfo(Request&) {
  return Json::MakeObject()
      .Set("store_type", "RondoStore")
      .Set("workspaces_enabled", false)
      .Set("trace_archival_enabled", false)
      .Set("multipart_uploads_enabled", false)
      .Set("multipart_downloads_enabled", false)
      .Set("features_enabled", Json::MakeObject().Set("gateway", false));
}

constexpr Row kRows[] = {{"GET", "/server-info", Permission::kPublic, "What the server can do", ServerInfo, "3.0"}};

}  // namespace
}  // namespace mlflow

void AddMlflow(Router& router) {
  mlflow::AddRows(router, mlflow::kRows);
  mlflow::AddExperiments(router);
  mlflow::AddRuns(router);
  mlflow::AddMetrics(router);
  mlflow::AddModels(router);
  mlflow::AddVersions(router);
  mlflow::AddLoggedModels(router);
  mlflow::AddArtifacts(router);
  mlflow::AddUsers(router);
  mlflow::AddWebhooks(router);
  router.Get("/version", Permission::kPublic, "MLflow's version whose API this is", [](Call&) -> Result<net::Response> { return net::Response{200, "text/plain", {}, std::string(kMlflowVersion), {}}; });
}

}  // namespace rondo::api
