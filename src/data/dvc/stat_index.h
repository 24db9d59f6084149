/// The stat index: for each tracked output one flat file that remembers which content (MD5) a file with these stat data had. It is a cache: losing or damaging it
/// costs a re-hash, nothing else. docs/formats/dvc.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "data/dvc/file_table.h"
#include "data/dvc/object_id.h"

namespace rondo::data::dvc {

/// A mapped index file. Rows are sorted by path.
class StatIndex {
 public:
  StatIndex() = default;
  StatIndex(StatIndex&& other) noexcept;
  StatIndex& operator=(StatIndex&& other) noexcept;
  ~StatIndex();

  /// nullopt when there is none, or when it is not whole.
  static std::optional<StatIndex> Open(const fs::path& file);
  /// Checks bytes as Open does (fuzzing, tests).
  static bool Valid(std::string_view bytes);
  size_t size() const { return count_; }
  /// The output the index is of, relative to the repository.
  std::string_view output() const { return output_; }
  /// Files stamped later than this are not believed: they could have been changed in the same tick after they were read (git's racy rule).
  int64_t scanned_ns() const { return scanned_ns_; }
  /// Name of the whole when every row is unchanged.
  std::optional<ObjectId> id() const { return id_; }
  uint64_t total_size() const { return total_size_; }
  /// When all objects were last seen in the cache; 0: never.
  int64_t present_ns() const { return present_ns_; }

  /// Takes over the MD5 of each row whose path and stat data are the index's. Both are sorted. Returns how many rows are known now; `racy` counts those whose
  /// stat data agree but are too young to be believed.
  size_t Apply(FileTable& table, size_t* racy) const;

  /// Rows that are not `known` are left out.
  static Status Write(const fs::path& file, std::string_view output, const FileTable& table, int64_t scanned_ns, const std::optional<ObjectId>& id, int64_t present_ns);

 private:
  std::string_view bytes_;  ///< the mapping
  const FileTable::Row* rows_ = nullptr;
  size_t count_ = 0;
  std::string_view names_, output_;
  int64_t scanned_ns_ = 0, present_ns_ = 0;
  uint64_t total_size_ = 0;
  std::optional<ObjectId> id_;
};

/// Is a file with these stamps safely older than the scan?
bool OlderThan(const FileStat& stat, int64_t scanned_ns);

}  // namespace rondo::data::dvc
