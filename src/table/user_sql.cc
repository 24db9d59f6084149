// An allow-list over DuckDB's own syntax tree. The engine is locked as well: this is the first of two doors.
#include "table/user_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "base/json.h"
#include "table/duck.h"

namespace rondo::table {
namespace {

// Where rows may come from. SHOW_REF (DESCRIBE, SHOW, SUMMARIZE), DELIM_GET and whatever DuckDB adds later are not here.
constexpr std::array<std::string_view, 8> kFrom = {"BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EMPTY_FROM", "EXPRESSION_LIST", "TABLE_FUNCTION", "PIVOT"};
constexpr std::array<std::string_view, 3> kTableFunctions = {"range", "generate_series", "unnest"};
// Functions that DuckDB calls consistent but that read the machine, the session or the settings.
constexpr std::array<std::string_view, 14> kRefused = {"current_setting", "getenv", "getvariable", "version", "current_user", "user", "session_user", "current_role",
                                                       "pg_typeof", "current_catalog", "query", "query_table", "add_parquet_key", "json_execute_serialized_sql"};
// Names that mean the clock or the session when no column has them.
constexpr std::array<std::string_view, 10> kKeywords = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "current_user", "session_user", "user", "current_role", "current_catalog"};

std::string Lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}
template <typename List>
bool In(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}
std::unexpected<Error> Refuse(std::string what, std::string hint = "a dataset's sql: is one SELECT over the other datasets; it can't read files, settings, the clock or random numbers") {
  return Fail(Code::kInvalid, "sql: " + std::move(what), std::move(hint));
}

struct Walk {
  std::set<std::string> tables, ctes, functions, columns;
  std::string refused;

  void Note(const std::string& what) {
    if (refused.empty()) refused = what;
  }
  void Visit(const Json& node) {
    if (node.IsArray()) {
      for (const Json& item : node.AsArray()) Visit(item);
      return;
    }
    if (!node.IsObject()) return;
    const std::string& type = node["type"].AsString();
    // CTEs stand in {"cte_map": {"map": [{"key": NAME, "value": ...}]}}.
    for (const Json& cte : node["cte_map"]["map"].AsArray()) ctes.insert(Lower(cte["key"].AsString()));
    if (const Json* name = node.Find("cte_name"); name && name->IsString()) ctes.insert(Lower(name->AsString()));
    if (node.Find("ctename")) ctes.insert(Lower(node["ctename"].AsString()));
    if (const Json* from = node.Find("from_table")) VisitFrom(*from);
    for (const char* side : {"left", "right", "source"})
      if (const Json* ref = node.Find(side); ref && (type == "JOIN" || type == "PIVOT")) VisitFrom(*ref);
    if (const Json* sample = node.Find("sample"); sample && !sample->IsNull()) Note("a sample (TABLESAMPLE, USING SAMPLE) gives other rows each time");
    if (type == "BASE_TABLE") {
      if (!node["catalog_name"].AsString().empty() || (!node["schema_name"].AsString().empty() && node["schema_name"].AsString() != "main"))
        Note(fmt::format("the table {}.{} is not a dataset", node["catalog_name"].AsString() + node["schema_name"].AsString(), node["table_name"].AsString()));
      tables.insert(node["table_name"].AsString());
    }
    if (type == "TABLE_FUNCTION") {
      const std::string name = Lower(node["function"]["function_name"].AsString());
      if (!In(kTableFunctions, name)) Note(fmt::format("the table function {}() is not allowed", name));
    }
    if (type == "SHOW_REF") Note("DESCRIBE, SHOW and SUMMARIZE are not allowed");
    if (node["class"].AsString() == "FUNCTION") {
      functions.insert(Lower(node["function_name"].AsString()));
      const std::string schema = Lower(node["schema"].AsString()), catalog = Lower(node["catalog"].AsString());
      if (!(schema.empty() || schema == "main" || schema == "pg_catalog") || !(catalog.empty() || catalog == "system")) Note(fmt::format("the function {}.{}() is not allowed", schema, node["function_name"].AsString()));
    }
    if (node["class"].AsString() == "WINDOW") functions.insert(Lower(node["function_name"].AsString()));
    if (node["class"].AsString() == "COLUMN_REF" && node["column_names"].size() == 1) columns.insert(Lower(node["column_names"][size_t{0}].AsString()));
    if (node["class"].AsString() == "PARAMETER") Note("parameters ($1, ?) have no value here");
    for (const auto& [key, value] : node.AsObject()) Visit(value);
  }
  void VisitFrom(const Json& from) {
    if (from.IsObject() && !In(kFrom, from["type"].AsString())) Note(fmt::format("{} is not allowed after FROM", from["type"].AsString()));
  }
};

}  // namespace

Result<UserSql> CheckUserSql(RawSql& engine, const std::string& sql, const std::vector<std::string>& known) {
  if (sql.find('\0') != sql.npos) return Refuse("it holds a NUL byte");
  if (sql.size() > 1'000'000) return Refuse("it is longer than 1 MB");
  const auto parsed = engine.Raw(fmt::format("SELECT json_serialize_sql({}::VARCHAR)::VARCHAR", QuoteText(sql)));
  if (!parsed) return Refuse(CleanMessage(parsed.error().message));
  JsonLimits limits;
  limits.max_depth = 2000;
  RONDO_TRY(const Json tree, ParseJson(parsed->rows() == 1 ? parsed->columns[0].strings[0] : "{}", limits));
  if (tree["error"].AsBool(true)) {
    const std::string message = tree["error_message"].AsString();
    if (message.find("Only SELECT") != message.npos) return Refuse("only one SELECT is allowed");
    return Refuse(CleanMessage(message), "check the SQL; DuckDB's dialect: https://duckdb.org/docs/sql/introduction");
  }
  const Json& statements = tree["statements"];
  if (statements.size() != 1) return Refuse(fmt::format("{} statements instead of one SELECT", statements.size()));
  const Json& root = statements[size_t{0}]["node"];
  Walk walk;
  walk.Visit(root);
  if (!walk.refused.empty()) return Refuse(walk.refused);
  std::set<std::string> names;
  for (const std::string& name : known) names.insert(Lower(name));
  for (const std::string& table : walk.tables)
    if (!names.contains(Lower(table)) && !walk.ctes.contains(Lower(table)))
      return Refuse(fmt::format("there is no dataset \"{}\"", table), fmt::format("datasets that stand before this one: {}", known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  // Whatever isn't the same at each call is refused: the same inputs must give the same version.
  std::string list;
  for (const std::string& f : walk.functions) {
    if (In(kRefused, f) || f.starts_with("pg_") || f.starts_with("has_")) return Refuse(fmt::format("the function {}() is not allowed", f));
    list += (list.empty() ? "" : ", ") + QuoteText(f);
  }
  if (!list.empty()) {
    const auto found = engine.Raw(fmt::format("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_name IN ({}) AND (stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY') OR function_type = 'pragma') AND function_name <> 'error' ORDER BY 1", list));
    if (!found) return std::unexpected(DuckError(found.error().message, Code::kInternal));
    if (found->rows() > 0) return Refuse(fmt::format("the function {}() gives another answer each time", found->columns[0].strings[0]));
  }
  for (const std::string& column : walk.columns) {
    if (!In(kKeywords, column)) continue;
    const auto found = engine.Raw(fmt::format("SELECT count(*) FROM duckdb_columns() WHERE lower(column_name) = {}", QuoteText(column)));
    if (!found || found->columns[0].numbers[0] == 0) return Refuse(fmt::format("{} gives another answer each time", column));
  }
  UserSql out;
  out.select = sql;
  while (!out.select.empty() && (std::isspace(static_cast<unsigned char>(out.select.back())) || out.select.back() == ';')) out.select.pop_back();
  for (const Json& modifier : root["modifiers"].AsArray()) out.ordered = out.ordered || modifier["type"].AsString() == "ORDER_MODIFIER";
  return out;
}

}  // namespace rondo::table
