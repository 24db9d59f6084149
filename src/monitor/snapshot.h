/// What the monitor's page, `rondo monitor show` and GET /api/v1/endpoints/<e>/monitor show, read from SQL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "monitor/judge.h"

namespace rondo::monitor {

struct SnapshotOptions {
  std::optional<int64_t> version;  ///< empty: the one that answered last
  bool shadow = false;
  std::optional<int64_t> window;   ///< whose distributions are shown; empty: the newest
  int64_t limit = 60;              ///< windows
};

/// {"endpoint", "version", "windows", "rows", "window", "list", "columns", "scores", "decisions", "performance", "labels", "label_shift", "quality", "limits", "baseline",
/// "versions"}: docs/guide and ui/src/api/types.ts. An endpoint without predictions has 0 windows.
Result<Json> Snapshot(const JudgeContext& context, const std::string& endpoint, const SnapshotOptions& options = {});

}  // namespace rondo::monitor
