/// Follows the prediction log into windows. Position, counters and the index of predictions commit in one transaction, so kill -9 at any moment
/// loses no row and counts none twice.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "data/prediction_log.h"
#include "db/db.h"
#include "monitor/references.h"
#include "monitor/store.h"
#include "project/spec.h"

namespace rondo::monitor {

/// data::ReadPredictions of an endpoint's folder; replaced in tests.
using PredictionReader = std::function<Status(const std::string& endpoint, data::LogPosition& position, const std::function<bool(const data::Prediction&)>& each)>;

/// Not thread-safe: one thread follows. A second process that follows the same endpoint is noticed by the position and gives way.
class Follower {
 public:
  Follower(db::Database& db, Clock& clock, References& references, const project::Monitor& spec, PredictionReader reader)
      : db_(db), clock_(clock), references_(references), spec_(spec), reader_(std::move(reader)) {}
  /// Counts what is new, at most `limit` rows, and closes windows that are full or whose time is over. Returns the rows counted.
  Result<int64_t> Follow(const std::string& endpoint, int64_t limit = 100'000);
  /// Whether a window of time waits for its end.
  bool waiting() const;

 private:
  struct State {
    bool loaded = false;
    data::LogPosition position;
    int64_t rows = 0;
    std::map<std::pair<Stream, int64_t>, Window> open;
    std::map<Stream, int64_t> newest;  ///< latest time seen
  };
  Status Load(const std::string& endpoint, State& state);
  Status Commit(const std::string& endpoint, State& state, const std::vector<data::Prediction>& batch, const data::LogPosition& to, int64_t& counted, bool& overtaken);
  Result<Window*> WindowFor(db::Session& session, State& state, const Stream& stream, int64_t time);
  bool Over(const Window& window, const State& state) const;

  db::Database& db_;
  Clock& clock_;
  References& references_;
  const project::Monitor& spec_;
  PredictionReader reader_;
  std::map<std::string, State> states_;
};

}  // namespace rondo::monitor
