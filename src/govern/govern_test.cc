// The audit chain: bytes pinned, every kind of tampering named, no forks between processes; approvals.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "govern/govern.h"

namespace rondo::govern {
namespace {

struct GovernTest : ::testing::Test {
  TempDir dir;
  FakeClock clock;
  std::unique_ptr<db::Database> db;
  std::unique_ptr<Audit> audit;

  void SetUp() override { Open(); }
  void Open() {
    db = *db::OpenSqlite(dir.path() / "x.db", {.durable = false});
    const Status migrated = db->Migrate("govern", Migrations());
    ASSERT_TRUE(migrated) << migrated.error().Text();
    audit = MakeAudit(*db, clock);
  }
  void Fill(int n) {
    for (int i = 1; i <= n; ++i) {
      AuditEntry e;
      e.actor = "anna";
      e.action = "alias.set";
      e.object = i % 2 ? "model churn@champion" : "endpoint churn";
      e.reason = "reason " + std::to_string(i);
      e.before = Json::MakeObject().Set("version", i - 1);
      e.after = Json::MakeObject().Set("version", i);
      ASSERT_TRUE(audit->Append(e));
    }
  }
  void Sql(const std::string& sql) {
    ASSERT_TRUE(db->Write([&](db::Session& s) -> Status {
      RONDO_TRY(auto n, s.Exec(sql));
      (void)n;
      return {};
    })) << sql;
  }
  std::vector<std::string> Faults() {
    std::vector<std::string> out;
    const auto report = audit->Verify();
    EXPECT_TRUE(report);
    for (const AuditFault& f : report->faults) out.push_back(std::to_string(f.seq) + " " + f.what);
    return out;
  }
};
using Texts = std::vector<std::string>;

TEST_F(GovernTest, TheFormatIsPinned) {
  // The example of docs/formats/audit.md. The hashes are those of Python's hashlib over the texts shown there.
  clock.Set(1'700'000'000'000);
  AuditEntry e;
  e.actor = "anna";
  e.action = "alias.set";
  e.object = "model churn@champion";
  e.reason = "better \"auc\"";
  e.before = Json::MakeObject().Set("version", 6);
  e.after = Json::MakeObject().Set("version", 7).Set("auc", 0.845);
  const AuditEntry first = *audit->Append(e);
  const std::string text =
      R"({"action":"alias.set","actor":"anna","after":{"auc":0.845,"version":7},"before":{"version":6},"object":"model churn@champion","reason":"better \"auc\"","seq":1,"time":1700000000000})";
  EXPECT_EQ(first.prev_hash, std::string(64, '0'));
  EXPECT_EQ(first.hash, Sha256Hex(std::string(64, '0') + text));
  EXPECT_EQ(first.hash, "56516bfa2e2467b3d69c3735436171edcfb360f42b8552c3c2ca76a6f607ae79");
  AuditEntry two;
  two.actor = "rondo:retrain";
  two.action = "run.start";
  const AuditEntry second = *audit->Append(two);
  EXPECT_EQ(second.prev_hash, first.hash);
  EXPECT_EQ(second.hash, Sha256Hex(first.hash + R"({"action":"run.start","actor":"rondo:retrain","after":null,"before":null,"object":"","reason":"","seq":2,"time":1700000000000})"));
  EXPECT_EQ(second.hash, "26e7e7cb7768d934bb68411daab499d2eb8a9628c8a0a3fd9976bfafd6749e26");
}

TEST_F(GovernTest, CanonicalTextsAreEqualForEqualValues) {
  EXPECT_EQ(CanonicalJson(*ParseJson(R"({"b": [1, 2.5, {"z":1,"a":null}], "a": "ü\n"})")), R"({"a":"ü\n","b":[1,2.5,{"a":null,"z":1}]})");
}

TEST_F(GovernTest, AnIntactChainVerifies) {
  EXPECT_TRUE(Faults().empty()) << "an empty log";
  Fill(20);
  const auto report = *audit->Verify();
  EXPECT_EQ(report.entries, 20);
  EXPECT_TRUE(report.faults.empty());
  EXPECT_EQ(report.head, (*audit->List(0, 1, ""))[0].hash);
  const auto page = *audit->List(0, 3, "endpoint churn");
  ASSERT_EQ(page.size(), 3u);
  EXPECT_EQ(page[0].seq, 20);
  EXPECT_EQ(page[0].after["version"].AsInt(), 20);
  EXPECT_EQ((*audit->List(page[2].seq, 100, ""))[0].seq, page[2].seq - 1);
  EXPECT_FALSE(audit->Append({}));
}

TEST_F(GovernTest, EveryChangedFieldIsNoticed) {
  const char* changes[] = {"time = time + 1",         "actor = 'eve'",           "action = 'x'",           "object = 'x'",     "reason = 'reason 5 '",
                           "before_json = '{}'",      "after_json = after_json || ' '", "prev_hash = hash", "hash = '00'",      "reason = 'Reason 5'",
                           "after_json = 'not json'", "seq = 500"};
  Fill(8);
  for (const char* change : changes) {
    TempDir copy;
    ASSERT_TRUE(db->Backup(copy.path() / "b.db"));
    auto other = *db::OpenSqlite(copy.path() / "b.db", {.durable = false});
    auto log = MakeAudit(*other, clock);
    ASSERT_TRUE(log->Verify()->faults.empty());
    ASSERT_TRUE(other->Write([&](db::Session& s) -> Status {
      RONDO_TRY(auto n, s.Exec(std::string("UPDATE audit_entry SET ") + change + " WHERE seq = 5"));
      return n == 1 ? Status{} : Fail(Code::kInternal, "");
    }));
    const auto report = *log->Verify();
    ASSERT_FALSE(report.faults.empty()) << change;
    EXPECT_EQ(report.faults[0].seq, 5) << change << ": " << report.faults[0].what;
    EXPECT_TRUE(log->List(0, 100, "")) << "still readable";
  }
}

TEST_F(GovernTest, DeletedEntriesAreNamed) {
  Fill(8);
  Sql("DELETE FROM audit_entry WHERE seq IN (4, 5)");
  const Texts faults = Faults();
  ASSERT_GE(faults.size(), 2u);
  EXPECT_EQ(faults[0], "4 missing");
  EXPECT_EQ(faults[1], "5 missing");
}

TEST_F(GovernTest, DeletingAndRenumberingIsNamed) {
  Fill(8);
  Sql("DELETE FROM audit_entry WHERE seq = 4");
  Sql("UPDATE audit_entry SET seq = seq - 1 WHERE seq > 4");
  const Texts faults = Faults();
  ASSERT_FALSE(faults.empty());
  EXPECT_EQ(faults[0], "4 reordered: this is entry 5");
}

TEST_F(GovernTest, ExchangedEntriesAreNamed) {
  Fill(8);
  Sql("UPDATE audit_entry SET seq = 100 WHERE seq = 3");
  Sql("UPDATE audit_entry SET seq = 3 WHERE seq = 6");
  Sql("UPDATE audit_entry SET seq = 6 WHERE seq = 100");
  const Texts faults = Faults();
  EXPECT_NE(std::find(faults.begin(), faults.end(), "3 reordered: this is entry 6"), faults.end());
  EXPECT_NE(std::find(faults.begin(), faults.end(), "6 reordered: this is entry 3"), faults.end());
}

TEST_F(GovernTest, ACutTailIsNamed) {
  Fill(8);
  Sql("DELETE FROM audit_entry WHERE seq > 6");
  EXPECT_EQ(Faults(), (Texts{"7 missing: the log was cut off", "8 missing: the log was cut off"}));
  Sql("DELETE FROM audit_entry");
  EXPECT_EQ(Faults().size(), 8u);
}

TEST_F(GovernTest, AForgedEntryDoesNotFollow) {
  Fill(4);
  // A well-formed entry of one's own, hashed correctly, put in the place of entry 3.
  AuditEntry forged;
  forged.seq = 3;
  forged.time = clock.NowMs();
  forged.actor = "eve";
  forged.action = "alias.set";
  forged.prev_hash = (*audit->List(3, 1, ""))[0].hash;
  forged.hash = AuditHash(forged);
  Sql("UPDATE audit_entry SET actor = 'eve', object = '', reason = '', before_json = 'null', after_json = 'null', time = " + std::to_string(forged.time) + ", hash = '" + forged.hash + "' WHERE seq = 3");
  EXPECT_EQ(Faults(), Texts{"4 does not follow entry 3: entries were exchanged, removed or inserted"});
}

TEST_F(GovernTest, ProcessesDoNotForkTheChain) {
  std::vector<pid_t> children;
  audit.reset();
  db.reset();
  for (int p = 0; p < 3; ++p) {
    const pid_t child = fork();
    if (child == 0) {
      auto mine = db::OpenSqlite(dir.path() / "x.db", {.durable = false});
      bool ok = mine.has_value();
      if (ok) {
        auto log = MakeAudit(**mine, clock);
        std::vector<std::thread> threads;
        std::atomic<bool> good{true};
        for (int n = 0; n < 2; ++n)
          threads.emplace_back([&] {
            for (int i = 0; i < 20; ++i) {
              AuditEntry e;
              e.action = "x";
              if (!log->Append(e)) good = false;
            }
          });
        for (auto& thread : threads) thread.join();
        ok = good;
      }
      _exit(ok ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  Open();
  const auto report = *audit->Verify();
  EXPECT_EQ(report.entries, 120);
  EXPECT_TRUE(report.faults.empty());
}

TEST_F(GovernTest, AnEntryGoesWithItsTransaction) {
  EXPECT_FALSE(db->Write([&](db::Session& s) -> Status {
    AuditEntry e;
    e.action = "x";
    RONDO_TRY(auto appended, AppendAudit(s, 1, e));
    (void)appended;
    return Fail(Code::kConflict, "the change itself failed");
  }));
  EXPECT_EQ(audit->Verify()->entries, 0);
  Fill(1);
  EXPECT_TRUE(Faults().empty());
}

TEST_F(GovernTest, ApprovalsBindToDigests) {
  auto approvals = MakeApprovals(*db, clock);
  ASSERT_TRUE(approvals->Add({"churn", 7, "abc", "approved", "anna", "risk", "looks right", 0}));
  ASSERT_TRUE(approvals->Add({"churn", 7, "abc", "rejected", "ben", "risk", "no", 0}));
  const auto of = *approvals->Of("churn", 7);
  ASSERT_EQ(of.size(), 2u);
  EXPECT_EQ(of[0].actor, "ben") << "newest first";
  EXPECT_EQ(of[1].digest, "abc");
  EXPECT_EQ(of[1].time, clock.NowMs());
  EXPECT_TRUE(approvals->Of("churn", 8)->empty());
  EXPECT_FALSE(approvals->Add({"churn", 7, "", "approved", "anna", "", "", 0}));
  EXPECT_FALSE(approvals->Add({"churn", 7, "abc", "maybe", "anna", "", "", 0}));
  EXPECT_FALSE(approvals->Add({"churn", 7, "abc", "approved", "", "", "", 0}));
}

TEST(Actor, ComesFromTheEnvironmentOrTheSystem) {
  setenv("RONDO_ACTOR", "rondo:test", 1);
  EXPECT_EQ(CurrentActor(), "rondo:test");
  unsetenv("RONDO_ACTOR");
  EXPECT_FALSE(CurrentActor().empty());
}

}  // namespace
}  // namespace rondo::govern
