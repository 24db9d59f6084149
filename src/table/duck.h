/// DuckDB's C API as function pointers (the library is loaded at first use) and RAII for its handles. Internal to this module.
#pragma once

#include <duckdb.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace rondo::table {

#define RONDO_DUCK_FUNCTIONS(X)                                                                                                          \
  X(create_config) X(set_config) X(destroy_config) X(open_ext) X(close) X(connect) X(disconnect) X(free) X(query) X(destroy_result)      \
  X(result_error) X(result_error_type) X(column_count) X(column_name) X(column_type) X(column_logical_type) X(rows_changed)              \
  X(fetch_chunk) X(destroy_data_chunk) X(data_chunk_get_size) X(data_chunk_set_size) X(data_chunk_get_vector) X(create_data_chunk)       \
  X(data_chunk_reset) X(vector_size) X(vector_get_data) X(vector_get_validity) X(vector_ensure_validity_writable)                        \
  X(validity_set_row_validity) X(vector_assign_string_element_len) X(create_logical_type) X(destroy_logical_type) X(decimal_scale)       \
  X(decimal_internal_type) X(enum_internal_type) X(enum_dictionary_value) X(hugeint_to_double) X(uhugeint_to_double)                     \
  X(appender_create) X(append_data_chunk) X(appender_close) X(appender_destroy) X(appender_error) X(extract_statements)                  \
  X(extract_statements_error) X(destroy_extracted) X(prepare_extracted_statement) X(prepared_statement_type) X(destroy_prepare)          \
  X(prepare_error) X(library_version)

struct Duck {
#define X(name) decltype(&duckdb_##name) name = nullptr;
  RONDO_DUCK_FUNCTIONS(X)
#undef X
  /// Loads the engine once per process; kEnvironment when it is missing or lacks a function. Thread-safe.
  static Result<const Duck*> Get();
};

/// A result, destroyed with the object.
class DuckResult {
 public:
  explicit DuckResult(const Duck& duck) : duck_(duck) {}
  ~DuckResult() { duck_.destroy_result(&result_); }
  DuckResult(const DuckResult&) = delete;
  DuckResult& operator=(const DuckResult&) = delete;
  duckdb_result* get() { return &result_; }

 private:
  const Duck& duck_;
  duckdb_result result_{};
};

/// DuckDB's text without the quoted SQL ("LINE 1: ...") and its error class: those may hold keys or confuse people.
std::string CleanMessage(std::string_view message);
/// A failure of the machine (disk full, no memory) is kEnvironment with its hint; anything else gets `otherwise`.
Error DuckError(std::string_view message, Code otherwise);

}  // namespace rondo::table
