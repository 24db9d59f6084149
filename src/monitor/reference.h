/// What a model version looked like when it was made: profiles of the training part, scores and mistakes of the held-out part. Stored with the
/// version as `reference.json` (docs/formats/reference.md); windows are compared with it, so serving never needs the training data.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/evaluate.h"
#include "model/scorer.h"
#include "monitor/profile.h"
#include "table/table.h"

namespace rondo::monitor {

struct Reference {
  int64_t format = 1;
  project::Task task = project::Task::binary;
  std::string target, target_type;    ///< logical type of the column in the training data
  std::string key, key_type;          ///< empty: no key
  std::vector<std::string> classes;   ///< in the signature's order; empty for regression
  double threshold = 0.5;
  std::vector<ColumnProfile> columns; ///< in the signature's order
  ColumnProfile score;                ///< held-out: P(positive), the highest probability (multiclass), the prediction (regression)
  std::vector<int64_t> decisions;     ///< held-out rows per decided class
  std::vector<int64_t> labels;        ///< held-out rows per true class
  std::vector<std::vector<int64_t>> confusion;  ///< held-out: [decided][true]
  int64_t held_out_rows = 0;
  double error_scale = 1;             ///< regression: 99 % quantile of |error|; classification: 1
  double error_mean = 0;              ///< held-out mean of min(1, |error| / error_scale); classification: the share of wrong decisions
  Json metrics;                       ///< {METRIC: {"value", "low", "high"}} of the held-out part
};
BOOST_DESCRIBE_STRUCT(Reference, (), (format, task, target, target_type, key, key_type, classes, threshold, columns, score, decisions, labels, confusion, held_out_rows, error_scale, error_mean, metrics))

/// `training`: the training part with its raw columns (target and key too). `held_out` and `scored`: the part that was neither trained nor tuned on,
/// row by row. `metrics`: the part's object of metrics.json; null: computed here. kInvalid names an input column that the training part lacks.
Result<Json> BuildReference(const model::Signature& signature, const table::Frame& training, const table::Frame& held_out, const model::Scored& scored, const Json& metrics = {});
Result<Reference> ParseReference(const Json& json);
Result<Reference> ReadReference(const std::filesystem::path& file);

/// The score that windows count, from a row of probabilities or the prediction.
double WatchedScore(project::Task task, std::span<const double> row);
/// Class index of a label's text; -1 when it is none.
int ClassIndex(const std::vector<std::string>& classes, std::string_view label);

}  // namespace rondo::monitor
