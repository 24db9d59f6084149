// `rondo diff RUN RUN`: config, inputs, params and metrics of two runs, side by side.
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "cli/verbs.h"
#include "pipeline/journal.h"

namespace rondo::cli {
namespace {

/// What is known of one run, flat: section -> key -> text.
struct Facts {
  std::string id;
  std::map<std::string, std::map<std::string, std::string>> sections;
  std::map<std::string, double> metrics;
};

void Flatten(const std::string& prefix, const Json& value, std::map<std::string, std::string>& out) {
  if (value.IsObject()) {
    for (const auto& [key, child] : value.AsObject()) Flatten(prefix.empty() ? key : prefix + "." + key, child, out);
  } else if (value.IsArray() && !value.AsArray().empty() && (value[0].IsObject() || value[0].IsArray())) {
    // Lists of named things by their name, so that one more of them doesn't shift the rest.
    for (size_t i = 0; i < value.size(); ++i) {
      const std::string& name = value[i]["name"].AsString();
      Flatten(prefix + "." + (name.empty() ? std::to_string(i) : name), value[i], out);
    }
  } else {
    out[prefix] = value.IsString() ? value.AsString() : value.Dump();
  }
}

Result<Facts> FactsOf(workspace::Workspace& w, pipeline::Journal& journal, const std::string& text) {
  Facts facts;
  std::string pipeline_run = text, mlflow_run;
  auto record = journal.Run(text);
  if (!record && record.error().code == Code::kNotFound) {
    // An MLflow run: its tag names the pipeline run, when there was one.
    RONDO_TRY(const tracking::Run run, w.tracking().GetRun(text));
    mlflow_run = run.run_id;
    pipeline_run.clear();
    for (const auto& tag : run.tags)
      if (tag.key == "rondo.pipeline_run") pipeline_run = tag.value;
    if (!pipeline_run.empty()) record = journal.Run(pipeline_run);
  } else if (!record) {
    return std::unexpected(record.error());
  }
  if (record) {
    facts.id = record->id;
    mlflow_run = mlflow_run.empty() ? record->mlflow_run : mlflow_run;
    RONDO_TRY(const std::string config, journal.Config(record->id));
    RONDO_TRY(const Json json, ParseJson(config));
    Flatten("", json, facts.sections["config"]);
    facts.sections["run"]["status"] = record->status;
    facts.sections["run"]["trigger"] = record->trigger;
    facts.sections["run"]["commit"] = record->commit;
    for (const auto& stage : record->stages)
      for (const char* kind : {"deps", "outs"})
        for (const Json& path : stage.inputs[kind].AsArray()) facts.sections["content"][path["path"].AsString()] = path["md5"].AsString().substr(0, 12);
  }
  if (!mlflow_run.empty()) {
    RONDO_TRY(const tracking::Run run, w.tracking().GetRun(mlflow_run));
    if (facts.id.empty()) facts.id = run.run_id;
    for (const auto& p : run.params) facts.sections["params"][p.key] = p.value;
    for (const auto& m : run.metrics) facts.metrics[m.key] = m.value;
  }
  return facts;
}

}  // namespace

Result<int> Diff(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(auto journal, pipeline::Journal::Open(w->db(), w->clock()));
  RONDO_TRY(const Facts a, FactsOf(*w, journal, call.Arg(0)));
  RONDO_TRY(const Facts b, FactsOf(*w, journal, call.Arg(1)));
  Json out = Json::MakeObject().Set("before", a.id).Set("after", b.id);
  std::vector<std::vector<std::string>> rows = {{"what", "key", a.id.substr(0, 12), b.id.substr(0, 12), "change"}};
  const auto cut = [](const std::string& s) { return s.size() > 48 ? s.substr(0, 45) + "..." : s; };
  for (const char* section : {"run", "config", "content", "params"}) {
    const auto get = [&](const Facts& f) -> std::map<std::string, std::string> { return f.sections.contains(section) ? f.sections.at(section) : std::map<std::string, std::string>(); };
    const auto before = get(a), after = get(b);
    std::map<std::string, int> keys;
    for (const auto& [key, value] : before) keys[key] = 0;
    for (const auto& [key, value] : after) keys[key] = 0;
    Json changes = Json::MakeObject();
    for (const auto& [key, unused] : keys) {
      const auto x = before.find(key), y = after.find(key);
      // A run records only the stages that ran: what one of them has not is no difference of content.
      if (std::string_view(section) == "content" && (x == before.end() || y == after.end())) continue;
      if (x != before.end() && y != after.end() && x->second == y->second) continue;
      const std::string u = x == before.end() ? "" : x->second, v = y == after.end() ? "" : y->second;
      changes.Set(key, Json::MakeObject().Set("before", x == before.end() ? Json() : Json(u)).Set("after", y == after.end() ? Json() : Json(v)));
      rows.push_back({section, key, cut(u), cut(v), ""});
    }
    out.Set(section, changes);
  }
  std::map<std::string, std::pair<std::optional<double>, std::optional<double>>> metrics;
  for (const auto& [key, value] : a.metrics) metrics[key].first = value;
  for (const auto& [key, value] : b.metrics) metrics[key].second = value;
  Json changes = Json::MakeObject();
  for (const auto& [key, pair] : metrics) {
    const auto& [x, y] = pair;
    if (x && y && (*x == *y || (std::isnan(*x) && std::isnan(*y)))) continue;
    Json change = Json::MakeObject().Set("before", x ? Json(*x) : Json()).Set("after", y ? Json(*y) : Json());
    if (x && y) change.Set("difference", *y - *x);
    changes.Set(key, change);
    rows.push_back({"metric", key, x ? fmt::format("{:.6g}", *x) : "", y ? fmt::format("{:.6g}", *y) : "", x && y ? fmt::format("{:+.4g}", *y - *x) : ""});
  }
  out.Set("metrics", changes);
  if (call.json()) PrintJson(out);
  else if (rows.size() == 1) Print("no difference: config, content, params and metrics are the same");
  else PrintTable(rows);
  return 0;
}

}  // namespace rondo::cli
