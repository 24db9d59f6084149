/// Minimises a smooth convex function: limited-memory BFGS (Nocedal 1980) with a weak Wolfe line search by bisection (Lewis, Overton 2013).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace rondo::model {

struct LbfgsOptions {
  int64_t max_iterations = 1000;
  double gradient_tolerance = 1e-9;  ///< on the largest component
  int memory = 20;
};
struct LbfgsResult {
  bool converged = false, stopped = false;
  int64_t iterations = 0;
  double value = 0;
};
/// `function` fills the gradient and returns the value. `after` is called with each iteration's number; false stops. `x` holds the start and the end.
LbfgsResult MinimiseLbfgs(const std::function<double(const std::vector<double>& x, std::vector<double>& gradient)>& function, std::vector<double>& x, const LbfgsOptions& options,
                          const std::function<bool(int64_t iteration)>& after = {});

}  // namespace rondo::model
