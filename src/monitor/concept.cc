// Concept drift: ADWIN over the errors of labelled predictions.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "base/log.h"
#include "monitor/detectors/detector.h"
#include "monitor/judge.h"
#include "monitor/labelled.h"
#include "monitor/performance.h"

namespace rondo::monitor {
namespace {

constexpr const char* kName = "adwin";
constexpr int64_t kAtOnce = 5000;
constexpr int64_t kWarmUp = 500;  // held-out rows that the detector starts with, so a drop right after deployment shows
constexpr const char* kErrors = R"(
SELECT model, version, shadow, idx, scores, decision, label, join_seq FROM monitor_prediction
WHERE endpoint = $1 AND join_seq IS NOT NULL AND join_seq > $2 ORDER BY join_seq LIMIT $3)";
constexpr const char* kSince = "SELECT MAX(join_seq) FROM monitor_detector WHERE endpoint = $1";
constexpr const char* kLast = "SELECT MAX(join_seq) FROM monitor_prediction WHERE endpoint = $1 AND join_seq IS NOT NULL";
constexpr const char* kState = "SELECT state FROM monitor_detector WHERE endpoint = $1 AND model = $2 AND version = $3 AND name = $4";
constexpr const char* kStore = R"(
INSERT INTO monitor_detector (endpoint, model, version, name, join_seq, state) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (endpoint, model, version, name) DO UPDATE SET join_seq = excluded.join_seq, state = excluded.state)";

struct Error {
  Stream stream;
  int64_t window = 0, seq = 0;
  std::string scores, decision, label;
};

/// In [0, 1]; empty when the label can't be read.
std::optional<double> ErrorOf(const Error& e, const Reference& r) {
  if (r.task != project::Task::regression) return e.decision == e.label ? 0.0 : 1.0;
  double y = 0;
  const auto [end, ec] = std::from_chars(e.label.data(), e.label.data() + e.label.size(), y);
  const auto scores = UnpackScores(e.scores);
  if (ec != std::errc() || end != e.label.data() + e.label.size() || scores.empty()) return std::nullopt;
  return std::min(1.0, std::fabs(y - scores.back()) / r.error_scale);
}

/// The held-out part's mistakes, spread evenly. Only for right-or-wrong: constant errors would hide the variance that the bound needs.
void WarmUp(Detector& detector, const Reference& r) {
  if (r.task == project::Task::regression) return;
  const int64_t n = std::min(kWarmUp, r.held_out_rows);
  for (int64_t i = 0; i < n; ++i)
    detector.Update(std::floor(static_cast<double>(i + 1) * r.error_mean) - std::floor(static_cast<double>(i) * r.error_mean));
}

struct Watched {
  std::shared_ptr<const Counter> counter;
  std::unique_ptr<Detector> detector;
};

Result<Watched> Open(db::Session& session, const JudgeContext& context, const Stream& s) {
  Watched w;
  w.counter = context.references.Find(s.model, s.version);
  w.detector = FindDetector(kName)->make();
  RONDO_TRY(const auto stored, session.QueryText(kState, {s.endpoint, s.model, s.version, kName}));
  if (stored) {
    auto state = ParseJson(*stored);
    const Status loaded = state ? w.detector->Load(*state) : Status(std::unexpected(state.error()));
    if (loaded) return w;
    LogWarn("monitor", "{} version {}: {}; the detector starts afresh", s.endpoint, s.version, loaded.error().message);
    w.detector = FindDetector(kName)->make();
  }
  if (w.counter) WarmUp(*w.detector, w.counter->reference());
  return w;
}

Alarm ConceptAlarm(const Error& e, const Detector& detector, const Reference& r, int64_t now) {
  Alarm a;
  a.kind = "concept";
  a.endpoint = e.stream.endpoint;
  a.model = e.stream.model;
  a.version = e.stream.version;
  a.window = e.window;
  const Change change = detector.change();
  a.rows_seen = static_cast<int64_t>(change.since);
  a.time = a.last_time = now;
  const bool regression = r.task == project::Task::regression;
  a.evidence = Json::MakeObject()
                   .Set("detector", kName)
                   .Set("error_before", change.before)
                   .Set("error_after", change.after)
                   .Set("labels_since", change.since)
                   .Set("unit", regression ? fmt::format("|error| / {:.4g}", r.error_scale) : std::string("share of wrong decisions"))
                   .Set("join_seq", e.seq);
  a.summary = regression ? fmt::format("{} version {}: errors grew from {:.4g} to {:.4g} over the last {:.0f} labels", a.endpoint, a.version, change.before * r.error_scale,
                                       change.after * r.error_scale, change.since)
                         : fmt::format("{} version {}: wrong decisions rose from {:.1f} % to {:.1f} % over the last {:.0f} labels", a.endpoint, a.version, 100 * change.before,
                                       100 * change.after, change.since);
  a.id = AlarmId(a, fmt::format("{} {}", kName, e.seq));
  return a;
}

Result<int64_t> Batch(db::Session& session, const JudgeContext& context, const std::string& endpoint, std::vector<Alarm>& fresh) {
  RONDO_TRY(const auto since, session.QueryInt(kSince, {endpoint}));
  std::vector<Error> errors;
  RONDO_DO(session.Query(kErrors, {endpoint, since.value_or(0), kAtOnce}, [&](const db::Row& row) {
    errors.push_back({{endpoint, row.String(0), row.Int(1), row.Int(2) != 0}, row.Int(3), row.Int(7), row.String(4), row.String(5), row.String(6)});
    return true;
  }));
  if (errors.empty()) return 0;
  std::map<Stream, Watched> watched;
  std::map<Stream, int64_t> last;
  for (const Error& e : errors) {
    Stream answered = e.stream;
    answered.shadow = false;
    if (!watched.contains(answered)) {
      RONDO_TRY(Watched opened, Open(session, context, answered));
      watched.emplace(answered, std::move(opened));
    }
    last[answered] = e.seq;
    const Watched& w = watched.at(answered);
    if (!w.counter || e.stream.shadow) continue;
    const auto error = ErrorOf(e, w.counter->reference());
    if (!error || !w.detector->Update(*error) || w.detector->change().after <= w.detector->change().before) continue;
    const Alarm alarm = ConceptAlarm(e, *w.detector, w.counter->reference(), context.clock.NowMs());
    RONDO_TRY(const bool is_new, RaiseAlarm(session, alarm, context.spec));
    if (is_new) fresh.push_back(alarm);
  }
  for (const auto& [stream, w] : watched) {
    RONDO_TRY([[maybe_unused]] const int64_t stored, session.Exec(kStore, {endpoint, stream.model, stream.version, kName, last[stream], w.detector->State().Dump()}));
  }
  return static_cast<int64_t>(errors.size());
}

}  // namespace

Status WatchErrors(const JudgeContext& context, const std::string& endpoint, std::vector<Alarm>& raised) {
  RONDO_TRY(const bool news, db::Fetch<bool>(context.db, [&](db::Session& session) -> Result<bool> {
    RONDO_TRY(const auto since, session.QueryInt(kSince, {endpoint}));
    RONDO_TRY(const auto last, session.QueryInt(kLast, {endpoint}));
    return last.value_or(0) > since.value_or(0);
  }));
  while (news) {
    std::vector<Alarm> fresh;
    RONDO_TRY(const int64_t seen, db::Store<int64_t>(context.db, [&](db::Session& session) -> Result<int64_t> {
      fresh.clear();
      return Batch(session, context, endpoint, fresh);
    }));
    raised.insert(raised.end(), std::make_move_iterator(fresh.begin()), std::make_move_iterator(fresh.end()));
    if (seen < kAtOnce) break;
  }
  return {};
}

}  // namespace rondo::monitor
