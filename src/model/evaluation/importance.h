/// Permutation importance (Breiman 2001; Fisher, Rudin, Dominici 2019) of raw columns, through the whole model.
#pragma once

#include "model/evaluation.h"

namespace rondo::model {

/// How much the metric suffers when a column's values are shuffled among the rows: [{"column", "mean", "std", "metric"}], most important first.
/// Positive always means that the model needs the column. At most `max_rows` rows, drawn by seed; five shuffles a column.
Result<Json> PermutationImportance(const EvaluationInput& input, size_t max_rows = 2000);

}  // namespace rondo::model
