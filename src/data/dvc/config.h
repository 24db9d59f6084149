/// DVC's configuration: INI files of four levels (system, global, repo, local), the later ones win. Our own settings never go in here: DVC refuses unknown keys.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace rondo::data::dvc {

/// One INI file as lines, so that an update keeps comments and order (configobj's reading and writing).
class IniFile {
 public:
  static Result<IniFile> Parse(std::string_view text, const std::string& name);
  std::optional<std::string> Get(const std::string& section, const std::string& key) const;
  std::vector<std::string> Sections() const;
  std::vector<std::pair<std::string, std::string>> Items(const std::string& section) const;
  void Set(const std::string& section, const std::string& key, const std::string& value);
  bool Unset(const std::string& section, const std::string& key);
  bool RemoveSection(const std::string& section);
  bool RenameSection(const std::string& from, const std::string& to);
  std::string Text() const;

 private:
  struct Line {
    enum class Kind { kOther, kSection, kKey } kind = Kind::kOther;
    std::string text;                 ///< as written
    std::string section, key, value;  ///< key and value of kKey, in `section`
  };
  std::vector<Line> lines_;
};

enum class ConfigLevel { kSystem, kGlobal, kRepo, kLocal };

/// All levels merged. Sections are "core", "cache", `remote "name"` (names in lower case), keys in lower case.
class Config {
 public:
  /// `dvc_dir`: the `.dvc` folder; empty: only system and global.
  static Result<Config> Load(const fs::path& dvc_dir);
  std::optional<std::string> Get(const std::string& section, const std::string& key) const;
  std::string GetOr(const std::string& section, const std::string& key, std::string_view otherwise) const;
  bool Flag(const std::string& section, const std::string& key, bool otherwise = false) const;
  /// Names of remotes, in order of first appearance.
  std::vector<std::string> Remotes() const;
  std::map<std::string, std::string> Section(const std::string& section) const;
  /// Where the value comes from: relative paths count from that file's folder.
  struct Origin {
    std::string value;
    ConfigLevel level;
    fs::path folder;
  };
  std::optional<Origin> Find(const std::string& section, const std::string& key) const;

  static fs::path PathOf(ConfigLevel level, const fs::path& dvc_dir);

 private:
  struct Level {
    ConfigLevel level;
    fs::path folder;
    IniFile file;
  };
  std::vector<Level> levels_;  ///< lowest first
};

/// `remote "name"`.
std::string RemoteSection(std::string_view name);

}  // namespace rondo::data::dvc
