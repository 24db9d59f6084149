// The prediction log: bytes, rolling, following, recovery after kill -9, damage, full disk.
#include "data/prediction_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/process.h"
#include "base/random.h"
#include "data/prediction_record.h"

namespace rondo::data {
namespace {

Prediction Make(uint64_t i) {
  Prediction p;
  p.id = fmt::format("{:032x}", i * 0x9e3779b97f4a7c15ull);
  p.time = 1'700'000'000'000 + static_cast<int64_t>(i);
  p.model = "churn";
  p.version = static_cast<int64_t>(1 + i % 3);
  p.variant = i % 3 ? "challenger" : "champion";
  p.shadow = i % 5 == 0;
  p.key = i % 2 ? fmt::format("customer-{}", i) : "";
  p.numbers = {static_cast<float>(i), std::nanf(""), -1.5f};
  p.texts = {"Month-to-month", "", std::string(i % 300, 'x')};
  p.scores = {0.25f, 0.75f};
  p.decision = "Yes";
  p.latency_us = 12.5f;
  return p;
}
void ExpectSame(const Prediction& a, const Prediction& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.variant, b.variant);
  EXPECT_EQ(a.shadow, b.shadow);
  EXPECT_EQ(a.key, b.key);
  ASSERT_EQ(a.numbers.size(), b.numbers.size());
  for (size_t i = 0; i < a.numbers.size(); ++i) EXPECT_TRUE(a.numbers[i] == b.numbers[i] || (std::isnan(a.numbers[i]) && std::isnan(b.numbers[i])));
  EXPECT_EQ(a.texts, b.texts);
  EXPECT_EQ(a.scores, b.scores);
  EXPECT_EQ(a.decision, b.decision);
  EXPECT_EQ(a.latency_us, b.latency_us);
}
std::vector<Prediction> Batch(uint64_t from, uint64_t to) {
  std::vector<Prediction> out;
  for (uint64_t i = from; i < to; ++i) out.push_back(Make(i));
  return out;
}
std::vector<Prediction> ReadAll(const fs::path& folder, LogPosition position = {}) {
  std::vector<Prediction> out;
  EXPECT_TRUE(ReadPredictions(folder, position, [&](const Prediction& p) {
    out.push_back(p);
    return true;
  }));
  return out;
}
void ExpectRows(const fs::path& folder, uint64_t n) {
  const auto rows = ReadAll(folder);
  ASSERT_EQ(rows.size(), n);
  for (uint64_t i = 0; i < n; ++i) ExpectSame(rows[i], Make(i));
}
/// Overwrites bytes of a file.
void Scribble(const fs::path& path, uint64_t offset, std::string_view bytes) {
  std::string text = *ReadFile(path);
  ASSERT_LE(offset + bytes.size(), text.size());
  text.replace(offset, bytes.size(), bytes);
  ASSERT_TRUE(WriteFileAtomic(path, text));
}

TEST(PredictionLog, BytesAreAsTheFormatPageSays) {
  Prediction p;
  p.id = "000102030405060708090a0b0c0d0e0f";
  p.time = 1'700'000'000'123;
  p.model = "churn";
  p.version = 300;
  p.variant = "champion";
  p.key = "k";
  p.latency_us = 1.0f;
  p.numbers = {2.0f};
  p.texts = {"Yes", ""};
  p.scores = {0.25f, 0.75f};
  p.decision = "No";
  std::string out;
  log::AppendPrediction(out, p, 32);
  // Laid out by hand from docs/formats/prediction_log.md.
  EXPECT_EQ(HexEncode(std::string_view(out).substr(8)),
            "01" "01" "000102030405060708090a0b0c0d0e0f" "7b68e5cf8b010000" "05" "636875726e" "ac02" "08" "6368616d70696f6e" "01" "6b" "0000803f"
            "01" "00000040" "02" "03" "596573" "00" "02" "0000803e" "0000403f" "02" "4e6f");
  EXPECT_EQ(HexEncode(std::string_view(out).substr(0, 4)), "48000000");
  // XXH3_64bits_withSeed of python-xxhash 3.8: xxhash.xxh3_64_intdigest(payload, seed=32) & 0xffffffff, little-endian.
  EXPECT_EQ(HexEncode(std::string_view(out).substr(4, 4)), "c39146e5");
  EXPECT_EQ(HexEncode(log::Header(7)), "524f4e444f504c00" "01000000" "00000000" "0700000000000000" "17c8485e167a70a7");
}

TEST(PredictionLog, WritesAndReadsBack) {
  TempDir dir;
  EXPECT_TRUE(ReadAll(dir.path() / "nothing").empty());
  auto writer = OpenPredictionWriter(dir.path());
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->Append(Batch(0, 1000)));
  ASSERT_TRUE((*writer)->Sync());
  ExpectRows(dir.path(), 1000);
  EXPECT_EQ(OpenPredictionWriter(dir.path()).error().code, Code::kConflict);
  auto found = FindPrediction(dir.path(), Make(777).id);
  ASSERT_TRUE(found);
  ExpectSame(*found, Make(777));
  EXPECT_EQ(FindPrediction(dir.path(), "nope").error().code, Code::kNotFound);
}

TEST(PredictionLog, AnIdThatIsNoHexStays) {
  TempDir dir;
  Prediction p = Make(1);
  for (const char* id : {"", "short", "ABCDEFABCDEFABCDEFABCDEFABCDEFAB", "zz0102030405060708090a0b0c0d0e0f"}) {
    p.id = id;
    ASSERT_TRUE((*OpenPredictionWriter(dir.path()))->Append({p}));
    EXPECT_EQ(ReadAll(dir.path()).back().id, id);
  }
}

TEST(PredictionLog, RollsSealsAndFindsInEverySegment) {
  TempDir dir;
  auto writer = OpenPredictionWriter(dir.path(), {.segment_bytes = 20'000});
  ASSERT_TRUE(writer);
  for (uint64_t i = 0; i < 1000; i += 10) ASSERT_TRUE((*writer)->Append(Batch(i, i + 10)));
  size_t files = 0;
  for (const auto& e : fs::directory_iterator(dir.path()))
    if (e.path().extension() == ".rpl") {
      ++files;
      EXPECT_LT(fs::file_size(e.path()), 30'000u);
    }
  EXPECT_GT(files, 5u);
  ExpectRows(dir.path(), 1000);
  for (uint64_t i = 0; i < 1000; i += 37) {
    auto found = FindPrediction(dir.path(), Make(i).id);
    ASSERT_TRUE(found) << i;
    ExpectSame(*found, Make(i));
  }
  EXPECT_EQ(FindPrediction(dir.path(), Make(1001).id).error().code, Code::kNotFound);
}

TEST(PredictionLog, AnAnswerIsFoundBeforeItsShadow) {
  TempDir dir;
  Prediction answer = Make(1), shadow = answer;
  answer.shadow = false;
  answer.version = 1;
  shadow.shadow = true;
  shadow.version = 2;
  // Sealed and open segments, the shadow after, before and in a later segment.
  { ASSERT_TRUE((*OpenPredictionWriter(dir.path()))->Append({answer, shadow})); }
  EXPECT_EQ(FindPrediction(dir.path(), answer.id)->version, 1);
  { ASSERT_TRUE((*OpenPredictionWriter(dir.path()))->Append({shadow})); }
  EXPECT_EQ(FindPrediction(dir.path(), answer.id)->version, 1);
  shadow.id = Make(2).id;
  { ASSERT_TRUE((*OpenPredictionWriter(dir.path()))->Append({shadow})); }
  EXPECT_EQ(FindPrediction(dir.path(), shadow.id)->version, 2);
}

TEST(PredictionLog, AReaderFollowsAndResumes) {
  TempDir dir;
  auto writer = OpenPredictionWriter(dir.path(), {.segment_bytes = 50'000});
  LogPosition position;
  uint64_t seen = 0;
  auto follow = [&](uint64_t most) {
    ASSERT_TRUE(ReadPredictions(dir.path(), position, [&](const Prediction& p) {
      ExpectSame(p, Make(seen));
      ++seen;
      return --most > 0;
    }));
  };
  for (uint64_t i = 0; i < 600; i += 20) {
    ASSERT_TRUE((*writer)->Append(Batch(i, i + 20)));
    follow(7);  // stops in the middle of the batch
    follow(1000);
    EXPECT_EQ(seen, i + 20);
  }
  follow(1000);
  EXPECT_EQ(seen, 600u);
  // The position also holds across a new writer, which begins a new segment.
  writer->reset();
  writer = OpenPredictionWriter(dir.path());
  ASSERT_TRUE((*writer)->Append(Batch(600, 610)));
  follow(1000);
  EXPECT_EQ(seen, 610u);
}

TEST(PredictionLog, ReadsWhileAnotherThreadWrites) {
  TempDir dir;
  auto writer = OpenPredictionWriter(dir.path(), {.segment_bytes = 100'000});
  constexpr uint64_t kRows = 20'000;
  std::thread thread([&] {
    for (uint64_t i = 0; i < kRows; i += 50) ASSERT_TRUE((*writer)->Append(Batch(i, i + 50)));
  });
  LogPosition position;
  uint64_t seen = 0;
  while (seen < kRows) {
    ASSERT_TRUE(ReadPredictions(dir.path(), position, [&](const Prediction& p) {
      EXPECT_EQ(p.id, Make(seen).id);
      ++seen;
      return true;
    }));
  }
  thread.join();
  EXPECT_EQ(seen, kRows);
}

TEST(PredictionLog, ATornTailIsCutAtEveryLength) {
  TempDir dir;
  const fs::path folder = dir.path() / "log", file = folder / "00000001.rpl";
  std::string whole;
  {
    auto writer = OpenPredictionWriter(folder);
    ASSERT_TRUE((*writer)->Append(Batch(0, 5)));
    whole = *ReadFile(file);
  }
  std::string four;
  {
    TempDir other;
    auto writer = OpenPredictionWriter(other.path());
    ASSERT_TRUE((*writer)->Append(Batch(0, 4)));
    four = *ReadFile(other.path() / "00000001.rpl");
  }
  SetLogLevel(LogLevel::kError);  // a warning per cut is right, a thousand of them are noise
  for (size_t length = 0; length < whole.size(); ++length) {
    ASSERT_TRUE(RemoveAll(folder));
    ASSERT_TRUE(WriteFileAtomic(file, whole.substr(0, length)));
    const size_t readable = ReadAll(folder).size();
    {
      auto writer = OpenPredictionWriter(folder);
      ASSERT_TRUE(writer) << length;
      ASSERT_TRUE((*writer)->Append({Make(99)}));
    }
    const auto rows = ReadAll(folder);
    ASSERT_EQ(rows.size(), readable + 1) << length;
    EXPECT_EQ(rows.back().id, Make(99).id);
    ASSERT_EQ(readable == 4, length >= four.size()) << length;
    for (size_t i = 0; i < readable; ++i) ExpectSame(rows[i], Make(i));
  }
  SetLogLevel(LogLevel::kWarn);
}

TEST(PredictionLog, ZerosAfterAPowerCutAreCut) {
  TempDir dir;
  { ASSERT_TRUE((*OpenPredictionWriter(dir.path()))->Append(Batch(0, 10))); }
  const fs::path file = dir.path() / "00000001.rpl";
  ASSERT_TRUE(WriteFileAtomic(file, *ReadFile(file) + std::string(4096, '\0')));
  { ASSERT_TRUE((*OpenPredictionWriter(dir.path()))->Append(Batch(10, 20))); }
  ExpectRows(dir.path(), 20);
}

TEST(PredictionLog, AStoredPositionBeyondALostEndGoesOnWithTheNextSegment) {
  TempDir dir;
  { ASSERT_TRUE((*OpenPredictionWriter(dir.path()))->Append(Batch(0, 10))); }
  LogPosition position;
  ASSERT_TRUE(ReadPredictions(dir.path(), position, [](const Prediction&) { return true; }));
  // The power cut took the last records.
  fs::resize_file(dir.path() / "00000001.rpl", position.offset - 900);
  { ASSERT_TRUE((*OpenPredictionWriter(dir.path()))->Append(Batch(50, 60))); }
  std::vector<std::string> ids;
  ASSERT_TRUE(ReadPredictions(dir.path(), position, [&](const Prediction& p) {
    ids.push_back(p.id);
    return true;
  }));
  ASSERT_EQ(ids.size(), 10u);
  EXPECT_EQ(ids.front(), Make(50).id);
}

TEST(PredictionLog, DamageInTheMiddleLosesOnlyThatRecord) {
  TempDir dir;
  { ASSERT_TRUE((*OpenPredictionWriter(dir.path()))->Append(Batch(0, 10))); }
  const fs::path file = dir.path() / "00000001.rpl";
  LogPosition position;
  ASSERT_TRUE(ReadPredictions(dir.path(), position, [](const Prediction&) { return false; }));
  Scribble(file, position.offset + 40, "\xff\xff");  // inside the second record
  { ASSERT_TRUE((*OpenPredictionWriter(dir.path()))->Append(Batch(10, 12))); }
  const auto rows = ReadAll(dir.path());
  ASSERT_EQ(rows.size(), 11u);
  ExpectSame(rows[0], Make(0));
  ExpectSame(rows[1], Make(2));
  EXPECT_TRUE(FindPrediction(dir.path(), Make(9).id));
  EXPECT_EQ(FindPrediction(dir.path(), Make(1).id).error().code, Code::kNotFound);
}

TEST(PredictionLog, ABrokenLengthLosesTheRestOfTheSegmentOnly) {
  TempDir dir;
  { ASSERT_TRUE((*OpenPredictionWriter(dir.path()))->Append(Batch(0, 10))); }
  { ASSERT_TRUE((*OpenPredictionWriter(dir.path()))->Append(Batch(10, 20))); }
  LogPosition position;
  ASSERT_TRUE(ReadPredictions(dir.path(), position, [](const Prediction&) { return false; }));
  Scribble(dir.path() / "00000001.rpl", position.offset, std::string_view("\xff\xff\xff\xff", 4));
  const auto rows = ReadAll(dir.path());
  ASSERT_EQ(rows.size(), 11u);
  ExpectSame(rows[1], Make(10));
  // The index still reaches what a scan can't.
  EXPECT_TRUE(FindPrediction(dir.path(), Make(9).id));
}

TEST(PredictionLog, AFullDiskIsReportedAndNothingHalfStays) {
  TempDir dir;
  auto writer = OpenPredictionWriter(dir.path());
  ASSERT_TRUE((*writer)->Append(Batch(0, 20)));
  // A file size limit is how a process meets a write that can't be finished.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = fs::file_size(dir.path() / "00000001.rpl") + 100;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  const Status full = (*writer)->Append(Batch(500, 520));
  setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::kEnvironment);
  ExpectRows(dir.path(), 20);
  ASSERT_TRUE((*writer)->Append(Batch(20, 40))) << "when there is room again, writing goes on";
  ExpectRows(dir.path(), 40);
  writer->reset();
  EXPECT_TRUE(OpenPredictionWriter(dir.path()));
  ExpectRows(dir.path(), 40);
}

TEST(PredictionLog, ARecordOverTheLimitIsLeftOut) {
  TempDir dir;
  auto writer = OpenPredictionWriter(dir.path());
  Prediction big = Make(1);
  big.texts = {std::string(40u << 20, 'x')};
  std::vector<Prediction> batch = {Make(0), big};
  EXPECT_EQ((*writer)->Append(batch).error().code, Code::kTooLarge);
  ASSERT_TRUE((*writer)->Append({Make(1)}));
  ExpectRows(dir.path(), 2);
}

/// Not a test of its own: the child process that the next test kills.
TEST(PredictionLogChild, WritesUntilKilled) {
  const char* folder = std::getenv("RONDO_TEST_LOG_CHILD");
  if (!folder) GTEST_SKIP() << "run by PredictionLog.Kill9LosesNothingThatWasWritten";
  auto writer = OpenPredictionWriter(folder, {.segment_bytes = 200'000});
  ASSERT_TRUE(writer);
  LogPosition position;
  uint64_t next = ReadAll(folder).size();
  while (true) {
    ASSERT_TRUE((*writer)->Append(Batch(next, next + 7)));
    next += 7;
    // Told to the parent only after the append: the number that must survive.
    ASSERT_TRUE(WriteFileAtomic(fs::path(folder) / "written", std::to_string(next)));
  }
}

TEST(PredictionLog, Kill9LosesNothingThatWasWritten) {
  TempDir dir;
  Random random(4);
  for (int round = 0; round < 6; ++round) {
    SpawnRequest request;
    request.argv = {SelfPath().string(), "--gtest_filter=PredictionLogChild.*"};
    request.extra_env = {{"RONDO_TEST_LOG_CHILD", dir.path().string()}};
    request.output = dir.path() / "child.out";
    auto child = Process::Spawn(request);
    ASSERT_TRUE(child);
    const auto before = ReadFile(dir.path() / "written");
    for (int i = 0; i < 5000; ++i) {
      const auto now = ReadFile(dir.path() / "written");
      if (now && (!before || *now != *before)) break;
      ::usleep(1000);
    }
    ::usleep(static_cast<useconds_t>(random.Below(30'000)));
    child->Signal(SIGKILL);
    ASSERT_TRUE(child->Wait(10'000));
    const auto acknowledged = ReadFile(dir.path() / "written");
    ASSERT_TRUE(acknowledged) << *ReadFile(dir.path() / "child.out");
    const auto rows = ReadAll(dir.path());
    ASSERT_GE(rows.size(), static_cast<size_t>(std::atoll(acknowledged->c_str())));
    for (size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i].id, Make(i).id);
  }
}

}  // namespace
}  // namespace rondo::data
