/// The parts of FitFeatures.
#pragma once

#include "model/features/plan.h"
#include "model/train.h"

namespace rondo::model {

struct FitContext {
  const project::Features& spec;
  size_t rows = 0;
  std::vector<std::string> warnings;
  /// The section of `features.columns` for a column; nullptr when there is none.
  const project::ColumnFeature* Find(std::string_view column) const;
};

/// Blocks of one value: number or bins, and the missing indicator. `values`: the training rows. Empty when the column says nothing.
Result<std::vector<PlanBlock>> FitNumber(FitContext& context, const std::string& name, const project::ColumnFeature* declared, const std::vector<float>& values);
/// Block of one text column: levels or terms. Empty when it is left out (a warning says why).
Result<std::vector<PlanBlock>> FitText(FitContext& context, const InputColumn& input, const project::ColumnFeature* declared, const std::vector<std::string_view>& texts);

}  // namespace rondo::model
