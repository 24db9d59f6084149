// Who a row is.
#include "data/split_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/hash.h"

namespace rondo::data {

std::vector<std::string> ContentHashes(const table::Frame& data, const std::vector<std::string_view>& without) {
  std::vector<const table::Column*> columns;
  for (const table::Column& c : data.columns)
    if (std::find(without.begin(), without.end(), c.name) == without.end()) columns.push_back(&c);
  std::sort(columns.begin(), columns.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  std::vector<std::string> out;
  out.reserve(data.rows());
  std::string row;
  for (size_t r = 0; r < data.rows(); ++r) {
    row.clear();
    for (const table::Column* c : columns) {
      // Length-prefixed, so that no text of one cell can look like two cells.
      const bool missing = c->IsMissing(r);
      const std::string text = c->Text(r);
      row += fmt::format("{}{}:", missing ? '-' : '+', text.size());
      row += text;
    }
    out.push_back(fmt::format("{:016x}{:016x}", Xxh3(row, 0), Xxh3(row, 0x9e3779b97f4a7c15u)));
  }
  return out;
}

Result<std::vector<std::string>> RowIds(const table::Frame& data, const std::string& key) {
  std::vector<std::string> out;
  if (key.empty()) {
    out = ContentHashes(data);
    std::unordered_map<std::string, int64_t> seen;
    for (std::string& id : out) {
      const int64_t occurrence = ++seen[id];
      id += fmt::format("-{}", occurrence);
    }
    return out;
  }
  const table::Column* column = data.Find(key);
  if (!column) return Fail(Code::kFailedCheck, fmt::format("the data have no column \"{}\" (problem.key)", key));
  std::unordered_map<std::string, size_t> seen;
  out.reserve(data.rows());
  for (size_t r = 0; r < data.rows(); ++r) {
    if (column->IsMissing(r)) return Fail(Code::kFailedCheck, fmt::format("the key \"{}\" is missing in row {}", key, r + 1), "each row needs its own key; or leave problem.key out");
    out.push_back(column->Text(r));
    const auto [it, fresh] = seen.emplace(out.back(), r);
    if (!fresh) return Fail(Code::kFailedCheck, fmt::format("the key \"{}\" is \"{}\" in rows {} and {}", key, out.back(), it->second + 1, r + 1), "each row needs its own key; or leave problem.key out");
  }
  return out;
}

double HashShare(std::string_view text, uint64_t seed) { return static_cast<double>(Xxh3(text, seed) >> 11) * 0x1.0p-53; }

}  // namespace rondo::data
