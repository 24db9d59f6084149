#include "model/evaluation/finder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/metrics/ranked.h"

namespace rondo::model {
namespace {

std::string Join(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

std::vector<std::string> GateMetrics(project::Task task) {
  std::vector<std::string> names;
  for (const MetricInfo& m : Metrics())
    if (m.AppliesTo(task)) names.push_back(m.name);
  for (const FairnessInfo& f : FairnessMeasures())
    if (std::find(f.tasks.begin(), f.tasks.end(), task) != f.tasks.end()) names.push_back(f.name + "[column]");
  return names;
}

GateFinder::GateFinder(const EvaluationInput& input) : input_(input), level_(input.project->problem->confidence.value_or(0.95)) {
  // Beyond some 10^4 rows the bounds barely move with more resamples, and time would.
  resamples_ = input.test.rows() > 20'000 ? std::min(input.resamples, 200) : input.resamples;
}

const Groups* GateFinder::GroupsOf(const std::string& name) {
  if (const auto it = groups_.find(name); it != groups_.end()) return &it->second;
  const table::Column* column = input_.test_raw ? input_.test_raw->Find(name) : nullptr;
  if (!column || column->size() != input_.test.rows()) return nullptr;
  std::vector<double> edges;
  for (const project::Sensitive& s : input_.project->problem->sensitive)
    if (s.column == name) edges = s.edges;
  return &groups_.emplace(name, MakeGroups(*column, edges)).first->second;
}

std::optional<Interval> GateFinder::Champion(const project::Gate& gate, std::string& why) {
  if (input_.champion) return Find(*input_.champion, false, gate, why);
  why = input_.champion_note.empty() ? input_.champion_name + " could not be scored" : input_.champion_note;
  return std::nullopt;
}

Interval GateFinder::Measured(const Scored& scored, bool candidate, const project::Gate& gate, const Measure& measure, const std::vector<size_t>* rows) {
  const Scored part = rows ? Subset(scored, *rows) : scored;
  Interval found = BootstrapAll(part, {measure}, resamples_, input_.seed, level_)[0];
  if (candidate && gate.champion && input_.champion) {
    const Scored other = rows ? Subset(*input_.champion, *rows) : *input_.champion;
    const Interval difference = BootstrapDifference(part, other, measure, gate.factor, resamples_, input_.seed, level_);
    const double base = found.value - difference.value;
    found.low = base + difference.low;
    found.high = base + difference.high;
  }
  return found;
}

std::optional<Interval> GateFinder::Slice(const Scored& scored, bool candidate, const project::Gate& gate, const MetricInfo& metric, std::string& why) {
  const Groups* groups = GroupsOf(gate.column);
  if (!groups) {
    why = fmt::format("the data have no column \"{}\"{}", gate.column, input_.signature->classes.empty() ? "" : fmt::format(" and the target no class of that name (classes: {})", Join(input_.signature->classes)));
    return std::nullopt;
  }
  const Measure measure{&metric, kAllClasses};
  if (!gate.value.empty()) {
    std::optional<size_t> g = FindGroup(*groups, gate.value);
    std::vector<size_t> rows;
    if (g) rows = groups->rows[*g];
    if (!g) {
      // A single value of a binned or crowded column.
      const table::Column& column = *input_.test_raw->Find(gate.column);
      for (size_t i = 0; i < column.size(); ++i)
        if (column.Text(i) == gate.value) rows.push_back(i);
    }
    if (rows.size() < kMinGroup) {
      why = rows.empty() ? fmt::format("no test row has {}={} (values: {})", gate.column, gate.value, Join(groups->names))
                         : fmt::format("only {} test rows have {}={}, {} are needed", rows.size(), gate.column, gate.value, kMinGroup);
      return std::nullopt;
    }
    const Interval found = Measured(scored, candidate, gate, measure, &rows);
    if (std::isnan(found.value)) why = fmt::format("{} is undefined on the {} rows with {}={}", metric.name, rows.size(), gate.column, gate.value);
    return found;
  }
  std::optional<Interval> worst;
  for (size_t g = 0; g < groups->names.size(); ++g) {
    if (groups->rows[g].size() < kMinGroup) continue;
    const Interval found = Measured(scored, candidate, gate, measure, &groups->rows[g]);
    if (std::isnan(found.value)) continue;
    if (!worst || (metric.higher_is_better ? found.value < worst->value : found.value > worst->value)) worst = found;
  }
  if (!worst) why = fmt::format("no group of \"{}\" has {} rows on which {} is defined", gate.column, kMinGroup, metric.name);
  return worst;
}

std::optional<Interval> GateFinder::Find(const Scored& scored, bool candidate, const project::Gate& gate, std::string& why) {
  const project::Task task = input_.test.task;
  if (const MetricInfo* metric = FindMetric(gate.metric)) {
    if (!metric->AppliesTo(task)) {
      why = fmt::format("{} is no metric of this task; it has: {}", gate.metric, Join(GateMetrics(task)));
      return std::nullopt;
    }
    const std::vector<std::string>& classes = input_.signature->classes;
    if (gate.column.empty()) {
      const Interval found = Measured(scored, candidate, gate, {metric, kAllClasses}, nullptr);
      if (std::isnan(found.value)) why = metric->name + " is undefined on the test part (a class without rows, or all labels equal)";
      return found;
    }
    const auto cls = std::find(classes.begin(), classes.end(), gate.column);
    if (gate.value.empty() && cls != classes.end()) {
      if (!metric->per_class) {
        why = fmt::format("{} has no value for one class", metric->name);
        return std::nullopt;
      }
      const Interval found = Measured(scored, candidate, gate, {metric, static_cast<int>(cls - classes.begin())}, nullptr);
      if (std::isnan(found.value)) why = fmt::format("the test part has no row of class \"{}\" to compute {}", gate.column, metric->name);
      return found;
    }
    return Slice(scored, candidate, gate, *metric, why);
  }
  if (const FairnessInfo* fairness = FindFairness(gate.metric)) {
    if (std::find(fairness->tasks.begin(), fairness->tasks.end(), task) == fairness->tasks.end()) {
      why = fmt::format("{} is no measure of this task; it has: {}", gate.metric, Join(GateMetrics(task)));
      return std::nullopt;
    }
    if (gate.column.empty() || !gate.value.empty()) {
      why = fmt::format("{} compares the groups of a column: write {}[COLUMN]", gate.metric, gate.metric);
      return std::nullopt;
    }
    const Groups* groups = GroupsOf(gate.column);
    if (!groups) {
      why = fmt::format("the data have no column \"{}\"", gate.column);
      return std::nullopt;
    }
    return FairnessInterval(scored, *groups, gate.metric, resamples_, input_.seed, level_, why);
  }
  const GateLookup& other = candidate ? input_.other : input_.champion_other;
  std::optional<Interval> found = other ? other(gate, why) : std::nullopt;
  if (!found && why.empty()) why = fmt::format("nothing measures {} here; this task has: {}", gate.metric, Join(GateMetrics(task)));
  if (found && std::isnan(found->low)) found->low = found->value;
  if (found && std::isnan(found->high)) found->high = found->value;
  return found;
}

}  // namespace rondo::model
