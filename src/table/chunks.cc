// Data chunks to columns and back: whole vectors at a time.
#include "table/chunks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/clock.h"

namespace rondo::table {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool Valid(const uint64_t* validity, size_t row) { return !validity || (validity[row >> 6] >> (row & 63) & 1); }

/// Days since 1970-01-01 -> year, month, day of the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
void AppendDate(std::string& out, int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t doe = days - era * 146097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int64_t mp = (5 * doy + 2) / 153;
  const int64_t month = mp < 10 ? mp + 3 : mp - 9;
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}", yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) / 5 + 1);
}
std::string DatetimeText(int64_t micros) {
  constexpr int64_t kDay = 86'400'000'000;
  const int64_t days = micros >= 0 ? micros / kDay : -((-micros + kDay - 1) / kDay);
  int64_t rest = micros - days * kDay;
  std::string out;
  AppendDate(out, days);
  const int64_t fraction = rest % 1'000'000;
  rest /= 1'000'000;
  fmt::format_to(std::back_inserter(out), "T{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
  if (fraction != 0) {
    fmt::format_to(std::back_inserter(out), ".{:06}", fraction);
    while (out.back() == '0') out.pop_back();
  }
  return out;
}

/// Microseconds of an ISO text; ParseTime knows milliseconds only.
Result<int64_t> Micros(std::string_view text) {
  const size_t dot = text.find('.');
  if (dot == text.npos) {
    RONDO_TRY(const int64_t ms, ParseTime(text));
    return ms * 1000;
  }
  size_t end = dot + 1;
  int64_t fraction = 0, digits = 0;
  for (; end < text.size() && text[end] >= '0' && text[end] <= '9'; ++end)
    if (digits < 6) fraction = fraction * 10 + (text[end] - '0'), ++digits;
  for (; digits < 6; ++digits) fraction *= 10;
  RONDO_TRY(const int64_t ms, ParseTime(std::string(text.substr(0, dot)) + std::string(text.substr(end))));
  return ms * 1000 + fraction;
}

template <typename T>
void TakeNumbers(std::vector<double>& out, const void* data, const uint64_t* validity, size_t n, double factor = 1) {
  const T* values = static_cast<const T*>(data);
  for (size_t i = 0; i < n; ++i) {
    if constexpr (std::is_same_v<T, bool>) {
      out.push_back(Valid(validity, i) ? (reinterpret_cast<const uint8_t*>(values)[i] ? 1.0 : 0.0) : kNaN);
    } else {
      out.push_back(Valid(validity, i) ? static_cast<double>(values[i]) / factor : kNaN);
    }
  }
}
template <typename T, typename Text>
void TakeTexts(Column& column, const void* data, const uint64_t* validity, size_t n, Text text) {
  const T* values = static_cast<const T*>(data);
  for (size_t i = 0; i < n; ++i) {
    const bool valid = Valid(validity, i);
    column.strings.push_back(valid ? text(values[i]) : std::string());
    column.missing.push_back(valid ? 0 : 1);
  }
}

Result<Type> LogicalType(duckdb_type type, std::string_view column) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN: return Type::kBool;
    case DUCKDB_TYPE_TINYINT: case DUCKDB_TYPE_SMALLINT: case DUCKDB_TYPE_INTEGER: case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT: case DUCKDB_TYPE_USMALLINT: case DUCKDB_TYPE_UINTEGER: case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT: case DUCKDB_TYPE_UHUGEINT: return Type::kInt;
    case DUCKDB_TYPE_FLOAT: case DUCKDB_TYPE_DOUBLE: case DUCKDB_TYPE_DECIMAL: return Type::kFloat;
    case DUCKDB_TYPE_VARCHAR: case DUCKDB_TYPE_BLOB: case DUCKDB_TYPE_SQLNULL: return Type::kString;
    case DUCKDB_TYPE_ENUM: return Type::kCategory;
    case DUCKDB_TYPE_DATE: return Type::kDate;
    case DUCKDB_TYPE_TIMESTAMP: case DUCKDB_TYPE_TIMESTAMP_TZ: case DUCKDB_TYPE_TIMESTAMP_S: case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS: return Type::kDatetime;
    default: return Fail(Code::kInternal, fmt::format("a query gave the column \"{}\" of DuckDB's type {}, which a frame can't hold", column, static_cast<int>(type)), "cast it in the query");
  }
}

/// One vector, by the physical type.
void TakeVector(const Duck& duck, duckdb_logical_type logical, duckdb_type type, const void* data, const uint64_t* validity, size_t n, Column& out) {
  const auto day_text = [](int32_t days) { std::string s; AppendDate(s, days); return s; };
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN: TakeNumbers<bool>(out.numbers, data, validity, n); break;
    case DUCKDB_TYPE_TINYINT: TakeNumbers<int8_t>(out.numbers, data, validity, n); break;
    case DUCKDB_TYPE_SMALLINT: TakeNumbers<int16_t>(out.numbers, data, validity, n); break;
    case DUCKDB_TYPE_INTEGER: TakeNumbers<int32_t>(out.numbers, data, validity, n); break;
    case DUCKDB_TYPE_BIGINT: TakeNumbers<int64_t>(out.numbers, data, validity, n); break;
    case DUCKDB_TYPE_UTINYINT: TakeNumbers<uint8_t>(out.numbers, data, validity, n); break;
    case DUCKDB_TYPE_USMALLINT: TakeNumbers<uint16_t>(out.numbers, data, validity, n); break;
    case DUCKDB_TYPE_UINTEGER: TakeNumbers<uint32_t>(out.numbers, data, validity, n); break;
    case DUCKDB_TYPE_UBIGINT: TakeNumbers<uint64_t>(out.numbers, data, validity, n); break;
    case DUCKDB_TYPE_FLOAT: TakeNumbers<float>(out.numbers, data, validity, n); break;
    case DUCKDB_TYPE_DOUBLE: TakeNumbers<double>(out.numbers, data, validity, n); break;
    case DUCKDB_TYPE_HUGEINT: {
      const auto* values = static_cast<const duckdb_hugeint*>(data);
      for (size_t i = 0; i < n; ++i) out.numbers.push_back(Valid(validity, i) ? duck.hugeint_to_double(values[i]) : kNaN);
      break;
    }
    case DUCKDB_TYPE_UHUGEINT: {
      const auto* values = static_cast<const duckdb_uhugeint*>(data);
      for (size_t i = 0; i < n; ++i) out.numbers.push_back(Valid(validity, i) ? duck.uhugeint_to_double(values[i]) : kNaN);
      break;
    }
    case DUCKDB_TYPE_DECIMAL: {
      const double factor = std::pow(10.0, duck.decimal_scale(logical));
      switch (duck.decimal_internal_type(logical)) {
        case DUCKDB_TYPE_SMALLINT: TakeNumbers<int16_t>(out.numbers, data, validity, n, factor); break;
        case DUCKDB_TYPE_INTEGER: TakeNumbers<int32_t>(out.numbers, data, validity, n, factor); break;
        case DUCKDB_TYPE_BIGINT: TakeNumbers<int64_t>(out.numbers, data, validity, n, factor); break;
        default: {
          const auto* values = static_cast<const duckdb_hugeint*>(data);
          for (size_t i = 0; i < n; ++i) out.numbers.push_back(Valid(validity, i) ? duck.hugeint_to_double(values[i]) / factor : kNaN);
        }
      }
      break;
    }
    case DUCKDB_TYPE_ENUM: {
      const auto label = [&](uint64_t code) {
        char* text = duck.enum_dictionary_value(logical, code);
        std::string out_text(text);
        duck.free(text);
        return out_text;
      };
      switch (duck.enum_internal_type(logical)) {
        case DUCKDB_TYPE_UTINYINT: TakeTexts<uint8_t>(out, data, validity, n, label); break;
        case DUCKDB_TYPE_USMALLINT: TakeTexts<uint16_t>(out, data, validity, n, label); break;
        default: TakeTexts<uint32_t>(out, data, validity, n, label);
      }
      break;
    }
    case DUCKDB_TYPE_DATE: TakeTexts<int32_t>(out, data, validity, n, day_text); break;
    case DUCKDB_TYPE_TIMESTAMP: case DUCKDB_TYPE_TIMESTAMP_TZ: TakeTexts<int64_t>(out, data, validity, n, [](int64_t v) { return DatetimeText(v); }); break;
    case DUCKDB_TYPE_TIMESTAMP_S: TakeTexts<int64_t>(out, data, validity, n, [](int64_t v) { return DatetimeText(v * 1'000'000); }); break;
    case DUCKDB_TYPE_TIMESTAMP_MS: TakeTexts<int64_t>(out, data, validity, n, [](int64_t v) { return DatetimeText(v * 1000); }); break;
    case DUCKDB_TYPE_TIMESTAMP_NS: TakeTexts<int64_t>(out, data, validity, n, [](int64_t v) { return DatetimeText(v / 1000); }); break;
    case DUCKDB_TYPE_SQLNULL:
      out.strings.resize(out.strings.size() + n);
      out.missing.resize(out.missing.size() + n, 1);
      break;
    default:
      TakeTexts<duckdb_string_t>(out, data, validity, n, [](const duckdb_string_t& s) {
        return s.value.inlined.length <= 12 ? std::string(s.value.inlined.inlined, s.value.inlined.length) : std::string(s.value.pointer.ptr, s.value.pointer.length);
      });
  }
}

}  // namespace

Result<Frame> TakeResult(const Duck& duck, duckdb_result* result) {
  Frame frame;
  const size_t columns = duck.column_count(result);
  std::vector<duckdb_type> types(columns);
  std::vector<duckdb_logical_type> logical(columns);
  Status status;
  for (size_t c = 0; c < columns; ++c) {
    Column& column = frame.columns.emplace_back();
    column.name = duck.column_name(result, c);
    types[c] = duck.column_type(result, c);
    logical[c] = duck.column_logical_type(result, c);
    if (auto type = LogicalType(types[c], column.name)) {
      column.type = *type;
    } else if (status) {
      status = std::unexpected(type.error());
    }
  }
  while (status) {
    duckdb_data_chunk chunk = duck.fetch_chunk(*result);
    if (!chunk) break;
    const size_t n = duck.data_chunk_get_size(chunk);
    for (size_t c = 0; c < columns; ++c) {
      duckdb_vector vector = duck.data_chunk_get_vector(chunk, c);
      TakeVector(duck, logical[c], types[c], duck.vector_get_data(vector), duck.vector_get_validity(vector), n, frame.columns[c]);
    }
    duck.destroy_data_chunk(&chunk);
  }
  for (duckdb_logical_type& type : logical) duck.destroy_logical_type(&type);
  if (!status) return std::unexpected(status.error());
  return frame;
}

std::string_view SqlType(Type type) {
  switch (type) {
    case Type::kInt: return "BIGINT";
    case Type::kFloat: return "DOUBLE";
    case Type::kBool: return "BOOLEAN";
    case Type::kDate: return "DATE";
    case Type::kDatetime: return "TIMESTAMP";
    default: return "VARCHAR";
  }
}

Status AppendFrame(const Duck& duck, duckdb_connection connection, const std::string& table, const Frame& frame) {
  std::vector<duckdb_logical_type> types;
  for (const Column& c : frame.columns) {
    const duckdb_type type = c.type == Type::kInt    ? DUCKDB_TYPE_BIGINT
                             : c.type == Type::kFloat ? DUCKDB_TYPE_DOUBLE
                             : c.type == Type::kBool  ? DUCKDB_TYPE_BOOLEAN
                             : c.type == Type::kDate  ? DUCKDB_TYPE_DATE
                             : c.type == Type::kDatetime ? DUCKDB_TYPE_TIMESTAMP
                                                         : DUCKDB_TYPE_VARCHAR;
    types.push_back(duck.create_logical_type(type));
  }
  duckdb_appender appender = nullptr;
  duckdb_data_chunk chunk = duck.create_data_chunk(types.data(), types.size());
  Status status;
  if (duck.appender_create(connection, nullptr, table.c_str(), &appender) != DuckDBSuccess) {
    const char* message = appender ? duck.appender_error(appender) : nullptr;
    status = std::unexpected(DuckError(message ? message : "cannot append", Code::kInternal));
  }
  const size_t rows = frame.rows(), step = duck.vector_size();
  for (size_t begin = 0; begin < rows && status; begin += step) {
    const size_t n = std::min(step, rows - begin);
    duck.data_chunk_reset(chunk);
    for (size_t c = 0; c < frame.columns.size() && status; ++c) {
      const Column& column = frame.columns[c];
      duckdb_vector vector = duck.data_chunk_get_vector(chunk, c);
      void* data = duck.vector_get_data(vector);
      uint64_t* validity = nullptr;
      for (size_t i = 0; i < n; ++i) {
        const size_t row = begin + i;
        if (column.IsMissing(row)) {
          if (!validity) {
            duck.vector_ensure_validity_writable(vector);
            validity = duck.vector_get_validity(vector);
          }
          duck.validity_set_row_validity(validity, i, false);
          continue;
        }
        switch (column.type) {
          case Type::kInt: {
            const double v = column.numbers[row];
            if (std::trunc(v) != v || std::fabs(v) > 9.2e18) {
              status = Fail(Code::kInternal, fmt::format("column \"{}\" has the type int but row {} holds {}", column.name, row + 1, v));
              break;
            }
            static_cast<int64_t*>(data)[i] = static_cast<int64_t>(v);
            break;
          }
          case Type::kFloat: static_cast<double*>(data)[i] = column.numbers[row]; break;
          case Type::kBool: static_cast<uint8_t*>(data)[i] = column.numbers[row] != 0; break;
          case Type::kDate: case Type::kDatetime: {
            const Result<int64_t> micros = Micros(column.strings[row]);
            if (!micros) {
              status = Wrap(micros.error(), fmt::format("column \"{}\", row {}", column.name, row + 1));
              break;
            }
            if (column.type == Type::kDatetime) {
              static_cast<int64_t*>(data)[i] = *micros;
            } else {
              constexpr int64_t kDay = 86'400'000'000;
              static_cast<int32_t*>(data)[i] = static_cast<int32_t>(*micros >= 0 ? *micros / kDay : -((-*micros + kDay - 1) / kDay));
            }
            break;
          }
          default: duck.vector_assign_string_element_len(vector, i, column.strings[row].data(), column.strings[row].size());
        }
        if (!status) break;
      }
    }
    if (!status) break;
    duck.data_chunk_set_size(chunk, n);
    if (duck.append_data_chunk(appender, chunk) != DuckDBSuccess) {
      const char* message = duck.appender_error(appender);
      status = std::unexpected(DuckError(message ? message : "cannot append", Code::kInternal));
    }
  }
  if (appender) {
    if (status && duck.appender_close(appender) != DuckDBSuccess) {
      const char* message = duck.appender_error(appender);
      status = std::unexpected(DuckError(message ? message : "cannot append", Code::kInternal));
    }
    duck.appender_destroy(&appender);
  }
  duck.destroy_data_chunk(&chunk);
  for (duckdb_logical_type& type : types) duck.destroy_logical_type(&type);
  return status;
}

}  // namespace rondo::table
