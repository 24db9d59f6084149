// /mlflow/registered-models, with aliases.
#include <algorithm>

#include "api/mlflow.h"

namespace rondo::api::mlflow {
namespace {

constexpr const char* kReason = "through the MLflow API";

registry::Tags TagsOf(const std::vector<tracking::KeyValue>& tags) {
  registry::Tags out;
  for (const auto& [key, value] : tags) out.emplace_back(key, value);
  return out;
}

Json WireModel(const registry::Model& m) {
  Json out = Json::MakeObject();
  out.Set("name", m.name).Set("creation_timestamp", m.creation_time).Set("last_updated_timestamp", m.last_update_time);
  SetSome(out, "description", m.description);
  Json versions = Json::MakeArray();
  for (const auto& v : m.latest_versions) versions.Push(WireVersion(v));
  SetSome(out, "latest_versions", std::move(versions));
  Json tags = Json::MakeArray();
  for (const auto& [key, value] : m.tags) tags.Push(Json::MakeObject().Set("key", key).Set("value", value));
  SetSome(out, "tags", std::move(tags));
  Json aliases = Json::MakeArray();
  for (const auto& [alias, version] : m.aliases) aliases.Push(Json::MakeObject().Set("alias", alias).Set("version", std::to_string(version)));
  SetSome(out, "aliases", std::move(aliases));
  return out;
}
Json One(const registry::Model& m) { return Json::MakeObject().Set("registered_model", WireModel(m)); }

Result<Json> Create(Request& r) {
  RONDO_TRY(const std::string name, r.args.Required("name"));
  RONDO_TRY(const std::string description, r.args.Text("description"));
  RONDO_TRY(const auto tags, r.args.KeyValues("tags"));
  RONDO_TRY(const auto model, r.workspace().registry().CreateModel(name, description, TagsOf(tags)));
  RONDO_DO(Audit(r, "model.create", "model " + name));
  return One(model);
}

Result<Json> Get(Request& r) {
  RONDO_TRY(const std::string name, r.args.Required("name"));
  RONDO_TRY(const auto model, r.workspace().registry().GetModel(name));
  return One(model);
}

Result<Json> Search(Request& r) {
  RONDO_TRY(const int64_t most, r.args.MaxResults(100, 1000));
  RONDO_TRY(const std::string filter, r.args.Text("filter"));
  RONDO_TRY(std::string token, r.args.Text("page_token"));
  RONDO_TRY(const auto order_by, r.args.List("order_by"));
  const auto fetch = [&](int64_t n, std::string& t) { return r.workspace().registry().SearchModels(filter, order_by, n, t); };
  RONDO_TRY(const auto found, VisiblePage<registry::Model>(r.call.MayReadAll(), most, token, fetch, [&](const registry::Model& m) { return r.call.MayReadModel(m.name); }));
  Json list = Json::MakeArray();
  for (const auto& m : found) list.Push(WireModel(m));
  Json out = Json::MakeObject();
  SetSome(out, "registered_models", std::move(list));
  SetSome(out, "next_page_token", token);
  return out;
}

Result<Json> Update(Request& r) {
  RONDO_TRY(const std::string name, r.args.Required("name"));
  RONDO_TRY(const std::string description, r.args.Text("description"));
  RONDO_DO(r.workspace().registry().UpdateModel(name, description));
  return Get(r);
}

Result<Json> Rename(Request& r) {
  RONDO_TRY(const std::string name, r.args.Required("name"));
  RONDO_TRY(const std::string new_name, r.args.Required("new_name"));
  RONDO_DO(r.workspace().registry().RenameModel(name, new_name));
  RONDO_DO(Audit(r, "model.rename", "model " + new_name, Json::MakeObject().Set("name", name), Json::MakeObject().Set("name", new_name)));
  RONDO_TRY(const auto model, r.workspace().registry().GetModel(new_name));
  return One(model);
}

Result<Json> Delete(Request& r) {
  RONDO_TRY(const std::string name, r.args.Required("name"));
  RONDO_DO(r.workspace().registry().DeleteModel(name));
  RONDO_DO(Audit(r, "model.delete", "model " + name));
  return Json::MakeObject();
}

Result<Json> SetTag(Request& r) {
  RONDO_TRY(const std::string name, r.args.Required("name"));
  RONDO_TRY(const std::string key, r.args.Required("key"));
  RONDO_TRY(const std::string value, r.args.Text("value"));
  RONDO_DO(r.workspace().registry().SetModelTag(name, key, value));
  return Json::MakeObject();
}

Result<Json> DeleteTag(Request& r) {
  RONDO_TRY(const std::string name, r.args.Required("name"));
  RONDO_TRY(const std::string key, r.args.Required("key"));
  RONDO_DO(r.workspace().registry().DeleteModelTag(name, key));
  return Json::MakeObject();
}

Result<Json> LatestVersions(Request& r) {
  RONDO_TRY(const std::string name, r.args.Required("name"));
  RONDO_TRY(const auto stages, r.args.List("stages"));
  RONDO_TRY(const auto model, r.workspace().registry().GetModel(name));
  const auto lower = [](std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return text;
  };
  for (const std::string& stage : stages) {
    const std::string s = lower(stage);
    if (s != "none" && s != "staging" && s != "production" && s != "archived")
      return Fail(Code::kInvalid, "Invalid Model Version stage: " + stage.substr(0, 100) + ". Value must be one of None, Staging, Production, Archived.");
  }
  Json list = Json::MakeArray();
  for (const auto& v : model.latest_versions)
    if (stages.empty() || std::any_of(stages.begin(), stages.end(), [&](const std::string& s) { return lower(s) == lower(v.current_stage); })) list.Push(WireVersion(v));
  Json out = Json::MakeObject();
  SetSome(out, "model_versions", std::move(list));
  return out;
}

Result<int64_t> VersionOf(const Args& args) {
  RONDO_TRY(const std::string text, args.Required("version"));
  auto number = args.RequiredInt("version");
  if (!number) return Fail(Code::kInvalid, "Parameter 'version' must be an integer, got '" + text.substr(0, 100) + "'.");
  return number;
}

Result<Json> SetAlias(Request& r) {
  RONDO_TRY(const std::string name, r.args.Required("name"));
  RONDO_TRY(const std::string alias, r.args.Required("alias"));
  RONDO_TRY(const int64_t version, VersionOf(r.args));
  RONDO_DO(r.workspace().MoveAlias(name, alias, version, ActorOf(r.call), kReason));
  return Json::MakeObject();
}

Result<Json> DeleteAlias(Request& r) {
  RONDO_TRY(const std::string name, r.args.Required("name"));
  RONDO_TRY(const std::string alias, r.args.Required("alias"));
  RONDO_DO(r.workspace().DropAlias(name, alias, ActorOf(r.call), kReason));
  return Json::MakeObject();
}

Result<Json> GetByAlias(Request& r) {
  RONDO_TRY(const std::string name, r.args.Required("name"));
  RONDO_TRY(const std::string alias, r.args.Required("alias"));
  auto version = r.workspace().registry().VersionByAlias(name, alias);
  // MLflow answers an unknown alias with 400, an unknown model with 404.
  if (!version && version.error().message.starts_with("Registered model alias")) version.error().code = Code::kInvalid;
  if (!version) return std::unexpected(version.error());
  return Json::MakeObject().Set("model_version", WireVersion(*version));
}

constexpr Row kRows[] = {
    {"POST", "/registered-models/create", Permission::kWrite | Scope::kNewModel, "Make a registered model", Create},
    {"GET", "/registered-models/get", Permission::kRead | Scope::kModel, "One registered model", Get},
    {"GET", "/registered-models/search", Permission::kRead | Scope::kListed, "Search registered models", Search},
    {"PATCH", "/registered-models/update", Permission::kWrite | Scope::kModel, "Describe a registered model", Update},
    {"POST", "/registered-models/rename", Permission::kManage | Scope::kModelRename, "Rename a registered model", Rename},
    {"DELETE", "/registered-models/delete", Permission::kManage | Scope::kModelDelete, "Delete a registered model", Delete},
    {"POST", "/registered-models/set-tag", Permission::kWrite | Scope::kModel, "Set a tag", SetTag},
    {"DELETE", "/registered-models/delete-tag", Permission::kWrite | Scope::kModel, "Delete a tag", DeleteTag},
    {"POST", "/registered-models/get-latest-versions", Permission::kRead | Scope::kModel, "The newest version of each stage", LatestVersions},
    {"GET", "/registered-models/get-latest-versions", Permission::kRead | Scope::kModel, "The newest version of each stage", LatestVersions},
    {"POST", "/registered-models/alias", Permission::kWrite | Scope::kModel, "Move an alias", SetAlias},
    {"DELETE", "/registered-models/alias", Permission::kWrite | Scope::kModel, "Delete an alias", DeleteAlias},
    {"GET", "/registered-models/alias", Permission::kRead | Scope::kModel, "The version behind an alias", GetByAlias},
};

}  // namespace

void AddModels(Router& router) { AddRows(router, kRows); }

}  // namespace rondo::api::mlflow
