#include "db/search/lexer.h"

#include <algorithm>

namespace rondo::db::search {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsWord(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || (static_cast<unsigned char>(c) & 0x80); }

/// End of a quoted text that starts at `at`: after the closing mark, or npos. A doubled mark stands for itself.
size_t QuoteEnd(std::string_view s, size_t at) {
  const char mark = s[at];
  for (size_t i = at + 1; i < s.size(); ++i) {
    if (s[i] != mark) continue;
    if (i + 1 < s.size() && s[i + 1] == mark && mark != '`') {
      ++i;
      continue;
    }
    return i + 1;
  }
  return std::string_view::npos;
}

/// End of ".part.part" after a name: each part a word or quoted.
size_t PartsEnd(std::string_view s, size_t at) {
  while (at + 1 < s.size() && s[at] == '.') {
    const char next = s[at + 1];
    if (next == '`' || next == '"') {
      const size_t end = QuoteEnd(s, at + 1);
      if (end == std::string_view::npos) return at;
      at = end;
    } else if (IsWord(next)) {
      at += 2;
      while (at < s.size() && IsWord(s[at])) ++at;
    } else {
      return at;
    }
  }
  return at;
}

size_t NumberEnd(std::string_view s, size_t at) {
  size_t i = at;
  if (i < s.size() && (s[i] == '-' || s[i] == '+')) ++i;
  const size_t digits = i;
  while (i < s.size() && IsDigit(s[i])) ++i;
  size_t count = i - digits;
  if (i < s.size() && s[i] == '.') {
    const size_t fraction = ++i;
    while (i < s.size() && IsDigit(s[i])) ++i;
    count += i - fraction;
  }
  if (count == 0) return at;
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    size_t e = i + 1;
    if (e < s.size() && (s[e] == '-' || s[e] == '+')) ++e;
    if (e < s.size() && IsDigit(s[e])) {
      while (e < s.size() && IsDigit(s[e])) ++e;
      i = e;
    }
  }
  return i < s.size() && IsWord(s[i]) ? at : i;
}

size_t ListEnd(std::string_view s, size_t at) {
  int depth = 0;
  for (size_t i = at; i < s.size();) {
    const char c = s[i];
    if (c == '\'' || c == '"' || c == '`') {
      const size_t end = QuoteEnd(s, i);
      if (end == std::string_view::npos) return s.size();
      i = end;
      continue;
    }
    if (c == '(') ++depth;
    if (c == ')' && --depth == 0) return i + 1;
    ++i;
  }
  return s.size();
}

}  // namespace

std::vector<Token> Tokenize(std::string_view s) {
  std::vector<Token> out;
  for (size_t at = 0; at < s.size();) {
    const char c = s[at];
    size_t end = at + 1;
    TokenKind kind = TokenKind::kOther;
    if (IsSpace(c)) {
      ++at;
      continue;
    }
    if (c == '\'') {
      end = QuoteEnd(s, at);
      kind = TokenKind::kString;
    } else if (c == '"' || c == '`') {
      end = QuoteEnd(s, at);
      kind = TokenKind::kQuoted;
      if (end != std::string_view::npos) {
        const size_t parts = PartsEnd(s, end);
        if (parts != end || c == '`') kind = TokenKind::kName;
        end = parts;
      }
    } else if (c == '(') {
      end = ListEnd(s, at);
      kind = TokenKind::kList;
    } else if (c == ';') {
      kind = TokenKind::kEnd;
    } else if (c == '=' || c == '!' || c == '<' || c == '>') {
      while (end < s.size() && (s[end] == '=' || (c == '<' && s[end] == '>'))) ++end;
      kind = TokenKind::kOperator;
    } else if (const size_t number = NumberEnd(s, at); number != at) {
      end = number;
      kind = TokenKind::kNumber;
    } else if (IsWord(c)) {
      while (end < s.size() && IsWord(s[end])) ++end;
      end = PartsEnd(s, end);
      kind = TokenKind::kName;
      // "a-b" is one thing to complain about, not three.
      size_t dashed = end;
      while (dashed + 1 < s.size() && std::string_view("-/+*").find(s[dashed]) != std::string_view::npos && IsWord(s[dashed + 1])) {
        ++dashed;
        while (dashed < s.size() && IsWord(s[dashed])) ++dashed;
        kind = TokenKind::kOther;
      }
      end = dashed;
    }
    if (end == std::string_view::npos) {  // a quote that is never closed
      end = s.size();
      kind = TokenKind::kOther;
    }
    out.push_back({kind, s.substr(at, end - at)});
    at = end;
  }
  return out;
}

std::string_view Unquoted(std::string_view text, std::string_view marks) {
  if (text.size() >= 2 && text.front() == text.back() && marks.find(text.front()) != std::string_view::npos) return text.substr(1, text.size() - 2);
  return text;
}

bool SameWord(std::string_view text, std::string_view upper) {
  return std::equal(text.begin(), text.end(), upper.begin(), upper.end(), [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; });
}

}  // namespace rondo::db::search
