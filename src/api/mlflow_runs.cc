// /mlflow/runs: life of a run, search.
#include <algorithm>

#include "api/mlflow.h"

namespace rondo::api::mlflow {

Json WireRunInfo(const tracking::Run& run) {
  Json out = Json::MakeObject();
  out.Set("run_uuid", run.run_id)
      .Set("experiment_id", run.experiment_id)
      .Set("run_name", run.run_name)
      .Set("user_id", run.user_id)
      .Set("status", run.status)
      .Set("start_time", run.start_time);
  if (run.end_time) out.Set("end_time", *run.end_time);
  out.Set("artifact_uri", run.artifact_uri).Set("lifecycle_stage", run.lifecycle_stage).Set("run_id", run.run_id);
  return out;
}

Json WireRun(const tracking::Run& run) {
  Json metrics = Json::MakeArray();
  for (const tracking::Metric& m : run.metrics) metrics.Push(WireMetric(m));
  Json data = Json::MakeObject();
  SetSome(data, "metrics", std::move(metrics));
  SetSome(data, "params", WireKeyValues(run.params));
  SetSome(data, "tags", WireKeyValues(run.tags));
  Json datasets = Json::MakeArray();
  for (const tracking::DatasetInput& input : run.inputs) {
    std::vector<tracking::KeyValue> tags = input.tags;
    if (!input.context.empty()) tags.push_back({"mlflow.data.context", input.context});
    Json dataset = Json::MakeObject().Set("name", input.name).Set("digest", input.digest).Set("source_type", input.source_type).Set("source", input.source);
    SetSome(dataset, "schema", input.schema);
    SetSome(dataset, "profile", input.profile);
    Json one = Json::MakeObject();
    SetSome(one, "tags", WireKeyValues(tags));
    datasets.Push(one.Set("dataset", std::move(dataset)));
  }
  Json models = Json::MakeArray();
  for (const std::string& id : run.model_inputs) models.Push(Json::MakeObject().Set("model_id", id));
  Json inputs = Json::MakeObject();
  SetSome(inputs, "dataset_inputs", std::move(datasets));
  SetSome(inputs, "model_inputs", std::move(models));
  Json out = Json::MakeObject().Set("info", WireRunInfo(run)).Set("data", std::move(data)).Set("inputs", std::move(inputs));
  if (!run.outputs.empty()) {
    Json outputs = Json::MakeArray();
    for (const tracking::ModelOutput& m : run.outputs) outputs.Push(Json::MakeObject().Set("model_id", m.model_id).Set("step", m.step));
    out.Set("outputs", Json::MakeObject().Set("model_outputs", std::move(outputs)));
  }
  return out;
}

namespace {

/// Enumerations come as names or numbers. An unknown status changes nothing, as with MLflow.
std::string StatusName(const std::string& text) {
  static constexpr std::string_view kNames[] = {"RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};
  for (size_t i = 0; i < std::size(kNames); ++i)
    if (text == kNames[i] || text == std::to_string(i + 1)) return std::string(kNames[i]);
  return {};
}

Result<Json> Create(Request& r) {
  RONDO_TRY(const std::string experiment, r.args.Text("experiment_id", "0"));
  RONDO_TRY(const std::string user, r.args.Text("user_id"));
  RONDO_TRY(const std::string name, r.args.Text("run_name"));
  RONDO_TRY(const int64_t start, r.args.Int("start_time", r.workspace().clock().NowMs()));
  RONDO_TRY(const auto tags, r.args.KeyValues("tags"));
  RONDO_TRY(const auto run, r.workspace().tracking().CreateRun(experiment.empty() ? "0" : experiment, user, name, start, tags));
  return Json::MakeObject().Set("run", WireRun(run));
}

Result<Json> Get(Request& r) {
  RONDO_TRY(const std::string id, r.args.RunId());
  RONDO_TRY(const auto run, r.workspace().tracking().GetRun(id));
  return Json::MakeObject().Set("run", WireRun(run));
}

Result<Json> Update(Request& r) {
  RONDO_TRY(const std::string id, r.args.RunId());
  RONDO_TRY(const std::string status, r.args.Text("status"));
  RONDO_TRY(const std::string name, r.args.Text("run_name"));
  std::optional<int64_t> end;
  if (r.args.Has("end_time")) {
    RONDO_TRY(end, r.args.Int("end_time", 0));
  }
  RONDO_TRY(const auto run, r.workspace().tracking().UpdateRun(id, StatusName(status), end, name));
  return Json::MakeObject().Set("run_info", WireRunInfo(run));
}

Result<Json> SetDeleted(Request& r, bool deleted) {
  RONDO_TRY(const std::string id, r.args.RunId());
  RONDO_DO(r.workspace().tracking().SetRunDeleted(id, deleted));
  RONDO_DO(Audit(r, deleted ? "run.delete" : "run.restore", "run " + id));
  return Json::MakeObject();
}
Result<Json> Delete(Request& r) { return SetDeleted(r, true); }
Result<Json> Restore(Request& r) { return SetDeleted(r, false); }

Result<Json> Search(Request& r) {
  tracking::RunQuery query;
  RONDO_TRY(const auto experiments, r.args.List("experiment_ids"));
  RONDO_TRY(query.experiment_ids, r.call.ReadableExperiments(experiments));
  RONDO_TRY(query.filter, r.args.Text("filter"));
  RONDO_TRY(query.order_by, r.args.List("order_by"));
  RONDO_TRY(query.view, r.args.Text("run_view_type", "ACTIVE_ONLY"));
  if (query.view == "1") query.view = "ACTIVE_ONLY";
  if (query.view == "2") query.view = "DELETED_ONLY";
  if (query.view == "3") query.view = "ALL";
  RONDO_TRY(query.max_results, r.args.MaxResults(1000, 50'000));
  RONDO_TRY(query.page_token, r.args.Text("page_token"));
  RONDO_TRY(const auto page, r.workspace().tracking().SearchRuns(query));
  Json runs = Json::MakeArray();
  for (const auto& run : page.runs) runs.Push(WireRun(run));
  Json out = Json::MakeObject();
  SetSome(out, "runs", std::move(runs));
  SetSome(out, "next_page_token", page.next_page_token);
  return out;
}

Result<Json> SetTag(Request& r) {
  RONDO_TRY(const std::string id, r.args.RunId());
  RONDO_TRY(const std::string key, r.args.Required("key"));
  RONDO_TRY(const std::string value, r.args.Text("value"));
  RONDO_DO(r.workspace().tracking().Log(id, {{}, {}, {{key, value}}}));
  return Json::MakeObject();
}

Result<Json> DeleteTag(Request& r) {
  RONDO_TRY(const std::string id, r.args.RunId());
  RONDO_TRY(const std::string key, r.args.Required("key"));
  RONDO_DO(r.workspace().tracking().DeleteTag(id, key));
  return Json::MakeObject();
}

Result<std::vector<tracking::DatasetInput>> Datasets(const Args& args) {
  RONDO_TRY(const auto objects, args.Objects("datasets"));
  std::vector<tracking::DatasetInput> out;
  for (const Args& object : objects) {
    tracking::DatasetInput input;
    RONDO_TRY(auto tags, object.KeyValues("tags"));
    for (auto& tag : tags) {
      if (tag.key == "mlflow.data.context") {
        input.context = tag.value;
      } else {
        input.tags.push_back(std::move(tag));
      }
    }
    RONDO_TRY(const Args d, object.Object("dataset"));
    RONDO_TRY(input.name, d.Required("name"));
    RONDO_TRY(input.digest, d.Required("digest"));
    RONDO_TRY(input.source_type, d.Required("source_type"));
    RONDO_TRY(input.source, d.Required("source"));
    RONDO_TRY(input.schema, d.Text("schema"));
    RONDO_TRY(input.profile, d.Text("profile"));
    out.push_back(std::move(input));
  }
  return out;
}

Result<Json> LogInputs(Request& r) {
  RONDO_TRY(const std::string id, r.args.RunId());
  RONDO_TRY(const auto datasets, Datasets(r.args));
  RONDO_TRY(const auto models, r.args.Objects("models"));
  std::vector<std::string> read;
  for (const Args& model : models) {
    RONDO_TRY(std::string model_id, model.Required("model_id"));
    read.push_back(std::move(model_id));
  }
  RONDO_DO(r.workspace().tracking().LogInputs(id, datasets));
  if (!read.empty()) RONDO_DO(r.workspace().tracking().LogModels(id, read, {}));
  return Json::MakeObject();
}

Result<Json> LogOutputs(Request& r) {
  RONDO_TRY(const std::string id, r.args.RunId());
  RONDO_TRY(const auto models, r.args.Objects("models"));
  std::vector<tracking::ModelOutput> produced;
  for (const Args& model : models) {
    tracking::ModelOutput output;
    RONDO_TRY(output.model_id, model.Required("model_id"));
    RONDO_TRY(output.step, model.Int("step", 0));
    produced.push_back(std::move(output));
  }
  RONDO_DO(r.workspace().tracking().LogModels(id, {}, produced));
  return Json::MakeObject();
}

/// What MLflow 2 clients call after log_model: the models of a run as a tag. The oldest go when the tag would be cut off.
Result<Json> LogModel(Request& r) {
  constexpr size_t kMaxTag = 8000;
  RONDO_TRY(const std::string id, r.args.RunId());
  RONDO_TRY(const std::string text, r.args.Required("model_json"));
  RONDO_TRY(Json model, ParseJson(text));
  RONDO_TRY(const auto run, r.workspace().tracking().GetRun(id));
  Json history = Json::MakeArray();
  for (const auto& tag : run.tags)
    if (tag.key == "mlflow.log-model.history") history = ParseJson(tag.value).value_or(Json::MakeArray());
  history.Push(std::move(model));
  while (history.size() > 1 && history.Dump().size() > kMaxTag) history.MutableArray().erase(history.MutableArray().begin());
  if (history.Dump().size() <= kMaxTag) RONDO_DO(r.workspace().tracking().Log(id, {{}, {}, {{"mlflow.log-model.history", history.Dump()}}}));
  return Json::MakeObject();
}

constexpr Row kRows[] = {
    {"POST", "/runs/create", Permission::kWrite | Scope::kExperiment, "Start a run", Create},
    {"GET", "/runs/get", Permission::kRead | Scope::kRun, "One run", Get},
    {"POST", "/runs/update", Permission::kWrite | Scope::kRun, "Status, end and name of a run", Update},
    {"POST", "/runs/delete", Permission::kManage | Scope::kRun, "Delete a run", Delete},
    {"POST", "/runs/restore", Permission::kManage | Scope::kRun, "Bring a deleted run back", Restore},
    {"POST", "/runs/search", Permission::kRead | Scope::kListed, "Search runs", Search},
    {"POST", "/runs/set-tag", Permission::kWrite | Scope::kRun, "Set a tag", SetTag},
    {"POST", "/runs/delete-tag", Permission::kWrite | Scope::kRun, "Delete a tag", DeleteTag},
    {"POST", "/runs/log-inputs", Permission::kWrite | Scope::kRun, "Datasets and models that a run reads", LogInputs},
    {"POST", "/runs/outputs", Permission::kWrite | Scope::kRun, "Models that a run produces", LogOutputs},
    {"POST", "/runs/log-model", Permission::kWrite | Scope::kRun, "Record a model (MLflow 2 clients)", LogModel},
};

}  // namespace

void AddRuns(Router& router) { AddRows(router, kRows); }

}  // namespace rondo::api::mlflow
