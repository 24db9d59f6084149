/// Guards the SQL of rondo.yaml (`sql:`). Internal to this module.
#pragma once

#include <string>
#include <vector>

#include "table/loader.h"

namespace rondo::table {

struct UserSql {
  std::string select;    ///< the statement without a final semicolon
  bool ordered = false;  ///< has an ORDER BY of its own
};
/// Parses `sql` with DuckDB and walks its tree: one SELECT, over the tables `known` and its own CTEs only, with functions that always give the same
/// answer. kInvalid says which part is refused.
Result<UserSql> CheckUserSql(RawSql& engine, const std::string& sql, const std::vector<std::string>& known);

}  // namespace rondo::table
