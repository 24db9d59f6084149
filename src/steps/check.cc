// Step `check`: each dataset against its contract; the version is recorded with the verdict.
#include <fmt/format.h>

#include <cstdio>

#include "base/file.h"
#include "base/json_map.h"
#include "steps/files.h"
#include "steps/step.h"

namespace rondo::steps {

Status Check(Context& c) {
  std::string summary;
  std::string failed;
  for (const project::Dataset& spec : c.project.data) {
    const fs::path parquet = c.Path("out/data/" + spec.name + ".parquet");
    RONDO_TRY(const data::IngestResult ingested, ReadIngest(c, spec.name));
    RONDO_TRY(const auto previous, data::LastAccepted(c.workspace->db(), spec.name, ingested.md5));
    const Json* profile = previous && previous->profile.IsObject() ? &previous->profile : nullptr;
    RONDO_TRY(const data::CheckReport report, data::Check(spec, parquet, previous ? &previous->schema : nullptr, profile, c.workspace->clock().NowMs()));
    RONDO_DO(WriteFileAtomic(c.Path("out/check/" + spec.name + ".json"), ToJson(report).Pretty()));
    RONDO_TRY(const std::string object, data::PutObject(c.workspace->folder() / "cache", parquet));
    if (object != ingested.md5) return Fail(Code::kFailedCheck, parquet.string() + " has changed since it was ingested", "run again: rondo run");
    data::DatasetVersion version;
    version.dataset = spec.name;
    version.md5 = ingested.md5;
    version.time = c.workspace->clock().NowMs();
    version.rows = ingested.rows;
    version.bytes = ingested.bytes;
    version.source = spec.from.empty() ? spec.sql : spec.from;
    version.source_md5 = ingested.source_md5;
    version.commit = CurrentCommit(c.root).id;
    version.pipeline_run = c.pipeline_run;
    version.schema = ingested.schema;
    version.check = ToJson(report);
    version.accepted = report.passed;
    RONDO_TRY(const data::DatasetVersion stored, data::RecordVersion(c.workspace->db(), version));
    int64_t errors = 0, warnings = 0;
    for (const data::Anomaly& a : report.anomalies) {
      (a.severity == "ERROR" ? errors : warnings) += 1;
      std::printf("%s %s.%s: %s (%lld rows)\n", a.severity.c_str(), spec.name.c_str(), a.column.c_str(), a.message.c_str(), static_cast<long long>(a.count));
      if (a.severity == "ERROR" && failed.empty()) failed = fmt::format("{}.{}: {} ({} rows)", spec.name, a.column, a.message, a.count);
    }
    summary += fmt::format("{}{} v{}: {} checks, {} failed, {} warnings", summary.empty() ? "" : "; ", spec.name, stored.number, report.checks, errors, warnings);
  }
  c.Summary(summary);
  if (!failed.empty()) return Fail(Code::kFailedCheck, "the contract failed: " + failed, "see out/check/: fix the data, or change the contract in rondo.yaml");
  return {};
}

}  // namespace rondo::steps
