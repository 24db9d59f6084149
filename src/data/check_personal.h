/// Rules of a contract on personal columns. Internal to this module.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "project/spec.h"
#include "table/table.h"

namespace rondo::data {

/// Judges the rules on columns that `personal:` changes or drops, on the source's values, before they are gone. The report comes as JSON (CheckReport)
/// without any value of the data, to be kept in the dataset's file for Check; "" when there are no such rules.
Result<std::string> CheckPersonal(const project::Dataset& spec, const std::filesystem::path& source, table::ReadOptions options, const std::filesystem::path& spill);

}  // namespace rondo::data
