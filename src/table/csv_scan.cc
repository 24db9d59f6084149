// The CSV reader behind clear error messages.
#include "table/csv_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "table/cells.h"

namespace rondo::table {

Result<int> CsvScanner::Peek() {
  while (at_ >= buffer_.size() && !ended_) {
    buffer_.clear();
    at_ = 0;
    RONDO_TRY(const bool more, source_.Read(buffer_));
    if (!more) ended_ = true;
  }
  return at_ < buffer_.size() ? static_cast<unsigned char>(buffer_[at_]) : -1;
}
Result<int> CsvScanner::Get() {
  RONDO_TRY(const int c, Peek());
  if (c >= 0) ++at_;
  return c;
}

Result<bool> CsvScanner::Next(std::vector<std::string>& fields) {
  fields.clear();
  fault_ = CsvFault::kNone;
  std::string field;
  bool any = false;          // something was read of this record
  bool in_quotes = false, closed = false;  // closed: the quotes of this field have ended
  start_line_ = line_;
  while (true) {
    RONDO_TRY(const int c, Get());
    if (c < 0) {
      if (in_quotes) fault_ = CsvFault::kUnclosedQuote;
      if (!any && field.empty() && fields.empty()) return false;
      fields.push_back(std::move(field));
      return true;
    }
    const char ch = static_cast<char>(c);
    if (in_quotes) {
      if (ch == '"') {
        RONDO_TRY(const int next, Peek());
        if (next == '"') {
          field += '"';
          ++at_;
        } else {
          in_quotes = false;
          closed = true;
        }
      } else {
        if (ch == '\n') ++line_;
        field += ch;
      }
      continue;
    }
    if (ch == '\n' || ch == '\r') {
      int kind = 1;
      if (ch == '\r') {
        RONDO_TRY(const int next, Peek());
        kind = next == '\n' ? 2 : 3;
        if (next == '\n') ++at_;
      }
      ++line_;
      if (newline_ == 0) newline_ = kind;
      if (kind != newline_) fault_ = CsvFault::kMixedNewlines;
      if (!any && fields.empty()) {  // an empty line
        start_line_ = line_;
        if (fault_ != CsvFault::kNone) return true;
        continue;
      }
      fields.push_back(std::move(field));
      return true;
    }
    any = true;
    if (ch == delimiter_) {
      fields.push_back(std::move(field));
      field.clear();
      closed = false;
    } else if (ch == '"' && field.empty() && !closed) {
      in_quotes = true;
    } else {
      if (closed) fault_ = CsvFault::kAfterQuote;
      field += ch;
    }
    if (fault_ == CsvFault::kAfterQuote) {
      fields.push_back(std::move(field));
      return true;
    }
  }
}

namespace {

/// How well a delimiter explains the sample: the number of fields when all of the first records agree, else the header's count over 1000.
double Score(std::string_view text, char delimiter) {
  class Memory : public TextSource {
   public:
    explicit Memory(std::string_view t) : text_(t) {}
    Result<bool> Read(std::string& out) override {
      out += text_;
      return !std::exchange(text_, {}).empty();
    }
    Encoding encoding() const override { return Encoding::kUtf8; }

   private:
    std::string_view text_;
  } memory(text);
  CsvScanner scanner(memory, delimiter);
  std::vector<std::string> fields;
  size_t first = 0, records = 0, same = 0;
  for (; records < 100; ++records) {
    const auto more = scanner.Next(fields);
    if (!more || !*more || scanner.fault() == CsvFault::kUnclosedQuote) break;
    if (records == 0) first = fields.size();
    same += fields.size() == first;
  }
  if (first <= 1 || records == 0) return 0;
  const double share = static_cast<double>(same) / static_cast<double>(records);
  return share * share * static_cast<double>(first);
}

std::string Where(const std::filesystem::path& file, int64_t line) { return fmt::format("{}, line {}", file.string(), line); }

}  // namespace

Result<CsvHead> ReadCsvHead(const std::filesystem::path& file, std::string_view delimiter, std::string_view encoding) {
  CsvHead head;
  const std::string name = file.string();
  if (!delimiter.empty() && delimiter != "tab" && delimiter != "\\t" && delimiter.size() != 1)
    return Fail(Code::kInvalid, fmt::format("the delimiter \"{}\" is not one character", delimiter), "for example delimiter: \";\" or delimiter: tab");
  {
    RONDO_TRY(const auto source, TextSource::Open(file, encoding));
    head.encoding = source->encoding();
    std::string text;
    RONDO_TRY(const bool any, source->Read(text));
    if (!any || std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c); }))
      return Fail(Code::kFailedCheck, name + " is empty", "the first line must name the columns");
    if (text.starts_with("PK\x03\x04")) return Fail(Code::kFailedCheck, name + " is a ZIP archive or an Excel workbook, not CSV", "export it as CSV, or unpack it");
    if (const size_t nul = text.find('\0'); nul != text.npos)
      return Fail(Code::kFailedCheck, fmt::format("{}, line {}: a NUL byte: this is not text", name, 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(nul), '\n')),
                  "set encoding: utf-16 if the file is UTF-16 without a byte order mark; otherwise remove the byte");
    if (!delimiter.empty()) {
      head.delimiter = delimiter == "tab" || delimiter == "\\t" ? '\t' : delimiter[0];
    } else {
      // 64 KiB are hundreds of lines; the last may be cut, which costs each candidate the same.
      const std::string_view sample = std::string_view(text).substr(0, 1 << 16);
      double best = 0;
      for (const char candidate : {',', ';', '\t', '|'})
        if (const double score = Score(sample, candidate); score > best) best = score, head.delimiter = candidate;
    }
  }
  RONDO_TRY(const auto source, TextSource::Open(file, encoding));
  CsvScanner scanner(*source, head.delimiter);
  RONDO_TRY(const bool any, scanner.Next(head.header));
  if (!any) return Fail(Code::kFailedCheck, name + " is empty", "the first line must name the columns");
  if (scanner.fault() == CsvFault::kUnclosedQuote) return Fail(Code::kFailedCheck, Where(file, scanner.line()) + ": a quote (\") is opened and never closed", "close it, or double a quote that belongs to the text (\"\")");
  size_t bytes = 0;
  std::vector<std::string> fields;
  while (head.rows.size() < kSampleRows && bytes < (8u << 20)) {
    RONDO_TRY(const bool more, scanner.Next(fields));
    if (!more) break;
    if (scanner.fault() != CsvFault::kNone) {
      if (head.rows.empty()) head.rows.push_back(fields);
      break;
    }
    for (const std::string& f : fields) bytes += f.size();
    head.rows.push_back(fields);
  }
  std::map<std::string, size_t> seen;
  size_t numbers = 0;
  for (size_t i = 0; i < head.header.size(); ++i) {
    std::string& column = head.header[i];
    if (FindInvalidUtf8(column) != column.npos)
      return Fail(Code::kFailedCheck, fmt::format("{}, line 1: the name of column {} (\"{}\") is not UTF-8", name, i + 1, Shown(column)), "set encoding: latin-1 (or windows-1252, utf-16), or save the file as UTF-8");
    while (!column.empty() && std::isspace(static_cast<unsigned char>(column.back()))) column.pop_back();
    column.erase(0, std::min(column.find_first_not_of(" \t"), column.size()));
    if (column.empty()) column = fmt::format("column_{}", i + 1);
    numbers += CellIsNumber(column);
    std::string lower;
    for (const char c : column) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const auto [it, fresh] = seen.emplace(lower, i);
    if (!fresh) {
      const std::string& other = head.header[it->second];
      return Fail(Code::kFailedCheck,
                  other == column ? fmt::format("{}, line 1: two columns are called \"{}\" (columns {} and {})", name, Shown(column), it->second + 1, i + 1)
                                  : fmt::format("{}, line 1: the columns {} \"{}\" and {} \"{}\" differ only in upper and lower case", name, it->second + 1, Shown(other), i + 1, Shown(column)),
                  "rename one of them");
    }
  }
  if (numbers == head.header.size())
    return Fail(Code::kFailedCheck, fmt::format("{}, line 1: the first line holds only numbers ({}): column names are missing", name, Shown(head.header[0])), "put a first line with the names of the columns");
  if (head.rows.empty()) return Fail(Code::kFailedCheck, fmt::format("{} has a header of {} columns but no rows", name, head.header.size()), "is it the right file?");
  return head;
}

Result<Error> DiagnoseCsv(const std::filesystem::path& file, const CsvHead& head, const std::function<bool(size_t, const std::string&)>& fits,
                          const std::function<std::string(size_t)>& why) {
  RONDO_TRY(const auto source, TextSource::Open(file, head.encoding == Encoding::kUtf8 ? "utf-8" : head.encoding == Encoding::kLatin1 ? "latin-1" : head.encoding == Encoding::kWindows1252 ? "windows-1252" : head.encoding == Encoding::kUtf16Le ? "utf-16le" : "utf-16be"));
  CsvScanner scanner(*source, head.delimiter);
  std::vector<std::string> fields;
  bool header = true;
  const std::string delimiter = head.delimiter == '\t' ? "tab" : std::string(1, head.delimiter);
  while (true) {
    RONDO_TRY(const bool more, scanner.Next(fields));
    if (!more) return Error{};
    const std::string where = Where(file, scanner.line());
    const size_t last = std::min(fields.empty() ? 0 : fields.size() - 1, head.header.size() - 1);
    switch (scanner.fault()) {
      case CsvFault::kUnclosedQuote:
        return Error{Code::kFailedCheck, fmt::format("{}, column \"{}\": a quote (\") is opened and never closed: \"{}", where, head.header[last], Shown(fields.back())),
                     "close it, or double a quote that belongs to the text (\"\")"};
      case CsvFault::kAfterQuote:
        return Error{Code::kFailedCheck, fmt::format("{}, column \"{}\": text follows a closing quote: {}", where, head.header[last], Shown(fields.back())),
                     "a quote that belongs to the text must be doubled (\"\")"};
      case CsvFault::kMixedNewlines:
        return Error{Code::kFailedCheck, where + ": the line ends differently from the lines before it (\\n, \\r\\n and \\r are mixed)", "convert the line ends, for example with dos2unix"};
      case CsvFault::kNone: break;
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      const std::string column = i < head.header.size() ? head.header[i] : fmt::format("{}", i + 1);
      if (fields[i].size() > 2'000'000) return Error{Code::kFailedCheck, fmt::format("{}, column \"{}\": a field of {} bytes; the limit of a line is 2 MB", where, column, fields[i].size()), "is a quote never closed?"};
      if (FindInvalidUtf8(fields[i]) != std::string::npos)
        return Error{Code::kFailedCheck, fmt::format("{}, column \"{}\": \"{}\" is not UTF-8", where, column, Shown(fields[i])), "set encoding: latin-1 (or windows-1252, utf-16) for this dataset, or save the file as UTF-8"};
      if (fields[i].find('\0') != std::string::npos) return Error{Code::kFailedCheck, fmt::format("{}, column \"{}\": a NUL byte in \"{}\"", where, column, Shown(fields[i])), "remove the byte: text must not hold it"};
    }
    if (fields.size() != head.header.size() && !(fields.size() == head.header.size() + 1 && fields.back().empty()))
      return Error{Code::kFailedCheck, fmt::format("{}: {} fields, but the header names {} (delimiter {}): {}", where, fields.size(), head.header.size(), delimiter, Shown(fmt::format("{}", fmt::join(fields, std::string(1, head.delimiter))))),
                   "a field that holds the delimiter needs quotes; the delimiter is set by delimiter: in rondo.yaml"};
    if (!header)
      for (size_t i = 0; i < head.header.size(); ++i)
        if (!fits(i, fields[i])) return Error{Code::kFailedCheck, fmt::format("{}, column \"{}\": \"{}\" {}", where, head.header[i], Shown(fields[i]), why(i)), {}};
    header = false;
  }
}

}  // namespace rondo::table
