/// Label shift seen without labels: black-box shift estimation (Lipton, Wang, Smola, "Detecting and Correcting for Label Shift with Black Box
/// Predictors", ICML 2018). With P(decided | true) fixed, the decisions' shares of a window give the classes' shares: solve C pi = q.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "monitor/reference.h"

namespace rondo::monitor {

struct ClassShare {
  std::string name;
  double reference = 0;           ///< held-out share
  double value = 0, low = 0, high = 0;  ///< estimate and 95 % interval (parametric bootstrap over both samples)
};
BOOST_DESCRIBE_STRUCT(ClassShare, (), (name, reference, value, low, high))

struct LabelShift {
  bool possible = false;
  std::string why;                ///< when it isn't: few rows, a confusion matrix that can't be inverted
  std::vector<ClassShare> classes;
  double p = 1;                   ///< chi-square of the decisions, window against held-out part
  double largest = 0;             ///< largest |estimate - reference|
  bool shifted = false;           ///< p <= 0.01, largest >= 0.1, and that class' interval leaves its reference share out
};
BOOST_DESCRIBE_STRUCT(LabelShift, (), (possible, why, classes, p, largest, shifted))

/// `decisions`: per class (a last "something else" is ignored). Deterministic.
LabelShift EstimateLabelShift(const Reference& reference, const std::vector<int64_t>& decisions);

/// The least singular value of a square matrix (row-major), by Jacobi's method on its normal matrix.
double LeastSingularValue(const std::vector<double>& matrix, size_t n);

}  // namespace rondo::monitor
