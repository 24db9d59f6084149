// An endpoint as JSON: type Endpoint of docs/api.md.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/json_map.h"
#include "serving/live.h"

namespace rondo::serving {
namespace {

Json LatencyJson(const ArmNumbers& numbers) {
  const auto at = [&](double q) { return numbers.answered() > 0 ? Json(numbers.LatencyMs(q)) : Json(); };
  return Json::MakeObject().Set("p50", at(0.5)).Set("p95", at(0.95)).Set("p99", at(0.99));
}

Json ScoresJson(const std::vector<float>& scores, double low, double high) {
  constexpr size_t kBins = 20;
  std::vector<int64_t> counts(kBins);
  for (const float s : scores) {
    const double place = (static_cast<double>(s) - low) / (high - low) * kBins;
    ++counts[std::min(kBins - 1, static_cast<size_t>(std::max(0.0, place)))];
  }
  return Json::MakeObject().Set("low", low).Set("high", high).Set("counts", Json(counts));
}

Json RolloutJson(const Rollout& r) {
  Json steps = Json::MakeArray();
  for (const Stage& stage : r.plan.stages) steps.Push(stage.share);
  steps.Push(1.0);
  Json guards = Json::MakeArray();
  for (const Json& guard : r.verdict["guards"].AsArray()) guards.Push(guard);
  if (guards.size() == 0)
    for (const project::Gate& gate : r.plan.guard) {
      GuardVerdict none;
      none.guard = gate.text;
      none.limit = gate.champion ? std::nan("") : gate.limit;
      none.why = "not judged yet";
      guards.Push(rondo::ToJson(none));
    }
  Json out = Json::MakeObject()
                 .Set("id", r.id)
                 .Set("kind", r.plan.strategy)
                 .Set("state", r.state)
                 .Set("to", r.version)
                 .Set("steps", steps)
                 .Set("step", r.state == "promoted" ? static_cast<int64_t>(r.plan.stages.size()) : r.step)
                 .Set("started", r.creation_time)
                 .Set("hold", Json::MakeObject().Set("requests", r.plan.hold.requests).Set("time_ms", r.plan.hold.time_ms))
                 .Set("progress", Json::MakeObject().Set("requests", r.verdict["requests"].AsInt()).Set("time_ms", r.verdict["time_ms"].AsInt()))
                 .Set("guards", guards)
                 .Set("sample_ratio_p", r.verdict["sample_ratio_p"].AsDouble(1))
                 .Set("by", r.actor)
                 .Set("reason", r.reason)
                 .Set("why", r.why);
  if (r.previous) out.Set("from", *r.previous);
  if (r.end_time) out.Set("ended", *r.end_time);
  return out;
}

/// Levels and an ordinary value of a column, from the reference profile that the version was registered with.
void AddHints(const Json& reference, const std::string& name, Json& input) {
  for (const Json& column : reference["columns"].AsArray()) {
    if (column["name"].AsString() != name) continue;
    const Json::Array& levels = column["levels"].AsArray();
    if (!levels.empty() && levels.size() <= 30) input.Set("values", column["levels"]);
    if (!levels.empty()) {
      input.Set("example", levels[0]);
    } else if (const Json::Array& centers = column["centers"].AsArray(); !centers.empty() && column["kind"].AsString() == "number") {
      const double center = centers[centers.size() / 2].AsDouble();
      input.Set("example", input["type"].AsString() == "float" ? Json(std::round(center * 100) / 100) : Json(static_cast<int64_t>(std::llround(center))));
    }
  }
}

}  // namespace

Result<Json> LiveEndpoint::Describe() {
  RONDO_TRY(const auto newest, Rollouts(workspace_, endpoint_->name(), 1));
  RONDO_TRY(const auto events, Events(workspace_, endpoint_->name(), 50));
  const auto snapshot = endpoint_->snapshot();
  Json variants = Json::MakeArray(), inputs = Json::MakeArray();
  int64_t requests = endpoint_->bad_requests(), errors = 0;
  if (snapshot) {
    std::vector<ArmNumbers> numbers;
    double low = 0, high = 1;
    for (const Variant& v : snapshot->variants) {
      numbers.push_back(v.life->Read());
      requests += v.role == Role::kShadow ? 0 : numbers.back().requests;
      errors += v.role == Role::kShadow ? 0 : numbers.back().errors;
    }
    if (snapshot->champion().model->signature().task == project::Task::regression) {
      low = INFINITY;
      high = -INFINITY;
      for (const ArmNumbers& n : numbers)
        for (const float s : n.scores) {
          low = std::min(low, static_cast<double>(s));
          high = std::max(high, static_cast<double>(s));
        }
      if (!(high > low)) high = (low = std::isfinite(low) ? low : 0) + 1;
    }
    double rest = 1;
    for (const Variant& v : snapshot->variants) rest -= static_cast<double>(v.buckets) / 10'000;
    for (size_t i = 0; i < snapshot->variants.size(); ++i) {
      const Variant& v = snapshot->variants[i];
      Json variant = Json::MakeObject()
                         .Set("role", RoleName(v.role))
                         .Set("model", v.model->name())
                         .Set("version", v.model->version())
                         .Set("weight", v.role == Role::kChampion ? rest : static_cast<double>(v.buckets) / 10'000)
                         .Set("requests", numbers[i].requests)
                         .Set("errors", numbers[i].errors)
                         .Set("latency_ms", LatencyJson(numbers[i]))
                         .Set("runtime", v.model->scorer().runtime());
      if (!numbers[i].scores.empty()) variant.Set("scores", ScoresJson(numbers[i].scores, low, high));
      variants.Push(std::move(variant));
    }
    const LoadedModel& champion = *snapshot->champion().model;
    if (hints_of_ != champion.version()) {
      hints_of_ = champion.version();
      hints_ = Json();
      if (auto version = workspace_.registry().GetVersion(champion.name(), champion.version())) {
        const std::string root = version->source.substr(0, version->source.rfind('/'));
        auto file = workspace_.ArtifactPath(root, "reference.json");
        if (auto text = file ? ReadFile(*file, 64u << 20) : Result<std::string>(std::unexpected(file.error())))
          if (auto json = ParseJson(*text)) hints_ = std::move(*json);
      }
    }
    for (const ServedColumn& column : champion.columns().list()) {
      Json input = Json::MakeObject().Set("name", column.name).Set("type", column.type);
      AddHints(hints_, column.name, input);
      inputs.Push(std::move(input));
    }
  }
  std::string state = !snapshot ? "idle" : rollout_ ? "busy" : "ok";
  if (rollout_ && (rollout_->state == "paused" || rollout_->state == "waiting")) state = "warn";
  if (!problem_.empty()) state = "bad";
  Json out = Json::MakeObject().Set("name", endpoint_->name()).Set("model", endpoint_->model()).Set("state", state).Set("variants", variants);
  if (!problem_.empty()) out.Set("problem", problem_);
  if (rollout_ && rollout_->state == "running" && !verdict_.guards.empty()) {
    Rollout live = *rollout_;
    live.verdict = rondo::ToJson(verdict_);
    live.why = verdict_.why;
    out.Set("rollout", RolloutJson(live));
  } else if (!newest.empty()) {
    out.Set("rollout", RolloutJson(newest[0]));
  }
  Json list = Json::MakeArray();
  for (const EndpointEvent& e : events)
    list.Push(Json::MakeObject().Set("time", e.time).Set("actor", e.actor).Set("action", e.action).Set("text", e.text).Set("rollout", e.rollout).Set("data", e.data));
  out.Set("events", list).Set("requests", requests).Set("errors", errors).Set("since", since_);
  RONDO_TRY(const auto previous, PreviousChampion(workspace_, endpoint_->model()));
  if (previous) out.Set("previous", *previous);
  return out.Set("inputs", inputs);
}

}  // namespace rondo::serving
