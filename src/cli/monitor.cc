// Watching: the monitor's view, alarms, labels.
#include "monitor/monitor.h"

#include <fmt/format.h>

#include <cmath>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_map.h"
#include "cli/verbs.h"
#include "monitor/label_file.h"
#include "project/reader.h"

namespace rondo::cli {
namespace {

/// A monitor without its thread, with the settings of the project around the present folder (or the defaults).
struct Opened {
  std::unique_ptr<workspace::Workspace> workspace;
  std::unique_ptr<monitor::Monitor> monitor;
  std::optional<project::Project> project;
};

Result<Opened> Open(const Call& call) {
  Opened o;
  RONDO_TRY(o.workspace, call.OpenWorkspace());
  monitor::MonitorOptions options;
  if (const auto root = project::FindProjectRoot(fs::current_path())) {
    std::error_code ec;
    if (fs::exists(*root / "rondo.yaml", ec)) {
      RONDO_TRY(o.project, project::LoadProject(*root / "rondo.yaml"));
      options.spec = o.project->monitor;
      options.retrain = o.project->retrain;
    }
  }
  RONDO_TRY(o.monitor, monitor::Monitor::Open(*o.workspace, std::move(options)));
  return o;
}

Result<std::string> EndpointOf(const Call& call, const Opened& o, const std::string& given) {
  if (!given.empty()) return given;
  if (!call.Value("--endpoint").empty()) return call.Value("--endpoint");
  if (o.project && o.project->deploy) return o.project->deploy->endpoint;
  RONDO_TRY(const auto endpoints, db::Fetch<std::vector<std::string>>(o.workspace->db(), [](db::Session& s) { return monitor::WatchedEndpoints(s); }));
  if (endpoints.size() == 1) return endpoints[0];
  return Fail(Code::kInvalid, "which endpoint?", "name it: --endpoint NAME");
}

/// "-" for what isn't known.
std::string Number(const Json& j, fmt::format_string<double> format, double factor = 1) {
  return j.IsNumber() && std::isfinite(j.AsDouble()) ? fmt::format(format, factor * j.AsDouble()) : "-";
}

void PrintColumns(const Json& view) {
  std::vector<std::vector<std::string>> rows = {{"column", "rows", "PSI", "effect", "p", "q", "missing", "verdict"}};
  const auto add = [&](const Json& column) {
    const auto& cells = column["windows"].AsArray();
    if (cells.empty()) return;
    const Json& c = cells.back();
    const std::string verdict = c["verdict"].AsString();
    rows.push_back({column["name"].AsString(), c["rows"].Dump(), Number(c["psi"], "{:.3f}"), Number(c["effect"], "{:.3f}"), Number(c["p"], "{:.2g}"), Number(c["q"], "{:.2g}"),
                    Number(c["nulls"], "{:.1f} %", 100), verdict == "drift" || verdict == "quality" ? Bad(verdict) : verdict});
  };
  for (const Json& column : view["columns"].AsArray()) add(column);
  if (!view["scores"].IsNull()) add(view["scores"]);
  if (!view["decisions"].IsNull()) add(view["decisions"]);
  PrintTable(rows);
}

void PrintPerformance(const Json& view) {
  std::vector<std::vector<std::string>> rows = {{"window", "from", "predictions", "labelled", "metric", "value", "95 % interval"}};
  for (const Json& p : view["performance"].AsArray())
    rows.push_back({p["index"].Dump(), FormatTime(p["start"].AsInt()).substr(0, 16), p["rows"].Dump(), Number(p["coverage"], "{:.0f} %", 100), p["metric"].AsString(), Number(p["value"], "{:.4f}"),
                    fmt::format("{} to {}", Number(p["low"], "{:.4f}"), Number(p["high"], "{:.4f}"))});
  if (rows.size() > 1) {
    Print("");
    PrintTable(rows);
  }
}

}  // namespace

Result<int> MonitorShow(Call& call) {
  RONDO_TRY(const Opened o, Open(call));
  RONDO_TRY(const std::string endpoint, EndpointOf(call, o, call.Arg(0)));
  // Without a server nobody follows: catch up first.
  RONDO_TRY([[maybe_unused]] const bool alone, o.monitor->PassIfAlone());
  monitor::SnapshotOptions options;
  if (!call.Value("--model-version").empty()) {
    RONDO_TRY(options.version, call.Int("--model-version", 0, 1, INT64_MAX));
  }
  RONDO_TRY(const Json view, o.monitor->View(endpoint, options));
  if (call.json()) {
    PrintJson(view);
    return 0;
  }
  if (view["windows"].AsInt() == 0) {
    Print(fmt::format("endpoint {} has no predictions yet", endpoint));
    return 0;
  }
  const Json& last = view["list"].AsArray().back();
  Print(fmt::format("{} version {}: {} predictions in {} windows; window {} ({} rows, {}) against the training data", Bold(endpoint), view["version"].AsInt(), view["rows"].AsInt(),
                    view["windows"].AsInt(), last["index"].AsInt(), last["rows"].AsInt(), last["closed"].AsBool() ? "closed" : "filling"));
  if (!view["reference"].AsBool()) Print("the version has no reference profile, so its columns aren't watched");
  else PrintColumns(view);
  PrintPerformance(view);
  const Json& labels = view["labels"];
  Print("");
  Print(fmt::format("labels: {} received, {} waiting for their predictions; {} of {} predictions labelled", labels["labels"].AsInt(), labels["pending"].AsInt(), labels["labelled"].AsInt(),
                    labels["predictions"].AsInt()));
  return 0;
}

Result<int> AlarmsVerb(Call& call) {
  RONDO_TRY(const Opened o, Open(call));
  RONDO_TRY(const int64_t limit, call.Int("--limit", 20, 1, 100'000));
  RONDO_TRY(const auto alarms, o.monitor->Alarms(call.Value("--endpoint"), limit));
  if (call.json()) {
    PrintJson(ToJson(alarms));
    return 0;
  }
  if (alarms.empty()) {
    Print("no alarms");
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"alarm", "time", "kind", "what", "repeats"}};
  for (const monitor::Alarm& a : alarms) rows.push_back({a.id, Ago(a.time, o.workspace->clock().NowMs()), a.kind, a.summary, std::to_string(a.repeats)});
  PrintTable(rows);
  return 0;
}

Result<int> LabelAdd(Call& call) {
  RONDO_TRY(const Opened o, Open(call));
  RONDO_TRY(const std::string endpoint, EndpointOf(call, o, ""));
  monitor::LabelColumns columns;
  if (o.project && o.project->problem) columns = {o.project->problem->key, o.project->problem->target};
  RONDO_TRY(monitor::LabelFile file, monitor::ReadLabelFile(call.Arg(0), columns));
  RONDO_TRY(const monitor::LabelCounts counts, o.monitor->TakeLabels(endpoint, std::move(file.rows), govern::CurrentActor()));
  RONDO_TRY([[maybe_unused]] const bool alone, o.monitor->PassIfAlone());
  if (call.json()) {
    PrintJson(ToJson(counts).Set("unlabelled", file.unlabelled));
    return 0;
  }
  Print(fmt::format("{} labels for endpoint {}: {} predictions labelled, {} corrected, {} known already, {} waiting for their predictions", counts.received, endpoint, counts.joined, counts.corrected,
                    counts.known, counts.pending));
  if (file.unlabelled > 0) Print(fmt::format("{} rows had no label and were left out", file.unlabelled));
  return 0;
}

}  // namespace rondo::cli
