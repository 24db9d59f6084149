// Step `profile`: statistics of each dataset as JSON and as a page; kept with the dataset version.
#include <fmt/format.h>

#include "base/file.h"
#include "base/json_map.h"
#include "steps/files.h"
#include "steps/step.h"

namespace rondo::steps {

Status Profile(Context& c) {
  std::string summary;
  for (const project::Dataset& spec : c.project.data) {
    RONDO_TRY(const data::IngestResult ingested, ReadIngest(c, spec.name));
    RONDO_TRY(const Json profile, data::Profile(c.Path("out/data/" + spec.name + ".parquet")));
    RONDO_DO(WriteFileAtomic(c.Path("out/profile/" + spec.name + ".json"), profile.Pretty(Json::NonFinite::kNull)));
    data::CheckReport report;
    const data::CheckReport* check = nullptr;
    if (auto text = ReadFile(c.Path("out/check/" + spec.name + ".json"))) {
      if (auto read = ReadJson<data::CheckReport>(*text)) {
        report = std::move(*read);
        check = &report;
      }
    }
    RONDO_DO(WriteFileAtomic(c.Path("out/profile/" + spec.name + ".html"), data::ProfileHtml(spec.name, profile, check)));
    RONDO_TRY(data::DatasetVersion version, data::GetVersion(c.workspace->db(), ingested.md5));
    version.profile = profile;
    RONDO_TRY(version, data::RecordVersion(c.workspace->db(), version));
    int64_t with_nulls = 0;
    for (const auto& [name, column] : profile["columns"].AsObject()) with_nulls += column["nulls"].AsInt() > 0;
    summary += fmt::format("{}{}: {} columns, {} with missing values, {} alerts", summary.empty() ? "" : "; ", spec.name, profile["columns"].size(), with_nulls, profile["alerts"].size());
  }
  c.Summary(summary);
  return {};
}

}  // namespace rondo::steps
