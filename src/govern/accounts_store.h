/// Accounts on SQL with a snapshot in memory. Internal: use accounts.h. Reading is in accounts_state.cc, changes in accounts_{users,tokens,grants}.cc,
/// who asks in accounts_login.cc.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <unordered_map>

#include "base/shared_slot.h"
#include "govern/accounts.h"
#include "govern/govern.h"
#include "govern/login_limit.h"

namespace rondo::govern {

/// All of it at one moment. Immutable.
struct AccessSnapshot {
  struct Entry {
    Account account;
    std::string password;
    int64_t secrets = 0;  ///< counts changes of the password: sessions and remembered headers of an earlier one are void
    std::shared_ptr<const Rights> rights;
  };
  struct TokenRow {
    Token token;
    int64_t account = 0;
  };
  struct SessionRow {
    int64_t account = 0, secrets = 0, expires = 0;
  };
  int64_t version = 0;
  std::map<int64_t, Entry> accounts;
  std::map<std::string, int64_t, std::less<>> by_key;  ///< lower-case name
  std::unordered_map<std::string, TokenRow> tokens;    ///< by hash
  std::unordered_map<std::string, SessionRow> sessions;
  std::vector<Group> groups;
  std::vector<Grant> grants;

  const Entry* Find(std::string_view name) const;
};

class AccountStore : public Accounts {
 public:
  AccountStore(db::Database& db, Clock& clock, const std::string& key);
  Status Load();

  Admitted<Caller> ByToken(std::string_view token) override;
  Admitted<Caller> BySession(std::string_view cookie) override;
  Admitted<Caller> ByBasic(std::string_view header, const std::string& remote) override;
  bool RemembersBasic(std::string_view header) override;
  std::optional<Caller> ByName(const std::string& name) override;
  std::string CsrfOf(std::string_view cookie) override;

  Admitted<Session> Login(const std::string& method, const std::map<std::string, std::string>& fields, const std::string& remote) override;
  Status Logout(std::string_view cookie) override;
  std::vector<std::string> LoginMethods() override;
  std::string NewSetupCode() override;
  Admitted<Session> Setup(const std::string& code, const std::string& name, const std::string& password, const std::string& remote) override;
  bool HasAdmin() override;

  Result<Account> Create(const std::string& actor, const std::string& name, const std::string& kind, const std::string& password) override;
  Result<Account> Get(const std::string& name) override;
  std::vector<Account> List() override;
  Status SetPassword(const std::string& actor, const std::string& name, const std::string& password) override;
  Status SetDisabled(const std::string& actor, const std::string& name, bool disabled) override;
  Status Delete(const std::string& actor, const std::string& name) override;
  Status CreateGroup(const std::string& actor, const std::string& name) override;
  Status DeleteGroup(const std::string& actor, const std::string& name) override;
  Status SetMember(const std::string& actor, const std::string& group, const std::string& account, bool member) override;
  std::vector<Group> Groups() override;
  bool IsMember(int64_t account, const std::string& group) override;

  Result<NewToken> CreateToken(const std::string& actor, const std::string& account, const std::string& name, int64_t expires) override;
  std::vector<Token> Tokens(const std::string& account) override;
  Status RevokeToken(const std::string& actor, const std::string& id) override;
  Status FlushUse() override;

  Status SetGrant(const std::string& actor, const Grant& grant) override;
  std::vector<Grant> Grants() override;
  Status ForgetResource(const std::string& actor, const Resource& resource) override;
  Status RenameResource(const std::string& actor, const Resource& resource, const std::string& new_name) override;

  /// The snapshot, read again when another process has changed something.
  std::shared_ptr<const AccessSnapshot> Now() { return Look(kLookEveryNs); }
  /// The same for what wasn't found: it may have been made by another process just now.
  std::shared_ptr<const AccessSnapshot> NowAfterMiss() { return Look(kLookAfterMissNs); }
  /// The account behind a name and a password, slowed down after wrong ones.
  Admitted<int64_t> CheckLogin(const std::string& name, const std::string& password, const std::string& remote);

 private:
  static constexpr int64_t kLookEveryNs = 500'000'000, kLookAfterMissNs = 20'000'000;
  std::shared_ptr<const AccessSnapshot> Look(int64_t after_ns);
  /// A change, its audit entry and the new version in one transaction; then the snapshot is read again. `admins` says that it could take the last one away.
  Status Change(const std::string& actor, const std::function<Result<AuditEntry>(db::Session&)>& change, bool admins = false);
  Result<Session> StartSession(int64_t account, const std::string& remote, const std::string& method);
  std::string Hash(std::string_view purpose, std::string_view secret) const;

  struct Remembered {
    int64_t account = 0, secrets = 0, until = 0;
  };

  db::Database& db_;
  Clock& clock_;
  const std::string key_;
  SharedSlot<const AccessSnapshot> snapshot_;
  std::mutex load_mutex_;
  std::atomic<int64_t> looked_ns_{0};
  LoginLimit limit_;
  std::mutex basic_mutex_;
  std::unordered_map<std::string, Remembered> basic_;  ///< by the header's HMAC
  std::mutex use_mutex_;
  std::unordered_map<std::string, int64_t> used_, flushed_;  ///< token id -> when
  std::mutex setup_mutex_;
  std::string setup_hash_;
  std::vector<std::unique_ptr<LoginMethod>> methods_;
};

std::unique_ptr<LoginMethod> MakePasswordLogin(AccountStore& store);
/// Enabled accounts that are administrators, by SQL.
Result<int64_t> CountAdmins(db::Session& s);
std::string LowerName(std::string_view name);
Result<int64_t> AccountId(db::Session& s, const std::string& name);
Result<int64_t> GroupId(db::Session& s, const std::string& name);
/// Letters, digits and . _ @ + - ; at most 100.
Status CheckAccountName(const std::string& name, std::string_view what);
Status Run(db::Session& s, std::string_view sql, const db::Args& args);
AuditEntry Entry(std::string action, std::string object, Json before = {}, Json after = {});

}  // namespace rondo::govern
