// Step `split`: the training dataset into three parts, with row keys and leakage checks.
#include <fmt/format.h>

#include <cstdio>

#include "base/file.h"
#include "base/json_map.h"
#include "steps/files.h"
#include "steps/step.h"

namespace rondo::steps {

Status SplitStep(Context& c) {
  RONDO_TRY(table::Frame frame, table::ReadTable(c.Path("out/data/" + c.problem().data + ".parquet")));
  RONDO_TRY(const data::SplitResult split, data::MakeSplit(c.project, frame));
  if (c.problem().key.empty()) {
    if (frame.Find("row_key")) return Fail(Code::kInvalid, "the data have a column \"row_key\", a name that Rondo needs for rows without a key", "set problem.key: row_key, or rename the column");
    table::Column key;
    key.name = "row_key";
    key.type = table::Type::kString;
    key.strings = split.row_ids;
    key.missing.assign(key.strings.size(), 0);
    frame.columns.push_back(std::move(key));
  }
  const std::vector<size_t>* parts[] = {&split.train, &split.validation, &split.test};
  Json counts = Json::MakeObject();
  for (size_t i = 0; i < 3; ++i) {
    RONDO_DO(table::WriteParquet(frame.Take(*parts[i]), c.Path(std::string("out/split/") + kParts[i] + ".parquet")));
    counts.Set(kParts[i], parts[i]->size());
  }
  Json warnings(split.warnings);
  for (const Json& w : split.warnings) std::printf("WARNING %s: %s\n", w["check"].AsString().c_str(), w["message"].AsString().c_str());
  const Json out = Json::MakeObject()
                       .Set("by", c.project.split.by)
                       .Set("seed", c.project.SplitSeed())
                       .Set("rows", counts)
                       .Set("missing_target", split.missing_target)
                       .Set("row_ids_hash", split.row_ids_hash)
                       .Set("warnings", warnings);
  RONDO_DO(WriteFileAtomic(c.Path("out/split/split.json"), out.Pretty()));
  std::string summary = fmt::format("train {}, validation {}, test {} rows by {}", split.train.size(), split.validation.size(), split.test.size(), c.project.split.by);
  if (split.missing_target > 0) summary += fmt::format("; {} rows without target left out", split.missing_target);
  if (!split.warnings.empty()) summary += fmt::format("; {} leakage warnings", split.warnings.size());
  c.Summary(summary);
  return {};
}

}  // namespace rondo::steps
