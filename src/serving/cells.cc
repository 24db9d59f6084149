#include "serving/cells.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace rondo::serving {
namespace {

using simdjson::dom::element_type;
constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

struct IntegerRange {
  int64_t low;
  uint64_t high;
};
bool RangeOf(Datatype datatype, IntegerRange& out) {
  switch (datatype) {
    case Datatype::kInt8: out = {-128, 127}; return true;
    case Datatype::kInt16: out = {-32768, 32767}; return true;
    case Datatype::kInt32: out = {std::numeric_limits<int32_t>::min(), 2147483647}; return true;
    case Datatype::kInt64: out = {std::numeric_limits<int64_t>::min(), static_cast<uint64_t>(std::numeric_limits<int64_t>::max())}; return true;
    case Datatype::kUint8: out = {0, 255}; return true;
    case Datatype::kUint16: out = {0, 65535}; return true;
    case Datatype::kUint32: out = {0, 4294967295}; return true;
    case Datatype::kUint64: out = {0, std::numeric_limits<uint64_t>::max()}; return true;
    default: return false;
  }
}

/// What the datatype says about a JSON number; nullptr when it fits.
const char* CheckInteger(Element value, Datatype datatype) {
  IntegerRange range{};
  if (!RangeOf(datatype, range)) return nullptr;
  if (value.type() == element_type::INT64) {
    const int64_t i = value.get_int64().value_unsafe();
    return i < range.low || (i > 0 && static_cast<uint64_t>(i) > range.high) ? "is out of the datatype's range" : nullptr;
  }
  if (value.type() == element_type::UINT64) return value.get_uint64().value_unsafe() > range.high ? "is out of the datatype's range" : nullptr;
  const double d = value.get_double().value_unsafe();
  if (std::trunc(d) != d) return "must be a whole number";
  return d < static_cast<double>(range.low) || d > static_cast<double>(range.high) ? "is out of the datatype's range" : nullptr;
}

/// Names of values that JSON can't write.
bool NonFinite(std::string_view text, float& out) {
  if (text == "NaN" || text == "nan") out = kMissing;
  else if (text == "Infinity" || text == "inf") out = std::numeric_limits<float>::infinity();
  else if (text == "-Infinity" || text == "-inf") out = -std::numeric_limits<float>::infinity();
  else return false;
  return true;
}

const char* Narrow(double d, float& out) {
  if (std::fabs(d) > static_cast<double>(std::numeric_limits<float>::max())) return "is out of range: inputs are 32-bit floats";
  out = static_cast<float>(d);
  return nullptr;
}

}  // namespace

bool ParseDatatype(std::string_view name, Datatype& out) {
  static constexpr std::pair<std::string_view, Datatype> kNames[] = {
      {"BYTES", Datatype::kBytes}, {"FP32", Datatype::kFloat},   {"FP64", Datatype::kFloat},   {"INT64", Datatype::kInt64},   {"BOOL", Datatype::kBool},
      {"INT32", Datatype::kInt32}, {"INT16", Datatype::kInt16},  {"INT8", Datatype::kInt8},    {"UINT8", Datatype::kUint8},   {"UINT16", Datatype::kUint16},
      {"UINT32", Datatype::kUint32}, {"UINT64", Datatype::kUint64}, {"FP16", Datatype::kFloat}, {"BF16", Datatype::kFloat}};
  for (const auto& [known, datatype] : kNames)
    if (known == name) {
      out = datatype;
      return true;
    }
  return false;
}

const char* TextToNumber(std::string_view text, bool boolean, float& out) {
  if (text.empty()) {
    out = kMissing;
    return nullptr;
  }
  if (boolean) {
    if (text == "true" || text == "True" || text == "TRUE") return out = 1, nullptr;
    if (text == "false" || text == "False" || text == "FALSE") return out = 0, nullptr;
  }
  if (NonFinite(text, out)) return nullptr;
  double d = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), d);
  if (ec == std::errc::result_out_of_range) return "is out of range: inputs are 32-bit floats";
  if (ec != std::errc() || end != text.data() + text.size()) return "must be a number";
  return Narrow(d, out);
}

const char* ToNumber(Element value, Datatype datatype, bool boolean, float& out) {
  switch (value.type()) {
    case element_type::NULL_VALUE: out = kMissing; return nullptr;
    case element_type::INT64:
      if (datatype == Datatype::kBool || datatype == Datatype::kBytes) break;
      if (const char* wrong = CheckInteger(value, datatype)) return wrong;
      out = static_cast<float>(value.get_int64().value_unsafe());
      return nullptr;
    case element_type::UINT64:
      if (datatype == Datatype::kBool || datatype == Datatype::kBytes) break;
      if (const char* wrong = CheckInteger(value, datatype)) return wrong;
      out = static_cast<float>(value.get_uint64().value_unsafe());
      return nullptr;
    case element_type::DOUBLE:
      if (datatype == Datatype::kBool || datatype == Datatype::kBytes) break;
      if (const char* wrong = CheckInteger(value, datatype)) return wrong;
      return Narrow(value.get_double().value_unsafe(), out);
    case element_type::BOOL:
      if (datatype != Datatype::kBool && datatype != Datatype::kAny) return "must be a number";
      out = value.get_bool().value_unsafe() ? 1.0f : 0.0f;
      return nullptr;
    case element_type::STRING: {
      const std::string_view text = value.get_string().value_unsafe();
      if (datatype == Datatype::kBytes || datatype == Datatype::kAny) return TextToNumber(text, boolean, out);
      if (datatype == Datatype::kFloat && NonFinite(text, out)) return nullptr;
      break;
    }
    default: return "must be a single value";
  }
  return datatype == Datatype::kBool ? "must be true, false or null" : datatype == Datatype::kBytes ? "must be a text or null" : "must be a number or null";
}

const char* ToText(Element value, Datatype datatype, std::deque<std::string>& made, std::string_view& out) {
  switch (value.type()) {
    case element_type::NULL_VALUE: out = {}; return nullptr;
    case element_type::STRING: {
      const std::string_view text = value.get_string().value_unsafe();
      float number = 0;
      if (datatype == Datatype::kFloat && NonFinite(text, number)) {
        out = {};
        return nullptr;
      }
      if (datatype != Datatype::kBytes && datatype != Datatype::kAny) return "must be of the datatype that the input names";
      out = text;
      return nullptr;
    }
    case element_type::BOOL:
      if (datatype != Datatype::kBool && datatype != Datatype::kAny) return "must be a text or null";
      out = value.get_bool().value_unsafe() ? "true" : "false";
      return nullptr;
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE: {
      if (datatype == Datatype::kBytes || datatype == Datatype::kBool) return datatype == Datatype::kBytes ? "must be a text or null" : "must be true, false or null";
      if (const char* wrong = CheckInteger(value, datatype)) return wrong;
      // As a CSV would show it: 1.0 is "1".
      if (value.type() == element_type::INT64) out = made.emplace_back(fmt::format("{}", value.get_int64().value_unsafe()));
      else if (value.type() == element_type::UINT64) out = made.emplace_back(fmt::format("{}", value.get_uint64().value_unsafe()));
      else {
        const double d = value.get_double().value_unsafe();
        out = made.emplace_back(std::trunc(d) == d && std::fabs(d) < 9e15 ? fmt::format("{}", static_cast<int64_t>(d)) : fmt::format("{}", d));
      }
      return nullptr;
    }
    default: return "must be a single value";
  }
}

Error CellError(const ServedColumn& column, size_t row, const char* what) {
  return {Code::kInvalid, fmt::format("input \"{}\", row {}: {}", column.name, row + 1, what), {}};
}

void Prepare(const Columns& columns, size_t rows, BoundRows& out) {
  const size_t n = columns.list().size();
  out.batch.rows = rows;
  out.batch.numbers.resize(n);
  out.batch.texts.resize(n);
  out.batch.made.clear();
  out.made.clear();
  out.keys.clear();
  for (size_t i = 0; i < n; ++i) {
    if (columns.list()[i].numeric) {
      out.batch.numbers[i].resize(rows);
      out.batch.texts[i].clear();
    } else {
      out.batch.texts[i].resize(rows);
      out.batch.numbers[i].clear();
    }
  }
}

}  // namespace rondo::serving
