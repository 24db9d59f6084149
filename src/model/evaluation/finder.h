/// Finds the number that a gate speaks about: a metric of all rows, of one class, of a slice, of the worst group, or a fairness measure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "model/evaluation.h"
#include "model/metrics/fairness.h"

namespace rondo::model {

class GateFinder {
 public:
  explicit GateFinder(const EvaluationInput& input);
  /// Value with bounds at problem.confidence (95 % without). For gates relative to the champion the bounds are those of the paired difference,
  /// moved to the champion's value, so that judging a bound judges the difference.
  std::optional<Interval> Candidate(const project::Gate& gate, std::string& why) { return Find(input_.test, true, gate, why); }
  std::optional<Interval> Champion(const project::Gate& gate, std::string& why);
  double level() const { return level_; }
  int resamples() const { return resamples_; }
  /// Groups of a raw test column; nullptr when there is none of that name.
  const Groups* GroupsOf(const std::string& column);

 private:
  std::optional<Interval> Find(const Scored& scored, bool candidate, const project::Gate& gate, std::string& why);
  Interval Measured(const Scored& scored, bool candidate, const project::Gate& gate, const Measure& measure, const std::vector<size_t>* rows);
  std::optional<Interval> Slice(const Scored& scored, bool candidate, const project::Gate& gate, const MetricInfo& metric, std::string& why);

  const EvaluationInput& input_;
  double level_ = 0.95;
  int resamples_ = 0;
  std::map<std::string, Groups> groups_;
};

}  // namespace rondo::model
