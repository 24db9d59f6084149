// `rondo reproduce RUN`: does again what a run did, in a folder of its own, and says field by field what came out alike.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json_map.h"
#include "base/process.h"
#include "cli/verbs.h"
#include "data/dataset.h"
#include "model/scorer.h"
#include "pipeline/executor.h"
#include "pipeline/graph.h"
#include "pipeline/journal.h"
#include "project/reader.h"

namespace rondo::cli {
namespace {

constexpr double kTolerance = 1e-6;

struct Field {
  std::string name, then, now, verdict;  ///< verdict: bit-equal, equal within 1e-06, different, missing
};

/// The version that a run made: `run` is a model reference, an MLflow run or a pipeline run.
Result<registry::Version> VersionOf(workspace::Workspace& w, const std::string& run) {
  if (run.find('/') != std::string::npos || run.find('@') != std::string::npos) {
    RONDO_TRY(const registry::ModelRef ref, registry::ParseModelRef(run));
    return registry::Resolve(w.registry(), ref);
  }
  std::string mlflow_run = run;
  RONDO_TRY(auto journal, pipeline::Journal::Open(w.db(), w.clock()));
  if (auto record = journal.Run(run); record && !record->mlflow_run.empty()) mlflow_run = record->mlflow_run;
  std::string token;
  RONDO_TRY(const auto versions, w.registry().SearchVersions("run_id = '" + mlflow_run + "'", {}, 1, token));
  if (versions.empty()) return Fail(Code::kNotFound, "no model version was made by the run \"" + run + "\"", "give a pipeline run, an MLflow run, or model/version; `rondo model list` shows the models");
  return versions[0];
}

void Compare(std::vector<Field>& fields, const std::string& name, const std::string& then, const std::string& now) {
  fields.push_back({name, then, now, then.empty() || now.empty() ? "missing" : then == now ? "bit-equal" : "different"});
}

void CompareNumber(std::vector<Field>& fields, const std::string& name, double then, double now) {
  const double difference = std::fabs(then - now);
  fields.push_back({name, fmt::format("{:.10g}", then), fmt::format("{:.10g}", now),
                    difference == 0 ? "bit-equal" : difference <= kTolerance * std::max(1.0, std::fabs(then)) ? fmt::format("equal within {:g}", kTolerance) : "different"});
}

std::string FileHash(const fs::path& file) {
  auto digest = HashFile(file, HashKind::kSha256);
  return digest ? digest->hex : "";
}

/// The data as they were, by their hashes, and the code at the run's commit when stages of the user's own need it.
Status Prepare(workspace::Workspace& w, const fs::path& root, const project::Project& project, const registry::Version& version, const fs::path& scratch) {
  for (const Json& d : version.facts["datasets"].AsArray()) {
    const std::string name = d["name"].AsString(), md5 = d["md5"].AsString();
    auto copied = data::GetObject(w.folder() / "cache", md5, scratch / "out" / "data" / (name + ".parquet"));
    if (!copied) return Wrap(copied.error(), "the data of the run (" + name + ", md5 " + md5 + ")");
    RONDO_TRY(const data::DatasetVersion stored, data::GetVersion(w.db(), md5));
    data::IngestResult ingested;
    ingested.md5 = md5;
    ingested.rows = stored.rows;
    ingested.bytes = stored.bytes;
    ingested.schema = stored.schema;
    ingested.source_md5 = stored.source_md5;
    RONDO_DO(WriteFileAtomic(scratch / "out" / "data" / (name + ".json"), ToJson(ingested).Pretty()));
    RONDO_DO(WriteFileAtomic(scratch / "out" / "check" / (name + ".json"), stored.check.Pretty()));
  }
  const std::string commit = version.facts["commit"].AsString();
  if (!project.stages.empty() && !commit.empty()) {
    RONDO_TRY(const CommandOutput out, RunCommand({"sh", "-c", "git -C \"$1\" archive \"$2\" | tar -x -C \"$3\"", "sh", root.string(), commit, scratch.string()}));
    if (out.code != 0) return Fail(Code::kFailedCheck, "the code at commit " + commit + " is not here: " + out.out, "fetch it: git fetch --all");
  }
  RONDO_DO(WriteFileAtomic(scratch / "config.json", ToJson(project).Pretty()));
  return WriteFileAtomic(scratch / "rondo.yaml", "project: " + project.name + "\n");
}

Result<pipeline::JobResult> RunToEnd(pipeline::Executor& executor, const pipeline::Job& job) {
  RONDO_DO(executor.Submit(job));
  RONDO_TRY(const auto result, executor.Reconcile(job.token, -1));
  return *result;
}

Status RunStages(const project::Project& project, const fs::path& scratch) {
  const auto executor = pipeline::MakeLocalExecutor();
  RONDO_TRY(const auto graph, pipeline::BuildGraph(project));
  for (const pipeline::StageNode& node : graph) {
    if (node.name != "split" && node.name != "prepare" && node.name != "train" && node.name != "evaluate") continue;
    for (const pipeline::Out& out : node.outs) RONDO_DO(MakeDirs((scratch / out.path).parent_path()));
    pipeline::Job attempt;
    attempt.token = "reproduce/" + node.name;
    attempt.cwd = scratch;
    attempt.log = scratch / (node.name + ".log");
    attempt.env = {{"RONDO_CONFIG", (scratch / "config.json").string()}, {"RONDO_DATA", (scratch / ".rondo").string()}, {"MLFLOW_RUN_ID", ""}};
    for (const auto& [name, path] : node.env) attempt.env.emplace_back(name, (scratch / path).string());
    const std::string self = SelfPath().string();
    if (node.builtin) attempt.argv = {self, "step", node.name};
    else attempt.shell = node.cmd;
    RONDO_TRY(pipeline::JobResult result, RunToEnd(*executor, attempt));
    if (result.exit.code == 0 && !node.post.empty()) {
      attempt.argv = {self, "step", node.post};
      attempt.shell.clear();
      RONDO_TRY(result, RunToEnd(*executor, attempt));
    }
    // A gate that fails now (no champion stands in the scratch folder) still leaves its numbers.
    std::error_code ec;
    if (result.exit.code != 0 && !(node.name == "evaluate" && fs::exists(scratch / "out/metrics.json", ec)))
      return Fail(Code::kFailedCheck, "the stage " + node.name + " failed this time", pipeline::LogTail(attempt.log, 6));
  }
  return {};
}

Result<std::vector<Field>> CompareAll(workspace::Workspace& w, const registry::Version& version, const fs::path& scratch) {
  std::vector<Field> fields;
  for (const Json& d : version.facts["datasets"].AsArray()) {
    auto now = HashFile(scratch / "out" / "data" / (d["name"].AsString() + ".parquet"), HashKind::kMd5);
    Compare(fields, "data " + d["name"].AsString(), d["md5"].AsString(), now ? now->hex : "");
  }
  RONDO_TRY(const std::string split_text, ReadFile(scratch / "out/split/split.json"));
  RONDO_TRY(const Json split, ParseJson(split_text));
  Compare(fields, "split (row ids by part)", version.facts["split"]["row_ids_hash"].AsString(), split["row_ids_hash"].AsString());
  const std::string run_root = version.source.substr(0, version.source.rfind('/'));
  auto features = w.ArtifactPath(run_root, "features.json");
  std::error_code ec;
  if (features && fs::exists(*features, ec)) Compare(fields, "features (fitted)", FileHash(*features), FileHash(scratch / "out/prepare/features.json"));
  Compare(fields, "model.onnx (sha256)", version.digest, FileHash(scratch / "out/model/model.onnx"));
  RONDO_TRY(const model::Signature signature, model::ReadSignature(scratch / "out/model/signature.json"));
  CompareNumber(fields, "threshold", version.facts["signature"]["threshold"].AsDouble(), signature.threshold);
  RONDO_TRY(const std::string metrics_text, ReadFile(scratch / "out/metrics.json"));
  RONDO_TRY(const Json metrics, ParseJson(metrics_text));
  for (const char* part : {"validation", "test"})
    for (const auto& [name, value] : version.facts["metrics"][part].AsObject())
      if (value["value"].IsNumber()) CompareNumber(fields, std::string(part) + " " + name, value["value"].AsDouble(), metrics[part][name]["value"].AsDouble(std::nan("")));
  return fields;
}

}  // namespace

Result<int> Reproduce(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const registry::Version version, VersionOf(*w, call.Arg(0)));
  if (!version.facts.IsObject() || version.facts["config"].IsNull())
    return Fail(Code::kUnsupported, fmt::format("version {}/{} was not made by `rondo run`: its data and config are not recorded", version.name, version.version));
  project::Project project;
  RONDO_DO(FromJson(version.facts["config"], project, "config"));
  fs::path root = fs::current_path();
  if (auto found = project::FindProjectRoot(root)) root = *found;
  const TempDir scratch("rondo-reproduce");
  RONDO_DO(Prepare(*w, root, project, version, scratch.path()));
  const int64_t begin = MonotonicNs();
  RONDO_DO(RunStages(project, scratch.path()));
  RONDO_TRY(const std::vector<Field> fields, CompareAll(*w, version, scratch.path()));
  size_t bit_equal = 0, close = 0, different = 0;
  for (const Field& f : fields) (f.verdict == "bit-equal" ? bit_equal : f.verdict.starts_with("equal") ? close : different) += 1;
  if (call.json()) {
    Json list = Json::MakeArray();
    for (const Field& f : fields) list.Push(Json::MakeObject().Set("field", f.name).Set("then", f.then).Set("now", f.now).Set("verdict", f.verdict));
    PrintJson(Json::MakeObject().Set("version", fmt::format("{}/{}", version.name, version.version)).Set("bit_equal", bit_equal).Set("equal_within_tolerance", close).Set("different", different).Set("fields", list));
  } else {
    std::vector<std::vector<std::string>> rows = {{"field", "then", "now", "verdict"}};
    auto shorten = [](const std::string& s) { return s.size() > 16 ? s.substr(0, 16) + "…" : s; };
    for (const Field& f : fields) rows.push_back({f.name, shorten(f.then), shorten(f.now), f.verdict == "different" || f.verdict == "missing" ? Bad(f.verdict) : f.verdict});
    PrintTable(rows);
    Print(fmt::format("\n{}/{} done again in {:.1f} s: {} bit-equal, {} equal within {:g}, {} different", version.name, version.version, static_cast<double>(MonotonicNs() - begin) / 1e9, bit_equal, close, kTolerance, different));
  }
  return different == 0 ? 0 : 1;
}

}  // namespace rondo::cli
