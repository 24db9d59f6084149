#include "data/dvc/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace rondo::data::dvc {
namespace {

std::string Lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}
std::string_view Trim(std::string_view s) {
  const size_t from = s.find_first_not_of(" \t\r\v");
  return from == s.npos ? std::string_view() : s.substr(from, s.find_last_not_of(" \t\r\v") - from + 1);
}
/// `remote "Name"` -> `remote "name"`: DVC compares names in lower case.
std::string SectionName(std::string_view s) {
  s = Trim(s);
  if (s.size() >= 2 && (s[0] == '\'' || s[0] == '"') && s.back() == s[0]) s = s.substr(1, s.size() - 2);
  return Lower(s);
}
bool IsNamed(std::string_view section) { return section.find('"') != section.npos; }
std::string Header(const std::string& section) { return IsNamed(section) ? "['" + section + "']" : "[" + section + "]"; }

/// A value as configobj reads it: quotes off, a comment behind it off; a list stays its text with commas.
Result<std::string> ReadValue(std::string_view raw, const std::string& where) {
  raw = Trim(raw);
  if (!raw.empty() && (raw[0] == '"' || raw[0] == '\'')) {
    const size_t close = raw.find(raw[0], 1);
    if (close == raw.npos) return Fail(Code::kInvalid, where + ": the quote isn't closed");
    const std::string_view rest = Trim(raw.substr(close + 1));
    if (!rest.empty() && rest[0] != '#' && rest[0] != ',') return Fail(Code::kInvalid, where + ": text behind the closing quote");
    if (rest.empty() || rest[0] == '#') return std::string(raw.substr(1, close - 1));
  }
  const size_t hash = raw.find('#');
  return std::string(Trim(raw.substr(0, hash)));
}

/// Quotes where configobj does.
std::string WriteValue(const std::string& value) {
  if (value.empty()) return "\"\"";
  constexpr std::string_view kEdge = " \r\n\v\t'\"";
  const bool quote = kEdge.find(value.front()) != kEdge.npos || kEdge.find(value.back()) != kEdge.npos || value.find_first_of(",#") != value.npos;
  if (!quote) return value;
  return value.find('"') != value.npos ? "'" + value + "'" : "\"" + value + "\"";
}

}  // namespace

std::string RemoteSection(std::string_view name) { return "remote \"" + Lower(name) + "\""; }

Result<IniFile> IniFile::Parse(std::string_view text, const std::string& name) {
  IniFile file;
  std::string section;
  size_t number = 0;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.size() > (size_t{4} << 20)) return Fail(Code::kTooLarge, name + " is larger than 4 MiB");
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view raw = text.substr(at, end - at), s = Trim(raw);
    at = end + 1;
    ++number;
    Line line;
    line.text = raw;
    line.section = section;
    const std::string where = fmt::format("{}:{}", name, number);
    if (!s.empty() && s[0] != '#') {
      if (s[0] == '[') {
        size_t close = s.find(']');
        if (s.size() > 1 && (s[1] == '\'' || s[1] == '"')) {
          const size_t quote = s.find(s[1], 2);
          close = quote == s.npos ? quote : s.find(']', quote);
        }
        if (close == s.npos || s.substr(0, 2) == "[[") return Fail(Code::kInvalid, fmt::format("{}: \"{}\" is no section", where, s), "a section is written [name]");
        line.kind = Line::Kind::kSection;
        section = line.section = SectionName(s.substr(1, close - 1));
      } else {
        const size_t equal = s.find('=');
        if (equal == s.npos || equal == 0) return Fail(Code::kInvalid, fmt::format("{}: \"{}\" is no `key = value`", where, s));
        if (section.empty()) return Fail(Code::kInvalid, fmt::format("{}: \"{}\" stands before any [section]", where, s));
        line.kind = Line::Kind::kKey;
        line.key = Lower(Trim(s.substr(0, equal)));
        RONDO_TRY(line.value, ReadValue(s.substr(equal + 1), where));
      }
    }
    file.lines_.push_back(std::move(line));
  }
  return file;
}

std::optional<std::string> IniFile::Get(const std::string& section, const std::string& key) const {
  for (const Line& l : lines_)
    if (l.kind == Line::Kind::kKey && l.section == section && l.key == key) return l.value;
  return std::nullopt;
}
std::vector<std::string> IniFile::Sections() const {
  std::vector<std::string> names;
  for (const Line& l : lines_)
    if (l.kind == Line::Kind::kSection && std::find(names.begin(), names.end(), l.section) == names.end()) names.push_back(l.section);
  return names;
}
std::vector<std::pair<std::string, std::string>> IniFile::Items(const std::string& section) const {
  std::vector<std::pair<std::string, std::string>> items;
  for (const Line& l : lines_)
    if (l.kind == Line::Kind::kKey && l.section == section) items.emplace_back(l.key, l.value);
  return items;
}

void IniFile::Set(const std::string& section, const std::string& key, const std::string& value) {
  Line line{Line::Kind::kKey, "    " + Lower(key) + " = " + WriteValue(value), section, Lower(key), value};
  size_t last = lines_.size();
  for (size_t i = 0; i < lines_.size(); ++i) {
    Line& l = lines_[i];
    if (l.section != section || l.kind == Line::Kind::kOther) continue;
    if (l.kind == Line::Kind::kKey && l.key == line.key) {
      l = std::move(line);
      return;
    }
    last = i;
  }
  if (last == lines_.size()) {
    // Plain sections stand before the named ones, as DVC orders them.
    auto at = lines_.end();
    if (!IsNamed(section)) at = std::find_if(lines_.begin(), lines_.end(), [](const Line& l) { return l.kind == Line::Kind::kSection && IsNamed(l.section); });
    last = static_cast<size_t>(at - lines_.begin());
    lines_.insert(at, Line{Line::Kind::kSection, Header(section), section, {}, {}});
  }
  lines_.insert(lines_.begin() + static_cast<std::ptrdiff_t>(last) + 1, std::move(line));
}

bool IniFile::Unset(const std::string& section, const std::string& key) {
  const size_t n = std::erase_if(lines_, [&](const Line& l) { return l.kind == Line::Kind::kKey && l.section == section && l.key == Lower(key); });
  if (n > 0 && Items(section).empty()) RemoveSection(section);
  return n > 0;
}
bool IniFile::RemoveSection(const std::string& section) {
  return std::erase_if(lines_, [&](const Line& l) { return l.section == section; }) > 0;
}
bool IniFile::RenameSection(const std::string& from, const std::string& to) {
  bool found = false;
  for (Line& l : lines_) {
    if (l.section != from) continue;
    found = true;
    l.section = to;
    if (l.kind == Line::Kind::kSection) l.text = Header(to);
  }
  return found;
}
std::string IniFile::Text() const {
  std::string out;
  for (const Line& l : lines_) out += l.text + "\n";
  return out;
}

fs::path Config::PathOf(ConfigLevel level, const fs::path& dvc_dir) {
  auto env = [](const char* name) { return std::string(std::getenv(name) ? std::getenv(name) : ""); };
  switch (level) {
    case ConfigLevel::kSystem: {
      if (const std::string dir = env("DVC_SYSTEM_CONFIG_DIR"); !dir.empty()) return fs::path(dir) / "config";
      const std::string dirs = env("XDG_CONFIG_DIRS");
      return fs::path(dirs.empty() ? "/etc/xdg" : dirs.substr(0, dirs.find(':'))) / "dvc" / "config";
    }
    case ConfigLevel::kGlobal: {
      if (const std::string dir = env("DVC_GLOBAL_CONFIG_DIR"); !dir.empty()) return fs::path(dir) / "config";
      if (const std::string dir = env("XDG_CONFIG_HOME"); !dir.empty()) return fs::path(dir) / "dvc" / "config";
      return fs::path(env("HOME")) / ".config" / "dvc" / "config";
    }
    case ConfigLevel::kRepo: return dvc_dir / "config";
    case ConfigLevel::kLocal: return dvc_dir / "config.local";
  }
  return {};
}

Result<Config> Config::Load(const fs::path& dvc_dir) {
  Config config;
  for (const ConfigLevel level : {ConfigLevel::kSystem, ConfigLevel::kGlobal, ConfigLevel::kRepo, ConfigLevel::kLocal}) {
    if (level >= ConfigLevel::kRepo && dvc_dir.empty()) continue;
    const fs::path path = PathOf(level, dvc_dir);
    auto text = ReadFile(path, size_t{4} << 20);
    if (!text) {
      if (text.error().code == Code::kNotFound) continue;
      return std::unexpected(std::move(text).error());
    }
    RONDO_TRY(IniFile file, IniFile::Parse(*text, path.string()));
    config.levels_.push_back({level, path.parent_path(), std::move(file)});
  }
  return config;
}

std::optional<Config::Origin> Config::Find(const std::string& section, const std::string& key) const {
  for (auto it = levels_.rbegin(); it != levels_.rend(); ++it)
    if (auto value = it->file.Get(section, key)) return Origin{std::move(*value), it->level, it->folder};
  return std::nullopt;
}
std::optional<std::string> Config::Get(const std::string& section, const std::string& key) const {
  auto found = Find(section, key);
  return found ? std::optional(std::move(found->value)) : std::nullopt;
}
std::string Config::GetOr(const std::string& section, const std::string& key, std::string_view otherwise) const { return Get(section, key).value_or(std::string(otherwise)); }
bool Config::Flag(const std::string& section, const std::string& key, bool otherwise) const {
  const auto value = Get(section, key);
  if (!value) return otherwise;
  const std::string v = Lower(*value);
  return v == "true" || v == "1" || v == "yes" || v == "on" || v == "y";
}

std::map<std::string, std::string> Config::Section(const std::string& section) const {
  std::map<std::string, std::string> merged;
  for (const Level& level : levels_)
    for (const auto& [key, value] : level.file.Items(section)) merged[key] = value;
  return merged;
}

std::vector<std::string> Config::Remotes() const {
  std::vector<std::string> names;
  for (const Level& level : levels_) {
    const auto sections = level.file.Sections();
    for (const std::string& section : sections) {
      if (!section.starts_with("remote \"") || !section.ends_with('"')) continue;
      const std::string name = section.substr(8, section.size() - 9);
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

}  // namespace rondo::data::dvc
