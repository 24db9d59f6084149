/// `.dir` objects: the listing of a tracked folder, bytes as Python's json.dumps(list, sort_keys=True) writes them (docs/formats/dvc.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/dvc/object_id.h"

namespace rondo::data::dvc {

struct DirEntry {
  std::string path;  ///< relative, '/' between names; bytes as the file system has them
  Md5 md5;
};

/// Sorted by path (code points). Paths are checked: relative, no empty, "." or ".." parts, no NUL, nothing below .git or .dvc, no path twice and none that is
/// both file and folder.
struct DirListing {
  std::vector<DirEntry> entries;

  void Sort();
  /// The object's bytes. Bytes that are no UTF-8 are written as lone surrogates \udcXX, as Python names such files.
  std::string Bytes() const;
  ObjectId Id() const;
  const DirEntry* Find(std::string_view path) const;
};
/// kFailedCheck for broken or hostile text; `name` stands in the message. Any key order and unknown keys are accepted.
Result<DirListing> ParseDirListing(std::string_view text, const std::string& name);

/// Is `path` one that may be written below a tracked folder? The reason when not, else "".
std::string_view WhyUnsafe(std::string_view path);

}  // namespace rondo::data::dvc
