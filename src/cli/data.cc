// Datasets by hand: versions, contract, profile; and what can be trained.
#include <fmt/format.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_map.h"
#include "cli/verbs.h"
#include "data/dataset.h"
#include "model/train.h"
#include "project/reader.h"

namespace rondo::cli {

Result<int> DataList(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const auto versions, data::ListVersions(w->db(), call.Arg(0)));
  Json list = Json::MakeArray();
  std::vector<std::vector<std::string>> rows = {{"dataset", "version", "rows", "bytes", "contract", "made", "commit", "md5"}};
  for (const auto& v : versions) {
    list.Push(Json::MakeObject().Set("dataset", v.dataset).Set("number", v.number).Set("md5", v.md5).Set("rows", v.rows).Set("bytes", v.bytes).Set("accepted", v.accepted).Set("time", v.time)
                  .Set("source", v.source).Set("source_md5", v.source_md5).Set("commit", v.commit).Set("pipeline_run", v.pipeline_run));
    rows.push_back({v.dataset, std::to_string(v.number), std::to_string(v.rows), std::to_string(v.bytes), v.accepted ? "passed" : "failed", Ago(v.time, w->clock().NowMs()),
                    v.commit.empty() ? "-" : v.commit.substr(0, 10), v.md5});
  }
  if (call.json()) PrintJson(list);
  else if (versions.empty()) Print("no dataset version yet: `rondo run ingest` makes the first");
  else PrintTable(rows);
  return 0;
}

Result<int> DataCheck(Call& call) {
  RONDO_TRY(const fs::path root, project::FindProjectRoot(fs::current_path()));
  RONDO_TRY(const project::Project project, project::LoadProject(root / "rondo.yaml"));
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const std::string secret, w->SecretKey());
  const TempDir scratch("rondo-check");
  const std::string only = call.Arg(0);
  if (!only.empty() && !project.FindDataset(only)) return Fail(Code::kInvalid, "rondo.yaml declares no dataset \"" + only + "\"");
  Json reports = Json::MakeArray();
  bool passed = true;
  std::map<std::string, fs::path> done;
  for (const project::Dataset& spec : project.data) {
    const fs::path to = scratch.path() / (spec.name + ".parquet");
    RONDO_TRY(const data::IngestResult ingested, data::Ingest(spec, root, done, secret, to));
    done[spec.name] = to;
    if (!only.empty() && spec.name != only) continue;
    RONDO_TRY(const auto last, data::LastAccepted(w->db(), spec.name, ingested.md5));
    const Json* profile = last && last->profile.IsObject() ? &last->profile : nullptr;
    RONDO_TRY(const data::CheckReport report, data::Check(spec, to, last ? &last->schema : nullptr, profile, w->clock().NowMs()));
    passed &= report.passed;
    reports.Push(ToJson(report));
    if (call.json()) continue;
    Print(fmt::format("{} {}: {} checks over {} rows", report.passed ? Good("passed") : Bad("failed"), spec.name, report.checks, report.rows));
    for (const auto& a : report.anomalies) {
      Print(fmt::format("  {} {} {}: {} ({} rows)", a.severity == "ERROR" ? Bad("error") : "warning", a.column, Dim(a.kind), a.message, a.count));
      for (const Json& s : a.samples) Print(Dim("      row " + s["row"].Dump() + ": " + s["value"].Dump()));
    }
  }
  if (call.json()) PrintJson(reports);
  return passed ? 0 : 1;
}

Result<int> DataProfile(Call& call) {
  const TempDir scratch("rondo-profile");
  project::Dataset spec;
  spec.name = fs::path(call.Arg(0)).stem().string();
  spec.from = fs::absolute(call.Arg(0)).string();
  const fs::path parquet = scratch.path() / "data.parquet";
  RONDO_TRY(const data::IngestResult ingested, data::Ingest(spec, fs::current_path(), {}, "", parquet));
  RONDO_TRY(const Json profile, data::Profile(parquet));
  if (!call.Value("--html").empty()) RONDO_DO(WriteFileAtomic(call.Value("--html"), data::ProfileHtml(spec.name, profile, nullptr)));
  if (call.json()) {
    PrintJson(profile);
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"column", "type", "nulls", "distinct", "min", "mean", "max", "most frequent"}};
  auto number = [](const Json& j) { return j.IsNumber() ? fmt::format("{:.6g}", j.AsDouble()) : j.IsNull() ? std::string() : j.AsString(); };
  for (const auto& [name, c] : profile["columns"].AsObject()) {
    const Json& top = c["top"][0];
    rows.push_back({name, c["type"].AsString(), number(c["nulls"]), number(c["distinct"]), number(c["min"]), number(c["mean"]), number(c["max"]),
                    top.IsNull() ? "" : fmt::format("{} ({})", top["value"].IsString() ? top["value"].AsString() : top["value"].Dump(), top["count"].AsInt())});
  }
  Print(fmt::format("{} rows", ingested.rows));
  PrintTable(rows);
  return 0;
}

Result<int> Algorithms(Call& call) {
  Json list = Json::MakeArray();
  for (const model::AlgorithmInfo& a : model::Algorithms()) {
    Json params = Json::MakeArray(), tasks = Json::MakeArray();
    for (const auto task : a.tasks) tasks.Push(EnumName(task));
    for (const model::ParamInfo& p : a.params)
      params.Push(Json::MakeObject().Set("name", p.name).Set("kind", p.kind).Set("range", p.range).Set("default", p.otherwise).Set("help", p.help));
    list.Push(Json::MakeObject().Set("name", a.name).Set("help", a.help).Set("tasks", tasks).Set("params", params));
    if (call.json()) continue;
    Print(Bold(a.name) + "  " + a.help);
    for (const model::ParamInfo& p : a.params) Print(fmt::format("  {:<20} {:<8} {:<14} {:<10} {}", p.name, p.kind, p.range, p.otherwise.Dump(), p.help));
  }
  if (call.json()) PrintJson(list);
  return 0;
}

}  // namespace rondo::cli
