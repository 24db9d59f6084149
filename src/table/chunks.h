/// DuckDB's data chunks to columns and back. Internal to this module.
#pragma once

#include "table/duck.h"
#include "table/table.h"

namespace rondo::table {

/// Takes every chunk of a finished query. Types map as in README.md; nested results are kInternal (cast them in the query).
Result<Frame> TakeResult(const Duck& duck, duckdb_result* result);
/// Appends a frame to an existing table whose columns have the types that `SqlType` names.
Status AppendFrame(const Duck& duck, duckdb_connection connection, const std::string& table, const Frame& frame);
/// BIGINT, DOUBLE, BOOLEAN, VARCHAR, DATE, TIMESTAMP.
std::string_view SqlType(Type type);

}  // namespace rondo::table
