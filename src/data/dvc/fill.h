/// Reading files: their MD5 and, when asked, their content into the cache, both from one reading. Many small files share the lanes of Md5Many.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "data/dvc/cache.h"
#include "data/dvc/file_table.h"
#include "data/dvc/links.h"
#include "data/dvc/progress.h"

namespace rondo::data::dvc {

struct FillResult {
  uint64_t read_files = 0, read_bytes = 0;  ///< files whose content was read
  uint64_t new_objects = 0, new_bytes = 0;
};

/// Makes every row of `table` (files below `folder`) known. With `cache`: afterwards the cache has every row's object, and it is durable. The object's name is
/// that of the bytes written; a file that changes while it is read is read again, at last kConflict.
/// `hardlink`: the file itself becomes the object (cache.type = hardlink).
Result<FillResult> Fill(const fs::path& folder, FileTable& table, const Cache* cache, bool hardlink, const ProgressSink& progress);

}  // namespace rondo::data::dvc
