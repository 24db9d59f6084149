// Reads the arguments of MLflow's requests.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "api/mlflow.h"

namespace rondo::api::mlflow {
namespace {

/// Ids and enumerations that clients also send as numbers; every other text must be a text.
constexpr std::string_view kNumbersToo[] = {"experiment_id", "version", "view_type", "run_view_type", "status", "entity", "action"};
constexpr std::string_view kSeeDocs = " See the API docs for more information about request parameters.";

/// Python's json module writes NaN and Infinity bare, which is no JSON: quotes them, outside of strings.
std::string QuoteNonFinite(std::string_view text) {
  std::string out;
  bool in_string = false;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (in_string && c == '\\' && i + 1 < text.size()) {
      out += text.substr(i, 2);
      i += 2;
      continue;
    }
    if (c == '"') in_string = !in_string;
    bool quoted = false;
    for (const std::string_view word : {"-Infinity", "Infinity", "NaN"}) {
      if (in_string || text.substr(i, word.size()) != word) continue;
      out += fmt::format("\"{}\"", word);
      i += word.size();
      quoted = true;
      break;
    }
    if (!quoted) {
      out += c;
      ++i;
    }
  }
  return out;
}

/// As Python writes it: a whole double keeps its ".0".
std::string Shown(const Json& value) {
  std::string out = value.Dump();
  if (value.IsNumber() && !value.IsInt() && out.find_first_not_of("-0123456789") == std::string::npos) out += ".0";
  return out.substr(0, 200);
}

std::optional<int64_t> IntOf(const Json& value) {
  if (value.IsInt()) return value.AsInt();
  if (value.IsNumber() && std::trunc(value.AsDouble()) == value.AsDouble() && std::fabs(value.AsDouble()) < 9e18) return static_cast<int64_t>(value.AsDouble());
  if (!value.IsString()) return std::nullopt;
  const std::string& text = value.AsString();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> DoubleOf(const Json& value) {
  if (value.IsNumber()) return value.AsDouble();
  if (!value.IsString()) return std::nullopt;
  const std::string& text = value.AsString();
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return value.AsDouble();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Result<Args> Args::Of(const Call& call) {
  const net::Request& request = call.request();
  if (request.method == "GET" || (request.method == "DELETE" && request.body.empty())) {
    Json json = Json::MakeObject();
    for (const auto& [name, value] : request.query) {
      if (const Json* present = json.Find(name)) {
        Json list = present->IsArray() ? *present : Json::MakeArray().Push(*present);
        json.Set(name, std::move(list.Push(value)));
      } else {
        json.Set(name, value);
      }
    }
    return Args(std::move(json), true);
  }
  // A browser cannot send this type across origins without asking first.
  if (!request.Header("Content-Type").starts_with("application/json")) return Fail(Code::kInvalid, "Bad Request. Content-Type must be one of ['application/json'].");
  if (request.body.empty()) return Args(Json::MakeObject(), false);
  auto json = ParseJson(request.body);
  if (!json) json = ParseJson(QuoteNonFinite(request.body));
  if (!json) return Fail(Code::kInvalid, "The request body is not valid JSON: " + json.error().message);
  if (json->IsString()) json = ParseJson(json->AsString());  // old clients encode twice
  if (!json || !json->IsObject()) return Fail(Code::kInvalid, "The request body must be a JSON object.");
  return Args(std::move(*json), false);
}

std::unexpected<Error> Args::Invalid(std::string_view name, std::string_view wanted) const {
  return Fail(Code::kInvalid, fmt::format("Invalid value {} for parameter '{}{}' supplied: Value must be {}.{}", Shown(json_[name]), prefix_, name, wanted, kSeeDocs));
}

bool Args::Has(std::string_view name) const {
  const Json& value = json_[name];
  return !value.IsNull() && !(value.IsString() && value.AsString().empty());
}

Result<std::string> Args::Text(std::string_view name, std::string_view otherwise) const {
  const Json& value = json_[name];
  if (value.IsNull()) return std::string(otherwise);
  if (value.IsString()) return value.AsString();
  if (value.IsInt() && std::find(std::begin(kNumbersToo), std::end(kNumbersToo), name) != std::end(kNumbersToo)) return std::to_string(value.AsInt());
  return Invalid(name, "a string");
}

Result<std::string> Args::Required(std::string_view name) const {
  if (!Has(name)) return Fail(Code::kInvalid, fmt::format("Missing value for required parameter '{}{}'.{}", prefix_, name, kSeeDocs));
  return Text(name);
}

Result<std::string> Args::RunId() const { return Has("run_id") || !Has("run_uuid") ? Required("run_id") : Text("run_uuid"); }

Result<int64_t> Args::Int(std::string_view name, int64_t otherwise) const {
  if (!Has(name)) return otherwise;
  const auto value = IntOf(json_[name]);
  if (!value) return Invalid(name, "an integer");
  return *value;
}

Result<int64_t> Args::RequiredInt(std::string_view name) const {
  if (!Has(name)) return Fail(Code::kInvalid, fmt::format("Missing value for required parameter '{}{}'.{}", prefix_, name, kSeeDocs));
  return Int(name, 0);
}

Result<double> Args::RequiredDouble(std::string_view name) const {
  if (!Has(name)) return Fail(Code::kInvalid, fmt::format("Missing value for required parameter '{}{}'.{}", prefix_, name, kSeeDocs));
  const auto value = DoubleOf(json_[name]);
  if (!value) return Invalid(name, "a valid double (64-bit floating point)");
  return *value;
}

Result<bool> Args::Bool(std::string_view name, bool otherwise) const {
  if (!Has(name)) return otherwise;
  const Json& value = json_[name];
  if (value.IsBool()) return value.AsBool();
  if (value.AsString() == "true" || value.AsString() == "false") return value.AsString() == "true";
  return Invalid(name, "true or false");
}

Result<std::vector<std::string>> Args::List(std::string_view name) const {
  std::vector<std::string> out;
  const Json& value = json_[name];
  if (value.IsNull()) return out;
  if (value.IsString() && from_query_) return std::vector<std::string>{value.AsString()};
  if (!value.IsArray()) return Invalid(name, "a list");
  for (const Json& item : value.AsArray()) {
    if (item.IsInt()) {
      out.push_back(std::to_string(item.AsInt()));
    } else if (item.IsString()) {
      out.push_back(item.AsString());
    } else {
      return Invalid(name, "a list of strings");
    }
  }
  return out;
}

Result<Args> Args::Object(std::string_view name) const {
  const Json& value = json_[name];
  if (!value.IsNull() && !value.IsObject()) return Invalid(name, "an object");
  return Args(value.IsNull() ? Json::MakeObject() : value, false);
}

Result<std::vector<Args>> Args::Objects(std::string_view name) const {
  std::vector<Args> out;
  const Json& value = json_[name];
  if (value.IsNull()) return out;
  if (!value.IsArray()) return Invalid(name, "a list");
  for (const Json& item : value.AsArray()) {
    if (!item.IsObject()) return Invalid(name, "a list of objects");
    out.emplace_back(item, false);
    out.back().prefix_ = fmt::format("{}{}[{}].", prefix_, name, out.size() - 1);
  }
  return out;
}

Result<std::vector<tracking::KeyValue>> Args::KeyValues(std::string_view name) const {
  RONDO_TRY(const auto objects, Objects(name));
  std::vector<tracking::KeyValue> out;
  for (size_t i = 0; i < objects.size(); ++i) {
    if (!objects[i].Has("key")) return Fail(Code::kInvalid, fmt::format("Missing value for required parameter '{}{}[{}].key'.{}", prefix_, name, i, kSeeDocs));
    RONDO_TRY(std::string key, objects[i].Text("key"));
    RONDO_TRY(std::string value, objects[i].Text("value"));
    out.push_back({std::move(key), std::move(value)});
  }
  return out;
}

Result<int64_t> Args::MaxResults(int64_t otherwise, int64_t most) const {
  RONDO_TRY(const int64_t value, Int("max_results", otherwise));
  if (value < 1) return Fail(Code::kInvalid, fmt::format("Invalid value {} for parameter 'max_results' supplied: It must be a positive integer.{}", value, kSeeDocs));
  if (value > most) return Fail(Code::kInvalid, fmt::format("Invalid value {} for parameter 'max_results' supplied: It must be at most {}, but got value {}", value, most, value));
  return value;
}

}  // namespace rondo::api::mlflow
