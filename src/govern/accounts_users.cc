// Users, service accounts and groups.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "govern/accounts_store.h"
#include "govern/password.h"

namespace rondo::govern {
namespace {

constexpr std::string_view kId = "SELECT id FROM account WHERE name_key = $1";
constexpr std::string_view kInsert = "INSERT INTO account (name, name_key, kind, password, disabled, secrets, created, last_login) VALUES ($1, $2, $3, $4, 0, 1, $5, 0)";
constexpr std::string_view kPassword = "UPDATE account SET password = $2, secrets = secrets + 1 WHERE id = $1";
constexpr std::string_view kDisable = "UPDATE account SET disabled = $2 WHERE id = $1";
constexpr std::string_view kEndSessions = "DELETE FROM login_session WHERE account = $1";
constexpr std::string_view kDeleteAll[] = {"DELETE FROM login_session WHERE account = $1", "DELETE FROM access_token WHERE account = $1", "DELETE FROM group_member WHERE account = $1",
                                           "DELETE FROM access_grant WHERE subject_kind = 'user' AND subject = $1", "DELETE FROM account WHERE id = $1"};
constexpr std::string_view kGroupId = "SELECT id FROM account_group WHERE name = $1";
constexpr std::string_view kNewGroup = "INSERT INTO account_group (name, created) VALUES ($1, $2)";
constexpr std::string_view kDeleteGroup[] = {"DELETE FROM group_member WHERE group_id = $1", "DELETE FROM access_grant WHERE subject_kind = 'group' AND subject = $1",
                                             "DELETE FROM account_group WHERE id = $1"};
constexpr std::string_view kJoin = "INSERT INTO group_member (group_id, account) VALUES ($1, $2) ON CONFLICT (group_id, account) DO NOTHING";
constexpr std::string_view kLeave = "DELETE FROM group_member WHERE group_id = $1 AND account = $2";

std::unexpected<Error> NoUser(const std::string& name) { return Fail(Code::kNotFound, fmt::format("User with username={} not found", name.substr(0, 100)), "`rondo user list` shows them"); }

}  // namespace

Status CheckAccountName(const std::string& name, std::string_view what) {
  const bool ok = !name.empty() && name.size() <= 100 && std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) || std::string_view("._@+-").contains(static_cast<char>(c)); }) &&
                  std::isalnum(static_cast<unsigned char>(name[0]));
  if (!ok) return Fail(Code::kInvalid, fmt::format("\"{}\" is no name for a {}", name.substr(0, 100), what), "letters, digits and . _ @ + -, beginning with a letter or digit, at most 100");
  return {};
}

Status CheckPassword(const std::string& name, const std::string& password) {
  const auto no = [](std::string why) { return Fail(Code::kInvalid, "this password is refused: " + why, "take at least 12 characters that nobody would guess, e.g. four random words"); };
  if (password.size() < 12) return no("it has fewer than 12 characters");
  if (password.size() > 1024) return no("it has more than 1024 bytes");
  const std::string lower = LowerName(password);
  const std::string key = LowerName(name);
  if (lower == key || (key.size() >= 4 && lower.find(key) != std::string::npos && password.size() < key.size() + 8)) return no("it is the name, or little more");
  if (std::set<char>(lower.begin(), lower.end()).size() < 5) return no("it has fewer than 5 different characters");
  for (const std::string_view known : {"password", "passw0rd", "123456789012", "qwertyuiop", "letmein", "administrator", "changeme", "rondorondo"})
    if (lower.starts_with(known) && password.size() < known.size() + 8) return no("it is one of those that are tried first");
  return {};
}

Result<int64_t> AccountId(db::Session& s, const std::string& name) {
  RONDO_TRY(const auto id, s.QueryInt(kId, {LowerName(name)}));
  if (!id) return NoUser(name);
  return *id;
}

Result<int64_t> GroupId(db::Session& s, const std::string& name) {
  RONDO_TRY(const auto id, s.QueryInt(kGroupId, {name}));
  if (!id) return Fail(Code::kNotFound, fmt::format("there is no group \"{}\"", name.substr(0, 100)), "`rondo role groups` shows them");
  return *id;
}

Result<Account> AccountStore::Create(const std::string& actor, const std::string& name, const std::string& kind, const std::string& password) {
  RONDO_DO(CheckAccountName(name, "user"));
  if (kind != "person" && kind != "service") return Fail(Code::kInvalid, fmt::format("\"{}\" is no kind of account", kind.substr(0, 40)), "person or service");
  if (kind == "service" && !password.empty()) return Fail(Code::kInvalid, "a service account has no password", "make a token for it");
  std::string hash;
  if (!password.empty()) {
    RONDO_DO(CheckPassword(name, password));
    RONDO_TRY(hash, HashPassword(password));
  }
  RONDO_DO(Change(actor, [&](db::Session& s) -> Result<AuditEntry> {
    RONDO_TRY(const auto taken, s.QueryInt(kId, {LowerName(name)}));
    // "everyone" and "token" mean something else where names are written.
    if (taken || LowerName(name) == "everyone" || LowerName(name) == "token") return Fail(Code::kAlreadyExists, fmt::format("User (username={}) already exists.", name));
    RONDO_DO(Run(s, kInsert, {name, LowerName(name), kind, hash, clock_.NowMs()}));
    return Entry("user.create", "user " + name, {}, Json::MakeObject().Set("kind", kind).Set("password", !hash.empty()));
  }));
  return Get(name);
}

Result<Account> AccountStore::Get(const std::string& name) {
  const auto now = Now();
  const auto* entry = now->Find(name);
  if (!entry) return NoUser(name);
  return entry->account;
}

std::vector<Account> AccountStore::List() {
  const auto now = Now();
  std::vector<Account> out;
  for (const auto& [key, id] : now->by_key) out.push_back(now->accounts.at(id).account);
  return out;
}

Status AccountStore::SetPassword(const std::string& actor, const std::string& name, const std::string& password) {
  RONDO_TRY(const Account account, Get(name));
  if (account.kind == "service") return Fail(Code::kInvalid, "a service account has no password", "make a token for it");
  RONDO_DO(CheckPassword(account.name, password));
  RONDO_TRY(const std::string hash, HashPassword(password));
  return Change(actor, [&](db::Session& s) -> Result<AuditEntry> {
    RONDO_TRY(const int64_t id, AccountId(s, name));
    RONDO_DO(Run(s, kPassword, {id, hash}));
    RONDO_DO(Run(s, kEndSessions, {id}));
    return Entry("user.password", "user " + account.name);
  });
}

Status AccountStore::SetDisabled(const std::string& actor, const std::string& name, bool disabled) {
  RONDO_TRY(const Account account, Get(name));
  return Change(
      actor,
      [&](db::Session& s) -> Result<AuditEntry> {
        RONDO_TRY(const int64_t id, AccountId(s, name));
        RONDO_DO(Run(s, kDisable, {id, disabled}));
        if (disabled) RONDO_DO(Run(s, kEndSessions, {id}));
        return Entry(disabled ? "user.disable" : "user.enable", "user " + account.name);
      },
      disabled);
}

Status AccountStore::Delete(const std::string& actor, const std::string& name) {
  RONDO_TRY(const Account account, Get(name));
  return Change(
      actor,
      [&](db::Session& s) -> Result<AuditEntry> {
        RONDO_TRY(const int64_t id, AccountId(s, name));
        for (const std::string_view sql : kDeleteAll) RONDO_DO(Run(s, sql, {id}));
        return Entry("user.delete", "user " + account.name);
      },
      true);
}

Status AccountStore::CreateGroup(const std::string& actor, const std::string& name) {
  RONDO_DO(CheckAccountName(name, "group"));
  return Change(actor, [&](db::Session& s) -> Result<AuditEntry> {
    RONDO_TRY(const auto taken, s.QueryInt(kGroupId, {name}));
    if (taken) return Fail(Code::kAlreadyExists, fmt::format("the group \"{}\" is there already", name));
    RONDO_DO(Run(s, kNewGroup, {name, clock_.NowMs()}));
    return Entry("group.create", "group " + name);
  });
}

Status AccountStore::DeleteGroup(const std::string& actor, const std::string& name) {
  if (name == "everyone") return Fail(Code::kInvalid, "the group \"everyone\" is always there", "take its grants away instead");
  return Change(
      actor,
      [&](db::Session& s) -> Result<AuditEntry> {
        RONDO_TRY(const int64_t id, GroupId(s, name));
        for (const std::string_view sql : kDeleteGroup) RONDO_DO(Run(s, sql, {id}));
        return Entry("group.delete", "group " + name);
      },
      true);
}

Status AccountStore::SetMember(const std::string& actor, const std::string& group, const std::string& name, bool member) {
  if (group == "everyone") return Fail(Code::kInvalid, "everybody is in the group \"everyone\"");
  RONDO_TRY(const Account account, Get(name));
  return Change(
      actor,
      [&](db::Session& s) -> Result<AuditEntry> {
        RONDO_TRY(const int64_t group_id, GroupId(s, group));
        RONDO_TRY(const int64_t id, AccountId(s, name));
        RONDO_DO(Run(s, member ? kJoin : kLeave, {group_id, id}));
        return Entry(member ? "group.add" : "group.remove", "group " + group, {}, Json::MakeObject().Set("user", account.name));
      },
      !member);
}

std::vector<Group> AccountStore::Groups() { return Now()->groups; }

bool AccountStore::IsMember(int64_t account, const std::string& group) {
  if (group == "everyone") return true;
  const auto now = Now();
  const auto it = now->accounts.find(account);
  return it != now->accounts.end() && std::ranges::find(it->second.account.groups, group) != it->second.account.groups.end();
}

}  // namespace rondo::govern
