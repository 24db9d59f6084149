/// `rondo.lock`: what each stage last ran with and made, in DVC's lock grammar (schema 2.0), committed to git beside rondo.yaml.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "pipeline/hashing.h"

namespace rondo::pipeline {

struct LockedPath {
  std::string path;
  PathState state;
};
struct LockedStage {
  std::string cmd;
  std::vector<LockedPath> deps, outs;
  std::vector<std::pair<std::string, Json>> params;  ///< dotted key of rondo.yaml, or "file:key", -> value
  std::map<std::string, std::string> externals;      ///< kept as params of the pseudo file "rondo:state"
};
using Lock = std::map<std::string, LockedStage>;

/// kInvalid names file and place of a broken lock; a missing file is an empty lock.
Result<Lock> ReadLock(const std::filesystem::path& file);
/// Deterministic bytes, atomic; unchanged content is not written.
Status WriteLock(const std::filesystem::path& file, const Lock& lock);
std::string LockText(const Lock& lock);
/// The parts of LockText: the lines before the first stage, and those of one stage.
std::string LockHead(bool empty);
std::string StageText(const std::string& name, const LockedStage& stage);
Result<Lock> ParseLock(const std::string& text, const std::string& name);
/// The same for the shape that we write, in a tenth of the time; empty for anything else. Internal.
std::optional<Lock> ParseLockFast(std::string_view text);
/// The pseudo params file of states outside the project's files.
inline constexpr std::string_view kStateFile = "rondo:state";

/// JSON of a locked stage (run cache entries); and back.
Json StageToJson(const LockedStage& stage);
Result<LockedStage> StageFromJson(const Json& json, const std::string& where);

}  // namespace rondo::pipeline
