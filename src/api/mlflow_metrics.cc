// Logging metrics and params, and reading histories.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

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
  for (const Args& metric : metrics) RONDO_DO(ReadMetric(metric, batch));
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

constexpr size_t kMaxRuns = 100;
constexpr int64_t kMaxSampled = 2500;

/// Metric histories of several runs for MLflow's pages, without thinning.
Result<Json> Bulk(Request& r) {
  RONDO_TRY(auto ids, r.args.List("run_id"));
  if (ids.empty()) return Fail(Code::kInvalid, "GetMetricHistoryBulk request must specify at least one run_id.");
  if (ids.size() > kMaxRuns) return Fail(Code::kInvalid, fmt::format("GetMetricHistoryBulk request cannot specify more than {} run_ids. Received {} run_ids.", kMaxRuns, ids.size()));
  if (!r.args.Has("metric_key")) return Fail(Code::kInvalid, "GetMetricHistoryBulk request must specify a metric_key.");
  RONDO_TRY(const std::string key, r.args.Text("metric_key"));
  RONDO_TRY(const int64_t wanted, r.args.Int("max_results", kMaxHistory));
  const auto most = static_cast<size_t>(std::clamp<int64_t>(wanted, 0, kMaxHistory));
  std::sort(ids.begin(), ids.end());
  Json metrics = Json::MakeArray();
  for (const std::string& id : ids) {
    if (metrics.size() >= most) break;
    std::string token;
    RONDO_TRY(const auto points, r.workspace().tracking().MetricHistory(id, key, static_cast<int64_t>(most - metrics.size()), token));
    for (const auto& m : points) metrics.Push(WireMetric(m).Set("run_id", id));
  }
  return Json::MakeObject().Set("metrics", std::move(metrics));
}

/// The steps that are shown: MLflow's even choice over the steps of all runs, the last one, each run's first and last, and those of each run's
/// lowest and highest value, so that no spike is lost.
std::set<int64_t> SampledSteps(const std::vector<std::vector<tracking::Metric>>& runs, size_t most) {
  std::set<int64_t> all;
  for (const auto& points : runs)
    for (const auto& m : points) all.insert(m.step);
  if (all.size() <= most) return all;
  const std::vector<int64_t> steps(all.begin(), all.end());
  std::set<int64_t> out = {steps.back()};
  for (size_t i = 0; i < most; ++i) out.insert(steps[i * steps.size() / most]);
  for (const auto& points : runs) {
    const tracking::Metric *low = nullptr, *high = nullptr;
    for (const auto& m : points) {
      if (std::isnan(m.value)) continue;
      if (!low || m.value < low->value) low = &m;
      if (!high || m.value > high->value) high = &m;
    }
    if (points.empty()) continue;
    out.insert(points.front().step);
    out.insert(points.back().step);
    if (low) out.insert({low->step, high->step});
  }
  return out;
}

Result<Json> BulkInterval(Request& r) {
  RONDO_TRY(const auto ids, r.args.List("run_ids"));
  if (ids.empty()) return Fail(Code::kInvalid, "Missing value for required parameter 'run_ids'. See the API docs for more information about request parameters.");
  if (ids.size() > kMaxRuns) return Fail(Code::kInvalid, fmt::format("GetMetricHistoryBulkInterval request must specify at most {} run_ids. Received {} run_ids.", kMaxRuns, ids.size()));
  RONDO_TRY(const std::string key, r.args.Required("metric_key"));
  RONDO_TRY(const int64_t most, r.args.Int("max_results", kMaxSampled));
  if ((r.args.Has("max_results") && most < 1) || most > kMaxSampled) return Fail(Code::kInvalid, fmt::format("max_results must be between 1 and {}.", kMaxSampled));
  const bool ranged = r.args.Has("start_step");
  if (ranged != r.args.Has("end_step")) return Fail(Code::kInvalid, "If either start step or end step are specified, both must be specified.");
  RONDO_TRY(const int64_t start, r.args.Int("start_step", 0));
  RONDO_TRY(const int64_t end, r.args.Int("end_step", 0));
  if (ranged && start > end) return Fail(Code::kInvalid, fmt::format("end_step must be greater than start_step. Found start_step={} and end_step={}.", start, end));
  std::vector<std::vector<tracking::Metric>> runs;
  for (const std::string& id : ids) {
    std::string token;
    RONDO_TRY(auto points, r.workspace().tracking().MetricHistory(id, key, 0, token));
    if (ranged) std::erase_if(points, [&](const tracking::Metric& m) { return m.step < start || m.step > end; });
    std::stable_sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
    runs.push_back(std::move(points));
  }
  const std::set<int64_t> steps = SampledSteps(runs, static_cast<size_t>(most));
  Json metrics = Json::MakeArray();
  for (size_t i = 0; i < runs.size(); ++i)
    for (const auto& m : runs[i])
      if (steps.contains(m.step)) metrics.Push(WireMetric(m).Set("run_id", ids[i]));
  Json out = Json::MakeObject();
  SetSome(out, "metrics", std::move(metrics));
  return out;
}

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
