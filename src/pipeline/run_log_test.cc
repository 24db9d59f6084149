// The run log against damage, imports, conditions, DVC's run keys.
#include "pipeline/run_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "pipeline/condition.h"
#include "pipeline/dvc_runs.h"
#include "pipeline/executor.h"
#include "pipeline/python_code.h"
#include "pipeline/state.h"
#include "project/reader.h"

namespace rondo::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

LockedStage Entry(const std::string& cmd) {
  LockedStage s;
  s.cmd = cmd;
  s.outs = {{"o", {true, std::string(32, 'a'), 3, -1}}};
  return s;
}

std::string Written(const TempDir& dir) {
  const fs::path file = dir.path() / "journal";
  auto log = *RunLog::Create(file);
  EXPECT_TRUE(log.Begin("r1", 4, 10));
  EXPECT_TRUE(log.Intent("a", "r1/a/1/4", 11));
  const LockedStage a = Entry("make a"), b = Entry("make b");
  EXPECT_TRUE(log.Done("a", "r1/a/1/4", "succeeded", &a, 12));
  EXPECT_TRUE(log.Kept());
  EXPECT_TRUE(log.Intent("b", "r1/b/1/4", 13));
  EXPECT_TRUE(log.Done("b", "r1/b/1/4", "succeeded", &b, 14));
  EXPECT_TRUE(log.Intent("c", "r1/c/1/4", 15));
  return *ReadFile(file);
}

TEST(RunLog, SaysWhatWasDoneSinceTheLockWasWrittenAndWhatIsOpen) {
  TempDir dir;
  const auto state = *ParseRunLog(Written(dir));
  EXPECT_EQ(state.run, "r1");
  EXPECT_EQ(state.epoch, 4);
  EXPECT_FALSE(state.cut);
  EXPECT_FALSE(state.ended);
  EXPECT_EQ(state.published, 2);
  ASSERT_EQ(state.results.size(), 1u);
  EXPECT_EQ(state.results[0].first, "b");
  EXPECT_EQ(state.results[0].second.cmd, "make b");
  EXPECT_THAT(state.open, ElementsAre(std::pair<std::string, std::string>("c", "r1/c/1/4")));
}

TEST(RunLog, EveryPrefixAndEveryFlippedBitIsReadAsFarAsItIsWhole) {
  TempDir dir;
  const std::string bytes = Written(dir);
  int64_t last = 0;
  for (size_t n = 0; n <= bytes.size(); ++n) {
    auto state = ParseRunLog(std::string_view(bytes).substr(0, n));
    if (n < 10) {
      EXPECT_FALSE(state);
      continue;
    }
    ASSERT_TRUE(state);
    EXPECT_GE(state->published, last);
    last = state->published;
  }
  EXPECT_EQ(last, 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
    auto state = ParseRunLog(flipped);
    if (!state) continue;
    EXPECT_LE(state->published, 2);
    for (const auto& [stage, entry] : state->results) EXPECT_EQ(entry.cmd, "make " + stage);
  }
}

TEST(LockFile, TheFastReaderAgreesWithTheYamlParserOrStepsAside) {
  Lock lock;
  LockedStage s;
  s.cmd = "python train.py --name 'x y'";
  s.deps = {{"a b.txt", {true, "12345678901234567890123456789012", 7, -1}}, {"dir", {true, std::string(32, 'b') + ".dir", 9, 3}}, {"optional", {}}};
  s.outs = {{"o'x", {true, std::string(32, 'c'), 1, -1}}};
  s.params = {{"lr", Json(0.001)}, {"n", Json(3)}, {"flag", Json(true)}, {"word", Json("true")}, {"empty", Json("")}, {"params.yaml:neg", Json(-2)}, {"params.yaml:text", Json("it's: so")}};
  s.externals = {{"champion", "m/1 abc"}, {"env SEED", "7"}};
  lock["train"] = s;
  lock["t@2.5-x/y"] = s;
  const std::string text = LockText(lock);
  const auto fast = ParseLockFast(text);
  ASSERT_TRUE(fast) << text;
  EXPECT_EQ(LockText(*fast), text);
  EXPECT_EQ(LockText(*ParseLock("# a comment\n" + text, "rondo.lock")), text) << "the slow way";
  EXPECT_EQ(fast->at("train").params.size(), 7u);
  for (const std::string& other : {text.substr(0, text.size() - 1), text.substr(0, 9), std::string("schema: '2.0'\nstages:\n  a:\n    cmd: |\n      x\n"),
                                   std::string("schema: '2.0'\nstages:\n  a:\n    cmd: x\n      y\n"), std::string("schema: '2.0'\nstages:\n  a:\n    cmd: x\n  a:\n    cmd: y\n")})
    EXPECT_FALSE(ParseLockFast(other)) << other;
}

TEST(PythonCode, FollowsImportsInsideTheProject) {
  TempDir dir;
  const auto put = [&](const std::string& name, const std::string& text) { ASSERT_TRUE(WriteFileAtomic(dir.path() / name, text)); };
  put("train.py", "import os, helpers as h\nfrom pkg.models import (net,\n  loss)\n\"\"\"import fake\"\"\"\nx = 'import fake'\n# import fake\n");
  put("helpers.py", "import common\n");
  put("common.py", "");
  put("fake.py", "");
  put("pkg/__init__.py", "");
  put("pkg/models/__init__.py", "from . import net\n");
  put("pkg/models/net.py", "from ..util import f\n");
  put("pkg/models/loss.py", "import helpers\n");
  put("pkg/util.py", "");
  PythonCode code(dir.path());
  EXPECT_THAT(code.Closure("train.py", ""), ElementsAre("common.py", "helpers.py", "pkg/__init__.py", "pkg/models/__init__.py", "pkg/models/loss.py", "pkg/models/net.py", "pkg/util.py"));
  EXPECT_THAT(code.Closure("-m pkg.util", ""), ElementsAre("pkg/__init__.py", "pkg/util.py"));
  EXPECT_EQ(PythonFile("python3 -u src/train.py --x"), "src/train.py");
  EXPECT_EQ(PythonFile("OMP=1 .venv/bin/python3.11 -m pkg.train"), "-m pkg.train");
  EXPECT_EQ(PythonFile("python -c 'import x'"), "");
  EXPECT_EQ(PythonFile("cat train.py"), "");
}

TEST(Conditions, OnParamsAndFiles) {
  TempDir dir;
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "m.json", R"({"test": {"auc": 0.83}, "n": [1, 2]})"));
  const Json config = *ParseJson(R"({"train": {"on": true, "name": "big"}, "seed": 7})");
  const auto holds = [&](const std::string& c) { return Holds(c, config, dir.path()).value_or(false); };
  for (const char* yes : {"train.on", "seed == 7", "seed >= 6.5", "train.name == big", "train.name != 'small'", "m.json:test.auc >= 0.8", "m.json:n.1 == 2", "exists m.json", "not exists x", "not gone.json:a", "not train.off"})
    EXPECT_TRUE(holds(yes)) << yes;
  for (const char* no : {"not train.on", "seed < 7", "m.json:test.auc > 0.83", "m.json:nope", "gone.json:a == 1", "exists x", "train.off"}) EXPECT_FALSE(holds(no)) << no;
  EXPECT_THAT(ConditionFiles("not out/m.json:a.b >= 3"), ElementsAre("out/m.json"));
}

TEST(PlainWords, WhatNeedsNoShell) {
  EXPECT_THAT(PlainWords("python train.py --lr=0.1"), ElementsAre("python", "train.py", "--lr=0.1"));
  for (const char* shell : {"echo x", "cd a", "A=1 x", "x > y", "x 'a'", "x $A", "x ~", "x *", "x; y", "x & y", "", "true"}) EXPECT_THAT(PlainWords(shell), IsEmpty()) << shell;
}

// hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest() of Python 3.11 for the same entry.
TEST(DvcRuns, KeysArePythons) {
  EXPECT_EQ(PythonJson(*ParseJson(R"({"b": [1.0, 1e-05, 1e16, 0.1, true, null], "a": "é\n\"\u0001😀"})")), R"({"a": "\u00e9\n\"\u0001\ud83d\ude00", "b": [1.0, 1e-05, 1e+16, 0.1, true, null]})");
  StageNode node;
  node.builtin = false;
  node.outs = {{"out.txt", true, false}};
  LockedStage s;
  s.cmd = "cat in.txt > out.txt";
  s.deps = {{"in.txt", {true, "acbd18db4cc2f85cedef654fccc4a4d8", 3, -1}}};
  EXPECT_EQ(DvcRunKey(node, s), Sha256Hex(R"({"cmd": "cat in.txt > out.txt", "deps": [{"hash": "md5", "md5": "acbd18db4cc2f85cedef654fccc4a4d8", "path": "in.txt"}], "outs": ["out.txt"]})"));
  s.externals["env A"] = "1";
  EXPECT_EQ(DvcRunKey(node, s), "") << "DVC has no words for it";
}

TEST(Secrets, AreMaskedInLogs) {
  TempDir dir;
  const fs::path log = dir.path() / "l";
  ASSERT_TRUE(WriteFileAtomic(log, "token=hunter22 and hunter22\n"));
  MaskSecrets(log, {"hunter22", "x"});
  EXPECT_EQ(*ReadFile(log), "token=*** and ***\n");
}

}  // namespace
}  // namespace rondo::pipeline
