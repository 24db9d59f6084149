// YAML text -> tree, by yaml-cpp's event parser.
#include "project/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

namespace rondo::project {
namespace {

std::unexpected<Error> Bad(const std::string& where, std::string message, std::string hint = {}) {
  return Fail(Code::kInvalid, where + ": " + std::move(message), std::move(hint));
}

/// The null that was written at a place: yaml-cpp tells only that there was one.
std::string NullText(std::string_view text, int pos) {
  const std::string_view rest = text.substr(std::min<size_t>(static_cast<size_t>(std::max(pos, 0)), text.size()));
  for (const std::string_view word : {"null", "Null", "NULL", "~"})
    if (rest.starts_with(word)) return std::string(word);
  return {};
}

class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view text, const std::string& name, const YamlLimits& limits) : text_(text), name_(name), limits_(limits) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node = Make(YamlNode::Kind::kNull, mark);
    node.text = NullText(text_, mark.pos);
    Add(std::move(node), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    YamlNode node = Make(YamlNode::Kind::kScalar, mark);
    node.text = value;
    node.plain = tag == "?";
    CheckTag(tag, node.where);
    Add(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::string where = Where(mark);
    if (!limits_.anchors) return Stop(where, "aliases (*name) are not used in this file", "write the value out where it is needed");
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) return Stop(where, "the alias stands inside the value that it names");
    nodes_ += CountNodes(it->second);
    Add(it->second, 0);
  }
  void OnAnchor(const YAML::Mark& mark, const std::string& anchor) override {
    if (!limits_.anchors) Stop(Where(mark), "anchors (&" + anchor + ") are not used in this file", "write the value out where it is needed");
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    CheckTag(tag, Where(mark));
    Open(Make(YamlNode::Kind::kList, mark), anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    CheckTag(tag, Where(mark));
    Open(Make(YamlNode::Kind::kMap, mark), anchor);
  }
  void OnMapEnd() override { Close(); }

  const std::optional<Error>& error() const { return error_; }
  YamlNode& root() { return root_; }

 private:
  struct Level {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    std::string key, key_where;
    std::unordered_set<std::string> keys;
  };

  std::string Where(const YAML::Mark& mark) const { return fmt::format("{}:{}", name_, mark.line + 1); }
  YamlNode Make(YamlNode::Kind kind, const YAML::Mark& mark) {
    YamlNode node;
    node.kind = kind;
    node.where = Where(mark);
    if (++nodes_ > limits_.max_nodes) Stop(node.where, fmt::format("more than {} values", limits_.max_nodes));
    return node;
  }
  static size_t CountNodes(const YamlNode& node) {
    size_t n = 1;
    for (const YamlNode& item : node.items) n += CountNodes(item);
    for (const YamlEntry& entry : node.entries) n += CountNodes(entry.value);
    return n;
  }
  // The parser can't be told to stop except by throwing; its own exception type is caught in ParseYaml.
  [[noreturn]] void Stop(const std::string& where, std::string message, std::string hint = {}) {
    error_ = Error{Code::kInvalid, where + ": " + std::move(message), std::move(hint)};
    throw YAML::ParserException(YAML::Mark::null_mark(), "stopped");
  }
  void CheckTag(const std::string& tag, const std::string& where) {
    if (!tag.empty() && tag != "?" && tag != "!") Stop(where, "the tag " + tag.substr(0, 60) + " is not understood", "leave tags (!name) out: types come from the key");
  }
  void Open(YamlNode node, YAML::anchor_t anchor) {
    if (static_cast<int>(stack_.size()) >= limits_.max_depth) Stop(node.where, fmt::format("nested more than {} levels deep", limits_.max_depth));
    Level level;
    level.node = std::move(node);
    level.anchor = anchor;
    stack_.push_back(std::move(level));
  }
  void Close() {
    Level level = std::move(stack_.back());
    stack_.pop_back();
    Add(std::move(level.node), level.anchor);
  }
  void Add(YamlNode node, YAML::anchor_t anchor) {
    if (nodes_ > limits_.max_nodes) Stop(node.where, fmt::format("more than {} values", limits_.max_nodes));
    if (anchor != 0 && limits_.anchors) anchors_[anchor] = node;
    if (stack_.empty()) {
      if (has_root_) Stop(node.where, "a second document", "keep one document a file: remove the line ---");
      has_root_ = true;
      root_ = std::move(node);
      return;
    }
    Level& top = stack_.back();
    if (top.node.IsList()) {
      top.node.items.push_back(std::move(node));
    } else if (!top.has_key) {
      if (!node.IsScalar() && !node.IsNull()) Stop(node.where, "a key must be a text, not " + std::string(node.KindName()));
      if (node.plain && node.text == "<<") Stop(node.where, "merge keys (<<) are not used in this file", "write the keys out where they are needed");
      if (!top.keys.insert(node.text).second) Stop(node.where, "the key \"" + node.text + "\" stands there twice", "keep one of them");
      top.key = std::move(node.text);
      top.key_where = std::move(node.where);
      top.has_key = true;
    } else {
      top.node.entries.push_back({std::move(top.key), std::move(top.key_where), std::move(node)});
      top.has_key = false;
    }
  }

  std::string_view text_;
  const std::string& name_;
  const YamlLimits& limits_;
  size_t nodes_ = 0;
  std::vector<Level> stack_;
  std::unordered_map<YAML::anchor_t, YamlNode> anchors_;
  bool has_root_ = false;
  YamlNode root_;
  std::optional<Error> error_;
};

/// What a syntax error most likely comes from, by the look of its line.
std::string SyntaxHint(std::string_view text, int line) {
  std::istringstream lines{std::string(text)};
  std::string s;
  for (int i = 0; i <= line && std::getline(lines, s); ++i) {}
  if (s.find('\t') != std::string::npos && s.find_first_not_of(" \t") != std::string::npos && s.find('\t') < s.find_first_not_of(" \t"))
    return "indent with spaces: YAML has no tabs";
  for (const char* sign : {": >", "- >", "[>", ", >", "[ >"})
    if (s.find(sign) != std::string::npos) return "a value that begins with > must be quoted: an unquoted > folds the lines below into one text";
  // `[recall[a=b] >= 1]`: a bracket right after a word, inside a list.
  bool in_list = false;
  for (size_t i = 1; i < s.size(); ++i) {
    if (s[i - 1] == '[' && (i < 2 || s[i - 2] == ' ')) in_list = true;
    if (in_list && s[i] == '[' && (std::isalnum(static_cast<unsigned char>(s[i - 1])) || s[i - 1] == '_'))
      return "inside [...] a gate with brackets needs quotes: [\"demographic_parity_ratio[female] >= 0.8\"]";
  }
  if (s.find(": ") != s.rfind(": ")) return "a text with \": \" in it needs quotes";
  return "check quotes, brackets and indentation on this line and the one above";
}

Status CheckBytes(std::string_view text, const std::string& name) {
  int line = 1;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    size_t n = 1;
    if (c == '\n') ++line;
    if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
      return Bad(fmt::format("{}:{}", name, line), fmt::format("a control character (0x{:02x})", c), "is this a text file? Save it as UTF-8");
    if (c >= 0x80) {
      n = c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
      if (c >= 0xf5) n = 0;
      bool good = n != 0 && i + n <= text.size();
      for (size_t k = 1; good && k < n; ++k) good = (static_cast<unsigned char>(text[i + k]) & 0xc0) == 0x80;
      if (!good) return Bad(fmt::format("{}:{}", name, line), fmt::format("the byte 0x{:02x} is not UTF-8", c), "save the file as UTF-8");
    }
    i += n;
  }
  return {};
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (const YamlEntry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

std::string_view YamlNode::KindName() const {
  switch (kind) {
    case Kind::kNull: return "nothing";
    case Kind::kScalar: return "a text";
    case Kind::kList: return "a list";
    case Kind::kMap: return "a map";
  }
  return "?";
}

Result<YamlNode> ParseYaml(std::string_view text, const std::string& name, const YamlLimits& limits) {
  if (text.size() > limits.max_bytes) return Bad(name, fmt::format("{} bytes, the limit is {}", text.size(), limits.max_bytes));
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  RONDO_DO(CheckBytes(text, name));
  Builder builder(text, name, limits);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {}
  } catch (const YAML::Exception& e) {
    if (builder.error()) return std::unexpected(*builder.error());
    const int line = std::max(e.mark.line, 0);
    return Bad(fmt::format("{}:{}", name, line + 1), "not valid YAML: " + e.msg, SyntaxHint(text, line));
  } catch (const std::exception& e) {
    return Bad(name, std::string("not valid YAML: ") + e.what());
  }
  return std::move(builder.root());
}

namespace {

std::optional<Json> NumberOf(const std::string& s) {
  size_t at = s[0] == '-' || s[0] == '+' ? 1 : 0;
  if (at == s.size()) return std::nullopt;
  if (s.compare(at, std::string::npos, ".inf") == 0) return Json(s[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity());
  if (s == ".nan") return Json(std::numeric_limits<double>::quiet_NaN());
  const bool zero_first = s[at] == '0' && at + 1 < s.size() && s[at + 1] >= '0' && s[at + 1] <= '9';
  if (zero_first || s.find_first_not_of("0123456789.eE+-", at) != std::string::npos || !(std::isdigit(static_cast<unsigned char>(s[at])) || s[at] == '.')) return std::nullopt;
  const char* begin = s.data() + (s[0] == '+' ? 1 : 0);
  const char* end = s.data() + s.size();
  int64_t i = 0;
  if (auto r = std::from_chars(begin, end, i); r.ec == std::errc() && r.ptr == end) return Json(i);
  double d = 0;
  if (auto r = std::from_chars(begin, end, d); r.ec == std::errc() && r.ptr == end && s != ".") return Json(d);
  return std::nullopt;
}

}  // namespace

Json YamlToJson(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull: return {};
    case YamlNode::Kind::kList: {
      Json out = Json::MakeArray();
      for (const YamlNode& item : node.items) out.Push(YamlToJson(item));
      return out;
    }
    case YamlNode::Kind::kMap: {
      Json out = Json::MakeObject();
      for (const YamlEntry& entry : node.entries) out.MutableObject().emplace_back(entry.key, YamlToJson(entry.value));
      return out;
    }
    case YamlNode::Kind::kScalar: break;
  }
  if (!node.plain || node.text.empty()) return Json(node.text);
  if (node.text == "true" || node.text == "True" || node.text == "TRUE") return Json(true);
  if (node.text == "false" || node.text == "False" || node.text == "FALSE") return Json(false);
  if (auto number = NumberOf(node.text)) return *number;
  return Json(node.text);
}

namespace {

/// Whether a plain scalar would be read as this very text, by YAML 1.1 and 1.2 readers.
bool PlainIsSafe(const std::string& s) {
  if (s.empty() || s.front() == ' ' || s.back() == ' ' || s.back() == ':') return false;
  if (std::string_view("!&*{}[]|>#%@`'\",").find(s[0]) != std::string_view::npos) return false;
  if (s == "-" || s == "?" || s == "---" || s == "..." || s == "=" || s == "<<" || s == "~" || s.starts_with("- ") || s.starts_with("? ") || s.starts_with(":")) return false;
  if (s.find(": ") != std::string::npos || s.find(" #") != std::string::npos) return false;
  std::string low;
  for (const char c : s) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    low += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  for (const char* word : {"null", "true", "false"})
    if (low == word) return false;
  // Anything that starts like a number or a date is quoted unless it plainly has other letters: hashes such as 12e34 must stay texts.
  if (low.find_first_not_of("0123456789.e+-_:xobt ") == std::string::npos && low.find_first_of("0123456789") != std::string::npos) return false;
  if (low == ".inf" || low == "-.inf" || low == "+.inf" || low == ".nan") return false;
  return low.find_first_not_of("0123456789abcdef_") != std::string::npos || !low.starts_with("0x");
}

void AppendScalar(std::string& out, const Json& value) {
  if (value.IsNull()) return;
  if (!value.IsString()) {
    if (value.IsNumber() && !value.IsInt()) {
      const double d = value.AsDouble();
      if (d != d) { out += ".nan"; return; }
      if (d > 1.7976931348623157e308 || d < -1.7976931348623157e308) { out += d > 0 ? ".inf" : "-.inf"; return; }
    }
    out += value.Dump();
    return;
  }
  const std::string& s = value.AsString();
  if (PlainIsSafe(s)) {
    out += s;
  } else if (s.find('\'') == std::string::npos && s.find_first_of("\n\r\t\x7f") == std::string::npos && std::none_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    out += '\'' + s + '\'';
  } else {
    AppendJsonString(out, s);
  }
}

void AppendBlock(std::string& out, const Json& value, size_t indent, bool in_list) {
  const std::string pad(indent, ' ');
  bool first = true;
  if (value.IsObject()) {
    for (const auto& [key, item] : value.AsObject()) {
      if (!(first && in_list)) out += pad;
      first = false;
      AppendScalar(out, key);
      out += ':';
      if ((item.IsObject() || item.IsArray()) && item.size() > 0) {
        out += '\n';
        AppendBlock(out, item, item.IsObject() ? indent + 2 : indent, false);
      } else {
        if (item.IsObject()) out += " {}";
        else if (item.IsArray()) out += " []";
        else if (!item.IsNull()) out += ' ', AppendScalar(out, item);
        out += '\n';
      }
    }
  } else {
    for (const Json& item : value.AsArray()) {
      if (!(first && in_list)) out += pad;
      first = false;
      out += "-";
      if ((item.IsObject() || item.IsArray()) && item.size() > 0) {
        out += ' ';
        AppendBlock(out, item, indent + 2, true);
      } else {
        if (item.IsObject()) out += " {}";
        else if (item.IsArray()) out += " []";
        else if (!item.IsNull()) out += ' ', AppendScalar(out, item);
        out += '\n';
      }
    }
  }
}

}  // namespace

std::string JsonToYaml(const Json& value) {
  std::string out;
  if ((value.IsObject() || value.IsArray()) && value.size() > 0) {
    AppendBlock(out, value, 0, false);
  } else {
    if (value.IsObject()) out += "{}";
    else if (value.IsArray()) out += "[]";
    else AppendScalar(out, value);
    out += '\n';
  }
  return out;
}

}  // namespace rondo::project
