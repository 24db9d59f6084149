/// Windows in SQL: the rows behind the monitor's pages. Functions on a session, so that callers decide what commits together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "db/db.h"
#include "monitor/window.h"

namespace rondo::monitor {

/// Whose windows: rows of one version behind one endpoint, shadow scores kept apart.
struct Stream {
  std::string endpoint, model;
  int64_t version = 0;
  bool shadow = false;
  auto operator<=>(const Stream&) const = default;
};

struct Window {
  Stream stream;
  int64_t index = 0;            ///< by rows: 0, 1, 2, ...; by time: start / length
  std::string variant;          ///< of the last row: champion, challenger, shadow
  int64_t rows = 0;
  int64_t time_from = 0, time_to = 0;  ///< of the rows inside
  bool closed = false;
  bool judged = false;          ///< the verdict stands (closed windows only)
  int64_t labels_dirty = 0;     ///< how often labels came since `performance` was computed
  WindowCounts counts;
  Json verdict, performance;    ///< WindowVerdict (+ "label_shift"); see performance.h
};

Status SaveWindow(db::Session& session, const Window& window);  ///< everything but labels_dirty and performance
Result<std::vector<Window>> OpenWindows(db::Session& session, const std::string& endpoint);
/// Newest last. `limit`: the newest ones.
Result<std::vector<Window>> ListWindows(db::Session& session, const Stream& stream, int64_t limit);
Result<std::optional<Window>> GetWindow(db::Session& session, const Stream& stream, int64_t index);
/// Closed ones that ended in (from, to], oldest first.
Result<std::vector<Window>> WindowsBetween(db::Session& session, const Stream& stream, int64_t from, int64_t to);
/// Closed and not judged, or with new labels.
Result<std::vector<Window>> WindowsWithWork(db::Session& session, const std::string& endpoint, int64_t limit);
/// -1: none.
Result<int64_t> LastIndex(db::Session& session, const Stream& stream);
/// Streams of an endpoint, the one that answered last first; shadow streams at the end.
Result<std::vector<Stream>> Streams(db::Session& session, const std::string& endpoint);
Result<std::vector<std::string>> WatchedEndpoints(db::Session& session);

const std::vector<db::Migration>& Migrations();

}  // namespace rondo::monitor
