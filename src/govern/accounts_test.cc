// Accounts: secrets, roles and what they reach, limits against guessing, the last administrator.
#include "govern/accounts.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "govern/govern.h"
#include "govern/login_limit.h"
#include "govern/password.h"

namespace rondo::govern {
namespace {

constexpr const char* kKey = "0123456789abcdef0123456789abcdef";
constexpr const char* kGood = "correct horse battery";

class AccountsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    db_ = *db::OpenSqlite(dir_.path() / "a.db", {.durable = false});
    ASSERT_TRUE(db_->Migrate("govern", Migrations()));
    accounts_ = Open();
  }
  std::unique_ptr<Accounts> Open() { return *Accounts::Open(*db_, clock_, kKey); }
  std::string Basic(const std::string& name, const std::string& password) { return Base64Encode(name + ":" + password); }
  std::vector<std::string> Actions() {
    std::vector<std::string> out;
    const auto entries = *MakeAudit(*db_, clock_)->List(0, 100, "");
    for (auto it = entries.rbegin(); it != entries.rend(); ++it) out.push_back(it->action + " " + it->object + " by " + it->actor);
    return out;
  }
  std::string Stored() {
    std::string all;
    EXPECT_TRUE(db_->Read([&](db::Session& s) {
      return s.Query("SELECT name || password FROM account UNION ALL SELECT hash || name FROM access_token UNION ALL SELECT hash || remote FROM login_session", {}, [&](const db::Row& r) {
        all += r.String(0) + "\n";
        return true;
      });
    }));
    return all;
  }
  Status Grant_(const std::string& subject, Role role, Resource resource, const std::string& kind = "user") { return accounts_->SetGrant("root", {kind, subject, std::move(resource), role, 0, ""}); }

  TempDir dir_;
  FakeClock clock_;
  std::unique_ptr<db::Database> db_;
  std::unique_ptr<Accounts> accounts_;
};

TEST_F(AccountsTest, PasswordsAreArgon2idAndComeBackNowhere) {
  ASSERT_TRUE(accounts_->Create("root", "anna", "person", kGood));
  const std::string stored = Stored();
  EXPECT_NE(stored.find("$argon2id$v=19$m=32768,t=3,p=1$"), std::string::npos);
  EXPECT_EQ(stored.find(kGood), std::string::npos);
  auto in = accounts_->ByBasic(Basic("Anna", kGood), "10.0.0.1");
  ASSERT_TRUE(in);
  EXPECT_EQ(in->name(), "anna");
  auto out = accounts_->ByBasic(Basic("anna", "correct horse batterz"), "10.0.0.1");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().error.code, Code::kUnauthorized);
  // The same words for an unknown name: they don't say which of the two was wrong.
  auto unknown = accounts_->ByBasic(Basic("nobody", kGood), "10.0.0.1");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().error.message, out.error().error.message);
}

TEST_F(AccountsTest, HashesVerify) {
  EXPECT_TRUE(*VerifyPassword(*HashPassword("x y z"), "x y z"));
  // By argon2-cffi 25.1: hash_secret(b"correct horse battery", b"somesaltsomesalt", time_cost=2, memory_cost=1024, parallelism=1, hash_len=32, type=Type.ID).
  EXPECT_TRUE(*VerifyPassword("$argon2id$v=19$m=1024,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$avUvXNtnn/GNZVscoS8F6XVDSn5QnlrimsKMNNw4iI8", kGood));
  EXPECT_FALSE(*VerifyPassword(*HashPassword("x y z"), "x y Z"));
  EXPECT_FALSE(*VerifyPassword("", "anything"));
  EXPECT_FALSE(*VerifyPassword("not a hash", "anything"));
}

TEST_F(AccountsTest, PasswordPolicy) {
  for (const char* bad : {"", "short", "elevenchars", "aaaaaaaaaaaaaa", "password1234", "Administrator1", "anna-anna-an", "123456789012"}) EXPECT_FALSE(CheckPassword("anna-anna", bad)) << bad;
  EXPECT_FALSE(CheckPassword("anna", std::string(1025, 'a') + "bcdefg"));
  EXPECT_TRUE(CheckPassword("anna", kGood));
  EXPECT_FALSE(accounts_->Create("root", "anna", "person", "password1234"));
  EXPECT_TRUE(accounts_->List().empty());
}

TEST_F(AccountsTest, NamesAreUniqueWithoutCase) {
  ASSERT_TRUE(accounts_->Create("root", "anna", "person", ""));
  auto twice = accounts_->Create("root", "ANNA", "person", "");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Code::kAlreadyExists);
  for (const std::string bad : {"", "a:b", "a b", "everyone", "Token", "-x", "a/b"}) EXPECT_FALSE(accounts_->Create("root", bad, "person", "")) << bad;
  EXPECT_FALSE(accounts_->Create("root", std::string(101, 'a'), "person", ""));
  EXPECT_FALSE(accounts_->Create("root", "bob", "robot", ""));
}

TEST_F(AccountsTest, ABasicHeaderCostsOneHash) {
  ASSERT_TRUE(accounts_->Create("root", "anna", "person", kGood));
  const std::string header = Basic("anna", kGood);
  EXPECT_FALSE(accounts_->RemembersBasic(header));
  ASSERT_TRUE(accounts_->ByBasic(header, "r"));
  EXPECT_TRUE(accounts_->RemembersBasic(header));
  const int64_t begin = MonotonicNs();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(accounts_->ByBasic(header, "r"));
  // A hundred argon2 of this size take seconds.
  EXPECT_LT(MonotonicNs() - begin, 500'000'000);
  clock_.Advance(11 * 60'000);
  EXPECT_FALSE(accounts_->RemembersBasic(header));
  ASSERT_TRUE(accounts_->ByBasic(header, "r"));
  // A new password voids what is remembered.
  ASSERT_TRUE(accounts_->SetPassword("root", "anna", "another long secret"));
  EXPECT_FALSE(accounts_->ByBasic(header, "r"));
  ASSERT_TRUE(accounts_->ByBasic(Basic("anna", "another long secret"), "r"));
  ASSERT_TRUE(accounts_->SetDisabled("root", "anna", true));
  EXPECT_FALSE(accounts_->ByBasic(Basic("anna", "another long secret"), "r"));
  EXPECT_FALSE(accounts_->ByBasic("!!!", "r"));
  EXPECT_FALSE(accounts_->ByBasic(std::string(5000, 'A'), "r"));
}

TEST_F(AccountsTest, Tokens) {
  ASSERT_TRUE(accounts_->Create("root", "trainer", "service", ""));
  const auto made = *accounts_->CreateToken("root", "trainer", "nightly", clock_.NowMs() + 3600'000);
  EXPECT_TRUE(made.secret.starts_with("rdo_" + made.token.id + "_"));
  EXPECT_EQ(made.secret.size(), 4 + 8 + 1 + 40u);
  EXPECT_EQ(Stored().find(made.secret.substr(13)), std::string::npos);
  EXPECT_EQ(accounts_->ByToken(made.secret)->name(), "trainer");
  EXPECT_TRUE(accounts_->ByBasic(Basic("trainer", made.secret), "r"));
  EXPECT_TRUE(accounts_->ByBasic(Basic("token", made.secret), "r"));
  EXPECT_FALSE(accounts_->ByBasic(Basic("anna", made.secret), "r"));
  std::string other = made.secret;
  other.back() = other.back() == '0' ? '1' : '0';
  EXPECT_FALSE(accounts_->ByToken(other));
  EXPECT_FALSE(accounts_->ByToken(""));
  EXPECT_FALSE(accounts_->ByToken("rdo_"));
  EXPECT_EQ(accounts_->Tokens("trainer")[0].last_used, clock_.NowMs());
  ASSERT_TRUE(accounts_->FlushUse());
  EXPECT_EQ(Open()->Tokens("")[0].last_used, clock_.NowMs());
  clock_.Advance(3600'001);
  EXPECT_FALSE(accounts_->ByToken(made.secret));
  const auto for_ever = *accounts_->CreateToken("root", "trainer", "x", 0);
  EXPECT_TRUE(accounts_->ByToken(for_ever.secret));
  ASSERT_TRUE(accounts_->RevokeToken("root", for_ever.token.id));
  EXPECT_FALSE(accounts_->ByToken(for_ever.secret));
  EXPECT_FALSE(accounts_->RevokeToken("root", for_ever.token.id));
  EXPECT_FALSE(accounts_->CreateToken("root", "trainer", "x", clock_.NowMs() - 1));
  EXPECT_FALSE(accounts_->CreateToken("root", "trainer", "", 0));
  EXPECT_FALSE(accounts_->CreateToken("root", "nobody", "x", 0));
  EXPECT_FALSE(accounts_->Create("root", "robot", "service", kGood));
  // Another server key: all tokens are void.
  const auto again = *accounts_->CreateToken("root", "trainer", "y", 0);
  EXPECT_FALSE((*Accounts::Open(*db_, clock_, "another key of another server...."))->ByToken(again.secret));
}

TEST_F(AccountsTest, AnotherProcessIsSeen) {
  ASSERT_TRUE(accounts_->Create("root", "anna", "person", ""));
  const auto token = *accounts_->CreateToken("root", "anna", "x", 0);
  auto other = Open();
  ASSERT_TRUE(other->RevokeToken("root", token.token.id));
  const int64_t begin = MonotonicNs();
  while (accounts_->ByToken(token.secret)) ASSERT_LT(MonotonicNs() - begin, 3'000'000'000);
}

TEST_F(AccountsTest, Sessions) {
  ASSERT_TRUE(accounts_->Create("root", "anna", "person", kGood));
  const std::map<std::string, std::string> form = {{"name", "anna"}, {"password", kGood}};
  const auto session = *accounts_->Login("password", form, "r");
  EXPECT_EQ(accounts_->BySession(session.cookie)->name(), "anna");
  EXPECT_EQ(accounts_->CsrfOf(session.cookie), session.csrf);
  EXPECT_EQ(Stored().find(session.cookie), std::string::npos);
  EXPECT_FALSE(accounts_->BySession("x"));
  EXPECT_FALSE(accounts_->BySession(""));
  // It outlives the process.
  EXPECT_TRUE(Open()->BySession(session.cookie));
  ASSERT_TRUE(accounts_->Logout(session.cookie));
  EXPECT_FALSE(accounts_->BySession(session.cookie));
  const auto second = *accounts_->Login("password", form, "r");
  clock_.Advance(12 * 3600'000 + 1);
  EXPECT_FALSE(accounts_->BySession(second.cookie));
  const auto third = *accounts_->Login("password", form, "r");
  ASSERT_TRUE(accounts_->SetPassword("root", "anna", "another long secret"));
  EXPECT_FALSE(accounts_->BySession(third.cookie));
  EXPECT_FALSE(accounts_->Login("carrier pigeon", form, "r"));
}

TEST_F(AccountsTest, GuessingIsSlowedDown) {
  ASSERT_TRUE(accounts_->Create("root", "anna", "person", kGood));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(accounts_->ByBasic(Basic("anna", fmt::format("wrong password {}", i)), "1.2.3.4").error().retry_after_s, 0);
  auto sixth = accounts_->ByBasic(Basic("anna", kGood), "1.2.3.4");
  ASSERT_FALSE(sixth) << "even the right one waits now";
  EXPECT_GT(sixth.error().retry_after_s, 0);
  EXPECT_LE(sixth.error().retry_after_s, 60);
  // The owner elsewhere is not kept out.
  EXPECT_TRUE(accounts_->ByBasic(Basic("anna", kGood), "9.9.9.9"));
  clock_.Advance(61'000);
  EXPECT_TRUE(accounts_->ByBasic(Basic("anna", kGood), "1.2.3.4"));
}

TEST(LoginLimit, ByAddressAndByName) {
  FakeClock clock;
  LoginLimit limit(clock);
  for (int i = 0; i < 30; ++i) limit.Failed("user" + std::to_string(i), "1.1.1.1");
  EXPECT_GT(limit.Wait("fresh", "1.1.1.1"), 0);
  EXPECT_EQ(limit.Wait("fresh", "2.2.2.2"), 0);
  for (int i = 0; i < 100; ++i) limit.Failed("anna", "10.0.0." + std::to_string(i));
  EXPECT_GT(limit.Wait("anna", "3.3.3.3"), 0);
  clock.Advance(3600'000);
  EXPECT_EQ(limit.Wait("anna", "3.3.3.3"), 0);
  // Logins that succeed use nothing up.
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(limit.Wait("bob", "4.4.4.4"), 0);
    limit.Failed("bob", "4.4.4.4");
    limit.Succeeded("bob", "4.4.4.4");
  }
}

TEST_F(AccountsTest, TheFirstAdministrator) {
  const std::string code = accounts_->NewSetupCode();
  EXPECT_EQ(code.size(), 32u);
  EXPECT_FALSE(accounts_->Setup("", "anna", kGood, "r"));
  EXPECT_FALSE(accounts_->Setup(std::string(32, '0'), "anna", kGood, "r"));
  EXPECT_FALSE(accounts_->Setup(code, "anna", "short", "r")) << "a bad password does not use the code up";
  const auto session = accounts_->Setup(code, "anna", kGood, "r");
  ASSERT_TRUE(session);
  EXPECT_EQ(accounts_->BySession(session->cookie)->OnServer(), Role::kAdmin);
  EXPECT_FALSE(accounts_->Setup(code, "eve", kGood, "r")) << "once";
  EXPECT_EQ(accounts_->NewSetupCode(), "");
  EXPECT_TRUE(accounts_->HasAdmin());
}

TEST_F(AccountsTest, TheLastAdministratorStays) {
  ASSERT_TRUE(accounts_->Create("root", "anna", "person", ""));
  ASSERT_TRUE(accounts_->Create("root", "bob", "person", ""));
  ASSERT_TRUE(Grant_("anna", Role::kAdmin, {}));
  EXPECT_EQ(accounts_->Delete("anna", "anna").error().code, Code::kConflict);
  EXPECT_EQ(accounts_->SetDisabled("anna", "anna", true).error().code, Code::kConflict);
  EXPECT_EQ(Grant_("anna", Role::kViewer, {}).error().code, Code::kConflict);
  EXPECT_EQ(Grant_("anna", Role::kNone, {}).error().code, Code::kConflict);
  ASSERT_TRUE(accounts_->CreateGroup("anna", "ops"));
  ASSERT_TRUE(accounts_->SetMember("anna", "ops", "bob", true));
  ASSERT_TRUE(Grant_("ops", Role::kAdmin, {}, "group"));
  ASSERT_TRUE(Grant_("anna", Role::kNone, {}));
  EXPECT_EQ(accounts_->SetMember("bob", "ops", "bob", false).error().code, Code::kConflict);
  EXPECT_EQ(accounts_->DeleteGroup("bob", "ops").error().code, Code::kConflict);
  EXPECT_FALSE(Grant_("everyone", Role::kAdmin, {}, "group"));
}

TEST_F(AccountsTest, RolesReachDown) {
  ASSERT_TRUE(accounts_->Create("root", "anna", "person", ""));
  ASSERT_TRUE(accounts_->CreateGroup("root", "team"));
  const auto caller = [&] { return *accounts_->ByName("anna"); };
  EXPECT_EQ(caller().OnServer(), Role::kNone);
  EXPECT_EQ(caller().OnExperiment("3", "team/x/run"), Role::kNone);
  ASSERT_TRUE(Grant_("anna", Role::kEditor, {"folder", "team"}));
  EXPECT_EQ(caller().OnExperiment("3", "team/x/run"), Role::kEditor);
  EXPECT_EQ(caller().OnExperiment("3", "team/run"), Role::kEditor);
  EXPECT_EQ(caller().OnExperiment("3", "teams/run"), Role::kNone) << "a folder is not a prefix of letters";
  EXPECT_EQ(caller().OnExperiment("3", "team"), Role::kNone) << "an experiment called like the folder lies beside it";
  EXPECT_EQ(caller().OnFolder("team/x"), Role::kEditor);
  EXPECT_EQ(caller().OnFolder(""), Role::kNone);
  ASSERT_TRUE(Grant_("anna", Role::kManager, {"experiment", "7"}));
  EXPECT_EQ(caller().OnExperiment("7", "other"), Role::kManager);
  EXPECT_EQ(caller().OnExperiment("77", "other"), Role::kNone);
  ASSERT_TRUE(Grant_("anna", Role::kViewer, {"model", "churn*"}));
  ASSERT_TRUE(Grant_("anna", Role::kEditor, {"model", "churn-eu"}));
  EXPECT_EQ(caller().OnModel("churn"), Role::kViewer);
  EXPECT_EQ(caller().OnModel("churn-eu"), Role::kEditor);
  EXPECT_EQ(caller().OnModel("chur"), Role::kNone);
  EXPECT_EQ(caller().On({"model", "churn-*"}), Role::kViewer);
  EXPECT_EQ(caller().On({"model", "*"}), Role::kNone) << "rights on some names are none on all";
  EXPECT_EQ(caller().OnEndpoint("churn"), Role::kNone);
  // Through a group, and through everyone; the highest counts.
  ASSERT_TRUE(Grant_("team", Role::kManager, {"endpoint", "churn"}, "group"));
  EXPECT_EQ(caller().OnEndpoint("churn"), Role::kNone);
  ASSERT_TRUE(accounts_->SetMember("root", "team", "anna", true));
  EXPECT_EQ(caller().OnEndpoint("churn"), Role::kManager);
  ASSERT_TRUE(Grant_("everyone", Role::kViewer, {}, "group"));
  EXPECT_EQ(caller().OnEndpoint("other"), Role::kViewer);
  EXPECT_EQ(caller().OnExperiment("3", "team/run"), Role::kEditor);
  EXPECT_EQ(Caller().OnExperiment("3", "team/run"), Role::kNone);
  EXPECT_EQ(Caller::All("x").OnModel("any"), Role::kAdmin);
}

TEST_F(AccountsTest, GrantsThatMakeNoSense) {
  ASSERT_TRUE(accounts_->Create("root", "anna", "person", ""));
  EXPECT_FALSE(Grant_("anna", Role::kAdmin, {"folder", "x"}));
  EXPECT_FALSE(Grant_("anna", Role::kViewer, {"planet", "x"}));
  EXPECT_FALSE(Grant_("anna", Role::kViewer, {"server", "x"}));
  EXPECT_FALSE(Grant_("anna", Role::kViewer, {"folder", ""}));
  EXPECT_FALSE(Grant_("anna", Role::kViewer, {"folder", "/x"}));
  EXPECT_FALSE(Grant_("anna", Role::kViewer, {"experiment", "x"}));
  EXPECT_FALSE(Grant_("nobody", Role::kViewer, {}));
  EXPECT_FALSE(Grant_("nobody", Role::kViewer, {}, "group"));
  EXPECT_FALSE(Grant_("anna", Role::kNone, {})) << "there is nothing to take away";
  EXPECT_FALSE(ParseRole("owner"));
  EXPECT_EQ(*ParseRole("manager"), Role::kManager);
}

TEST_F(AccountsTest, GrantsFollowTheThing) {
  ASSERT_TRUE(accounts_->Create("root", "anna", "person", ""));
  ASSERT_TRUE(Grant_("anna", Role::kEditor, {"model", "churn"}));
  ASSERT_TRUE(accounts_->RenameResource("root", {"model", "churn"}, "loyalty"));
  EXPECT_EQ(accounts_->ByName("anna")->OnModel("churn"), Role::kNone);
  EXPECT_EQ(accounts_->ByName("anna")->OnModel("loyalty"), Role::kEditor);
  ASSERT_TRUE(accounts_->ForgetResource("root", {"model", "loyalty"}));
  EXPECT_EQ(accounts_->ByName("anna")->OnModel("loyalty"), Role::kNone);
  EXPECT_TRUE(accounts_->ForgetResource("root", {"model", "never"}));
  // Nothing is left for the next account: ids may come again.
  const auto token = *accounts_->CreateToken("root", "anna", "x", 0);
  ASSERT_TRUE(Grant_("anna", Role::kAdmin, {"server", ""}));
  ASSERT_TRUE(accounts_->Create("root", "bob", "person", ""));
  ASSERT_TRUE(Grant_("bob", Role::kAdmin, {"server", ""}));
  ASSERT_TRUE(accounts_->Delete("root", "bob"));
  ASSERT_TRUE(accounts_->Create("root", "carla", "person", ""));
  EXPECT_EQ(accounts_->ByName("carla")->OnServer(), Role::kNone);
}

TEST_F(AccountsTest, EveryChangeIsInTheAuditLog) {
  ASSERT_TRUE(accounts_->Create("root", "anna", "person", ""));
  ASSERT_TRUE(accounts_->CreateGroup("root", "team"));
  ASSERT_TRUE(accounts_->SetMember("root", "team", "anna", true));
  ASSERT_TRUE(Grant_("anna", Role::kEditor, {"folder", "team/x"}));
  ASSERT_TRUE(Grant_("anna", Role::kNone, {"folder", "team/x"}));
  const auto token = *accounts_->CreateToken("root", "anna", "x", 0);
  ASSERT_TRUE(accounts_->RevokeToken("root", token.token.id));
  ASSERT_TRUE(accounts_->SetPassword("anna", "anna", kGood));
  ASSERT_TRUE(accounts_->SetDisabled("root", "anna", true));
  ASSERT_TRUE(accounts_->SetDisabled("root", "anna", false));
  ASSERT_TRUE(accounts_->SetMember("root", "team", "anna", false));
  ASSERT_TRUE(accounts_->DeleteGroup("root", "team"));
  ASSERT_TRUE(accounts_->Delete("root", "anna"));
  const std::vector<std::string> want = {"user.create user anna by root", "group.create group team by root", "group.add group team by root", "grant.set user anna on folder team/x by root",
                                         "grant.remove user anna on folder team/x by root", "token.create token " + token.token.id + " by root", "token.revoke token " + token.token.id + " by root",
                                         "user.password user anna by anna", "user.disable user anna by root", "user.enable user anna by root", "group.remove group team by root",
                                         "group.delete group team by root", "user.delete user anna by root"};
  EXPECT_EQ(Actions(), want);
  EXPECT_TRUE(MakeAudit(*db_, clock_)->Verify()->faults.empty());
  // What fails leaves no entry.
  EXPECT_FALSE(accounts_->Delete("root", "anna"));
  EXPECT_EQ(Actions().size(), want.size());
}

}  // namespace
}  // namespace rondo::govern
