// /api/v1/users, /groups, /tokens, /grants: who may do what.
#include <boost/describe.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "api/v1.h"
#include "base/hash.h"
#include "tracking/places.h"

namespace rondo::api {
namespace {

using govern::Role;

struct UserJson {
  int64_t id = 0;
  std::string name, kind, role;
  bool disabled = false, has_password = false;
  int64_t created = 0;
  std::optional<int64_t> last_login;
  std::vector<std::string> groups;
};
BOOST_DESCRIBE_STRUCT(UserJson, (), (id, name, kind, role, disabled, has_password, created, last_login, groups))
struct NewUserBody {
  std::string name, kind = "person", password;
  std::string role;  // on the server
};
BOOST_DESCRIBE_STRUCT(NewUserBody, (), (name, kind, password, role))
struct PasswordBody {
  std::string password, current;
};
BOOST_DESCRIBE_STRUCT(PasswordBody, (), (password, current))
struct DisabledBody {
  bool disabled = true;
};
BOOST_DESCRIBE_STRUCT(DisabledBody, (), (disabled))
struct GroupJson {
  std::string name;
  std::vector<std::string> members;
};
BOOST_DESCRIBE_STRUCT(GroupJson, (), (name, members))
struct NameBody {
  std::string name;
};
BOOST_DESCRIBE_STRUCT(NameBody, (), (name))
struct TokenJson {
  std::string id, user, name;
  int64_t created = 0;
  std::optional<int64_t> expires, last_used;
  std::string created_by;
};
BOOST_DESCRIBE_STRUCT(TokenJson, (), (id, user, name, created, expires, last_used, created_by))
struct NewTokenBody {
  std::string name, user;
  std::optional<int64_t> days;
};
BOOST_DESCRIBE_STRUCT(NewTokenBody, (), (name, user, days))
struct GrantJson {
  std::string subject_kind, subject, resource_kind, resource, role;
  int64_t time = 0;
  std::string actor;
  std::string label;  // an experiment's name
};
BOOST_DESCRIBE_STRUCT(GrantJson, (), (subject_kind, subject, resource_kind, resource, role, time, actor, label))
struct GrantBody {
  std::string subject_kind = "user", subject, resource_kind = "server", resource, role;
};
BOOST_DESCRIBE_STRUCT(GrantBody, (), (subject_kind, subject, resource_kind, resource, role))

Result<govern::Accounts*> AccountsOf(Call& call) {
  if (!call.context().accounts) return Fail(Code::kUnsupported, "this server keeps no accounts");
  return call.context().accounts;
}
std::optional<int64_t> Some(int64_t time) { return time == 0 ? std::nullopt : std::optional(time); }
bool IsAdmin(const Call& call) { return call.caller().OnServer() >= Role::kAdmin; }
/// The account is the caller's, or he is an administrator.
Status OwnOrAdmin(Call& call, const std::string& name) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  if (IsAdmin(call)) return {};
  if (const auto account = accounts->Get(name); account && account->id == call.caller().account()) return {};
  return Fail(Code::kForbidden, "Permission denied: this is another user's", "an administrator can do it");
}

UserJson ToWire(const govern::Account& a) { return {a.id, a.name, a.kind, std::string(govern::RoleName(a.server_role)), a.disabled, a.has_password, a.created, Some(a.last_login), a.groups}; }
TokenJson ToWire(const govern::Token& t) { return {t.id, t.account, t.name, t.created, Some(t.expires), Some(t.last_used), t.created_by}; }

Result<net::Response> ListUsers(Call& call) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  std::vector<UserJson> out;
  for (const auto& a : accounts->List()) out.push_back(ToWire(a));
  return JsonResponse(ToJson(out));
}

Result<net::Response> OneUser(Call& call) {
  RONDO_DO(OwnOrAdmin(call, call.Path("name")));
  RONDO_TRY(const auto account, call.context().accounts->Get(call.Path("name")));
  return JsonResponse(ToJson(ToWire(account)));
}

Result<net::Response> CreateUser(Call& call) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  RONDO_TRY(const NewUserBody body, call.Body<NewUserBody>());
  std::optional<Role> role;
  if (!body.role.empty()) {
    RONDO_TRY(role, govern::ParseRole(body.role));
  }
  RONDO_TRY(auto account, accounts->Create(call.actor(), body.name, body.kind, body.password));
  if (role && *role != Role::kNone) RONDO_DO(accounts->SetGrant(call.actor(), {"user", account.name, {}, *role, 0, ""}));
  RONDO_TRY(account, accounts->Get(account.name));
  return JsonResponse(ToJson(ToWire(account)), 201);
}

Result<net::Response> SetPassword(Call& call) {
  const std::string& name = call.Path("name");
  RONDO_DO(OwnOrAdmin(call, name));
  RONDO_TRY(const PasswordBody body, call.Body<PasswordBody>());
  RONDO_TRY(const auto account, call.context().accounts->Get(name));
  // An open session must not be enough to take an account over for good.
  if (account.id == call.caller().account() && account.has_password) {
    const auto ok = call.context().accounts->ByBasic(Base64Encode(account.name + ":" + body.current), call.request().remote);
    if (!ok) return Fail(Code::kForbidden, "the current password is wrong", ok.error().error.message);
  }
  RONDO_DO(call.context().accounts->SetPassword(call.actor(), name, body.password));
  return JsonResponse(Json::MakeObject());
}

Result<net::Response> SetDisabled(Call& call) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  RONDO_TRY(const DisabledBody body, call.Body<DisabledBody>());
  RONDO_DO(accounts->SetDisabled(call.actor(), call.Path("name"), body.disabled));
  return JsonResponse(Json::MakeObject());
}

Result<net::Response> DeleteUser(Call& call) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  RONDO_DO(accounts->Delete(call.actor(), call.Path("name")));
  return JsonResponse(Json::MakeObject());
}

Result<net::Response> ListGroups(Call& call) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  std::vector<GroupJson> out;
  for (const auto& g : accounts->Groups()) out.push_back({g.name, g.members});
  return JsonResponse(ToJson(out));
}

Result<net::Response> CreateGroup(Call& call) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  RONDO_TRY(const NameBody body, call.Body<NameBody>());
  RONDO_DO(accounts->CreateGroup(call.actor(), body.name));
  return JsonResponse(ToJson(GroupJson{body.name, {}}), 201);
}

Result<net::Response> DeleteGroup(Call& call) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  RONDO_DO(accounts->DeleteGroup(call.actor(), call.Path("group")));
  return JsonResponse(Json::MakeObject());
}

Result<net::Response> SetMember(Call& call) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  RONDO_DO(accounts->SetMember(call.actor(), call.Path("group"), call.Path("name"), call.request().method == "PUT"));
  return JsonResponse(Json::MakeObject());
}

Result<net::Response> ListTokens(Call& call) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  std::string user = call.Query("user");
  if (!IsAdmin(call)) {
    if (user.empty()) user = call.caller().name();
    RONDO_DO(OwnOrAdmin(call, user));
  }
  std::vector<TokenJson> out;
  for (const auto& t : accounts->Tokens(user)) out.push_back(ToWire(t));
  return JsonResponse(ToJson(out));
}

Result<net::Response> CreateToken(Call& call) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  RONDO_TRY(const NewTokenBody body, call.Body<NewTokenBody>());
  const std::string user = body.user.empty() ? call.caller().name() : body.user;
  if (body.user.empty() && call.caller().account() == 0) return Fail(Code::kInvalid, "say whose token it is to be", R"(add "user": a user or service account)");
  RONDO_DO(OwnOrAdmin(call, user));
  int64_t expires = 0;
  if (body.days) {
    if (*body.days < 1 || *body.days > 3660) return Fail(Code::kInvalid, fmt::format("days must be 1 to 3660, not {}", *body.days), "leave it out for a token that does not expire");
    expires = call.workspace().clock().NowMs() + *body.days * 86'400'000;
  }
  RONDO_TRY(const auto made, accounts->CreateToken(call.actor(), user, body.name, expires));
  Json out = ToJson(ToWire(made.token));
  out.Set("secret", made.secret);
  return JsonResponse(out, 201);
}

Result<net::Response> RevokeToken(Call& call) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  const std::string& id = call.Path("id");
  const auto all = accounts->Tokens("");
  const auto it = std::ranges::find(all, id, &govern::Token::id);
  // Somebody else's token and none at all look the same to those who may not know.
  if (it == all.end() || !OwnOrAdmin(call, it->account)) return Fail(Code::kNotFound, fmt::format("there is no token {}", id.substr(0, 40)));
  RONDO_DO(accounts->RevokeToken(call.actor(), id));
  return JsonResponse(Json::MakeObject());
}

/// The role of the caller on what a grant is about, and the experiment's name.
Result<Role> RoleOn(Call& call, const govern::Resource& resource, std::string* label) {
  std::string name;
  if (resource.kind == "experiment") {
    if (const auto place = tracking::PlaceOfExperiment(call.workspace().db(), resource.name)) name = place->experiment_name;
    else if (place.error().code != Code::kNotFound) return std::unexpected(place.error());
  }
  if (label) *label = name;
  return call.caller().On(resource, name);
}

Result<net::Response> ListGrants(Call& call) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  std::vector<GrantJson> out;
  for (const auto& g : accounts->Grants()) {
    GrantJson row{g.subject_kind, g.subject, g.resource.kind, g.resource.name, std::string(govern::RoleName(g.role)), g.time, g.actor, {}};
    RONDO_TRY(const Role role, RoleOn(call, g.resource, &row.label));
    const bool own = g.subject_kind == "user" ? g.subject == call.caller().name() : accounts->IsMember(call.caller().account(), g.subject);
    if (own || role >= Role::kManager) out.push_back(std::move(row));
  }
  return JsonResponse(ToJson(out));
}

Result<net::Response> SetGrant(Call& call) {
  RONDO_TRY(govern::Accounts* const accounts, AccountsOf(call));
  RONDO_TRY(const GrantBody body, call.Body<GrantBody>());
  RONDO_TRY(const Role role, govern::ParseRole(body.role));
  const govern::Resource resource{body.resource_kind, body.resource};
  if (resource.kind == "experiment") {
    RONDO_TRY([[maybe_unused]] const auto place, tracking::PlaceOfExperiment(call.workspace().db(), resource.name));
  }
  RONDO_TRY(const Role own, RoleOn(call, resource, nullptr));
  const bool server = resource.kind == "server";
  if (own < (server ? Role::kAdmin : Role::kManager))
    return Fail(Code::kForbidden, fmt::format("Permission denied: granting needs the role {} on {}", server ? "admin" : "manager", server ? std::string("the server") : resource.kind + " " + resource.name.substr(0, 200)));
  RONDO_DO(accounts->SetGrant(call.actor(), {body.subject_kind, body.subject, resource, role, 0, ""}));
  return JsonResponse(Json::MakeObject());
}

}  // namespace

void AddV1Access(Router& router) {
  const Access admin = Permission::kAdmin | Scope::kServer, self = Permission::kRead | Scope::kSelf;
  const auto row = [&](const char* method, const char* pattern, Access access, const char* summary, Handler handler) {
    router.Add(method, pattern, access, summary, std::move(handler)).max_body = 64u << 10;
  };
  row("GET", "/api/v1/users", admin, "Users and service accounts", ListUsers);
  row("POST", "/api/v1/users", admin, "Make a user or service account", CreateUser);
  row("GET", "/api/v1/users/{name}", self, "One user: oneself, or anybody for administrators", OneUser);
  row("DELETE", "/api/v1/users/{name}", admin, "Delete a user with tokens, sessions and grants", DeleteUser);
  row("POST", "/api/v1/users/{name}/password", self, "Set a password; one's own needs the current one", SetPassword);
  row("POST", "/api/v1/users/{name}/disabled", admin, "Lock a user out, or let him in again", SetDisabled);
  row("GET", "/api/v1/groups", admin, "Groups with their members", ListGroups);
  row("POST", "/api/v1/groups", admin, "Make a group", CreateGroup);
  row("DELETE", "/api/v1/groups/{group}", admin, "Delete a group with its grants", DeleteGroup);
  row("PUT", "/api/v1/groups/{group}/members/{name}", admin, "Add to a group", SetMember);
  row("DELETE", "/api/v1/groups/{group}/members/{name}", admin, "Take out of a group", SetMember);
  row("GET", "/api/v1/tokens", self, "One's own tokens; all, or ?user=, for administrators", ListTokens);
  row("POST", "/api/v1/tokens", self, "Make a token: its secret is in this answer only", CreateToken);
  row("DELETE", "/api/v1/tokens/{id}", self, "Revoke a token", RevokeToken);
  row("GET", "/api/v1/grants", self, "One's own grants, and those on what one manages", ListGrants);
  row("POST", "/api/v1/grants", self, "Give a role on something one manages; role \"none\" takes it away", SetGrant);
}

}  // namespace rondo::api
