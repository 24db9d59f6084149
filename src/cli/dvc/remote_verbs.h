/// Commands of the front door `dvc` that deal with remotes and other repositories: rows for commands.cc and what the files share.
#pragma once

#include "cli/dvc/command.h"
#include "data/remotes/sync.h"

namespace rondo::cli::dvc {

/// Rows: push, pull, fetch, remote …, config, cache dir, version, import, import-url, update, get, get-url, list.
std::vector<Command> RemoteCommands();

// sync.cc
Result<int> PushVerb(Call&);
Result<int> PullVerb(Call&);
Result<int> FetchVerb(Call&);
/// `status -c` and `status -r NAME`.
Result<int> CloudStatusVerb(Call&);
// remote.cc
Result<int> RemoteAdd(Call&);
Result<int> RemoteModify(Call&);
Result<int> RemoteList(Call&);
Result<int> RemoteDefault(Call&);
Result<int> RemoteRemove(Call&);
Result<int> RemoteRename(Call&);
// config.cc
Result<int> ConfigVerb(Call&);
Result<int> CacheDir(Call&);
Result<int> VersionVerb(Call&);
// import.cc
Result<int> ImportVerb(Call&);
Result<int> ImportUrlVerb(Call&);
Result<int> UpdateVerb(Call&);
// get.cc
Result<int> GetVerb(Call&);
Result<int> GetUrlVerb(Call&);
Result<int> ListVerb(Call&);

/// "ERROR: configuration error - config file error: …" and exit code 251.
int ConfigError(const std::string& text);
/// --jobs: a number, or 0 when it isn't given; nullopt after an error was printed (exit code 254).
std::optional<size_t> Jobs(const Call& call);
/// The level that --global, --system, --project or --local names; nullopt: none given.
std::optional<data::dvc::ConfigLevel> LevelOf(const Call& call);
/// Reads, edits and writes one level's file. The edit fails -> the file is unchanged.
Status EditConfig(const fs::path& dvc_dir, std::optional<data::dvc::ConfigLevel> level, const std::function<Status(data::dvc::IniFile&, const fs::path& file)>& edit);
/// A path of a configuration as DVC stores it: relative ones count from the configuration file's folder.
std::string StoredPath(const std::string& typed, const fs::path& file);
/// Unknown sections and keys, with DVC's text; "" when all is known.
std::string WhyInvalid(const data::dvc::IniFile& file);
/// `.dvc` around the present folder; empty outside of a repository.
fs::path FindDvcDir();

}  // namespace rondo::cli::dvc
