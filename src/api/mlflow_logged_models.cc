// /mlflow/logged-models
#include <fmt/format.h>

#include "api/mlflow.h"

namespace rondo::api::mlflow {
namespace {

Json WireModel(const tracking::LoggedModel& m) {
  Json info = Json::MakeObject();
  info.Set("model_id", m.model_id)
      .Set("experiment_id", m.experiment_id)
      .Set("name", m.name)
      .Set("creation_timestamp_ms", m.creation_time)
      .Set("last_updated_timestamp_ms", m.last_update_time)
      .Set("artifact_uri", m.artifact_uri)
      .Set("status", "LOGGED_MODEL_" + m.status);
  SetSome(info, "model_type", m.model_type);
  SetSome(info, "source_run_id", m.source_run_id);
  SetSome(info, "tags", WireKeyValues(m.tags));
  Json metrics = Json::MakeArray();
  for (const auto& x : m.metrics) {
    Json metric = WireMetric(x.metric);
    SetSome(metric, "dataset_name", x.dataset_name);
    SetSome(metric, "dataset_digest", x.dataset_digest);
    metrics.Push(metric.Set("model_id", m.model_id).Set("run_id", x.run_id));
  }
  Json data = Json::MakeObject();
  SetSome(data, "params", WireKeyValues(m.params));
  SetSome(data, "metrics", std::move(metrics));
  return Json::MakeObject().Set("info", std::move(info)).Set("data", std::move(data));
}
Json One(const tracking::LoggedModel& m) { return Json::MakeObject().Set("model", WireModel(m)); }

Result<Json> Create(Request& r) {
  tracking::LoggedModel request;
  RONDO_TRY(request.experiment_id, r.args.Required("experiment_id"));
  RONDO_TRY(request.name, r.args.Text("name"));
  RONDO_TRY(request.model_type, r.args.Text("model_type"));
  RONDO_TRY(request.source_run_id, r.args.Text("source_run_id"));
  RONDO_TRY(request.params, r.args.KeyValues("params"));
  RONDO_TRY(request.tags, r.args.KeyValues("tags"));
  RONDO_TRY(const auto model, r.workspace().logged_models().Create(request));
  return One(model);
}

Result<Json> Get(Request& r) {
  RONDO_TRY(const auto model, r.workspace().logged_models().Get(r.call.Path("id")));
  return One(model);
}

Result<Json> Finalize(Request& r) {
  constexpr std::string_view kPrefix = "LOGGED_MODEL_";
  RONDO_TRY(const std::string status, r.args.Required("status"));
  const std::string name = status == "1" ? "PENDING" : status == "2" ? "READY" : status == "3" ? "UPLOAD_FAILED" : status.starts_with(kPrefix) ? status.substr(kPrefix.size()) : status;
  RONDO_TRY(const auto model, r.workspace().logged_models().Finalize(r.call.Path("id"), name));
  return One(model);
}

Result<Json> Delete(Request& r) {
  const std::string& id = r.call.Path("id");
  RONDO_DO(r.workspace().logged_models().Delete(id));
  RONDO_DO(Audit(r, "logged_model.delete", "logged model " + id));
  return Json::MakeObject();
}

Result<Json> SetTags(Request& r) {
  RONDO_TRY(const auto tags, r.args.KeyValues("tags"));
  RONDO_TRY(const auto model, r.workspace().logged_models().SetTags(r.call.Path("id"), tags));
  return One(model);
}

Result<Json> DeleteTag(Request& r) {
  RONDO_DO(r.workspace().logged_models().DeleteTag(r.call.Path("id"), r.call.Path("key")));
  return Json::MakeObject();
}

Result<Json> LogParams(Request& r) {
  RONDO_TRY(const auto params, r.args.KeyValues("params"));
  RONDO_DO(r.workspace().logged_models().LogParams(r.call.Path("id"), params));
  return Json::MakeObject();
}

Result<Json> Search(Request& r) {
  tracking::LoggedModelQuery query;
  RONDO_TRY(const auto experiments, r.args.List("experiment_ids"));
  RONDO_TRY(query.experiment_ids, r.call.ReadableExperiments(experiments));
  if (query.experiment_ids.empty() && !r.call.MayReadAll()) return Json::MakeObject();
  RONDO_TRY(query.filter, r.args.Text("filter"));
  RONDO_TRY(query.max_results, r.args.MaxResults(50, 1000));
  RONDO_TRY(query.page_token, r.args.Text("page_token"));
  RONDO_TRY(const auto orders, r.args.Objects("order_by"));
  for (const Args& o : orders) {
    tracking::LoggedModelQuery::Order order;
    if (!o.Has("field_name")) return Fail(Code::kInvalid, "`field_name` in the `order_by` clause must be specified.");
    RONDO_TRY(order.field, o.Text("field_name"));
    RONDO_TRY(order.ascending, o.Bool("ascending", true));
    RONDO_TRY(order.dataset_name, o.Text("dataset_name"));
    RONDO_TRY(order.dataset_digest, o.Text("dataset_digest"));
    query.order_by.push_back(std::move(order));
  }
  RONDO_TRY(const auto datasets, r.args.Objects("datasets"));
  for (const Args& d : datasets) {
    tracking::LoggedModelQuery::Dataset dataset;
    RONDO_TRY(dataset.name, d.Text("dataset_name"));
    RONDO_TRY(dataset.digest, d.Text("dataset_digest"));
    query.datasets.push_back(std::move(dataset));
  }
  std::string token;
  RONDO_TRY(const auto found, r.workspace().logged_models().Search(query, token));
  Json list = Json::MakeArray();
  for (const auto& m : found) list.Push(WireModel(m));
  Json out = Json::MakeObject();
  SetSome(out, "models", std::move(list));
  SetSome(out, "next_page_token", token);
  return out;
}

Result<Json> Directories(Request& r) {
  RONDO_TRY(const std::string path, r.args.Text("artifact_directory_path"));
  RONDO_TRY(const auto model, r.workspace().logged_models().Get(r.call.Path("id")));
  return ListFiles(r.call, model.artifact_uri, path);
}

constexpr Row kRows[] = {
    {"POST", "/logged-models", Permission::kWrite | Scope::kExperiment, "Make a logged model", Create},
    {"POST", "/logged-models/search", Permission::kRead | Scope::kListed, "Search logged models", Search},
    {"GET", "/logged-models/{id}", Permission::kRead | Scope::kLoggedModel, "One logged model", Get},
    {"PATCH", "/logged-models/{id}", Permission::kWrite | Scope::kLoggedModel, "Say that a logged model is complete", Finalize},
    {"DELETE", "/logged-models/{id}", Permission::kManage | Scope::kLoggedModel, "Delete a logged model", Delete},
    {"PATCH", "/logged-models/{id}/tags", Permission::kWrite | Scope::kLoggedModel, "Set tags", SetTags},
    {"DELETE", "/logged-models/{id}/tags/{key}", Permission::kWrite | Scope::kLoggedModel, "Delete a tag", DeleteTag},
    {"POST", "/logged-models/{id}/params", Permission::kWrite | Scope::kLoggedModel, "Add params", LogParams},
    {"GET", "/logged-models/{id}/artifacts/directories", Permission::kRead | Scope::kLoggedModel, "Files of a logged model", Directories},
};

}  // namespace

void AddLoggedModels(Router& router) { AddRows(router, kRows); }

}  // namespace rondo::api::mlflow
