// The table of algorithms.
#include <algorithm>

#include "base/json_map.h"
#include "model/learners/learners.h"

namespace rondo::model {

const std::vector<AlgorithmInfo>& Algorithms() {
  static const std::vector<AlgorithmInfo> rows = {XgboostInfo(), LightgbmInfo(), LogisticInfo(), LinearInfo(), DummyInfo()};
  return rows;
}

Result<const AlgorithmInfo*> FindAlgorithm(const std::string& name, project::Task task) {
  std::string names;
  for (const AlgorithmInfo& row : Algorithms()) {
    const bool applies = std::find(row.tasks.begin(), row.tasks.end(), task) != row.tasks.end();
    if (applies) names += (names.empty() ? "" : ", ") + row.name;
    if (row.name != name) continue;
    if (applies) return &row;
    return Fail(Code::kInvalid, "train.algorithm: " + name + " can't do task: " + EnumName(task),
                name == "logistic" ? "use linear, xgboost or lightgbm" : name == "linear" ? "use logistic, xgboost or lightgbm" : "");
  }
  return Fail(Code::kInvalid, "there is no algorithm \"" + name + "\" for task: " + EnumName(task), "there are: " + names + "; `rondo algorithms` lists their params");
}

}  // namespace rondo::model
