/// Users, service accounts, groups, API tokens, sessions and grants: who asks, and what they may do. Thread-safe, durable; each change is in the audit log.
///
/// Everything is kept in one immutable snapshot in memory, so that a request costs one HMAC and one hash look-up. Changes of this process show at once,
/// those of another (the command line) within half a second. Passwords are argon2id and verified once per login; a Basic header that was verified is
/// remembered for ten minutes by its HMAC.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "db/db.h"

namespace rondo::govern {

enum class Role : uint8_t { kNone, kViewer, kEditor, kManager, kAdmin };
std::string_view RoleName(Role role);  ///< "viewer"
Result<Role> ParseRole(std::string_view text);

/// What a grant opens. `name`: "" for server; "team/project" for folder (with all below); the id for experiment; the name for model and endpoint,
/// where a name that ends in '*' means all that begin so.
struct Resource {
  std::string kind = "server";  ///< server | folder | experiment | model | endpoint
  std::string name;
  bool operator==(const Resource&) const = default;
};

/// What one account may do: its own grants and those of its groups. Immutable.
struct Rights {
  Role server = Role::kNone;
  std::map<std::string, Role, std::less<>> folders, models, endpoints;  ///< models and endpoints: exact names
  std::map<std::string, Role, std::less<>> model_prefixes, endpoint_prefixes;
  std::map<std::string, Role, std::less<>> experiments;                 ///< by id
};

/// Who asks.
class Caller {
 public:
  Caller() = default;
  /// With rights on everything: a server without login, or its environment's token.
  static Caller All(std::string name);
  Caller(std::string name, int64_t account, std::shared_ptr<const Rights> rights) : name_(std::move(name)), account_(account), rights_(std::move(rights)) {}

  const std::string& name() const { return name_; }    ///< for the audit log
  int64_t account() const { return account_; }         ///< 0: none
  bool known() const { return rights_ != nullptr; }
  Role OnServer() const;
  /// Of an experiment with this id and name. A name's folder is what stands before its last '/'.
  Role OnExperiment(std::string_view id, std::string_view name) const;
  Role OnFolder(std::string_view path) const;          ///< "" is the top: rights on the server
  Role OnModel(std::string_view name) const;
  Role OnEndpoint(std::string_view name) const;
  /// Whether experiments' names matter at all: looking them up costs a query.
  bool HasFolders() const { return rights_ && !rights_->folders.empty(); }
  Role On(const Resource& resource, std::string_view experiment_name = {}) const;

 private:
  std::string name_;
  int64_t account_ = 0;
  std::shared_ptr<const Rights> rights_;
};

struct Account {
  int64_t id = 0;
  std::string name, kind;  ///< person | service
  bool disabled = false, has_password = false;
  Role server_role = Role::kNone;
  int64_t created = 0, last_login = 0;  ///< 0: never
  std::vector<std::string> groups;
};
struct Group {
  int64_t id = 0;
  std::string name;
  std::vector<std::string> members;
};
struct Token {
  std::string id, account, name;
  int64_t created = 0, expires = 0, last_used = 0;  ///< ms; expires 0: never
  std::string created_by;
};
struct NewToken {
  Token token;
  std::string secret;  ///< "rdo_…": shown this once
};
struct Grant {
  std::string subject_kind, subject;  ///< user | group, its name
  Resource resource;
  Role role = Role::kNone;
  int64_t time = 0;
  std::string actor;
};

/// A browser's session. The cookie is a secret; `csrf` has to come back in a header of everything that changes something.
struct Session {
  std::string cookie, csrf;
  int64_t expires = 0;
  std::string account;
};

/// Why somebody was not let in, and when to try again.
struct Refusal {
  Error error;
  int64_t retry_after_s = 0;  ///< above 0: too many wrong passwords came from there, answer 429
};
template <typename T>
using Admitted = std::expected<T, Refusal>;

/// One way to prove who one is. Passwords implement it; OpenID Connect will: Begin gives the address of the provider, Finish takes what comes back.
class LoginMethod {
 public:
  virtual ~LoginMethod() = default;
  virtual std::string_view name() const = 0;
  /// Where the browser has to go first; "" when there is a form of ours.
  virtual Result<std::string> Begin(const std::string& return_to) = 0;
  /// The account that was proven. `fields`: what the form or the provider sent.
  virtual Admitted<int64_t> Finish(const std::map<std::string, std::string>& fields, const std::string& remote) = 0;
};

class Accounts {
 public:
  /// `key`: Workspace::SecretKey(). Hashes of tokens and sessions depend on it: with another key all of them are void.
  static Result<std::unique_ptr<Accounts>> Open(db::Database& db, Clock& clock, const std::string& key);
  virtual ~Accounts() = default;

  // Who asks. Quick, except ByBasic with a header that is not remembered (a password hash: never on an event loop).
  virtual Admitted<Caller> ByToken(std::string_view token) = 0;
  virtual Admitted<Caller> BySession(std::string_view cookie) = 0;
  /// `header`: after "Basic ". The password may also be a token of that user (or of any, when the user is called "token").
  virtual Admitted<Caller> ByBasic(std::string_view header, const std::string& remote) = 0;
  virtual bool RemembersBasic(std::string_view header) = 0;
  virtual std::optional<Caller> ByName(const std::string& name) = 0;  ///< for questions about others
  virtual std::string CsrfOf(std::string_view cookie) = 0;

  // Sessions.
  virtual Admitted<Session> Login(const std::string& method, const std::map<std::string, std::string>& fields, const std::string& remote) = 0;
  virtual Status Logout(std::string_view cookie) = 0;
  virtual std::vector<std::string> LoginMethods() = 0;
  /// A code that makes the first administrator, once, until the process ends. Empty when there is one already.
  virtual std::string NewSetupCode() = 0;
  virtual Admitted<Session> Setup(const std::string& code, const std::string& name, const std::string& password, const std::string& remote) = 0;
  virtual bool HasAdmin() = 0;

  // Accounts and groups. `actor` is for the audit log.
  virtual Result<Account> Create(const std::string& actor, const std::string& name, const std::string& kind, const std::string& password) = 0;
  virtual Result<Account> Get(const std::string& name) = 0;
  virtual std::vector<Account> List() = 0;
  virtual Status SetPassword(const std::string& actor, const std::string& name, const std::string& password) = 0;  ///< ends the account's sessions
  virtual Status SetDisabled(const std::string& actor, const std::string& name, bool disabled) = 0;
  virtual Status Delete(const std::string& actor, const std::string& name) = 0;
  virtual Status CreateGroup(const std::string& actor, const std::string& name) = 0;
  virtual Status DeleteGroup(const std::string& actor, const std::string& name) = 0;
  virtual Status SetMember(const std::string& actor, const std::string& group, const std::string& account, bool member) = 0;
  virtual std::vector<Group> Groups() = 0;
  virtual bool IsMember(int64_t account, const std::string& group) = 0;

  // Tokens.
  virtual Result<NewToken> CreateToken(const std::string& actor, const std::string& account, const std::string& name, int64_t expires) = 0;
  virtual std::vector<Token> Tokens(const std::string& account) = 0;  ///< "": of all
  virtual Status RevokeToken(const std::string& actor, const std::string& id) = 0;
  /// Writes when tokens were last used; called now and then, and at the end.
  virtual Status FlushUse() = 0;

  // Grants. kNone takes one away. The last administrator can't be removed, disabled or lose the role (kConflict).
  virtual Status SetGrant(const std::string& actor, const Grant& grant) = 0;
  virtual std::vector<Grant> Grants() = 0;
  /// When the thing itself goes or gets another name.
  virtual Status ForgetResource(const std::string& actor, const Resource& resource) = 0;
  virtual Status RenameResource(const std::string& actor, const Resource& resource, const std::string& new_name) = 0;
};

/// kInvalid with what is wrong: 12 to 1024 bytes, not the name, not one of those that everybody tries.
Status CheckPassword(const std::string& name, const std::string& password);
/// The folder of an experiment's name: "team/x" of "team/x/run 1", "" at the top.
std::string_view FolderOf(std::string_view experiment_name);

}  // namespace rondo::govern
