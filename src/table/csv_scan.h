/// A careful CSV reader in plain C++ (RFC 4180 with any delimiter). DuckDB reads the data; this one finds the header and the delimiter, looks
/// at a sample to guess types, and, once something is wrong, says exactly where. Internal to this module.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "table/text_source.h"

namespace rondo::table {

/// What can be wrong with one record.
enum class CsvFault { kNone, kUnclosedQuote, kAfterQuote, kMixedNewlines };

class CsvScanner {
 public:
  CsvScanner(TextSource& source, char delimiter) : source_(source), delimiter_(delimiter) {}
  /// Reads a record; false at the end. Empty lines are skipped, as DuckDB does for more than one column. `quoted[i]`: the field had quotes.
  Result<bool> Next(std::vector<std::string>& fields);
  int64_t line() const { return start_line_; }  ///< of the present record, from 1
  CsvFault fault() const { return fault_; }     ///< of the present record; reading on after a fault makes no sense

 private:
  Result<int> Peek();
  Result<int> Get();
  TextSource& source_;
  char delimiter_;
  std::string buffer_;
  size_t at_ = 0;
  bool ended_ = false;
  int64_t line_ = 1, start_line_ = 1;
  int newline_ = 0;  // 1: \n, 2: \r\n, 3: \r
  CsvFault fault_ = CsvFault::kNone;
};

/// The first bytes of a CSV file, understood.
struct CsvHead {
  char delimiter = ',';
  Encoding encoding = Encoding::kUtf8;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  ///< up to kSampleRows complete records after the header
};
inline constexpr size_t kSampleRows = 20'000;

/// Errors (kFailedCheck) name the file: empty, header only, no or duplicate column names, a first line of numbers. `delimiter`: "" finds it among , ; tab |.
Result<CsvHead> ReadCsvHead(const std::filesystem::path& file, std::string_view delimiter, std::string_view encoding);

/// Reads the whole file until something is wrong and says what, with line and column; an Error with an empty message when nothing is.
/// `fits(column, value)`: false for a value that the column's type refuses; `why(column)` names the type.
Result<Error> DiagnoseCsv(const std::filesystem::path& file, const CsvHead& head, const std::function<bool(size_t, const std::string&)>& fits,
                          const std::function<std::string(size_t)>& why);

}  // namespace rondo::table
