// Logging metrics and params, and reading histories.
#include <fmt/format.h>

#include <algorithm>

#include "api/mlflow.h"

namespace rondo::api::mlflow {

Json WireMetric(const tracking::Metric& m) { return Json::MakeObject().Set("key", m.key).Set("value", WireDouble(m.value)).Set("timestamp", m.timestamp).Set("step", m.step); }

namespace {

constexpr int64_t kMaxHistory = 25'000;

/// Reads one metric; also into `model_metrics` when it names a logged model.
Status ReadMetric(const Args& args, tracking::LogBatch& batch) {
  tracking::Metric m;
  RONDO_TRY(m.key, args.Required("key"));
  RONDO_TRY(m.value, args.RequiredDouble("value"));
  RONDO_TRY(m.timestamp, args.RequiredInt("timestamp"));
  RONDO_TRY(m.step, args.Int("step", 0));
  RONDO_TRY(const std::string model, args.Text("model_id"));
  if (!model.empty()) {
    tracking::ModelMetric mm{m, model, {}, {}, {}};
    RONDO_TRY(mm.dataset_name, args.Text("dataset_name"));
    RONDO_TRY(mm.dataset_digest, args.Text("dataset_digest"));
    batch.model_metrics.push_back(std::move(mm));
  }
  batch.metrics.push_back(std::move(m));
  return {};
}

Result<Json> LogMetric(Request& r) {
  RONDO_TRY(const std::string id, r.args.RunId());
  tracking::LogBatch batch;
  RONDO_DO(ReadMetric(r.args, batch));
  RONDO_DO(r.workspace().tracking().Log(id, batch));
  return Json::MakeObject();
}

Result<Json> LogParam(Request& r) {
  RONDO_TRY(const std::string id, r.args.RunId());
  RONDO_TRY(const std::string key, r.args.Required("key"));
  RONDO_TRY(const std::string value, r.args.Text("value"));
  RONDO_DO(r.workspace().tracking().Log(id, {{}, {{key, value}}, {}}));
  return Json::MakeObject();
}

Result<Json> LogBatch(Request& r) {
  RONDO_TRY(const std::string id, r.args.RunId());
  tracking::LogBatch batch;
  RONDO_TRY(const auto metrics, r.args.Objects("metrics"));
  for (size_t i = 0; i < metrics.size(); ++i)
    if (Status status = ReadMetric(metrics[i], batch); !status) return Wrap(status.error(), fmt::format("metrics[{}]", i));
  RONDO_TRY(batch.params, r.args.KeyValues("params"));
  RONDO_TRY(batch.tags, r.args.KeyValues("tags"));
  RONDO_DO(r.workspace().tracking().Log(id, batch));
  return Json::MakeObject();
}

Result<Json> History(Request& r) {
  RONDO_TRY(const std::string id, r.args.RunId());
  RONDO_TRY(const std::string key, r.args.Required("metric_key"));
  RONDO_TRY(std::string token, r.args.Text("page_token"));
  RONDO_TRY(const int64_t most, r.args.Int("max_results", 0));
  RONDO_TRY(const auto history, r.workspace().tracking().MetricHistory(id, key, std::max<int64_t>(most, 0), token));
  Json metrics = Json::MakeArray();
  for (const auto& m : history) metrics.Push(WireMetric(m));
  Json out = Json::MakeObject();
  SetSome(out, "metrics", std::move(metrics));
  SetSome(out, "next_page_token", token);
  return out;
}

Result<std::vector<std::string>> RunIds(const Args& args, std::string_view name) {
  RONDO_TRY(auto ids, args.List(name));
  if (ids.empty()) return Fail(Code::kInvalid, fmt::format("Missing value for required parameter '{}'. See the API docs for more information about request parameters.", name));
  if (ids.size() > 100) return Fail(Code::kInvalid, fmt::format("GetMetricHistoryBulk request must specify at most 100 run_ids. Received {} run_ids.", ids.size()));
  return ids;
}

/// Up to `most` points spread evenly over the history, first and last among them.
std::vector<tracking::Metric> Sampled(std::vector<tracking::Metric> points, size_t most) {
  if (points.size() <= most) return points;
  std::vector<tracking::Metric> out;
  for (size_t i = 0; i < most; ++i) out.push_back(points[most == 1 ? points.size() - 1 : i * (points.size() - 1) / (most - 1)]);
  return out;
}

Result<Json> HistoryOfRuns(Request& r, std::string_view ids_name, bool sample) {
  RONDO_TRY(const auto ids, RunIds(r.args, ids_name));
  RONDO_TRY(const std::string key, r.args.Required("metric_key"));
  const bool ranged = r.args.Has("start_step");
  if (sample && ranged != r.args.Has("end_step")) return Fail(Code::kInvalid, "If either start_step or end_step are specified, both must be specified.");
  RONDO_TRY(const int64_t start, r.args.Int("start_step", 0));
  RONDO_TRY(const int64_t end, r.args.Int("end_step", 0));
  if (ranged && start > end) return Fail(Code::kInvalid, fmt::format("end_step must be greater than start_step. Found start_step={} and end_step={}.", start, end));
  RONDO_TRY(const int64_t most, r.args.Int("max_results", sample ? 320 : kMaxHistory));
  if (sample && (most < 1 || most > 2500)) return Fail(Code::kInvalid, "max_results must be between 1 and 2500.");
  Json metrics = Json::MakeArray();
  for (const std::string& id : ids) {
    std::string token;
    RONDO_TRY(auto points, r.workspace().tracking().MetricHistory(id, key, 0, token));
    if (ranged) std::erase_if(points, [&](const tracking::Metric& m) { return m.step < start || m.step > end; });
    std::stable_sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
    for (const auto& m : sample ? Sampled(std::move(points), static_cast<size_t>(most)) : std::move(points)) {
      if (!sample && static_cast<int64_t>(metrics.size()) >= std::min(most, kMaxHistory)) break;
      metrics.Push(WireMetric(m).Set("run_id", id));
    }
  }
  Json out = Json::MakeObject();
  out.Set("metrics", std::move(metrics));
  return out;
}
Result<Json> BulkInterval(Request& r) { return HistoryOfRuns(r, "run_ids", true); }
Result<Json> Bulk(Request& r) { return HistoryOfRuns(r, "run_id", false); }

constexpr Row kRows[] = {
    {"POST", "/runs/log-metric", Permission::kWrite | Scope::kRun, "Log a metric", LogMetric},
    {"POST", "/runs/log-parameter", Permission::kWrite | Scope::kRun, "Log a param", LogParam},
    {"POST", "/runs/log-batch", Permission::kWrite | Scope::kRun, "Log metrics, params and tags at once", LogBatch},
    {"GET", "/metrics/get-history", Permission::kRead | Scope::kRun, "All values of a metric", History},
    {"GET", "/metrics/get-history-bulk-interval", Permission::kRead | Scope::kRun, "A metric of several runs, thinned out", BulkInterval},
    {"GET", "/metrics/get-history-bulk-interval", Permission::kRead | Scope::kRun, "A metric of several runs, thinned out", BulkInterval, "2.11"},
    {"GET", "/metrics/get-history-bulk", Permission::kRead | Scope::kRun, "A metric of several runs", Bulk},
};

}  // namespace

void AddMetrics(Router& router) { AddRows(router, kRows); }

}  // namespace rondo::api::mlflow
