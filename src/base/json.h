/// JSON values: a small ordered document model. Parsing is simdjson's, writing is ours (wire formats need exact control).
/// For plain structs use `base/json_map.h`, which maps them without hand-written code.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace rondo {

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;  ///< keeps the order of insertion
  enum class Type { kNull, kBool, kInt, kDouble, kString, kArray, kObject };

  Json() = default;
  Json(std::nullptr_t) {}
  Json(bool b) : value_(b) {}
  Json(int i) : value_(static_cast<int64_t>(i)) {}
  Json(unsigned i) : value_(static_cast<int64_t>(i)) {}
  Json(long i) : value_(static_cast<int64_t>(i)) {}
  Json(long long i) : value_(static_cast<int64_t>(i)) {}
  Json(unsigned long i) : value_(static_cast<int64_t>(i)) {}
  Json(unsigned long long i) : value_(static_cast<int64_t>(i)) {}
  Json(double d) : value_(d) {}
  Json(const char* s) : value_(std::string(s)) {}
  Json(std::string_view s) : value_(std::string(s)) {}
  Json(std::string s) : value_(std::move(s)) {}
  Json(Array a) : value_(std::move(a)) {}
  Json(Object o) : value_(std::move(o)) {}
  template <typename T>
    requires requires(const T& t) { Json(t); }
  Json(const std::vector<T>& v) {
    Array a;
    a.reserve(v.size());
    for (const auto& x : v) a.emplace_back(Json(static_cast<const T&>(x)));
    value_ = std::move(a);
  }
  static Json MakeObject() { return Json(Object{}); }
  static Json MakeArray() { return Json(Array{}); }

  Type type() const { return static_cast<Type>(value_.index()); }
  std::string_view TypeName() const;  ///< "null", "bool", "integer", "number", "string", "array", "object"
  bool IsNull() const { return type() == Type::kNull; }
  bool IsBool() const { return type() == Type::kBool; }
  bool IsInt() const { return type() == Type::kInt; }
  bool IsNumber() const { return type() == Type::kInt || type() == Type::kDouble; }
  bool IsString() const { return type() == Type::kString; }
  bool IsArray() const { return type() == Type::kArray; }
  bool IsObject() const { return type() == Type::kObject; }

  /// Typed access; the default comes back when the type differs (never throws).
  bool AsBool(bool otherwise = false) const;
  int64_t AsInt(int64_t otherwise = 0) const;
  double AsDouble(double otherwise = 0) const;  ///< also reads "NaN", "Infinity", "-Infinity"
  const std::string& AsString() const;          ///< "" when not a string
  const Array& AsArray() const;                 ///< empty when not an array
  const Object& AsObject() const;               ///< empty when not an object
  Array& MutableArray();                        ///< turns into an array if it isn't one
  Object& MutableObject();

  const Json* Find(std::string_view key) const;          ///< nullptr when absent
  const Json& operator[](std::string_view key) const;    ///< null when absent
  const Json& operator[](size_t i) const;                ///< null when out of range
  Json& Set(std::string key, Json value);                ///< replaces or appends; returns *this
  Json& Push(Json value);                                ///< appends to an array; returns *this
  bool Erase(std::string_view key);
  size_t size() const;

  bool operator==(const Json& other) const = default;

  /// How NaN and infinities are written: JSON has none.
  enum class NonFinite { kNull, kString };
  std::string Dump(NonFinite non_finite = NonFinite::kString) const;
  std::string Pretty(NonFinite non_finite = NonFinite::kString) const;  ///< two spaces of indent, final newline

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

struct JsonLimits {
  size_t max_bytes = 256u << 20;
  int max_depth = 100;
};
/// Errors name the byte offset where simdjson gives one. Duplicate keys are refused. Trailing garbage is refused.
Result<Json> ParseJson(std::string_view text, JsonLimits limits = {});

/// Writers for streaming output; `out` grows.
void AppendJsonString(std::string& out, std::string_view s);
void AppendJsonNumber(std::string& out, double d, Json::NonFinite non_finite = Json::NonFinite::kString);  ///< shortest text that reads back equal

}  // namespace rondo
