// Files, hashes, time, randomness, metrics, processes.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmath>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/dynlib.h"
#include "base/event_bus.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/metrics.h"
#include "base/process.h"
#include "base/random.h"
#include "base/thread_pool.h"

namespace rondo {
namespace {

TEST(File, WritesAtomicallyAndReadsBack) {
  TempDir dir;
  const fs::path path = dir.path() / "a/b/c.txt";
  ASSERT_TRUE(WriteFileAtomic(path, "one"));
  ASSERT_TRUE(WriteFileAtomic(path, "two"));
  EXPECT_EQ(*ReadFile(path), "two");
  size_t files = 0;
  for ([[maybe_unused]] const auto& e : fs::directory_iterator(path.parent_path())) ++files;
  EXPECT_EQ(files, 1u) << "no temporary file may stay";
  EXPECT_EQ(ReadFile(dir.path() / "none").error().code, Code::kNotFound);
  EXPECT_EQ(ReadFile(dir.path()).error().code, Code::kInvalid);
  EXPECT_EQ(ReadFile(path, 2).error().code, Code::kTooLarge);
}

TEST(File, AFullDiskLeavesTheOldFile) {
  TempDir dir;
  const fs::path path = dir.path() / "f";
  ASSERT_TRUE(WriteFileAtomic(path, "old"));
  // A file size limit is how a process meets a write that can't be finished.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  const Status status = WriteFileAtomic(path, std::string(5000, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kEnvironment);
  EXPECT_EQ(*ReadFile(path), "old");
}

TEST(File, LocksExcludeAndNameTheHolder) {
  TempDir dir;
  auto first = FileLock::TryLock(dir.path() / "lock");
  ASSERT_TRUE(first);
  auto second = FileLock::TryLock(dir.path() / "lock");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
}

TEST(File, AppendFileKeepsItsSize) {
  TempDir dir;
  auto file = AppendFile::Open(dir.path() / "log");
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->Append("abc"));
  ASSERT_TRUE(file->Append("de"));
  ASSERT_TRUE(file->Sync());
  EXPECT_EQ(file->size(), 5u);
  EXPECT_EQ(*ReadFile(dir.path() / "log"), "abcde");
}

// Vectors: RFC 1321, FIPS 180-2, RFC 4231 case 2, xxhash's own self test for the empty input.
TEST(Hash, KnownVectors) {
  EXPECT_EQ(Md5Hex("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HmacSha256Hex("Jefe", "what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Xxh3(""), 0x2d06800538d394c2ull);
  EXPECT_EQ(*HexDecode(HexEncode("\x00\xff z")), std::string("\x00\xff z"));
  EXPECT_FALSE(HexDecode("abc"));
  EXPECT_FALSE(HexDecode("zz"));
  for (size_t n = 0; n < 20; ++n) {
    const std::string text(n, 'k');
    EXPECT_EQ(*Base64Decode(Base64Encode(text)), text);
  }
  EXPECT_FALSE(Base64Decode("a"));
}

TEST(Clock, ParsesAndFormats) {
  EXPECT_EQ(FormatTime(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(*ParseTime("2026-11-25"), 1795564800000);
  EXPECT_EQ(*ParseTime("2026-11-25T01:11:28.5Z"), 1795569088500);
  EXPECT_EQ(*ParseTime("2026-11-25 02:11:28+01:00"), 1795569088000);
  EXPECT_EQ(*ParseTime(FormatTime(1795569088123)), 1795569088123);
  for (const char* bad : {"", "2026", "2026-13-01", "2026-02-30", "2026-11-25T", "2026-11-25T25:00", "2026-11-25T01:11:28.Z", "yesterday", "2026-11-25T01:11+1"})
    EXPECT_FALSE(ParseTime(bad)) << bad;
  EXPECT_EQ(*ParseDurationMs("1.5h"), 5'400'000);
  EXPECT_EQ(*ParseDurationMs("30d"), 2'592'000'000);
  for (const char* bad : {"", "5", "h", "-1h", "1 fortnight", "nan s"}) EXPECT_FALSE(ParseDurationMs(bad)) << bad;
}

TEST(Random, IsTheSameForEverAndUniform) {
  Random r(7);
  // Pinned (splitmix64 + xoshiro256** computed independently in Python): a change here would silently change every split and every bootstrap.
  EXPECT_EQ(r.Next(), 12923355070828475994ull);
  double sum = 0;
  std::vector<int> counts(10);
  for (int i = 0; i < 100'000; ++i) {
    sum += r.Uniform();
    ++counts[r.Below(10)];
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.005);
  for (int c : counts) EXPECT_NEAR(c, 10'000, 400);
  EXPECT_NE(DeriveSeed(7, "split"), DeriveSeed(7, "train"));
  double mean = 0, square = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = r.Normal();
    mean += x;
    square += x * x;
  }
  EXPECT_NEAR(mean / 1e5, 0, 0.02);
  EXPECT_NEAR(square / 1e5, 1, 0.02);
}

TEST(Id, UuidsHaveTheirVersion) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string u = NewUuid();
    EXPECT_EQ(u.size(), 36u);
    EXPECT_EQ(u[14], '4');
    EXPECT_NE(std::string("89ab").find(u[19]), std::string::npos);
    EXPECT_TRUE(seen.insert(u).second);
  }
}

TEST(Metrics, WritesPrometheusText) {
  MetricsRegistry registry;
  registry.GetCounter("x_total", "Things.", {{"name", "a\"b\\c\n"}}).Add(3);
  const double bounds[] = {1, 2};
  auto& h = registry.GetHistogram("t_seconds", "Times.", bounds);
  for (double v : {0.5, 1.5, 1.6, 9.0}) h.Observe(v);
  const std::string text = registry.PrometheusText();
  EXPECT_NE(text.find("x_total{name=\"a\\\"b\\\\c\\n\"} 3\n"), std::string::npos) << text;
  EXPECT_NE(text.find("t_seconds_bucket{le=\"2\"} 3\n"), std::string::npos) << text;
  EXPECT_NE(text.find("t_seconds_bucket{le=\"+Inf\"} 4\n"), std::string::npos);
  EXPECT_NE(text.find("t_seconds_count 4\n"), std::string::npos);
  EXPECT_DOUBLE_EQ(h.Quantile(0.5), 1.5);
}

TEST(Process, RunsWaitsAndKillsTheGroup) {
  auto out = RunCommand({"sh", "-c", "echo hi; exit 3"});
  ASSERT_TRUE(out);
  EXPECT_EQ(out->code, 3);
  EXPECT_EQ(out->out, "hi\n");
  EXPECT_EQ(Process::Spawn({{"/no/such/program"}, {}, {}, {}}).error().code, Code::kEnvironment);
  TempDir dir;
  auto p = Process::Spawn({{"sh", "-c", "trap '' TERM; sleep 60 & echo $! > pid; wait"}, {}, dir.path(), {}});
  ASSERT_TRUE(p);
  while (!fs::exists(dir.path() / "pid") || fs::file_size(dir.path() / "pid") == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(p->Wait(10).error().code, Code::kUnavailable);
  const pid_t grandchild = std::stoi(*ReadFile(dir.path() / "pid"));
  p->Terminate(50);
  for (int i = 0; i < 200 && ::kill(grandchild, 0) == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  // A killed orphan may stay as a zombie of init for a moment; it must not run.
  auto stat = ReadFile("/proc/" + std::to_string(grandchild) + "/stat");
  EXPECT_TRUE(!stat || stat->find(") Z") != std::string::npos);
}

TEST(ThreadPool, RefusesWhenFullAndFinishesTheQueue) {
  std::atomic<int> done{0};
  {
    ThreadPool pool("t", 1, 2);
    std::atomic<bool> go{false};
    ASSERT_TRUE(pool.Submit([&] {
      while (!go) std::this_thread::yield();
      ++done;
    }));
    while (pool.queued() > 0) std::this_thread::yield();
    EXPECT_TRUE(pool.Submit([&] { ++done; }));
    EXPECT_TRUE(pool.Submit([&] { ++done; }));
    EXPECT_FALSE(pool.Submit([&] { ++done; }));
    go = true;
  }
  EXPECT_EQ(done, 3);
  std::vector<int> hit(1000);
  ParallelFor(1000, [&](size_t i) { ++hit[i]; }, 4);
  for (int h : hit) EXPECT_EQ(h, 1);
}

TEST(EventBus, DeliversByType) {
  EventBus bus;
  int got = 0;
  bus.Subscribe<int>([&](const int& i) { got += i; });
  bus.Publish(3);
  bus.Publish(std::string("other"));
  EXPECT_EQ(got, 3);
}

TEST(Dynlib, MissingEnginesSayWhatToDo) {
  auto engine = Engine::Load("nothing");
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, Code::kEnvironment);
  EXPECT_NE(engine.error().hint.find("./dev setup"), std::string::npos);
}

}  // namespace
}  // namespace rondo
