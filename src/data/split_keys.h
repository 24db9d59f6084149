/// Row keys and content hashes. Internal to this module.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "table/table.h"

namespace rondo::data {

/// 128 bits of xxh3 over the row's cells as 32 hex digits: columns in the order of their names, so that moving a column changes nothing; missing
/// differs from any text. `without`: columns left out.
std::vector<std::string> ContentHashes(const table::Frame& data, const std::vector<std::string_view>& without = {});
/// The key column's text, or content hash, "-" and the occurrence number among equal rows (from 1). kFailedCheck when a key is missing or occurs twice.
Result<std::vector<std::string>> RowIds(const table::Frame& data, const std::string& key);
/// [0, 1) by a seeded hash.
double HashShare(std::string_view text, uint64_t seed);

}  // namespace rondo::data
