// Step `register`: out/model becomes a version of the registered model named like the endpoint (or the project), with its evidence.
#include <fmt/format.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/json_map.h"
#include "steps/files.h"
#include "steps/mlflow_model.h"
#include "steps/step.h"

namespace rondo::steps {
namespace {

/// The run that the version belongs to: the pipeline's, or a new one when the step is run by hand.
Result<tracking::Run> RunOf(Context& c) {
  auto& tracking = c.workspace->tracking();
  if (!c.run_id.empty()) return tracking.GetRun(c.run_id);
  RONDO_TRY(const std::string experiment, tracking.EnsureExperiment(c.project.name));
  RONDO_TRY(tracking::Run run, tracking.CreateRun(experiment, c.actor, "register", c.workspace->clock().NowMs(), {}));
  return tracking.UpdateRun(run.run_id, "FINISHED", c.workspace->clock().NowMs(), "");
}

Status LogFiles(Context& c, const tracking::Run& run) {
  const fs::path model = c.Path("out/model");
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(model, ec))
    if (entry.is_regular_file()) RONDO_DO(c.workspace->LogArtifact(run, entry.path(), "model/" + entry.path().filename().string()));
  for (const char* file : {"out/metrics.json", "out/card.md", "out/card.json", "out/reference.json", "out/prepare/features.json", "out/split/split.json"})
    if (fs::exists(c.Path(file), ec)) RONDO_DO(c.workspace->LogArtifact(run, c.Path(file), fs::path(file).filename().string()));
  if (fs::exists(c.Path(c.project.evaluate.report), ec)) RONDO_DO(c.workspace->LogArtifact(run, c.Path(c.project.evaluate.report), "report.html"));
  RONDO_TRY(const model::Signature signature, model::ReadSignature(model / "signature.json"));
  const TempDir scratch("rondo-mlmodel");
  const auto bytes = static_cast<int64_t>(fs::file_size(model / "model.onnx", ec));
  RONDO_DO(WriteFileAtomic(scratch.path() / "MLmodel", MlmodelText(signature, run.run_id, NewId(), bytes, c.workspace->clock().NowMs())));
  RONDO_DO(WriteFileAtomic(scratch.path() / "requirements.txt", MlflowRequirements()));
  RONDO_DO(WriteFileAtomic(scratch.path() / "python_env.yaml", "python: 3.11.2\nbuild_dependencies: []\ndependencies:\n- -r requirements.txt\n"));
  for (const char* file : {"MLmodel", "requirements.txt", "python_env.yaml"}) RONDO_DO(c.workspace->LogArtifact(run, scratch.path() / file, std::string("model/") + file));
  return {};
}

Result<Json> Facts(Context& c) {
  Json facts = Json::MakeObject();
  const Commit commit = CurrentCommit(c.root);
  RONDO_TRY(const std::string signature_text, ReadFile(c.Path("out/model/signature.json")));
  RONDO_TRY(const Json signature, ParseJson(signature_text));
  Json datasets = Json::MakeArray();
  for (const project::Dataset& spec : c.project.data) {
    RONDO_TRY(const data::IngestResult ingested, ReadIngest(c, spec.name));
    datasets.Push(Json::MakeObject().Set("name", spec.name).Set("md5", ingested.md5).Set("rows", ingested.rows).Set("source", spec.from).Set("source_md5", ingested.source_md5));
  }
  facts.Set("project", c.project.name)
      .Set("problem", ToJson(c.problem()))
      .Set("signature", signature)
      .Set("datasets", datasets)
      .Set("commit", commit.id)
      .Set("dirty", commit.dirty)
      .Set("config", ToJson(c.project))
      .Set("config_hash", ConfigHash(c.project))
      .Set("pipeline_run", c.pipeline_run)
      .Set("trigger", c.trigger);
  std::error_code ec;
  for (const auto& [file, key] : {std::pair{"out/split/split.json", "split"}, std::pair{"out/metrics.json", "metrics"}, std::pair{"out/model/train.json", "train"}}) {
    if (!fs::exists(c.Path(file), ec)) continue;
    RONDO_TRY(const std::string text, ReadFile(c.Path(file)));
    RONDO_TRY(Json json, ParseJson(text));
    facts.Set(key, std::move(json));
  }
  return facts;
}

}  // namespace

Status Register(Context& c) {
  auto& registry = c.workspace->registry();
  const std::string name = c.project.deploy ? c.project.deploy->endpoint : c.project.name;
  RONDO_TRY(const FileDigest digest, HashFile(c.Path("out/model/model.onnx"), HashKind::kSha256));
  RONDO_TRY(const tracking::Run run, RunOf(c));
  RONDO_DO(LogFiles(c, run));
  RONDO_TRY(const Json facts, Facts(c));
  RONDO_TRY(const auto model, registry.EnsureModel(name));
  registry::Version request;
  request.name = name;
  request.user_id = c.actor;
  request.run_id = run.run_id;
  request.source = run.artifact_uri + "/model";
  request.digest = digest.hex;
  request.facts = facts;
  request.tags = {{"rondo.digest", digest.hex}, {"rondo.commit", facts["commit"].AsString()}};
  RONDO_TRY(const registry::Version version, registry.CreateVersion(request));
  const std::string id = fmt::format("{}/{}", name, version.version);
  if (version.run_id == run.run_id) {
    const int64_t now = c.workspace->clock().NowMs();
    std::vector<registry::Edge> edges = {{"run", run.run_id, "produced", "version", id, now}};
    for (const Json& dataset : facts["datasets"].AsArray()) edges.push_back({"dataset", dataset["md5"].AsString(), "read", "run", run.run_id, now});
    if (!facts["commit"].AsString().empty()) edges.push_back({"commit", facts["commit"].AsString(), "used", "run", run.run_id, now});
    edges.push_back({"config", facts["config_hash"].AsString(), "used", "run", run.run_id, now});
    if (!c.pipeline_run.empty()) edges.push_back({"pipeline_run", c.pipeline_run, "started", "run", run.run_id, now});
    RONDO_DO(registry.AddEdges(edges));
    govern::AuditEntry entry;
    entry.actor = c.actor;
    entry.action = "version.create";
    entry.object = "version " + id;
    entry.reason = "registered by pipeline run " + (c.pipeline_run.empty() ? std::string("(by hand)") : c.pipeline_run) + ", trigger " + c.trigger;
    entry.after = Json::MakeObject().Set("digest", digest.hex).Set("run", run.run_id);
    RONDO_TRY(const auto appended, c.workspace->audit().Append(entry));
    (void)appended;
  }
  RONDO_DO(WriteFileAtomic(c.Path("out/register.json"), Json::MakeObject().Set("name", name).Set("version", version.version).Set("digest", digest.hex).Set("run_id", version.run_id).Pretty()));
  const bool fresh = version.run_id == run.run_id;
  c.Summary(fmt::format("{} version {}{} (sha256 {})", name, version.version, fresh ? "" : ", known already", digest.hex.substr(0, 12)));
  return {};
}

}  // namespace rondo::steps
