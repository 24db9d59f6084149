// Experiments and runs for the pages: rows as maps, so that a table picks its columns.
#include <fmt/format.h>

#include <map>

#include "api/v1.h"
#include "tracking/tracking.h"

namespace rondo::api {
namespace {

struct ExperimentJson {
  std::string id, name;
  int64_t updated = 0;
};
BOOST_DESCRIBE_STRUCT(ExperimentJson, (), (id, name, updated))

struct RunJson {
  std::string id, name, experiment_id, user, status;
  int64_t start = 0;
  std::optional<int64_t> end;
  std::map<std::string, double> metrics;
  std::map<std::string, std::string> params, tags;
};
BOOST_DESCRIBE_STRUCT(RunJson, (), (id, name, experiment_id, user, status, start, end, metrics, params, tags))

struct RunPageJson {
  std::vector<RunJson> runs;
  std::string next_page_token;
};
BOOST_DESCRIBE_STRUCT(RunPageJson, (), (runs, next_page_token))

struct RunInputJson {
  std::string name, digest, source_type, source, context;
  std::optional<Ref> ref;
};
BOOST_DESCRIBE_STRUCT(RunInputJson, (), (name, digest, source_type, source, context, ref))

struct RunDetailJson : RunJson {
  std::string artifact_uri;
  std::vector<RunInputJson> inputs;
  std::vector<Ref> came_from, produced;
};
BOOST_DESCRIBE_STRUCT(RunDetailJson, (RunJson), (artifact_uri, inputs, came_from, produced))

constexpr size_t kLongText = 500;

/// Tables show the beginning of long texts; a run's own page has them whole.
void FillRun(RunJson& out, const tracking::Run& run, bool whole) {
  out.id = run.run_id;
  out.name = run.run_name;
  out.experiment_id = run.experiment_id;
  out.user = run.user_id;
  out.status = run.status;
  out.start = run.start_time;
  out.end = run.end_time;
  const auto text = [&](const std::string& value) { return whole || value.size() <= kLongText ? value : value.substr(0, kLongText); };
  for (const tracking::Metric& m : run.metrics) out.metrics[m.key] = m.value;
  for (const tracking::KeyValue& p : run.params) out.params[p.key] = text(p.value);
  for (const tracking::KeyValue& t : run.tags)
    if (whole || t.key.starts_with("mlflow.source.git") || t.key.starts_with("rondo.") || !t.key.starts_with("mlflow.")) out.tags[t.key] = text(t.value);
}

Result<std::vector<tracking::Experiment>> AllExperiments(Call& call) {
  std::vector<tracking::Experiment> out;
  std::string token;
  do {
    RONDO_TRY(const auto page, call.workspace().tracking().SearchExperiments("", "ACTIVE_ONLY", 1000, token));
    for (const tracking::Experiment& e : page)
      if (call.MayRead(e.experiment_id, e.name)) out.push_back(e);
  } while (!token.empty() && out.size() < 10'000);
  return out;
}

Result<net::Response> ListExperiments(Call& call) {
  RONDO_TRY(const auto all, AllExperiments(call));
  std::vector<ExperimentJson> out;
  for (const tracking::Experiment& e : all) out.push_back({e.experiment_id, e.name, e.last_update_time});
  return JsonResponse(ToJson(out));
}

Result<net::Response> SearchRuns(Call& call) {
  tracking::RunQuery query;
  if (const std::string experiment = call.Query("experiment"); !experiment.empty()) {
    RONDO_TRY(query.experiment_ids, call.ReadableExperiments({experiment}));
  } else {
    RONDO_TRY(const auto all, AllExperiments(call));
    for (const tracking::Experiment& e : all) query.experiment_ids.push_back(e.experiment_id);
  }
  query.filter = call.Query("filter");
  if (const std::string order = call.Query("order_by"); !order.empty()) query.order_by = {order};
  RONDO_TRY(query.max_results, call.QueryInt("max", 500, 1, 5000));
  query.page_token = call.Query("page_token");
  RunPageJson out;
  if (!query.experiment_ids.empty()) {
    RONDO_TRY(const tracking::RunPage page, call.workspace().tracking().SearchRuns(query));
    for (const tracking::Run& run : page.runs) FillRun(out.runs.emplace_back(), run, false);
    out.next_page_token = page.next_page_token;
  }
  return JsonResponse(ToJson(out));
}

Result<RunDetailJson> RunDetail(Call& call, const std::string& id) {
  RONDO_TRY(const tracking::Run run, call.workspace().tracking().GetRun(id));
  RunDetailJson out;
  FillRun(out, run, true);
  out.artifact_uri = run.artifact_uri;
  for (const tracking::DatasetInput& input : run.inputs) {
    RunInputJson& row = out.inputs.emplace_back();
    row.name = input.name;
    row.digest = input.digest;
    row.source_type = input.source_type;
    row.source = input.source;
    row.context = input.context;
    if (Ref ref = RefOf(call.workspace(), "dataset", input.digest); ref.id != input.digest) row.ref = std::move(ref);
  }
  RONDO_TRY(out.came_from, Neighbours(call.workspace(), "run", id, true));
  RONDO_TRY(out.produced, Neighbours(call.workspace(), "run", id, false));
  return out;
}

Result<net::Response> OneRun(Call& call) {
  RONDO_TRY(const RunDetailJson run, RunDetail(call, call.Path("id")));
  return JsonResponse(ToJson(run));
}

Result<net::Response> CompareRuns(Call& call) {
  RONDO_TRY(const auto ids, IdList(call, "runs", 100));
  std::vector<RunDetailJson> out;
  for (const std::string& id : ids) {
    RONDO_TRY(RunDetailJson run, RunDetail(call, id));
    out.push_back(std::move(run));
  }
  return JsonResponse(ToJson(out));
}

}  // namespace

void AddV1Runs(Router& router) {
  router.Get("/api/v1/experiments", Permission::kRead | Scope::kListed, "Experiments", ListExperiments);
  router.Get("/api/v1/runs", Permission::kRead | Scope::kListed, "Runs that fit a filter, a page at a time", SearchRuns);
  router.Get("/api/v1/runs/{id}", Permission::kRead | Scope::kRun, "One run with its inputs and lineage", OneRun);
  router.Get("/api/v1/compare", Permission::kRead | Scope::kRun, "Several runs, in the order asked for", CompareRuns);
}

}  // namespace rondo::api
