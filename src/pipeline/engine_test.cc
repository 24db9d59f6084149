#include "pipeline/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "pipeline/lock.h"
#include "project/reader.h"

namespace rondo::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kYaml = R"(project: m
problem: {task: binary, target: y, positive: "1", success: [auc >= champion - 0.01]}
data: {d: {from: d.csv}}
train: {params: {rounds: 5}}
deploy: {endpoint: m}
)";

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Put("rondo.yaml", kYaml);
    Put("d.csv", "a,y\n1,1\n");
  }
  fs::path Path(const std::string& name) const { return dir_.path() / name; }
  void Put(const std::string& name, const std::string& text) { ASSERT_TRUE(WriteFileAtomic(Path(name), text)); }
  std::string Get(const std::string& name) const { return ReadFile(Path(name)).value_or("(missing)"); }
  Result<std::unique_ptr<Engine>> Open(const std::vector<std::string>& set = {}) {
    project::LoadOptions load;
    load.set = set;
    RONDO_TRY(project::Project project, project::LoadProject(Path("rondo.yaml"), load));
    return Engine::Open(std::move(project), dir_.path(), Path(".rondo"));
  }
  RunSummary Run(const std::vector<std::string>& set = {}, RunOptions options = {}) {
    auto engine = Open(set);
    EXPECT_TRUE(engine) << (engine ? "" : engine.error().Text());
    if (!engine) return {};
    auto run = (*engine)->Run(options);
    EXPECT_TRUE(run) << (run ? "" : run.error().Text());
    return run ? std::move(*run) : RunSummary{};
  }
  static std::vector<std::string> With(const RunSummary& run, const std::string& status) {
    std::vector<std::string> out;
    for (const StageRecord& s : run.stages)
      if (s.status == status) out.push_back(s.name);
    return out;
  }
  /// "ingest:run check:skip ..."
  std::string Plan(const std::vector<std::string>& set = {}) {
    auto engine = Open(set);
    auto plan = (*engine)->Plan({});
    EXPECT_TRUE(plan) << (plan ? "" : plan.error().Text());
    std::string out;
    if (plan)
      for (const PlannedStage& s : *plan) out += (out.empty() ? "" : " ") + s.name + ":" + s.action;
    return out;
  }
  TempDir dir_;
};

TEST_F(EngineTest, FirstRunsAllThenNothing) {
  const auto first = Run();
  EXPECT_EQ(first.status, "succeeded") << first.error.Text();
  EXPECT_THAT(With(first, "succeeded"), ElementsAre("ingest", "check", "profile", "split", "prepare", "train", "evaluate", "register", "deploy"));
  const std::string calls = Get("calls"), lock = Get("rondo.lock");
  const auto second = Run();
  EXPECT_EQ(With(second, "skipped").size(), 9u);
  EXPECT_TRUE(second.run_id.empty());
  EXPECT_EQ(Get("calls"), calls);
  EXPECT_EQ(Get("rondo.lock"), lock);
  Put("rondo.yaml", std::string("# a comment\n") + kYaml);
  EXPECT_EQ(With(Run(), "skipped").size(), 9u);
}

TEST_F(EngineTest, AChangedParamRunsWhatDependsOnItAndTheOldOneIsRestored) {
  Run();
  Put("calls", "");
  EXPECT_EQ(Plan({"train.params.rounds=6"}), "ingest:skip check:skip profile:skip split:skip prepare:skip train:run evaluate:run register:run deploy:run");
  const auto changed = Run({"train.params.rounds=6"});
  EXPECT_EQ(Get("calls"), "train\nevaluate\nregister\ndeploy\n");
  ASSERT_EQ(changed.stages[5].why.size(), 1u);
  EXPECT_EQ(changed.stages[5].why[0].what, "param train.params.rounds");
  EXPECT_EQ(changed.stages[5].why[0].before, "5");
  EXPECT_EQ(changed.stages[5].why[0].after, "6");
  Put("calls", "");
  const auto back = Run();
  EXPECT_THAT(With(back, "restored"), ElementsAre("train", "evaluate"));
  EXPECT_EQ(Get("calls"), "register\ndeploy\n");
  EXPECT_THAT(Get("out/model/model.onnx"), HasSubstr("\"rounds\":5"));
}

TEST_F(EngineTest, AnUnchangedOutputStopsTheChange) {
  Run();
  Put("calls", "");
  Put("d.csv", "# only a comment\na,y\n1,1\n");
  const auto run = Run();
  EXPECT_THAT(With(run, "succeeded"), ElementsAre("ingest"));
  EXPECT_EQ(Get("calls"), "ingest\n");
}

TEST_F(EngineTest, LostOutputsComeBackFromTheCache) {
  Run();
  Put("calls", "");
  ASSERT_TRUE(RemoveAll(Path("out/split")));
  ASSERT_TRUE(RemoveAll(Path("out/model")));
  Put("out/metrics.json", "edited by hand");
  EXPECT_EQ(Plan(), "ingest:skip check:skip profile:skip split:restore prepare:skip train:restore evaluate:restore register:skip deploy:skip");
  EXPECT_THAT(With(Run(), "restored"), ElementsAre("split", "train", "evaluate"));
  EXPECT_EQ(Get("calls"), "");
  EXPECT_THAT(Get("out/metrics.json"), HasSubstr("eval model"));
}

TEST_F(EngineTest, ADamagedObjectIsMadeAgain) {
  Run();
  const std::string md5 = Md5Hex(Get("out/prepare/features.json"));
  const fs::path object = Path(".rondo/cache/files/md5/" + md5.substr(0, 2) + "/" + md5.substr(2));
  fs::permissions(object, fs::perms::owner_all);
  Put(object.lexically_relative(dir_.path()).string(), "flipped");
  ASSERT_TRUE(RemoveAll(Path("out/prepare")));
  Put("calls", "");
  const auto run = Run();
  EXPECT_EQ(run.status, "succeeded") << run.error.Text();
  EXPECT_EQ(Get("calls"), "prepare\n");
}

TEST_F(EngineTest, AFailedGateKeepsTheReportAndStopsWhatFollows) {
  Run();
  const auto run = Run({"train.params.rounds=7"});
  EXPECT_EQ(run.status, "failed");
  EXPECT_EQ(run.error.code, Code::kFailedCheck);
  EXPECT_THAT(run.error.message, HasSubstr("auc >= 0.9"));
  EXPECT_THAT(With(run, "failed"), ElementsAre("evaluate"));
  EXPECT_THAT(With(run, "cancelled"), ElementsAre("register", "deploy"));
  EXPECT_THAT(Get("out/metrics.json"), HasSubstr("\"rounds\":7"));
  // It is not taken for done.
  EXPECT_EQ(Run({"train.params.rounds=7"}).status, "failed");
}

TEST_F(EngineTest, AFailedContractStopsTheRun) {
  Put("d.csv", "a,y\nBAD,1\n");
  const auto run = Run();
  EXPECT_EQ(run.status, "failed");
  EXPECT_THAT(run.error.message, HasSubstr("the contract failed: BAD"));
  EXPECT_THAT(Get("out/check/d.json"), HasSubstr("BAD"));
  EXPECT_EQ(Get("out/split/train.parquet"), "(missing)");
}

TEST_F(EngineTest, AStageThatBreaksLeavesTheOldOutputs) {
  Run();
  const std::string model = Get("out/model/model.onnx");
  const auto run = Run({"train.params.rounds=13"});
  EXPECT_EQ(run.status, "failed");
  EXPECT_EQ(Get("out/model/model.onnx"), model);
  EXPECT_EQ(With(Run(), "skipped").size(), 9u);
}

TEST_F(EngineTest, AnotherWorkspaceRegistersAgain) {
  Run();
  Put("calls", "");
  ASSERT_TRUE(RemoveAll(Path(".rondo")));
  const auto run = Run();
  EXPECT_EQ(run.status, "succeeded") << run.error.Text();
  // The profile and the registration have no order between them.
  EXPECT_THAT(Get("calls"), ::testing::AnyOf("check\nprofile\nregister\ndeploy\n", "check\nregister\nprofile\ndeploy\n", "check\nregister\ndeploy\nprofile\n"));
}

TEST_F(EngineTest, OnlyAnotherChampionMakesTheVerdictStale) {
  Run();
  {
    auto w = *workspace::Workspace::Open(Path(".rondo"));
    ASSERT_TRUE(w->registry().SetAlias("m", "champion", 1, "t", ""));
  }
  EXPECT_EQ(With(Run(), "skipped").size(), 9u) << "the champion is this very model";
  Put("calls", "");
  Run({"train.params.rounds=6"});
  EXPECT_THAT(Get("calls"), HasSubstr("evaluate"));
  EXPECT_EQ(With(Run({"train.params.rounds=6"}), "skipped").size(), 9u);
  {
    auto w = *workspace::Workspace::Open(Path(".rondo"));
    registry::Version v;
    v.name = "m";
    v.digest = std::string(64, 'a');
    v.facts = Json::MakeObject();
    ASSERT_TRUE(w->registry().SetAlias("m", "champion", w->registry().CreateVersion(v)->version, "t", ""));
  }
  Put("calls", "");
  Run({"train.params.rounds=6"});
  EXPECT_THAT(Get("calls"), HasSubstr("evaluate"));
}

TEST_F(EngineTest, ForceAndTargets) {
  Run();
  Put("calls", "");
  RunOptions options;
  options.targets = {"prepare"};
  options.force = true;
  const auto run = Run({}, options);
  EXPECT_EQ(Get("calls"), "prepare\n");
  EXPECT_EQ(run.stages.size(), 4u) << "what it needs, and nothing behind it";
  auto engine = *Open();
  options.targets = {"trian"};
  auto wrong = engine->Run(options);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().hint, HasSubstr("did you mean train"));
}

TEST_F(EngineTest, AMissingSourceIsNamed) {
  ASSERT_TRUE(RemoveAll(Path("d.csv")));
  const auto run = Run();
  EXPECT_EQ(run.status, "failed");
  EXPECT_EQ(run.error.code, Code::kFailedCheck);
  EXPECT_THAT(run.error.message, HasSubstr("d.csv"));
}

TEST_F(EngineTest, OwnCodeReplacesAStageAndTheLoopStays) {
  Put("rondo.yaml", std::string(kYaml) + R"(stages:
  train:
    cmd: test -f "$RONDO_IN_TRAIN" && test -f "$RONDO_IN_VALIDATION" && test -f "$RONDO_IN_TEST" && test -f "$RONDO_IN_FEATURES" && test -n "$MLFLOW_RUN_ID" && test -f "$RONDO_CONFIG" && cp own.txt "$RONDO_OUT_MODEL/model.onnx"
    deps: [own.txt]
)");
  Put("own.txt", "my model");
  const auto run = Run();
  EXPECT_EQ(run.status, "succeeded") << run.error.Text();
  EXPECT_EQ(Get("out/model/model.onnx"), "my model");
  EXPECT_EQ(Get("out/model/signature.json"), "adopted");
  EXPECT_EQ(With(Run(), "skipped").size(), 9u);
  Put("own.txt", "a better one");
  Put("calls", "");
  Run();
  EXPECT_EQ(Get("calls"), "adopt-model\nevaluate\nregister\ndeploy\n");
}

TEST_F(EngineTest, TheJournalTellsWhatHappened) {
  Run();
  Run({"train.params.rounds=7"});
  auto w = *workspace::Workspace::Open(Path(".rondo"));
  auto journal = *Journal::Open(w->db(), w->clock());
  const auto runs = *journal.Runs(10);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].status, "failed");
  EXPECT_EQ(runs[1].status, "succeeded");
  EXPECT_EQ(runs[1].stages.size(), 9u);
  EXPECT_EQ(runs[1].stages[5].summary, "trained");
  EXPECT_EQ(*runs[1].stages[5].exit_code, 0);
  EXPECT_FALSE(runs[1].mlflow_run.empty());
  EXPECT_EQ(w->tracking().GetRun(runs[1].mlflow_run)->status, "FINISHED");
  EXPECT_EQ(w->tracking().GetRun(runs[0].mlflow_run)->status, "FAILED");
  EXPECT_THAT(*ReadFile(w->folder() / runs[1].stages[5].log), HasSubstr("summary=trained"));
  EXPECT_THAT(*journal.Config(runs[0].id), HasSubstr("\"rounds\": 7"));
}

// Stages of the user only.

TEST_F(EngineTest, IndependentStagesRunAtTheSameTime) {
  // Each waits for the other: only together can they end.
  Put("rondo.yaml", R"(project: t
stages:
  a: {cmd: "touch a.here; for i in $(seq 200); do test -f b.here && exec touch a.out; sleep 0.02; done; exit 1", outs: [a.out]}
  b: {cmd: "touch b.here; for i in $(seq 200); do test -f a.here && exec touch b.out; sleep 0.02; done; exit 1", outs: [b.out]}
  c: {cmd: "cat a.out b.out > c.out", deps: [a.out, b.out], outs: [c.out]}
)");
  RunOptions options;
  options.jobs = 2;
  EXPECT_EQ(Run({}, options).status, "succeeded");
}

TEST_F(EngineTest, AStageThatAsksForMoreCoresRunsAlone) {
  Put("rondo.yaml", R"(project: t
stages:
  a: {cmd: "mkdir lock && sleep 0.05 && rmdir lock && touch a.out", outs: [a.out], resources: {cpu: 2}}
  b: {cmd: "mkdir lock && sleep 0.05 && rmdir lock && touch b.out", outs: [b.out], resources: {cpu: 2}}
)");
  RunOptions options;
  options.jobs = 2;
  EXPECT_EQ(Run({}, options).status, "succeeded");
}

TEST_F(EngineTest, RetriesUntilItWorks) {
  Put("rondo.yaml", "project: t\nstages: {a: {cmd: \"echo x >>tries; test $(wc -l <tries) = 3 && touch out.txt\", outs: [out.txt], retry: {attempts: 4, backoff: 1ms}}}\n");
  const auto run = Run();
  EXPECT_EQ(run.status, "succeeded");
  EXPECT_EQ(run.stages[0].attempts, 3);
}

TEST_F(EngineTest, TimeoutsAndCancelsEndTheWholeGroup) {
  Put("rondo.yaml", "project: t\nstages: {a: {cmd: \"sleep 60 & echo $! >pid; wait\", outs: [o], timeout: 300ms}}\n");
  const auto run = Run();
  EXPECT_EQ(run.status, "failed");
  EXPECT_THAT(run.error.message, HasSubstr("longer than 300 ms"));
  const int pid = std::atoi(Get("pid").c_str());
  ASSERT_GT(pid, 0);
  for (int i = 0; i < 100 && ::kill(pid, 0) == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_NE(::kill(pid, 0), 0);
  Put("rondo.yaml", "project: t\nstages: {a: {cmd: \"sleep 60\", outs: [o]}, b: {cmd: x, deps: [o], outs: [p]}}\n");
  std::atomic<bool> cancel{false};
  RunOptions options;
  options.cancel = &cancel;
  options.on_stage = [&](const StageRecord& s) {
    if (s.status == "running") cancel = true;
  };
  const auto cancelled = Run({}, options);
  EXPECT_EQ(cancelled.status, "cancelled");
  EXPECT_THAT(With(cancelled, "cancelled"), ElementsAre("a", "b"));
}

TEST_F(EngineTest, SeveralLinesStopAtTheFirstThatFails) {
  Put("rondo.yaml", "project: t\nstages: {a: {cmd: [\"false\", touch o], outs: [o]}}\n");
  EXPECT_EQ(Run().status, "failed");
  EXPECT_EQ(Get("o"), "(missing)");
}

TEST_F(EngineTest, UserMistakesAreNamed) {
  const auto error = [&](const std::string& stages) {
    Put("rondo.yaml", "project: t\nstages: " + stages + "\n");
    auto engine = Open();
    if (!engine) return engine.error().Text();
    auto run = (*engine)->Run({});
    return run ? run->error.Text() : run.error().Text();
  };
  EXPECT_THAT(error("{a: {cmd: x, deps: [b.txt], outs: [a.txt]}, b: {cmd: x, deps: [a.txt], outs: [b.txt]}}"), HasSubstr("cycle: a → b → a"));
  EXPECT_THAT(error("{a: {cmd: x, deps: [o], outs: [o]}}"), ::testing::Not(IsEmpty()));
  EXPECT_THAT(error("{a: {cmd: x, outs: [o]}, b: {cmd: x, outs: [o/p]}}"), HasSubstr("both write \"o/p\""));
  EXPECT_THAT(error("{a: {cmd: \"true\", outs: [o]}}"), HasSubstr("did not make \"o\""));
  EXPECT_THAT(error("{a: {cmd: \"true\", deps: [nowhere.txt], outs: [o]}}"), HasSubstr("nowhere.txt"));
  EXPECT_THAT(error("{a: {cmd: \"echo out >&2; exit 7\", outs: [o]}}"), ::testing::AllOf(HasSubstr("exit code 7"), HasSubstr("out")));
  EXPECT_THAT(error("{a: {cmd: \"true\", wdir: nowhere, outs: [o]}}"), HasSubstr("nowhere"));
  EXPECT_THAT(error("{a: {cmd: \"true\", params: [nope], deps: [rondo.yaml]}}"), HasSubstr("nope"));
}

TEST_F(EngineTest, ABrokenLockSaysWhatToDo) {
  Put("rondo.lock", "");
  Put("rondo.yaml", "project: t\nstages: {a: {cmd: touch o, outs: [o]}}\n");
  auto engine = *Open();
  auto run = engine->Run({});
  ASSERT_FALSE(run) << "a truncated lock must not pass for an empty one";
  EXPECT_THAT(run.error().Text(), HasSubstr("rondo.lock"));
}

TEST_F(EngineTest, TwoEnginesExcludeEachOther) {
  Put("rondo.yaml", "project: t\nstages: {a: {cmd: touch o, outs: [o]}}\n");
  auto held = FileLock::TryLock(Path(".rondo/engine.lock"));
  ASSERT_TRUE(held);
  auto engine = *Open();
  auto run = engine->Run({});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, Code::kConflict);
  EXPECT_THAT(run.error().message, HasSubstr(std::to_string(::getpid())));
}

TEST_F(EngineTest, AKilledEngineLeavesNothingBehind) {
  Put("rondo.yaml", R"(project: t
stages:
  a: {cmd: "echo 1 >a.out", outs: [a.out]}
  b: {cmd: "test -f go || { sleep 60 & echo $! >pid.tmp; mv pid.tmp pid; wait; }; echo 2 >b.out", deps: [a.out], outs: [b.out]}
)");
  {
    auto child = Process::Spawn({{SelfPath().string(), "engine-run"}, {}, dir_.path(), Path("log")});
    ASSERT_TRUE(child);
    for (int i = 0; i < 500 && !fs::exists(Path("pid")); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ASSERT_TRUE(fs::exists(Path("pid"))) << Get("log");
    ::kill(child->pid(), SIGKILL);
    (void)child->Wait();
  }
  const int pid = std::atoi(Get("pid").c_str());
  EXPECT_EQ(::kill(pid, 0), 0) << "the user's process outlives a killed engine: the next run must end it";
  Put("go", "");
  const auto run = Run();
  EXPECT_EQ(run.status, "succeeded") << run.error.Text();
  EXPECT_THAT(With(run, "skipped"), ElementsAre("a"));
  for (int i = 0; i < 100 && ::kill(pid, 0) == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_NE(::kill(pid, 0), 0);
  auto w = *workspace::Workspace::Open(Path(".rondo"));
  const auto runs = *Journal::Open(w->db(), w->clock())->Runs(10);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[1].status, "failed");
  EXPECT_THAT(runs[1].error, HasSubstr("interrupted"));
}

TEST_F(EngineTest, ARepositoryOfDvcIsUpToDate) {
  ASSERT_TRUE(RemoveAll(Path("rondo.yaml")));
  Put("dvc.yaml", R"(stages:
  prep:
    cmd: mkdir -p data && cp raw.txt data/a.txt && cp raw.txt data/b.txt
    deps: [raw.txt]
    outs: [data]
  train:
    cmd: cat data/a.txt data/b.txt > model.txt && echo '{"acc":1}' > m.json
    deps: [data]
    params: [lr, layers, model.depth]
    outs: [model.txt]
    metrics:
    - m.json:
        cache: false
)");
  // Written by DVC 3.67.1 (dvc repro) for these very files.
  const std::string lock = R"(schema: '2.0'
stages:
  prep:
    cmd: mkdir -p data && cp raw.txt data/a.txt && cp raw.txt data/b.txt
    deps:
    - path: raw.txt
      hash: md5
      md5: 8a9d9e624359c683c8d4e08139b7eac0
      size: 9
    outs:
    - path: data
      hash: md5
      md5: bd0f1228dbc80c0a76b6f7f5f6895774.dir
      size: 18
      nfiles: 2
  train:
    cmd: cat data/a.txt data/b.txt > model.txt && echo '{"acc":1}' > m.json
    deps:
    - path: data
      hash: md5
      md5: bd0f1228dbc80c0a76b6f7f5f6895774.dir
      size: 18
      nfiles: 2
    params:
      params.yaml:
        layers:
        - 1
        - 2
        lr: 0.1
        model.depth: 3
    outs:
    - path: m.json
      hash: md5
      md5: 28e1087a118e94a5cef90f2dde10d7f0
      size: 10
    - path: model.txt
      hash: md5
      md5: eb9ea3f1fb41487b85061ab6e2714a0c
      size: 18
)";
  Put("dvc.lock", lock);
  Put("params.yaml", "lr: 0.1\nlayers: [1, 2]\nmodel: {depth: 3}\n");
  Put("raw.txt", "raw data\n");
  Put("data/a.txt", "raw data\n");
  Put("data/b.txt", "raw data\n");
  Put("model.txt", "raw data\nraw data\n");
  Put("m.json", "{\"acc\":1}\n");
  EXPECT_EQ(With(Run(), "skipped").size(), 2u);
  Put("params.yaml", "lr: 0.2\nlayers: [1, 2]\nmodel: {depth: 3}\n");
  const auto run = Run();
  EXPECT_THAT(With(run, "succeeded"), ElementsAre("train"));
  EXPECT_EQ(run.stages[1].why.at(0).what, "param params.yaml:lr");
  // From nothing, our lock is DVC's, byte for byte.
  Put("params.yaml", "lr: 0.1\nlayers: [1, 2]\nmodel: {depth: 3}\n");
  for (const char* made : {"dvc.lock", "data", "model.txt", "m.json", ".rondo"}) ASSERT_TRUE(RemoveAll(Path(made)));
  EXPECT_EQ(Run().status, "succeeded");
  EXPECT_EQ(Get("dvc.lock"), lock);
}

TEST(Lock, RoundTripsAndIsDeterministic) {
  Lock lock;
  LockedStage& s = lock["b"];
  s.cmd = "python train.py --name 'it''s' # x";
  s.deps = {{"z", {true, "25fa883301269926db3f279ae75cb673.dir", 4, 1}}, {"a b", {true, "12345678901234567890123456789012", 3, -1}}, {"optional", {}}};
  s.params = {{"train.params", Json::MakeObject()}, {"x", Json("yes")}, {"y", Json(0.1)}, {"n", Json()}, {"list", *ParseJson("[1,\"a\"]")}};
  s.externals = {{"champion", "m/1 abc"}};
  lock["a"].cmd = "two\nlines";
  const std::string text = LockText(lock);
  auto again = ParseLock(text, "rondo.lock");
  ASSERT_TRUE(again) << again.error().message << text;
  EXPECT_EQ(LockText(*again), text);
  EXPECT_EQ((*again)["b"].externals, s.externals);
  EXPECT_TRUE(text.starts_with("schema: '2.0'\nstages:\n  a:\n"));
}

}  // namespace
}  // namespace rondo::pipeline
