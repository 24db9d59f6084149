/// The report's pictures as inline SVG. Colours are CSS variables, so they follow dark and light.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace rondo::model::report {

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
  int colour = 1;       ///< 1..4, CSS classes s1 ... s4
  bool dots = false;    ///< points with whiskers instead of a line
  std::vector<std::pair<double, double>> whiskers;  ///< low, high in step with points
};
struct ChartOptions {
  std::string title = {}, x = {}, y = {}, note = {};
  double x_low = 0, x_high = 1, y_low = 0, y_high = 1;
  bool diagonal = false;    ///< dashed line from corner to corner
  double rule_at = -1;      ///< vertical rule (the threshold); outside the range: none
  std::string rule_name = {};
  double level = -1;        ///< horizontal dashed line (a base rate); outside: none
};
/// A <figure> with axes, ticks, and the legend below when there are several series.
std::string Chart(const ChartOptions& options, const std::vector<Series>& series);

/// A gate as a picture: interval, value, and the limit as a rule. Empty when there is no number.
std::string GatePicture(const Json& gate);

}  // namespace rondo::model::report
