// The emitter: the observable behaviour of ruamel.yaml 0.18.14 to 0.19 for block style at width 80, including where it folds and which blanks it leaves behind.
#include <algorithm>

#include "data/dvc/utf.h"
#include "data/dvc/yaml.h"
#include "data/dvc/yaml_trivia.h"

namespace rondo::data::dvc {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kLongestSimpleKey = 128;
constexpr size_t kKeyTag = 5;  // ruamel counts the key's tag (!!str, !!int) too

bool IsBreak(char32_t c) { return c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029; }
bool IsBlankOrBreak(char32_t c) { return c == 0 || c == ' ' || c == '\t' || c == '\r' || IsBreak(c); }
bool IsOneOf(char32_t c, std::u32string_view set) { return set.find(c) != std::u32string_view::npos; }
/// May stand unescaped between double quotes, apart from the quote and the backslash.
bool IsPrintable(char32_t c) {
  return (c >= 0x20 && c <= 0x7E) || (c >= 0xA0 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
}

struct Analysis {
  bool empty = false, multiline = false;
  bool plain = true;   ///< may be written without quotes
  bool single = true;  ///< ... between single quotes
};

Analysis Analyze(std::u32string_view s) {
  Analysis a;
  if (s.empty()) {
    a.empty = true;
    return a;
  }
  bool indicators = s.starts_with(U"---") || s.starts_with(U"..."), special = false, break_space = false, space_break = false;
  bool before_blank = true, previous_space = false, previous_break = false;
  for (size_t i = 0; i < s.size(); ++i) {
    const char32_t c = s[i];
    const bool after_blank = i + 1 >= s.size() || IsBlankOrBreak(s[i + 1]);
    if (i == 0) {
      if (IsOneOf(c, U"#,[]{}&*!|>'\"%@`")) indicators = true;
      if (IsOneOf(c, U"?:-") && after_blank) indicators = true;
    } else {
      if (c == ':' && after_blank) indicators = true;
      if (c == '#' && before_blank) indicators = true;
    }
    if (IsBreak(c)) a.multiline = true;
    const bool printable = c == '\n' || (c >= 0x20 && c <= 0x7E) || ((c == 0x85 || IsPrintable(c)) && c != 0xFEFF);
    if (!printable) special = true;
    if (c == ' ') {
      if (i == 0 || i + 1 == s.size()) a.plain = false;
      if (previous_break) break_space = true;
      previous_space = true;
      previous_break = false;
    } else if (IsBreak(c)) {
      if (i == 0 || i + 1 == s.size()) a.plain = false;
      if (previous_space) space_break = true;
      previous_space = false;
      previous_break = true;
    } else {
      previous_space = previous_break = false;
    }
    before_blank = IsBlankOrBreak(c);
  }
  if (break_space || special || space_break) a.plain = a.single = false;
  if (a.multiline || indicators) a.plain = false;
  return a;
}

class Emitter {
 public:
  explicit Emitter(std::vector<YamlMark>* marks) : marks_(marks) {}

  void Root(const Yaml& value) {
    if (value.IsMap() || value.IsList()) {
      if (value.entries.empty() && value.items.empty()) Indicator(value.IsMap() ? "{}" : "[]", true);
      else Collection(value, false, "");
    } else {
      Scalar(value, false, false);
    }
    if (column_ > 0) Break();
  }
  std::string Take() { return std::move(out_); }

 private:
  void Put(std::u32string_view s) {
    column_ += s.size();
    for (const char32_t c : s) Encode(c, out_);
  }
  void Break() {
    out_ += '\n';
    column_ = 0;
    whitespace_ = indention_ = true;
  }
  void Indent() {
    const size_t indent = indent_;
    if (!indention_ || column_ > indent || (column_ == indent && !whitespace_)) Break();
    if (column_ < indent) {
      whitespace_ = true;
      out_.append(indent - column_, ' ');
      column_ = indent;
    }
  }
  void Indicator(std::string_view s, bool need_space, bool whitespace = false, bool indention = false) {
    if (need_space && !whitespace_) {
      out_ += ' ';
      ++column_;
    }
    out_ += s;
    column_ += s.size();
    whitespace_ = whitespace;
    indention_ = indention_ && indention;
  }

  /// A map or a list that has something in it. `in_map`: it is the value of a key.
  void Collection(const Yaml& value, bool in_map, const std::string& path) {
    const size_t outer = indent_;
    // A list below a key isn't indented; everything else inside something is, by two.
    const bool same = value.IsList() && in_map && !indention_;
    if (!top_ && !same) indent_ += 2;
    top_ = false;
    if (value.IsList()) {
      for (size_t i = 0; i < value.items.size(); ++i) {
        Indent();
        Indicator("-", true, false, true);
        Node(value.items[i], false, path + "/" + std::to_string(i));
      }
    } else {
      for (const auto& [key, item] : value.entries) {
        Indent();
        Yaml name;
        name.kind = item.plain_key ? Yaml::Kind::kNumber : Yaml::Kind::kString;
        name.text = key;
        const std::u32string text = Decode(key);
        const Analysis a = Analyze(text);
        if (text.size() + kKeyTag < kLongestSimpleKey && !a.multiline) {
          Scalar(name, true, false);
          Indicator(":", false);
        } else {
          Indicator("?", true, false, true);
          Scalar(name, false, false);
          Indent();
          Indicator(":", true, false, true);
        }
        Node(item, true, path + "/" + key);
      }
    }
    indent_ = outer;
  }

  void Node(const Yaml& value, bool in_map, const std::string& path) {
    if (value.IsMap() || value.IsList()) {
      if (value.entries.empty() && value.items.empty()) {
        Indicator(value.IsMap() ? "{" : "[", true);
        Indicator(value.IsMap() ? "}" : "]", false);
        Mark(path);
      } else {
        Mark(path);
        Collection(value, in_map, path);
      }
      return;
    }
    Scalar(value, false, !in_map);
    Mark(path);
  }
  void Mark(const std::string& path) {
    if (marks_) marks_->push_back({path, out_.size(), column_});
  }

  void Scalar(const Yaml& value, bool key, bool in_list) {
    const size_t outer = indent_;
    if (!top_) indent_ += 2;
    std::u32string text = Decode(value.text);
    if (value.IsNull()) text = key || top_ ? U"null" : U"";
    const Analysis a = Analyze(text);
    if (in_list) Indent();
    const bool is_text = value.IsString();
    if (!is_text || (a.plain && !(key && (a.empty || a.multiline)) && IsYamlText(value.text))) Plain(text, !key);
    else if ((text.find(U'\'') == text.npos && text.find(U'\n') == text.npos) && a.single && !(key && a.multiline)) Single(text, !key);
    else Double(text, !key);
    indent_ = outer;
  }

  void Plain(std::u32string_view s, bool split) {
    if (s.empty()) return;
    if (!whitespace_) {
      out_ += ' ';
      ++column_;
    }
    whitespace_ = indention_ = false;
    bool spaces = false;
    size_t start = 0;
    for (size_t end = 0; end <= s.size(); ++end) {
      const bool last = end == s.size();
      const char32_t c = last ? 0 : s[end];
      if (spaces) {
        if (last || c != ' ') {
          if (start + 1 == end && column_ >= kWidth && split) {
            Indent();
            whitespace_ = indention_ = false;
          } else {
            Put(s.substr(start, end - start));
          }
          start = end;
        }
      } else if (last || c == ' ') {
        // A word that doesn't fit gets a line of its own, and the blank before it stays behind.
        if (end - start + column_ > kWidth && column_ > indent_) Indent();
        Put(s.substr(start, end - start));
        start = end;
      }
      spaces = !last && c == ' ';
    }
  }

  void Single(std::u32string_view s, bool split) {
    Indicator("'", true);
    bool spaces = false, breaks = false;
    size_t start = 0;
    for (size_t end = 0; end <= s.size(); ++end) {
      const bool last = end == s.size();
      const char32_t c = last ? 0 : s[end];
      if (spaces) {
        if (last || c != ' ') {
          if (start + 1 == end && column_ > kWidth && split && start != 0 && !last) Indent();
          else Put(s.substr(start, end - start));
          start = end;
        }
      } else if (breaks) {
        if (last || !IsBreak(c)) {
          for (size_t i = start; i < end; ++i) {
            Encode(s[i], out_);
            column_ = 0;
            whitespace_ = indention_ = true;
          }
          Indent();
          start = end;
        }
      } else if (last || c == ' ' || IsBreak(c)) {
        Put(s.substr(start, end - start));
        start = end;
      }
      if (!last) {
        spaces = c == ' ';
        breaks = IsBreak(c);
      }
    }
    Indicator("'", false);
  }

  static std::u32string Escape(char32_t c) {
    switch (c) {
      case 0: return U"\\0";
      case 7: return U"\\a";
      case 8: return U"\\b";
      case 9: return U"\\t";
      case 10: return U"\\n";
      case 11: return U"\\v";
      case 12: return U"\\f";
      case 13: return U"\\r";
      case 27: return U"\\e";
      case '"': return U"\\\"";
      case '\\': return U"\\\\";
      case 0x85: return U"\\N";
      case 0xA0: return U"\\_";
      case 0x2028: return U"\\L";
      case 0x2029: return U"\\P";
      default: break;
    }
    const int digits = c <= 0xFF ? 2 : c <= 0xFFFF ? 4 : 8;
    std::u32string s = digits == 2 ? U"\\x" : digits == 4 ? U"\\u" : U"\\U";
    for (int i = digits - 1; i >= 0; --i) s += U"0123456789ABCDEF"[c >> (4 * i) & 15];
    return s;
  }

  /// Does a line of a double-quoted text that is cut at `end` need a backslash? Only where reading would add or lose a blank.
  static bool NeedsBackslash(std::u32string_view s, size_t start, size_t end) {
    size_t space = s.find(U' ', end);
    if (space == s.npos) return true;
    if (const size_t line = s.substr(0, space).find(U'\n', end); line != s.npos) space = line;
    if (space + 1 >= s.size()) return true;
    if (s[space] == '\n' && s[space + 1] != ' ') return true;
    const std::u32string_view run = s.substr(end, space - end);
    if (run.find(U'"') != run.npos || run.find(U'\'') != run.npos) return true;
    if (s[space + 1] == ' ' || s[space + 1] == '\n') return true;
    if (s.substr(end - 1, 2) == U"  ") return true;
    return start == end;
  }

  void Double(std::u32string_view s, bool split) {
    Indicator("\"", true);
    size_t start = 0;
    for (size_t end = 0; end <= s.size(); ++end) {
      const bool last = end == s.size();
      const char32_t c = last ? 0 : s[end];
      if (last || c == '"' || c == '\\' || c == 0x85 || c == 0x2028 || c == 0x2029 || c == 0xFEFF || !IsPrintable(c)) {
        if (start < end) {
          Put(s.substr(start, end - start));
          start = end;
        }
        if (!last) {
          Put(Escape(c));
          start = end + 1;
        }
      }
      if (0 < end && end + 1 < s.size() && (c == ' ' || start >= end) && column_ + end - std::min(start, end) - (start > end ? 1 : 0) > kWidth && split) {
        const bool backslash = NeedsBackslash(s, start, end);
        if (start < end) {
          Put(s.substr(start, end - start));
          start = end;
        }
        if (backslash) Put(U"\\");
        Indent();
        whitespace_ = indention_ = false;
        if (s[start] == ' ') {
          if (!backslash) ++start;
          else Put(U"\\");
        }
      }
    }
    Indicator("\"", false);
  }

  std::string out_;
  size_t column_ = 0, indent_ = 0;
  bool whitespace_ = true, indention_ = true, top_ = true;
  std::vector<YamlMark>* marks_;
};

}  // namespace

std::string EmitWithMarks(const Yaml& value, std::vector<YamlMark>& marks) {
  Emitter emitter(&marks);
  emitter.Root(value);
  return emitter.Take();
}

std::string EmitYaml(const Yaml& value) {
  Emitter emitter(nullptr);
  emitter.Root(value);
  return emitter.Take();
}

}  // namespace rondo::data::dvc
