#include "model/learners/lbfgs.h"

#include <cmath>
#include <deque>

namespace rondo::model {
namespace {

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

struct Pair {
  std::vector<double> step, change;
  double rho;
};

/// Two-loop recursion: -H * gradient.
std::vector<double> Direction(const std::deque<Pair>& pairs, const std::vector<double>& gradient) {
  std::vector<double> q = gradient, alpha(pairs.size());
  for (size_t i = pairs.size(); i-- > 0;) {
    alpha[i] = pairs[i].rho * Dot(pairs[i].step, q);
    for (size_t j = 0; j < q.size(); ++j) q[j] -= alpha[i] * pairs[i].change[j];
  }
  if (!pairs.empty()) {
    const double scale = 1 / (pairs.back().rho * Dot(pairs.back().change, pairs.back().change));
    for (double& v : q) v *= scale;
  }
  for (size_t i = 0; i < pairs.size(); ++i) {
    const double beta = pairs[i].rho * Dot(pairs[i].change, q);
    for (size_t j = 0; j < q.size(); ++j) q[j] += (alpha[i] - beta) * pairs[i].step[j];
  }
  for (double& v : q) v = -v;
  return q;
}

}  // namespace

LbfgsResult MinimiseLbfgs(const std::function<double(const std::vector<double>&, std::vector<double>&)>& function, std::vector<double>& x, const LbfgsOptions& options, const std::function<bool(int64_t)>& after) {
  constexpr double kDecrease = 1e-4, kCurvature = 0.9;
  const size_t n = x.size();
  std::vector<double> gradient(n), next(n), next_gradient(n);
  LbfgsResult result;
  result.value = function(x, gradient);
  std::deque<Pair> pairs;
  for (; result.iterations < options.max_iterations; ++result.iterations) {
    double largest = 0;
    for (const double g : gradient) largest = std::fmax(largest, std::fabs(g));
    if (!(largest > options.gradient_tolerance)) {
      result.converged = true;
      return result;
    }
    std::vector<double> direction = Direction(pairs, gradient);
    double slope = Dot(gradient, direction);
    if (!(slope < 0)) {  // rounding has spoilt the memory: start again downhill
      pairs.clear();
      direction = Direction(pairs, gradient);
      slope = Dot(gradient, direction);
    }
    double low = 0, high = INFINITY, t = pairs.empty() ? 1 / std::fmax(1.0, std::sqrt(-slope)) : 1, value = 0;
    bool found = false;
    for (int tries = 0; tries < 60 && !found; ++tries) {
      for (size_t j = 0; j < n; ++j) next[j] = x[j] + t * direction[j];
      value = function(next, next_gradient);
      if (!(value <= result.value + kDecrease * t * slope)) high = t;
      else if (Dot(next_gradient, direction) < kCurvature * slope) low = t;
      else found = true;
      if (!found) t = std::isinf(high) ? 2 * low : (low + high) / 2;
    }
    if (!found) {
      // The line can't be followed below the precision of doubles: this is the minimum, as far as they can tell.
      result.converged = largest < 1e-5;
      return result;
    }
    Pair pair{std::vector<double>(n), std::vector<double>(n), 0};
    for (size_t j = 0; j < n; ++j) {
      pair.step[j] = next[j] - x[j];
      pair.change[j] = next_gradient[j] - gradient[j];
    }
    const double curvature = Dot(pair.step, pair.change);
    if (curvature > 0) {
      pair.rho = 1 / curvature;
      pairs.push_back(std::move(pair));
      if (static_cast<int>(pairs.size()) > options.memory) pairs.pop_front();
    }
    x.swap(next);
    gradient.swap(next_gradient);
    result.value = value;
    if (after && !after(result.iterations)) {
      result.stopped = true;
      return result;
    }
  }
  return result;
}

}  // namespace rondo::model
