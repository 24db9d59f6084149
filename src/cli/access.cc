// Users, groups, tokens and grants from the command line: works on the data folder itself, whether or not a server runs.
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "base/clock.h"
#include "cli/verbs.h"
#include "govern/accounts.h"

namespace rondo::cli {
namespace {

using govern::Role;

struct Open {
  std::unique_ptr<workspace::Workspace> workspace;
  std::unique_ptr<govern::Accounts> accounts;
};
Result<Open> OpenAccounts(const Call& call) {
  Open out;
  RONDO_TRY(out.workspace, call.OpenWorkspace());
  RONDO_TRY(const std::string key, out.workspace->SecretKey());
  RONDO_TRY(out.accounts, govern::Accounts::Open(out.workspace->db(), out.workspace->clock(), key));
  return out;
}

/// From the terminal without echo, or the first line of standard input: never from the command line, which others can see.
Result<std::string> ReadPassword(const std::string& prompt) {
  std::string line;
  if (!::isatty(STDIN_FILENO)) {
    if (!std::getline(std::cin, line)) return Fail(Code::kInvalid, "no password came on standard input", "printf '%s\\n' \"$SECRET\" | rondo …");
    return line;
  }
  const auto ask = [](const std::string& text) {
    std::string out;
    termios before{};
    ::tcgetattr(STDIN_FILENO, &before);
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    std::cerr << text << std::flush;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    std::getline(std::cin, out);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::cerr << "\n";
    return out;
  };
  line = ask(prompt + ": ");
  if (ask("again: ") != line) return Fail(Code::kInvalid, "the two are not the same");
  return line;
}

Json UserJson(const govern::Account& a) {
  Json out = Json::MakeObject().Set("name", a.name).Set("kind", a.kind).Set("role", govern::RoleName(a.server_role)).Set("disabled", a.disabled).Set("has_password", a.has_password).Set("created", a.created);
  if (a.last_login) out.Set("last_login", a.last_login);
  return out.Set("groups", Json(a.groups));
}
Json TokenJson(const govern::Token& t) {
  Json out = Json::MakeObject().Set("id", t.id).Set("user", t.account).Set("name", t.name).Set("created", t.created);
  if (t.expires) out.Set("expires", t.expires);
  if (t.last_used) out.Set("last_used", t.last_used);
  return out;
}
std::string Where(const govern::Resource& r) { return r.kind == "server" ? "server" : r.kind + ":" + r.name; }

/// "server", "folder:team/x", "experiment:3", "model:churn*", "endpoint:churn".
Result<govern::Resource> ParseResource(const std::string& text) {
  if (text.empty() || text == "server") return govern::Resource{};
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return Fail(Code::kInvalid, fmt::format("\"{}\" does not say what it is", text), "server, folder:team/x, experiment:3, model:churn or endpoint:churn");
  return govern::Resource{text.substr(0, colon), text.substr(colon + 1)};
}
/// "anna", "group:team".
std::pair<std::string, std::string> ParseSubject(const std::string& text) {
  if (text.starts_with("group:")) return {"group", text.substr(6)};
  if (text.starts_with("user:")) return {"user", text.substr(5)};
  return {text == "everyone" ? "group" : "user", text};
}

int Done(const Call& call, const std::string& text) {
  if (call.json()) PrintJson(Json::MakeObject().Set("done", true));
  else Print(text);
  return 0;
}

}  // namespace

Result<int> UserList(Call& call) {
  RONDO_TRY(const Open open, OpenAccounts(call));
  const auto users = open.accounts->List();
  if (call.json()) {
    Json list = Json::MakeArray();
    for (const auto& a : users) list.Push(UserJson(a));
    PrintJson(list);
    return 0;
  }
  if (users.empty()) {
    Print("no users yet: `rondo user add NAME --admin` makes the first");
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"name", "kind", "role", "groups", "last login", ""}};
  for (const auto& a : users) {
    std::string groups;
    for (const std::string& g : a.groups) groups += (groups.empty() ? "" : ", ") + g;
    rows.push_back({a.name, a.kind, std::string(govern::RoleName(a.server_role)), groups, a.last_login ? Ago(a.last_login, open.workspace->clock().NowMs()) : "never", a.disabled ? "disabled" : ""});
  }
  PrintTable(rows);
  return 0;
}

Result<int> UserAdd(Call& call) {
  RONDO_TRY(const Open open, OpenAccounts(call));
  const bool service = call.Has("--service");
  std::string password;
  if (!service && !call.Has("--no-password")) {
    RONDO_TRY(password, ReadPassword("password of " + call.Arg(0)));
  }
  RONDO_TRY(auto account, open.accounts->Create(govern::CurrentActor(), call.Arg(0), service ? "service" : "person", password));
  const std::string role_text = call.Has("--admin") ? "admin" : call.Value("--role");
  if (!role_text.empty()) {
    RONDO_TRY(const Role role, govern::ParseRole(role_text));
    if (role != Role::kNone) RONDO_DO(open.accounts->SetGrant(govern::CurrentActor(), {"user", account.name, {}, role, 0, ""}));
    RONDO_TRY(account, open.accounts->Get(account.name));
  }
  if (call.json()) PrintJson(UserJson(account));
  else Print(fmt::format("{} {} is there{}", account.kind == "service" ? "service account" : "user", account.name, account.server_role == Role::kNone ? "; without a role yet: `rondo role grant`" : fmt::format(", {} of the server", govern::RoleName(account.server_role))));
  return 0;
}

Result<int> UserPassword(Call& call) {
  RONDO_TRY(const Open open, OpenAccounts(call));
  RONDO_TRY(const auto account, open.accounts->Get(call.Arg(0)));
  RONDO_TRY(const std::string password, ReadPassword("new password of " + account.name));
  RONDO_DO(open.accounts->SetPassword(govern::CurrentActor(), account.name, password));
  return Done(call, "the password of " + account.name + " is set; sessions have ended");
}

Result<int> UserDisable(Call& call) {
  RONDO_TRY(const Open open, OpenAccounts(call));
  RONDO_DO(open.accounts->SetDisabled(govern::CurrentActor(), call.Arg(0), !call.Has("--undo")));
  return Done(call, call.Arg(0) + (call.Has("--undo") ? " may log in again" : " is locked out"));
}

Result<int> UserRemove(Call& call) {
  RONDO_TRY(const Open open, OpenAccounts(call));
  RONDO_DO(open.accounts->Delete(govern::CurrentActor(), call.Arg(0)));
  return Done(call, call.Arg(0) + " is gone, with tokens, sessions and grants");
}

Result<int> TokenList(Call& call) {
  RONDO_TRY(const Open open, OpenAccounts(call));
  const auto tokens = open.accounts->Tokens(call.Arg(0));
  if (call.json()) {
    Json list = Json::MakeArray();
    for (const auto& t : tokens) list.Push(TokenJson(t));
    PrintJson(list);
    return 0;
  }
  const int64_t now = open.workspace->clock().NowMs();
  std::vector<std::vector<std::string>> rows = {{"id", "user", "name", "made", "last used", "expires"}};
  for (const auto& t : tokens)
    rows.push_back({t.id, t.account, t.name, Ago(t.created, now), t.last_used ? Ago(t.last_used, now) : "never", t.expires == 0 ? "never" : t.expires < now ? "expired" : FormatTime(t.expires).substr(0, 10)});
  if (tokens.empty()) Print("no tokens: `rondo token create USER --name WHAT_FOR`");
  else PrintTable(rows);
  return 0;
}

Result<int> TokenCreate(Call& call) {
  RONDO_TRY(const Open open, OpenAccounts(call));
  RONDO_TRY(const int64_t days, call.Int("--days", 0, 1, 3660));
  const int64_t expires = days ? open.workspace->clock().NowMs() + days * 86'400'000 : 0;
  RONDO_TRY(const auto made, open.accounts->CreateToken(govern::CurrentActor(), call.Arg(0), call.Value("--name", "command line"), expires));
  if (call.json()) PrintJson(TokenJson(made.token).Set("secret", made.secret));
  else Print(made.secret + "\n" + Dim("shown this once; use it as MLFLOW_TRACKING_TOKEN or \"Authorization: Bearer\""));
  return 0;
}

Result<int> TokenRevoke(Call& call) {
  RONDO_TRY(const Open open, OpenAccounts(call));
  RONDO_DO(open.accounts->RevokeToken(govern::CurrentActor(), call.Arg(0)));
  return Done(call, "token " + call.Arg(0) + " is revoked");
}

Result<int> RoleList(Call& call) {
  RONDO_TRY(const Open open, OpenAccounts(call));
  const auto grants = open.accounts->Grants();
  Json list = Json::MakeArray();
  std::vector<std::vector<std::string>> rows = {{"who", "role", "on", "since", "by"}};
  for (const auto& g : grants) {
    rows.push_back({(g.subject_kind == "group" ? "group:" : "") + g.subject, std::string(govern::RoleName(g.role)), Where(g.resource), FormatTime(g.time).substr(0, 10), g.actor});
    list.Push(Json::MakeObject().Set("subject_kind", g.subject_kind).Set("subject", g.subject).Set("role", govern::RoleName(g.role)).Set("resource_kind", g.resource.kind).Set("resource", g.resource.name).Set("time", g.time).Set("actor", g.actor));
  }
  if (call.json()) PrintJson(list);
  else if (grants.empty()) Print("no grants: `rondo role grant WHO ROLE [ON]`");
  else PrintTable(rows);
  return 0;
}

Result<int> RoleGrant(Call& call) {
  RONDO_TRY(const Open open, OpenAccounts(call));
  RONDO_TRY(const Role role, govern::ParseRole(call.Arg(1)));
  if (role == Role::kNone) return Fail(Code::kInvalid, "none is no role to grant", "rondo role revoke");
  RONDO_TRY(const govern::Resource resource, ParseResource(call.Arg(2)));
  const auto [kind, subject] = ParseSubject(call.Arg(0));
  RONDO_DO(open.accounts->SetGrant(govern::CurrentActor(), {kind, subject, resource, role, 0, ""}));
  return Done(call, fmt::format("{} is {} on {}", call.Arg(0), govern::RoleName(role), Where(resource)));
}

Result<int> RoleRevoke(Call& call) {
  RONDO_TRY(const Open open, OpenAccounts(call));
  RONDO_TRY(const govern::Resource resource, ParseResource(call.Arg(1)));
  const auto [kind, subject] = ParseSubject(call.Arg(0));
  RONDO_DO(open.accounts->SetGrant(govern::CurrentActor(), {kind, subject, resource, Role::kNone, 0, ""}));
  return Done(call, fmt::format("{} has no role of its own on {} any more", call.Arg(0), Where(resource)));
}

Result<int> RoleGroups(Call& call) {
  RONDO_TRY(const Open open, OpenAccounts(call));
  Json list = Json::MakeArray();
  std::vector<std::vector<std::string>> rows = {{"group", "members"}};
  for (const auto& g : open.accounts->Groups()) {
    std::string members;
    for (const std::string& m : g.members) members += (members.empty() ? "" : ", ") + m;
    rows.push_back({g.name, g.name == "everyone" ? "(everybody)" : members});
    list.Push(Json::MakeObject().Set("name", g.name).Set("members", Json(g.members)));
  }
  if (call.json()) PrintJson(list);
  else PrintTable(rows);
  return 0;
}

Result<int> RoleGroup(Call& call) {
  RONDO_TRY(const Open open, OpenAccounts(call));
  const std::string group = call.Arg(0), actor = govern::CurrentActor();
  const auto groups = open.accounts->Groups();
  const bool there = std::ranges::any_of(groups, [&](const auto& g) { return g.name == group; });
  if (call.Has("--delete")) {
    RONDO_DO(open.accounts->DeleteGroup(actor, group));
    return Done(call, "group " + group + " is gone, with its grants");
  }
  if (!there) RONDO_DO(open.accounts->CreateGroup(actor, group));
  for (const std::string& name : call.Values("--add")) RONDO_DO(open.accounts->SetMember(actor, group, name, true));
  for (const std::string& name : call.Values("--remove")) RONDO_DO(open.accounts->SetMember(actor, group, name, false));
  return Done(call, "group " + group + (there ? " is changed" : " is there"));
}

}  // namespace rondo::cli
