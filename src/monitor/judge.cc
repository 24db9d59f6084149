// Verdicts of windows and the alarms that follow from them.
#include "monitor/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <set>

#include "base/json_map.h"
#include "base/metrics.h"
#include "monitor/label_shift.h"
#include "monitor/performance.h"
#include "monitor/verdict.h"

namespace rondo::monitor {
namespace {

constexpr int64_t kWindowsAtOnce = 20;
constexpr const char* kVerdict = "UPDATE monitor_window SET judged = 1, verdict = $6 WHERE endpoint = $1 AND model = $2 AND version = $3 AND shadow = $4 AND idx = $5";
constexpr const char* kPerformance =
    "UPDATE monitor_window SET labels_dirty = labels_dirty - $7, performance = $6 WHERE endpoint = $1 AND model = $2 AND version = $3 AND shadow = $4 AND idx = $5";

int64_t Period(const std::string& season) {
  constexpr int64_t kDay = 86'400'000;
  return season == "day" ? kDay : season == "week" ? 7 * kDay : season == "year" ? 364 * kDay : 0;  // 364: keeps the weekday
}

/// Counts of the windows that ended at the same phase of up to four earlier periods; empty while there are fewer rows than the window has.
Result<std::optional<WindowCounts>> Season(db::Session& session, const JudgeContext& context, const Window& window) {
  const int64_t period = Period(context.spec.season);
  if (period == 0) return std::optional<WindowCounts>();
  const int64_t reach = std::max<int64_t>(std::max(context.spec.window_ms, window.time_to - window.time_from) / 2, 1);
  WindowCounts sum;
  for (int k = 1; k <= 4; ++k) {
    const int64_t at = window.time_to - k * period;
    RONDO_TRY(const auto earlier, WindowsBetween(session, window.stream, at - reach, at + reach));
    for (const Window& w : earlier)
      if (w.counts.columns.size() == window.counts.columns.size()) Merge(w.counts, sum);
  }
  if (sum.rows < std::max<int64_t>(window.rows, kLeastRows)) return std::optional<WindowCounts>();
  return std::optional<WindowCounts>(std::move(sum));
}

struct Judged {
  WindowVerdict verdict;
  LabelShift shift;
  bool seasonal = false;
};

Result<std::optional<Judged>> Judge(db::Session& session, const JudgeContext& context, const Window& window) {
  const auto counter = context.references.Find(window.stream.model, window.stream.version);
  if (!counter || window.counts.columns.size() != counter->reference().columns.size()) return std::optional<Judged>();
  RONDO_TRY(const auto season, Season(session, context, window));
  Judged judged;
  judged.seasonal = season.has_value();
  judged.verdict = JudgeWindow(counter->reference(), window.counts, context.spec.drift, season ? &*season : nullptr);
  judged.shift = EstimateLabelShift(counter->reference(), window.counts.decisions);
  return std::optional<Judged>(std::move(judged));
}

Json AsJson(const Judged& judged) { return ToJson(judged.verdict).Set("label_shift", ToJson(judged.shift)).Set("seasonal", judged.seasonal); }

Alarm Blank(const Window& w, const char* kind, int64_t now) {
  Alarm a;
  a.kind = kind;
  a.endpoint = w.stream.endpoint;
  a.model = w.stream.model;
  a.version = w.stream.version;
  a.window = w.index;
  a.rows_seen = w.rows;
  a.time = a.last_time = now;
  a.evidence = Json::MakeObject().Set("window_start", w.time_from).Set("window_end", w.time_to).Set("rows", w.rows);
  return a;
}

std::string Joined(const std::vector<std::string>& names, size_t most) {
  std::string out;
  for (size_t i = 0; i < names.size() && i < most; ++i) out += (i ? ", " : "") + names[i];
  if (names.size() > most) out += fmt::format(" and {} more", names.size() - most);
  return out;
}

void AddDrift(const Window& w, const Judged& judged, const project::DriftAlarm& limits, int64_t now, std::vector<Alarm>& out) {
  const WindowVerdict& v = judged.verdict;
  const bool score = v.score.verdict == "drift", decision = v.decision.verdict == "drift";
  if (v.drifted.empty() && !score && !decision) return;
  Alarm a = Blank(w, "drift", now);
  a.columns = v.drifted;
  if (a.columns.empty() && score) a.columns.push_back("score");
  if (a.columns.empty() && decision) a.columns.push_back("decision");
  Json details = Json::MakeArray();
  for (const std::string& name : v.drifted)
    for (const DriftVerdict& d : v.columns)
      if (d.name == name) details.Push(ToJson(d));
  a.evidence.Set("columns", details)
      .Set("score", ToJson(v.score))
      .Set("decision", ToJson(v.decision))
      .Set("drifted_share", v.drifted_share)
      .Set("dataset_drift", v.dataset_drift)
      .Set("prediction_drift", score || decision)
      .Set("reference", judged.seasonal ? "season" : "training")
      .Set("statistic", limits.statistic)
      .Set("limits", Json::MakeObject().Set("effect", limits.effect).Set("q", limits.q).Set("share", limits.share));
  std::vector<std::string> shown;
  for (const std::string& name : v.drifted)
    for (const DriftVerdict& d : v.columns)
      if (d.name == name) shown.push_back(fmt::format("{} (PSI {:.2f})", name, d.psi));
  if (score) shown.push_back(fmt::format("the scores (PSI {:.2f})", v.score.psi));
  if (decision) shown.push_back(fmt::format("the decisions (PSI {:.2f})", v.decision.psi));
  a.summary = fmt::format("{} version {} in window {}: {} drifted over {} rows; {} of {} columns", a.endpoint, a.version, a.window, Joined(shown, 5), a.rows_seen, v.drifted.size(), v.columns.size());
  a.id = AlarmId(a, "");
  out.push_back(std::move(a));
}

void AddQuality(const Window& w, const WindowVerdict& v, int64_t now, std::vector<Alarm>& out) {
  std::vector<const QualityVerdict*> failed;
  for (const QualityVerdict& q : v.quality)
    if (q.failed) failed.push_back(&q);
  if (failed.empty()) return;
  std::stable_sort(failed.begin(), failed.end(), [](const auto* a, const auto* b) { return a->share - a->reference_share > b->share - b->reference_share; });
  Alarm a = Blank(w, "quality", now);
  Json checks = Json::MakeArray();
  std::vector<std::string> shown;
  std::set<std::string> seen;
  for (const QualityVerdict* q : failed) {
    if (!q->column.empty() && seen.insert(q->column).second) a.columns.push_back(q->column);
    checks.Push(ToJson(*q));
    std::string what = q->check == "nulls"      ? fmt::format("{:.1f} % of {} are missing ({:.1f} % in training)", 100 * q->share, q->column, 100 * q->reference_share)
                       : q->check == "unseen"   ? fmt::format("{:.1f} % of {} have levels never seen in training", 100 * q->share, q->column)
                       : q->check == "range"    ? fmt::format("{:.1f} % of {} are outside the training range", 100 * q->share, q->column)
                       : q->check == "type"     ? fmt::format("{:.1f} % of {} aren't of its type", 100 * q->share, q->column)
                       : q->check == "constant" ? fmt::format("{} has become constant", q->column)
                                                : fmt::format("{} rows don't have the model's columns", q->count);
    if (!q->examples.empty()) what += fmt::format(", such as \"{}\"", q->examples[0]);
    shown.push_back(std::move(what));
  }
  a.evidence.Set("checks", checks);
  a.summary = fmt::format("{} version {} in window {}: {}", a.endpoint, a.version, a.window, Joined(shown, 3));
  a.id = AlarmId(a, "");
  out.push_back(std::move(a));
}

void AddShift(const Window& w, const LabelShift& shift, int64_t now, std::vector<Alarm>& out) {
  if (!shift.shifted) return;
  Alarm a = Blank(w, "label_shift", now);
  a.evidence.Set("estimate", ToJson(shift));
  const auto worst = std::max_element(shift.classes.begin(), shift.classes.end(),
                                      [](const ClassShare& x, const ClassShare& y) { return std::abs(x.value - x.reference) < std::abs(y.value - y.reference); });
  a.summary = fmt::format("{} version {} in window {}: the share of \"{}\" looks like {:.0f} % ({:.0f} to {:.0f} %), it was {:.0f} % when the model was tested", a.endpoint, a.version, a.window,
                          worst->name, 100 * worst->value, 100 * worst->low, 100 * worst->high, 100 * worst->reference);
  a.id = AlarmId(a, "");
  out.push_back(std::move(a));
}

void ShowDrift(const Window& w, const WindowVerdict& v) {
  auto& metrics = MetricsRegistry::Global();
  for (const DriftVerdict& d : v.columns)
    if (d.psi == d.psi)
      metrics.GetGauge("rondo_drift_psi", "Population stability index of a column in the last closed window", {{"endpoint", w.stream.endpoint}, {"column", d.name}}).Set(d.psi);
  if (v.score.psi == v.score.psi) metrics.GetGauge("rondo_drift_score_psi", "Population stability index of the scores in the last closed window", {{"endpoint", w.stream.endpoint}}).Set(v.score.psi);
  metrics.GetGauge("rondo_drift_columns", "Drifted columns in the last closed window", {{"endpoint", w.stream.endpoint}}).Set(static_cast<double>(v.drifted.size()));
}

void ShowPerformance(const Window& w, const Performance& p) {
  auto& metrics = MetricsRegistry::Global();
  metrics.GetGauge("rondo_label_coverage_ratio", "Labelled share of the predictions of the window that got labels last", {{"endpoint", w.stream.endpoint}}).Set(p.coverage);
  for (const RealisedMetric& m : p.metrics)
    if (m.value == m.value)
      metrics.GetGauge("rondo_model_metric", "Realised metric of the window that got labels last", {{"endpoint", w.stream.endpoint}, {"metric", m.metric}}).Set(m.value);
}

/// What one look at a window found; computed from a snapshot, so that the writer isn't held up.
struct Look {
  bool verdict_due = false, performance_due = false;
  std::optional<Judged> judged;
  std::optional<Performance> performance;
};

Result<Look> LookAt(db::Session& session, const JudgeContext& context, const Window& window, int64_t now) {
  Look look;
  look.verdict_due = window.closed && !window.judged;
  // Labels may be there before the window closes: its performance is judged then, once its rows are complete.
  look.performance_due = window.labels_dirty > 0 || (look.verdict_due && !window.performance.IsNull());
  if (look.verdict_due) {
    RONDO_TRY(look.judged, Judge(session, context, window));
  }
  const auto counter = context.references.Find(window.stream.model, window.stream.version);
  if (look.performance_due && counter) {
    RONDO_TRY(look.performance, RealisePerformance(session, window, counter->reference(), context.spec, now));
  }
  return look;
}

Status JudgeOne(const JudgeContext& context, const Window& window, std::vector<Alarm>& raised) {
  const int64_t now = context.clock.NowMs();
  RONDO_TRY(const Look look, db::Fetch<Look>(context.db, [&](db::Session& session) { return LookAt(session, context, window, now); }));
  std::vector<Alarm> alarms, fresh;
  if (!window.stream.shadow) {
    if (look.judged) {
      AddDrift(window, *look.judged, context.spec.drift, now, alarms);
      AddQuality(window, look.judged->verdict, now, alarms);
      AddShift(window, look.judged->shift, now, alarms);
      ShowDrift(window, look.judged->verdict);
    }
    if (look.performance) {
      if (look.performance->failed && window.closed) alarms.push_back(PerformanceAlarm(window, *look.performance, now));
      ShowPerformance(window, *look.performance);
    }
  }
  RONDO_DO(context.db.Write([&](db::Session& session) -> Status {
    fresh.clear();
    const db::Args where = {window.stream.endpoint, window.stream.model, window.stream.version, window.stream.shadow, window.index};
    if (look.verdict_due) {
      db::Args args = where;
      args.emplace_back(look.judged ? AsJson(*look.judged).Dump() : std::string());
      RONDO_TRY([[maybe_unused]] const int64_t set, session.Exec(kVerdict, args));
    }
    if (look.performance_due) {
      db::Args args = where;
      args.emplace_back(look.performance ? ToJson(*look.performance).Dump() : std::string());
      args.emplace_back(window.labels_dirty);
      RONDO_TRY([[maybe_unused]] const int64_t set, session.Exec(kPerformance, args));
    }
    for (const Alarm& alarm : alarms) {
      RONDO_TRY(const bool is_new, RaiseAlarm(session, alarm, context.spec));
      if (is_new) fresh.push_back(alarm);
    }
    return {};
  }));
  raised.insert(raised.end(), std::make_move_iterator(fresh.begin()), std::make_move_iterator(fresh.end()));
  return {};
}

}  // namespace

Result<Json> VerdictOf(db::Session& session, const JudgeContext& context, const Window& window) {
  RONDO_TRY(const auto judged, Judge(session, context, window));
  return judged ? AsJson(*judged) : Json();
}

Status JudgeWindows(const JudgeContext& context, const std::string& endpoint, std::vector<Alarm>& raised) {
  for (;;) {
    RONDO_TRY(const auto windows, db::Fetch<std::vector<Window>>(context.db, [&](db::Session& session) { return WindowsWithWork(session, endpoint, kWindowsAtOnce); }));
    for (const Window& window : windows) RONDO_DO(JudgeOne(context, window, raised));
    if (windows.size() < static_cast<size_t>(kWindowsAtOnce)) return {};
  }
}

}  // namespace rondo::monitor
