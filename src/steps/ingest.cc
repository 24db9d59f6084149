// Step `ingest`: sources -> out/data/<dataset>.parquet and .json, in an order that respects `sql:` datasets.
#include <fmt/format.h>

#include <map>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_map.h"
#include "data/dataset.h"
#include "steps/feedback.h"
#include "steps/step.h"

namespace rondo::steps {

Status Ingest(Context& c) {
  RONDO_TRY(const std::string secret, c.workspace->SecretKey());
  std::map<std::string, fs::path> done;
  std::string summary;
  // Files first: a `sql:` dataset may name any dataset that stands before it, or any file.
  for (const bool sql : {false, true}) {
    for (const project::Dataset& spec : c.project.data) {
      if (spec.sql.empty() == sql) continue;
      const fs::path to = c.Path("out/data/" + spec.name + ".parquet");
      auto result = data::Ingest(spec, c.root, done, secret, to);
      if (!result) return Wrap(result.error(), "data." + spec.name);
      RONDO_TRY(const int64_t fed_back, AppendFeedback(c, spec, to));
      if (fed_back > 0) {
        RONDO_TRY(const FileDigest digest, HashFile(to, HashKind::kMd5));
        result->md5 = digest.hex;
        result->bytes = static_cast<int64_t>(digest.size);
        result->rows += fed_back;
      }
      RONDO_DO(WriteFileAtomic(c.Path("out/data/" + spec.name + ".json"), ToJson(*result).Pretty()));
      done[spec.name] = to;
      summary += fmt::format("{}{} {} rows × {} columns, version {}", summary.empty() ? "" : "; ", spec.name, result->rows, result->schema.size(), result->md5.substr(0, 8));
      if (fed_back > 0) summary += fmt::format(" ({} labelled predictions added)", fed_back);
    }
  }
  c.Summary(summary);
  return {};
}

}  // namespace rondo::steps
