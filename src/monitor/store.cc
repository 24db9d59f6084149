// Windows in SQL.
#include "monitor/store.h"

#include <optional>

#include "base/json_map.h"

namespace rondo::monitor {
namespace {

constexpr const char* kSave = R"(
INSERT INTO monitor_window (endpoint, model, version, shadow, idx, variant, rows, time_from, time_to, closed, judged, labels_dirty, counts, verdict, performance)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13, '')
ON CONFLICT (endpoint, model, version, shadow, idx) DO UPDATE SET variant = excluded.variant, rows = excluded.rows, time_from = excluded.time_from,
  time_to = excluded.time_to, closed = excluded.closed, judged = excluded.judged, counts = excluded.counts, verdict = excluded.verdict)";
#define RONDO_WINDOW_COLUMNS "endpoint, model, version, shadow, idx, variant, rows, time_from, time_to, closed, judged, labels_dirty, counts, verdict, performance"
constexpr const char* kOpen = "SELECT " RONDO_WINDOW_COLUMNS " FROM monitor_window WHERE endpoint = $1 AND closed = 0 ORDER BY idx";
constexpr const char* kList = "SELECT " RONDO_WINDOW_COLUMNS
                              " FROM monitor_window WHERE endpoint = $1 AND model = $2 AND version = $3 AND shadow = $4 ORDER BY idx DESC LIMIT $5";
constexpr const char* kGet = "SELECT " RONDO_WINDOW_COLUMNS " FROM monitor_window WHERE endpoint = $1 AND model = $2 AND version = $3 AND shadow = $4 AND idx = $5";
constexpr const char* kBetween = "SELECT " RONDO_WINDOW_COLUMNS
                                 " FROM monitor_window WHERE endpoint = $1 AND model = $2 AND version = $3 AND shadow = $4 AND closed = 1 AND time_to > $5 AND time_to <= $6"
                                 " ORDER BY time_to";
constexpr const char* kWork = "SELECT " RONDO_WINDOW_COLUMNS
                              " FROM monitor_window WHERE (judged = 0 OR labels_dirty > 0) AND endpoint = $1 AND ((closed = 1 AND judged = 0) OR labels_dirty > 0)"
                              " ORDER BY time_to LIMIT $2";
constexpr const char* kLast = "SELECT MAX(idx) FROM monitor_window WHERE endpoint = $1 AND model = $2 AND version = $3 AND shadow = $4";
constexpr const char* kStreams =
    "SELECT model, version, shadow, MAX(time_to) AS newest FROM monitor_window WHERE endpoint = $1 GROUP BY model, version, shadow ORDER BY shadow, newest DESC, version DESC";
constexpr const char* kEndpoints = "SELECT DISTINCT endpoint FROM monitor_window ORDER BY endpoint";

Result<Json> Stored(std::string_view text) {
  if (text.empty()) return Json();
  return ParseJson(text);
}

Result<Window> Decode(const db::Row& row) {
  Window w;
  w.stream = {row.String(0), row.String(1), row.Int(2), row.Int(3) != 0};
  w.index = row.Int(4);
  w.variant = row.String(5);
  w.rows = row.Int(6);
  w.time_from = row.Int(7);
  w.time_to = row.Int(8);
  w.closed = row.Int(9) != 0;
  w.judged = row.Int(10) != 0;
  w.labels_dirty = row.Int(11);
  RONDO_TRY(const Json counts, Stored(row.Text(12)));
  RONDO_DO(FromJson(counts, w.counts, {}, UnknownKeys::kIgnore));
  RONDO_TRY(w.verdict, Stored(row.Text(13)));
  RONDO_TRY(w.performance, Stored(row.Text(14)));
  return w;
}

Result<std::vector<Window>> Select(db::Session& session, const char* sql, const db::Args& args) {
  std::vector<Window> out;
  Status decoded;
  RONDO_DO(session.Query(sql, args, [&](const db::Row& row) {
    auto window = Decode(row);
    if (!window) {
      decoded = Wrap(window.error(), "a stored monitor window");
      return false;
    }
    out.push_back(std::move(*window));
    return true;
  }));
  RONDO_DO(decoded);
  return out;
}

}  // namespace

Status SaveWindow(db::Session& session, const Window& w) {
  RONDO_TRY([[maybe_unused]] const int64_t changed,
            session.Exec(kSave, {w.stream.endpoint, w.stream.model, w.stream.version, w.stream.shadow, w.index, w.variant, w.rows, w.time_from, w.time_to, w.closed, w.judged,
                                 ToJson(w.counts).Dump(), w.verdict.IsNull() ? std::string() : w.verdict.Dump()}));
  return {};
}

Result<std::vector<Window>> OpenWindows(db::Session& session, const std::string& endpoint) { return Select(session, kOpen, {endpoint}); }

Result<std::vector<Window>> ListWindows(db::Session& session, const Stream& stream, int64_t limit) {
  RONDO_TRY(auto newest_first, Select(session, kList, {stream.endpoint, stream.model, stream.version, stream.shadow, limit}));
  return std::vector<Window>(std::make_move_iterator(newest_first.rbegin()), std::make_move_iterator(newest_first.rend()));
}

Result<std::optional<Window>> GetWindow(db::Session& session, const Stream& stream, int64_t index) {
  RONDO_TRY(auto found, Select(session, kGet, {stream.endpoint, stream.model, stream.version, stream.shadow, index}));
  if (found.empty()) return std::optional<Window>();
  return std::optional<Window>(std::move(found[0]));
}

Result<std::vector<Window>> WindowsBetween(db::Session& session, const Stream& stream, int64_t from, int64_t to) {
  return Select(session, kBetween, {stream.endpoint, stream.model, stream.version, stream.shadow, from, to});
}

Result<std::vector<Window>> WindowsWithWork(db::Session& session, const std::string& endpoint, int64_t limit) { return Select(session, kWork, {endpoint, limit}); }

Result<int64_t> LastIndex(db::Session& session, const Stream& stream) {
  RONDO_TRY(const auto last, session.QueryInt(kLast, {stream.endpoint, stream.model, stream.version, stream.shadow}));
  return last.value_or(-1);
}

Result<std::vector<Stream>> Streams(db::Session& session, const std::string& endpoint) {
  std::vector<Stream> out;
  RONDO_DO(session.Query(kStreams, {endpoint}, [&](const db::Row& row) {
    out.push_back({endpoint, row.String(0), row.Int(1), row.Int(2) != 0});
    return true;
  }));
  return out;
}

Result<std::vector<std::string>> WatchedEndpoints(db::Session& session) {
  std::vector<std::string> out;
  RONDO_DO(session.Query(kEndpoints, {}, [&](const db::Row& row) {
    out.push_back(row.String(0));
    return true;
  }));
  return out;
}

}  // namespace rondo::monitor
