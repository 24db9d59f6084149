#include "data/dvc/ignore.h"

#include <algorithm>

namespace rondo::data::dvc {
namespace {

/// One part of a path against one part of a pattern: * ? [a-z] [!a-z] and backslash.
bool MatchPart(std::string_view p, std::string_view s) {
  size_t i = 0, j = 0, star = p.npos, star_at = 0;
  auto one = [&](size_t& at, char c) {  // does p[at...] match c? moves `at` behind it
    switch (p[at]) {
      case '?': ++at; return true;
      case '\\':
        if (at + 1 < p.size() && p[at + 1] == c) return at += 2, true;
        return false;
      case '[': {
        size_t k = at + 1;
        const bool no = k < p.size() && (p[k] == '!' || p[k] == '^');
        if (no) ++k;
        bool in = false, first = true;
        for (; k < p.size() && (p[k] != ']' || first); ++k, first = false) {
          char low = p[k];
          if (low == '\\' && k + 1 < p.size()) low = p[++k];
          char high = low;
          if (k + 2 < p.size() && p[k + 1] == '-' && p[k + 2] != ']') {
            high = p[k + 2];
            k += 2;
          }
          in |= static_cast<unsigned char>(low) <= static_cast<unsigned char>(c) && static_cast<unsigned char>(c) <= static_cast<unsigned char>(high);
        }
        if (k >= p.size()) {  // no closing bracket: an ordinary character
          if (c != '[') return false;
          ++at;
          return true;
        }
        if (in == no) return false;
        at = k + 1;
        return true;
      }
      default:
        if (p[at] != c) return false;
        ++at;
        return true;
    }
  };
  while (j < s.size()) {
    if (i < p.size() && p[i] == '*') {
      star = ++i;
      star_at = j;
    } else if (i < p.size() && one(i, s[j])) {
      ++j;
    } else if (star != p.npos) {
      i = star;
      j = ++star_at;
    } else {
      return false;
    }
  }
  while (i < p.size() && p[i] == '*') ++i;
  return i == p.size();
}

bool MatchParts(const std::vector<std::string>& pattern, size_t i, const std::vector<std::string_view>& path, size_t j) {
  for (; i < pattern.size(); ++i, ++j) {
    if (pattern[i] == "**") {
      if (i + 1 == pattern.size()) return j < path.size();
      for (size_t k = j; k <= path.size(); ++k)
        if (MatchParts(pattern, i + 1, path, k)) return true;
      return false;
    }
    if (j >= path.size() || !MatchPart(pattern[i], path[j])) return false;
  }
  return j == path.size();
}

std::vector<std::string_view> Split(std::string_view path) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    if (end > at) parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

}  // namespace

IgnorePattern::IgnorePattern(std::string_view line) {
  if (line.starts_with('!')) {
    negated_ = true;
    line.remove_prefix(1);
  }
  if (line.ends_with('/')) {
    dir_only_ = true;
    line.remove_suffix(1);
  }
  const bool anchored = line.find('/') != line.npos;
  for (const std::string_view part : Split(line))
    if (part != "**" || segments_.empty() || segments_.back() != "**") segments_.emplace_back(part);
  if (!anchored && !segments_.empty() && segments_[0] != "**") segments_.insert(segments_.begin(), "**");
}

bool IgnorePattern::Matches(std::string_view path, bool is_dir) const {
  if (segments_.empty() || (dir_only_ && !is_dir)) return false;
  if (segments_.size() == 2 && segments_[0] == "**") {  // a bare name: the last part counts
    const size_t slash = path.rfind('/');
    return MatchPart(segments_[1], slash == path.npos ? path : path.substr(slash + 1));
  }
  return MatchParts(segments_, 0, Split(path), 0);
}

bool IsBuiltInIgnored(std::string_view name, bool is_dir) {
  return name.starts_with('.') && (name == ".git" || (is_dir && (name == ".hg" || name == ".dvc")));
}

const Ignore::Folder& Ignore::At(const std::string& folder) const {
  if (const auto it = folders_.find(folder); it != folders_.end()) return it->second;
  Folder made;
  const std::string file = folder + file_;
  if (const auto text = ReadFile(root_ / file, size_t{4} << 20)) {
    size_t number = 0;
    for (size_t at = 0; at < text->size();) {
      const size_t end = std::min(text->find('\n', at), text->size());
      std::string_view line(*text);
      line = line.substr(at, end - at);
      at = end + 1;
      ++number;
      const size_t from = line.find_first_not_of(" \t\r\f\v");
      if (from == line.npos || line[from] == '#') continue;
      line = line.substr(from, line.find_last_not_of(" \t\r\f\v") - from + 1);
      made.rules.push_back({IgnorePattern(line), folder, file + ":" + std::to_string(number) + ":" + std::string(line)});
    }
  }
  return folders_.emplace(folder, std::move(made)).first->second;
}

bool Ignore::AnyPatterns(std::string_view folder) const {
  if (!At("").rules.empty()) return true;
  for (size_t at = 0; at < folder.size();) {
    const size_t end = std::min(folder.find('/', at), folder.size());
    if (!At(std::string(folder.substr(0, end)) + "/").rules.empty()) return true;
    at = end + 1;
  }
  return false;
}

Ignore::Match Ignore::CheckOne(std::string_view path, bool is_dir) const {
  const size_t slash = path.rfind('/');
  const std::string_view name = slash == path.npos ? path : path.substr(slash + 1);
  // Deepest folder first, its last rule first: the first that matches decides.
  std::string folder = slash == path.npos ? std::string() : std::string(path.substr(0, slash + 1));
  while (true) {
    const Folder& f = At(folder);
    for (auto it = f.rules.rbegin(); it != f.rules.rend(); ++it)
      if (it->pattern.Matches(path.substr(folder.size()), is_dir)) return {!it->pattern.negated(), it->source};
    if (folder.empty()) break;
    const size_t up = folder.size() < 2 ? folder.npos : folder.rfind('/', folder.size() - 2);
    folder.resize(up == folder.npos ? 0 : up + 1);
  }
  if (IsBuiltInIgnored(name, is_dir)) return {true, ":" + std::string(name) + (is_dir ? "/" : "")};
  return {};
}

Ignore::Match Ignore::Check(std::string_view path, bool is_dir) const {
  Match match;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    match = CheckOne(path.substr(0, end), end < path.size() || is_dir);
    if (match.ignored) return match;
    at = end + 1;
  }
  return match;
}

}  // namespace rondo::data::dvc
