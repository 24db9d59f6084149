// Who asks: tokens, sessions, Basic headers, the first administrator.
#include <fmt/format.h>

#include "base/hash.h"
#include "base/id.h"
#include "govern/accounts_store.h"
#include "govern/password.h"

namespace rondo::govern {
namespace {

constexpr std::string_view kInsertSession = "INSERT INTO login_session (hash, account, secrets, created, expires, remote) VALUES ($1, $2, $3, $4, $5, $6)";
constexpr std::string_view kDeleteSession = "DELETE FROM login_session WHERE hash = $1";
constexpr std::string_view kExpire = "DELETE FROM login_session WHERE expires < $1";
constexpr std::string_view kOldest = "DELETE FROM login_session WHERE account = $1 AND hash NOT IN (SELECT hash FROM login_session WHERE account = $1 ORDER BY created DESC, hash LIMIT 20)";
constexpr std::string_view kLastLogin = "UPDATE account SET last_login = $2 WHERE id = $1";
constexpr std::string_view kFirstAdmin = "INSERT INTO access_grant (subject_kind, subject, resource_kind, resource, role, time, actor) VALUES ('user', $1, 'server', '', 'admin', $2, $3)";
constexpr std::string_view kFirstAccount = "INSERT INTO account (name, name_key, kind, password, disabled, secrets, created, last_login) VALUES ($1, $2, 'person', $3, 0, 1, $4, 0)";
constexpr int64_t kSessionMs = 12 * 3600'000;
constexpr int64_t kRememberMs = 10 * 60'000;
constexpr size_t kMostRemembered = 1024;
constexpr size_t kMaxHeader = 2048;

std::unexpected<Refusal> Refuse(Code code, std::string message, std::string hint = {}, int64_t retry_after_s = 0) {
  return std::unexpected(Refusal{Error{code, std::move(message), std::move(hint)}, retry_after_s});
}
std::unexpected<Refusal> Refuse(Error error) { return std::unexpected(Refusal{std::move(error), 0}); }

/// Basic user:password against the accounts of this server.
class PasswordLogin : public LoginMethod {
 public:
  explicit PasswordLogin(AccountStore& store) : store_(store) {}
  std::string_view name() const override { return "password"; }
  Result<std::string> Begin(const std::string&) override { return std::string(); }
  Admitted<int64_t> Finish(const std::map<std::string, std::string>& fields, const std::string& remote) override {
    const auto field = [&](const char* name) {
      const auto it = fields.find(name);
      return it == fields.end() ? std::string() : it->second;
    };
    return store_.CheckLogin(field("name"), field("password"), remote);
  }

 private:
  AccountStore& store_;
};

}  // namespace

std::unique_ptr<LoginMethod> MakePasswordLogin(AccountStore& store) { return std::make_unique<PasswordLogin>(store); }

Admitted<Caller> AccountStore::ByToken(std::string_view token) {
  const auto no = [] { return Refuse(Code::kUnauthorized, "this token is not known, or has been revoked", "make one with `rondo token create`, or on the page Access"); };
  if (!token.starts_with("rdo_") || token.size() > 100) return no();
  auto now = Now();
  const std::string hash = Hash("token", token);
  auto it = now->tokens.find(hash);
  if (it == now->tokens.end()) {
    now = NowAfterMiss();
    it = now->tokens.find(hash);
    if (it == now->tokens.end()) return no();
  }
  const auto& row = it->second;
  const auto& entry = now->accounts.at(row.account);
  if (entry.account.disabled) return Refuse(Code::kUnauthorized, fmt::format("the account {} is disabled", entry.account.name));
  const int64_t time = clock_.NowMs();
  if (row.token.expires != 0 && row.token.expires <= time)
    return Refuse(Code::kUnauthorized, fmt::format("token {} has expired at {}", row.token.id, FormatTime(row.token.expires)), "make a new one");
  {
    std::lock_guard lock(use_mutex_);
    used_[row.token.id] = time;
  }
  return Caller(entry.account.name, row.account, entry.rights);
}

Admitted<Caller> AccountStore::BySession(std::string_view cookie) {
  const auto now = Now();
  const auto it = cookie.size() > 100 ? now->sessions.end() : now->sessions.find(Hash("session", cookie));
  if (it != now->sessions.end() && it->second.expires > clock_.NowMs())
    if (const auto account = now->accounts.find(it->second.account); account != now->accounts.end() && account->second.secrets == it->second.secrets && !account->second.account.disabled)
      return Caller(account->second.account.name, account->first, account->second.rights);
  return Refuse(Code::kUnauthorized, "the session has ended", "log in again");
}

std::string AccountStore::CsrfOf(std::string_view cookie) { return Hash("csrf", cookie).substr(0, 32); }

bool AccountStore::RemembersBasic(std::string_view header) {
  if (header.size() > kMaxHeader) return true;  // refused at once, without work
  const std::string hash = Hash("basic", header);
  std::lock_guard lock(basic_mutex_);
  const auto it = basic_.find(hash);
  return it != basic_.end() && it->second.until > clock_.NowMs();
}

Admitted<Caller> AccountStore::ByBasic(std::string_view header, const std::string& remote) {
  const auto wrong = [] { return Refuse(Code::kUnauthorized, "the Basic header can't be read", "it is base64 of name:password"); };
  if (header.size() > kMaxHeader) return wrong();
  const std::string hash = Hash("basic", header);
  const auto now = Now();
  {
    std::lock_guard lock(basic_mutex_);
    if (const auto it = basic_.find(hash); it != basic_.end()) {
      const auto account = now->accounts.find(it->second.account);
      if (it->second.until > clock_.NowMs() && account != now->accounts.end() && account->second.secrets == it->second.secrets && !account->second.account.disabled)
        return Caller(account->second.account.name, account->first, account->second.rights);
      basic_.erase(it);
    }
  }
  const auto plain = Base64Decode(header);
  const size_t colon = plain ? plain->find(':') : std::string::npos;
  if (colon == std::string::npos) return wrong();
  const std::string name = plain->substr(0, colon), password = plain->substr(colon + 1);
  if (password.starts_with("rdo_")) {
    auto caller = ByToken(password);
    if (caller && !name.empty() && LowerName(name) != "token" && LowerName(name) != LowerName(caller->name()))
      return Refuse(Code::kUnauthorized, "this token belongs to another user", "take its owner's name, or \"token\"");
    return caller;
  }
  auto id = CheckLogin(name, password, remote);
  if (!id) return std::unexpected(std::move(id).error());
  const auto fresh = Now();
  const auto account = fresh->accounts.find(*id);
  if (account == fresh->accounts.end()) return Refuse(Code::kUnauthorized, "wrong name or password");
  {
    std::lock_guard lock(basic_mutex_);
    if (basic_.size() >= kMostRemembered) std::erase_if(basic_, [&](const auto& b) { return b.second.until <= clock_.NowMs(); });
    if (basic_.size() >= kMostRemembered) basic_.clear();
    basic_[hash] = {*id, account->second.secrets, clock_.NowMs() + kRememberMs};
  }
  return Caller(account->second.account.name, *id, account->second.rights);
}

std::optional<Caller> AccountStore::ByName(const std::string& name) {
  const auto now = Now();
  const auto* entry = now->Find(name);
  if (!entry) return std::nullopt;
  return Caller(entry->account.name, entry->account.id, entry->rights);
}

Admitted<int64_t> AccountStore::CheckLogin(const std::string& name, const std::string& password, const std::string& remote) {
  if (name.empty() || password.empty() || password.size() > 1024) return Refuse(Code::kUnauthorized, "wrong name or password");
  const std::string key = LowerName(name).substr(0, 100);
  if (const int64_t wait = limit_.Wait(key, remote); wait > 0)
    return Refuse(Code::kUnavailable, fmt::format("too many wrong passwords: wait {} s", wait), "an administrator can set a new password", wait);
  auto now = Now();
  if (!now->Find(name)) now = NowAfterMiss();
  const auto* entry = now->Find(name);
  // Counted before the slow part: tries that come at the same time must not share one place.
  limit_.Failed(key, remote);
  const auto ok = VerifyPassword(entry ? entry->password : std::string(), password);
  if (!ok) return Refuse(ok.error());
  if (!*ok || !entry || entry->account.disabled) return Refuse(Code::kUnauthorized, "wrong name or password", "forgotten: `rondo user password NAME` on the server sets a new one");
  limit_.Succeeded(key, remote);
  return entry->account.id;
}

Result<Session> AccountStore::StartSession(int64_t account, const std::string& remote, const std::string& method) {
  const auto now = Now();
  const auto entry = now->accounts.find(account);
  if (entry == now->accounts.end()) return Fail(Code::kUnauthorized, "the account has gone");
  const int64_t time = clock_.NowMs();
  Session out{RandomHex(32), {}, time + kSessionMs, entry->second.account.name};
  out.csrf = CsrfOf(out.cookie);
  RONDO_DO(Change(entry->second.account.name, [&](db::Session& s) -> Result<AuditEntry> {
    RONDO_DO(Run(s, kExpire, {time}));
    RONDO_DO(Run(s, kInsertSession, {Hash("session", out.cookie), account, entry->second.secrets, time, out.expires, remote}));
    RONDO_DO(Run(s, kOldest, {account}));
    RONDO_DO(Run(s, kLastLogin, {account, time}));
    return Entry("session.start", "user " + out.account, {}, Json::MakeObject().Set("from", remote).Set("by", method));
  }));
  return out;
}

Admitted<Session> AccountStore::Login(const std::string& method, const std::map<std::string, std::string>& fields, const std::string& remote) {
  for (const auto& m : methods_) {
    if (m->name() != method) continue;
    auto account = m->Finish(fields, remote);
    if (!account) return std::unexpected(std::move(account).error());
    auto session = StartSession(*account, remote, method);
    if (!session) return Refuse(session.error());
    return *session;
  }
  return Refuse(Code::kInvalid, fmt::format("there is no login by \"{}\"", method.substr(0, 40)));
}

Status AccountStore::Logout(std::string_view cookie) {
  auto caller = BySession(cookie);
  if (!caller) return {};
  return Change(caller->name(), [&](db::Session& s) -> Result<AuditEntry> {
    RONDO_DO(Run(s, kDeleteSession, {Hash("session", cookie)}));
    return Entry("session.end", "user " + caller->name());
  });
}

std::vector<std::string> AccountStore::LoginMethods() {
  std::vector<std::string> out;
  for (const auto& m : methods_) out.emplace_back(m->name());
  return out;
}

bool AccountStore::HasAdmin() {
  const auto now = Now();
  for (const auto& [id, entry] : now->accounts)
    if (!entry.account.disabled && entry.account.server_role == Role::kAdmin) return true;
  return false;
}

std::string AccountStore::NewSetupCode() {
  if (HasAdmin()) return {};
  const std::string code = RandomHex(16);
  std::lock_guard lock(setup_mutex_);
  setup_hash_ = Hash("setup", code);
  return code;
}

Admitted<Session> AccountStore::Setup(const std::string& code, const std::string& name, const std::string& password, const std::string& remote) {
  std::lock_guard lock(setup_mutex_);
  if (setup_hash_.empty() || code.size() > 100 || !ConstantTimeEqual(Hash("setup", code), setup_hash_))
    return Refuse(Code::kUnauthorized, "this link is not valid, or was used already", "`rondo up` prints a new one while there is no administrator");
  if (auto ok = CheckAccountName(name, "user"); !ok) return Refuse(ok.error());
  if (auto ok = CheckPassword(name, password); !ok) return Refuse(ok.error());
  auto hash = HashPassword(password);
  if (!hash) return Refuse(hash.error());
  int64_t id = 0;
  const auto done = Change(name, [&](db::Session& s) -> Result<AuditEntry> {
    RONDO_TRY(const int64_t admins, CountAdmins(s));
    if (admins > 0) return Fail(Code::kConflict, "there is an administrator already", "log in");
    RONDO_DO(Run(s, kFirstAccount, {name, LowerName(name), *hash, clock_.NowMs()}));
    RONDO_TRY(id, AccountId(s, name));
    RONDO_DO(Run(s, kFirstAdmin, {id, clock_.NowMs(), name}));
    return Entry("user.first_admin", "user " + name, {}, Json::MakeObject().Set("from", remote));
  });
  if (!done) return Refuse(done.error());
  setup_hash_.clear();
  auto session = StartSession(id, remote, "setup");
  if (!session) return Refuse(session.error());
  return *session;
}

}  // namespace rondo::govern
