/// What an output is in the workspace right now: read through its stat index, hashed where that doesn't know.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "data/dvc/fill.h"
#include "data/dvc/repo.h"
#include "data/dvc/stat_index.h"

namespace rondo::data::dvc {

struct WorkspaceState {
  bool exists = false, is_dir = false, executable = false;
  fs::path folder;          ///< what the table's paths are relative to: the output, or its parent when it is a file
  FileTable table;          ///< every row known
  ObjectId id;
  uint64_t size = 0;
  int64_t scanned_ns = 0;   ///< the file clock before the first stat
  int64_t present_ns = 0;   ///< of the index: when all objects were in the cache
  FillResult filled;
  bool stale = false;       ///< the index would be better written again

  DirListing Listing() const;
};

/// `path`: relative to the root. `store`: the files' content goes into the cache as well.
Result<WorkspaceState> ScanWorkspace(const Repo& repo, const std::string& path, bool store, bool hardlink = false);
/// Writes the index of the output: failing only costs the next scan some hashing, so it isn't reported.
void SaveIndex(const Repo& repo, const std::string& path, const WorkspaceState& state, int64_t present_ns);
fs::path IndexFile(const Repo& repo, std::string_view path);
void DropIndex(const Repo& repo, std::string_view path);

}  // namespace rondo::data::dvc
