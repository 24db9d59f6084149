// Sources as typed SELECTs; types guessed from a sample and, when that fails, from everything.
#include "table/loader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>

#include "base/file.h"
#include "table/cells.h"
#include "table/chunks.h"
#include "table/duck.h"

namespace rondo::table {
namespace {

std::string Names(const std::vector<std::string>& names) {
  return names.size() > 30 ? fmt::format("{} and {} more", fmt::join(names.begin(), names.begin() + 30, ", "), names.size() - 30) : fmt::format("{}", fmt::join(names, ", "));
}

/// The first difference between two headers, for people.
std::string Difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (const std::string& name : a)
    if (std::find(b.begin(), b.end(), name) == b.end()) return fmt::format("it lacks the column \"{}\"", Shown(name));
  for (const std::string& name : b)
    if (std::find(a.begin(), a.end(), name) == a.end()) return fmt::format("it has another column, \"{}\"", Shown(name));
  return "its columns are in another order";
}

/// DuckDB's type name -> ours; false: it needs the text form.
bool NativeType(std::string_view sql, Type& type) {
  if (sql == "BIGINT" || sql == "INTEGER" || sql == "SMALLINT" || sql == "TINYINT" || sql == "UINTEGER" || sql == "USMALLINT" || sql == "UTINYINT" || sql == "UBIGINT" || sql == "HUGEINT" || sql == "UHUGEINT") {
    type = Type::kInt;
  } else if (sql == "DOUBLE" || sql == "FLOAT" || sql.starts_with("DECIMAL")) {
    type = Type::kFloat;
  } else if (sql == "BOOLEAN") {
    type = Type::kBool;
  } else if (sql == "VARCHAR" || sql.starts_with("ENUM")) {
    type = sql == "VARCHAR" ? Type::kString : Type::kCategory;
  } else if (sql == "DATE") {
    type = Type::kDate;
  } else if (sql.starts_with("TIMESTAMP")) {
    type = Type::kDatetime;
  } else {
    return false;
  }
  return true;
}

bool HasNul(std::string_view bytes) { return std::memchr(bytes.data(), 0, bytes.size()) != nullptr; }

}  // namespace

Result<std::string> Loader::ReadablePath(const fs::path& file, size_t index) {
  const std::string name = file.string();
  if (name.find_first_of("*?[\\") == name.npos) return name;
  // DuckDB would take such a name for a pattern and read other files too.
  std::string extension = file.extension().string();
  if (extension == ".gz") extension = file.stem().extension().string() + extension;
  const fs::path link = scratch_ / fmt::format("link{}{}", index, extension);
  std::error_code ec;
  fs::remove(link, ec);
  fs::create_symlink(fs::absolute(file), link, ec);
  if (ec) return std::unexpected(SystemError("create", link, ec.value()));
  return link.string();
}

Status Loader::PrepareCsv(const ReadOptions& options) {
  if (options.decimal.size() > 1 || (!options.decimal.empty() && options.decimal != "." && options.decimal != ",")) return Fail(Code::kInvalid, fmt::format("decimal: \"{}\" is not known", options.decimal), "decimal is \".\" or \",\"");
  decimal_ = options.decimal.empty() ? '.' : options.decimal[0];
  std::vector<std::string> paths;
  for (size_t i = 0; i < sources_.files.size(); ++i) {
    const fs::path& file = sources_.files[i];
    const std::string delimiter = i == 0 ? options.delimiter : std::string(1, heads_[0].delimiter);
    RONDO_TRY(CsvHead head, ReadCsvHead(file, delimiter, options.encoding));
    if (head.delimiter == decimal_) return Fail(Code::kInvalid, fmt::format("{}: the delimiter and the decimal sign are both \"{}\"", file.string(), decimal_), "set delimiter: to the character between the fields");
    if (i > 0) {
      if (head.header != heads_[0].header)
        return Fail(Code::kFailedCheck, fmt::format("{} has other columns than {}: {}", file.string(), sources_.files[0].string(), Difference(heads_[0].header, head.header)), "all files of a dataset need the same columns in the same order");
      head.rows.clear();
    }
    // NUL bytes would pass DuckDB, and end strings early elsewhere. Other encodings are converted by the same pass.
    const bool convert = head.encoding != Encoding::kUtf8;
    const fs::path converted = scratch_ / fmt::format("converted{}.csv", i);
    RONDO_TRY(const auto source, TextSource::Open(file, options.encoding));
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(nullptr, &std::fclose);
    if (convert) {
      out.reset(std::fopen(converted.c_str(), "wbe"));
      if (!out) return std::unexpected(SystemError("create", converted, errno));
    }
    heads_.push_back(std::move(head));
    std::string bytes;
    while (true) {
      bytes.clear();
      RONDO_TRY(const bool more, source->Read(bytes));
      if (!more) break;
      if (HasNul(bytes)) {
        RONDO_TRY(const Error fault, DiagnoseCsv(file, heads_.back(), [](size_t, const std::string&) { return true; }, [](size_t) { return std::string(); }));
        return std::unexpected(fault.message.empty() ? Error{Code::kFailedCheck, file.string() + " holds a NUL byte", "remove the byte: text must not hold it"} : fault);
      }
      if (out && std::fwrite(bytes.data(), 1, bytes.size(), out.get()) != bytes.size()) return std::unexpected(SystemError("write", converted, errno));
    }
    if (out && std::fflush(out.get()) != 0) return std::unexpected(SystemError("write", converted, errno));
    if (convert) {
      paths.push_back(converted.string());
    } else {
      RONDO_TRY(paths.emplace_back(), ReadablePath(file, i));
    }
  }
  std::string list, columns, nulls;
  for (const std::string& p : paths) list += (list.empty() ? "" : ", ") + QuoteText(p);
  for (size_t c = 0; c < heads_[0].header.size(); ++c) columns += fmt::format("{}'c{}': 'VARCHAR'", c == 0 ? "" : ", ", c);
  for (const std::string& n : nulls_) nulls += (nulls.empty() ? "" : ", ") + QuoteText(n);
  from_ = fmt::format("read_csv([{}], auto_detect=false, header=true, delim={}, quote='\"', escape='\"', nullstr=[{}], columns={{{}}}, strict_mode=true)", list,
                      QuoteText(std::string(1, heads_[0].delimiter)), nulls, columns);
  const CsvHead& head = heads_[0];
  for (size_t c = 0; c < head.header.size(); ++c) {
    TypeGuess guess(decimal_);
    for (const auto& row : head.rows)
      if (c < row.size() && std::find(nulls_.begin(), nulls_.end(), row[c]) == nulls_.end()) guess.Add(row[c]);
    fields_.push_back({head.header[c], fmt::format("c{}", c), guess.type(), Type::kString, false, guess.seen()});
  }
  return {};
}

Status Loader::AddTypedField(const std::string& name, const std::string& sql_type) {
  if (name.empty()) return Fail(Code::kFailedCheck, sources_.files[0].string() + " has a column without a name", "name it");
  Field field{name, QuoteIdent(name), Type::kString, Type::kString, false, true};
  if (sql_type == "JSON" || sql_type.ends_with("]") || sql_type.starts_with("STRUCT") || sql_type.starts_with("MAP")) {
    field.source = fmt::format("to_json({})::VARCHAR", field.source);  // nested values become their JSON text
  } else if (sql_type == "BLOB") {
    return Fail(Code::kFailedCheck, fmt::format("{}: the column \"{}\" holds bytes (BLOB)", sources_.files[0].string(), name), "store text or numbers");
  } else if (!NativeType(sql_type, field.native)) {
    field.source += "::VARCHAR";
  } else if (sql_type.starts_with("ENUM")) {
    field.source += "::VARCHAR";
  } else if (sql_type == "TIMESTAMP WITH TIME ZONE") {
    field.source = fmt::format("make_timestamp(epoch_us({}))", field.source);
  }
  field.type = field.native;
  fields_.push_back(field);
  return {};
}

Status Loader::PrepareParquet() {
  std::string list;
  std::vector<std::string> first;
  for (size_t i = 0; i < sources_.files.size(); ++i) {
    const fs::path& file = sources_.files[i];
    RONDO_TRY(const std::string path, ReadablePath(file, i));
    list += (list.empty() ? "" : ", ") + QuoteText(path);
    const auto schema = sql_.Raw(fmt::format("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet({}))", QuoteText(path)));
    if (!schema) {
      Error error = DuckError(schema.error().message, Code::kFailedCheck);
      error.message = fmt::format("{} can't be read as Parquet: {}", file.string(), error.message);
      if (error.hint.empty()) error.hint = "is it complete? copy or write it again";
      return std::unexpected(std::move(error));
    }
    std::vector<std::string> now;
    for (size_t r = 0; r < schema->rows(); ++r) {
      now.push_back(schema->columns[0].strings[r] + " " + schema->columns[1].strings[r]);
      if (i == 0) RONDO_DO(AddTypedField(schema->columns[0].strings[r], schema->columns[1].strings[r]));
    }
    if (i == 0) first = now;
    if (now != first) return Fail(Code::kFailedCheck, fmt::format("{} has other columns than {}: {}", file.string(), sources_.files[0].string(), Difference(first, now)), "all files of a dataset need the same columns and types in the same order");
  }
  from_ = fmt::format("read_parquet([{}])", list);
  return {};
}

Status Loader::PrepareJson() {
  std::vector<std::string> paths, first;
  std::vector<std::pair<std::string, std::string>> columns;
  for (size_t i = 0; i < sources_.files.size(); ++i) {
    const fs::path& file = sources_.files[i];
    RONDO_TRY(const std::string path, ReadablePath(file, i));
    paths.push_back(QuoteText(path));
    const auto schema = sql_.Raw(fmt::format("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_json({}, format='auto', records='true', sample_size=-1))", QuoteText(path)));
    if (!schema) {
      Error error = DuckError(schema.error().message, Code::kFailedCheck);
      error.message = fmt::format("{} can't be read as JSON: {}", file.string(), error.message);
      if (error.hint.empty()) error.hint = "expected a list of objects, or one object a line";
      return std::unexpected(std::move(error));
    }
    std::vector<std::string> now;
    for (size_t r = 0; r < schema->rows(); ++r) {
      const std::string& name = schema->columns[0].strings[r];
      std::string type = schema->columns[1].strings[r];
      Type native;
      // DuckDB guesses dates in any order of day and month, and UUIDs; texts go through our own rules instead.
      if (NativeType(type, native) && (native == Type::kDate || native == Type::kDatetime)) type = "VARCHAR";
      if (type == "UUID" || type == "TIME") type = "VARCHAR";
      now.push_back(name);
      const auto known = std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.first == name; });
      if (known == columns.end()) {
        columns.emplace_back(name, type);
      } else if (known->second != type) {
        const bool numbers = (known->second == "BIGINT" || known->second == "DOUBLE") && (type == "BIGINT" || type == "DOUBLE");
        known->second = numbers ? "DOUBLE" : "VARCHAR";
      }
    }
    std::sort(now.begin(), now.end());
    if (i == 0) first = now;
    if (now != first) return Fail(Code::kFailedCheck, fmt::format("{} has other columns than {}: {}", file.string(), sources_.files[0].string(), Difference(first, now)), "all files of a dataset need the same columns");
  }
  if (columns.empty()) return Fail(Code::kFailedCheck, sources_.files[0].string() + " holds no records", "expected a list of objects, or one object a line");
  std::string declared;
  for (const auto& [name, type] : columns) {
    declared += fmt::format("{}{}: {}", declared.empty() ? "" : ", ", QuoteText(name), QuoteText(type));
    RONDO_DO(AddTypedField(name, type));
    if (type == "VARCHAR") fields_.back().seen = false;  // may be dates: look at all of it
  }
  from_ = fmt::format("read_json([{}], format='auto', records='true', columns={{{}}})", fmt::join(paths, ", "), declared);
  return {};
}

Status Loader::ForceTypes(const ReadOptions& options) {
  for (const auto& [name, type] : options.types) {
    for (Field& field : fields_) {
      if (field.name != name) continue;
      field.type = type;
      field.forced = true;
    }
  }
  return {};
}

/// SQL of a field's typed value.
std::string Loader::Value(size_t i) const {
  const Field& field = fields_[i];
  const bool csv = sources_.format == Format::kCsv;
  std::string x = field.source;
  if (!csv) {
    // The reader of CSV already knows the nulls.
    std::string list;
    for (const std::string& n : nulls_)
      if (!n.empty() || !IsNumeric(field.native)) list += (list.empty() ? "" : ", ") + QuoteText(n);
    if (field.native == Type::kDate || field.native == Type::kDatetime) list.clear();
    if (!list.empty()) x = fmt::format("(CASE WHEN {0}{2} IN ({1}) THEN NULL ELSE {0} END)", x, list, IsNumeric(field.native) ? "::VARCHAR" : "");
  }
  // DuckDB computes a repeated expression inside CASE each time: for CSV the value comes from a subquery (Select).
  if (csv) return CastSql(x, fmt::format("v{}", i), field.type, field.forced, decimal_, i);
  if (field.native == Type::kString || field.native == Type::kCategory) return CastSql(x, ValueSql(x, field.type, field.forced, decimal_), field.type, field.forced, decimal_, i);
  if (field.type == field.native) {
    // Whole numbers that a double can't hold are not rounded in silence; NaN is missing.
    if (field.type == Type::kInt) return fmt::format("CASE WHEN {0} IS NULL OR {0} BETWEEN -9007199254740992 AND 9007199254740992 THEN CAST({0} AS BIGINT) ELSE error('{1}' || {0}::VARCHAR) END", x, CastMarker(i));
    if (field.type == Type::kFloat) return fmt::format("CASE WHEN isnan(CAST({0} AS DOUBLE)) THEN NULL ELSE CAST({0} AS DOUBLE) END", x);
    return fmt::format("CAST({} AS {})", x, SqlType(field.type));
  }
  const std::string text = fmt::format("CAST({} AS VARCHAR)", x);
  return CastSql(text, ValueSql(text, field.type, true, '.'), field.type, true, '.', i);
}

Result<std::string> Loader::Select(const std::vector<Edit>& edits) {
  for (const Edit& edit : edits)
    if (std::none_of(fields_.begin(), fields_.end(), [&](const Field& f) { return f.name == edit.column; })) {
      std::vector<std::string> names;
      for (const Field& f : fields_) names.push_back(f.name);
      return Fail(Code::kFailedCheck, fmt::format("the data have no column \"{}\"", edit.column), "columns: " + Names(names));
    }
  schema_.clear();
  std::string out;
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (!only_.empty() && std::find(only_.begin(), only_.end(), fields_[i].name) == only_.end()) continue;
    std::string value = Value(i);
    Type type = fields_[i].type;
    bool dropped = false;
    for (const Edit& edit : edits) {
      if (edit.column != fields_[i].name) continue;
      dropped = edit.drop;
      if (edit.drop) break;
      if (edit.numeric_only && type != Type::kInt && type != Type::kFloat)
        return Fail(Code::kFailedCheck, fmt::format("the column \"{}\" is a {}, and a bucket needs numbers", edit.column, TypeName(type)), "give it a numeric type in the contract");
      std::string edited;
      for (size_t at = 0; at < edit.sql.size(); ++at) {
        if (edit.sql.compare(at, 2, "{}") == 0) {
          edited += "(" + value + ")";
          ++at;
        } else {
          edited += edit.sql[at];
        }
      }
      value = edited;
      if (edit.type) type = *edit.type;
    }
    if (dropped) continue;
    out += fmt::format("{}CAST({} AS {}) AS {}", out.empty() ? "" : ", ", value, SqlType(type), QuoteIdent(fields_[i].name));
    schema_.emplace_back(fields_[i].name, type);
  }
  if (out.empty()) return Fail(Code::kFailedCheck, "no column is left", "drop or choose fewer columns");
  if (sources_.format != Format::kCsv) return fmt::format("SELECT {} FROM {}", out, from_);
  std::string values;
  for (size_t i = 0; i < fields_.size(); ++i)
    if (fields_[i].type != Type::kString && fields_[i].type != Type::kCategory) values += fmt::format(", {} AS v{}", ValueSql(fields_[i].source, fields_[i].type, fields_[i].forced, decimal_), i);
  return fmt::format("SELECT {} FROM (SELECT *{} FROM {})", out, values, from_);
}

Status Loader::InferFully(bool only_unseen) {
  std::string select;
  std::vector<size_t> asked;
  const auto bad = [&](const std::string& condition) { select += fmt::format("{}count(*) FILTER (WHERE {})", select.empty() ? "" : ", ", condition); };
  for (size_t i = 0; i < fields_.size(); ++i) {
    const Field& f = fields_[i];
    if (f.forced || (only_unseen && f.seen) || f.native != Type::kString || (f.seen && f.type == Type::kString)) continue;
    asked.push_back(i);
    const std::string& x = f.source;
    std::string nulls;
    for (const std::string& n : nulls_) nulls += (nulls.empty() ? "" : ", ") + QuoteText(n);
    const std::string there = sources_.format == Format::kCsv ? x + " IS NOT NULL" : fmt::format("{} NOT IN ({})", x, nulls);
    bad(there);
    for (const Type type : {Type::kInt, Type::kFloat, Type::kBool, Type::kDate, Type::kDatetime}) {
      const bool number = type == Type::kInt || type == Type::kFloat;
      // Strings of JSON stay strings even when they look like numbers.
      const bool possible = f.seen ? (f.type == type || (f.type == Type::kInt && type == Type::kFloat) || (f.type == Type::kDate && type == Type::kDatetime)) : (sources_.format == Format::kCsv || !number);
      bad(possible && !(sources_.format != Format::kCsv && type == Type::kBool) ? fmt::format("{} AND NOT coalesce({}, false)", there, FitsSql(x, ValueSql(x, type, false, decimal_), type, false, decimal_)) : there);
    }
    const bool numbers = sources_.format == Format::kCsv && (!f.seen || f.type == Type::kInt || f.type == Type::kFloat);
    bad(numbers ? LeadingZeroSql(x) : "false");
    bad(numbers ? BeyondExactSql(x) : "false");
    bad(numbers ? FractionSql(x, decimal_) : "false");
  }
  if (asked.empty()) return {};
  RONDO_TRY(const Frame counts, sql_.Raw(fmt::format("SELECT {} FROM {}", select, from_)));
  for (size_t k = 0; k < asked.size(); ++k) {
    const auto count = [&](size_t j) { return counts.columns[k * 9 + j].numbers[0]; };
    Field& f = fields_[asked[k]];
    f.seen = true;
    f.type = Type::kString;
    if (count(0) == 0) continue;
    if (count(1) == 0) {
      f.type = Type::kInt;
    } else if (count(7) > 0 || (count(6) > 0 && count(8) == 0)) {
      f.type = Type::kString;
    } else if (count(2) == 0) {
      f.type = Type::kFloat;
    } else if (count(3) == 0) {
      f.type = Type::kBool;
    } else if (count(4) == 0) {
      f.type = Type::kDate;
    } else if (count(5) == 0) {
      f.type = Type::kDatetime;
    }
  }
  return {};
}

Error Loader::Explain(const Error& raw, const ReadOptions& options) {
  (void)options;
  Error known = DuckError(raw.message, Code::kFailedCheck);
  if (known.code == Code::kEnvironment) return known;
  size_t column = 0;
  std::string value;
  const bool cast = ParseCastMarker(raw.message, column, value) && column < fields_.size();
  const std::string cast_hint = "correct the value, list it under nulls: if it means missing, or change the column's type in the contract";
  if (sources_.format == Format::kCsv) {
    for (size_t i = 0; i < sources_.files.size(); ++i) {
      const auto fits = [&](size_t c, const std::string& v) {
        return !fields_[c].forced || std::find(nulls_.begin(), nulls_.end(), v) != nulls_.end() || CellFits(v, fields_[c].type, true, decimal_);
      };
      auto found = DiagnoseCsv(sources_.files[i], heads_[i], fits, [&](size_t c) { return TypeComplaint(fields_[c].type, true); });
      if (!found) return found.error();
      if (found->message.empty()) continue;
      if (found->hint.empty()) found->hint = cast_hint;
      return *found;
    }
  }
  const std::string file = sources_.files.size() == 1 ? sources_.files[0].string() : fmt::format("{} and {} more", sources_.files[0].string(), sources_.files.size() - 1);
  if (cast) {
    const Field& f = fields_[column];
    std::string row;
    const auto found = sql_.Raw(fmt::format("SELECT min(n) FROM (SELECT row_number() OVER () AS n, CAST({} AS VARCHAR) AS v FROM {}) WHERE v = {}", f.source, from_, QuoteText(value)));
    if (found && found->rows() == 1 && !found->columns[0].IsMissing(0)) row = fmt::format(", row {}", found->columns[0].Text(0));
    return {Code::kFailedCheck, fmt::format("{}{}, column \"{}\": \"{}\" {}", file, row, f.name, Shown(value), TypeComplaint(f.type, true)), cast_hint};
  }
  const size_t end = known.message.find('\n');
  return {Code::kFailedCheck, fmt::format("{} can't be read: {}", file, known.message.substr(0, end)), sources_.format == Format::kCsv ? "check delimiter:, encoding: and the quotes" : "is the file complete?"};
}

Result<int64_t> Loader::Run(const fs::path& source, const ReadOptions& options, const std::vector<Edit>& edits, const Sink& sink) {
  RONDO_TRY(sources_, ResolveSources(source, options.format));
  nulls_ = options.nulls;
  // The empty field is always missing: a frame and a model know no other meaning of it.
  if (std::find(nulls_.begin(), nulls_.end(), "") == nulls_.end()) nulls_.insert(nulls_.begin(), "");
  if (sources_.format == Format::kCsv) RONDO_DO(PrepareCsv(options));
  if (sources_.format == Format::kParquet) RONDO_DO(PrepareParquet());
  if (sources_.format == Format::kJson) RONDO_DO(PrepareJson());
  RONDO_DO(ForceTypes(options));
  only_ = options.columns;
  if (std::any_of(fields_.begin(), fields_.end(), [](const Field& f) { return !f.seen && !f.forced; }))
    if (const Status status = InferFully(true); !status) return std::unexpected(Explain(status.error(), options));
  for (int attempt = 0;; ++attempt) {
    RONDO_TRY(const std::string select, Select(edits));
    const Result<int64_t> rows = sink(select);
    if (rows && *rows == 0) return Fail(Code::kFailedCheck, fmt::format("{} has no rows", source.string()), "is it the right file?");
    if (rows) return rows;
    size_t column = 0;
    std::string value;
    const bool refuted = ParseCastMarker(rows.error().message, column, value) && column < fields_.size() && !fields_[column].forced;
    if (!refuted || attempt > 3) return std::unexpected(Explain(rows.error(), options));
    if (sources_.format == Format::kCsv) {
      if (const Status status = InferFully(false); !status) return std::unexpected(Explain(status.error(), options));
    } else {
      fields_[column].type = Type::kString;  // whole numbers beyond 2^53
    }
  }
}

}  // namespace rondo::table
