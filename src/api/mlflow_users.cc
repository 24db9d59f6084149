// /mlflow/users and .../permissions: MLflow's own administration of accounts, on ours. READ is viewer, EDIT editor, MANAGE manager.
#include <fmt/format.h>

#include <algorithm>

#include "api/mlflow.h"
#include "base/hash.h"

namespace rondo::api::mlflow {
namespace {

using govern::Role;

std::string_view PermissionOf(Role role) { return role >= Role::kManager ? "MANAGE" : role == Role::kEditor ? "EDIT" : role == Role::kViewer ? "READ" : "NO_PERMISSIONS"; }
Result<Role> RoleOf(const std::string& permission) {
  if (permission == "READ" || permission == "USE") return Role::kViewer;
  if (permission == "EDIT") return Role::kEditor;
  if (permission == "MANAGE") return Role::kManager;
  if (permission == "NO_PERMISSIONS") return Role::kNone;
  return Fail(Code::kInvalid, fmt::format("Invalid permission '{}'. Valid permissions are: ['READ', 'USE', 'EDIT', 'MANAGE', 'NO_PERMISSIONS']", permission.substr(0, 40)));
}

Result<govern::Accounts*> AccountsOf(Request& r) {
  if (!r.call.context().accounts) return Fail(Code::kUnsupported, "this server keeps no accounts");
  return r.call.context().accounts;
}

Json WireUser(govern::Accounts& accounts, const govern::Account& a) {
  Json experiments = Json::MakeArray(), models = Json::MakeArray();
  for (const auto& g : accounts.Grants()) {
    if (g.subject_kind != "user" || g.subject != a.name) continue;
    if (g.resource.kind == "experiment") experiments.Push(Json::MakeObject().Set("experiment_id", g.resource.name).Set("user_id", a.id).Set("permission", PermissionOf(g.role)));
    if (g.resource.kind == "model") models.Push(Json::MakeObject().Set("name", g.resource.name).Set("user_id", a.id).Set("permission", PermissionOf(g.role)));
  }
  return Json::MakeObject().Set("id", a.id).Set("username", a.name).Set("is_admin", a.server_role == Role::kAdmin).Set("experiment_permissions", experiments).Set("registered_model_permissions", models);
}

Status OwnOrAdmin(Request& r, const govern::Account& account) {
  if (r.call.caller().OnServer() >= Role::kAdmin || account.id == r.call.caller().account()) return {};
  return Fail(Code::kForbidden, "Permission denied");
}

Result<Json> CreateUser(Request& r) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(r));
  RONDO_TRY(const std::string name, r.args.Required("username"));
  RONDO_TRY(const std::string password, r.args.Required("password"));
  RONDO_TRY(const auto account, accounts->Create(r.call.actor(), name, "person", password));
  return Json::MakeObject().Set("user", WireUser(*accounts, account));
}

Result<Json> GetUser(Request& r) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(r));
  RONDO_TRY(const std::string name, r.args.Required("username"));
  const auto account = accounts->Get(name);
  // Whether a name exists is for administrators to know.
  if (!account) return r.call.caller().OnServer() >= Role::kAdmin ? Result<Json>(std::unexpected(account.error())) : Fail(Code::kForbidden, "Permission denied");
  RONDO_DO(OwnOrAdmin(r, *account));
  return Json::MakeObject().Set("user", WireUser(*accounts, *account));
}

Result<Json> ListUsers(Request& r) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(r));
  Json users = Json::MakeArray();
  for (const auto& a : accounts->List()) users.Push(WireUser(*accounts, a));
  return Json::MakeObject().Set("users", users);
}

Result<Json> CurrentUser(Request& r) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(r));
  if (const auto account = accounts->Get(r.call.actor()); account && account->id == r.call.caller().account()) return Json::MakeObject().Set("user", WireUser(*accounts, *account));
  return Json::MakeObject().Set("user", Json::MakeObject().Set("id", 0).Set("username", r.call.actor()).Set("is_admin", r.call.caller().OnServer() >= Role::kAdmin));
}

Result<Json> UpdatePassword(Request& r) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(r));
  RONDO_TRY(const std::string name, r.args.Required("username"));
  RONDO_TRY(const std::string password, r.args.Required("password"));
  const auto account = accounts->Get(name);
  if (!account) return r.call.caller().OnServer() >= Role::kAdmin ? Result<Json>(std::unexpected(account.error())) : Fail(Code::kForbidden, "Permission denied");
  RONDO_DO(OwnOrAdmin(r, *account));
  // Their client sends no current password, so one's own is only changed by those who have just proven that they know it.
  if (r.call.caller().OnServer() < Role::kAdmin && !r.call.request().Header("Authorization").starts_with("Basic "))
    return Fail(Code::kForbidden, "a password is changed here with the present one: use HTTP Basic, or POST /api/v1/users/NAME/password");
  RONDO_DO(accounts->SetPassword(r.call.actor(), name, password));
  return Json::MakeObject();
}

Result<Json> UpdateAdmin(Request& r) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(r));
  RONDO_TRY(const std::string name, r.args.Required("username"));
  RONDO_TRY(const bool admin, r.args.Bool("is_admin", false));
  RONDO_TRY(const auto account, accounts->Get(name));
  if (admin == (account.server_role == Role::kAdmin)) return Json::MakeObject();
  RONDO_DO(accounts->SetGrant(r.call.actor(), {"user", account.name, {}, admin ? Role::kAdmin : Role::kNone, 0, ""}));
  return Json::MakeObject();
}

Result<Json> DeleteUser(Request& r) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(r));
  RONDO_TRY(const std::string name, r.args.Required("username"));
  RONDO_DO(accounts->Delete(r.call.actor(), name));
  return Json::MakeObject();
}

/// The four verbs on the permissions of a user on one thing.
Result<Json> Permissions(Request& r, const char* kind, const char* key, const char* wrapper, std::string_view verb) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(r));
  RONDO_TRY(const std::string id, r.args.Required(key));
  RONDO_TRY(const std::string name, r.args.Required("username"));
  RONDO_TRY(const auto account, accounts->Get(name));
  const govern::Resource resource{kind, id};
  const auto grants = accounts->Grants();
  const auto it = std::ranges::find_if(grants, [&](const govern::Grant& g) { return g.subject_kind == "user" && g.subject == account.name && g.resource == resource; });
  const bool there = it != grants.end();
  if (verb == "create" && there) return Fail(Code::kAlreadyExists, fmt::format("Permission ({}={}, username={}) already exists.", key, id, name));
  if (verb != "create" && !there) return Fail(Code::kNotFound, fmt::format("Permission with {}={} and username={} not found", key, id, name));
  Role role = there ? it->role : Role::kNone;
  if (verb == "create" || verb == "update") {
    RONDO_TRY(const std::string permission, r.args.Required("permission"));
    RONDO_TRY(role, RoleOf(permission));
  }
  if (verb == "delete") role = Role::kNone;
  if (verb != "get" && !(verb == "create" && role == Role::kNone)) RONDO_DO(accounts->SetGrant(r.call.actor(), {"user", account.name, resource, role, 0, ""}));
  if (verb == "update" || verb == "delete") return Json::MakeObject();
  return Json::MakeObject().Set(wrapper, Json::MakeObject().Set(key, id).Set("user_id", account.id).Set("permission", PermissionOf(role)));
}
template <size_t verb>
Result<Json> OnExperiment(Request& r) {
  static constexpr std::string_view kVerbs[] = {"create", "get", "update", "delete"};
  return Permissions(r, "experiment", "experiment_id", "experiment_permission", kVerbs[verb]);
}
template <size_t verb>
Result<Json> OnModel(Request& r) {
  static constexpr std::string_view kVerbs[] = {"create", "get", "update", "delete"};
  return Permissions(r, "model", "name", "registered_model_permission", kVerbs[verb]);
}

constexpr Access kAdmin = Permission::kAdmin | Scope::kServer, kSelf = Permission::kRead | Scope::kSelf, kExperiment = Permission::kManage | Scope::kExperiment, kModel = Permission::kManage | Scope::kModel;
constexpr Row kRows[] = {
    {"POST", "/users/create", kAdmin, "Make a user", CreateUser},
    {"GET", "/users/get", kSelf, "One user", GetUser},
    {"GET", "/users/list", kAdmin, "All users", ListUsers},
    {"GET", "/users/current", kSelf, "Who asks", CurrentUser},
    {"PATCH", "/users/update-password", kSelf, "Set a password", UpdatePassword},
    {"PATCH", "/users/update-admin", kAdmin, "Make somebody administrator, or not", UpdateAdmin},
    {"DELETE", "/users/delete", kAdmin, "Delete a user", DeleteUser},
    {"POST", "/experiments/permissions/create", kExperiment, "Give a user a permission on an experiment", OnExperiment<0>},
    {"GET", "/experiments/permissions/get", kExperiment, "A user's permission on an experiment", OnExperiment<1>},
    {"PATCH", "/experiments/permissions/update", kExperiment, "Change it", OnExperiment<2>},
    {"DELETE", "/experiments/permissions/delete", kExperiment, "Take it away", OnExperiment<3>},
    {"POST", "/registered-models/permissions/create", kModel, "Give a user a permission on a registered model", OnModel<0>},
    {"GET", "/registered-models/permissions/get", kModel, "A user's permission on a registered model", OnModel<1>},
    {"PATCH", "/registered-models/permissions/update", kModel, "Change it", OnModel<2>},
    {"DELETE", "/registered-models/permissions/delete", kModel, "Take it away", OnModel<3>},
};

}  // namespace

void AddUsers(Router& router) { AddRows(router, kRows); }

}  // namespace rondo::api::mlflow
