/// A source as one typed SELECT, with errors that people can act on. Internal to this module.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "table/csv_scan.h"
#include "table/sources.h"
#include "table/table.h"

namespace rondo::table {

/// What the loader needs of an engine: statements whose errors carry DuckDB's own message.
class RawSql {
 public:
  virtual ~RawSql() = default;
  virtual Result<Frame> Raw(const std::string& sql) = 0;
};

class Loader {
 public:
  /// `scratch`: an existing folder for converted copies (other encodings); must outlive the reading.
  Loader(RawSql& sql, std::filesystem::path scratch) : sql_(sql), scratch_(std::move(scratch)) {}

  /// Runs `sink` with the SELECT of the whole source until the types hold: types come from a sample, and when a value further down refutes them,
  /// from the whole file. So the result never depends on where a value stands.
  /// `sink` returns the number of rows; it may run more than once.
  using Sink = std::function<Result<int64_t>(const std::string& select)>;
  Result<int64_t> Run(const std::filesystem::path& source, const ReadOptions& options, const std::vector<Edit>& edits, const Sink& sink);
  /// Columns that the SELECT of the last run gives, in order.
  const std::vector<std::pair<std::string, Type>>& schema() const { return schema_; }
  const std::vector<std::filesystem::path>& files() const { return sources_.files; }

 private:
  struct Field {
    std::string name;    ///< the user's
    std::string source;  ///< SQL of the value as it is read
    Type type = Type::kString;
    Type native = Type::kString;  ///< type of `source`
    bool forced = false;
    bool seen = true;    ///< false: the sample had only nulls
  };
  Status PrepareCsv(const ReadOptions& options);
  Status PrepareParquet();
  Status PrepareJson();
  Status ForceTypes(const ReadOptions& options);
  Status InferFully(bool only_unseen);
  std::string Value(size_t i) const;
  Result<std::string> Select(const std::vector<Edit>& edits);
  Error Explain(const Error& raw, const ReadOptions& options);
  Result<std::string> ReadablePath(const std::filesystem::path& file, size_t index);
  Status AddTypedField(const std::string& name, const std::string& sql_type);

  RawSql& sql_;
  std::filesystem::path scratch_;
  Sources sources_;
  std::string from_;  ///< SQL: read_csv(...), ...
  std::vector<Field> fields_;
  std::vector<CsvHead> heads_;  ///< one per CSV file, without its sample after the first
  std::vector<std::string> nulls_, only_;
  char decimal_ = '.';
  std::vector<std::pair<std::string, Type>> schema_;
};

}  // namespace rondo::table
