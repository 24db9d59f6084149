// Health, metrics, version and the OpenAPI description, which is derived from the route table.
#include <fmt/format.h>

#include "api/router.h"
#include "base/metrics.h"
#include "base/version.h"

namespace rondo::api {
namespace {

Json OpenApi(const Router& router) {
  Json paths = Json::MakeObject(), schemas = Json::MakeObject();
  for (const auto& row : router.rows()) {
    Json operation = Json::MakeObject();
    operation.Set("summary", row->summary).Set("x-permission", PermissionName(row->access.permission));
    if (row->access.permission != Permission::kPublic) operation.Set("x-scope", ScopeName(row->access.scope));
    Json parameters = Json::MakeArray();
    std::string path;
    for (size_t i = 0; i < row->pattern.size(); ++i) {
      if (row->pattern[i] != '{') {
        path += row->pattern[i];
        continue;
      }
      const size_t end = row->pattern.find('}', i);
      std::string name = row->pattern.substr(i + 1, end - i - 1);
      if (name.ends_with("...")) name.resize(name.size() - 3);
      path += "{" + name + "}";
      parameters.Push(Json::MakeObject().Set("name", name).Set("in", "path").Set("required", true).Set("schema", Json::MakeObject().Set("type", "string")));
      i = end;
    }
    if (parameters.size()) operation.Set("parameters", parameters);
    if (!row->body_schema.IsNull())
      operation.Set("requestBody", Json::MakeObject().Set("content", Json::MakeObject().Set("application/json", Json::MakeObject().Set("schema", row->body_schema))));
    Json ok = Json::MakeObject().Set("description", "OK");
    if (!row->answer_schema.IsNull()) ok.Set("content", Json::MakeObject().Set("application/json", Json::MakeObject().Set("schema", row->answer_schema)));
    for (const auto& [name, definition] : row->answer_definitions.AsObject()) schemas.Set(name, definition);
    operation.Set("responses", Json::MakeObject().Set("200", ok).Set("default", Json::MakeObject().Set("description", "an error")));
    std::string method = row->method;
    for (char& c : method) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    Json entry = paths[path].IsNull() ? Json::MakeObject() : paths[path];
    paths.Set(path, entry.Set(method, operation));
  }
  return Json::MakeObject()
      .Set("openapi", "3.1.0")
      .Set("info", Json::MakeObject().Set("title", "Rondo").Set("version", kVersion))
      .Set("paths", paths)
      .Set("components", Json::MakeObject().Set("schemas", schemas));
}

}  // namespace

void AddSystem(Router& router) {
  auto& health = router.Get("/health", Permission::kPublic, "Is the server up", [](Call&) -> Result<net::Response> { return net::Response{200, "text/plain", {}, "OK", {}}; });
  health.run_on = net::RunOn::kLoop;
  router.Get("/metrics", Permission::kRead | Scope::kServer, "Counters in Prometheus' text format", [](Call&) -> Result<net::Response> {
    return net::Response{200, "text/plain; version=0.0.4; charset=utf-8", {}, MetricsRegistry::Global().PrometheusText(), {}};
  });
  router.Get("/api/v1/version", Permission::kPublic, "The program's version", [](Call&) -> Result<net::Response> {
    return JsonResponse(Json::MakeObject().Set("version", kVersion));
  });
  router.Get("/api/v1/openapi.json", Permission::kPublic, "This description", [&router](Call&) -> Result<net::Response> { return JsonResponse(OpenApi(router)); });
}

}  // namespace rondo::api
