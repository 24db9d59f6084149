/// Sanity of a tree that was read from a file.
#pragma once

#include <string>

#include "model/train.h"

namespace rondo::model {

/// Empty when every node is reached once from the root and children, features and values are in range; else what is wrong.
std::string TreeFault(const Tree& tree, size_t features);

/// The plain sum of trees or linear form with its link, in double: [row][outputs] (one value a row for binary and regression). Slow; for tests.
std::vector<double> EvaluateFitted(const FittedModel& model, const Matrix& x);

}  // namespace rondo::model
