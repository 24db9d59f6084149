/// Predictions that no label has reached, many to a row of `monitor_packed`: a busy endpoint pays a tenth of what a row each costs, in CPU and on disk.
/// A label takes its prediction out into a row of `monitor_prediction`; everything that reads labels knows only that table.
/// Predictions with a row key are rows from the start: labels by key look them up by it.
///
/// A row holds predictions of one window whose ids differ in their last two characters only (`bucket` is the rest): ids of one server count up, so a
/// lookup by id reads a few rows at most. `body`: records of the prediction log without inputs (docs/formats/prediction_log.md).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_set>

#include "data/prediction_log.h"
#include "db/db.h"

namespace rondo::monitor {

/// Collects the predictions of one transaction. Not thread-safe; dies with the transaction.
class Packer {
 public:
  Packer(db::Session& session, std::string endpoint) : session_(session), endpoint_(std::move(endpoint)) {}
  /// False when this (id, version, shadow) is there already, packed or in this transaction.
  Result<bool> Add(const data::Prediction& prediction, int64_t window);
  /// Writes what was added.
  Status Flush();

 private:
  struct Key {
    uint64_t low, high;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& k) const { return k.low; }
  };
  struct Group {
    int64_t rows = 0, time_to = 0;
    std::string body;
  };
  static Key KeyOf(const data::Prediction& p);
  Status Know(const std::string& bucket);

  db::Session& session_;
  std::string endpoint_;
  std::set<std::string, std::less<>> known_;  ///< buckets whose stored ids are in seen_
  std::unordered_set<Key, Hash> seen_;
  /// By bucket, model, version, shadow, window.
  std::map<std::tuple<std::string, std::string, int64_t, bool, int64_t>, Group> groups_;
  Group* last_ = nullptr;  ///< where the prediction before went, and its key: most go to the same
  decltype(groups_)::const_iterator last_at_;
  data::Prediction slim_;
};

/// The table of rows: nothing happens when the prediction is a row already. False then.
Result<bool> InsertPrediction(db::Session& session, const std::string& endpoint, const data::Prediction& prediction, int64_t window);
/// Makes rows of the packed predictions with this id (the answer's and its shadows').
Status TakeOut(db::Session& session, const std::string& endpoint, const std::string& id);
/// Forgets packed predictions older than `before` ms, whole rows only.
Status ForgetPacked(db::Session& session, int64_t before);

}  // namespace rondo::monitor
