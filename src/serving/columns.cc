#include "serving/columns.h"

#include <fmt/format.h>

#include "base/nearest.h"
#include "table/table.h"

namespace rondo::serving {

Columns::Columns(const model::Signature& signature) : key_(signature.key), target_(signature.target) {
  list_.reserve(signature.inputs.size());
  for (const model::InputColumn& input : signature.inputs) {
    const auto type = table::ParseType(input.type);
    list_.push_back({input.name, input.type, type && table::IsNumeric(*type), input.type == "bool"});
  }
  if (!target_.empty()) index_.emplace(target_, kTargetColumn);
  if (!key_.empty()) index_.insert_or_assign(key_, kKeyColumn);
  // Inputs come last: what the model reads is never taken for the key.
  for (size_t i = 0; i < list_.size(); ++i) index_.insert_or_assign(list_[i].name, static_cast<int>(i));
}

bool Columns::SameAs(const Columns& other) const {
  if (list_.size() != other.list_.size() || key_ != other.key_) return false;
  for (size_t i = 0; i < list_.size(); ++i)
    if (list_[i].name != other.list_[i].name || list_[i].type != other.list_[i].type) return false;
  return true;
}

std::string Shown(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 64)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  if (name.size() > 64) {
    // Not in the middle of a UTF-8 sequence.
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) out.pop_back();
    if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
    out += "...";
  }
  return out;
}

Error Columns::Unknown(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const ServedColumn& c : list_) names.push_back(c.name);
  const std::string nearest = name.size() < 200 ? Nearest(name, names) : std::string();
  return {Code::kInvalid, fmt::format("the model has no input \"{}\"{}", Shown(name), nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)), {}};
}

Error Columns::Missing(const std::vector<char>& present) const {
  std::string names;
  size_t missing = 0;
  for (size_t i = 0; i < list_.size(); ++i) {
    if (i < present.size() && present[i]) continue;
    if (++missing <= 5) names += fmt::format("{}\"{}\" ({})", names.empty() ? "" : ", ", list_[i].name, list_[i].type);
  }
  if (missing > 5) names += fmt::format(" and {} more", missing - 5);
  return {Code::kInvalid, fmt::format("the input{} {} {} missing; send null for a value that isn't known", missing == 1 ? "" : "s", names, missing == 1 ? "is" : "are"), {}};
}

}  // namespace rondo::serving
