#include "project/params_file.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "base/file.h"
#include "project/yaml.h"

namespace rondo::project {
namespace {

constexpr size_t kMaxBytes = 16u << 20;
constexpr int kMaxDepth = 64;

/// What both small languages share: a cursor that knows its line.
class Cursor {
 public:
  Cursor(std::string_view text, const std::string& name) : text_(text), name_(name) {}
  bool End() const { return at_ >= text_.size(); }
  char Peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool Ahead(std::string_view s) const { return text_.substr(at_).starts_with(s); }
  char Take() {
    const char c = text_[at_++];
    if (c == '\n') ++line_;
    return c;
  }
  bool Accept(std::string_view s) {
    if (!Ahead(s)) return false;
    for (size_t i = 0; i < s.size(); ++i) Take();
    return true;
  }
  void Blanks() {
    while (Peek() == ' ' || Peek() == '\t') Take();
  }
  /// Blanks, newlines and comments.
  void Space() {
    while (!End()) {
      const char c = Peek();
      if (c == '#') SkipLine();
      else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') Take();
      else return;
    }
  }
  void SkipLine() {
    while (!End() && Peek() != '\n') Take();
  }
  std::string_view Word(std::string_view extra) {
    const size_t begin = at_;
    while (!End() && (std::isalnum(static_cast<unsigned char>(Peek())) || extra.find(Peek()) != std::string_view::npos)) Take();
    return text_.substr(begin, at_ - begin);
  }
  size_t at() const { return at_; }
  void Back(size_t at, int line) {
    at_ = at;
    line_ = line;
  }
  int line() const { return line_; }
  std::unexpected<Error> Bad(std::string message) const { return Fail(Code::kInvalid, name_ + ":" + std::to_string(line_) + ": " + std::move(message)); }

 private:
  std::string_view text_;
  const std::string& name_;
  size_t at_ = 0;
  int line_ = 1;
};

void AppendUtf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

/// A text in single, double or triple quotes. `escapes`: backslashes mean something.
Result<std::string> Quoted(Cursor& c, bool escapes) {
  const char quote = c.Peek();
  const std::string triple(3, quote);
  const bool is_long = c.Ahead(triple);
  c.Accept(is_long ? triple : std::string(1, quote));
  if (is_long && c.Peek() == '\n') c.Take();
  std::string out;
  while (true) {
    if (c.End()) return c.Bad("a text without its closing quote");
    if (is_long ? c.Ahead(triple) : c.Peek() == quote) {
      c.Accept(is_long ? triple : std::string(1, quote));
      return out;
    }
    if (!is_long && c.Peek() == '\n') return c.Bad("a text without its closing quote");
    char ch = c.Take();
    if (ch != '\\' || !escapes) {
      out += ch;
      continue;
    }
    if (c.End()) return c.Bad("a text without its closing quote");
    ch = c.Take();
    constexpr std::pair<char, char> kSimple[] = {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'b', '\b'}, {'f', '\f'}, {'0', '\0'}, {'"', '"'}, {'\'', '\''}, {'\\', '\\'}};
    bool known = false;
    for (const auto& [from, to] : kSimple)
      if (ch == from) {
        out += to;
        known = true;
        break;
      }
    if (known) continue;
    if (ch == '\n') {
      while (is_long && (c.Peek() == ' ' || c.Peek() == '\n' || c.Peek() == '\t')) c.Take();
      continue;
    }
    const int digits = ch == 'u' ? 4 : ch == 'U' ? 8 : ch == 'x' ? 2 : 0;
    if (digits == 0) {
      out += '\\';
      out += ch;
      continue;
    }
    uint32_t code = 0;
    for (int i = 0; i < digits; ++i) {
      const char h = c.End() ? ' ' : c.Take();
      const int v = h >= '0' && h <= '9' ? h - '0' : h >= 'a' && h <= 'f' ? h - 'a' + 10 : h >= 'A' && h <= 'F' ? h - 'A' + 10 : -1;
      if (v < 0) return c.Bad("an escape that is no character");
      code = code << 4 | static_cast<uint32_t>(v);
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return c.Bad("an escape that is no character");
    AppendUtf8(out, code);
  }
}

/// A number of either language, or nothing.
bool Number(std::string word, Json& out) {
  std::erase(word, '_');
  bool negative = false;
  std::string_view s = word;
  if (s.starts_with('+') || s.starts_with('-')) {
    negative = s[0] == '-';
    s.remove_prefix(1);
  }
  if (s == "inf" || s == "nan") {
    out = Json(s == "nan" ? std::numeric_limits<double>::quiet_NaN() : negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity());
    return true;
  }
  int base = 10;
  if (s.size() > 2 && s[0] == '0') base = s[1] == 'x' ? 16 : s[1] == 'o' ? 8 : s[1] == 'b' ? 2 : 10;
  if (base != 10) s.remove_prefix(2);
  int64_t integer = 0;
  if (const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), integer, base); ec == std::errc() && end == s.data() + s.size()) {
    out = Json(negative ? -integer : integer);
    return true;
  }
  double real = 0;
  if (base == 10 && !s.empty() && s.find_first_of("0123456789") != std::string_view::npos && s.find_first_not_of("0123456789.eE+-") == std::string_view::npos)
    if (const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), real); ec == std::errc() && end == s.data() + s.size()) {
      out = Json(negative ? -real : real);
      return true;
    }
  return false;
}

class Toml {
 public:
  Toml(std::string_view text, const std::string& name) : c_(text, name) {}

  Result<Json> Read() {
    Json root = Json::MakeObject();
    Json* table = &root;
    for (c_.Space(); !c_.End(); c_.Space()) {
      if (c_.Accept("[[")) {
        RONDO_TRY(const auto keys, Keys());
        if (!c_.Accept("]]")) return c_.Bad("the name of a table needs ]] behind it");
        RONDO_TRY(Json * parent, Walk(root, keys, keys.size() - 1));
        Json* list = Child(*parent, keys.back());
        if (list->IsNull()) *list = Json::MakeArray();
        if (!list->IsArray()) return c_.Bad("\"" + keys.back() + "\" is no list of tables");
        list->Push(Json::MakeObject());
        table = &list->MutableArray().back();
      } else if (c_.Accept("[")) {
        RONDO_TRY(const auto keys, Keys());
        if (!c_.Accept("]")) return c_.Bad("the name of a table needs ] behind it");
        RONDO_TRY(table, Walk(root, keys, keys.size()));
      } else {
        RONDO_DO(Assignment(*table, 0));
      }
      c_.Blanks();
      if (c_.Peek() == '#') c_.SkipLine();
      if (c_.Peek() == '\r') c_.Take();
      if (!c_.End() && c_.Peek() != '\n') return c_.Bad("something behind the end of the value");
    }
    return root;
  }

 private:
  static Json* Child(Json& object, const std::string& key) {
    for (auto& [k, v] : object.MutableObject())
      if (k == key) return &v;
    object.Set(key, Json());
    return &object.MutableObject().back().second;
  }
  Result<Json*> Walk(Json& root, const std::vector<std::string>& keys, size_t n) {
    Json* at = &root;
    for (size_t i = 0; i < n; ++i) {
      at = Child(*at, keys[i]);
      if (at->IsNull()) *at = Json::MakeObject();
      if (at->IsArray() && at->size() > 0) at = &at->MutableArray().back();
      if (!at->IsObject()) return c_.Bad("\"" + keys[i] + "\" is a value, no table");
    }
    return at;
  }
  Result<std::vector<std::string>> Keys() {
    std::vector<std::string> keys;
    while (true) {
      c_.Blanks();
      if (c_.Peek() == '"' || c_.Peek() == '\'') {
        RONDO_TRY(std::string key, Quoted(c_, c_.Peek() == '"'));
        keys.push_back(std::move(key));
      } else {
        const std::string_view key = c_.Word("_-");
        if (key.empty()) return c_.Bad("a key is missing");
        keys.emplace_back(key);
      }
      c_.Blanks();
      if (keys.size() > kMaxDepth) return c_.Bad("nested too deep");
      if (!c_.Accept(".")) return keys;
    }
  }
  Status Assignment(Json& table, int depth) {
    RONDO_TRY(const auto keys, Keys());
    if (!c_.Accept("=")) return c_.Bad("a key needs = and a value");
    RONDO_TRY(Json value, Value(depth));
    RONDO_TRY(Json * parent, Walk(table, keys, keys.size() - 1));
    if (parent->Find(keys.back())) return c_.Bad("\"" + keys.back() + "\" stands there twice");
    parent->Set(keys.back(), std::move(value));
    return {};
  }
  Result<Json> Value(int depth) {
    if (depth > kMaxDepth) return c_.Bad("nested too deep");
    c_.Blanks();
    const char first = c_.Peek();
    if (first == '"' || first == '\'') {
      RONDO_TRY(std::string text, Quoted(c_, first == '"'));
      return Json(std::move(text));
    }
    if (c_.Accept("[")) {
      Json list = Json::MakeArray();
      while (true) {
        c_.Space();
        if (c_.Accept("]")) return list;
        RONDO_TRY(Json item, Value(depth + 1));
        list.Push(std::move(item));
        c_.Space();
        if (!c_.Accept(",") && c_.Peek() != ']') return c_.Bad("a list needs , or ]");
      }
    }
    if (c_.Accept("{")) {
      Json table = Json::MakeObject();
      while (true) {
        c_.Space();
        if (c_.Accept("}")) return table;
        RONDO_DO(Assignment(table, depth + 1));
        c_.Space();
        if (!c_.Accept(",") && c_.Peek() != '}') return c_.Bad("an inline table needs , or }");
      }
    }
    std::string word(c_.Word("_-+.:"));
    // A date and a time may have a blank between them.
    if (word.size() == 10 && word[4] == '-' && c_.Peek() == ' ' && std::isdigit(static_cast<unsigned char>(c_.Peek(1)))) {
      c_.Take();
      word += " " + std::string(c_.Word("_-+.:"));
    }
    if (word == "true" || word == "false") return Json(word == "true");
    Json number;
    if (Number(word, number)) return number;
    const bool date = word.size() >= 8 && std::isdigit(static_cast<unsigned char>(word[0])) && (word.find('-') != std::string::npos || word.find(':') != std::string::npos);
    if (date) return Json(word);
    return c_.Bad("\"" + word.substr(0, 40) + "\" is no value");
  }

  Cursor c_;
};

class Python {
 public:
  Python(std::string_view text, const std::string& name) : c_(text, name) {}

  Result<Json> Read() {
    Json root = Json::MakeObject();
    std::string cls;
    size_t class_indent = 0;
    while (!c_.End()) {
      size_t indent = 0;
      while (c_.Peek() == ' ' || c_.Peek() == '\t') {
        c_.Take();
        ++indent;
      }
      if (c_.Peek() == '#' || c_.Peek() == '\n' || c_.Peek() == '\r') {
        Rest();
        continue;
      }
      if (indent == 0) cls.clear();
      if (indent == 0 && c_.Accept("class ")) {
        cls = std::string(c_.Word("_"));
        class_indent = 0;
        root.Set(cls, Json::MakeObject());
        Rest();
        continue;
      }
      if (!cls.empty() && class_indent == 0) class_indent = indent;
      const size_t begin = c_.at();
      const int line = c_.line();
      const bool mine = indent == (cls.empty() ? 0 : class_indent);
      const std::string name(c_.Word("_"));
      c_.Blanks();
      // `lr: float = 0.1`
      if (c_.Peek() == ':')
        while (!c_.End() && c_.Peek() != '=' && c_.Peek() != '\n') c_.Take();
      Json value;
      if (mine && !name.empty() && c_.Peek() == '=' && c_.Peek(1) != '=') {
        c_.Take();
        if (Literal(value, 0) && EndOfStatement()) {
          if (cls.empty()) root.Set(name, std::move(value));
          else {
            Json members = root[cls];
            members.Set(name, std::move(value));
            root.Set(cls, std::move(members));
          }
          Rest();
          continue;
        }
      }
      c_.Back(begin, line);
      Rest();
    }
    // A class without literals is no params.
    std::vector<std::string> empty;
    for (const auto& [key, value] : root.AsObject())
      if (value.IsObject() && value.size() == 0) empty.push_back(key);
    for (const std::string& key : empty) root.Erase(key);
    return root;
  }

 private:
  /// To the end of the statement: strings may hold newlines.
  void Rest() {
    while (!c_.End() && c_.Peek() != '\n') {
      if (c_.Peek() == '#') {
        c_.SkipLine();
        break;
      }
      if (c_.Peek() == '"' || c_.Peek() == '\'') {
        const size_t at = c_.at();
        const int line = c_.line();
        if (!Quoted(c_, true)) {
          c_.Back(at, line);
          c_.Take();
        }
      } else {
        c_.Take();
      }
    }
    if (!c_.End()) c_.Take();
  }
  bool EndOfStatement() {
    c_.Blanks();
    return c_.End() || c_.Peek() == '\n' || c_.Peek() == '#' || c_.Peek() == '\r';
  }
  bool Items(Json& out, char close, int depth) {
    while (true) {
      c_.Space();
      if (c_.Peek() == close) {
        c_.Take();
        return true;
      }
      Json item;
      if (!Literal(item, depth + 1)) return false;
      out.Push(std::move(item));
      c_.Space();
      if (!c_.Accept(",") && c_.Peek() != close) return false;
    }
  }
  bool Literal(Json& out, int depth) {
    if (depth > kMaxDepth) return false;
    c_.Blanks();
    const char first = c_.Peek();
    if (first == '"' || first == '\'') {
      auto text = Quoted(c_, true);
      if (!text) return false;
      out = Json(std::move(*text));
      return true;
    }
    if (first == '[' || first == '(') {
      c_.Take();
      out = Json::MakeArray();
      return Items(out, first == '[' ? ']' : ')', depth);
    }
    if (first == '{') {
      c_.Take();
      out = Json::MakeObject();
      bool set = false;
      while (true) {
        c_.Space();
        if (c_.Accept("}")) return true;
        Json key;
        if (!Literal(key, depth + 1)) return false;
        c_.Space();
        if (!set && c_.Accept(":")) {
          Json value;
          c_.Space();
          if (!Literal(value, depth + 1)) return false;
          out.Set(key.IsString() ? key.AsString() : key.Dump(), std::move(value));
        } else {
          if (!set) out = Json::MakeArray();
          set = true;
          out.Push(std::move(key));
        }
        c_.Space();
        if (!c_.Accept(",") && c_.Peek() != '}') return false;
      }
    }
    const std::string word(c_.Word("_-+."));
    if (word == "True" || word == "False") out = Json(word == "True");
    else if (word == "None") out = Json();
    else if (word.find_first_of("0123456789") == std::string::npos || !Number(word, out)) return false;
    return true;
  }

  Cursor c_;
};

}  // namespace

Result<Json> ParseToml(std::string_view text, const std::string& name) { return Toml(text, name).Read(); }
Result<Json> ParsePythonLiterals(std::string_view text, const std::string& name) { return Python(text, name).Read(); }

Result<Json> ReadParamsFile(const fs::path& file) {
  RONDO_TRY(const std::string text, ReadFile(file, kMaxBytes));
  const std::string name = file.filename().string(), extension = file.extension().string();
  if (extension == ".toml") return ParseToml(text, name);
  if (extension == ".py") return ParsePythonLiterals(text, name);
  if (extension == ".json") {
    auto json = ParseJson(text);
    if (!json) return Wrap(json.error(), name);
    return json;
  }
  YamlLimits limits;
  limits.max_bytes = kMaxBytes;
  limits.anchors = true;
  RONDO_TRY(const YamlNode yaml, ParseYaml(text, name, limits));
  return YamlToJson(yaml);
}

}  // namespace rondo::project
