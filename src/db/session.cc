// The conveniences of Session that need no engine.
#include "db/db.h"

namespace rondo::db {

Result<std::optional<int64_t>> Session::QueryInt(std::string_view sql, const Args& args) {
  std::optional<int64_t> out;
  RONDO_DO(Query(sql, args, [&](const Row& row) {
    out = row.OptInt(0);
    return false;
  }));
  return out;
}

Result<std::optional<std::string>> Session::QueryText(std::string_view sql, const Args& args) {
  std::optional<std::string> out;
  RONDO_DO(Query(sql, args, [&](const Row& row) {
    if (!row.IsNull(0)) out = row.String(0);
    return false;
  }));
  return out;
}

}  // namespace rondo::db
