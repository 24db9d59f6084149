// Metric histories for charts: a few points per pixel column, as columns of numbers.
#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "api/v1.h"
#include "tracking/curves.h"

namespace rondo::api {
namespace {

struct CurveKeyJson {
  std::string key;
  int64_t runs = 0, curves = 0;
};
BOOST_DESCRIBE_STRUCT(CurveKeyJson, (), (key, runs, curves))

/// What Write writes.
struct CurveJson {
  std::string run, key;
  int64_t total = 0;
  bool exact = true;
  std::vector<int64_t> x;
  std::vector<double> value;
};
BOOST_DESCRIBE_STRUCT(CurveJson, (), (run, key, total, exact, x, value))

Result<std::optional<int64_t>> OptionalInt(const Call& call, std::string_view name) {
  if (call.Query(name).empty()) return std::optional<int64_t>();
  RONDO_TRY(const int64_t value, call.QueryInt(name, 0, INT64_MIN, INT64_MAX));
  return std::optional(value);
}

/// A hundred curves have some hundred thousand numbers: they are written straight, without a tree in between.
std::string Write(const std::vector<tracking::Curve>& curves) {
  std::string out = "[";
  const auto add = std::back_inserter(out);
  for (const tracking::Curve& c : curves) {
    if (out.size() > 1) out += ',';
    fmt::format_to(add, R"({{"run":"{}","key":{},"total":{},"exact":{},"x":[)", c.run_id, Json(c.key).Dump(), c.total, c.exact);
    for (size_t i = 0; i < c.x.size(); ++i) {
      if (i) out += ',';
      fmt::format_to(add, "{}", c.x[i]);
    }
    out += R"(],"value":[)";
    for (size_t i = 0; i < c.value.size(); ++i) {
      if (i) out += ',';
      if (std::isfinite(c.value[i])) fmt::format_to(add, "{}", c.value[i]);
      else out += std::isnan(c.value[i]) ? R"("NaN")" : c.value[i] > 0 ? R"("Infinity")" : R"("-Infinity")";
    }
    out += "]}";
  }
  return out + "]";
}

Result<net::Response> Curves(Call& call) {
  tracking::CurveQuery query;
  RONDO_TRY(query.run_ids, IdList(call, "runs", 100));
  if (!call.Query("keys").empty()) {
    RONDO_TRY(query.keys, IdList(call, "keys", 1000));
  }
  const std::string axis = call.Query("axis", "step");
  if (axis == "time") query.axis = tracking::CurveAxis::kTime;
  else if (axis == "relative") query.axis = tracking::CurveAxis::kRelative;
  else if (axis != "step") return Fail(Code::kInvalid, fmt::format("axis is \"{}\"", axis), "it is step, time or relative");
  RONDO_TRY(query.from, OptionalInt(call, "from"));
  RONDO_TRY(query.to, OptionalInt(call, "to"));
  if (query.from && query.to && *query.from > *query.to) return Fail(Code::kInvalid, fmt::format("from ({}) is after to ({})", *query.from, *query.to));
  RONDO_TRY(const int64_t columns, call.QueryInt("columns", 300, 2, 4000));
  query.columns = static_cast<size_t>(columns);
  RONDO_TRY(const auto curves, tracking::ReadCurves(call.workspace().db(), query));
  return net::Response{200, "application/json", {}, Write(curves), {}};
}

Result<net::Response> Keys(Call& call) {
  RONDO_TRY(const auto ids, IdList(call, "runs", 100));
  RONDO_TRY(const auto keys, tracking::ReadCurveKeys(call.workspace().db(), ids));
  std::vector<CurveKeyJson> out;
  for (const tracking::CurveKey& k : keys) out.push_back({k.key, k.runs, k.curves});
  return JsonResponse(ToJson(out));
}

}  // namespace

void AddV1Metrics(Router& router) {
  router.Get("/api/v1/metrics", Permission::kRead | Scope::kRun, "Metric histories of runs, cut to what a chart can show", Curves).Answers<std::vector<CurveJson>>();
  router.Get("/api/v1/metrics/keys", Permission::kRead | Scope::kRun, "Which metrics of some runs have a history", Keys).Answers<std::vector<CurveKeyJson>>();
}

}  // namespace rondo::api
