#include "project/fields.h"

#include <fmt/format.h>

#include <cassert>
#include <charconv>
#include <cmath>

#include "base/clock.h"
#include "base/nearest.h"
#include "project/reader.h"

namespace rondo::project {
namespace {

std::string Shown(const YamlNode& node) {
  if (!node.IsScalar() && !node.IsNull()) return std::string(node.KindName());
  return "\"" + (node.text.size() > 80 ? node.text.substr(0, 77) + "..." : node.text) + "\"";
}

std::vector<std::string_view> Split(std::string_view values) {
  std::vector<std::string_view> out;
  while (!values.empty()) {
    const size_t bar = values.find('|');
    out.push_back(values.substr(0, bar));
    values = bar == std::string_view::npos ? std::string_view() : values.substr(bar + 1);
  }
  return out;
}
std::string Listed(std::string_view values) {
  std::string out;
  for (const std::string_view v : Split(values)) out += (out.empty() ? "" : ", ") + std::string(v);
  return out;
}

bool IsName(const std::string& s) {
  if (s.empty() || s.size() > 64 || !(std::isalnum(static_cast<unsigned char>(s[0])) || s[0] == '_')) return false;
  for (const char c : s)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-' && c != '.') return false;
  return s.find("..") == std::string::npos;
}

Result<std::string> TextOf(const YamlNode& node, const std::string& path, const Key& key) {
  RONDO_TRY(std::string text, ReadText(node, path));
  if (key.kind == ValueKind::kEnum) {
    const auto values = Split(key.values);
    for (const std::string_view v : values)
      if (v == text) return text;
    const std::string near = Nearest(text, values);
    return Wrong(node.where, path, Shown(node) + " is none of " + Listed(key.values), near.empty() ? "" : "did you mean " + near + "?");
  }
  if (key.kind == ValueKind::kName && !IsName(text))
    return Wrong(node.where, path, Shown(node) + " is not a name", "use letters, digits, _ - . ; start with a letter or digit; at most 64");
  if (key.kind == ValueKind::kCron) {
    if (auto ok = CheckCron(text); !ok) return Wrong(node.where, path, ok.error().message, ok.error().hint);
  }
  if (key.kind == ValueKind::kDuration) {
    if (auto ms = ParseDurationMs(text); !ms) return Wrong(node.where, path, ms.error().message, ms.error().hint);
  }
  return text;
}

Result<int64_t> BytesOf(const YamlNode& node, const std::string& path) {
  double value = 0;
  const std::string& s = node.text;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), value);
  std::string unit(end, static_cast<size_t>(s.data() + s.size() - end));
  while (unit.starts_with(' ')) unit.erase(0, 1);
  constexpr std::pair<std::string_view, double> kUnits[] = {{"", 1}, {"B", 1}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"TiB", 1099511627776.0}};
  for (const auto& [name, scale] : kUnits)
    if (node.IsScalar() && ec == std::errc() && unit == name && value >= 0 && value * scale < 9e18) return static_cast<int64_t>(value * scale);
  return Wrong(node.where, path, Shown(node) + " is not a size", "write a number and a unit: 500MB, 4GiB");
}

Result<int64_t> IntOf(const YamlNode& node, const std::string& path, const Key& key) {
  if (key.kind == ValueKind::kDuration) return ReadDuration(node, path);
  if (key.kind == ValueKind::kBytes) return BytesOf(node, path);
  int64_t value = 0;
  const std::string& s = node.text;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (!node.IsScalar() || ec != std::errc() || end != s.data() + s.size() || value < 0) return Wrong(node.where, path, Shown(node) + " is not a whole number", "write digits only, like 1000");
  return value;
}
Result<uint64_t> UintOf(const YamlNode& node, const std::string& path, const Key& key) {
  RONDO_TRY(const int64_t value, IntOf(node, path, key));
  return static_cast<uint64_t>(value);
}
Result<double> DoubleOf(const YamlNode& node, const std::string& path, const Key& key) {
  return key.kind == ValueKind::kShare ? ReadShare(node, path) : ReadNumber(node, path);
}
Result<bool> BoolOf(const YamlNode& node, const std::string& path, const Key&) {
  if (node.IsScalar() && node.plain && (node.text == "true" || node.text == "false")) return node.text == "true";
  return Wrong(node.where, path, Shown(node) + " is neither true nor false");
}
Result<std::vector<std::string>> TextsOf(const YamlNode& node, const std::string& path, const Key&) { return ReadTexts(node, path); }
Result<std::vector<double>> NumbersOf(const YamlNode& node, const std::string& path, const Key&) { return ReadNumbers(node, path); }

}  // namespace

std::unexpected<Error> Wrong(const std::string& where, const std::string& path, std::string message, std::string hint) {
  return rondo::Fail(Code::kInvalid, where + ": " + (path.empty() ? "" : path + ": ") + message, std::move(hint));
}

Fields::Fields(const YamlNode& node, std::string path, const Section& section) : node_(node), path_(std::move(path)), section_(section) {
  if (!node.IsMap() && !node.IsNull()) {
    std::string keys;
    for (const Key& key : section.keys)
      if (key.unsupported.empty()) keys += (keys.empty() ? "" : ", ") + std::string(key.name);
    status_ = Wrong(node.where, path_, "must be a map with keys, not " + Shown(node), "its keys are: " + keys);
    return;
  }
  for (const YamlEntry& entry : node.entries) {
    const Key* key = section.Find(entry.key);
    if (!key) {
      std::vector<std::string_view> names;
      std::string listed;
      for (const Key& k : section.keys) {
        names.push_back(k.name);
        listed += (listed.empty() ? "" : ", ") + std::string(k.name);
      }
      const std::string near = Nearest(entry.key, names);
      status_ = rondo::Fail(Code::kInvalid, entry.where + ": unknown key " + Path(entry.key), near.empty() ? "the keys here are: " + listed : "did you mean " + near + "?");
      return;
    }
    // `gpu: 0` and `sign: false` ask for nothing.
    const bool asks = !entry.value.IsNull() && !(entry.value.IsScalar() && (entry.value.text == "0" || entry.value.text == "false"));
    if (!key->unsupported.empty() && asks) {
      status_ = rondo::Fail(Code::kInvalid, entry.where + ": " + Path(entry.key) + " isn't supported in this release", std::string(key->unsupported));
      return;
    }
  }
}

const Key& Fields::KeyOf(std::string_view key) const {
  const Key* found = section_.Find(key);
  assert(found && "a key that is read must stand in the grammar's table");
  return *found;
}

const YamlNode* Fields::Find(std::string_view key) {
  (void)KeyOf(key);
  if (!status_) return nullptr;
  const YamlNode* node = node_.Find(key);
  return node && !node->IsNull() ? node : nullptr;
}

std::string Fields::Where(std::string_view key) const {
  for (const YamlEntry& entry : node_.entries)
    if (entry.key == key) return entry.where;
  return node_.where;
}

template <typename T, typename U>
Fields& Fields::Read(std::string_view key, T& out, Result<U> (*read)(const YamlNode&, const std::string&, const Key&)) {
  if (const YamlNode* node = Find(key)) {
    auto value = read(*node, Path(key), KeyOf(key));
    if (value) out = std::move(*value);
    else status_ = std::unexpected(std::move(value).error());
  }
  return *this;
}

Fields& Fields::Get(std::string_view key, std::string& out) { return Read(key, out, TextOf); }
Fields& Fields::Get(std::string_view key, std::optional<std::string>& out) { return Read(key, out, TextOf); }
Fields& Fields::Get(std::string_view key, int64_t& out) { return Read(key, out, IntOf); }
Fields& Fields::Get(std::string_view key, std::optional<int64_t>& out) { return Read(key, out, IntOf); }
Fields& Fields::Get(std::string_view key, uint64_t& out) { return Read(key, out, UintOf); }
Fields& Fields::Get(std::string_view key, std::optional<uint64_t>& out) { return Read(key, out, UintOf); }
Fields& Fields::Get(std::string_view key, double& out) { return Read(key, out, DoubleOf); }
Fields& Fields::Get(std::string_view key, std::optional<double>& out) { return Read(key, out, DoubleOf); }
Fields& Fields::Get(std::string_view key, bool& out) { return Read(key, out, BoolOf); }
Fields& Fields::Get(std::string_view key, std::vector<std::string>& out) { return Read(key, out, TextsOf); }
Fields& Fields::Get(std::string_view key, std::vector<double>& out) { return Read(key, out, NumbersOf); }
Fields& Fields::Get(std::string_view key, Task task, std::vector<Gate>& out) {
  if (const YamlNode* node = Find(key)) {
    auto gates = ReadGates(*node, Path(key), task);
    if (gates) out = std::move(*gates);
    else status_ = std::unexpected(std::move(gates).error());
  }
  return *this;
}
Fields& Fields::Require(std::string_view key, std::string hint) {
  if (status_ && !Find(key)) status_ = Wrong(node_.where, path_, std::string(key) + " is missing", std::move(hint));
  return *this;
}
Fields& Fields::Fail(std::string_view key, std::string message, std::string hint) {
  if (status_) status_ = Wrong(Where(key), key.empty() ? path_ : Path(key), std::move(message), std::move(hint));
  return *this;
}

Result<std::string> ReadText(const YamlNode& node, const std::string& path) {
  if (node.IsNull()) return node.text;  // inside a list: [null] is the text
  if (!node.IsScalar()) return Wrong(node.where, path, "must be a text, not " + Shown(node), "quote it if it has brackets, braces or \": \" in it");
  return node.text;
}

Result<std::vector<std::string>> ReadTexts(const YamlNode& node, const std::string& path) {
  std::vector<std::string> out;
  if (!node.IsList()) {
    RONDO_TRY(std::string one, ReadText(node, path));
    out.push_back(std::move(one));
    return out;
  }
  for (size_t i = 0; i < node.items.size(); ++i) {
    RONDO_TRY(std::string one, ReadText(node.items[i], fmt::format("{}[{}]", path, i)));
    out.push_back(std::move(one));
  }
  return out;
}

Result<double> ReadNumber(const YamlNode& node, const std::string& path) {
  double value = 0;
  const std::string& s = node.text;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (!node.IsScalar() || s.empty() || ec != std::errc() || end != s.data() + s.size() || !std::isfinite(value)) return Wrong(node.where, path, Shown(node) + " is not a number");
  return value;
}

Result<double> ParsePercent(const std::string& text) {
  double value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (text.empty() || ec != std::errc() || !std::isfinite(value) || (!rest.empty() && rest != "%")) return Fail(Code::kInvalid, "\"" + text + "\" is not a share", "write 20% or 0.2");
  if (rest == "%") value /= 100;
  if (value < 0 || value > 1) return Fail(Code::kInvalid, "\"" + text + "\" is not between 0% and 100%", "write 20% or 0.2");
  return value;
}

Result<double> ReadShare(const YamlNode& node, const std::string& path) {
  if (!node.IsScalar()) return Wrong(node.where, path, "must be a share, not " + Shown(node), "write 20% or 0.2");
  auto value = ParsePercent(node.text);
  if (!value) return Wrong(node.where, path, value.error().message, value.error().hint);
  return *value;
}

Result<std::vector<double>> ReadNumbers(const YamlNode& node, const std::string& path) {
  if (!node.IsList()) return Wrong(node.where, path, "must be a list of numbers, not " + Shown(node));
  std::vector<double> out;
  for (size_t i = 0; i < node.items.size(); ++i) {
    RONDO_TRY(const double value, ReadNumber(node.items[i], fmt::format("{}[{}]", path, i)));
    out.push_back(value);
  }
  return out;
}

Result<int64_t> ReadDuration(const YamlNode& node, const std::string& path) {
  if (!node.IsScalar()) return Wrong(node.where, path, "must be a duration, not " + Shown(node), "write a number and a unit: 10s, 15m, 12h, 2d");
  auto ms = ParseDurationMs(node.text);
  if (!ms) return Wrong(node.where, path, ms.error().message, ms.error().hint);
  return *ms;
}

Result<std::vector<Gate>> ReadGates(const YamlNode& node, const std::string& path, Task task) {
  std::vector<const YamlNode*> items;
  if (node.IsList()) for (const YamlNode& item : node.items) items.push_back(&item);
  else items.push_back(&node);
  std::vector<Gate> out;
  for (size_t i = 0; i < items.size(); ++i) {
    const YamlNode& item = *items[i];
    const std::string at = node.IsList() ? fmt::format("{}[{}]", path, i) : path;
    std::string text = item.text;
    if (item.IsMap() && item.entries.size() == 1 && item.entries[0].key == "warn" && item.entries[0].value.IsScalar()) text = "warn: " + item.entries[0].value.text;
    else if (!item.IsScalar()) return Wrong(item.where, at, "must be a gate, not " + Shown(item), "a gate looks like: auc >= 0.83; quote it when it has brackets or \": \" in it");
    auto gate = ParseGate(text, task);
    if (!gate) return Wrong(item.where, at, gate.error().message, gate.error().hint);
    out.push_back(std::move(*gate));
  }
  return out;
}

Status CheckInside(const YamlNode& node, const std::string& path, const std::string& text) {
  bool inside = !text.empty() && text[0] != '/' && text.find('\\') == std::string::npos && text.size() < 1000;
  for (size_t at = 0; inside && at <= text.size();) {
    const size_t slash = std::min(text.find('/', at), text.size());
    if (text.substr(at, slash - at) == "..") inside = false;
    at = slash + 1;
  }
  if (!inside) return Wrong(node.where, path, "\"" + text + "\" is not a path inside the project", "write a relative path without ..");
  return {};
}

Status CheckCron(const std::string& text) {
  struct Range { std::string_view name; int low, high; std::string_view words; };
  static constexpr Range kRanges[] = {{"minute", 0, 59, ""}, {"hour", 0, 23, ""}, {"day of the month", 1, 31, ""},
                                      {"month", 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"}, {"day of the week", 0, 7, "sun mon tue wed thu fri sat"}};
  std::vector<std::string> fields;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = text.find_first_not_of(" \t", at);
    if (begin == std::string::npos) break;
    const size_t end = std::min(text.find_first_of(" \t", begin), text.size());
    fields.push_back(text.substr(begin, end - begin));
    at = end;
  }
  const std::string hint = "five fields: minute hour day month weekday, like \"0 3 * * 1\"";
  if (fields.size() != 5) return rondo::Fail(Code::kInvalid, fmt::format("\"{}\" has {} fields, cron needs 5", text, fields.size()), hint);
  for (size_t f = 0; f < 5; ++f) {
    const Range& range = kRanges[f];
    const auto bad = [&] { return rondo::Fail(Code::kInvalid, fmt::format("\"{}\": {} is not a {} ({}-{})", text, fields[f], range.name, range.low, range.high), hint); };
    const auto number = [&](std::string s) -> int {
      for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (!range.words.empty() && s.size() == 3)
        if (const size_t at = range.words.find(s); at != std::string_view::npos && at % 4 == 0) return static_cast<int>(at / 4) + (f == 3 ? 1 : 0);
      int value = -1;
      const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), value);
      return ec == std::errc() && end == s.data() + s.size() ? value : -1;
    };
    std::string rest = fields[f];
    while (true) {
      const size_t comma = rest.find(',');
      std::string part = rest.substr(0, comma);
      if (const size_t slash = part.find('/'); slash != std::string::npos) {
        int step = 0;
        const std::string s = part.substr(slash + 1);
        const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), step);
        if (ec != std::errc() || end != s.data() + s.size() || step < 1 || step > range.high) return bad();
        part.resize(slash);
      }
      if (part != "*") {
        const size_t dash = part.find('-');
        const int low = number(part.substr(0, dash));
        const int high = dash == std::string::npos ? low : number(part.substr(dash + 1));
        if (low < range.low || high > range.high || low > high) return bad();
      }
      if (comma == std::string::npos) break;
      rest = rest.substr(comma + 1);
    }
  }
  return {};
}

}  // namespace rondo::project
