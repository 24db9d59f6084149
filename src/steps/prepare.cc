// Step `prepare`: the feature graph, fitted on the training part only.
#include <fmt/format.h>

#include <cstdio>

#include "base/clock.h"
#include "base/file.h"
#include "steps/files.h"
#include "steps/step.h"

namespace rondo::steps {

Status Prepare(Context& c) {
  RONDO_TRY(const table::Frame train, ReadPart(c, "train"));
  const auto columns = FeatureColumns(c, train);
  // `days_since` counts from the newest date of the training part, so that the same data give the same graph.
  int64_t reference = 0;
  for (const table::Column& column : train.columns) {
    if (column.type != table::Type::kDate && column.type != table::Type::kDatetime) continue;
    for (size_t i = 0; i < column.size(); ++i)
      if (!column.IsMissing(i))
        if (auto t = ParseTime(column.strings[i])) reference = std::max(reference, *t);
  }
  RONDO_TRY(const auto graph, model::FitFeatures(c.project.features, columns, train, reference));
  const Json json = graph->ToJson();
  for (const Json& warning : json["warnings"].AsArray()) std::printf("WARNING %s\n", warning.AsString().c_str());
  RONDO_DO(WriteFileAtomic(c.Path("out/prepare/features.json"), json.Pretty()));
  c.Summary(fmt::format("{} raw columns → {} features", graph->inputs().size(), graph->names().size()));
  return {};
}

}  // namespace rondo::steps
