// The grammar's table as JSON Schema (draft 2020-12), for editors.
#include <set>

#include "base/json.h"
#include "project/keys.h"
#include "project/reader.h"

namespace rondo::project {
namespace {

class Schema {
 public:
  std::string Write() {
    Json root = Object(ProjectKeys());
    root.Set("required", Json::MakeArray().Push("project"));
    Json out = Json::MakeObject().Set("$schema", "https://json-schema.org/draft/2020-12/schema").Set("title", "rondo.yaml");
    for (const auto& [key, value] : root.AsObject()) out.Set(key, value);
    out.Set("$defs", defs_);
    return out.Pretty();
  }

 private:
  static Json OneOrMany(Json item) {
    Json list = Json::MakeObject().Set("type", "array").Set("items", item);
    return Json::MakeObject().Set("anyOf", Json::MakeArray().Push(std::move(list)).Push(std::move(item)));
  }
  static Json Type(const char* a) { return Json::MakeObject().Set("type", a); }
  static Json Types(std::initializer_list<const char*> types) {
    Json list = Json::MakeArray();
    for (const char* t : types) list.Push(t);
    return Json::MakeObject().Set("type", list);
  }

  Json Value(const Key& key) {
    switch (key.kind) {
      case ValueKind::kText: return Types({"string", "number", "boolean", "null"});
      case ValueKind::kName: return Type("string").Set("pattern", "^[A-Za-z0-9_][A-Za-z0-9_.-]*$").Set("maxLength", 64);
      case ValueKind::kTexts: return OneOrMany(Types({"string", "number", "boolean", "null"}));
      case ValueKind::kInt: return Type("integer").Set("minimum", 0);
      case ValueKind::kNumber: return Type("number");
      case ValueKind::kNumbers: return Type("array").Set("items", Type("number"));
      case ValueKind::kShare: return Types({"string", "number"});
      case ValueKind::kDuration: return Type("string").Set("pattern", "^[0-9.]+(ms|s|m|min|h|d|w|y)$");
      case ValueKind::kBytes: return Types({"string", "integer"});
      case ValueKind::kBool: return Type("boolean");
      case ValueKind::kCron: return Type("string");
      case ValueKind::kGate: return Type("string");
      case ValueKind::kGates: return OneOrMany(Json::MakeObject().Set("anyOf", Json::MakeArray().Push(Type("string")).Push(Type("object").Set("properties", Json::MakeObject().Set("warn", Type("string")))))); 
      case ValueKind::kFree: return Type("object");
      case ValueKind::kEnum: {
        Json values = Json::MakeArray();
        std::string_view rest = key.values;
        while (!rest.empty()) {
          const size_t bar = rest.find('|');
          values.Push(rest.substr(0, bar));
          rest = bar == std::string_view::npos ? std::string_view() : rest.substr(bar + 1);
        }
        values.Push(nullptr);
        return Json::MakeObject().Set("enum", values);
      }
      case ValueKind::kCustom: {
        auto parsed = ParseJson(key.schema);
        return parsed ? *parsed : Json::MakeObject();
      }
      case ValueKind::kSection: return Reference(*key.section);
      case ValueKind::kNamed: return Type("object").Set("additionalProperties", Reference(*key.section));
    }
    return Json::MakeObject();
  }

  Json Object(const Section& section) {
    Json properties = Json::MakeObject();
    for (const Key& key : section.keys) {
      if (!key.unsupported.empty()) continue;
      Json value = Value(key);
      value.Set("description", key.help);
      properties.Set(std::string(key.name), std::move(value));
    }
    return Json::MakeObject().Set("type", "object").Set("additionalProperties", false).Set("properties", properties);
  }

  Json Reference(const Section& section) {
    const std::string name(section.name);
    if (!defs_.Find(name)) {
      defs_.Set(name, Json::MakeObject());
      Json object = Object(section);
      // A contract column or a stage's section may be written empty.
      object.Set("type", Json::MakeArray().Push("object").Push("null"));
      defs_.Set(name, std::move(object));
    }
    return Json::MakeObject().Set("$ref", "#/$defs/" + name);
  }

  Json defs_ = Json::MakeObject();
};

}  // namespace

std::string JsonSchema() { return Schema().Write(); }

}  // namespace rondo::project
