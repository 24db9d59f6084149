/// The params of a learner, checked against its table, and the checks that every learner makes of its data.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/train.h"

namespace rondo::model {

class Params {
 public:
  /// kInvalid for unknown names (lists the known ones and the nearest), wrong types, values out of range, a name given twice by its alias.
  static Result<Params> Read(const std::string& algorithm, const std::vector<ParamInfo>& table, const Json& given);
  int64_t Int(const std::string& name) const { return At(name).AsInt(); }
  double Number(const std::string& name) const { return At(name).AsDouble(); }
  bool Bool(const std::string& name) const { return At(name).AsBool(); }
  const std::string& Text(const std::string& name) const { return At(name).AsString(); }
  Json ToJson() const;  ///< all of them, defaults filled in

 private:
  const Json& At(const std::string& name) const;
  std::vector<std::pair<std::string, Json>> values_;
};

struct DataRules {
  bool missing_allowed = true;  ///< NaN in the matrix
  bool needs_features = true;
};
/// kFailedCheck with the row, column and value: no rows, sizes that differ, NaN or infinite labels, one class, a constant target, infinities,
/// missing values where the learner can't have them (the hint says how to impute).
Status CheckData(const TrainRequest& request, const DataRules& rules);

/// Threads for a learner's library: `n_jobs`, or all cores, or one when the data are so small that threads only wait for each other.
int ThreadsFor(int64_t n_jobs, const Matrix& x);

/// A stopped training: on_metric answered false.
std::unexpected<Error> Cancelled(int64_t round);

}  // namespace rondo::model
