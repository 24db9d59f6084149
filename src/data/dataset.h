/// Datasets: ingest, contract, profile, split. Each ingest gives an immutable version: one Parquet file, its MD5 (DVC's object name),
/// schema and profile.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "db/db.h"
#include "project/spec.h"
#include "table/table.h"

namespace rondo::data {

struct SchemaColumn {
  std::string name, type;
};
BOOST_DESCRIBE_STRUCT(SchemaColumn, (), (name, type))

struct IngestResult {
  std::string md5;             ///< of the Parquet file
  int64_t bytes = 0, rows = 0;
  std::vector<SchemaColumn> schema;
  std::string source_md5;      ///< of the source bytes (files: in name order)
  std::vector<std::string> dropped, pseudonymised;
};
BOOST_DESCRIBE_STRUCT(IngestResult, (), (md5, bytes, rows, schema, source_md5, dropped, pseudonymised))

/// Source -> `to` (Parquet): typed by the contract, personal columns dropped or pseudonymised by HMAC under `secret`.
/// `inputs`: for `sql:` datasets, the Parquet files of the others by name.
Result<IngestResult> Ingest(const project::Dataset& spec, const std::filesystem::path& root, const std::map<std::string, std::filesystem::path>& inputs,
                            const std::string& secret, const std::filesystem::path& to);

/// One failed (or warned) check, named as in TensorFlow Data Validation.
struct Anomaly {
  std::string column;
  std::string kind;      ///< ENUM_TYPE_UNEXPECTED_STRING_VALUES, ...
  std::string severity;  ///< ERROR | WARNING
  std::string message;   ///< what, with which value, the limit
  int64_t count = 0;     ///< rows concerned
  std::vector<Json> samples;  ///< up to 5 rows: {"row": n, "value": ...}
};
BOOST_DESCRIBE_STRUCT(Anomaly, (), (column, kind, severity, message, count, samples))

struct CheckReport {
  std::string dataset;
  int64_t rows = 0, checks = 0;
  bool passed = true;
  std::vector<Anomaly> anomalies;
};
BOOST_DESCRIBE_STRUCT(CheckReport, (), (dataset, rows, checks, passed, anomalies))

/// The whole contract in one scan. `previous`: schema and profile of the last accepted version (extra columns, drift); may be null.
Result<CheckReport> Check(const project::Dataset& spec, const std::filesystem::path& parquet, const std::vector<SchemaColumn>* previous_schema, const Json* previous_profile,
                          int64_t now_ms);

/// `out/profile/<dataset>.json` (PROJECT_FILE.md names the shape) and its self-contained HTML page.
Result<Json> Profile(const std::filesystem::path& parquet);
std::string ProfileHtml(const std::string& dataset, const Json& profile, const CheckReport* check);

/// The three parts, by row index of the dataset.
struct SplitResult {
  std::vector<size_t> train, validation, test;
  int64_t missing_target = 0;      ///< rows left out
  std::string row_ids_hash;        ///< SHA-256 over the sorted (part, row id) list
  std::vector<std::string> row_ids;  ///< key, or content hash + occurrence
  std::vector<Json> warnings;      ///< leakage and the like: {"check", "severity", "message", "count"}
};
Result<SplitResult> MakeSplit(const project::Project& project, const table::Frame& data);

/// A dataset version as stored.
struct DatasetVersion {
  std::string dataset, md5;
  int64_t number = 0;  ///< 1, 2, ... per dataset
  int64_t time = 0, rows = 0, bytes = 0;
  std::string source, source_md5, commit, pipeline_run;
  std::vector<SchemaColumn> schema;
  Json profile, check;
  bool accepted = false;  ///< the contract passed
};
/// Idempotent by (dataset, md5): the same bytes are the same version.
Result<DatasetVersion> RecordVersion(db::Database& db, const DatasetVersion& version);
Result<std::optional<DatasetVersion>> LastAccepted(db::Database& db, const std::string& dataset, const std::string& not_md5);
Result<std::vector<DatasetVersion>> ListVersions(db::Database& db, const std::string& dataset);  ///< newest first; empty dataset: all
Result<DatasetVersion> GetVersion(db::Database& db, const std::string& md5);
const std::vector<db::Migration>& Migrations();

/// Objects in DVC's layout below `cache`: files/md5/ab/cdef....
Result<std::string> PutObject(const std::filesystem::path& cache, const std::filesystem::path& file);  ///< returns the MD5; hard-links or copies, read-only, verified
Status GetObject(const std::filesystem::path& cache, const std::string& md5, const std::filesystem::path& to);  ///< verified copy; kNotFound, kFailedCheck when damaged
bool HasObject(const std::filesystem::path& cache, const std::string& md5);

}  // namespace rondo::data
