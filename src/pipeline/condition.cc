#include "pipeline/condition.h"

#include <charconv>

#include "base/file.h"
#include "project/params_file.h"
#include "project/yaml.h"

namespace rondo::pipeline {
namespace {

struct Condition {
  bool negated = false, exists = false;
  std::string reference;  ///< "key", "file:key" or a path
  std::string op, value;  ///< empty: is it true?
};

std::string_view Trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

Condition Parse(std::string_view text) {
  Condition c;
  text = Trim(text);
  if (text.starts_with("not ")) {
    c.negated = true;
    text = Trim(text.substr(4));
  }
  if (text.starts_with("exists ")) {
    c.exists = true;
    c.reference = Trim(text.substr(7));
    return c;
  }
  for (const std::string_view op : {" >= ", " <= ", " == ", " != ", " > ", " < "})
    if (const size_t at = text.find(op); at != std::string_view::npos) {
      c.reference = Trim(text.substr(0, at));
      c.op = Trim(op);
      c.value = Trim(text.substr(at + op.size()));
      return c;
    }
  c.reference = text;
  return c;
}

bool Truth(const Json& value) {
  if (value.IsBool()) return value.AsBool();
  if (value.IsNumber()) return value.AsDouble() != 0;
  if (value.IsString()) return !value.AsString().empty() && value.AsString() != "false" && value.AsString() != "no";
  return value.size() > 0;
}

bool Compare(const Json& left, const std::string& op, const std::string& text) {
  double right = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), right);
  const bool number = ec == std::errc() && end == text.data() + text.size();
  if (left.IsNumber() && number) {
    const double l = left.AsDouble();
    return op == ">=" ? l >= right : op == "<=" ? l <= right : op == ">" ? l > right : op == "<" ? l < right : op == "==" ? l == right : l != right;
  }
  std::string plain = text;
  if (plain.size() > 1 && (plain[0] == '"' || plain[0] == '\'') && plain.back() == plain[0]) plain = plain.substr(1, plain.size() - 2);
  const std::string l = left.IsString() ? left.AsString() : left.Dump();
  return op == "==" ? l == plain : op == "!=" ? l != plain : false;
}

}  // namespace

const Json* At(const Json& document, std::string_view key) {
  const Json* at = &document;
  for (size_t begin = 0; at && begin <= key.size();) {
    const size_t end = std::min(key.find('.', begin), key.size());
    const std::string_view part = key.substr(begin, end - begin);
    size_t index = 0;
    if (at->IsArray() && std::from_chars(part.data(), part.data() + part.size(), index).ec == std::errc()) at = index < at->size() ? &at->AsArray()[index] : nullptr;
    else at = at->Find(part);
    begin = end + 1;
  }
  return at;
}

std::vector<std::string> ConditionFiles(const std::string& condition) {
  const Condition c = Parse(condition);
  if (c.exists) return {c.reference};
  const size_t colon = c.reference.find(':');
  return colon == std::string::npos ? std::vector<std::string>() : std::vector<std::string>{c.reference.substr(0, colon)};
}

Result<bool> Holds(const std::string& condition, const Json& config, const fs::path& root) {
  const Condition c = Parse(condition);
  if (c.reference.empty()) return Fail(Code::kInvalid, "the condition \"" + condition + "\" is empty", "write KEY, FILE:KEY OP VALUE, or exists PATH");
  std::error_code ec;
  if (c.exists) return fs::exists(root / c.reference, ec) != c.negated;
  const size_t colon = c.reference.find(':');
  Json document;
  if (colon != std::string::npos) {
    const std::string file = c.reference.substr(0, colon);
    if (!fs::exists(root / file, ec)) return c.negated;
    RONDO_TRY(document, project::ReadParamsFile(root / file));
  }
  const Json* value = At(colon == std::string::npos ? config : document, colon == std::string::npos ? std::string_view(c.reference) : std::string_view(c.reference).substr(colon + 1));
  if (!value) return c.negated;
  return (c.op.empty() ? Truth(*value) : Compare(*value, c.op, c.value)) != c.negated;
}

}  // namespace rondo::pipeline
