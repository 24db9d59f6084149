// The SQLite engine: group commit, crashes, several processes, migrations, errors.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "base/metrics.h"
#include "db/db.h"

namespace rondo::db {
namespace {

const std::vector<Migration> kTables = {{"t", 1, "CREATE TABLE t (id integer PRIMARY KEY, a bigint, b double precision, c text, d bytea); CREATE UNIQUE INDEX t_c ON t (c);"}};

std::unique_ptr<Database> Open(const fs::path& path, bool durable = true) {
  auto db = OpenSqlite(path, {durable});
  EXPECT_TRUE(db) << (db ? "" : db.error().Text());
  if (!db) return nullptr;
  const Status migrated = (*db)->Migrate("t", kTables);
  EXPECT_TRUE(migrated) << (migrated ? "" : migrated.error().Text());
  return std::move(*db);
}
Status Insert(Database& db, int64_t a, const Value& c = nullptr) {
  return db.Write([&](Session& s) -> Status {
    RONDO_TRY(auto n, s.Exec("INSERT INTO t (a, c) VALUES ($1, $2)", {a, c}));
    return n == 1 ? Status{} : Fail(Code::kInternal, "changed " + std::to_string(n));
  });
}
int64_t Count(Database& db, const std::string& where = "1=1") {
  auto n = Fetch<std::optional<int64_t>>(db, [&](Session& s) { return s.QueryInt("SELECT count(*) FROM t WHERE " + where); });
  EXPECT_TRUE(n) << (n ? "" : n.error().Text());
  return n && *n ? **n : -1;
}

TEST(Sqlite, ParametersGoByNumberNotByAppearance) {
  TempDir dir;
  auto db = Open(dir.path() / "x.db");
  ASSERT_TRUE(db->Write([](Session& s) -> Status {
    RONDO_TRY(auto n, s.Exec("INSERT INTO t (b, a, c, d) VALUES ($2, $1, $3, $4)", {7, 2.5, "x'y", Blob{std::string("\0\1", 2)}}));
    EXPECT_EQ(n, 1);
    return s.Query("SELECT $2, $1, $2", {"one", "two"}, [](const Row& r) {
      EXPECT_EQ(r.Text(0), "two");
      EXPECT_EQ(r.Text(1), "one");
      EXPECT_EQ(r.Text(2), "two");
      return true;
    });
  }));
  ASSERT_TRUE(db->Read([](Session& s) {
    return s.Query("SELECT a, b, c, d, NULL FROM t", {}, [](const Row& r) {
      EXPECT_EQ(r.Int(0), 7);
      EXPECT_EQ(r.Double(1), 2.5);
      EXPECT_EQ(r.Text(2), "x'y");
      EXPECT_EQ(r.Text(3), std::string_view("\0\1", 2));
      EXPECT_TRUE(r.IsNull(4));
      return true;
    });
  }));
  const auto wrong = db->Read([](Session& s) { return s.Query("SELECT $1", {1, 2}, [](const Row&) { return true; }); });
  EXPECT_EQ(wrong.error().code, Code::kInternal);
  EXPECT_EQ(db->Read([](Session& s) { return s.Query("SELECT ?", {1}, [](const Row&) { return true; }); }).error().code, Code::kInternal);
  EXPECT_EQ(db->Read([](Session& s) { return s.Query("SELECT 1; SELECT 2", {}, [](const Row&) { return true; }); }).error().code, Code::kInternal);
}

TEST(Sqlite, AStatementMayRunInsideItsOwnRows) {
  TempDir dir;
  auto db = Open(dir.path() / "x.db");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Insert(*db, i));
  int pairs = 0;
  const std::string sql = "SELECT a FROM t";
  ASSERT_TRUE(db->Read([&](Session& s) {
    return s.Query(sql, {}, [&](const Row&) { return s.Query(sql, {}, [&](const Row&) { return ++pairs > 0; }).has_value(); });
  }));
  EXPECT_EQ(pairs, 9);
  // More texts than the cache holds.
  ASSERT_TRUE(db->Read([&](Session& s) -> Status {
    for (int i = 0; i < 1000; ++i) {
      RONDO_TRY(auto v, s.QueryInt("SELECT " + std::to_string(i)));
      EXPECT_EQ(v, i);
    }
    return {};
  }));
}

TEST(Sqlite, AFailingWriteLosesNobodyElses) {
  TempDir dir;
  auto db = Open(dir.path() / "x.db");
  constexpr int kThreads = 16, kEach = 60;
  std::atomic<int> ok{0}, failed{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          const bool fail = i % 3 == 0;
          const Status status = db->Write([&](Session& s) -> Status {
            RONDO_TRY(auto n, s.Exec("INSERT INTO t (a, b) VALUES ($1, $2)", {t, fail ? -1.0 : 1.0}));
            EXPECT_EQ(n, 1);
            if (fail) return Fail(Code::kConflict, "no");
            return {};
          });
          if (status) {
            ++ok;
          } else {
            EXPECT_EQ(status.error().code, Code::kConflict);
            ++failed;
          }
        }
      });
  }
  EXPECT_EQ(ok, kThreads * kEach * 2 / 3);
  EXPECT_EQ(Count(*db, "b > 0"), ok);
  EXPECT_EQ(Count(*db, "b < 0"), 0);
}

TEST(Sqlite, GroupsShareOneCommit) {
  TempDir dir;
  auto db = Open(dir.path() / "x.db", /*durable=*/false);
  // One slow write lets the others queue up behind it; their rows must be visible together.
  Counter& commits = MetricsRegistry::Global().GetCounter("rondo_db_commits_total", "");
  const uint64_t commits_before = commits.value();
  std::vector<std::jthread> threads;
  std::atomic<bool> started{false};
  threads.emplace_back([&] {
    EXPECT_TRUE(db->Write([&](Session&) -> Status {
      started = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(120));
      return {};
    }));
  });
  while (!started) std::this_thread::yield();
  auto before = *db->ChangeCounter();
  for (int i = 0; i < 15; ++i) threads.emplace_back([&, i] { EXPECT_TRUE(Insert(*db, i)); });
  threads.clear();
  EXPECT_EQ(Count(*db), 15);
  EXPECT_LE(commits.value() - commits_before, 5u) << "16 writes, most of them in one transaction";
  EXPECT_NE(*db->ChangeCounter(), before);
}

TEST(Sqlite, UniqueViolationsAndNestedWritesAreErrors) {
  TempDir dir;
  auto db = Open(dir.path() / "x.db");
  ASSERT_TRUE(Insert(*db, 1, "same"));
  EXPECT_EQ(Insert(*db, 2, "same").error().code, Code::kAlreadyExists);
  EXPECT_EQ(Count(*db), 1);
  EXPECT_EQ(db->Write([&](Session&) { return db->Write([](Session&) -> Status { return {}; }); }).error().code, Code::kInternal);
  EXPECT_FALSE(db->Read([](Session& s) -> Status {
    RONDO_TRY(auto n, s.Exec("DELETE FROM t"));
    (void)n;
    return {};
  })) << "a Read must not write";
  EXPECT_EQ(Count(*db), 1);
}

TEST(Sqlite, AReadSeesOneSnapshot) {
  TempDir dir;
  auto db = Open(dir.path() / "x.db");
  ASSERT_TRUE(db->Read([&](Session& s) -> Status {
    RONDO_TRY(auto before, s.QueryInt("SELECT count(*) FROM t"));
    EXPECT_TRUE(Insert(*db, 1));
    RONDO_TRY(auto after, s.QueryInt("SELECT count(*) FROM t"));
    EXPECT_EQ(before, after);
    return {};
  }));
  EXPECT_EQ(Count(*db), 1);
}

TEST(Sqlite, AcknowledgedRowsSurviveKill9) {
  TempDir dir;
  const fs::path path = dir.path() / "x.db";
  Open(path).reset();
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  const pid_t child = fork();  // NOLINT: the test has one thread here
  if (child == 0) {
    close(fds[0]);
    auto db = Open(path);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int64_t i = 0;; ++i) {
          const int64_t id = t * 1'000'000 + i;
          if (Insert(*db, id)) (void)!write(fds[1], &id, sizeof id);
        }
      });
    for (auto& thread : threads) thread.join();
    _exit(0);
  }
  close(fds[1]);
  std::vector<int64_t> acknowledged;
  int64_t id = 0;
  while (acknowledged.size() < 200 && read(fds[0], &id, sizeof id) == sizeof id) acknowledged.push_back(id);
  kill(child, SIGKILL);
  while (read(fds[0], &id, sizeof id) == sizeof id) acknowledged.push_back(id);
  close(fds[0]);
  waitpid(child, nullptr, 0);
  ASSERT_GE(acknowledged.size(), 200u);
  auto db = Open(path);
  for (int64_t a : acknowledged) EXPECT_EQ(Count(*db, "a = " + std::to_string(a)), 1) << a;
}

TEST(Sqlite, ProcessesShareOneFile) {
  TempDir dir;
  const fs::path path = dir.path() / "x.db";
  constexpr int kProcesses = 3, kEach = 50;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = fork();
    if (child == 0) {  // all create, migrate and write at once
      auto db = OpenSqlite(path);
      bool ok = db && (*db)->Migrate("t", kTables);
      for (int i = 0; ok && i < kEach; ++i) ok = Insert(**db, p).has_value();
      _exit(ok ? 0 : 1);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  auto db = Open(path);
  EXPECT_EQ(Count(*db), kProcesses * kEach);
}

TEST(Sqlite, TheChangeCounterSeesCommitsOfOthers) {
  TempDir dir;
  auto one = Open(dir.path() / "x.db");
  auto two = Open(dir.path() / "x.db");
  const int64_t start = *one->ChangeCounter();
  EXPECT_EQ(*one->ChangeCounter(), start);
  ASSERT_TRUE(Insert(*one, 1));
  const int64_t own = *one->ChangeCounter();
  EXPECT_NE(own, start);
  ASSERT_TRUE(Insert(*two, 2));
  EXPECT_NE(*one->ChangeCounter(), own);
}

TEST(Sqlite, MigrationsRunOnceAndNeverBackwards) {
  TempDir dir;
  const fs::path path = dir.path() / "x.db";
  Open(path);
  const std::vector<Migration> two = {kTables[0], {"t", 2, "ALTER TABLE t ADD COLUMN e text"}};
  auto db = OpenSqlite(path);
  ASSERT_TRUE((*db)->Migrate("t", two));
  ASSERT_TRUE((*db)->Migrate("t", two));
  ASSERT_TRUE((*db)->Write([](Session& s) -> Status {
    RONDO_TRY(auto n, s.Exec("INSERT INTO t (e) VALUES ('x')"));
    return n == 1 ? Status{} : Fail(Code::kInternal, "");
  }));
  const Status older = (*db)->Migrate("t", kTables);
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, Code::kConflict);
  EXPECT_NE(older.error().message.find("newer"), std::string::npos) << older.error().message;
  // A migration that fails halfway leaves nothing of itself.
  const std::vector<Migration> broken = {{"u", 1, "CREATE TABLE u (x text); CREATE TABLE u (y text)"}};
  EXPECT_FALSE((*db)->Migrate("u", broken));
  EXPECT_TRUE((*db)->Migrate("u", {{"u", 1, "CREATE TABLE u (x text)"}}));
}

TEST(Sqlite, BackupIsAWholeDatabase) {
  TempDir dir;
  auto db = Open(dir.path() / "x.db");
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Insert(*db, i));
  ASSERT_TRUE(db->Backup(dir.path() / "sub/copy.db"));
  ASSERT_TRUE(Insert(*db, 99));
  EXPECT_EQ(Count(*Open(dir.path() / "sub/copy.db")), 20);
  for (const auto& entry : fs::directory_iterator(dir.path() / "sub")) EXPECT_TRUE(entry.path().filename().string().starts_with("copy.db")) << entry.path();
}

TEST(Sqlite, DamagedAndMissingFilesSaySo) {
  TempDir dir;
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "bad.db", std::string(10'000, 'x')));
  const auto bad = OpenSqlite(dir.path() / "bad.db");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::kEnvironment);
  EXPECT_NE(bad.error().message.find("bad.db"), std::string::npos);
  EXPECT_FALSE(bad.error().hint.empty());
  const auto none = OpenSqlite(dir.path() / "no/such/folder/x.db");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kEnvironment);
}

TEST(Sqlite, AFullDiskIsAnErrorAndKeepsWhatWasAcknowledged) {
  TempDir dir;
  const fs::path path = dir.path() / "x.db";
  Open(path).reset();
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{400'000, 400'000};  // the log may not grow beyond
    setrlimit(RLIMIT_FSIZE, &limit);
    auto db = Open(path);
    int64_t done = 0;
    Status status;
    const std::string text(20'000, 'z');
    for (; done < 1000 && status; ++done) status = Insert(*db, done, text + std::to_string(done));
    done -= status ? 0 : 1;
    const int64_t code = status ? -1 : static_cast<int64_t>(status.error().code);
    (void)!write(fds[1], &done, sizeof done);
    (void)!write(fds[1], &code, sizeof code);
    _exit(0);
  }
  close(fds[1]);
  int64_t done = 0, code = 0;
  ASSERT_EQ(read(fds[0], &done, sizeof done), static_cast<ssize_t>(sizeof done));
  ASSERT_EQ(read(fds[0], &code, sizeof code), static_cast<ssize_t>(sizeof code));
  close(fds[0]);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(code, static_cast<int64_t>(Code::kEnvironment));
  EXPECT_GT(done, 2);
  auto db = Open(path);
  EXPECT_EQ(Count(*db), done);
  EXPECT_TRUE(Insert(*db, 1));
}

TEST(Sqlite, IdleCostsNothingAndOpeningIsQuick) {
  TempDir dir;
  Open(dir.path() / "x.db").reset();
  auto db = Open(dir.path() / "x.db");
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_nvcsw - before.ru_nvcsw, 5) << "the writer thread must sleep";
}

}  // namespace
}  // namespace rondo::db
