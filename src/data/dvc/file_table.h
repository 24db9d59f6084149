/// The files of a folder in one flat table, sorted by path: stat data and MD5 beside each other, names in one block. 72 bytes a file and its name.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/md5_many.h"

namespace rondo::data::dvc {

/// What tells that a file is the one that was hashed. Layout is the index's on disk (docs/formats/dvc.md).
struct FileStat {
  uint64_t size = 0, inode = 0, device = 0;
  int64_t mtime_ns = 0, ctime_ns = 0;
  bool operator==(const FileStat&) const = default;
};
FileStat StatOf(const struct stat& st);

struct FileTable {
  struct Row {
    FileStat stat;
    Md5 md5;
    uint64_t name = 0;  ///< offset of the path in `names`
    uint32_t length = 0;
    uint8_t known = 0;       ///< md5 is that of the content with this stat
    uint8_t executable = 0;
    uint16_t unused = 0;
  };
  std::vector<Row> rows;
  std::string names;

  size_t size() const { return rows.size(); }
  std::string_view path(size_t i) const { return std::string_view(names).substr(rows[i].name, rows[i].length); }
  std::string_view path(const Row& row) const { return std::string_view(names).substr(row.name, row.length); }
  Row& Add(std::string_view path);
  uint64_t TotalSize() const;
};

}  // namespace rondo::data::dvc
