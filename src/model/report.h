/// One self-contained page that a product owner can read: out/report.html.
#pragma once

#include <string>

#include "base/json.h"
#include "project/spec.h"

namespace rondo::model {

/// `metrics` is the content of out/metrics.json. `facts` says what the page states about data and run; every key is optional:
/// {"model": "churn/7", "algorithm", "created": "2026-01-31T12:00:00Z", "run", "commit", "dirty": bool, "digest", "seed", "params": {…},
///  "features": n, "rows": {"train", "validation", "test"}, "split": "key", "datasets": [{"name", "md5", "rows", "source"}], "warnings": ["…"]}.
/// Nothing is fetched from elsewhere; every text is escaped; follows the reader's dark or light setting.
std::string ReportHtml(const project::Project& project, const Json& metrics, const Json& facts);

}  // namespace rondo::model
