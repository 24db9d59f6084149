// Experiments and runs for the pages: rows as maps, so that a table picks its columns.
#include <fmt/format.h>

#include <array>
#include <map>
#include <set>

#include "api/v1.h"
#include "tracking/tracking.h"

namespace rondo::api {
namespace {

struct ExperimentJson {
  std::string id, name;
  int64_t updated = 0;
  std::map<std::string, std::string> views;  ///< saved in tags "rondo.view.NAME": the page's query
};
BOOST_DESCRIBE_STRUCT(ExperimentJson, (), (id, name, updated, views))

struct RunJson {
  std::string id, name, experiment_id, user, status;
  int64_t start = 0;
  std::optional<int64_t> end;
  std::map<std::string, double> metrics;
  std::map<std::string, std::string> params, tags;
};
BOOST_DESCRIBE_STRUCT(RunJson, (), (id, name, experiment_id, user, status, start, end, metrics, params, tags))

struct RunKeysJson {
  std::vector<std::string> metrics, params, tags;
};
BOOST_DESCRIBE_STRUCT(RunKeysJson, (), (metrics, params, tags))

struct RunPageJson {
  std::vector<RunJson> runs;
  RunKeysJson keys;  ///< what the runs of this page have, also where a row leaves it out
  std::string next_page_token;
};
BOOST_DESCRIBE_STRUCT(RunPageJson, (), (runs, keys, next_page_token))

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
constexpr size_t kMostKeys = 5000;
constexpr size_t kRowKeys = 40;  ///< of each kind, in a row for which no columns were asked
constexpr std::string_view kViewTag = "rondo.view.";

/// The columns of a table: which of a run's many values its row carries.
struct Columns {
  bool chosen = false;
  std::set<std::string, std::less<>> metrics, params, tags;
};
/// "m.auc,p.depth,t.team"
Columns ReadColumns(const std::string& text) {
  Columns out;
  for (size_t at = 0; at < text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    const std::string_view one = std::string_view(text).substr(at, comma - at);
    at = comma + 1;
    if (one.size() < 3 || one[1] != '.') continue;
    out.chosen = true;
    (one[0] == 'm' ? out.metrics : one[0] == 'p' ? out.params : out.tags).emplace(one.substr(2));
  }
  return out;
}
bool ShownTag(std::string_view key) { return key.starts_with("mlflow.source.git") || key.starts_with("rondo.") || !key.starts_with("mlflow."); }

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
    if (whole || ShownTag(t.key)) out.tags[t.key] = text(t.value);
}

/// A row of the table; the names of all that the run has go into `keys`.
void FillRow(RunJson& out, const tracking::Run& run, const Columns& columns, std::array<std::set<std::string, std::less<>>, 3>& keys) {
  FillRun(out, run, false);
  const auto cut = [&](auto& values, const std::set<std::string, std::less<>>& wanted, std::set<std::string, std::less<>>& seen) {
    size_t kept = 0;
    for (auto it = values.begin(); it != values.end();) {
      if (seen.size() < kMostKeys) seen.insert(it->first);
      const bool keep = columns.chosen ? wanted.contains(it->first) : kept < kRowKeys;
      kept += keep;
      it = keep ? std::next(it) : values.erase(it);
    }
  };
  cut(out.metrics, columns.metrics, keys[0]);
  cut(out.params, columns.params, keys[1]);
  const auto commit = out.tags.find("mlflow.source.git.commit");
  const std::optional<std::string> kept = commit == out.tags.end() ? std::nullopt : std::optional(commit->second);
  cut(out.tags, columns.tags, keys[2]);
  if (kept) out.tags["mlflow.source.git.commit"] = *kept;
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
  for (const tracking::Experiment& e : all) {
    ExperimentJson& row = out.emplace_back();
    row.id = e.experiment_id;
    row.name = e.name;
    row.updated = e.last_update_time;
    for (const tracking::KeyValue& t : e.tags)
      if (t.key.starts_with(kViewTag)) row.views[t.key.substr(kViewTag.size())] = t.value;
  }
  return JsonResponse(ToJson(out));
}

Result<net::Response> SearchRuns(Call& call) {
  tracking::RunQuery query;
  if (const std::string experiment = call.Query("experiment"); !experiment.empty()) {
    RONDO_TRY(query.experiment_ids, call.ReadableExperiments({experiment}));
  } else {
    RONDO_TRY(const auto all, AllExperiments(call));
    const std::string folder = call.Query("folder");
    for (const tracking::Experiment& e : all)
      if (folder.empty() || e.name == folder || e.name.starts_with(folder + "/")) query.experiment_ids.push_back(e.experiment_id);
  }
  query.filter = call.Query("filter");
  if (const std::string order = call.Query("order_by"); !order.empty()) query.order_by = {order};
  RONDO_TRY(query.max_results, call.QueryInt("max", 500, 1, 5000));
  query.page_token = call.Query("page_token");
  const Columns columns = ReadColumns(call.Query("cols"));
  RunPageJson out;
  std::array<std::set<std::string, std::less<>>, 3> keys;
  if (!query.experiment_ids.empty()) {
    RONDO_TRY(const tracking::RunPage page, call.workspace().tracking().SearchRuns(query));
    out.runs.reserve(page.runs.size());
    for (const tracking::Run& run : page.runs) FillRow(out.runs.emplace_back(), run, columns, keys);
    out.next_page_token = page.next_page_token;
  }
  out.keys.metrics.assign(keys[0].begin(), keys[0].end());
  out.keys.params.assign(keys[1].begin(), keys[1].end());
  out.keys.tags.assign(keys[2].begin(), keys[2].end());
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
  router.Get("/api/v1/experiments", Permission::kRead | Scope::kListed, "Experiments", ListExperiments).Answers<std::vector<ExperimentJson>>();
  router.Get("/api/v1/runs", Permission::kRead | Scope::kListed, "Runs that fit a filter, a page at a time", SearchRuns).Answers<RunPageJson>();
  router.Get("/api/v1/runs/{id}", Permission::kRead | Scope::kRun, "One run with its inputs and lineage", OneRun).Answers<RunDetailJson>();
  router.Get("/api/v1/compare", Permission::kRead | Scope::kRun, "Several runs, in the order asked for", CompareRuns).Answers<std::vector<RunDetailJson>>();
}

}  // namespace rondo::api
