// Logical types, columns and frames; SQL quoting.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "table/table.h"

namespace rondo::table {
namespace {
constexpr std::array<std::string_view, 7> kNames = {"int", "float", "bool", "string", "category", "date", "datetime"};
}  // namespace

std::string_view TypeName(Type type) { return kNames[static_cast<size_t>(type)]; }

Result<Type> ParseType(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<Type>(i);
  return Fail(Code::kInvalid, fmt::format("\"{}\" is not a column type", name), "types: int, float, bool, string, category, date, datetime");
}

std::string Column::Text(size_t row) const {
  if (IsMissing(row)) return {};
  if (!numeric()) return strings[row];
  const double v = numbers[row];
  if (type == Type::kBool) return v != 0 ? "true" : "false";
  // 2^53: beyond it a double no longer names one integer.
  if (std::trunc(v) == v && std::fabs(v) <= 9007199254740992.0) return std::to_string(static_cast<int64_t>(v));
  std::string out;
  AppendJsonNumber(out, v, Json::NonFinite::kNull);
  return std::isinf(v) ? (v > 0 ? "inf" : "-inf") : out;
}

const Column* Frame::Find(std::string_view name) const {
  for (const Column& c : columns)
    if (c.name == name) return &c;
  return nullptr;
}
Column* Frame::Find(std::string_view name) { return const_cast<Column*>(static_cast<const Frame*>(this)->Find(name)); }

Frame Frame::Take(const std::vector<size_t>& rows) const {
  Frame out;
  out.columns.reserve(columns.size());
  for (const Column& c : columns) {
    Column& taken = out.columns.emplace_back();
    taken.name = c.name;
    taken.type = c.type;
    if (c.numeric()) {
      taken.numbers.reserve(rows.size());
      for (const size_t r : rows) taken.numbers.push_back(c.numbers[r]);
    } else {
      taken.strings.reserve(rows.size());
      taken.missing.reserve(rows.size());
      for (const size_t r : rows) {
        taken.strings.push_back(c.strings[r]);
        taken.missing.push_back(c.missing[r]);
      }
    }
  }
  return out;
}

std::string QuoteIdent(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}
std::string QuoteText(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + '\'';
}

}  // namespace rondo::table
