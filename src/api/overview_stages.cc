// What each of the nine stages says: a state, its latest fact, its time.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "api/model_json.h"
#include "api/overview.h"
#include "project/spec.h"

namespace rondo::api {
namespace {

/// Which loop stage a pipeline stage belongs to.
std::string_view LoopStageOf(std::string_view stage) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kMap = {
      {{"ingest", "data"}, {"check", "data"}, {"profile", "data"}, {"split", "prepare"}, {"prepare", "prepare"}, {"train", "build"}, {"evaluate", "test"}, {"register", "test"}, {"deploy", "deploy"}}};
  for (const auto& [from, to] : kMap)
    if (from == stage) return to;
  return "";
}

/// A stage that runs or failed in the newest pipeline run speaks before anything older.
void FromRun(const LoopFacts& facts, LoopStage& out) {
  if (!facts.run) return;
  for (const pipeline::StageRecord& s : facts.run->stages) {
    if (LoopStageOf(s.name) != out.name) continue;
    if (s.status == "running") {
      out.state = "busy";
      out.detail = s.name + " runs";
    } else if (s.status == "failed") {
      out.state = "bad";
      out.fact = s.name + " failed";
      if (!s.summary.empty()) out.detail = s.summary;
    } else {
      continue;
    }
    out.time = s.ended.value_or(s.started);
    out.ref = Ref{"pipeline_run", facts.run->id, {}};
  }
}

std::string Grouped(int64_t n) {
  std::string text = std::to_string(n);
  for (auto at = static_cast<int64_t>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<size_t>(at), ",");
  return text;
}

std::string Percent(double share) { return fmt::format("{:.3g}%", share * 100); }

LoopStage ProblemStage(const LoopFacts& f) {
  LoopStage s{.name = "problem", .fact = "not stated", .detail = {}, .time = {}, .ref = {}};
  if (!f.project || !f.project->problem) return s;
  const project::Problem& p = *f.project->problem;
  s.fact = p.positive.empty() ? p.target : p.target + " = " + p.positive;
  const size_t gates = p.success.size();
  s.state = gates ? "ok" : "warn";
  s.detail = gates ? fmt::format("{} success {}", gates, gates == 1 ? "criterion" : "criteria") : "no success criteria: nothing can fail";
  return s;
}

LoopStage DataStage(const LoopFacts& f) {
  LoopStage s{.name = "data", .fact = "not ingested", .detail = {}, .time = {}, .ref = {}};
  if (f.dataset) {
    const data::DatasetVersion& d = *f.dataset;
    int64_t errors = 0, warnings = 0;
    for (const Json& a : d.check["anomalies"].AsArray()) ++(a["severity"].AsString() == "ERROR" ? errors : warnings);
    const bool checked = d.check.IsObject();
    s.state = !checked ? "busy" : errors ? "bad" : warnings ? "warn" : "ok";
    s.fact = fmt::format("{} v{}", d.dataset, d.number);
    s.detail = fmt::format("{} rows, {}", Grouped(d.rows), !checked ? "not checked yet" : errors ? fmt::format("{} contract {}", errors, errors == 1 ? "error" : "errors") : fmt::format("{} checks hold", d.check["checks"].AsInt()));
    s.time = d.time;
    s.ref = Ref{"dataset", fmt::format("{}/{}", d.dataset, d.number), {}};
  }
  FromRun(f, s);
  return s;
}

LoopStage PrepareStage(const LoopFacts& f) {
  LoopStage s{.name = "prepare", .fact = "not prepared", .detail = {}, .time = {}, .ref = {}};
  if (f.newest) {
    const int64_t features = f.newest->facts["train"]["features"].AsInt();
    const size_t inputs = f.newest->facts["signature"]["inputs"].size();
    s.state = "ok";
    s.fact = features ? fmt::format("{} → {} columns", inputs, features) : fmt::format("{} columns", inputs);
    s.time = f.newest->creation_time;
    s.ref = Ref{"run", f.newest->run_id, {}};
  }
  FromRun(f, s);
  return s;
}

LoopStage BuildStage(const LoopFacts& f) {
  LoopStage s{.name = "build", .fact = "no run yet", .detail = {}, .time = {}, .ref = {}};
  if (f.tracked) {
    const tracking::Run& r = *f.tracked;
    s.state = r.status == "FINISHED" ? "ok" : r.status == "FAILED" ? "bad" : r.status == "KILLED" ? "warn" : "busy";
    s.fact = r.run_name.empty() ? "run " + r.run_id.substr(0, 8) : r.run_name;
    for (const char* key : {"test_auc", "test_rmse", "test_accuracy", "validation_auc", "validation_rmse"}) {
      const auto it = std::ranges::find(r.metrics, key, &tracking::Metric::key);
      if (it == r.metrics.end()) continue;
      s.detail = fmt::format("{} {:.4g}", key, it->value);
      break;
    }
    s.time = r.end_time.value_or(r.start_time);
    s.ref = Ref{"run", r.run_id, {}};
  }
  FromRun(f, s);
  return s;
}

LoopStage TestStage(const LoopFacts& f) {
  LoopStage s{.name = "test", .fact = "nothing tested", .detail = {}, .time = {}, .ref = {}};
  if (f.newest) {
    const auto gates = GatesOf(*f.newest);
    const auto passed = std::ranges::count_if(gates, &model::GateResult::passed);
    const bool failed = std::ranges::any_of(gates, [](const model::GateResult& g) { return !g.passed && !g.warn; });
    s.state = failed ? "bad" : static_cast<size_t>(passed) < gates.size() || gates.empty() ? "warn" : "ok";
    s.fact = gates.empty() ? "no gates" : fmt::format("{} of {} gates", passed, gates.size());
    s.detail = fmt::format("{} v{}", f.newest->name, f.newest->version);
    s.time = f.newest->creation_time;
    s.ref = Ref{"version", fmt::format("{}/{}", f.newest->name, f.newest->version), {}};
  }
  FromRun(f, s);
  return s;
}

LoopStage DeployStage(const LoopFacts& f) {
  LoopStage s{.name = "deploy", .fact = "nothing served", .detail = {}, .time = {}, .ref = {}};
  if (f.endpoint && f.champion) {
    s.state = "ok";
    s.fact = fmt::format("v{} answers", f.champion->version);
    s.ref = Ref{"endpoint", f.endpoint->name, {}};
    s.time = f.champion->last_update_time;
    if (f.rollout) {
      const serving::Rollout& r = *f.rollout;
      s.time = r.end_time.value_or(r.step_time);
      if (r.going_on()) {
        const serving::Stage* stage = r.stage();
        s.state = r.state == "running" ? "busy" : "warn";
        s.fact = stage && stage->shadow ? fmt::format("v{} shadows", r.version) : fmt::format("{} v{}", Percent(stage ? stage->share : 1), r.version);
        s.detail = fmt::format("{}, step {} of {}{}", r.plan.strategy, r.step + 1, r.plan.stages.size(), r.state == "running" ? "" : r.state == "waiting" ? ", waits for approval" : ", paused");
      } else if (r.state == "rolled_back" || r.state == "aborted") {
        s.detail = fmt::format("v{} was {}", r.version, r.state == "aborted" ? "stopped" : "rolled back");
      }
    }
  }
  FromRun(f, s);
  return s;
}

LoopStage MonitorStage(const LoopFacts& f) {
  LoopStage s{.name = "monitor", .fact = "no traffic", .detail = {}, .time = {}, .ref = {}};
  const int64_t rows = f.monitor["rows"].AsInt();
  if (rows == 0) return s;
  const WindowNews news = NewestWindow(f.monitor);
  if (news.index < 0) {
    s.fact = Grouped(rows) + " predictions";
    s.detail = "the first window is open";
    return s;
  }
  s.time = news.end;
  const auto& names = news.drifting.empty() ? news.defective : news.drifting;
  if (names.empty()) {
    s.state = "ok";
    s.fact = "no drift";
    s.detail = fmt::format("{} predictions, {} windows", Grouped(rows), f.monitor["windows"].AsInt());
    return s;
  }
  s.state = "warn";
  s.fact = names.size() == 1 ? names[0] + (news.drifting.empty() ? " has bad values" : " drifts") : fmt::format("{} columns {}", names.size(), news.drifting.empty() ? "have bad values" : "drift");
  s.detail = fmt::format("window {}", news.index);
  for (const Json& column : f.monitor["columns"].AsArray())
    if (column["name"].AsString() == names[0])
      for (const Json& cell : column["windows"].AsArray())
        if (cell["index"].AsInt(-1) == news.index && cell["psi"].IsNumber()) s.detail = fmt::format("PSI {:.2f} in window {}", cell["psi"].AsDouble(), news.index);
  return s;
}

LoopStage FeedbackStage(const LoopFacts& f) {
  LoopStage s{.name = "feedback", .fact = "no labels yet", .detail = {}, .time = {}, .ref = {}};
  const Json point = NewestPerformance(f.monitor);
  if (point.IsNull()) return s;
  const std::string& metric = point["metric"].AsString();
  const bool failed = point["failed"].AsBool();
  s.state = failed ? "bad" : "ok";
  const Json& baseline = f.monitor["baseline"];
  s.fact = baseline["metric"].AsString() == metric && baseline["value"].IsNumber() ? fmt::format("{} {:.3f} → {:.3f}", metric, baseline["value"].AsDouble(), point["value"].AsDouble())
                                                                                   : fmt::format("{} {:.3f}", metric, point["value"].AsDouble());
  const int64_t rows = point["rows"].AsInt(), labelled = point["labelled"].AsInt();
  s.detail = fmt::format("{} labelled, window {}", rows ? Percent(static_cast<double>(labelled) / static_cast<double>(rows)) : "0%", point["index"].AsInt());
  s.time = point["end"].AsInt();
  return s;
}

LoopStage RetrainStage(const LoopFacts& f) {
  LoopStage s{.name = "retrain", .fact = "by hand", .detail = {}, .time = {}, .ref = {}};
  if (f.project && f.project->retrain.enabled) {
    const project::Retrain& r = f.project->retrain;
    std::string when;
    const auto add = [&](bool on, const std::string& what) {
      if (on) when += (when.empty() ? "" : ", ") + what;
    };
    add(r.on_drift, "drift");
    add(r.on_performance, "performance");
    add(r.on_data, "data");
    add(r.on_labels > 0, fmt::format("{} labels", r.on_labels));
    add(!r.cron.empty(), "cron");
    s.state = "ok";
    s.fact = "ready";
    s.detail = "on " + when;
  }
  if (!f.retrains.empty()) {
    const monitor::RetrainRecord& last = f.retrains.front();
    s.fact = last.started ? "after " + last.kind : "held back";
    s.detail = last.why;
    s.time = last.time;
    if (last.started && !last.run.empty()) s.ref = Ref{"pipeline_run", last.run, {}};
  }
  if (f.run && f.run->status == "running" && !StartedByPerson(*f.run)) {
    s.state = "busy";
    s.fact = "runs";
    s.detail = "for " + f.run->trigger;
    s.time = f.run->started;
    s.ref = Ref{"pipeline_run", f.run->id, {}};
  }
  return s;
}

}  // namespace

WindowNews NewestWindow(const Json& monitor) {
  WindowNews news;
  for (const Json& w : monitor["list"].AsArray())
    if (w["closed"].AsBool()) {
      news.index = w["index"].AsInt();
      news.end = w["end"].AsInt();
    }
  if (news.index < 0) return news;
  for (const Json& column : monitor["columns"].AsArray())
    for (const Json& cell : column["windows"].AsArray()) {
      if (cell["index"].AsInt(-1) != news.index) continue;
      if (cell["verdict"].AsString() == "drift") news.drifting.push_back(column["name"].AsString());
      if (cell["verdict"].AsString() == "quality") news.defective.push_back(column["name"].AsString());
    }
  return news;
}

Json NewestPerformance(const Json& monitor) {
  const std::string& wanted = monitor["baseline"]["metric"].AsString();
  Json found;
  for (const Json& point : monitor["performance"].AsArray()) {
    if (point["labelled"].AsInt() == 0 || !std::isfinite(point["value"].AsDouble(std::nan("")))) continue;
    if (!wanted.empty() && point["metric"].AsString() != wanted) continue;
    if (found.IsNull() || point["index"].AsInt() >= found["index"].AsInt()) found = point;
  }
  return found;
}

bool StartedByPerson(const pipeline::RunRecord& run) { return run.trigger == "manual" || run.trigger == "api"; }

std::vector<const monitor::Alarm*> OpenAlarms(const LoopFacts& facts) {
  constexpr int64_t kWeek = 7ll * 86'400'000;
  std::vector<const monitor::Alarm*> out;
  for (const monitor::Alarm& a : facts.alarms) {
    if (a.state != "open" || facts.now - std::max(a.time, a.last_time) > kWeek) continue;
    if (facts.champion && a.version != facts.champion->version) continue;
    out.push_back(&a);
  }
  return out;
}

std::vector<LoopStage> LoopStages(const LoopFacts& f) {
  return {ProblemStage(f), DataStage(f), PrepareStage(f), BuildStage(f), TestStage(f), DeployStage(f), MonitorStage(f), FeedbackStage(f), RetrainStage(f)};
}

}  // namespace rondo::api
