// Windows: exact counts across restarts, failures and kill -9; time windows with late rows; shadow rows apart.
#include "monitor/follower.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json_map.h"
#include "monitor/testing.h"

namespace rondo::monitor {
namespace {

using testing::Bench;
using testing::MakePrediction;
using testing::Telco;

Reference Small() {
  static const Reference reference = testing::TelcoReference(Telco(), Telco());
  return reference;
}

void Fill(Bench& bench, int64_t n, int64_t from = 0, int64_t version = 1) {
  for (int64_t i = from; i < from + n; ++i)
    bench.log.endpoints["churn"].push_back(MakePrediction(Telco(), static_cast<size_t>(i) % Telco().rows(), i, bench.clock.NowMs() + i, version));
}

TEST(Follower, WindowsByRowsCloseWhenFull) {
  Bench bench(Small());
  Fill(bench, 1250);
  bench.Pass();
  const auto windows = bench.Windows();
  ASSERT_EQ(windows.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(windows[i].index, i);
    EXPECT_EQ(windows[i].rows, i < 2 ? 500 : 250);
    EXPECT_EQ(windows[i].counts.rows, windows[i].rows);
    EXPECT_EQ(windows[i].closed, i < 2);
    EXPECT_EQ(windows[i].judged, i < 2);
    EXPECT_EQ(windows[i].counts.columns[0].present() + windows[i].counts.columns[0].missing, windows[i].rows);
  }
  EXPECT_EQ(windows[1].time_from, bench.clock.NowMs() + 500);
}

TEST(Follower, RestartsAtEveryBatchChangeNothing) {
  Bench whole(Small()), broken(Small());
  Fill(whole, 2300);
  whole.Pass();
  int64_t n = 0;
  for (const int64_t step : {1, 7, 492, 1, 999, 800}) {
    Fill(broken, step, n);
    n += step;
    broken.Pass();
    broken.Reopen();
  }
  ASSERT_EQ(n, 2300);
  const auto a = whole.Windows(), b = broken.Windows();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(ToJson(a[i].counts), ToJson(b[i].counts)) << i;
}

TEST(Follower, AFailedCommitIsTakenBackWhole) {
  Bench bench(Small());
  Fill(bench, 700);
  // A table that refuses the second window makes the transaction fail after all rows were counted in memory.
  ASSERT_TRUE(bench.db->Write([](db::Session& s) -> Status {
    RONDO_TRY([[maybe_unused]] auto n, s.Exec("CREATE TRIGGER full BEFORE INSERT ON monitor_packed WHEN NEW.idx = 1 BEGIN SELECT RAISE(ABORT, 'disk full'); END"));
    return {};
  }));
  bench.clock.Set(1'700'000'000'000);
  const auto failed = bench.follower->Follow("churn");
  EXPECT_FALSE(failed);
  EXPECT_TRUE(bench.Windows().empty());
  ASSERT_TRUE(bench.db->Write([](db::Session& s) -> Status {
    RONDO_TRY([[maybe_unused]] auto n, s.Exec("DROP TRIGGER full"));
    return {};
  }));
  bench.Pass();
  const auto windows = bench.Windows();
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_EQ(windows[0].rows + windows[1].rows, 700);
  EXPECT_EQ(windows[0].counts.rows, 500);
}

TEST(Follower, ALogThatRepeatsARecordCountsItOnce) {
  Bench bench(Small());
  Fill(bench, 100);
  auto& log = bench.log.endpoints["churn"];
  log.insert(log.begin() + 50, log.begin(), log.begin() + 50);
  bench.Pass();
  EXPECT_EQ(bench.Windows()[0].rows, 100);
}

TEST(Follower, TwoProcessesDontCountTwice) {
  Bench bench(Small());
  Fill(bench, 100);
  Follower second(*bench.db, bench.clock, *bench.references, bench.spec, bench.log.Reader());
  ASSERT_TRUE(second.Follow("churn"));
  Fill(bench, 100, 100);
  bench.Pass();
  Fill(bench, 50, 200);
  EXPECT_TRUE(second.Follow("churn"));  // its position is stale: it gives way and reads its state again
  EXPECT_TRUE(second.Follow("churn"));
  EXPECT_EQ(bench.Windows()[0].rows, 250);
  EXPECT_EQ(bench.Windows()[0].counts.rows, 250);
}

TEST(Follower, ShadowRowsAndVersionsAreKeptApart) {
  Bench bench(Small());
  Fill(bench, 30);
  Fill(bench, 20, 30, 2);
  for (int64_t i = 0; i < 10; ++i) {
    auto p = MakePrediction(Telco(), static_cast<size_t>(i), i, bench.clock.NowMs(), 2);  // same id as the row that was answered
    p.shadow = true;
    p.variant = "shadow";
    bench.log.endpoints["churn"].push_back(p);
  }
  bench.Pass();
  EXPECT_EQ(bench.Windows(1)[0].rows, 30);
  EXPECT_EQ(bench.Windows(2)[0].rows, 20);
  EXPECT_EQ(bench.Windows(2, true)[0].rows, 10);
  const auto streams = db::Fetch<std::vector<Stream>>(*bench.db, [](db::Session& s) { return Streams(s, "churn"); });
  ASSERT_EQ(streams->size(), 3u);
  EXPECT_EQ((*streams)[0].version, 2);
  EXPECT_TRUE((*streams)[2].shadow);
}

TEST(Follower, WindowsByTimeTakeLateRows) {
  Bench bench(Small());
  bench.spec.window_ms = 3'600'000;
  const int64_t hour = 1'700'000'000'000 / 3'600'000 * 3'600'000;
  bench.clock.Set(hour);
  const auto add = [&](int64_t number, int64_t time) { bench.log.endpoints["churn"].push_back(MakePrediction(Telco(), static_cast<size_t>(number), number, time)); };
  for (int64_t i = 0; i < 40; ++i) add(i, hour + i * 1000);
  bench.Pass();
  EXPECT_FALSE(bench.Windows()[0].closed);
  bench.clock.Set(hour + 3'600'000 + 10'000);  // over, but rows may still come
  add(40, hour + 3'600'000 + 5'000);
  add(41, hour + 3'599'999);  // out of order: belongs to the first hour
  bench.Pass();
  ASSERT_EQ(bench.Windows().size(), 2u);
  EXPECT_FALSE(bench.Windows()[0].closed);
  EXPECT_EQ(bench.Windows()[0].rows, 41);
  bench.clock.Set(hour + 3'600'000 + 61'000);
  bench.Pass();
  EXPECT_TRUE(bench.Windows()[0].judged);
  add(42, hour + 5'000);  // later than the lateness allows: counted all the same, the window is judged again
  bench.Reopen();
  bench.Pass();
  EXPECT_EQ(bench.Windows()[0].rows, 42);
  EXPECT_TRUE(bench.Windows()[0].judged);
  EXPECT_EQ(bench.Windows()[0].verdict["columns"][0]["rows"].AsInt(), bench.Windows()[0].counts.columns[0].present());
  EXPECT_EQ(bench.Windows()[1].rows, 1);
}

TEST(Follower, AVersionWithoutReferenceIsCountedOnly) {
  Bench bench(Small());
  bench.references = std::make_unique<References>([](const std::string&, int64_t) -> Result<Reference> { return Fail(Code::kNotFound, "none"); }, bench.clock);
  bench.follower = std::make_unique<Follower>(*bench.db, bench.clock, *bench.references, bench.spec, bench.log.Reader());
  Fill(bench, 600);
  EXPECT_TRUE(bench.Pass().empty());
  EXPECT_EQ(bench.Windows()[0].rows, 500);
  EXPECT_TRUE(bench.Windows()[0].verdict.IsNull());
}

TEST(Follower, KillNineLosesNothingAndCountsNothingTwice) {
  TempDir folder;
  project::Monitor spec;
  spec.window_rows = 500;
  spec.label_delay_ms = 1000;
  testing::MemoryLog log;
  for (int64_t i = 0; i < 60'000; ++i) log.endpoints["churn"].push_back(MakePrediction(Telco(), static_cast<size_t>(i) % Telco().rows(), i, i));
  const Reference reference = Small();
  const auto follow = [&](bool small_batches) -> int {
    FakeClock clock;
    auto db = db::OpenSqlite(folder.path() / "rondo.db");
    if (!db || !(*db)->Migrate("monitor", Migrations())) return 2;
    References references([&](const std::string&, int64_t) -> Result<Reference> { return reference; }, clock);
    Follower follower(**db, clock, references, spec, log.Reader());
    for (;;) {
      const auto n = follower.Follow("churn", small_batches ? 1 : 1'000'000);
      if (!n) return 3;
      if (*n == 0) return 0;
    }
  };
  for (int round = 0; round < 6; ++round) {
    const pid_t child = fork();
    if (child == 0) _exit(follow(true));
    usleep(30'000 + 25'000 * static_cast<useconds_t>(round));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
  }
  ASSERT_EQ(follow(false), 0);
  auto db = db::OpenSqlite(folder.path() / "rondo.db");
  ASSERT_TRUE(db);
  const auto windows = db::Fetch<std::vector<Window>>(**db, [](db::Session& s) { return ListWindows(s, {"churn", "churn", 1, false}, 1000); });
  ASSERT_EQ(windows->size(), 120u);
  int64_t rows = 0;
  for (const Window& w : *windows) {
    EXPECT_EQ(w.rows, 500);
    EXPECT_EQ(w.counts.rows, 500);
    rows += w.counts.rows;
  }
  EXPECT_EQ(rows, 60'000);
}

}  // namespace
}  // namespace rondo::monitor
