/// Maps plain structs to and from JSON. One line per struct, in its own namespace:
///   BOOST_DESCRIBE_STRUCT(RunInfo, (), (run_id, status, start_time))
/// Enums described with BOOST_DESCRIBE_ENUM read and write as their names. A trailing underscore of a member or
/// enumerator name is dropped on the wire (`in_` -> "in"), so that C++ words can be field names.
/// `std::optional` members are left out when empty. Members absent from the input keep their default.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/json.h"

namespace rondo {

enum class UnknownKeys { kError, kIgnore };

namespace json_detail {

template <typename T> struct IsVector : std::false_type {};
template <typename T> struct IsVector<std::vector<T>> : std::true_type {};
template <typename T> struct IsOptional : std::false_type {};
template <typename T> struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T> struct IsMap : std::false_type {};
template <typename T> struct IsMap<std::map<std::string, T>> : std::true_type {};
template <typename T> struct IsPairs : std::false_type {};
template <typename T> struct IsPairs<std::vector<std::pair<std::string, T>>> : std::true_type {};

constexpr std::string_view WireName(std::string_view name) {
  return name.ends_with('_') ? name.substr(0, name.size() - 1) : name;
}

inline std::unexpected<Error> TypeError(const std::string& path, std::string_view wanted, const Json& got) {
  std::string shown = got.Dump();
  if (shown.size() > 60) shown = shown.substr(0, 57) + "...";
  return Fail(Code::kInvalid, (path.empty() ? std::string("value") : path) + " must be " + std::string(wanted) + ", not " +
                                  std::string(got.TypeName()) + " " + shown);
}

}  // namespace json_detail

template <typename T>
Status FromJson(const Json& j, T& out, const std::string& path = {}, UnknownKeys unknown = UnknownKeys::kError) {
  using namespace json_detail;
  if constexpr (std::is_same_v<T, Json>) {
    out = j;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!j.IsBool()) return TypeError(path, "true or false", j);
    out = j.AsBool();
  } else if constexpr (std::is_integral_v<T>) {
    const double d = j.AsDouble(std::numeric_limits<double>::quiet_NaN());
    if (!j.IsNumber() || std::trunc(d) != d) return TypeError(path, "an integer", j);
    const int64_t i = j.AsInt();
    if (!std::in_range<T>(i) || std::fabs(d) >= 9.3e18) return TypeError(path, "an integer in range", j);
    out = static_cast<T>(i);
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!j.IsNumber() && std::isnan(j.AsDouble(0)) == false && std::isinf(j.AsDouble(0)) == false)
      return TypeError(path, "a number", j);
    out = static_cast<T>(j.AsDouble());
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!j.IsString()) return TypeError(path, "a text", j);
    out = j.AsString();
  } else if constexpr (IsOptional<T>::value) {
    if (j.IsNull()) {
      out.reset();
    } else {
      out.emplace();
      return FromJson(j, *out, path, unknown);
    }
  } else if constexpr (IsPairs<T>::value) {
    if (!j.IsObject()) return TypeError(path, "an object", j);
    out.clear();
    for (const auto& [k, v] : j.AsObject()) {
      out.emplace_back(k, typename T::value_type::second_type{});
      RONDO_DO(FromJson(v, out.back().second, path + "." + k, unknown));
    }
  } else if constexpr (IsVector<T>::value) {
    if (!j.IsArray()) return TypeError(path, "a list", j);
    out.clear();
    for (size_t i = 0; i < j.AsArray().size(); ++i) {
      typename T::value_type item{};
      RONDO_DO(FromJson(j.AsArray()[i], item, path + "[" + std::to_string(i) + "]", unknown));
      out.push_back(std::move(item));
    }
  } else if constexpr (IsMap<T>::value) {
    if (!j.IsObject()) return TypeError(path, "an object", j);
    out.clear();
    for (const auto& [k, v] : j.AsObject()) RONDO_DO(FromJson(v, out[k], path + "." + k, unknown));
  } else if constexpr (std::is_enum_v<T>) {
    bool found = false;
    std::string names;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto d) {
      const std::string_view name = WireName(d.name);
      if (j.IsString() && name == j.AsString()) {
        out = d.value;
        found = true;
      }
      names += (names.empty() ? "" : ", ") + std::string(name);
    });
    if (!found) return TypeError(path, "one of " + names, j);
  } else {
    static_assert(boost::describe::has_describe_members<T>::value, "describe the struct with BOOST_DESCRIBE_STRUCT");
    using Members = boost::describe::describe_members<T, boost::describe::mod_any_access | boost::describe::mod_inherited>;
    if (!j.IsObject()) return TypeError(path, "an object", j);
    for (const auto& [key, value] : j.AsObject()) {
      bool known = false;
      Status status;
      std::string names;
      boost::mp11::mp_for_each<Members>([&](auto d) {
        const std::string_view name = WireName(d.name);
        if (!known && name == key) {
          known = true;
          using Member = std::remove_reference_t<decltype(out.*d.pointer)>;
          if (!value.IsNull() || IsOptional<Member>::value || std::is_same_v<Member, Json>)
            status = FromJson(value, out.*d.pointer, path.empty() ? std::string(name) : path + "." + std::string(name), unknown);
        }
        if (!known) names += (names.empty() ? "" : ", ") + std::string(name);
      });
      if (!status) return status;
      if (!known && unknown == UnknownKeys::kError)
        return Fail(Code::kInvalid, "unknown key " + (path.empty() ? key : path + "." + key), "known keys: " + names);
    }
  }
  return {};
}

template <typename T>
Json ToJson(const T& value) {
  using namespace json_detail;
  if constexpr (std::is_same_v<T, Json>) {
    return value;
  } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    return Json(value);
  } else if constexpr (IsOptional<T>::value) {
    return value ? ToJson(*value) : Json();
  } else if constexpr (IsPairs<T>::value || IsMap<T>::value) {
    Json j = Json::MakeObject();
    for (const auto& [k, v] : value) j.Set(k, ToJson(v));
    return j;
  } else if constexpr (IsVector<T>::value) {
    Json j = Json::MakeArray();
    for (const auto& item : value) j.Push(ToJson(static_cast<const typename T::value_type&>(item)));
    return j;
  } else if constexpr (std::is_enum_v<T>) {
    return Json(WireName(boost::describe::enum_to_string(value, "?")));
  } else {
    using Members = boost::describe::describe_members<T, boost::describe::mod_any_access | boost::describe::mod_inherited>;
    Json j = Json::MakeObject();
    boost::mp11::mp_for_each<Members>([&](auto d) {
      using Member = std::remove_cvref_t<decltype(value.*d.pointer)>;
      if constexpr (IsOptional<Member>::value) {
        if (!(value.*d.pointer)) return;
      }
      j.MutableObject().emplace_back(std::string(WireName(d.name)), ToJson(value.*d.pointer));
    });
    return j;
  }
}

/// Parses text straight into a described struct.
template <typename T>
Result<T> ReadJson(std::string_view text, UnknownKeys unknown = UnknownKeys::kError) {
  RONDO_TRY(Json j, ParseJson(text));
  T value{};
  RONDO_DO(FromJson(j, value, {}, unknown));
  return value;
}
template <typename T>
std::string WriteJson(const T& value) {
  return ToJson(value).Dump();
}

/// Name of a described enumerator, as on the wire.
template <typename E>
std::string EnumName(E value) {
  return std::string(json_detail::WireName(boost::describe::enum_to_string(value, "?")));
}

}  // namespace rondo
