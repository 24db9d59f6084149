/// Data for tests that a Python script can make again exactly: Knuth's 64-bit linear congruential generator, top 53 bits.
#pragma once

#include <cmath>
#include <cstdint>

#include "model/evaluate.h"

namespace rondo::model::sample {

class Lcg {
 public:
  explicit Lcg(uint64_t seed) : x_(seed) {}
  double U() {
    x_ = x_ * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<double>(x_ >> 11) * 0x1.0p-53;
  }

 private:
  uint64_t x_;
};

/// 500 rows, scores with two decimals (so many ties), decisions at 0.4.
inline Scored Binary(bool weighted = false, int rows = 500, uint64_t seed = 1) {
  Lcg r(seed);
  Scored s;
  for (int i = 0; i < rows; ++i) {
    const double a = r.U(), b = r.U(), c = r.U();
    const double score = std::floor(a * 100) / 100;
    s.y.push_back(b < 0.15 + 0.6 * score ? 1 : 0);
    s.scores.push_back(score);
    s.decisions.push_back(score >= 0.4 ? 1 : 0);
    if (weighted) s.weights.push_back(0.5 + std::floor(c * 4) / 2);
  }
  return s;
}

/// 400 rows of three classes; decisions are the first largest probability.
inline Scored Multiclass(bool weighted = false) {
  Lcg r(2);
  Scored s;
  s.task = project::Task::multiclass;
  s.classes = 3;
  for (int i = 0; i < 400; ++i) {
    double a[3], sum = 0;
    for (double& v : a) sum += v = 0.05 + std::floor(r.U() * 20) / 20;
    for (double& v : a) v /= sum;
    const double u = r.U();
    s.y.push_back(u < a[0] ? 0 : u < a[0] + a[1] ? 1 : 2);
    s.decisions.push_back(a[0] >= a[1] && a[0] >= a[2] ? 0 : a[1] >= a[2] ? 1 : 2);
    s.scores.insert(s.scores.end(), a, a + 3);
    const double w = 0.5 + std::floor(r.U() * 4) / 2;
    if (weighted) s.weights.push_back(w);
  }
  return s;
}

inline Scored Regression(bool weighted = false) {
  Lcg r(3);
  Scored s;
  s.task = project::Task::regression;
  s.classes = 1;
  for (int i = 0; i < 301; ++i) {
    const double a = r.U() * 100 - 20, e = r.U() * 10 - 4, w = 0.5 + std::floor(r.U() * 4) / 2;
    s.y.push_back(a);
    s.scores.push_back(a * 0.9 + e);
    if (weighted) s.weights.push_back(w);
  }
  return s;
}

}  // namespace rondo::model::sample
