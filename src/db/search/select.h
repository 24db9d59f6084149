/// Builds a SELECT with filters, sort keys and pages by key (never OFFSET): page n+1 starts after the last row of page n, whatever was added meanwhile.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "db/db.h"
#include "db/search/filter.h"

namespace rondo::db::search {

/// One expression to sort by. It must never be NULL: wrap it in coalesce and put a rank before it.
struct SortKey {
  enum class Type { kInteger, kReal, kText };
  std::string sql;
  Type type = Type::kText;
  bool ascending = true;
};

class Select {
 public:
  /// `$n` of a new argument.
  std::string Arg(Value value);
  void Where(std::string condition) { where_.push_back(std::move(condition)); }
  void Join(std::string join) { joins_ += " " + std::move(join); }
  void Sort(SortKey key) { keys_.push_back(std::move(key)); }
  /// The last key must make rows unique. `token` is "" for the first page; kInvalid when it does not belong to this search.
  Status After(const std::string& token);
  /// `columns` and `from` without keywords; the sort keys follow as further columns.
  std::string Sql(std::string_view columns, std::string_view from, int64_t limit);
  const Args& args() const { return args_; }
  /// The token that continues after `row`, whose sort keys start at column `first`.
  std::string Token(const Row& row, int first) const;

 private:
  uint64_t Fingerprint() const;
  std::string joins_;
  std::vector<std::string> where_;
  std::vector<SortKey> keys_;
  Args args_;
};

/// "EXPR <op> value" of a comparison.
std::string Condition(Select& select, const std::string& expression, const Comparison& c);

}  // namespace rondo::db::search
