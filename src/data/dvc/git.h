/// What we ask the `git` program (docs/decisions/0004): revisions, trees and blobs of the repository around a folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace rondo::data::dvc {

class Git {
 public:
  explicit Git(fs::path folder) : folder_(std::move(folder)) {}

  /// Runs git in the folder; `input` goes to its standard input. kEnvironment when git isn't installed.
  struct Answer {
    int code = 0;
    std::string out, err;
  };
  Result<Answer> Run(const std::vector<std::string>& args, std::string_view input = {}) const;

  /// The top of the work tree; nullopt outside of a repository (or without git).
  std::optional<fs::path> Top() const;
  /// Full hash of a commit. kNotFound for an unknown revision.
  Result<std::string> Commit(const std::string& revision) const;
  /// Paths (relative to the folder) and blobs of a commit below the folder whose name `wanted` accepts.
  struct Blob {
    std::string path, hash;
  };
  Result<std::vector<Blob>> Files(const std::string& commit, bool (*wanted)(std::string_view path)) const;
  /// Contents of blobs, in order. kNotFound when one is missing (a shallow or partial clone).
  Result<std::vector<std::string>> Contents(const std::vector<std::string>& hashes) const;
  /// Is this path (relative to the folder) tracked by git?
  bool Tracks(const std::string& path) const;

 private:
  fs::path folder_;
};

}  // namespace rondo::data::dvc
