// dvc config, cache dir, version; and what the commands that edit a configuration share.
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <map>

#include "base/version.h"
#include "cli/dvc/remote_verbs.h"
#include "data/remotes/remote.h"

namespace rondo::cli::dvc {
namespace {

using data::dvc::Config;
using data::dvc::ConfigLevel;
using data::dvc::IniFile;

std::string Lower(std::string_view s) {
  std::string text(s);
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Keys that DVC accepts, by section. Empty: anything.
const std::map<std::string, std::vector<std::string_view>>& KnownKeys() {
  static const std::map<std::string, std::vector<std::string_view>> known = {
      {"core", {"remote", "checksum_jobs", "interactive", "analytics", "hardlink_lock", "no_scm", "autostage", "experiments", "check_update", "machine", "site_cache_dir"}},
      {"cache", {"local", "s3", "gs", "hdfs", "webhdfs", "ssh", "azure", "dir", "type", "shared", "slow_link_warning", "verify", "protected"}},
      {"state", {"dir", "row_limit", "row_cleanup_quota"}},
      {"index", {"dir"}},
      {"machine", {}},
      {"parsing", {"bool", "list"}},
      {"exp", {"code", "data", "models", "metrics", "params", "plots", "live", "auto_push", "git_remote"}},
      {"hydra", {"enabled", "config_dir", "config_module", "config_name", "plugins_path"}},
      {"studio", {"token", "url", "repo_url", "offline"}},
      {"feature", {"machine", "push_exp_to_git_remote", "data_index_cache"}},
      {"plots", {"html_template", "auto_open", "out_dir"}},
  };
  return known;
}

struct Name {
  std::string section, key;  ///< of the file: `remote "x"`
  std::string what, shown;   ///< "remote" or "section", and its name
};
std::optional<Name> ParseName(const std::string& text) {
  std::string rest = Lower(text), top;
  for (const char* prefix : {"remote.", "db."})
    if (rest.starts_with(prefix) && std::count(rest.begin(), rest.end(), '.') == 2) {
      top = std::string(prefix).substr(0, std::string_view(prefix).size() - 1);
      rest = rest.substr(std::string_view(prefix).size());
    }
  if (std::count(rest.begin(), rest.end(), '.') != 1) return std::nullopt;
  const size_t dot = rest.find('.');
  const std::string section = rest.substr(0, dot);
  return Name{top.empty() ? section : top + " \"" + section + "\"", rest.substr(dot + 1), top.empty() ? "section" : top, section};
}

Result<IniFile> ReadLevel(const fs::path& file) {
  std::error_code ec;
  if (!fs::exists(file, ec)) return IniFile::Parse("", file.string());
  RONDO_TRY(const std::string text, ReadFile(file, 4u << 20));
  return IniFile::Parse(text, file.string());
}

std::vector<ConfigLevel> Levels(const fs::path& dvc_dir, std::optional<ConfigLevel> only) {
  if (only) return {*only};
  if (dvc_dir.empty()) return {ConfigLevel::kSystem, ConfigLevel::kGlobal};
  return {ConfigLevel::kSystem, ConfigLevel::kGlobal, ConfigLevel::kRepo, ConfigLevel::kLocal};
}

/// A stored path as DVC shows it: absolute.
std::string ShownPath(const std::string& section, const std::string& key, const std::string& value, const fs::path& file) {
  const bool path = (section == "cache" && key == "dir") || (section.starts_with("remote \"") && (key == "url" || key == "credentialpath" || key == "configpath"));
  if (!path || !data::remotes::SchemeOf(value).empty() || fs::path(value).is_absolute() || value.starts_with("~")) return value;
  return (file.parent_path() / value).lexically_normal().string();
}

std::string Dotted(const std::string& section) {
  const size_t quote = section.find('"');
  if (quote == section.npos) return section;
  return section.substr(0, quote - 1) + "." + section.substr(quote + 1, section.size() - quote - 2);
}

}  // namespace

int ConfigError(const std::string& text) {
  PrintError("configuration error - config file error: " + text);
  return kConfigError;
}

fs::path FindDvcDir() {
  std::error_code ec;
  for (fs::path at = fs::current_path(ec); !at.empty(); at = at.parent_path()) {
    if (fs::is_directory(at / ".dvc", ec)) return at / ".dvc";
    if (at == at.root_path()) break;
  }
  return {};
}

std::optional<ConfigLevel> LevelOf(const Call& call) {
  if (call.Has("--global")) return ConfigLevel::kGlobal;
  if (call.Has("--system")) return ConfigLevel::kSystem;
  if (call.Has("--project")) return ConfigLevel::kRepo;
  if (call.Has("--local")) return ConfigLevel::kLocal;
  return std::nullopt;
}

std::string WhyInvalid(const IniFile& file) {
  for (const std::string& section : file.Sections()) {
    if (section.starts_with("remote \"")) {
      const std::string name = section.substr(8, section.size() - 9);
      const std::string scheme = data::remotes::SchemeOf(file.Get(section, "url").value_or(""));
      for (const data::remotes::RemoteKind& kind : data::remotes::Kinds()) {
        if (kind.scheme != scheme || !file.Get(section, "url")) continue;  // a part of a remote (config.local) is judged with the whole, when it is used
        for (const auto& [key, value] : file.Items(section)) {
          static const std::vector<std::string_view> common = {"url", "jobs", "checksum_jobs", "worktree", "version_aware", "verify"};
          if (std::find(kind.keys.begin(), kind.keys.end(), key) == kind.keys.end() && std::find(common.begin(), common.end(), key) == common.end())
            return fmt::format("extra keys not allowed @ data['remote']['{}']['{}']", name, key);
        }
      }
      continue;
    }
    if (section.starts_with("db \"") || section.starts_with("machine \"")) continue;
    const auto known = KnownKeys().find(section);
    if (known == KnownKeys().end()) return fmt::format("extra keys not allowed @ data['{}']", section);
    for (const auto& [key, value] : file.Items(section))
      if (!known->second.empty() && std::find(known->second.begin(), known->second.end(), key) == known->second.end())
        return fmt::format("extra keys not allowed @ data['{}']['{}']", section, key);
  }
  return {};
}

std::string StoredPath(const std::string& typed, const fs::path& file) {
  if (!data::remotes::SchemeOf(typed).empty() || typed.starts_with("~") || fs::path(typed).is_absolute()) return typed;
  std::error_code ec;
  return (fs::current_path(ec) / typed).lexically_normal().lexically_relative(fs::absolute(file.parent_path(), ec)).generic_string();
}

Status EditConfig(const fs::path& dvc_dir, std::optional<ConfigLevel> level, const std::function<Status(IniFile&, const fs::path&)>& edit) {
  const ConfigLevel chosen = level.value_or(ConfigLevel::kRepo);
  if (dvc_dir.empty() && (chosen == ConfigLevel::kRepo || chosen == ConfigLevel::kLocal)) return Fail(Code::kInvalid, "Not inside a DVC repo");
  const fs::path file = Config::PathOf(chosen, dvc_dir);
  RONDO_TRY(IniFile ini, ReadLevel(file));
  RONDO_DO(edit(ini, file));
  if (const std::string why = WhyInvalid(ini); !why.empty()) return Fail(Code::kInvalid, why);
  return WriteFileAtomic(file, ini.Text());
}

Result<int> ConfigVerb(Call& call) {
  const fs::path dvc_dir = FindDvcDir();
  const auto level = LevelOf(call);
  const bool unset = call.Has("--unset"), list = call.Has("--list"), origin = call.Has("--show-origin");
  if (origin && (call.args.size() > 1 || unset)) {
    PrintError("--show-origin can't be used together with any of these options: -u/--unset, value");
    return kFailed;
  }
  if (level && dvc_dir.empty() && (*level == ConfigLevel::kRepo || *level == ConfigLevel::kLocal)) return ConfigError("Not inside a DVC repo");
  auto prefix = [&](const fs::path& file, ConfigLevel l) {
    if (!origin) return std::string();
    if (l == ConfigLevel::kRepo || l == ConfigLevel::kLocal) return file.lexically_relative(dvc_dir.parent_path()).string() + "\t";
    return file.string() + "\t";
  };
  if (list) {
    if (!call.args.empty() || unset) {
      PrintError("-l/--list can't be used together with any of these options: -u/--unset, name, value");
      return kFailed;
    }
    for (const ConfigLevel l : Levels(dvc_dir, level)) {
      const fs::path file = Config::PathOf(l, dvc_dir);
      RONDO_TRY(const IniFile ini, ReadLevel(file));
      std::vector<std::string> sections = ini.Sections();
      // DVC lists what has a name of its own (remotes) first.
      std::stable_partition(sections.begin(), sections.end(), [](const std::string& s) { return s.find('"') != s.npos; });
      for (const std::string& section : sections)
        for (const auto& [key, value] : ini.Items(section)) call.Write(prefix(file, l) + Dotted(section) + "." + key + "=" + ShownPath(section, key, value, file));
    }
    return kOk;
  }
  if (call.args.empty()) {
    PrintError("name argument is required");
    return kFailed;
  }
  const auto name = ParseName(call.args[0]);
  if (!name) {
    PrintError("argument name: name argument should look like remote.name.option or db.name.option or section.option");
    return kBadArguments;
  }
  if (call.args.size() == 1 && !unset) {
    auto levels = Levels(dvc_dir, level);
    std::reverse(levels.begin(), levels.end());
    for (const ConfigLevel l : levels) {
      const fs::path file = Config::PathOf(l, dvc_dir);
      RONDO_TRY(const IniFile ini, ReadLevel(file));
      if (const auto value = ini.Get(name->section, name->key)) {
        call.Write(prefix(file, l) + ShownPath(name->section, name->key, *value, file));
        return kOk;
      }
      if (!level) continue;
      if (ini.Items(name->section).empty()) return ConfigError(fmt::format("{} '{}' doesn't exist", name->what, name->shown));
      return ConfigError(fmt::format("option '{}' doesn't exist in {} '{}'", name->key, name->what, name->shown));
    }
    return kOk;
  }
  const Status edited = EditConfig(dvc_dir, level, [&](IniFile& file, const fs::path& path) -> Status {
    if (unset) {
      if (file.Items(name->section).empty()) return Fail(Code::kInvalid, fmt::format("{} '{}' doesn't exist", name->what, name->shown));
      if (!file.Unset(name->section, name->key)) return Fail(Code::kInvalid, fmt::format("option '{}' doesn't exist in {} '{}'", name->key, name->what, name->shown));
      return {};
    }
    const bool is_path = (name->section == "cache" && name->key == "dir") || (name->what == "remote" && name->key == "url");
    file.Set(name->section, name->key, is_path ? StoredPath(call.args[1], path) : call.args[1]);
    return {};
  });
  if (!edited) return edited.error().code == Code::kInvalid ? Result<int>(ConfigError(edited.error().message)) : std::unexpected(edited.error());
  return kOk;
}

Result<int> CacheDir(Call& call) {
  const fs::path dvc_dir = FindDvcDir();
  const auto level = LevelOf(call);
  if (call.args.empty() && !call.Has("--unset")) {
    if (level) {
      const fs::path file = Config::PathOf(*level, dvc_dir);
      RONDO_TRY(const IniFile ini, ReadLevel(file));
      const auto dir = ini.Get("cache", "dir");
      if (!dir) return ConfigError("option 'dir' doesn't exist in section 'cache'");
      call.Write(ShownPath("cache", "dir", *dir, file));
      return kOk;
    }
    RONDO_TRY(const auto repo, call.OpenRepo());
    call.Write(repo->cache().dir().string());
    return kOk;
  }
  const Status edited = EditConfig(dvc_dir, level, [&](IniFile& file, const fs::path& path) -> Status {
    if (!call.Has("--unset")) {
      file.Set("cache", "dir", StoredPath(call.args[0], path));
      return {};
    }
    if (!file.Unset("cache", "dir")) return Fail(Code::kInvalid, "option 'dir' doesn't exist in section 'cache'");
    return {};
  });
  if (!edited) return edited.error().code == Code::kInvalid ? Result<int>(ConfigError(edited.error().message)) : std::unexpected(edited.error());
  return kOk;
}

Result<int> VersionVerb(Call& call) {
  const std::string first = "DVC version: 3.67.1 (rondo " + std::string(kVersion) + ")";
  utsname os{};
  ::uname(&os);
  std::string text = first + "\n" + std::string(first.size(), '-') + "\nPlatform: C++ on " + os.sysname + "-" + os.release + "-" + os.machine + "\nSupports:";
  for (const data::remotes::RemoteKind& kind : data::remotes::Kinds())
    if (!kind.scheme.empty()) text += "\n\t" + std::string(kind.scheme);
  std::puts(text.c_str());
  if (const auto repo = call.OpenRepo()) {
    std::string remotes;
    for (const std::string& name : (*repo)->config().Remotes()) {
      const std::string scheme = data::remotes::SchemeOf((*repo)->config().GetOr(data::dvc::RemoteSection(name), "url", ""));
      remotes += (remotes.empty() ? "" : ", ") + (scheme.empty() ? std::string("local") : scheme);
    }
    std::puts(("Caches: local\nRemotes: " + (remotes.empty() ? std::string("None") : remotes) + "\nRepo: dvc" + ((*repo)->has_git() ? ", git" : " (no_scm)")).c_str());
  }
  return kOk;
}

}  // namespace rondo::cli::dvc
