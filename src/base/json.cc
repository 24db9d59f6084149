#include "base/json.h"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_set>

namespace rondo {
namespace {

const std::string kEmptyString;
const Json::Array kEmptyArray;
const Json::Object kEmptyObject;
const Json kNullJson;

Result<Json> Convert(const simdjson::dom::element& e, int depth) {
  using simdjson::dom::element_type;
  if (depth < 0) return Fail(Code::kInvalid, "JSON is nested too deeply");
  switch (e.type()) {
    case element_type::NULL_VALUE: return Json();
    case element_type::BOOL: return Json(e.get_bool().value_unsafe());
    case element_type::INT64: return Json(static_cast<int64_t>(e.get_int64().value_unsafe()));
    case element_type::UINT64: return Json(static_cast<double>(e.get_uint64().value_unsafe()));
    case element_type::DOUBLE: return Json(e.get_double().value_unsafe());
    case element_type::STRING: return Json(std::string_view(e.get_string().value_unsafe()));
    case element_type::ARRAY: {
      Json::Array array;
      const simdjson::dom::array children = e.get_array().value_unsafe();
      for (const auto& child : children) {
        RONDO_TRY(Json value, Convert(child, depth - 1));
        array.push_back(std::move(value));
      }
      return Json(std::move(array));
    }
    case element_type::OBJECT: {
      Json::Object object;
      std::unordered_set<std::string_view> seen;
      const simdjson::dom::object members = e.get_object().value_unsafe();
      for (const auto& [key, child] : members) {
        if (!seen.insert(key).second)
          return Fail(Code::kInvalid, "JSON has the key \"" + std::string(key) + "\" twice in one object");
        RONDO_TRY(Json value, Convert(child, depth - 1));
        object.emplace_back(std::string(key), std::move(value));
      }
      return Json(std::move(object));
    }
  }
  return Fail(Code::kInternal, "JSON: unknown element type");
}

void Write(std::string& out, const Json& j, Json::NonFinite nf, int indent, int level) {
  auto newline = [&](int l) {
    if (indent <= 0) return;
    out += '\n';
    out.append(static_cast<size_t>(indent * l), ' ');
  };
  switch (j.type()) {
    case Json::Type::kNull: out += "null"; break;
    case Json::Type::kBool: out += j.AsBool() ? "true" : "false"; break;
    case Json::Type::kInt: out += std::to_string(j.AsInt()); break;
    case Json::Type::kDouble: AppendJsonNumber(out, j.AsDouble(), nf); break;
    case Json::Type::kString: AppendJsonString(out, j.AsString()); break;
    case Json::Type::kArray: {
      const auto& a = j.AsArray();
      out += '[';
      for (size_t i = 0; i < a.size(); ++i) {
        if (i) out += ',';
        newline(level + 1);
        Write(out, a[i], nf, indent, level + 1);
      }
      if (!a.empty()) newline(level);
      out += ']';
      break;
    }
    case Json::Type::kObject: {
      const auto& o = j.AsObject();
      out += '{';
      for (size_t i = 0; i < o.size(); ++i) {
        if (i) out += ',';
        newline(level + 1);
        AppendJsonString(out, o[i].first);
        out += indent > 0 ? ": " : ":";
        Write(out, o[i].second, nf, indent, level + 1);
      }
      if (!o.empty()) newline(level);
      out += '}';
      break;
    }
  }
}

}  // namespace

std::string_view Json::TypeName() const {
  static constexpr std::string_view kNames[] = {"null", "bool", "integer", "number", "string", "array", "object"};
  return kNames[value_.index()];
}
bool Json::AsBool(bool otherwise) const {
  const bool* b = std::get_if<bool>(&value_);
  return b ? *b : otherwise;
}
int64_t Json::AsInt(int64_t otherwise) const {
  if (const int64_t* i = std::get_if<int64_t>(&value_)) return *i;
  if (const double* d = std::get_if<double>(&value_); d && std::trunc(*d) == *d && std::fabs(*d) < 9.2e18)
    return static_cast<int64_t>(*d);
  return otherwise;
}
double Json::AsDouble(double otherwise) const {
  if (const double* d = std::get_if<double>(&value_)) return *d;
  if (const int64_t* i = std::get_if<int64_t>(&value_)) return static_cast<double>(*i);
  if (const std::string* s = std::get_if<std::string>(&value_)) {
    if (*s == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (*s == "Infinity") return std::numeric_limits<double>::infinity();
    if (*s == "-Infinity") return -std::numeric_limits<double>::infinity();
  }
  return otherwise;
}
const std::string& Json::AsString() const {
  const std::string* s = std::get_if<std::string>(&value_);
  return s ? *s : kEmptyString;
}
const Json::Array& Json::AsArray() const {
  const Array* a = std::get_if<Array>(&value_);
  return a ? *a : kEmptyArray;
}
const Json::Object& Json::AsObject() const {
  const Object* o = std::get_if<Object>(&value_);
  return o ? *o : kEmptyObject;
}
Json::Array& Json::MutableArray() {
  if (!IsArray()) value_ = Array{};
  return std::get<Array>(value_);
}
Json::Object& Json::MutableObject() {
  if (!IsObject()) value_ = Object{};
  return std::get<Object>(value_);
}
const Json* Json::Find(std::string_view key) const {
  for (const auto& [k, v] : AsObject())
    if (k == key) return &v;
  return nullptr;
}
const Json& Json::operator[](std::string_view key) const {
  const Json* j = Find(key);
  return j ? *j : kNullJson;
}
const Json& Json::operator[](size_t i) const {
  const Array& a = AsArray();
  return i < a.size() ? a[i] : kNullJson;
}
Json& Json::Set(std::string key, Json value) {
  Object& o = MutableObject();
  for (auto& [k, v] : o)
    if (k == key) {
      v = std::move(value);
      return *this;
    }
  o.emplace_back(std::move(key), std::move(value));
  return *this;
}
Json& Json::Push(Json value) {
  MutableArray().push_back(std::move(value));
  return *this;
}
bool Json::Erase(std::string_view key) {
  if (!IsObject()) return false;
  return std::erase_if(MutableObject(), [&](const auto& kv) { return kv.first == key; }) > 0;
}
size_t Json::size() const {
  if (IsArray()) return AsArray().size();
  if (IsObject()) return AsObject().size();
  return 0;
}
std::string Json::Dump(NonFinite nf) const {
  std::string out;
  Write(out, *this, nf, 0, 0);
  return out;
}
std::string Json::Pretty(NonFinite nf) const {
  std::string out;
  Write(out, *this, nf, 2, 0);
  out += '\n';
  return out;
}

Result<Json> ParseJson(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.max_bytes)
    return Fail(Code::kTooLarge, "JSON of " + std::to_string(text.size()) + " bytes is over the limit of " +
                                     std::to_string(limits.max_bytes));
  simdjson::dom::parser parser(limits.max_bytes);
  if (auto error = parser.allocate(std::max<size_t>(text.size(), 64), static_cast<size_t>(limits.max_depth) + 1))
    return Fail(Code::kInternal, std::string("JSON: ") + simdjson::error_message(error));
  simdjson::dom::element root;
  if (auto error = parser.parse(text.data(), text.size(), true).get(root)) {
    if (error == simdjson::DEPTH_ERROR) return Fail(Code::kInvalid, "JSON is nested too deeply");
    return Fail(Code::kInvalid, std::string("invalid JSON: ") + simdjson::error_message(error));
  }
  return Convert(root, limits.max_depth);
}

void AppendJsonString(std::string& out, std::string_view s) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  size_t start = 0;
  for (size_t i = 0; i < s.size(); ++i) {
    const auto c = static_cast<unsigned char>(s[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(s, start, i - start);
    start = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(s, start, s.size() - start);
  out += '"';
}

void AppendJsonNumber(std::string& out, double d, Json::NonFinite nf) {
  if (!std::isfinite(d)) {
    if (nf == Json::NonFinite::kNull) out += "null";
    else out += std::isnan(d) ? "\"NaN\"" : d > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return;
  }
  char buffer[40];
  auto [end, ec] = std::to_chars(buffer, buffer + sizeof buffer, d);
  std::string_view text(buffer, static_cast<size_t>(end - buffer));
  out += text;
  // A double stays a double when it is read again.
  if (text.find_first_of(".en") == std::string_view::npos) out += ".0";
}

}  // namespace rondo
