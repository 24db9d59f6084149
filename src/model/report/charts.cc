#include "model/report/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/report/html.h"

namespace rondo::model::report {
namespace {

constexpr double kWidth = 320, kHeight = 260, kLeft = 46, kRight = 12, kTop = 10, kBottom = 40;

struct Scale {
  double low, high, from, to;
  double operator()(double v) const { return from + (std::clamp(v, std::min(low, high), std::max(low, high)) - low) / (high - low) * (to - from); }
};

/// A step of 1, 2 or 5 times a power of ten that gives four to six ticks.
double TickStep(double range) {
  const double rough = range / 5, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double m : {1.0, 2.0, 5.0})
    if (rough <= m * power) return m * power;
  return 10 * power;
}

std::vector<double> Ticks(double low, double high) {
  std::vector<double> out;
  const double step = TickStep(high - low);
  for (double t = std::ceil(low / step - 1e-9) * step; t <= high + step * 1e-9; t += step) out.push_back(std::fabs(t) < step * 1e-9 ? 0 : t);
  return out;
}

std::string TickText(double v) {
  if (std::fabs(v) >= 1e6) return fmt::format("{:.3g}M", v / 1e6);
  return std::fabs(v) >= 1000 ? Count(std::llround(v)) : fmt::format("{:g}", std::round(v * 1e6) / 1e6);
}

}  // namespace

std::string Chart(const ChartOptions& o, const std::vector<Series>& series) {
  if (!(o.x_high > o.x_low) || !(o.y_high > o.y_low)) return "";
  const Scale x{o.x_low, o.x_high, kLeft, kWidth - kRight}, y{o.y_low, o.y_high, kHeight - kBottom, kTop};
  std::string svg = fmt::format("<svg viewBox='0 0 {} {}' role='img' aria-label='{}: {} against {}'>", kWidth, kHeight, Escape(o.title), Escape(o.y), Escape(o.x));
  for (const double t : Ticks(o.y_low, o.y_high))
    svg += fmt::format("<path class='grid' d='M{:.1f} {:.1f}H{:.1f}'/><text class='tick' x='{:.1f}' y='{:.1f}' text-anchor='end'>{}</text>", kLeft, y(t), kWidth - kRight, kLeft - 6, y(t) + 3.5, TickText(t));
  for (const double t : Ticks(o.x_low, o.x_high)) svg += fmt::format("<text class='tick' x='{:.1f}' y='{:.1f}' text-anchor='middle'>{}</text>", x(t), kHeight - kBottom + 15, TickText(t));
  svg += fmt::format("<path class='axis' d='M{:.1f} {:.1f}V{:.1f}H{:.1f}'/>", kLeft, kTop, kHeight - kBottom, kWidth - kRight);
  svg += fmt::format("<text class='label' x='{:.1f}' y='{:.1f}' text-anchor='middle'>{}</text>", (kLeft + kWidth - kRight) / 2, kHeight - 6, Escape(o.x));
  svg += fmt::format("<text class='label' transform='translate(11 {:.1f}) rotate(-90)' text-anchor='middle'>{}</text>", (kTop + kHeight - kBottom) / 2, Escape(o.y));
  if (o.diagonal) {
    const double low = std::max(o.x_low, o.y_low), high = std::min(o.x_high, o.y_high);
    svg += fmt::format("<path class='guide' d='M{:.1f} {:.1f}L{:.1f} {:.1f}'/>", x(low), y(low), x(high), y(high));
  }
  if (o.level >= o.y_low && o.level <= o.y_high && o.level != -1) svg += fmt::format("<path class='guide' d='M{:.1f} {:.1f}H{:.1f}'/>", kLeft, y(o.level), kWidth - kRight);
  if (o.rule_at >= o.x_low && o.rule_at <= o.x_high && !o.rule_name.empty()) {
    const bool right = x(o.rule_at) > kWidth * 0.6;
    svg += fmt::format("<path class='rule' d='M{0:.1f} {1:.1f}V{2:.1f}'/><text class='tick strong' x='{3:.1f}' y='{4:.1f}' text-anchor='{5}'>{6}</text>", x(o.rule_at), kTop, kHeight - kBottom,
                       x(o.rule_at) + (right ? -4 : 4), kTop + 9, right ? "end" : "start", Escape(o.rule_name));
  }
  for (const Series& s : series) {
    if (s.points.empty()) continue;
    std::string path;
    for (size_t i = 0; i < s.points.size(); ++i) {
      const auto& [px, py] = s.points[i];
      path += fmt::format("{}{:.1f} {:.1f}", i == 0 ? "M" : "L", x(px), y(py));
      if (i < s.whiskers.size()) svg += fmt::format("<path class='whisker s{}' d='M{:.1f} {:.1f}V{:.1f}'/>", s.colour, x(px), y(s.whiskers[i].first), y(s.whiskers[i].second));
    }
    svg += fmt::format("<path class='line s{}' d='{}'/>", s.colour, path);
    for (size_t i = 0; s.dots && i < s.points.size(); ++i) svg += fmt::format("<circle class='dot s{}' cx='{:.1f}' cy='{:.1f}' r='3'/>", s.colour, x(s.points[i].first), y(s.points[i].second));
  }
  svg += "</svg>";
  std::string legend;
  for (const Series& s : series)
    if (series.size() > 1) legend += fmt::format("<span class='key s{}'>{}</span>", s.colour, Escape(s.name));
  return fmt::format("<figure><figcaption>{}</figcaption>{}{}{}</figure>", Escape(o.title), svg, legend.empty() ? "" : "<p class='legend'>" + legend + "</p>", o.note.empty() ? "" : "<p class='note'>" + Escape(o.note) + "</p>");
}

std::string GatePicture(const Json& gate) {
  if (!gate["value"].IsNumber() || !gate["limit"].IsNumber()) return "";
  const double value = gate["value"].AsDouble(), limit = gate["limit"].AsDouble();
  const double low = gate["low"].AsDouble(value), high = gate["high"].AsDouble(value);
  double from = std::min({low, value, limit}), to = std::max({high, value, limit});
  const double pad = to > from ? (to - from) * 0.15 : std::max(std::fabs(value) * 0.1, 0.01);
  from -= pad;
  to += pad;
  const Scale x{from, to, 4, 136};
  const bool passed = gate["passed"].AsBool(), warn = gate["warn"].AsBool();
  // The side of the limit where the gate is met is tinted.
  const bool upward = gate["op"].AsString().starts_with(">");
  const double l = x(limit), start = upward ? l : 4, width = upward ? 136 - l : l - 4;
  return fmt::format("<svg class='gate {}' viewBox='0 0 140 20' role='img' aria-label='value {} against limit {}'><rect class='zone' x='{:.1f}' y='3' width='{:.1f}' height='14'/><path class='range' d='M{:.1f} 10H{:.1f}'/><path class='limit' d='M{:.1f} 2V18'/>"
                     "<circle class='value' cx='{:.1f}' cy='10' r='3.5'/></svg>",
                     passed ? "ok" : warn ? "warn" : "bad", Show(value), Show(limit), start, std::max(0.0, width), x(low), x(high), l, x(value));
}

}  // namespace rondo::model::report
