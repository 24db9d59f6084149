/// Which files a `from:` names and how they are written. Internal to this module.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rondo::table {

enum class Format { kCsv, kParquet, kJson };
struct Sources {
  Format format = Format::kCsv;
  std::vector<std::filesystem::path> files;  ///< regular files, in byte order of their names
};
/// `source`: a file, a folder (its data files; hidden ones, `_SUCCESS` and subfolders are skipped) or a glob. `format`: auto | csv | parquet | json | ndjson.
/// kFailedCheck when nothing is found or formats are mixed; kInvalid for an unknown format.
Result<Sources> ResolveSources(const std::filesystem::path& source, std::string_view format);

}  // namespace rondo::table
