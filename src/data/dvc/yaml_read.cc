// Reading YAML: values by the project's bounded parser, comments by the lines of the text.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "data/dvc/utf.h"
#include "data/dvc/yaml.h"
#include "data/dvc/yaml_trivia.h"
#include "project/yaml.h"

namespace rondo::data::dvc {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
size_t Run(std::string_view s, size_t at, std::string_view set) {
  const size_t end = s.find_first_not_of(set, at);
  return (end == s.npos ? s.size() : end) - at;
}

/// ruamel's pattern of YAML 1.2 integers: binary, octal, decimal, hexadecimal, with underscores.
bool IsInteger(std::string_view s) {
  if (s.starts_with('_')) return false;  // ruamel looks at the first character before the pattern
  if (!s.empty() && (s[0] == '-' || s[0] == '+')) s.remove_prefix(1);
  if (s.empty()) return false;
  auto all = [](std::string_view rest, std::string_view set) { return !rest.empty() && rest.find_first_not_of(set) == rest.npos; };
  if (s.starts_with("0b") && all(s.substr(2), "01_")) return true;
  if (s.starts_with("0o") && all(s.substr(2), "01234567_")) return true;
  if (s.starts_with("0x") && all(s.substr(2), "0123456789abcdefABCDEF_")) return true;
  return all(s, "0123456789_");
}

bool IsFloat(std::string_view s) {
  if (s == ".nan" || s == ".NaN" || s == ".NAN") return true;
  size_t at = !s.empty() && (s[0] == '-' || s[0] == '+');
  const std::string_view rest = s.substr(at);
  if (rest == ".inf" || rest == ".Inf" || rest == ".INF") return true;
  auto exponent = [&](size_t i, bool sign_needed) {  // [eE][-+]?[0-9]+ to the end
    if (i >= s.size() || (s[i] != 'e' && s[i] != 'E')) return false;
    ++i;
    if (i < s.size() && (s[i] == '-' || s[i] == '+')) ++i;
    else if (sign_needed) return false;
    const size_t digits = Run(s, i, "0123456789");
    return digits > 0 && i + digits == s.size();
  };
  constexpr std::string_view kDigits = "0123456789_";
  if (at < s.size() && IsDigit(s[at])) {
    size_t i = at + Run(s, at, kDigits);
    if (i < s.size() && s[i] == '.') {
      i += 1 + Run(s, i + 1, kDigits);
      return i == s.size() || exponent(i, false);
    }
    return exponent(i, false);
  }
  if (at < s.size() && s[at] == '.') {
    const size_t n = Run(s, at + 1, kDigits);
    return n > 0 && (at + 1 + n == s.size() || exponent(at + 1 + n, true));
  }
  return false;
}

/// YYYY-MM-DD, or a date with a time.
bool IsTimestamp(std::string_view s) {
  size_t i = 0;
  auto digits = [&](size_t low, size_t high) {
    size_t n = 0;
    while (i < s.size() && n < high && IsDigit(s[i])) ++i, ++n;
    return n >= low;
  };
  auto literal = [&](char c) { return i < s.size() && s[i] == c && ++i; };
  if (!digits(4, 4) || !literal('-')) return false;
  const size_t month = i;
  if (digits(2, 2) && literal('-') && digits(2, 2) && i == s.size()) return true;
  i = month;
  if (!digits(1, 2) || !literal('-') || !digits(1, 2)) return false;
  if (i < s.size() && (s[i] == 'T' || s[i] == 't')) {
    ++i;
  } else {
    const size_t blanks = Run(s, i, " \t");
    if (blanks == 0) return false;
    i += blanks;
  }
  if (!digits(1, 2) || !literal(':') || !digits(2, 2) || !literal(':') || !digits(2, 2)) return false;
  if (literal('.')) i += Run(s, i, "0123456789");
  if (i == s.size()) return true;
  i += Run(s, i, " \t");
  if (literal('Z')) return i == s.size();
  if (i < s.size() && (s[i] == '-' || s[i] == '+')) {
    ++i;
    if (!digits(1, 2)) return false;
    if (literal(':') && !digits(2, 2)) return false;
    return i == s.size();
  }
  return false;
}

bool IsBool(std::string_view s) { return s == "true" || s == "True" || s == "TRUE" || s == "false" || s == "False" || s == "FALSE"; }
bool IsNull(std::string_view s) { return s.empty() || s == "~" || s == "null" || s == "Null" || s == "NULL"; }

Yaml FromNode(const project::YamlNode& node) {
  Yaml y;
  switch (node.kind) {
    case project::YamlNode::Kind::kNull: break;
    case project::YamlNode::Kind::kScalar:
      y.text = node.text;
      if (!node.plain) y.kind = Yaml::Kind::kString;
      else if (IsNull(node.text)) y = Yaml();
      else if (IsBool(node.text)) y = Yaml::Bool(node.text[0] == 't' || node.text[0] == 'T');
      else y.kind = IsYamlText(node.text) ? Yaml::Kind::kString : Yaml::Kind::kNumber;
      break;
    case project::YamlNode::Kind::kList:
      y.kind = Yaml::Kind::kList;
      for (const auto& item : node.items) y.items.push_back(FromNode(item));
      break;
    case project::YamlNode::Kind::kMap:
      y.kind = Yaml::Kind::kMap;
      for (const auto& e : node.entries) {
        y.entries.emplace_back(e.key, FromNode(e.value));
        y.entries.back().second.plain_key = !IsYamlText(e.key) && !e.key.empty();
      }
      break;
  }
  return y;
}

}  // namespace

bool IsYamlText(std::string_view s) { return !(IsNull(s) || IsBool(s) || IsInteger(s) || IsFloat(s) || IsTimestamp(s) || s == "=" || s == "<<"); }

Yaml Yaml::String(std::string_view s) {
  Yaml y;
  y.kind = Kind::kString;
  y.text = s;
  return y;
}
Yaml Yaml::Number(uint64_t n) {
  Yaml y;
  y.kind = Kind::kNumber;
  y.text = std::to_string(n);
  return y;
}
Yaml Yaml::Bool(bool b) {
  Yaml y;
  y.kind = Kind::kBool;
  y.text = b ? "true" : "false";
  return y;
}
Yaml Yaml::List() {
  Yaml y;
  y.kind = Kind::kList;
  return y;
}
Yaml Yaml::Map() {
  Yaml y;
  y.kind = Kind::kMap;
  return y;
}

std::string PythonFloat(double d) {
  if (std::isnan(d)) return ".nan";
  if (std::isinf(d)) return d > 0 ? ".inf" : "-.inf";
  // repr: the shortest text that reads back equal; an exponent below 1e-4 and from 1e16 on.
  char buffer[64];
  const double size = std::fabs(d);
  if (size != 0 && (size < 1e-4 || size >= 1e16)) {
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::scientific).ptr;
    return std::string(buffer, end);
  }
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::fixed).ptr;
  std::string s(buffer, end);
  if (s.find('.') == s.npos) s += ".0";
  return s;
}

Yaml Yaml::From(const Json& json) {
  Yaml y;
  switch (json.type()) {
    case Json::Type::kNull: break;
    case Json::Type::kBool: return Bool(json.AsBool());
    case Json::Type::kInt:
      y.kind = Kind::kNumber;
      y.text = std::to_string(json.AsInt());
      break;
    case Json::Type::kDouble:
      y.kind = Kind::kNumber;
      y.text = PythonFloat(json.AsDouble());
      break;
    case Json::Type::kString: return String(json.AsString());
    case Json::Type::kArray:
      y.kind = Kind::kList;
      for (const Json& item : json.AsArray()) y.items.push_back(From(item));
      break;
    case Json::Type::kObject:
      y.kind = Kind::kMap;
      for (const auto& [key, value] : json.AsObject()) y.entries.emplace_back(key, From(value));
      break;
  }
  return y;
}

Json Yaml::ToJson() const {
  switch (kind) {
    case Kind::kNull: return {};
    case Kind::kBool: return Json(text == "true");
    case Kind::kString: return Json(text);
    case Kind::kNumber: {
      std::string digits;
      std::copy_if(text.begin(), text.end(), std::back_inserter(digits), [](char c) { return c != '_'; });
      std::string_view s = digits;
      bool negative = false;
      if (!s.empty() && (s[0] == '+' || s[0] == '-')) {
        negative = s[0] == '-';
        s.remove_prefix(1);
      }
      int base = 10;
      if (s.starts_with("0x")) base = 16;
      else if (s.starts_with("0o")) base = 8;
      else if (s.starts_with("0b")) base = 2;
      if (base != 10) s.remove_prefix(2);
      int64_t i = 0;
      if (IsInteger(text)) {
        if (const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), i, base); ec == std::errc() && end == s.data() + s.size()) return Json(negative ? -i : i);
      }
      if (s == ".inf" || s == ".Inf" || s == ".INF") return Json(negative ? -HUGE_VAL : HUGE_VAL);
      if (s == ".nan" || s == ".NaN" || s == ".NAN") return Json(std::nan(""));
      double d = 0;
      if (const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), d); ec == std::errc() && end == s.data() + s.size()) return Json(negative ? -d : d);
      return Json(text);
    }
    case Kind::kList: {
      Json list = Json::MakeArray();
      for (const Yaml& item : items) list.Push(item.ToJson());
      return list;
    }
    case Kind::kMap: {
      Json object = Json::MakeObject();
      for (const auto& [key, value] : entries) object.Set(key, value.ToJson());
      return object;
    }
  }
  return {};
}

const Yaml* Yaml::Find(std::string_view key) const {
  for (const auto& [name, value] : entries)
    if (name == key) return &value;
  return nullptr;
}
Yaml* Yaml::Find(std::string_view key) { return const_cast<Yaml*>(std::as_const(*this).Find(key)); }

Yaml& Yaml::Set(std::string_view key, Yaml value) {
  kind = Kind::kMap;
  if (Yaml* there = Find(key)) {
    *there = std::move(value);
    return *there;
  }
  entries.emplace_back(std::string(key), std::move(value));
  return entries.back().second;
}
bool Yaml::Erase(std::string_view key) {
  return std::erase_if(entries, [&](const auto& e) { return e.first == key; }) > 0;
}

Result<Yaml> ParseYaml(std::string_view text, const std::string& name, size_t max_bytes) {
  project::YamlLimits limits;
  limits.max_bytes = max_bytes;
  limits.max_nodes = 5'000'000;
  limits.max_depth = 64;
  limits.anchors = true;
  RONDO_TRY(const project::YamlNode node, project::ParseYaml(text, name, limits));
  return FromNode(node);
}

YamlTrivia ReadTrivia(std::string_view text) {
  struct Frame {
    size_t column;
    bool list;
    size_t index;
    std::string key;
  };
  YamlTrivia trivia;
  std::vector<Frame> frames;
  std::string current;  // path of the node that the next comment belongs to
  bool any = false, in_block = false;
  size_t block_column = 0;
  auto path = [&] {
    std::string p;
    for (const Frame& f : frames) p += "/" + (f.list ? std::to_string(f.index) : f.key);
    return p;
  };
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == text.npos) end = text.size();
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    const size_t indent = line.find_first_not_of(' ');
    const bool blank = indent == line.npos || line.find_first_not_of(" \t\r") == line.npos;
    if (in_block) {
      if (blank || indent > block_column) {
        trivia.nodes[current].block += std::string(line) + "\n";
        continue;
      }
      in_block = false;
    }
    if (blank || line[indent] == '#') {
      (any ? trivia.nodes[current].after : trivia.top) += (blank ? std::string() : std::string(line)) + "\n";
      continue;
    }
    if (!any && (line == "---" || line.starts_with("%"))) continue;
    // "- " opens or continues lists; then perhaps a key.
    size_t column = indent;
    bool moved = false;
    while (column < line.size() && line[column] == '-' && (column + 1 == line.size() || line[column + 1] == ' ')) {
      while (!frames.empty() && frames.back().column > column) frames.pop_back();
      if (!frames.empty() && frames.back().list && frames.back().column == column) ++frames.back().index;
      else frames.push_back({column, true, 0, {}});
      moved = true;
      const size_t next = line.find_first_not_of(' ', column + 1);
      column = next == line.npos ? line.size() : next;
    }
    size_t key_end = column, value = line.npos;
    if (column < line.size() && (line[column] == '"' || line[column] == '\'')) {
      const size_t close = line.find(line[column], column + 1);
      if (close != line.npos && close + 1 < line.size() && line[close + 1] == ':') {
        key_end = close + 1;
        value = close + 2;
      }
    } else {
      for (size_t i = column; i < line.size(); ++i) {
        if (line[i] == '#' && i > 0 && line[i - 1] == ' ') break;
        if (line[i] == ':' && (i + 1 == line.size() || line[i + 1] == ' ')) {
          key_end = i;
          value = i + 1;
          break;
        }
      }
    }
    if (value != line.npos) {
      std::string key(line.substr(column, key_end - column));
      if (key.size() >= 2 && (key[0] == '"' || key[0] == '\'')) key = key.substr(1, key.size() - 2);
      while (!frames.empty() && (frames.back().column > column || (frames.back().list && frames.back().column >= column))) frames.pop_back();
      if (!frames.empty() && frames.back().column == column) frames.back().key = std::move(key);
      else frames.push_back({column, false, 0, std::move(key)});
      moved = true;
    } else {
      value = column;
    }
    if (!moved) continue;  // the next line of a folded scalar
    any = true;
    current = path();
    // A comment behind the value: a '#' after a blank, outside of quotes.
    char quote = 0;
    size_t first = line.find_first_not_of(' ', value);
    for (size_t i = first == line.npos ? line.size() : first; i < line.size(); ++i) {
      const char c = line[i];
      if (quote) {
        if (c == '\\' && quote == '"') ++i;
        else if (c == quote) quote = 0;
      } else if ((c == '"' || c == '\'') && i == first) {
        quote = c;
      } else if (c == '#' && line[i - 1] == ' ') {
        auto& node = trivia.nodes[current];
        node.end_of_line = line.substr(i);
        node.column = i;
        break;
      }
    }
    if (first != line.npos && (line[first] == '|' || line[first] == '>')) {
      in_block = true;
      block_column = frames.empty() ? 0 : frames.back().column;
      const size_t stop = line.find(" #", first);
      trivia.nodes[current].block = std::string(line.substr(first, stop == line.npos ? line.npos : stop - first)) + "\n";
    }
  }
  return trivia;
}

std::string EmitYamlLike(const Yaml& value, std::string_view old_text) {
  std::vector<YamlMark> marks;
  const std::string text = EmitWithMarks(value, marks);
  const YamlTrivia trivia = ReadTrivia(old_text);
  if (trivia.top.empty() && trivia.nodes.empty()) return text;
  const auto old = ParseYaml(old_text, "");
  auto at_path = [](const Yaml* node, std::string_view path) -> const Yaml* {
    while (node && !path.empty()) {
      path.remove_prefix(1);
      const size_t end = std::min(path.find('/'), path.size());
      const std::string_view name = path.substr(0, end);
      size_t index = 0;
      if (node->IsList()) {
        std::from_chars(name.data(), name.data() + name.size(), index);
        node = index < node->items.size() ? &node->items[index] : nullptr;
      } else {
        node = node->Find(name);
      }
      path.remove_prefix(end);
    }
    return node;
  };
  std::string out = trivia.top;
  size_t done = 0;
  for (const YamlMark& mark : marks) {
    const auto it = trivia.nodes.find(mark.path);
    if (it == trivia.nodes.end()) continue;
    const auto& node = it->second;
    // A block scalar that hasn't changed stays one.
    const Yaml* now = at_path(&value, mark.path);
    const Yaml* was = old ? at_path(&*old, mark.path) : nullptr;
    if (!node.block.empty() && now && was && now->IsString() && was->text == now->text) {
      // Back to the colon (or dash) of the scalar that was written on one or more lines.
      size_t line = text.rfind('\n', mark.offset - 1);
      const size_t previous = &mark == &marks[0] ? 0 : (&mark - 1)->offset;
      line = text.find_first_not_of('\n', previous);
      const std::string last_key = mark.path.substr(mark.path.rfind('/') + 1);
      const size_t colon = text.find(last_key + ":", line == text.npos ? previous : line);
      if (colon != text.npos && colon < mark.offset && colon >= done) {
        const size_t cut = colon + last_key.size() + 1;
        out += text.substr(done, cut - done) + " " + node.block.substr(0, node.block.size() - 1);
        done = mark.offset;
      }
    }
    if (mark.offset < done) continue;
    out += text.substr(done, mark.offset - done);
    done = mark.offset;
    if (!node.end_of_line.empty()) out += std::string(mark.column < node.column ? node.column - mark.column : 1, ' ') + node.end_of_line;
    if (!node.after.empty()) out += "\n" + node.after.substr(0, node.after.size() - 1);
  }
  return out + text.substr(done);
}

}  // namespace rondo::data::dvc
