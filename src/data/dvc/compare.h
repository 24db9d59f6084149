/// Two states of the tracked data side by side: what `data status` and `diff` are made from.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/dvc/repo.h"

namespace rondo::data::dvc {

/// One tracked path: an output, or a file in a folder.
struct StateEntry {
  ObjectId id;
  bool has_id = false;
  bool is_dir = false;   ///< then the shown path ends in '/'
  bool unknown = false;  ///< a folder whose listing can't be read: what is in it is unknown
  bool cached = true;    ///< belongs into the cache
};
/// By path without a final '/'.
using DataState = std::map<std::string, StateEntry, std::less<>>;

/// As recorded. `granular`: folders' files too, from the cache.
Result<DataState> RecordedState(const Repo& repo, const std::vector<Tracked>& outputs, bool granular);
/// As found in the workspace at the outputs' paths.
Result<DataState> PresentState(const Repo& repo, const std::vector<Tracked>& outputs, bool granular);

struct StateChange {
  enum class Kind { kAdded, kDeleted, kModified, kUnchanged, kUnknown, kRenamed } kind;
  std::string path, new_path;  ///< with the final '/' of folders; new_path of a rename
  std::string old_hash, new_hash;
};
/// By path. Pairs of an added and a deleted path with the same content become renames.
std::vector<StateChange> Compare(const DataState& before, const DataState& after, bool renames);

}  // namespace rondo::data::dvc
