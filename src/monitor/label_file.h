/// Labels from a table: CSV, Parquet, JSON.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "monitor/labels.h"

namespace rondo::monitor {

struct LabelColumns {
  std::string key;     ///< the problem's key; empty: none
  std::string target;  ///< the problem's target
};

/// Needs a column `id` or `prediction_id` (prediction ids) or the key column (else `key`); the target column (else `label`); optionally `time` or
/// `label_time` (ISO 8601 or milliseconds). Ids, keys and labels are read as the texts that they are. Rows without a label are left out and counted.
struct LabelFile {
  std::vector<LabelRow> rows;
  int64_t unlabelled = 0;
};
Result<LabelFile> ReadLabelFile(const std::filesystem::path& file, const LabelColumns& columns);

}  // namespace rondo::monitor
