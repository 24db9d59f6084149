// What only the whole file tells: sections that must fit each other.
#include <fmt/format.h>

#include <algorithm>

#include "base/json_map.h"
#include "base/nearest.h"
#include "project/reader.h"
#include "project/sections.h"

namespace rondo::project {
namespace {

class Checker {
 public:
  Checker(const YamlNode& root, Project& project) : root_(root), p_(project) {}

  Status Run() {
    if (p_.problem) RONDO_DO(CheckProblem());
    if (p_.deploy && !p_.problem) return At({"deploy"}, "needs a `problem:`", "add problem: {task: binary, target: COLUMN, positive: VALUE}");
    if (p_.retrain.enabled) RONDO_DO(CheckRetrain());
    for (const Trigger& t : p_.triggers) RONDO_DO(CheckTrigger(t));
    for (const Predict& predict : p_.predict)
      if (!p_.FindDataset(predict.data)) return At({"predict", predict.name, "data"}, NoDataset(predict.data), DatasetHint(predict.data));
    if (p_.data.empty() && !p_.problem && p_.stages.empty()) return Fail(Code::kInvalid, root_.where + ": the project declares nothing to do", "add data: and problem:, or stages:; `rondo init data.csv --target COLUMN` writes a first file");
    return {};
  }

 private:
  /// An error at the deepest part of the path that the file has.
  std::unexpected<Error> At(const std::vector<std::string>& keys, const std::string& message, const std::string& hint = {}) const {
    const YamlNode* node = &root_;
    std::string where = root_.where, path;
    for (const std::string& key : keys) {
      path += (path.empty() ? "" : ".") + key;
      if (!node) continue;
      const YamlNode* next = nullptr;
      for (const YamlEntry& entry : node->entries)
        if (entry.key == key) {
          where = entry.where;
          next = &entry.value;
        }
      node = next;
    }
    return Wrong(where, path, message, hint);
  }
  std::string NoDataset(const std::string& name) const { return "there is no dataset \"" + name + "\""; }
  std::string DatasetHint(const std::string& name) const {
    std::vector<std::string_view> names;
    std::string listed;
    for (const Dataset& d : p_.data) {
      names.push_back(d.name);
      listed += (listed.empty() ? "" : ", ") + d.name;
    }
    const std::string near = Nearest(name, names);
    return near.empty() ? "the datasets are: " + listed : "did you mean " + near + "?";
  }

  Status CheckProblem() {
    Problem& problem = *p_.problem;
    if (p_.data.empty()) return At({"problem"}, "needs data", "add data: {NAME: {from: FILE}}");
    if (problem.data.empty()) {
      if (p_.data.size() > 1) return At({"problem"}, fmt::format("there are {} datasets: which one trains?", p_.data.size()), "add data: " + p_.data[0].name + " to problem");
      problem.data = p_.data[0].name;
    }
    const Dataset* trains = p_.FindDataset(problem.data);
    if (!trains) return At({"problem", "data"}, NoDataset(problem.data), DatasetHint(problem.data));
    for (const auto& [key, column] : {std::pair{"key", problem.key}, std::pair{"time", problem.time}, std::pair{"weight", problem.weight}})
      if (column == problem.target) return At({"problem", key}, "is the target itself");
    for (const Sensitive& s : problem.sensitive)
      if (s.column == problem.target) return At({"problem", "sensitive"}, "the target " + s.column + " can't be a sensitive column", "remove it from the list");
    for (const std::string& column : p_.features.drop)
      if (column == problem.target) return At({"features", "drop"}, "the target " + column + " is never a feature", "remove it from the list");
    for (const ColumnFeature& c : p_.features.columns) {
      if (c.column == problem.target) return At({"features", "columns", c.column}, "is the target, never a feature");
      if (std::find(p_.features.drop.begin(), p_.features.drop.end(), c.column) != p_.features.drop.end()) return At({"features", "columns", c.column}, "stands in features.drop too", "remove one of them");
    }
    for (const Personal& personal : trains->personal) {
      if (personal.action != "drop") continue;
      for (const auto& [key, column] : {std::pair{"target", problem.target}, std::pair{"key", problem.key}, std::pair{"time", problem.time}, std::pair{"weight", problem.weight}})
        if (!column.empty() && column == personal.column) return At({"problem", key}, column + " is dropped by data." + trains->name + ".personal", std::string(key) == "key" ? "use pseudonymise instead of drop" : "remove it from personal");
    }
    for (const Gate& gate : problem.success) {
      if (gate.column.empty() || !gate.value.empty() || !ComparesGroups(gate.metric)) continue;
      const bool listed = std::any_of(problem.sensitive.begin(), problem.sensitive.end(), [&](const Sensitive& s) { return s.column == gate.column; });
      if (!listed) return At({"problem", "success"}, "the gate \"" + gate.text + "\" compares groups of " + gate.column + ", which isn't in problem.sensitive", "add sensitive: [" + gate.column + "]");
    }
    if (p_.split.by == "time" && problem.time.empty()) return At({"split", "by"}, "time needs problem.time", "add time: the column that says when a row was true");
    if (p_.train.target == "log1p" && problem.task != Task::regression) return At({"train", "target"}, "log1p applies to task regression only, the task is " + EnumName(problem.task), "remove it");
    // The contract's key is the problem's, unless it says otherwise.
    for (Dataset& d : p_.data)
      if (d.contract.key.empty() && d.name == problem.data) d.contract.key = problem.key;
    return {};
  }

  Status CheckRetrain() {
    if (!p_.deploy) return At({"retrain"}, "needs a `deploy:` whose endpoint is watched", "add deploy: {endpoint: " + p_.name + "}");
    if (p_.retrain.on_performance && !p_.monitor.performance) return At({"retrain", "when"}, "performance needs monitor.alarm.performance", "add monitor: {alarm: {performance: auc < 0.80}}");
    return {};
  }

  Status CheckTrigger(const Trigger& t) {
    if (!t.data.empty() && !p_.FindDataset(t.data)) return At({"triggers", t.name, "data"}, NoDataset(t.data), DatasetHint(t.data));
    std::vector<std::string_view> names(std::begin(kBuiltinStages), std::end(kBuiltinStages));
    for (const Stage& s : p_.stages) names.push_back(s.name);
    for (const Stage& s : p_.stages)
      if (!s.group.empty()) names.push_back(s.group);
    for (const std::string& stage : t.run)
      if (std::find(names.begin(), names.end(), stage) == names.end()) {
        const std::string near = Nearest(stage, names);
        return At({"triggers", t.name, "run"}, "there is no stage \"" + stage + "\"", near.empty() ? "" : "did you mean " + near + "?");
      }
    return {};
  }

  const YamlNode& root_;
  Project& p_;
};

}  // namespace

Status CrossCheck(const YamlNode& root, Project& project) { return Checker(root, project).Run(); }

}  // namespace rondo::project
