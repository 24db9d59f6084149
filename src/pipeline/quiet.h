/// The fast way to know that there is nothing to do: after a run that left everything up to date, every file that the verdict rests on is noted with its
/// stat; as long as all of them are the same, so is the verdict. docs/formats/run_log.md. Internal to pipeline; `rondo run` asks before it reads anything.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"

namespace rondo::pipeline {

struct Parts;

/// How many stages there are, all of them up to date; empty: look properly. Never wrong in saying so: a file that changed within the clock's grain of the
/// note is hashed.
std::optional<int64_t> NothingToDo(const std::filesystem::path& root, const std::filesystem::path& data);
/// Notes the present state. Does nothing for projects whose verdict rests on more than files (registered models, callbacks, globs, conditions).
void SaveQuiet(Parts& parts);

}  // namespace rondo::pipeline
