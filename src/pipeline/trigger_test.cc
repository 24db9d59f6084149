#include "pipeline/trigger.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "project/reader.h"

namespace rondo::pipeline {
namespace {

constexpr const char* kYaml = R"(project: t
data: {d: {from: d.csv}}
triggers:
  nightly: {cron: "0 3 * * *", catch_up: last, run: [ingest]}
  all:     {cron: "30 * * * *", catch_up: all}
  none:    {cron: "45 * * * *"}
  fresh:   {data: d, quiet: 15m}
  hook:    {webhook: "${env:RONDO_TEST_HOOK}"}
)";

class TriggerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    db_ = *db::OpenSqlite(dir_.path() / "t.db");
    project_ = *project::ParseProject(kYaml);
    ASSERT_TRUE(WriteFileAtomic(dir_.path() / "d.csv", "a\n1\n"));
    clock_.Set(*ParseTime("2026-11-25T00:00:00Z"));
    store_.emplace(*TriggerStore::Open(*db_, clock_, "t"));
  }
  Scheduler Make() { return *Scheduler::Make(project_, dir_.path(), *store_, clock_); }
  static std::vector<std::string> Causes(const std::vector<Scheduler::Due>& due) {
    std::vector<std::string> out;
    for (const auto& d : due) out.push_back(d.event.cause);
    return out;
  }
  TempDir dir_;
  FakeClock clock_;
  std::unique_ptr<db::Database> db_;
  project::Project project_;
  std::optional<TriggerStore> store_;
};

TEST_F(TriggerTest, OneCauseOneRun) {
  const auto first = *store_->Submit({"", "drift", "alarm:1", "", "", {"train"}});
  EXPECT_TRUE(first.accepted);
  for (int i = 0; i < 500; ++i) {
    const auto again = *store_->Submit({"", "drift", "alarm:1", "", "", {}});
    EXPECT_FALSE(again.accepted);
    EXPECT_EQ(again.run_id, first.run_id);
  }
  EXPECT_EQ(store_->List(10)->size(), 1u);
  const auto taken = *store_->Take();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->run_id, first.run_id);
  EXPECT_EQ(taken->stages, (std::vector<std::string>{"train"}));
  EXPECT_FALSE(*store_->Take());
}

TEST_F(TriggerTest, CooldownAndLimitHoldBack) {
  const TriggerLimits limits{3'600'000, 2, 86'400'000, "", "queue"};
  EXPECT_TRUE(store_->Submit({"", "drift", "a", "", "", {}}, limits)->accepted);
  const auto soon = *store_->Submit({"", "drift", "b", "", "", {}}, limits);
  EXPECT_FALSE(soon.accepted);
  EXPECT_NE(soon.why.find("cooldown"), std::string::npos);
  clock_.Advance(3'600'000);
  EXPECT_TRUE(store_->Submit({"", "drift", "c", "", "", {}}, limits)->accepted);
  clock_.Advance(3'600'000);
  const auto third = *store_->Submit({"", "drift", "d", "", "", {}}, limits);
  EXPECT_FALSE(third.accepted);
  EXPECT_NE(third.why.find("limit is 2"), std::string::npos) << third.why;
  EXPECT_TRUE(store_->Submit({"", "labels", "e", "", "", {}}, limits)->accepted) << "another kind has its own";
}

TEST_F(TriggerTest, WhatRanWhenTheProcessDiedRunsAgainAtMostThreeTimes) {
  const auto submitted = *store_->Submit({"", "cron", "c", "", "", {}});
  std::string last_run;
  for (int start = 1; start <= 3; ++start) {
    const auto taken = *store_->Take();
    ASSERT_TRUE(taken) << start;
    EXPECT_EQ(taken->starts, start);
    EXPECT_NE(taken->run_id, last_run) << "a run id is used once";
    last_run = taken->run_id;
    ASSERT_TRUE(store_->Recover());
  }
  EXPECT_FALSE(*store_->Take());
  EXPECT_EQ(store_->List(1)->at(0).state, "failed");
}

TEST_F(TriggerTest, CatchUpNoneLastAll) {
  auto scheduler = Make();
  EXPECT_TRUE(scheduler.Tick()->empty());
  clock_.Set(*ParseTime("2026-11-27T03:00:30Z"));  // two days asleep
  const auto causes = Causes(*scheduler.Tick());
  size_t nightly = 0, all = 0, none = 0;
  for (const auto& c : causes) {
    nightly += c.starts_with("cron:nightly:");
    all += c.starts_with("cron:all:");
    none += c.starts_with("cron:none:");
  }
  EXPECT_EQ(nightly, 1u);
  EXPECT_EQ(all, 51u);
  EXPECT_EQ(none, 0u);
  EXPECT_TRUE(scheduler.Tick()->empty());
}

TEST_F(TriggerTest, AFiringComesAgainUntilItIsKept) {
  auto scheduler = Make();
  clock_.Set(*ParseTime("2026-11-25T00:30:05Z"));
  const auto first = Causes(*scheduler.Tick());
  ASSERT_EQ(first, (std::vector<std::string>{"cron:all:2026-11-25T00:30:00.000Z"}));
  auto crashed = Make();  // the marks were not kept
  EXPECT_EQ(Causes(*crashed.Tick()), first);
  ASSERT_TRUE(crashed.Keep());
  auto later = Make();
  EXPECT_TRUE(later.Tick()->empty());
}

TEST_F(TriggerTest, DataFireOnceQuiet) {
  auto scheduler = Make();
  EXPECT_TRUE(scheduler.Tick()->empty());
  ASSERT_TRUE(WriteFileAtomic(dir_.path() / "d.csv", "a\n1\n2\n"));
  EXPECT_TRUE(scheduler.Tick()->empty());
  clock_.Advance(10 * 60'000);
  ASSERT_TRUE(WriteFileAtomic(dir_.path() / "d.csv", "a\n1\n2\n3\n"));
  EXPECT_TRUE(scheduler.Tick()->empty()) << "still being written";
  clock_.Advance(14 * 60'000);
  EXPECT_TRUE(scheduler.Tick()->empty());
  clock_.Advance(60'000);
  const auto due = *scheduler.Tick();
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].event.kind, "data");
  ASSERT_TRUE(scheduler.Keep());
  EXPECT_TRUE(scheduler.Tick()->empty());
}

TEST_F(TriggerTest, LimitsByTriggerAndConcurrency) {
  const auto submit = [&](const std::string& cause, const std::string& concurrency) { return *store_->Submit({"", "cron", cause, "", "", {}}, {0, 0, 0, "cron:a:", concurrency}); };
  EXPECT_TRUE(submit("cron:a:1", "skip").accepted);
  EXPECT_FALSE(submit("cron:a:2", "skip").accepted);
  clock_.Advance(1);
  EXPECT_TRUE(store_->Submit({"", "cron", "cron:b:1", "", "", {}}, {0, 0, 0, "cron:b:", "skip"})->accepted) << "another trigger's";
  const auto running = *store_->Take();
  EXPECT_EQ(running->cause, "cron:a:1");
  const auto instead = submit("cron:a:3", "cancel");
  EXPECT_TRUE(instead.accepted);
  EXPECT_EQ(instead.cancelled, std::vector<std::string>{running->id});
  const auto newer = submit("cron:a:4", "cancel");
  EXPECT_TRUE(newer.accepted);
  const auto records = *store_->List(10);
  for (const TriggerRecord& r : records)
    if (r.cause == "cron:a:3") {
      EXPECT_EQ(r.state, "cancelled") << "waiting ones make way too";
    }
}

TEST_F(TriggerTest, FiveHundredOfOneCauseAreOneRun) {
  std::vector<std::thread> threads;
  std::atomic<int> accepted{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 125; ++i) accepted += store_->Submit({"", "drift", "alarm:7", "", "", {}})->accepted;
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(accepted, 1);
  ASSERT_TRUE(*store_->Take());
  EXPECT_FALSE(*store_->Take());
}

TEST_F(TriggerTest, FilesThatArrive) {
  auto project = *project::ParseProject("project: t\nstages: {a: {cmd: x}}\ntriggers: {n: {files: in/*.csv, run: [a]}}\n");
  auto scheduler = *Scheduler::Make(project, dir_.path(), *store_, clock_);
  EXPECT_TRUE(scheduler.Tick()->empty());
  ASSERT_TRUE(WriteFileAtomic(dir_.path() / "in/x.csv", "1"));
  const auto due = *scheduler.Tick();
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].event.kind, "files");
  EXPECT_TRUE(due[0].event.cause.starts_with("files:n:"));
  EXPECT_EQ(due[0].event.stages, std::vector<std::string>{"a"});
  ASSERT_TRUE(scheduler.Keep());
  EXPECT_TRUE(scheduler.Tick()->empty());
}

TEST_F(TriggerTest, ABadTimeZoneIsNamed) {
  auto wrong = *project::ParseProject("project: t\nstages: {a: {cmd: x}}\ntriggers: {n: {cron: \"0 3 * * *\", tz: Mars/Base}}\n");
  auto s = Scheduler::Make(wrong, dir_.path(), *store_, clock_);
  ASSERT_FALSE(s);
  EXPECT_NE(s.error().message.find("triggers.n"), std::string::npos);
}

/// A stand-in for `rondo run` that notes its arguments.
fs::path Program(const fs::path& folder, const std::string& body) {
  const fs::path file = folder / "program.sh";
  (void)WriteFileAtomic(file, "#!/bin/sh\n" + body + "\n", 0755);
  ::chmod(file.c_str(), 0755);
  return file;
}

class Ended {
 public:
  void operator()(const TriggerRecord& r) {
    std::lock_guard lock(mutex_);
    records_.push_back(r);
    changed_.notify_all();
  }
  std::vector<TriggerRecord> Wait(size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return records_.size() >= n; });
    return records_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<TriggerRecord> records_;
};

TEST_F(TriggerTest, RunsEventsOneAtATimeAsChildren) {
  Ended ended;
  TriggerOptions options;
  ::setenv("RONDO_TOKEN", "of the server", 1);
  options.program = Program(dir_.path(), "echo \"$@\" >>calls; echo \"token $RONDO_TOKEN.\" >>calls; test \"$3\" != data");
  options.on_end = [&](const TriggerRecord& r) { ended(r); };
  auto triggers = Triggers::Start(*db_, clock_, project_, dir_.path(), dir_.path() / "data", options);
  ASSERT_TRUE(triggers) << triggers.error().message;
  ASSERT_TRUE((*triggers)->Submit({"", "drift", "alarm:7", "", "rondo:retrain", {"train"}})->accepted);
  ASSERT_EQ(ended.Wait(1).size(), 1u);
  ASSERT_TRUE((*triggers)->Submit({"", "data", "data:1", "", "", {}})->accepted);
  const auto records = ended.Wait(2);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].state, "succeeded");
  EXPECT_EQ(records[1].state, "failed");
  const std::string calls = *ReadFile(dir_.path() / "calls");
  EXPECT_NE(calls.find("run --trigger drift --cause alarm:7 --run-id " + records[0].run_id + " --data " + (dir_.path() / "data").string() + " --actor rondo:retrain train\n"), std::string::npos) << calls;
  EXPECT_EQ(calls.find("of the server"), std::string::npos) << calls;
  ASSERT_TRUE((*triggers)->Submit({"", "cron", "cron:predict:nightly:x", "", "", {"predict:nightly"}})->accepted);
  EXPECT_EQ(ended.Wait(3).size(), 3u);
  EXPECT_NE(ReadFile(dir_.path() / "calls")->find("\npredict nightly\n"), std::string::npos);
  ::unsetenv("RONDO_TOKEN");
}

TEST_F(TriggerTest, WebhooksNeedTheSecret) {
  ::setenv("RONDO_TEST_HOOK", "right", 1);
  Ended ended;
  TriggerOptions options;
  options.program = Program(dir_.path(), "exit 0");
  options.on_end = [&](const TriggerRecord& r) { ended(r); };
  auto triggers = *Triggers::Start(*db_, clock_, project_, dir_.path(), dir_.path() / "data", options);
  EXPECT_EQ(triggers->Webhook("hook", "wrong", "").error().code, Code::kForbidden);
  EXPECT_EQ(triggers->Webhook("nightly", "", "").error().code, Code::kForbidden);
  EXPECT_EQ(triggers->Webhook("nope", "right", "").error().code, Code::kForbidden);
  EXPECT_TRUE(triggers->Webhook("hook", "right", "delivery-1")->accepted);
  EXPECT_FALSE(triggers->Webhook("hook", "right", "delivery-1")->accepted);
  // printf '{"a":1}' | openssl dgst -sha256 -hmac right
  const std::string body = R"({"a":1})", good = "sha256=" + HmacSha256Hex("right", body);
  EXPECT_EQ(triggers->SignedWebhook("hook", body, "sha256=" + std::string(64, '0'), "").error().code, Code::kForbidden);
  EXPECT_EQ(triggers->SignedWebhook("hook", body + " ", good, "").error().code, Code::kForbidden);
  EXPECT_FALSE(triggers->SignedWebhook("hook", body, good, "delivery-1")->accepted) << "had its run";
  EXPECT_EQ(ended.Wait(1).size(), 1u);
}

TEST_F(TriggerTest, StoppingTheServerStopsTheRunAndItComesBack) {
  TriggerOptions options;
  options.program = Program(dir_.path(), "trap 'echo stopped >>log; exit 1' TERM; echo started >>log; while :; do sleep 0.05; done");
  {
    auto triggers = *Triggers::Start(*db_, clock_, project_, dir_.path(), dir_.path() / "data", options);
    ASSERT_TRUE(triggers->Submit({"", "drift", "a", "", "", {}})->accepted);
    for (int i = 0; i < 500 && !ReadFile(dir_.path() / "log"); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(*ReadFile(dir_.path() / "log"), "started\nstopped\n");
  EXPECT_EQ(store_->List(1)->at(0).state, "running");
  Ended ended;
  options.program = Program(dir_.path(), "exit 0");
  options.on_end = [&](const TriggerRecord& r) { ended(r); };
  auto again = *Triggers::Start(*db_, clock_, project_, dir_.path(), dir_.path() / "data", options);
  const auto records = ended.Wait(1);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].state, "succeeded");
  EXPECT_EQ(records[0].starts, 2);
}

TEST_F(TriggerTest, CancelTakesOutOfTheQueueAndStopsARun) {
  TriggerOptions options;
  Ended ended;
  options.program = Program(dir_.path(), "echo started >>log; sleep 30");
  options.on_end = [&](const TriggerRecord& r) { ended(r); };
  auto triggers = *Triggers::Start(*db_, clock_, project_, dir_.path(), dir_.path() / "data", options);
  const auto a = *triggers->Submit({"", "drift", "a", "", "", {}});
  for (int i = 0; i < 500 && !ReadFile(dir_.path() / "log"); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const auto b = *triggers->Submit({"", "drift", "b", "", "", {}});
  ASSERT_TRUE(triggers->Cancel(b.event));
  ASSERT_TRUE(triggers->Cancel(a.event));
  EXPECT_EQ(ended.Wait(1).at(0).state, "cancelled");
  EXPECT_FALSE(triggers->Cancel("nothing"));
}

TEST_F(TriggerTest, APredictionWithAScheduleIsDueUnderItsName) {
  project_ = *project::ParseProject(R"(project: t
data: {d: {from: d.csv}}
predict: {nightly: {data: d, model: m@champion, out: "scores/{date}.csv", cron: "0 4 * * *"}, byhand: {data: d, model: m@champion, out: s.csv}}
)");
  Scheduler s = Make();
  EXPECT_TRUE(s.Tick()->empty());
  clock_.Set(*ParseTime("2026-11-25T04:00:30Z"));
  const auto due = *s.Tick();
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].event.cause, "cron:predict:nightly:2026-11-25T04:00:00.000Z");
  EXPECT_EQ(due[0].event.stages, std::vector<std::string>{"predict:nightly"});
}

}  // namespace
}  // namespace rondo::pipeline
