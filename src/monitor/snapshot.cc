// The monitor's view of an endpoint as JSON.
#include "monitor/snapshot.h"

#include <algorithm>
#include <map>

#include "base/json_map.h"
#include "monitor/labels.h"
#include "monitor/performance.h"
#include "monitor/verdict.h"

namespace rondo::monitor {
namespace {

Json Cell(int64_t index, const Json& drift, const std::string& verdict) {
  return Json::MakeObject().Set("index", index).Set("rows", drift["rows"]).Set("psi", drift["psi"]).Set("effect", drift["effect"]).Set("p", drift["p"]).Set("q", drift["q"]).Set("verdict", verdict);
}
Json NoCell(const Window& w) { return Json::MakeObject().Set("index", w.index).Set("rows", w.rows).Set("psi", nullptr).Set("p", nullptr).Set("q", nullptr).Set("verdict", "none"); }

Json Counts(const std::vector<int64_t>& counts) {
  Json out = Json::MakeArray();
  for (const int64_t c : counts) out.Push(c);
  return out;
}

/// Ends of all bins: the outer ones close at the observed range of training and window.
Json Edges(const ColumnProfile& p, const ColumnCounts* counts) {
  double low = p.min, high = p.max;
  if (counts && counts->present() > 0 && p.kind == "number") {
    low = std::min(low, counts->low);
    high = std::max(high, counts->high);
  }
  if (!p.edges.empty()) {
    low = std::min(low, p.edges.front());
    high = std::max(high, p.edges.back());
  }
  Json out = Json::MakeArray();
  out.Push(low);
  for (const double e : p.edges) out.Push(e);
  out.Push(high);
  return out;
}

Json Distribution(const ColumnProfile& p, const std::vector<int64_t>& bins, const ColumnCounts* counts) {
  Json out = Json::MakeObject();
  std::vector<int64_t> reference = p.counts, window = bins;
  window.resize(reference.size(), 0);
  if (p.ordered()) {
    out.Set("edges", Edges(p, counts));
    out.Set("centers", p.centers);
  } else {
    Json labels = Json::MakeArray();
    for (const std::string& level : p.levels) labels.Push(level);
    labels.Push("other");
    if (counts && counts->unseen > 0) {
      labels.Push("unseen");
      reference.push_back(0);
      window.push_back(counts->unseen);
    } else if (reference.back() == 0 && window.back() == 0) {
      labels.MutableArray().pop_back();
      reference.pop_back();
      window.pop_back();
    }
    out.Set("labels", labels);
  }
  out.Set("reference", Counts(reference)).Set("window", Counts(window)).Set("reference_missing", p.missing);
  if (counts) out.Set("window_missing", counts->missing);
  return out;
}

/// Verdicts by window index; an open window is judged for the view, without alarms.
Result<std::map<int64_t, Json>> Verdicts(db::Session& session, const JudgeContext& context, const std::vector<Window>& windows) {
  std::map<int64_t, Json> out;
  for (const Window& w : windows) {
    if (w.judged) {
      out[w.index] = w.verdict;
    } else {
      RONDO_TRY(out[w.index], VerdictOf(session, context, w));
    }
  }
  return out;
}

Json ColumnJson(const ColumnProfile& p, size_t at, const std::vector<Window>& windows, const std::map<int64_t, Json>& verdicts, const Window* shown) {
  Json cells = Json::MakeArray();
  for (const Window& w : windows) {
    const Json& verdict = verdicts.at(w.index);
    const Json& drift = verdict["columns"][at];
    if (drift.IsNull() || at >= w.counts.columns.size()) {
      cells.Push(NoCell(w));
      continue;
    }
    bool defect = false;
    for (const Json& q : verdict["quality"].AsArray()) defect = defect || (q["failed"].AsBool() && q["column"].AsString() == p.name);
    std::string word = drift["verdict"].AsString();
    if (defect && word != "drift") word = "quality";
    Json cell = Cell(w.index, drift, word);
    const ColumnCounts& counts = w.counts.columns[at];
    const double rows = static_cast<double>(std::max<int64_t>(1, w.counts.rows - w.counts.odd));
    cell.Set("nulls", static_cast<double>(counts.missing) / rows).Set("unseen", static_cast<double>(counts.unseen) / rows).Set("defect", defect);
    cells.Push(std::move(cell));
  }
  Json out = Json::MakeObject().Set("name", p.name).Set("type", p.type).Set("kind", p.kind).Set("windows", std::move(cells));
  if (shown && at < shown->counts.columns.size() && p.kind != "date") out.Set("distribution", Distribution(p, shown->counts.columns[at].bins, &shown->counts.columns[at]));
  return out;
}

Json OutputJson(const ColumnProfile& p, const char* key, const std::vector<Window>& windows, const std::map<int64_t, Json>& verdicts, const std::vector<int64_t>* shown) {
  Json cells = Json::MakeArray();
  for (const Window& w : windows) {
    const Json& drift = verdicts.at(w.index)[key];
    cells.Push(drift.IsNull() ? NoCell(w) : Cell(w.index, drift, drift["verdict"].AsString()));
  }
  Json out = Json::MakeObject().Set("name", p.name).Set("type", p.type).Set("windows", std::move(cells));
  if (shown) out.Set("distribution", Distribution(p, *shown, nullptr));
  return out;
}

/// One point per window with labels: the headline metric (the gate's, when there is one); the others are in "metrics".
Json PerformanceJson(const std::vector<Window>& windows) {
  Json out = Json::MakeArray();
  for (const Window& w : windows) {
    const Json& p = w.performance;
    const Json& headline = p["metrics"][0];
    if (headline.IsNull()) continue;
    out.Push(Json::MakeObject()
                 .Set("index", w.index)
                 .Set("start", w.time_from)
                 .Set("end", w.time_to)
                 .Set("metric", headline["metric"])
                 .Set("value", headline["value"])
                 .Set("low", headline["low"])
                 .Set("high", headline["high"])
                 .Set("coverage", p["coverage"])
                 .Set("rows", p["rows"])
                 .Set("labelled", p["labelled"])
                 .Set("delay_p50_ms", p["delay_p50_ms"])
                 .Set("delay_p90_ms", p["delay_p90_ms"])
                 .Set("final", p["final"])
                 .Set("failed", p["failed"])
                 .Set("metrics", p["metrics"]));
  }
  return out;
}

Result<Json> Build(db::Session& session, const JudgeContext& context, const std::string& endpoint, const SnapshotOptions& options) {
  const project::Monitor& spec = context.spec;
  RONDO_TRY(const auto streams, Streams(session, endpoint));
  const Stream* chosen = nullptr;
  Json versions = Json::MakeArray();
  for (const Stream& s : streams) {
    versions.Push(Json::MakeObject().Set("model", s.model).Set("version", s.version).Set("shadow", s.shadow));
    if (!chosen && s.shadow == options.shadow && (!options.version || s.version == *options.version)) chosen = &s;
  }
  RONDO_TRY(const LabelTotals totals, TotalsOf(session, endpoint));
  Json limits = Json::MakeObject().Set("statistic", spec.drift.statistic).Set("effect", spec.drift.effect).Set("q", spec.drift.q).Set("share", spec.drift.share).Set("least_rows", kLeastRows);
  if (spec.performance) limits.Set("performance", spec.performance->text);
  Json out = Json::MakeObject()
                 .Set("endpoint", endpoint)
                 .Set("model", chosen ? Json(chosen->model) : Json())
                 .Set("version", chosen ? chosen->version : 0)
                 .Set("shadow", options.shadow)
                 .Set("window", Json::MakeObject().Set("rows", spec.window_ms > 0 ? 0 : spec.window_rows).Set("time_ms", spec.window_ms))
                 .Set("limits", limits)
                 .Set("labels", ToJson(totals))
                 .Set("versions", versions);
  std::vector<Window> windows;
  if (chosen) {
    RONDO_TRY(windows, ListWindows(session, *chosen, options.limit));
  }
  int64_t rows = 0;
  Json list = Json::MakeArray();
  const Window* shown = windows.empty() ? nullptr : &windows.back();
  for (const Window& w : windows) {
    rows += w.rows;
    if (options.window && w.index == *options.window) shown = &w;
    list.Push(Json::MakeObject().Set("index", w.index).Set("start", w.time_from).Set("end", w.time_to).Set("rows", w.rows).Set("version", w.stream.version).Set("variant", w.variant).Set("closed", w.closed));
  }
  out.Set("windows", static_cast<int64_t>(windows.size())).Set("rows", rows).Set("list", list).Set("shown", shown ? Json(shown->index) : Json());
  Json columns = Json::MakeArray(), quality = Json::MakeArray();
  const auto counter = chosen ? context.references.Find(chosen->model, chosen->version) : nullptr;
  out.Set("reference", counter != nullptr);
  if (counter) {
    const Reference& r = counter->reference();
    RONDO_TRY(const auto verdicts, Verdicts(session, context, windows));
    for (size_t i = 0; i < r.columns.size(); ++i) columns.Push(ColumnJson(r.columns[i], i, windows, verdicts, shown));
    out.Set("scores", OutputJson(r.score, "score", windows, verdicts, shown ? &shown->counts.scores : nullptr));
    if (!r.classes.empty()) out.Set("decisions", OutputJson(ProfileLevels(r.classes, r.decisions, "decision"), "decision", windows, verdicts, shown ? &shown->counts.decisions : nullptr));
    if (shown) {
      const Json& verdict = verdicts.at(shown->index);
      out.Set("label_shift", verdict["label_shift"]).Set("dataset_drift", verdict["dataset_drift"]).Set("drifted", verdict["drifted"]);
    }
    for (const Window& w : windows)
      for (const Json& q : verdicts.at(w.index)["quality"].AsArray())
        if (q["failed"].AsBool()) quality.Push(Json(q).Set("window", w.index));
    const std::string metric = spec.performance && spec.performance->column.empty() ? spec.performance->metric : DefaultMetrics(r.task).front();
    if (const Json* value = r.metrics[metric].Find("value")) out.Set("baseline", Json::MakeObject().Set("metric", metric).Set("value", *value));
  }
  out.Set("columns", columns).Set("quality", quality).Set("performance", PerformanceJson(windows));
  return out;
}

}  // namespace

Result<Json> Snapshot(const JudgeContext& context, const std::string& endpoint, const SnapshotOptions& options) {
  return db::Fetch<Json>(context.db, [&](db::Session& session) { return Build(session, context, endpoint, options); });
}

}  // namespace rondo::monitor
