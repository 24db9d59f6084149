// The snapshot of accounts, tokens, sessions and grants: read, kept fresh, changed under a version.
#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "govern/accounts_store.h"

namespace rondo::govern {
namespace {

constexpr std::string_view kVersion = "SELECT version FROM access_state WHERE one = 1";
constexpr std::string_view kBump = "UPDATE access_state SET version = version + 1 WHERE one = 1";
constexpr std::string_view kAccounts = "SELECT id, name, kind, password, disabled, secrets, created, last_login FROM account ORDER BY name_key";
constexpr std::string_view kGroups = "SELECT id, name FROM account_group ORDER BY name";
constexpr std::string_view kMembers = "SELECT group_id, account FROM group_member";
constexpr std::string_view kTokens = "SELECT id, account, name, hash, created, expires, last_used, created_by FROM access_token ORDER BY created";
constexpr std::string_view kSessions = "SELECT hash, account, secrets, expires FROM login_session";
constexpr std::string_view kGrants = "SELECT subject_kind, subject, resource_kind, resource, role, time, actor FROM access_grant ORDER BY resource_kind, resource, subject_kind, subject";
constexpr std::string_view kAdmins =
    "SELECT count(*) FROM account a WHERE a.disabled = 0 AND EXISTS (SELECT 1 FROM access_grant g WHERE g.resource_kind = 'server' AND g.role = 'admin' AND "
    "((g.subject_kind = 'user' AND g.subject = a.id) OR (g.subject_kind = 'group' AND (g.subject = 0 OR g.subject IN (SELECT group_id FROM group_member WHERE account = a.id)))))";

struct GrantRow {
  int64_t subject = 0;
  bool group = false;
  Resource resource;
  Role role = Role::kNone;
};

void Raise(Role& role, Role to) { role = std::max(role, to); }

void Give(Rights& rights, const GrantRow& g) {
  const auto named = [&](auto& exact, auto& prefixes) {
    const std::string& name = g.resource.name;
    if (name.ends_with('*')) Raise(prefixes[name.substr(0, name.size() - 1)], g.role);
    else Raise(exact[name], g.role);
  };
  if (g.resource.kind == "server") Raise(rights.server, g.role);
  if (g.resource.kind == "folder") Raise(rights.folders[g.resource.name], g.role);
  if (g.resource.kind == "experiment") Raise(rights.experiments[g.resource.name], g.role);
  if (g.resource.kind == "model") named(rights.models, rights.model_prefixes);
  if (g.resource.kind == "endpoint") named(rights.endpoints, rights.endpoint_prefixes);
}

Result<AccessSnapshot> ReadAll(db::Session& s) {
  AccessSnapshot out;
  RONDO_TRY(const auto version, s.QueryInt(kVersion));
  out.version = version.value_or(0);
  RONDO_DO(s.Query(kAccounts, {}, [&](const db::Row& r) {
    AccessSnapshot::Entry e;
    e.account.id = r.Int(0);
    e.account.name = r.String(1);
    e.account.kind = r.String(2);
    e.password = r.String(3);
    e.account.has_password = !e.password.empty();
    e.account.disabled = r.Int(4) != 0;
    e.secrets = r.Int(5);
    e.account.created = r.Int(6);
    e.account.last_login = r.Int(7);
    out.by_key.emplace(LowerName(e.account.name), e.account.id);
    out.accounts.emplace(e.account.id, std::move(e));
    return true;
  }));
  std::map<int64_t, size_t> group_at;
  RONDO_DO(s.Query(kGroups, {}, [&](const db::Row& r) {
    group_at[r.Int(0)] = out.groups.size();
    out.groups.push_back({r.Int(0), r.String(1), {}});
    return true;
  }));
  std::map<int64_t, std::vector<int64_t>> groups_of;
  RONDO_DO(s.Query(kMembers, {}, [&](const db::Row& r) {
    const auto account = out.accounts.find(r.Int(1));
    const auto group = group_at.find(r.Int(0));
    if (account == out.accounts.end() || group == group_at.end()) return true;
    out.groups[group->second].members.push_back(account->second.account.name);
    account->second.account.groups.push_back(out.groups[group->second].name);
    groups_of[r.Int(1)].push_back(r.Int(0));
    return true;
  }));
  RONDO_DO(s.Query(kTokens, {}, [&](const db::Row& r) {
    const auto account = out.accounts.find(r.Int(1));
    if (account != out.accounts.end())
      out.tokens.emplace(r.String(3), AccessSnapshot::TokenRow{{r.String(0), account->second.account.name, r.String(2), r.Int(4), r.Int(5), r.Int(6), r.String(7)}, r.Int(1)});
    return true;
  }));
  RONDO_DO(s.Query(kSessions, {}, [&](const db::Row& r) {
    out.sessions.emplace(r.String(0), AccessSnapshot::SessionRow{r.Int(1), r.Int(2), r.Int(3)});
    return true;
  }));
  std::vector<GrantRow> grants;
  RONDO_DO(s.Query(kGrants, {}, [&](const db::Row& r) {
    const auto role = ParseRole(r.Text(4));
    if (!role) return true;  // of a newer release: gives nothing here
    const bool group = r.Text(0) == "group";
    std::string subject;
    if (group) {
      if (const auto at = group_at.find(r.Int(1)); at != group_at.end()) subject = out.groups[at->second].name;
    } else if (const auto at = out.accounts.find(r.Int(1)); at != out.accounts.end()) {
      subject = at->second.account.name;
    }
    if (subject.empty()) return true;
    grants.push_back({r.Int(1), group, {r.String(2), r.String(3)}, *role});
    out.grants.push_back({group ? "group" : "user", subject, {r.String(2), r.String(3)}, *role, r.Int(5), r.String(6)});
    return true;
  }));
  for (auto& [id, entry] : out.accounts) {
    auto rights = std::make_shared<Rights>();
    const auto& mine = groups_of[id];
    for (const GrantRow& g : grants)
      if (g.group ? g.subject == 0 || std::ranges::find(mine, g.subject) != mine.end() : g.subject == id) Give(*rights, g);
    entry.account.server_role = rights->server;
    entry.rights = std::move(rights);
  }
  return out;
}

}  // namespace

std::string LowerName(std::string_view name) {
  std::string out(name);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

const AccessSnapshot::Entry* AccessSnapshot::Find(std::string_view name) const {
  const auto it = by_key.find(LowerName(name));
  return it == by_key.end() ? nullptr : &accounts.at(it->second);
}

Status Run(db::Session& s, std::string_view sql, const db::Args& args) {
  RONDO_TRY([[maybe_unused]] const int64_t changed, s.Exec(sql, args));
  return {};
}

AuditEntry Entry(std::string action, std::string object, Json before, Json after) {
  AuditEntry e;
  e.action = std::move(action);
  e.object = std::move(object);
  e.before = std::move(before);
  e.after = std::move(after);
  return e;
}

Result<int64_t> CountAdmins(db::Session& s) {
  RONDO_TRY(const auto count, s.QueryInt(kAdmins));
  return count.value_or(0);
}

AccountStore::AccountStore(db::Database& db, Clock& clock, const std::string& key) : db_(db), clock_(clock), key_(HmacSha256Hex(key, "rondo access 1")), limit_(clock) {
  methods_.push_back(MakePasswordLogin(*this));
}

Result<std::unique_ptr<Accounts>> Accounts::Open(db::Database& db, Clock& clock, const std::string& key) {
  auto store = std::make_unique<AccountStore>(db, clock, key);
  RONDO_DO(store->Load());
  return store;
}

Status AccountStore::Load() {
  std::lock_guard lock(load_mutex_);
  RONDO_TRY(AccessSnapshot all, db::Fetch<AccessSnapshot>(db_, ReadAll));
  snapshot_.Store(std::make_shared<const AccessSnapshot>(std::move(all)));
  looked_ns_ = MonotonicNs();
  return {};
}

std::shared_ptr<const AccessSnapshot> AccountStore::Look(int64_t after_ns) {
  const int64_t now = MonotonicNs();
  int64_t looked = looked_ns_;
  if (now - looked > after_ns && looked_ns_.compare_exchange_strong(looked, now)) {
    const auto version = db::Fetch<int64_t>(db_, [](db::Session& s) -> Result<int64_t> {
      RONDO_TRY(const auto v, s.QueryInt(kVersion));
      return v.value_or(0);
    });
    // When the database can't be read now, what was known goes on to hold until the next look.
    if (version && *version != snapshot_.Load()->version) (void)Load();
  }
  return snapshot_.Load();
}

Status AccountStore::Change(const std::string& actor, const std::function<Result<AuditEntry>(db::Session&)>& change, bool admins) {
  RONDO_DO(db_.Write([&](db::Session& s) -> Status {
    int64_t before = 0;
    if (admins) {
      RONDO_TRY(before, CountAdmins(s));
    }
    RONDO_TRY(AuditEntry entry, change(s));
    if (before > 0) {
      RONDO_TRY(const int64_t after, CountAdmins(s));
      if (after == 0) return Fail(Code::kConflict, "this would leave nobody who administers the server", "make somebody else admin first");
    }
    entry.actor = actor;
    RONDO_TRY([[maybe_unused]] const AuditEntry stored, AppendAudit(s, clock_.NowMs(), std::move(entry)));
    return Run(s, kBump, {});
  }));
  return Load();
}

std::string AccountStore::Hash(std::string_view purpose, std::string_view secret) const { return HmacSha256Hex(key_, std::string(purpose) + ":" + std::string(secret)); }

}  // namespace rondo::govern
