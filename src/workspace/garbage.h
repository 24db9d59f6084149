/// Files whose run or model was purged, and copies of artifact folders.
#pragma once

#include <string>

#include "workspace/workspace.h"

namespace rondo::workspace {

struct Collected {
  int64_t folders = 0;  ///< deleted
  int64_t kept = 0;     ///< a registered version still needs them: tried again next time
  int64_t elsewhere = 0;  ///< in a store that this server does not keep
};
/// Deletes what tracking/trash.h has noted. May be cut off anywhere and called by several processes.
Result<Collected> CollectGarbage(Workspace& workspace);

/// Copies all files below one artifact folder into another; returns how many. kUnsupported when either is kept elsewhere.
Result<int64_t> CopyArtifacts(Workspace& workspace, const std::string& from_uri, const std::string& to_uri);

}  // namespace rondo::workspace
