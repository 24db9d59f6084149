/// Columnar data. DuckDB is the engine, loaded at first use; its header is seen only in this module.
/// `Frame` is what the rest of the program works on: plain columns in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace rondo::table {

/// The logical type decides the storage: int, float, bool -> numbers; string, category, date, datetime -> strings (ISO 8601 for dates).
enum class Type { kInt, kFloat, kBool, kString, kCategory, kDate, kDatetime };
std::string_view TypeName(Type type);             ///< "int" ... as in rondo.yaml
Result<Type> ParseType(std::string_view name);
inline bool IsNumeric(Type type) { return type <= Type::kBool; }

struct Column {
  std::string name;
  Type type = Type::kFloat;
  std::vector<double> numbers;       ///< numeric types: NaN is missing
  std::vector<std::string> strings;  ///< others
  std::vector<uint8_t> missing;      ///< others: 1 where missing (then the string is ""); same length as strings

  bool numeric() const { return IsNumeric(type); }
  size_t size() const { return numeric() ? numbers.size() : strings.size(); }
  bool IsMissing(size_t row) const { return numeric() ? numbers[row] != numbers[row] : missing[row] != 0; }
  /// Text of a cell as a CSV would show it: integers without ".0"; missing is "".
  std::string Text(size_t row) const;
};

struct Frame {
  std::vector<Column> columns;

  size_t rows() const { return columns.empty() ? 0 : columns[0].size(); }
  const Column* Find(std::string_view name) const;
  Column* Find(std::string_view name);
  /// Rows picked by index, in that order.
  Frame Take(const std::vector<size_t>& rows) const;
};

/// How to read a source file. Paths may be a file, a folder or a glob; `.gz` is decompressed.
struct ReadOptions {
  std::string format = "auto";  ///< auto (by name) | csv | parquet | json | ndjson
  std::string delimiter, encoding, decimal;
  std::vector<std::string> nulls = {""};
  /// Column types to force (rondo.yaml's contract); others are inferred over the whole file, so row 1,000,000 can't surprise.
  std::vector<std::pair<std::string, Type>> types;
  std::vector<std::string> columns;  ///< only these, in the source's order; empty: all
};

/// A change of one column on its way from the source to Parquet.
struct Edit {
  std::string column;
  bool drop = false;
  std::string sql;             ///< an expression in which {} stands for the typed value
  std::optional<Type> type;    ///< of the expression; the column's own when absent
  bool numeric_only = false;   ///< refuse columns that are no numbers
};
struct Converted {
  int64_t rows = 0;
  std::vector<std::pair<std::string, Type>> schema;
  std::vector<std::filesystem::path> files;  ///< what was read, in name order
};

/// An in-memory DuckDB with external access limited to the files it is asked to read: extension loading, COPY and file functions in
/// user SQL are locked. One Engine per task; not thread-safe.
class Engine {
 public:
  struct Options {
    std::string memory_limit = "2GB";
    std::filesystem::path spill;  ///< folder for temporary files; empty: none
    int threads = 0;              ///< 0: all cores
  };
  static Result<std::unique_ptr<Engine>> Open(const Options& options);
  static Result<std::unique_ptr<Engine>> Open() { return Open(Options{}); }
  virtual ~Engine() = default;

  /// Loads the source into a table called `name`. Errors (kFailedCheck) name file, line and column: ragged rows, wrong encoding, duplicate columns,
  /// empty files, values that don't fit a forced type. Returns the number of rows.
  virtual Result<int64_t> Load(const std::string& name, const std::filesystem::path& source, const ReadOptions& options) = 0;
  /// Source -> Parquet in one stream, without a table in between: for data larger than memory. Same rules and errors as Load, same bytes for the same
  /// files and options whatever the number of threads. Atomic.
  /// `note`: a text stored in the file's metadata (key "rondo"); empty: none.
  virtual Result<Converted> Convert(const std::filesystem::path& source, const ReadOptions& options, const std::vector<Edit>& edits, const std::filesystem::path& to,
                                    const std::string& note = {}) = 0;
  /// Like Load, but into memory and without a table.
  virtual Result<Frame> ReadFrame(const std::filesystem::path& source, const ReadOptions& options) = 0;
  virtual Status LoadFrame(const std::string& name, const Frame& frame) = 0;
  /// Our own SQL (trusted). One statement.
  virtual Status Exec(const std::string& sql) = 0;
  virtual Result<Frame> Query(const std::string& sql) = 0;
  /// SQL from rondo.yaml (`sql:`): only SELECT over loaded tables; files, settings and functions that leave the engine or differ from call to call
  /// (random, now) are refused (kInvalid). Rows come in the order of the SELECT's own ORDER BY, else sorted by all columns from left to right.
  /// From the first call on the engine is locked for good: it runs on one thread and opens no file except those that WriteParquet writes.
  virtual Status CreateFromUserSql(const std::string& name, const std::string& select) = 0;
  /// (name, logical type) of a table's columns, in order.
  virtual Result<std::vector<std::pair<std::string, Type>>> Schema(const std::string& name) = 0;
  /// Deterministic bytes for the same rows and options (zstd, fixed row groups, one thread, insertion order). Atomic.
  virtual Status WriteParquet(const std::string& select, const std::filesystem::path& to, const std::string& note = {}) = 0;
};

/// Whole small files in and out.
Result<Frame> ReadTable(const std::filesystem::path& source, const ReadOptions& options = {});
Status WriteParquet(const Frame& frame, const std::filesystem::path& to, const std::string& note = {});
/// The note that a Parquet file was written with; empty: none.
Result<std::string> ReadNote(const std::filesystem::path& parquet);
/// SQL quoting: "a""b" and 'it''s'.
std::string QuoteIdent(std::string_view name);
std::string QuoteText(std::string_view text);

}  // namespace rondo::table
