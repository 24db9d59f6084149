/// Rows in a model's own column order, taken out of a table.
#pragma once

#include "model/scorer.h"

namespace rondo::model {

Result<InputBatch> MakeBatch(const std::vector<InputColumn>& inputs, const table::Frame& frame);

}  // namespace rondo::model
