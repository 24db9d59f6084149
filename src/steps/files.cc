#include "steps/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_map.h"
#include "base/process.h"

namespace rondo::steps {

std::string KeyColumn(const project::Problem& problem) { return problem.key.empty() ? "row_key" : problem.key; }

Result<table::Frame> ReadPart(const Context& c, const std::string& part) { return table::ReadTable(c.Path("out/split/" + part + ".parquet")); }

Result<data::IngestResult> ReadIngest(const Context& c, const std::string& dataset) {
  RONDO_TRY(const std::string text, ReadFile(c.Path("out/data/" + dataset + ".json")));
  return ReadJson<data::IngestResult>(text);
}

std::vector<model::InputColumn> FeatureColumns(const Context& c, const table::Frame& part) {
  const project::Problem& p = c.problem();
  std::set<std::string> out = {KeyColumn(p), p.target};
  if (!p.weight.empty()) out.insert(p.weight);
  for (const std::string& name : c.project.features.drop) out.insert(name);
  std::vector<model::InputColumn> columns;
  for (const table::Column& column : part.columns)
    if (!out.contains(column.name)) columns.push_back({column.name, std::string(table::TypeName(column.type))});
  return columns;
}

Result<std::vector<std::string>> Classes(const project::Problem& problem, const table::Frame& train) {
  if (problem.task == project::Task::regression) return std::vector<std::string>{};
  const table::Column* target = train.Find(problem.target);
  if (!target) return Fail(Code::kFailedCheck, "the data have no column \"" + problem.target + "\", the target", "fix problem.target in rondo.yaml");
  std::set<std::string> values;
  for (size_t i = 0; i < target->size(); ++i)
    if (!target->IsMissing(i)) values.insert(target->Text(i));
  std::string shown;
  for (const std::string& v : values) shown += (shown.empty() ? "" : ", ") + (shown.size() > 200 ? std::string("…") : v);
  if (problem.task == project::Task::multiclass) {
    if (values.size() < 2) return Fail(Code::kFailedCheck, "the target \"" + problem.target + "\" has one value only: " + shown);
    if (values.size() > 1000) return Fail(Code::kFailedCheck, fmt::format("the target \"{}\" has {} different values, the limit is 1000 classes", problem.target, values.size()), "is it a number? then task: regression");
    return std::vector<std::string>(values.begin(), values.end());
  }
  if (!values.contains(problem.positive))
    return Fail(Code::kFailedCheck, fmt::format("the target \"{}\" never has the positive value \"{}\" in the training part; it has: {}", problem.target, problem.positive, shown),
                "fix problem.positive in rondo.yaml");
  if (values.size() != 2)
    return Fail(Code::kFailedCheck, fmt::format("task: binary needs a target of two values, \"{}\" has {}: {}", problem.target, values.size(), shown),
                values.size() < 2 ? "a model can't learn from one class" : "use task: multiclass, or clean the target");
  values.erase(problem.positive);
  return std::vector<std::string>{*values.begin(), problem.positive};
}

Result<model::Labels> LabelsOf(const project::Problem& problem, const std::vector<std::string>& classes, const table::Frame& part, bool log1p) {
  model::Labels labels;
  const table::Column* target = part.Find(problem.target);
  if (!target) return Fail(Code::kFailedCheck, "the data have no column \"" + problem.target + "\", the target", "fix problem.target in rondo.yaml");
  labels.y.reserve(target->size());
  for (size_t i = 0; i < target->size(); ++i) {
    if (problem.task == project::Task::regression) {
      double value = target->numeric() ? target->numbers[i] : std::nan("");
      if (!target->numeric()) return Fail(Code::kFailedCheck, "task: regression needs a numeric target, \"" + problem.target + "\" holds texts such as \"" + target->Text(i) + "\"");
      if (log1p && value <= -1) return Fail(Code::kFailedCheck, fmt::format("train.target: log1p needs targets above -1, \"{}\" has {}", problem.target, value));
      labels.y.push_back(static_cast<float>(log1p ? std::log1p(value) : value));
      continue;
    }
    const std::string text = target->Text(i);
    const auto it = std::find(classes.begin(), classes.end(), text);
    if (it == classes.end()) return Fail(Code::kFailedCheck, fmt::format("the target value \"{}\" occurs in a held-out part but not in the training part", text), "more rows are needed, or drop that class");
    labels.y.push_back(static_cast<float>(it - classes.begin()));
  }
  if (!problem.weight.empty()) {
    const table::Column* weight = part.Find(problem.weight);
    if (!weight || !weight->numeric()) return Fail(Code::kFailedCheck, "the weight column \"" + problem.weight + "\" is missing or not numeric");
    for (const double w : weight->numbers) {
      if (!(w >= 0)) return Fail(Code::kFailedCheck, fmt::format("the weight column \"{}\" has the value {}", problem.weight, w), "weights are numbers of at least 0");
      labels.weights.push_back(static_cast<float>(w));
    }
  }
  return labels;
}

std::vector<double> Doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }

model::Scored MakeScored(const model::Signature& signature, const std::vector<float>& values, const model::Labels& labels) {
  model::Scored scored;
  scored.task = signature.task;
  scored.classes = std::max<size_t>(signature.classes.size(), 1);
  scored.y = Doubles(labels.y);
  scored.weights = Doubles(labels.weights);
  const size_t n = labels.y.size();
  if (signature.task == project::Task::regression) {
    scored.scores = Doubles(values);
    return scored;
  }
  const size_t width = values.size() / std::max<size_t>(n, 1);
  for (size_t i = 0; i < n; ++i) {
    if (signature.task == project::Task::binary) {
      const double p = static_cast<double>(values[i * width + width - 1]);
      scored.scores.push_back(p);
      scored.decisions.push_back(p >= signature.threshold ? 1 : 0);
    } else {
      const float* row = values.data() + i * width;
      for (size_t k = 0; k < width; ++k) scored.scores.push_back(static_cast<double>(row[k]));
      scored.decisions.push_back(static_cast<int>(std::max_element(row, row + width) - row));
    }
  }
  return scored;
}

Result<model::Scored> ScorePart(const model::Scorer& scorer, const project::Problem&, const table::Frame& part, const model::Labels& labels) {
  RONDO_TRY(const model::InputBatch batch, model::BatchFromFrame(scorer.signature(), part));
  model::Scores scores;
  RONDO_DO(scorer.Score(batch, scores));
  return MakeScored(scorer.signature(), scores.values, labels);
}

Commit CurrentCommit(const fs::path& root) {
  Commit commit;
  auto head = RunCommand({"git", "-C", root.string(), "rev-parse", "HEAD"}, {}, 5000);
  if (!head || head->code != 0) return commit;
  commit.id = head->out.substr(0, 40);
  auto status = RunCommand({"git", "-C", root.string(), "status", "--porcelain", "--untracked-files=no"}, {}, 5000);
  commit.dirty = status && status->code == 0 && !status->out.empty();
  return commit;
}

std::string ConfigHash(const project::Project& project) { return Sha256Hex(ToJson(project).Dump()); }

}  // namespace rondo::steps
