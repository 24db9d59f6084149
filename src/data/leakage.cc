// Leakage checks: what would make a held-out score too good (Kapoor & Narayanan, Patterns 2023, name the types).
#include "data/leakage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "data/associations.h"
#include "data/split_keys.h"

namespace rondo::data {
namespace {

using project::Task;
using table::Column;
using table::Type;

constexpr double kPerfect = 0.98;
constexpr size_t kMaxLevels = 50;

Json Warning(const char* check, std::string message, size_t count) { return Json::MakeObject().Set("check", check).Set("severity", "WARNING").Set("message", std::move(message)).Set("count", count); }

void Duplicates(const project::Problem& problem, const table::Frame& data, const SplitResult& split, std::vector<Json>& out) {
  const std::vector<std::string> rows = ContentHashes(data, {problem.key});
  std::unordered_set<std::string_view> train;
  for (const size_t r : split.train) train.insert(rows[r]);
  size_t count = 0;
  for (const auto* part : {&split.validation, &split.test})
    for (const size_t r : *part) count += train.contains(rows[r]);
  if (count == 0) return;
  const double held = static_cast<double>(split.validation.size() + split.test.size());
  out.push_back(Warning("duplicates_across_parts", fmt::format("{} rows of validation and test ({:.1f}%) equal a training row in all columns{}", count, 100 * static_cast<double>(count) / held, problem.key.empty() ? "" : " but the key"), count));
}

/// Keys that differ only in case and spaces are probably one thing written twice; equal keys were refused before.
void Keys(const project::Problem& problem, const SplitResult& split, std::vector<Json>& out) {
  if (problem.key.empty()) return;
  const auto plain = [&](size_t r) {
    std::string s;
    for (const char c : split.row_ids[r])
      if (!std::isspace(static_cast<unsigned char>(c))) s += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return s;
  };
  std::unordered_map<std::string, size_t> train;
  for (const size_t r : split.train) train.emplace(plain(r), r);
  size_t count = 0;
  std::string example;
  for (const auto* part : {&split.validation, &split.test})
    for (const size_t r : *part)
      if (const auto it = train.find(plain(r)); it != train.end() && count++ == 0) example = fmt::format("\"{}\" and \"{}\"", split.row_ids[it->second], split.row_ids[r]);
  if (count > 0) out.push_back(Warning("key_across_parts", fmt::format("{} keys of validation and test equal a training key but for case or spaces, for example {}", count, example), count));
}

void Groups(const project::Project& project, const table::Frame& data, const SplitResult& split, std::vector<Json>& out) {
  if (project.split.group.empty()) return;
  const Column* group = data.Find(project.split.group);
  if (!group) return;
  std::unordered_set<std::string> train;
  for (const size_t r : split.train)
    if (!group->IsMissing(r)) train.insert(group->Text(r));
  size_t count = 0;
  for (const auto* part : {&split.validation, &split.test})
    for (const size_t r : *part) count += !group->IsMissing(r) && train.contains(group->Text(r));
  if (count > 0) out.push_back(Warning("group_across_parts", fmt::format("{} rows of validation and test belong to a group (\"{}\") that the training part has too", count, project.split.group), count));
}

void TimeOrder(const project::Problem& problem, const table::Frame& data, const SplitResult& split, std::vector<Json>& out) {
  if (problem.time.empty()) return;
  const Column* time = data.Find(problem.time);
  if (!time || !(time->numeric() || time->type == Type::kDate || time->type == Type::kDatetime)) return;
  const auto less = [&](size_t a, size_t b) { return time->numeric() ? time->numbers[a] < time->numbers[b] : time->strings[a] < time->strings[b]; };
  const size_t none = data.rows();
  size_t newest = none;
  for (const size_t r : split.train)
    if (!time->IsMissing(r) && (newest == none || less(newest, r))) newest = r;
  if (newest == none) return;
  size_t count = 0;
  for (const size_t r : split.test) count += !time->IsMissing(r) && !less(newest, r);
  if (count > 0) out.push_back(Warning("time_order", fmt::format("{} of {} test rows are not later than the newest training row ({}): the model sees the future of what it is judged on; split.by: time avoids it", count, split.test.size(), time->Text(newest)), count));
}

/// A column as one score per training row. Texts become the mean outcome of their level; empty when there are too many levels to tell.
std::vector<double> Scores(const Column& column, const std::vector<size_t>& rows, const std::vector<double>& outcome) {
  std::vector<double> out;
  out.reserve(rows.size());
  if (column.numeric()) {
    for (const size_t r : rows) out.push_back(column.numbers[r]);
    return out;
  }
  std::unordered_map<std::string_view, std::pair<double, double>> levels;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (column.IsMissing(rows[i])) continue;
    auto& [sum, n] = levels[column.strings[rows[i]]];
    sum += outcome[i];
    n += 1;
    if (levels.size() > kMaxLevels) return {};
  }
  // Nearly one level a row would separate anything.
  if (levels.size() * 10 > rows.size()) return {};
  for (const size_t r : rows) {
    if (column.IsMissing(r)) {
      out.push_back(std::numeric_limits<double>::quiet_NaN());
    } else {
      const auto& [sum, n] = levels[column.strings[r]];
      out.push_back(sum / n);
    }
  }
  return out;
}

void PerfectFeatures(const project::Project& project, const table::Frame& data, const SplitResult& split, std::vector<Json>& out) {
  const project::Problem& problem = *project.problem;
  const Column& target = *data.Find(problem.target);
  const std::vector<size_t>& rows = split.train;
  if (rows.size() < 30) return;
  // One outcome per class (binary: only the positive one); a feature is near-perfect when it tells every class apart.
  std::vector<std::vector<double>> outcomes;
  if (problem.task == Task::regression) {
    outcomes.emplace_back();
    for (const size_t r : rows) outcomes[0].push_back(target.numbers[r]);
  } else {
    std::map<std::string, size_t> classes;
    for (const size_t r : rows) ++classes[target.Text(r)];
    if (classes.size() > kMaxLevels) return;
    for (const auto& [name, count] : classes) {
      if (problem.task == Task::binary && name != problem.positive) continue;
      std::vector<double>& outcome = outcomes.emplace_back();
      for (const size_t r : rows) outcome.push_back(target.Text(r) == name ? 1.0 : 0.0);
    }
  }
  for (const Column& column : data.columns) {
    if (column.name == problem.target || column.name == problem.key || column.name == problem.weight) continue;
    if (std::find(project.features.drop.begin(), project.features.drop.end(), column.name) != project.features.drop.end()) continue;
    double worst = 1, worst_missing = 1;
    for (const std::vector<double>& outcome : outcomes) {
      const std::vector<double> score = Scores(column, rows, outcome);
      std::vector<double> missing;
      for (const size_t r : rows) missing.push_back(column.IsMissing(r) ? 1 : 0);
      double value = 0, value_missing = 0;
      if (problem.task == Task::regression) {
        if (!score.empty()) value = std::fabs(Pearson(score, outcome));
      } else {
        std::vector<uint8_t> positive;
        for (const double y : outcome) positive.push_back(y > 0);
        // A feature that is there for a few rows only proves nothing.
        const auto present = static_cast<size_t>(std::count_if(score.begin(), score.end(), [](double v) { return !std::isnan(v); }));
        if (present * 2 >= rows.size()) value = SingleAuc(score, positive);
        value_missing = SingleAuc(missing, positive);
        value = std::max(value, 1 - value);
        value_missing = std::max(value_missing, 1 - value_missing);
        if (score.empty()) value = 0;
        if (present * 2 < rows.size()) value = 0;
      }
      worst = std::isnan(value) ? 0 : std::min(worst, value);
      worst_missing = std::isnan(value_missing) ? 0 : std::min(worst_missing, value_missing);
    }
    const char* measure = problem.task == Task::regression ? "|correlation|" : "AUC";
    if (worst > kPerfect) {
      out.push_back(Warning("near_perfect_feature", fmt::format("the column \"{}\" alone predicts the target ({} {:.4f}): is it known before the outcome?", column.name, measure, worst), rows.size()));
    } else if (worst_missing > kPerfect) {
      out.push_back(Warning("near_perfect_feature", fmt::format("whether the column \"{}\" is filled in predicts the target ({} {:.4f}): is it filled in after the outcome?", column.name, measure, worst_missing), rows.size()));
    }
  }
}

}  // namespace

double SingleAuc(const std::vector<double>& score, const std::vector<uint8_t>& positive) {
  std::vector<std::pair<double, uint8_t>> rows;
  for (size_t i = 0; i < score.size(); ++i)
    if (!std::isnan(score[i])) rows.emplace_back(score[i], positive[i]);
  std::sort(rows.begin(), rows.end());
  double below = 0, wins = 0, positives = 0;  // `below`: negatives with a smaller score
  for (size_t i = 0; i < rows.size();) {
    size_t end = i;
    double p = 0, n = 0;
    for (; end < rows.size() && rows[end].first == rows[i].first; ++end) (rows[end].second ? p : n) += 1;
    wins += p * (below + n / 2);
    below += n;
    positives += p;
    i = end;
  }
  return positives > 0 && below > 0 ? wins / positives / below : std::numeric_limits<double>::quiet_NaN();
}

std::vector<Json> FindLeakage(const project::Project& project, const table::Frame& data, const SplitResult& split) {
  std::vector<Json> out;
  const project::Problem& problem = *project.problem;
  Duplicates(problem, data, split, out);
  Keys(problem, split, out);
  Groups(project, data, split, out);
  TimeOrder(problem, data, split, out);
  PerfectFeatures(project, data, split, out);
  if (project.split.by == "random")
    for (const project::Gate& gate : problem.success)
      if (gate.champion) {
        out.push_back(Warning("champion_sees_test", fmt::format("split.by: random deals the rows anew when the data grow, so the champion of the gate \"{}\" may be judged on rows it was trained on; split.by: key avoids it", gate.text), 0));
        break;
      }
  return out;
}

}  // namespace rondo::data
