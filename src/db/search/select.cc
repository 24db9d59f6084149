#include "db/search/select.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace rondo::db::search {

std::string Select::Arg(Value value) {
  args_.push_back(std::move(value));
  return fmt::format("${}", args_.size());
}

/// Binds a token to the order that made it.
uint64_t Select::Fingerprint() const {
  std::string text;
  for (const SortKey& key : keys_) text += key.sql + (key.ascending ? " +" : " -");
  return Xxh3(text) & 0xffffffff;
}

Status Select::After(const std::string& token) {
  if (token.empty()) return {};
  const auto bytes = Base64Decode(token);
  if (!bytes) return Fail(Code::kInvalid, "Invalid page token, could not base64-decode");
  const auto json = ParseJson(*bytes);
  if (!json || !json->IsArray() || json->size() != keys_.size() + 1 || json->AsArray()[0].AsInt(-1) != static_cast<int64_t>(Fingerprint()))
    return Fail(Code::kInvalid, fmt::format("Invalid page token, it belongs to another search: {}", token.substr(0, 200)));
  // (a > x) OR (a = x AND b > y) OR ...: row values would need one direction for all keys.
  std::string condition, equal;
  for (size_t i = 0; i < keys_.size(); ++i) {
    const Json& value = json->AsArray()[i + 1];
    Value bound;
    switch (keys_[i].type) {
      case SortKey::Type::kInteger: bound = value.AsInt(); break;
      case SortKey::Type::kReal: bound = value.AsDouble(); break;
      case SortKey::Type::kText: bound = value.AsString(); break;
    }
    const std::string arg = Arg(std::move(bound));
    condition += fmt::format("{}({}{} {} {})", i ? " OR " : "", equal, keys_[i].sql, keys_[i].ascending ? ">" : "<", arg);
    equal += fmt::format("{} = {} AND ", keys_[i].sql, arg);
  }
  Where("(" + condition + ")");
  return {};
}

std::string Select::Sql(std::string_view columns, std::string_view from, int64_t limit) {
  std::string sql = fmt::format("SELECT {}", columns);
  for (const SortKey& key : keys_) sql += ", " + key.sql;
  sql += fmt::format(" FROM {}{}", from, joins_);
  for (size_t i = 0; i < where_.size(); ++i) sql += (i ? " AND " : " WHERE ") + where_[i];
  for (size_t i = 0; i < keys_.size(); ++i) sql += fmt::format("{}{} {}", i ? ", " : " ORDER BY ", keys_[i].sql, keys_[i].ascending ? "ASC" : "DESC");
  return sql + " LIMIT " + Arg(limit);
}

std::string Select::Token(const Row& row, int first) const {
  Json token = Json::MakeArray();
  token.Push(static_cast<int64_t>(Fingerprint()));
  for (size_t i = 0; i < keys_.size(); ++i) {
    const int column = first + static_cast<int>(i);
    switch (keys_[i].type) {
      case SortKey::Type::kInteger: token.Push(row.Int(column)); break;
      case SortKey::Type::kReal: token.Push(row.Double(column)); break;
      case SortKey::Type::kText: token.Push(row.String(column)); break;
    }
  }
  return Base64Encode(token.Dump());
}

std::string Condition(Select& select, const std::string& expression, const Comparison& c) {
  const auto value = [&] { return select.Arg(c.number ? Value(c.value) : Value(c.text)); };
  switch (c.op) {
    case Op::kEq: return expression + " = " + value();
    case Op::kNe: return expression + " <> " + value();
    case Op::kLt: return expression + " < " + value();
    case Op::kLe: return expression + " <= " + value();
    case Op::kGt: return expression + " > " + value();
    case Op::kGe: return expression + " >= " + value();
    case Op::kLike: return expression + " LIKE " + value();
    case Op::kIlike: return "lower(" + expression + ") LIKE lower(" + value() + ")";
    case Op::kIn:
    case Op::kNotIn: {
      std::string list;
      for (const std::string& item : c.list) list += (list.empty() ? "" : ", ") + select.Arg(item);
      return expression + (c.op == Op::kIn ? " IN (" : " NOT IN (") + list + ")";
    }
    case Op::kIsNull: return expression + " IS NULL";
    case Op::kIsNotNull: return expression + " IS NOT NULL";
  }
  return "1 = 0";
}

}  // namespace rondo::db::search
