/// The present state of one stage against the lock: what changed, and the key of its run cache entry. Internal to pipeline.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/graph.h"
#include "pipeline/hashing.h"
#include "pipeline/journal.h"
#include "pipeline/lock.h"
#include "pipeline/python_code.h"

namespace rondo::pipeline {

/// States outside the folder; asked only for stages that name them.
class Externals {
 public:
  virtual ~Externals() = default;
  /// "" when there is none.
  virtual Result<std::string> Value(const std::string& name) = 0;
  /// A recorded value that isn't the present one may still be fine: the champion may be this very model.
  virtual Result<bool> Accepts(const std::string& name, const std::string& recorded, const std::string& now) = 0;
  /// Whether this data folder has seen the stage end with this entry of the lock. A clone with another data folder has not: what the stage leaves
  /// there (versions, a rollout) is missing, whatever the lock says.
  virtual bool Seen(const std::string& stage, const LockedStage& entry) = 0;
};

struct StageState {
  LockedStage now;              ///< cmd, deps, params, externals as they are; outs empty
  std::vector<Change> changes;  ///< against the lock; empty: up to date
};

/// `old`: its entry of the lock; nullptr when it has none. `code`: may be nullptr (imports don't count).
/// kInvalid (kFailedCheck for sources) names a dependency that doesn't exist and that no stage makes.
Result<StageState> LookAt(const StageNode& node, const LockedStage* old, PathHasher& hasher, Externals& externals, PythonCode* code);
/// SHA-256 over command, deps, params, externals and, for commands of the user, the kind of machine.
std::string CacheKey(const StageNode& node, const LockedStage& now);

/// Outputs by cache key, and their bytes as objects in DVC's layout. Thread-safe.
class RunCache {
 public:
  RunCache(std::filesystem::path root, std::filesystem::path cache) : root_(std::move(root)), cache_(std::move(cache)) {}
  ~RunCache();
  /// Stores outs (files and folders) as objects; fills their states.
  Result<std::vector<LockedPath>> StoreOuts(const StageNode& node, PathHasher& hasher);
  Status Remember(const std::string& key, const StageNode& node, const LockedStage& stage);
  /// The entry of a key that has the stage's outs and whose objects are there (of folders: the list); empty otherwise.
  Result<std::optional<LockedStage>> Find(const std::string& key, const StageNode& node, const LockedStage& now);
  /// Brings outs back into the workspace.
  Status Restore(const std::vector<LockedPath>& outs);
  /// Small objects are written without waiting for the disk; this waits for all of them. What a power cut takes, hashes find: see docs/decisions/0101.
  Status Sync();

 private:
  Status StoreFile(const std::filesystem::path& file, const std::string& md5, int64_t size);
  Status StoreBytes(const std::filesystem::path& target, std::string_view bytes);
  std::filesystem::path root_, cache_;
  std::mutex mutex_;
  std::vector<int> unsynced_;  ///< open files
};

}  // namespace rondo::pipeline
