// Metric histories, reduced on the server so that a chart of 100 runs × 100,000 points stays quick.
#include <algorithm>
#include <cmath>
#include <set>

#include "api/series.h"
#include "api/v1.h"

namespace rondo::api {
namespace {

constexpr size_t kMostPoints = 2'000'000;  // of one metric of one run: beyond it the rest is left out

struct RunSeriesJson {
  std::string run;
  std::vector<MetricSeries> series;
};
BOOST_DESCRIBE_STRUCT(RunSeriesJson, (), (run, series))

Result<std::vector<tracking::Metric>> WholeHistory(Call& call, const std::string& run, const std::string& key) {
  std::vector<tracking::Metric> out;
  std::string token;
  do {
    RONDO_TRY(auto page, call.workspace().tracking().MetricHistory(run, key, 25'000, token));
    if (out.empty()) out = std::move(page);
    else out.insert(out.end(), page.begin(), page.end());
  } while (!token.empty() && out.size() < kMostPoints);
  return out;
}

Result<net::Response> Histories(Call& call) {
  RONDO_TRY(const auto ids, IdList(call, "runs", 100));
  RONDO_TRY(const int64_t points, call.QueryInt("points", 1000, 8, 20'000));
  std::set<std::string> wanted;
  if (!call.Query("keys").empty()) {
    RONDO_TRY(const auto keys, IdList(call, "keys", 1000));
    wanted.insert(keys.begin(), keys.end());
  }
  std::vector<RunSeriesJson> out;
  for (const std::string& id : ids) {
    RONDO_TRY(const tracking::Run run, call.workspace().tracking().GetRun(id));
    RunSeriesJson& row = out.emplace_back();
    row.run = id;
    for (const tracking::Metric& metric : run.metrics) {
      if (!wanted.empty() && !wanted.contains(metric.key)) continue;
      RONDO_TRY(auto history, WholeHistory(call, id, metric.key));
      row.series.push_back(Reduce(metric.key, std::move(history), static_cast<size_t>(points)));
    }
  }
  return JsonResponse(ToJson(out));
}

}  // namespace

MetricSeries Reduce(const std::string& key, std::vector<tracking::Metric> history, size_t points) {
  std::ranges::stable_sort(history, [](const tracking::Metric& a, const tracking::Metric& b) { return std::pair(a.step, a.timestamp) < std::pair(b.step, b.timestamp); });
  MetricSeries out;
  out.key = key;
  out.total = static_cast<int64_t>(history.size());
  const auto keep = [&](size_t i) {
    out.step.push_back(history[i].step);
    out.time.push_back(history[i].timestamp);
    out.value.push_back(history[i].value);
  };
  if (history.size() <= points) {
    for (size_t i = 0; i < history.size(); ++i) keep(i);
    return out;
  }
  const size_t buckets = std::max<size_t>(1, points / 4);
  for (size_t b = 0; b < buckets; ++b) {
    const size_t from = b * history.size() / buckets;
    const size_t to = (b + 1) * history.size() / buckets;
    if (from == to) continue;
    std::set<size_t> chosen = {from, to - 1};
    size_t low = to, high = to;
    bool gap = false;
    for (size_t i = from; i < to; ++i) {
      const double v = history[i].value;
      if (!std::isfinite(v)) {
        if (!gap) chosen.insert(i);
        gap = true;
        continue;
      }
      if (low == to || v < history[low].value) low = i;
      if (high == to || v > history[high].value) high = i;
    }
    if (low != to) chosen.insert({low, high});
    for (const size_t i : chosen) keep(i);
  }
  return out;
}

void AddV1Metrics(Router& router) { router.Get("/api/v1/metrics", Permission::kRead | Scope::kRun, "Metric histories of runs, reduced for charts", Histories); }

}  // namespace rondo::api
