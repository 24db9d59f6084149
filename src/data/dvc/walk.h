/// The files below a folder, read in parallel with getdents and fstatat.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "data/dvc/file_table.h"

namespace rondo::data::dvc {

class Ignore;

/// Files of `folder` (relative to `root`; a real folder) with their stat data, sorted by path relative to the folder. Links to files count as their content,
/// links to folders are left out, as DVC does. kInvalid names pipes, sockets, devices, links that lead nowhere or in a circle, and a `.dvcignore` inside.
Result<FileTable> Walk(const fs::path& root, const std::string& folder, const Ignore& ignore);

/// Stat data of one file, links followed. kNotFound; kInvalid for a pipe or the like. A folder: std::nullopt in `is_dir`'s place.
struct OneFile {
  bool exists = false, is_dir = false, is_link = false, executable = false;
  FileStat stat;
};
Result<OneFile> LookAt(const fs::path& path);

/// Stats rows again (their ctime changes when links to them are made). Rows whose file is gone or whose size or mtime differ are no longer `known`.
void Restat(const fs::path& folder, FileTable& table);

/// The clock that stamps files: what a file created now below `folder` would get as mtime (ns).
int64_t FileClockNs();

}  // namespace rondo::data::dvc
