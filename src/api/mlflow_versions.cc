// /mlflow/model-versions
#include <fmt/format.h>

#include <algorithm>

#include "api/mlflow.h"
#include "base/hash.h"

namespace rondo::api::mlflow {

Json WireVersion(const registry::Version& v) {
  Json out = Json::MakeObject();
  out.Set("name", v.name)
      .Set("version", std::to_string(v.version))
      .Set("creation_timestamp", v.creation_time)
      .Set("last_updated_timestamp", v.last_update_time)
      .Set("user_id", v.user_id)
      .Set("current_stage", v.current_stage)
      .Set("description", v.description)
      .Set("source", v.source)
      .Set("run_id", v.run_id)
      .Set("status", v.status);
  Json tags = Json::MakeArray();
  for (const auto& [key, value] : v.tags) tags.Push(Json::MakeObject().Set("key", key).Set("value", value));
  SetSome(out, "tags", std::move(tags));
  Json aliases = Json::MakeArray();
  for (const std::string& alias : v.aliases) aliases.Push(alias);
  SetSome(out, "aliases", std::move(aliases));
  SetSome(out, "model_id", v.facts["model_id"].AsString());
  return out;
}

Result<std::string> ResolveSource(workspace::Workspace& workspace, const std::string& source, int depth) {
  const auto wrong = [&](const char* why) { return Fail(Code::kInvalid, fmt::format("Invalid model version source: '{}'. {}", source.substr(0, 300), why)); };
  if (depth > 10) return wrong("It leads round in a circle.");
  if (source.starts_with("models:/")) {
    const std::string name = source.substr(8);
    if (name.starts_with("m-") && name.find('/') == std::string::npos) {
      RONDO_TRY(const auto model, workspace.logged_models().Get(name));
      return model.artifact_uri;
    }
    RONDO_TRY(const auto ref, registry::ParseModelRef(name));
    RONDO_TRY(const auto version, registry::Resolve(workspace.registry(), ref));
    return ResolveSource(workspace, version.source, depth + 1);
  }
  if (source.starts_with("runs:/")) {
    const std::string rest = source.substr(6);
    RONDO_TRY(const auto run, workspace.tracking().GetRun(rest.substr(0, rest.find('/'))));
    return run.artifact_uri + (rest.find('/') == std::string::npos ? "" : rest.substr(rest.find('/')));
  }
  return source;
}

namespace {

/// Like ResolveSource, but a run that is not here (a source may come from another server) leaves the source as it is, as with MLflow.
Result<std::string> PlaceOfSource(workspace::Workspace& workspace, const std::string& source) {
  auto place = ResolveSource(workspace, source);
  if (place || place.error().code != Code::kNotFound) return place;
  if (source.starts_with("runs:/")) return source;
  if (!source.starts_with("models:/") || source.starts_with("models:/m-")) return place;
  RONDO_TRY(const auto ref, registry::ParseModelRef(source.substr(8)));
  RONDO_TRY(const auto version, registry::Resolve(workspace.registry(), ref));
  return version.source.starts_with("runs:/") ? Result<std::string>(version.source) : place;
}

Json One(const registry::Version& v) { return Json::MakeObject().Set("model_version", WireVersion(v)); }

struct Id {
  std::string name;
  int64_t version = 0;
  std::string Text() const { return fmt::format("version {}/{}", name, version); }
};
Result<Id> IdOf(const Args& args) {
  Id id;
  RONDO_TRY(id.name, args.Required("name"));
  RONDO_TRY(const std::string text, args.Required("version"));
  const auto number = args.RequiredInt("version");
  if (!number) return Fail(Code::kInvalid, fmt::format("Parameter 'version' must be an integer, got '{}'.", text.substr(0, 100)));
  id.version = *number;
  return id;
}

/// A source below a run's artifacts belongs to that run: nobody else's run may be named for it.
Status CheckRun(const std::string& run_id, const std::string& place) {
  if (!run_id.empty() || !place.starts_with("mlflow-artifacts:/")) return {};
  RONDO_TRY(const std::string name, workspace::Workspace::ArtifactName(place));
  const size_t first = name.find('/');
  const std::string second = first == std::string::npos ? "" : name.substr(first + 1, name.find('/', first + 1) - first - 1);
  if (second == "models" || second.size() != 32) return {};
  return Fail(Code::kInvalid, fmt::format("Invalid model version source: '{}'. It lies within the artifacts of run {}: pass that run_id.", place.substr(0, 300), second));
}

/// Versions that clients register are bound to the bytes of their ONNX file, when they have one, so that they can be approved like ours.
Status BindDigest(workspace::Workspace& workspace, const registry::Version& v, const std::string& place) {
  const auto path = workspace.ArtifactPath(place, "model.onnx");
  if (!path) return {};
  RONDO_TRY(const FileDigest digest, HashFile(*path, HashKind::kSha256));
  return workspace.registry().SetDigest(v.name, v.version, digest.hex);
}

/// The logged model knows its versions by a tag, in the form in which MLflow's client reads it.
Status TagModel(workspace::Workspace& workspace, const std::string& model_id, const registry::Version& v) {
  constexpr const char* kTag = "mlflow.modelVersions";
  RONDO_TRY(const auto model, workspace.logged_models().Get(model_id));
  std::string list;
  for (const auto& tag : model.tags)
    if (tag.key == kTag && tag.value.ends_with("}]")) list = tag.value.substr(0, tag.value.size() - 1) + ", ";
  if (list.empty()) list = "[";
  list += fmt::format("{{\"name\": {}, \"version\": {}}}]", Json(v.name).Dump(), v.version);
  RONDO_TRY(const auto tagged, workspace.logged_models().SetTags(model_id, {{kTag, list}}));
  (void)tagged;
  return {};
}

Result<Json> Create(Request& r) {
  registry::Version request;
  RONDO_TRY(request.name, r.args.Required("name"));
  RONDO_TRY(request.source, r.args.Required("source"));
  RONDO_TRY(request.run_id, r.args.Text("run_id"));
  RONDO_TRY(request.description, r.args.Text("description"));
  RONDO_TRY(std::string model_id, r.args.Text("model_id"));
  RONDO_TRY(const auto tags, r.args.KeyValues("tags"));
  for (const auto& [key, value] : tags) request.tags.emplace_back(key, value);
  // A prompt has no files: its source is a mere word. The tag alone opens nothing, since anything that could be a place is checked all the same.
  const bool prompt = std::any_of(tags.begin(), tags.end(), [](const auto& tag) { return tag.key == "mlflow.prompt.is_prompt"; });
  const bool word = request.source.find_first_of("/\\:.%") == std::string::npos;
  if (!prompt || !word) RONDO_DO(CheckSource(r.call, request.source, request.run_id, model_id));
  const bool model_named = !model_id.empty();
  if (model_named) {
    RONDO_TRY(const auto known, r.workspace().logged_models().Get(model_id));
    (void)known;
  }
  RONDO_TRY(const std::string place, PlaceOfSource(r.workspace(), request.source));
  if (model_id.empty() && request.source.starts_with("models:/m-")) model_id = request.source.substr(8);
  if (!model_id.empty()) {
    if (const auto model = r.workspace().logged_models().Get(model_id); model && request.run_id.empty()) request.run_id = model->source_run_id;
    request.facts = Json::MakeObject().Set("model_id", model_id);
  }
  RONDO_DO(CheckRun(request.run_id, place));
  request.user_id = ActorOf(r.call);
  RONDO_TRY(const auto version, r.workspace().registry().CreateVersion(request));
  RONDO_DO(BindDigest(r.workspace(), version, place));
  if (model_named) RONDO_DO(TagModel(r.workspace(), model_id, version));
  if (!request.run_id.empty()) RONDO_DO(r.workspace().registry().AddEdges({{"run", request.run_id, "produced", "version", fmt::format("{}/{}", version.name, version.version), version.creation_time}}));
  RONDO_DO(Audit(r, "version.create", fmt::format("version {}/{}", version.name, version.version), {}, Json::MakeObject().Set("source", request.source).Set("run", request.run_id)));
  return One(version);
}

Result<Json> Get(Request& r) {
  RONDO_TRY(const Id id, IdOf(r.args));
  RONDO_TRY(const auto version, r.workspace().registry().GetVersion(id.name, id.version));
  return One(version);
}

Result<Json> Search(Request& r) {
  RONDO_TRY(const int64_t most, r.args.MaxResults(10'000, 200'000));
  RONDO_TRY(const std::string filter, r.args.Text("filter"));
  RONDO_TRY(std::string token, r.args.Text("page_token"));
  RONDO_TRY(const auto order_by, r.args.List("order_by"));
  const auto fetch = [&](int64_t n, std::string& t) { return r.workspace().registry().SearchVersions(filter, order_by, n, t); };
  RONDO_TRY(const auto found, VisiblePage<registry::Version>(r.call.MayReadAll(), most, token, fetch, [&](const registry::Version& v) { return r.call.MayReadModel(v.name); }));
  Json list = Json::MakeArray();
  for (const auto& v : found) list.Push(WireVersion(v));
  Json out = Json::MakeObject();
  SetSome(out, "model_versions", std::move(list));
  SetSome(out, "next_page_token", token);
  return out;
}

Result<Json> Update(Request& r) {
  RONDO_TRY(const Id id, IdOf(r.args));
  RONDO_TRY(const std::string description, r.args.Text("description"));
  RONDO_DO(r.workspace().registry().UpdateVersion(id.name, id.version, description));
  return Get(r);
}

Result<Json> Delete(Request& r) {
  RONDO_TRY(const Id id, IdOf(r.args));
  RONDO_DO(r.workspace().registry().DeleteVersion(id.name, id.version));
  RONDO_DO(Audit(r, "version.delete", id.Text()));
  return Json::MakeObject();
}

Result<Json> Transition(Request& r) {
  RONDO_TRY(const Id id, IdOf(r.args));
  RONDO_TRY(const std::string stage, r.args.Required("stage"));
  RONDO_TRY(const bool archive, r.args.Bool("archive_existing_versions", false));
  RONDO_TRY(const auto before, r.workspace().registry().GetVersion(id.name, id.version));
  RONDO_DO(r.workspace().registry().TransitionStage(id.name, id.version, stage, archive));
  RONDO_TRY(const auto after, r.workspace().registry().GetVersion(id.name, id.version));
  RONDO_DO(Audit(r, "version.stage", id.Text(), Json::MakeObject().Set("stage", before.current_stage), Json::MakeObject().Set("stage", after.current_stage).Set("archived_others", archive)));
  return Get(r);
}

Result<Json> SetTag(Request& r) {
  RONDO_TRY(const Id id, IdOf(r.args));
  RONDO_TRY(const std::string key, r.args.Required("key"));
  RONDO_TRY(const std::string value, r.args.Text("value"));
  RONDO_DO(r.workspace().registry().SetVersionTag(id.name, id.version, key, value));
  return Json::MakeObject();
}

Result<Json> DeleteTag(Request& r) {
  RONDO_TRY(const Id id, IdOf(r.args));
  RONDO_TRY(const std::string key, r.args.Required("key"));
  RONDO_DO(r.workspace().registry().DeleteVersionTag(id.name, id.version, key));
  return Json::MakeObject();
}

Result<Json> DownloadUri(Request& r) {
  RONDO_TRY(const Id id, IdOf(r.args));
  RONDO_TRY(const auto version, r.workspace().registry().GetVersion(id.name, id.version));
  RONDO_TRY(const std::string place, PlaceOfSource(r.workspace(), version.source));
  return Json::MakeObject().Set("artifact_uri", place);
}

constexpr Row kRows[] = {
    {"POST", "/model-versions/create", Permission::kWrite | Scope::kNewVersion, "Register a version", Create},
    {"GET", "/model-versions/get", Permission::kRead | Scope::kModel, "One version", Get},
    {"GET", "/model-versions/search", Permission::kRead | Scope::kListed, "Search versions", Search},
    {"PATCH", "/model-versions/update", Permission::kWrite | Scope::kModel, "Describe a version", Update},
    {"DELETE", "/model-versions/delete", Permission::kManage | Scope::kModel, "Delete a version", Delete},
    {"POST", "/model-versions/transition-stage", Permission::kWrite | Scope::kModel, "Move a version to a stage", Transition},
    {"POST", "/model-versions/set-tag", Permission::kWrite | Scope::kModel, "Set a tag", SetTag},
    {"DELETE", "/model-versions/delete-tag", Permission::kWrite | Scope::kModel, "Delete a tag", DeleteTag},
    {"GET", "/model-versions/get-download-uri", Permission::kRead | Scope::kModel, "Where a version's files are", DownloadUri},
};

}  // namespace

void AddVersions(Router& router) { AddRows(router, kRows); }

}  // namespace rondo::api::mlflow
