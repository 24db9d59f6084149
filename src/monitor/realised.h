/// Metrics of one version's labelled predictions since a time: what a rollout's guard on a label metric (`auc >= champion - 0.01`) is judged by.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "db/db.h"
#include "monitor/references.h"
#include "project/spec.h"

namespace rondo::monitor {

struct Realised {
  double value = 0, low = 0, high = 0;  ///< bootstrap, 99 %: a guard looks again and again
  int64_t samples = 0;                  ///< labelled rows
  std::string why;                      ///< why there is no value; empty when there is one
};

/// Thread-safe. A metric is computed anew only when the labels have grown by a tenth; at most the newest 5,000 rows are looked at.
class RealisedMetrics {
 public:
  RealisedMetrics(db::Database& db, References& references) : db_(db), references_(references) {}
  /// Answers and shadow scores of the version alike, made at `since` ms or later.
  Realised Of(const std::string& endpoint, int64_t version, const project::Gate& gate, int64_t since);

 private:
  db::Database& db_;
  References& references_;
  std::mutex mutex_;
  std::map<std::tuple<std::string, int64_t, std::string, int64_t>, Realised> known_;  ///< by endpoint, version, metric, since
};

}  // namespace rondo::monitor
