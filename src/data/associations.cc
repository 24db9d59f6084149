// Correlations of numeric pairs and associations of categorical pairs.
#include "data/associations.h"

#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_map>

namespace rondo::data {
namespace {
constexpr size_t kMaxColumns = 60;  // 1,770 pairs; wider data are cut to their first columns
constexpr int kMaxLevels = 50;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Json Matrix(const std::vector<std::string>& names, const std::vector<std::vector<double>>& values) {
  Json matrix = Json::MakeArray();
  for (const auto& row : values) {
    Json line = Json::MakeArray();
    for (const double v : row) line.Push(std::isnan(v) ? Json() : Json(std::round(v * 1e6) / 1e6));
    matrix.Push(std::move(line));
  }
  return Json::MakeObject().Set("columns", Json(names)).Set("matrix", std::move(matrix));
}
}  // namespace

double Pearson(const std::vector<double>& x, const std::vector<double>& y) {
  double n = 0, mx = 0, my = 0, sxx = 0, syy = 0, sxy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) continue;
    // Welford's update: no cancellation for large means.
    n += 1;
    const double dx = x[i] - mx, dy = y[i] - my;
    mx += dx / n;
    my += dy / n;
    sxx += dx * (x[i] - mx);
    syy += dy * (y[i] - my);
    sxy += dx * (y[i] - my);
  }
  if (n < 2 || sxx <= 0 || syy <= 0) return kNaN;
  return sxy / std::sqrt(sxx * syy);
}

double CramersV(const std::vector<int>& a, int levels_a, const std::vector<int>& b, int levels_b) {
  std::vector<double> cells(static_cast<size_t>(levels_a) * levels_b), rows(levels_a), columns(levels_b);
  double n = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] < 0 || b[i] < 0) continue;
    cells[static_cast<size_t>(a[i]) * levels_b + b[i]] += 1;
    rows[a[i]] += 1;
    columns[b[i]] += 1;
    n += 1;
  }
  int r = 0, c = 0;
  for (const double v : rows) r += v > 0;
  for (const double v : columns) c += v > 0;
  if (r < 2 || c < 2) return kNaN;
  double chi2 = 0;
  for (int i = 0; i < levels_a; ++i)
    for (int j = 0; j < levels_b; ++j) {
      const double expected = rows[i] * columns[j] / n;
      if (expected > 0) chi2 += (cells[static_cast<size_t>(i) * levels_b + j] - expected) * (cells[static_cast<size_t>(i) * levels_b + j] - expected) / expected;
    }
  return std::sqrt(chi2 / n / (std::min(r, c) - 1));
}

Json Associations(const table::Frame& frame) {
  std::vector<std::string> numeric, categorical;
  std::vector<const table::Column*> numbers;
  std::vector<std::vector<int>> codes;
  std::vector<int> levels;
  for (const table::Column& c : frame.columns) {
    if (c.numeric() && c.type != table::Type::kBool) {
      if (numbers.size() == kMaxColumns) continue;
      numeric.push_back(c.name);
      numbers.push_back(&c);
      continue;
    }
    if (codes.size() == kMaxColumns || c.type == table::Type::kDate || c.type == table::Type::kDatetime) continue;
    std::vector<int> code(c.size(), -1);
    std::unordered_map<std::string_view, int> seen;
    int next = 0;
    if (c.numeric()) {
      next = 2;
      for (size_t i = 0; i < c.size(); ++i)
        if (!c.IsMissing(i)) code[i] = c.numbers[i] != 0;
    } else {
      for (size_t i = 0; i < c.size() && next <= kMaxLevels; ++i) {
        if (c.missing[i]) continue;
        const auto [it, fresh] = seen.emplace(c.strings[i], next);
        next += fresh;
        code[i] = it->second;
      }
    }
    if (next < 2 || next > kMaxLevels) continue;
    categorical.push_back(c.name);
    codes.push_back(std::move(code));
    levels.push_back(next);
  }
  std::vector<std::vector<double>> r(numbers.size(), std::vector<double>(numbers.size(), 1)), v(codes.size(), std::vector<double>(codes.size(), 1));
  for (size_t i = 0; i < numbers.size(); ++i)
    for (size_t j = 0; j < i; ++j) r[i][j] = r[j][i] = Pearson(numbers[i]->numbers, numbers[j]->numbers);
  for (size_t i = 0; i < codes.size(); ++i)
    for (size_t j = 0; j < i; ++j) v[i][j] = v[j][i] = CramersV(codes[i], levels[i], codes[j], levels[j]);
  return Json::MakeObject().Set("pearson", Matrix(numeric, r)).Set("cramers_v", Matrix(categorical, v)).Set("rows", frame.rows());
}

}  // namespace rondo::data
