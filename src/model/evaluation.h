/// The whole verdict on one model: metrics with intervals, baselines, slices, fairness, explanation and gates, as out/metrics.json holds them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/evaluate.h"
#include "model/scorer.h"
#include "project/spec.h"
#include "table/table.h"

namespace rondo::model {

struct EvaluationInput {
  const project::Project* project = nullptr;  ///< with a `problem`
  const Signature* signature = nullptr;       ///< classes and threshold of the model under test

  std::optional<Scored> train;  ///< only for the overfitting gap
  Scored validation, test;

  /// Simple models scored on the same test rows: {"dummy", ...}, {"linear", ...}.
  std::vector<std::pair<std::string, Scored>> baselines;

  /// The champion scored again on the same test rows. Absent without `champion_name`: there is none yet. Absent with a name: it couldn't be
  /// scored, `champion_note` says why, and gates relative to it fail.
  std::optional<Scored> champion;
  std::string champion_name, champion_note;

  const table::Frame* test_raw = nullptr;  ///< raw columns of the test rows, in step with `test`: slices and fairness
  /// Scores of changed raw rows in the layout of Scored::scores, for permutation importance. Empty: none is computed.
  std::function<Result<std::vector<double>>(const table::Frame&)> score;
  std::vector<std::string> explain_columns;  ///< raw inputs to permute; empty: the signature's

  /// Numbers that only the caller has, e.g. `latency_p99_ms`; asked for gates whose metric isn't in Metrics() or a fairness measure.
  GateLookup other, champion_other;

  int resamples = 500;
  uint64_t seed = 0;
};

struct Evaluation {
  Json metrics;  ///< content of out/metrics.json (docs/formats/metrics.md)
  std::vector<GateResult> gates;
  bool passed = true;  ///< no gate failed that isn't a warning
};

/// kInvalid when the parts don't fit together (row counts, no rows, NaN scores: named). Deterministic by seed. Takes well under a second for
/// 10^4 rows, scoring apart.
Result<Evaluation> EvaluateModel(const EvaluationInput& input);

/// Names of the metrics and fairness measures that a gate of this task may use, for error texts and help.
std::vector<std::string> GateMetrics(project::Task task);

}  // namespace rondo::model
