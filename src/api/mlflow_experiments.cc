// /mlflow/experiments
#include "api/mlflow.h"

namespace rondo::api::mlflow {

Json WireExperiment(const tracking::Experiment& e) {
  Json out = Json::MakeObject();
  out.Set("experiment_id", e.experiment_id)
      .Set("name", e.name)
      .Set("artifact_location", e.artifact_location)
      .Set("lifecycle_stage", e.lifecycle_stage)
      .Set("last_update_time", e.last_update_time)
      .Set("creation_time", e.creation_time);
  SetSome(out, "tags", WireKeyValues(e.tags));
  return out;
}

namespace {

Json One(const tracking::Experiment& e) { return Json::MakeObject().Set("experiment", WireExperiment(e)); }

Result<Json> Create(Request& r) {
  RONDO_TRY(const std::string name, r.args.Required("name"));
  RONDO_TRY(const std::string location, r.args.Text("artifact_location"));
  RONDO_TRY(const auto tags, r.args.KeyValues("tags"));
  RONDO_TRY(const std::string place, LocationFor(r.call.context(), location));
  RONDO_TRY(const std::string id, r.workspace().tracking().CreateExperiment(name, tags, place));
  return Json::MakeObject().Set("experiment_id", id);
}

Result<Json> Get(Request& r) {
  RONDO_TRY(const std::string id, r.args.Required("experiment_id"));
  RONDO_TRY(const auto e, r.workspace().tracking().GetExperiment(id));
  return One(e);
}

Result<Json> GetByName(Request& r) {
  RONDO_TRY(const std::string name, r.args.Required("experiment_name"));
  RONDO_TRY(const auto e, r.workspace().tracking().GetExperimentByName(name));
  return One(e);
}

Result<Json> SetDeleted(Request& r, bool deleted) {
  RONDO_TRY(const std::string id, r.args.Required("experiment_id"));
  RONDO_DO(r.workspace().tracking().SetExperimentDeleted(id, deleted));
  RONDO_DO(Audit(r, deleted ? "experiment.delete" : "experiment.restore", "experiment " + id));
  return Json::MakeObject();
}
Result<Json> Delete(Request& r) { return SetDeleted(r, true); }
Result<Json> Restore(Request& r) { return SetDeleted(r, false); }

Result<Json> Update(Request& r) {
  RONDO_TRY(const std::string id, r.args.Required("experiment_id"));
  RONDO_TRY(const std::string name, r.args.Required("new_name"));
  RONDO_DO(r.workspace().tracking().UpdateExperiment(id, name));
  return Json::MakeObject();
}

Result<Json> SetTag(Request& r) {
  RONDO_TRY(const std::string id, r.args.Required("experiment_id"));
  RONDO_TRY(const std::string key, r.args.Required("key"));
  RONDO_TRY(const std::string value, r.args.Text("value"));
  RONDO_DO(r.workspace().tracking().SetExperimentTag(id, {key, value}));
  return Json::MakeObject();
}

Result<Json> DeleteTag(Request& r) {
  RONDO_TRY(const std::string id, r.args.Required("experiment_id"));
  RONDO_TRY(const std::string key, r.args.Required("key"));
  RONDO_DO(r.workspace().tracking().DeleteExperimentTag(id, key));
  return Json::MakeObject();
}

Result<Json> Search(Request& r) {
  RONDO_TRY(const int64_t most, r.args.MaxResults(1000, 50'000));
  RONDO_TRY(const std::string filter, r.args.Text("filter"));
  RONDO_TRY(const std::string view, r.args.Text("view_type", "ACTIVE_ONLY"));
  RONDO_TRY(std::string token, r.args.Text("page_token"));
  RONDO_TRY(const auto order_by, r.args.List("order_by"));
  // Enumerations may come as their numbers.
  const std::string view_name = view == "1" ? "ACTIVE_ONLY" : view == "2" ? "DELETED_ONLY" : view == "3" ? "ALL" : view;
  const auto fetch = [&](int64_t n, std::string& t) { return r.workspace().tracking().SearchExperiments(filter, view_name, n, t, order_by); };
  const auto keep = [&](const tracking::Experiment& e) { return r.call.MayRead(e.experiment_id, e.name); };
  RONDO_TRY(const auto found, VisiblePage<tracking::Experiment>(r.call.MayReadAll(), most, token, fetch, keep));
  Json list = Json::MakeArray();
  for (const auto& e : found) list.Push(WireExperiment(e));
  Json out = Json::MakeObject();
  SetSome(out, "experiments", std::move(list));
  SetSome(out, "next_page_token", token);
  return out;
}

Result<Json> SearchDatasets(Request& r) {
  constexpr size_t kMost = 20;
  RONDO_TRY(const auto ids, r.args.List("experiment_ids"));
  if (ids.empty()) return Fail(Code::kInvalid, "SearchDatasets request must specify at least one experiment_id.");
  if (ids.size() > kMost) return Fail(Code::kInvalid, "SearchDatasets request cannot specify more than 20 experiment_ids. Received " + std::to_string(ids.size()) + " experiment_ids.");
  RONDO_TRY(const auto found, r.workspace().tracking().Datasets(ids));
  Json list = Json::MakeArray();
  for (const auto& d : found) {
    Json one = Json::MakeObject().Set("experiment_id", d.experiment_id).Set("name", d.name).Set("digest", d.digest);
    SetSome(one, "context", d.context);
    list.Push(std::move(one));
  }
  Json out = Json::MakeObject();
  SetSome(out, "dataset_summaries", std::move(list));
  return out;
}

constexpr Row kRows[] = {
    {"POST", "/experiments/create", Permission::kWrite | Scope::kNewExperiment, "Make an experiment", Create},
    {"GET", "/experiments/get", Permission::kRead | Scope::kExperiment, "One experiment", Get},
    {"GET", "/experiments/get-by-name", Permission::kRead | Scope::kExperiment, "One experiment by name", GetByName},
    {"POST", "/experiments/delete", Permission::kManage | Scope::kExperiment, "Delete an experiment and its runs", Delete},
    {"POST", "/experiments/restore", Permission::kManage | Scope::kExperiment, "Bring a deleted experiment back", Restore},
    {"POST", "/experiments/update", Permission::kWrite | Scope::kExperiment, "Rename an experiment", Update},
    {"POST", "/experiments/set-experiment-tag", Permission::kWrite | Scope::kExperiment, "Set a tag of an experiment", SetTag},
    {"POST", "/experiments/delete-experiment-tag", Permission::kWrite | Scope::kExperiment, "Delete a tag of an experiment", DeleteTag},
    {"POST", "/experiments/search", Permission::kRead | Scope::kListed, "Search experiments", Search},
    {"GET", "/experiments/search", Permission::kRead | Scope::kListed, "Search experiments", Search},
    {"POST", "/experiments/search-datasets", Permission::kRead | Scope::kExperiment, "Datasets that runs of experiments read", SearchDatasets},
};

}  // namespace

void AddExperiments(Router& router) { AddRows(router, kRows); }

}  // namespace rondo::api::mlflow
