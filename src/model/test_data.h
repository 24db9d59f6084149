/// Frames and models for the tests of this module: the churn data, generated data made to hurt, trees whose thresholds are data values.
#pragma once

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "base/random.h"
#include "model/train.h"

namespace rondo::model {

inline table::Column NumberColumn(std::string name, std::vector<double> values, table::Type type = table::Type::kFloat) {
  table::Column c;
  c.name = std::move(name);
  c.type = type;
  c.numbers = std::move(values);
  return c;
}
inline table::Column TextColumn(std::string name, std::vector<std::string> values, table::Type type = table::Type::kString) {
  table::Column c;
  c.name = std::move(name);
  c.type = type;
  for (const std::string& v : values) c.missing.push_back(v.empty());
  c.strings = std::move(values);
  return c;
}
inline std::vector<InputColumn> ColumnsOfFrame(const table::Frame& frame, const std::string& without = {}) {
  std::vector<InputColumn> out;
  for (const table::Column& c : frame.columns)
    if (c.name != without) out.push_back({c.name, std::string(table::TypeName(c.type))});
  return out;
}

/// examples/churn/data/telco_churn.csv as a frame; numbers where every non-empty cell is one.
inline table::Frame Telco() {
  std::ifstream in("examples/churn/data/telco_churn.csv");
  std::string line;
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> cells;
  while (std::getline(in, line)) {
    std::vector<std::string> row(1);
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      else if (c == ',' && !quoted) row.emplace_back();
      else if (c != '\r') row.back() += c;
    }
    if (names.empty()) {
      names = row;
      cells.resize(names.size());
    } else {
      for (size_t i = 0; i < names.size(); ++i) cells[i].push_back(row[i]);
    }
  }
  table::Frame frame;
  for (size_t i = 0; i < names.size(); ++i) {
    std::vector<double> numbers;
    for (const std::string& cell : cells[i]) {
      char* end = nullptr;
      const double v = std::strtod(cell.c_str(), &end);
      if (*end) break;
      numbers.push_back(cell.empty() ? std::numeric_limits<double>::quiet_NaN() : v);
    }
    if (numbers.size() == cells[i].size()) frame.columns.push_back(NumberColumn(names[i], std::move(numbers)));
    else frame.columns.push_back(TextColumn(names[i], cells[i]));
  }
  return frame;
}

/// Missing, infinite, huge, tiny and negative numbers, unicode and empty texts, dates good and bad, prose.
inline table::Frame NastyFrame(size_t rows, uint64_t seed) {
  Random random(seed);
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const std::vector<double> odd = {nan, inf, -inf, 0, -0.0, 1e300, -1e300, 3e38, -3e38, 1e-45, 1e-300, 16777217, 0.1, -1};
  const std::vector<std::string> levels = {"", "a", "b", "Größe", "日本語", "😀", "a b", " a", "A", "missing", "rare", "quote\"'", std::string("nul\0x", 5), "a level of more than sixteen bytes", "a level of more than sixteen bytez", "tab\t", "\xC3\xA9"};
  const std::vector<std::string> dates = {"", "2024-02-29", "2024-02-30", "1969-12-31T23:59:59Z", "1970-01-01", "0000-01-01", "9999-12-31T23:59:59.999999", "2024-12-31 23:30:00-02:00", "2025-01-01T01:30+02:00", "2024-07-04T12:00", "2024-13-01", "04.07.2024", "2024-07-04T24:00", "2024-07-04x", "2000-03-01 00:00:00+00:00", "1600-01-01", "2024-7-4", "2024-07-04T12:00:00.", "2024-07-04 12:00:00.5Z"};
  const std::vector<std::string> words = {"free", "FREE", "Free!", "offer", "hello", "the", "a", "Ünï", "ÜNÏ", "日本", "x\ty", "\n", "  ", "re:", "meeting", std::string(120, 'w'), "\xC2\xA0" "nbsp", "v\vt"};
  auto pick = [&](const auto& list) { return list[random.Below(list.size())]; };
  std::vector<double> plain(rows), holes(rows), strange(rows), small(rows), flag(rows), half(rows);
  std::vector<std::string> cat(rows), code(rows), when(rows), day(rows), prose(rows), many(rows);
  for (size_t r = 0; r < rows; ++r) {
    plain[r] = random.Normal() * 10;
    holes[r] = random.Below(4) == 0 ? nan : random.Uniform() * 1000;
    strange[r] = random.Below(3) == 0 ? pick(odd) : random.Normal();
    small[r] = static_cast<double>(random.Below(5));
    flag[r] = static_cast<double>(random.Below(2));
    half[r] = random.Below(2) ? nan : 5;
    cat[r] = random.Below(3) ? levels[random.Below(4)] : pick(levels);
    code[r] = std::to_string(random.Below(12));
    when[r] = random.Below(2) ? pick(dates) : "20" + std::to_string(10 + random.Below(20)) + "-0" + std::to_string(1 + random.Below(9)) + "-1" + std::to_string(random.Below(10)) + "T0" + std::to_string(random.Below(10)) + ":15:00Z";
    day[r] = random.Below(9) ? "2024-0" + std::to_string(1 + random.Below(9)) + "-0" + std::to_string(1 + random.Below(9)) : "";
    many[r] = "id" + std::to_string(r);
    for (uint64_t i = random.Below(8); i > 0; --i) prose[r] += pick(words) + (random.Below(5) ? " " : "");
  }
  table::Frame f;
  f.columns = {NumberColumn("plain", plain), NumberColumn("holes", holes), NumberColumn("strange", strange), NumberColumn("small", small, table::Type::kInt),
               NumberColumn("flag", flag, table::Type::kBool), NumberColumn("half", half), NumberColumn("constant", std::vector<double>(rows, 7)),
               NumberColumn("nothing", std::vector<double>(rows, nan)), TextColumn("cat", cat), TextColumn("code", code, table::Type::kCategory),
               TextColumn("when", when, table::Type::kDatetime), TextColumn("day", day, table::Type::kDate), TextColumn("prose", prose), TextColumn("many", many),
               TextColumn("void", std::vector<std::string>(rows)), TextColumn("features", cat)};
  return f;
}
/// Every kind of preparation at once, for NastyFrame.
inline project::Features NastySpec() {
  project::Features spec;
  spec.numeric.scale = "standard";
  spec.categorical.rare = 0.03;
  auto column = [&](std::string name) -> project::ColumnFeature& {
    project::ColumnFeature c;
    c.column = std::move(name);
    spec.columns.push_back(c);
    return spec.columns.back();
  };
  column("plain").bins = {-10, 0, 0.5, 10};
  auto& holes = column("holes");
  holes.bins = {100, 500};
  holes.encode = "onehot";
  column("strange").impute = "none";
  auto& small = column("small");
  small.type = "category";
  small.encode = "ordinal";
  column("half").scale = "robust";
  column("code").encode = "ordinal";
  column("when").date = {"year", "month", "day", "weekday", "hour", "days_since"};
  auto& prose = column("prose");
  prose.text = "tfidf";
  prose.max_terms = 12;
  spec.derive = {{"ratio", "plain / max(holes, 1)"}, {"logs", "log1p(abs(plain)) - log(holes + 0.5) * sqrt(holes)"}, {"deep", "-exp(min(plain, 3, holes)) / (strange - flag)"}, {"again", "ratio * 2 + deep"}};
  return spec;
}

/// Random trees whose thresholds are values of the matrix: one bit of difference between two evaluators changes a leaf.
inline FittedModel RandomTrees(const Matrix& x, size_t trees, int depth, size_t outputs, uint64_t seed, Compare compare = Compare::kLess) {
  Random random(seed);
  FittedModel m;
  m.algorithm = "random";
  m.outputs = outputs;
  m.base.assign(outputs, 0.25f);
  m.compare = compare;
  for (size_t t = 0; t < trees; ++t) {
    Tree tree;
    tree.output = static_cast<int32_t>(t % outputs);
    tree.nodes.emplace_back();
    std::vector<std::pair<size_t, int>> todo = {{0, 0}};
    while (!todo.empty()) {
      const auto [at, level] = todo.back();
      todo.pop_back();
      const size_t feature = random.Below(x.cols);
      float threshold = std::numeric_limits<float>::quiet_NaN();
      for (int i = 0; i < 20 && !std::isfinite(threshold); ++i) threshold = x.at(random.Below(x.rows), feature);
      if (random.Below(12) == 0) threshold = random.Below(2) ? std::numeric_limits<float>::infinity() : -std::numeric_limits<float>::infinity();
      if (level >= depth || threshold != threshold || (level > 0 && random.Below(6) == 0)) {
        tree.nodes[at].value = static_cast<float>(random.Normal() * 0.1);
        continue;
      }
      const auto left = static_cast<int32_t>(tree.nodes.size());
      tree.nodes.emplace_back();
      tree.nodes.emplace_back();
      tree.nodes[at] = {left, left + 1, static_cast<int32_t>(feature), threshold, random.Below(2) == 1, 0};
      todo.push_back({static_cast<size_t>(left), level + 1});
      todo.push_back({static_cast<size_t>(left) + 1, level + 1});
    }
    m.trees.push_back(std::move(tree));
  }
  return m;
}

/// Raw scores by the plainest possible walk, in double.
inline std::vector<double> RawScores(const FittedModel& m, const Matrix& x) {
  std::vector<double> raw(x.rows * m.outputs);
  for (size_t r = 0; r < x.rows; ++r) {
    for (size_t k = 0; k < m.outputs; ++k) {
      raw[r * m.outputs + k] = static_cast<double>(m.base[k]);
      if (m.linear)
        for (size_t c = 0; c < x.cols; ++c) raw[r * m.outputs + k] += static_cast<double>(x.at(r, c)) * m.coefficients[k * x.cols + c];
    }
    for (const Tree& tree : m.trees) {
      size_t at = 0;
      while (tree.nodes[at].left >= 0) {
        const TreeNode& n = tree.nodes[at];
        const float v = x.at(r, static_cast<size_t>(n.feature));
        const bool left = v != v ? n.missing_left : m.compare == Compare::kLess ? v < n.threshold : v <= n.threshold;
        at = static_cast<size_t>(left ? n.left : n.right);
      }
      raw[r * m.outputs + static_cast<size_t>(tree.output)] += static_cast<double>(tree.nodes[at].value);
    }
  }
  return raw;
}

}  // namespace rondo::model
