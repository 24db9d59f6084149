/// JSON Schema of described structs (json_map.h), for OpenAPI: what ToJson writes, nothing more.
///   Json definitions = Json::MakeObject();
///   Json schema = JsonSchema<std::vector<RunJson>>(definitions);   // {"type": "array", "items": {"$ref": "#/components/schemas/Run"}}
/// Structs become named definitions: their type's name without namespace and without "Json" at its end.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "base/json_map.h"

namespace rondo {
namespace json_detail {

/// "rondo::api::{anonymous}::RunJson" -> "Run", read from the compiler's own name of this function.
template <typename T>
std::string SchemaName() {
  std::string_view name = __PRETTY_FUNCTION__;
  name = name.substr(name.find("T = ") + 4);
  name = name.substr(0, name.find_first_of(";]"));
  if (const size_t colons = name.rfind("::"); colons != name.npos) name.remove_prefix(colons + 2);
  if (name.size() > 4 && name.ends_with("Json")) name.remove_suffix(4);
  return std::string(name);
}

inline Json TypeSchema(std::string_view type) { return Json::MakeObject().Set("type", type); }

}  // namespace json_detail

template <typename T>
Json JsonSchema(Json& definitions) {
  using namespace json_detail;
  if constexpr (std::is_same_v<T, Json>) {
    return Json::MakeObject();
  } else if constexpr (std::is_same_v<T, bool>) {
    return TypeSchema("boolean");
  } else if constexpr (std::is_integral_v<T>) {
    return TypeSchema("integer");
  } else if constexpr (std::is_floating_point_v<T>) {
    // Numbers that JSON can't hold are texts.
    if (!definitions.Find("Num"))
      definitions.Set("Num", Json::MakeObject().Set("anyOf", Json::MakeArray().Push(TypeSchema("number")).Push(Json::MakeObject().Set("enum", Json::MakeArray().Push("NaN").Push("Infinity").Push("-Infinity"))).Push(TypeSchema("null"))));
    return Json::MakeObject().Set("$ref", "#/components/schemas/Num");
  } else if constexpr (std::is_same_v<T, std::string>) {
    return TypeSchema("string");
  } else if constexpr (IsOptional<T>::value) {
    // As a member it is left out when empty; as an element it is null.
    return Json::MakeObject().Set("anyOf", Json::MakeArray().Push(JsonSchema<typename T::value_type>(definitions)).Push(TypeSchema("null")));
  } else if constexpr (IsVector<T>::value) {
    return TypeSchema("array").Set("items", JsonSchema<typename T::value_type>(definitions));
  } else if constexpr (IsMap<T>::value) {
    return TypeSchema("object").Set("additionalProperties", JsonSchema<typename T::mapped_type>(definitions));
  } else if constexpr (std::is_enum_v<T>) {
    Json names = Json::MakeArray();
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto d) { names.Push(WireName(d.name)); });
    return Json::MakeObject().Set("enum", names);
  } else {
    const std::string name = SchemaName<T>();
    const Json reference = Json::MakeObject().Set("$ref", "#/components/schemas/" + name);
    if (definitions.Find(name)) return reference;
    definitions.Set(name, Json::MakeObject());  // a struct may hold lists of itself
    Json properties = Json::MakeObject(), required = Json::MakeArray();
    using Members = boost::describe::describe_members<T, boost::describe::mod_any_access | boost::describe::mod_inherited>;
    boost::mp11::mp_for_each<Members>([&](auto d) {
      using Member = std::remove_cvref_t<decltype(std::declval<T&>().*d.pointer)>;
      if constexpr (IsOptional<Member>::value) {
        properties.Set(std::string(WireName(d.name)), JsonSchema<typename Member::value_type>(definitions));
      } else {
        properties.Set(std::string(WireName(d.name)), JsonSchema<Member>(definitions));
        required.Push(WireName(d.name));
      }
    });
    definitions.Set(name, TypeSchema("object").Set("properties", properties).Set("required", required));
    return reference;
  }
}

}  // namespace rondo
