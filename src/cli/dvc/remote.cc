// dvc remote add, modify, list, default, remove, rename.
#include <fmt/format.h>

#include <algorithm>

#include "cli/dvc/remote_verbs.h"
#include "data/remotes/remote.h"

namespace rondo::cli::dvc {
namespace {

using data::dvc::Config;
using data::dvc::ConfigLevel;
using data::dvc::IniFile;
using data::dvc::RemoteSection;

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool HasSection(const IniFile& file, const std::string& section) {
  const auto all = file.Sections();
  return std::find(all.begin(), all.end(), section) != all.end();
}

/// An edit's complaint becomes DVC's.
Result<int> Finish(const Status& status) {
  if (status) return kOk;
  if (status.error().code == Code::kInvalid || status.error().code == Code::kNotFound) return ConfigError(status.error().message);
  return std::unexpected(status.error());
}

std::unexpected<Error> NoSuch(const std::string& name) { return Fail(Code::kInvalid, "remote '" + name + "' doesn't exist."); }

/// Levels from the highest down to the one that was edited, that one too.
std::vector<ConfigLevel> Shadowing(std::optional<ConfigLevel> level) {
  std::vector<ConfigLevel> out;
  for (const ConfigLevel l : {ConfigLevel::kLocal, ConfigLevel::kRepo, ConfigLevel::kGlobal, ConfigLevel::kSystem}) {
    out.push_back(l);
    if (l == level.value_or(ConfigLevel::kRepo)) break;
  }
  return out;
}

Status EditWhereThere(const fs::path& dvc_dir, ConfigLevel level, const std::function<void(IniFile&)>& edit) {
  std::error_code ec;
  if (!fs::exists(Config::PathOf(level, dvc_dir), ec)) return {};
  return EditConfig(dvc_dir, level, [&](IniFile& file, const fs::path&) {
    edit(file);
    return Status();
  });
}

}  // namespace

Result<int> RemoteAdd(Call& call) {
  const std::string name = Lower(call.args[0]), url = call.args[1];
  if (call.Has("--default")) call.Write("Setting '" + name + "' as a default remote.");
  return Finish(EditConfig(FindDvcDir(), LevelOf(call), [&](IniFile& file, const fs::path& path) -> Status {
    const std::string section = RemoteSection(name);
    if (HasSection(file, section)) {
      if (!call.Has("--force")) return Fail(Code::kInvalid, "remote '" + name + "' already exists. Use `-f|--force` to overwrite it.");
      for (const auto& [key, value] : file.Items(section)) file.Unset(section, key);
    }
    file.Set(section, "url", StoredPath(url, path));
    if (call.Has("--default")) file.Set("core", "remote", name);
    return {};
  }));
}

Result<int> RemoteModify(Call& call) {
  const std::string name = Lower(call.args[0]), option = Lower(call.args[1]);
  const bool unset = call.Has("--unset");
  if (!unset && call.args.size() < 3) {
    PrintError("the following arguments are required: value");
    return kBadArguments;
  }
  RONDO_TRY(const Config config, Config::Load(FindDvcDir()));
  return Finish(EditConfig(FindDvcDir(), LevelOf(call), [&](IniFile& file, const fs::path& path) -> Status {
    const std::string section = RemoteSection(name);
    if (config.Section(section).empty() && !HasSection(file, section)) return NoSuch(name);
    if (unset) {
      file.Unset(section, option);
      return {};
    }
    const bool is_path = option == "url" || option == "credentialpath" || option == "configpath" || option == "keyfile";
    file.Set(section, option, is_path ? StoredPath(call.args[2], path) : call.args[2]);
    return {};
  }));
}

Result<int> RemoteList(Call& call) {
  const fs::path dvc_dir = FindDvcDir();
  RONDO_TRY(const Config config, Config::Load(dvc_dir));
  const std::string chosen = config.GetOr("core", "remote", "");
  const auto level = LevelOf(call);
  for (const std::string& name : config.Remotes()) {
    const auto url = config.Find(RemoteSection(name), "url");
    if (!url || (level && url->level != *level)) continue;
    std::string shown = url->value;
    if (data::remotes::SchemeOf(shown).empty() && !fs::path(shown).is_absolute()) shown = (url->folder / shown).lexically_normal().string();
    // As rich prints a table's tabs: to the next multiple of eight.
    std::string line = name;
    do line += ' ';
    while (line.size() % 8 != 0);
    line += shown;
    if (name == chosen) {
      do line += ' ';
      while (line.size() % 8 != 0);
      line += "(default)";
    }
    call.Write(line);
  }
  return kOk;
}

Result<int> RemoteDefault(Call& call) {
  const fs::path dvc_dir = FindDvcDir();
  RONDO_TRY(const Config config, Config::Load(dvc_dir));
  const bool unset = call.Has("--unset");
  if (call.args.empty() && !unset) {
    const auto found = config.Find("core", "remote");
    const auto level = LevelOf(call);
    if (!found || found->value.empty() || (level && found->level != *level)) {
      call.Write("No default remote set");
      return kFailed;
    }
    call.Write(found->value);
    return kOk;
  }
  return Finish(EditConfig(dvc_dir, LevelOf(call), [&](IniFile& file, const fs::path&) -> Status {
    if (unset) {
      file.Unset("core", "remote");
      return {};
    }
    const std::string name = Lower(call.args[0]);
    if (!HasSection(file, RemoteSection(name)) && config.Section(RemoteSection(name)).empty()) return Fail(Code::kInvalid, "default remote must be present in remote list.");
    file.Set("core", "remote", name);
    return {};
  }));
}

Result<int> RemoteRemove(Call& call) {
  const std::string name = Lower(call.args[0]);
  const fs::path dvc_dir = FindDvcDir();
  const Status removed = EditConfig(dvc_dir, LevelOf(call), [&](IniFile& file, const fs::path&) -> Status {
    if (!file.RemoveSection(RemoteSection(name))) return NoSuch(name);
    return {};
  });
  if (!removed) return Finish(removed);
  for (const ConfigLevel level : Shadowing(LevelOf(call)))
    RONDO_DO(EditWhereThere(dvc_dir, level, [&](IniFile& file) {
      if (file.Get("core", "remote") == name) file.Unset("core", "remote");
    }));
  return kOk;
}

Result<int> RemoteRename(Call& call) {
  const std::string name = Lower(call.args[0]), to = Lower(call.args[1]);
  const fs::path dvc_dir = FindDvcDir();
  RONDO_TRY(const Config config, Config::Load(dvc_dir));
  if (!config.Section(RemoteSection(to)).empty()) return ConfigError("Rename failed. Remote name '" + to + "' already exists.");
  const Status renamed = EditConfig(dvc_dir, LevelOf(call), [&](IniFile& file, const fs::path&) -> Status {
    const auto items = file.Items(RemoteSection(name));
    if (!file.RemoveSection(RemoteSection(name))) return NoSuch(name);
    for (const auto& [key, value] : items) file.Set(RemoteSection(to), key, value);  // at the end, where DVC puts it
    return {};
  });
  if (!renamed) return Finish(renamed);
  for (const ConfigLevel level : Shadowing(LevelOf(call)))
    RONDO_DO(EditWhereThere(dvc_dir, level, [&](IniFile& file) {
      if (file.Get("core", "remote") == name) file.Set("core", "remote", to);
    }));
  return kOk;
}

}  // namespace rondo::cli::dvc
