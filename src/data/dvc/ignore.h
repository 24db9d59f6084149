/// `.dvcignore`: gitignore's patterns, one file a folder, those of deeper folders win. Always ignored: .git, .hg, .dvc, and folders that are DVC repositories of
/// their own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace rondo::data::dvc {

/// One pattern of a gitignore-like file.
class IgnorePattern {
 public:
  /// `line` without blanks around it; comments and empty lines are the caller's.
  explicit IgnorePattern(std::string_view line);
  /// `path` relative to the pattern's folder. Matches the path itself, not what is below it.
  bool Matches(std::string_view path, bool is_dir) const;
  bool negated() const { return negated_; }

 private:
  std::vector<std::string> segments_;  ///< "**" stands for any number of folders
  bool negated_ = false, dir_only_ = false;
};

/// Not thread-safe (folders are read when first asked for).
class Ignore {
 public:
  /// `file`: ".dvcignore", or ".gitignore" to know what git ignores.
  explicit Ignore(fs::path root, std::string file = ".dvcignore") : root_(std::move(root)), file_(std::move(file)) {}

  struct Match {
    bool ignored = false;
    std::string source;   ///< ".dvcignore:3:*.tmp"; empty: no pattern matched
  };
  /// `path` relative to the root. Ignored folders hide what is in them.
  Match Check(std::string_view path, bool is_dir) const;
  bool Ignored(std::string_view path, bool is_dir) const { return Check(path, is_dir).ignored; }
  /// Is a pattern of any file in force in `folder` or above? When not, only the built-in names count there.
  bool AnyPatterns(std::string_view folder) const;

 private:
  struct Rule {
    IgnorePattern pattern;
    std::string base;  ///< folder of the file, relative to the root, "" or with a final '/'
    std::string source;
  };
  struct Folder {
    std::vector<Rule> rules;  ///< of this folder's own file
  };
  const Folder& At(const std::string& folder) const;
  Match CheckOne(std::string_view path, bool is_dir) const;

  fs::path root_;
  std::string file_;
  mutable std::map<std::string, Folder, std::less<>> folders_;
};

/// Names that are ignored everywhere.
bool IsBuiltInIgnored(std::string_view name, bool is_dir);

}  // namespace rondo::data::dvc
