/// From the cache into the workspace: files are made from verified bytes, below a folder that no symlink leads out of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "data/dvc/cache.h"
#include "data/dvc/fd.h"
#include "data/dvc/file_table.h"
#include "data/dvc/links.h"
#include "data/dvc/progress.h"

namespace rondo::data::dvc {

/// Opens folders below a root part by part without following links: neither a link in the workspace nor ".." in a name leads anywhere else.
class Beneath {
 public:
  /// `root` itself is trusted.
  static Result<Beneath> Open(const fs::path& root);
  /// The folder `path` ("" is the root); missing ones are made when `create`. kForbidden when a part is a link or no folder, kNotFound when it isn't there.
  /// The descriptor is valid until the next call.
  Result<int> Folder(std::string_view path, bool create);
  const fs::path& root() const { return root_; }

 private:
  fs::path root_;
  Fd top_, last_;
  std::string last_path_;
  bool has_last_ = false;
};

struct MadeFiles {
  uint64_t files = 0, bytes = 0;
  std::vector<size_t> missing;                              ///< rows whose object isn't in the cache
  std::vector<std::pair<size_t, std::string>> damaged;      ///< rows whose object's bytes don't have its name: the MD5 they have
};
/// Makes each row's file (row.md5) below `folder` of `beneath`, replacing what is there. Rows made get their new stat data and become `known`.
/// `fresh`: the folder is empty and nobody else's, so files are written at their names.
Result<MadeFiles> Materialize(const Cache& cache, const fs::path& root, std::string_view folder, FileTable& table, const std::vector<size_t>& rows, LinkKind kind, bool fresh,
                              const ProgressSink& progress);

}  // namespace rondo::data::dvc
