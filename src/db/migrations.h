/// Numbered SQL of a module: `src/<module>/migrations/0001_name.sql` becomes a row (tools/embed_sql.py generates Migrations()).
#pragma once

#include <string_view>
#include <vector>

namespace rondo::db {

struct Migration {
  std::string_view module;
  int number;            ///< 1, 2, 3, ... without gaps
  std::string_view sql;  ///< statements separated by ';'
};

}  // namespace rondo::db
