#include "model/metrics/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace rondo::model {
namespace {

std::optional<double> Numeric(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::vector<double> Quartiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::vector<double> edges;
  for (const double q : {0.25, 0.5, 0.75}) {
    const double edge = values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
    if (edge > values.front() && (edges.empty() || edge > edges.back())) edges.push_back(edge);
  }
  return edges;
}

void Binned(const table::Column& column, const std::vector<double>& edges, Groups& out) {
  out.rows.resize(edges.size() + 1);
  for (size_t b = 0; b <= edges.size(); ++b) {
    if (edges.empty()) out.names.push_back("(all)");
    else if (b == 0) out.names.push_back(fmt::format("<{:g}", edges[0]));
    else if (b == edges.size()) out.names.push_back(fmt::format(">={:g}", edges.back()));
    else out.names.push_back(fmt::format("{:g}..{:g}", edges[b - 1], edges[b]));
  }
  for (size_t i = 0; i < column.numbers.size(); ++i)
    if (!column.IsMissing(i)) out.rows[static_cast<size_t>(std::upper_bound(edges.begin(), edges.end(), column.numbers[i]) - edges.begin())].push_back(i);
}

void ByValue(const table::Column& column, size_t max_levels, Groups& out) {
  // Numbers sort as numbers: 2 before 10.
  std::map<std::pair<double, std::string>, std::vector<size_t>> groups;
  for (size_t i = 0; i < column.size(); ++i)
    if (!column.IsMissing(i)) groups[{column.numeric() ? column.numbers[i] : 0.0, column.Text(i)}].push_back(i);
  size_t smallest_kept = 0;
  if (groups.size() > max_levels) {
    std::vector<size_t> sizes;
    for (const auto& [key, rows] : groups) sizes.push_back(rows.size());
    std::nth_element(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(max_levels - 1), sizes.end(), std::greater<>());
    smallest_kept = sizes[max_levels - 1];
  }
  std::vector<size_t> other;
  for (auto& [key, rows] : groups) {
    if (rows.size() < smallest_kept || out.names.size() >= max_levels) {
      other.insert(other.end(), rows.begin(), rows.end());
      continue;
    }
    out.names.push_back(key.second);
    out.rows.push_back(std::move(rows));
  }
  if (other.empty()) return;
  std::sort(other.begin(), other.end());
  out.names.push_back(kOtherGroup);
  out.rows.push_back(std::move(other));
}

}  // namespace

Groups MakeGroups(const table::Column& column, const std::vector<double>& edges, size_t max_levels) {
  Groups out;
  out.column = column.name;
  std::vector<double> values;
  if (column.numeric())
    for (size_t i = 0; i < column.numbers.size(); ++i)
      if (!column.IsMissing(i)) values.push_back(column.numbers[i]);
  if (column.numeric() && !edges.empty()) {
    Binned(column, edges, out);
  } else if (column.numeric() && std::set<double>(values.begin(), values.end()).size() > 10) {
    Binned(column, Quartiles(values), out);
  } else {
    ByValue(column, max_levels, out);
  }
  std::vector<size_t> missing;
  for (size_t i = 0; i < column.size(); ++i)
    if (column.IsMissing(i)) missing.push_back(i);
  if (!missing.empty()) {
    out.names.push_back(kMissingGroup);
    out.rows.push_back(std::move(missing));
  }
  return out;
}

std::optional<size_t> FindGroup(const Groups& groups, const std::string& name) {
  const auto it = std::find(groups.names.begin(), groups.names.end(), name);
  if (it != groups.names.end()) return static_cast<size_t>(it - groups.names.begin());
  const auto wanted = Numeric(name);
  for (size_t g = 0; wanted && g < groups.names.size(); ++g)
    if (Numeric(groups.names[g]) == wanted) return g;
  return std::nullopt;
}

}  // namespace rondo::model
