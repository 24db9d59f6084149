// Rollouts with generated traffic and a clock that stands still: what is promoted, what is rolled back, and what waits.
#include "serving/rollout.h"

#include <gtest/gtest.h>

#include "serving/fake.h"
#include "serving/judge.h"

namespace rondo::serving {
namespace {

project::Deploy Canary(int64_t requests = 100) {
  project::Deploy d;
  d.rollout = "canary";
  d.steps = {0.1, 0.5, 1};
  d.hold.requests = requests;
  d.guard = {Guard("error_rate", 0.01), Guard("score_psi", 0.25)};
  return d;
}

TEST(Plan, Table) {
  const auto plan = [](const std::string& rollout, std::vector<double> steps) {
    project::Deploy d;
    d.rollout = rollout;
    d.steps = std::move(steps);
    return MakePlan(d);
  };
  EXPECT_EQ(plan("all-at-once", {})->stages.size(), 0u);
  EXPECT_EQ(plan("blue-green", {})->stages.at(0).share, 1);
  EXPECT_EQ(plan("canary", {})->stages.size(), 2u);
  EXPECT_EQ(plan("canary", {0.05, 0.25, 1})->stages.size(), 2u);
  EXPECT_EQ(plan("shadow", {})->stages.size(), 1u);
  EXPECT_TRUE(plan("shadow", {0.1, 1})->stages.at(0).shadow);
  EXPECT_EQ(plan("ab", {})->stages.at(0).share, 0.5);
  EXPECT_TRUE(plan("ab", {0.3})->by_hand);
  EXPECT_EQ(plan("canary", {})->hold.requests, 100);
  EXPECT_EQ(plan("canary", {})->guard.at(0).metric, "error_rate");
  for (const auto& [rollout, steps] : std::vector<std::pair<std::string, std::vector<double>>>{
           {"yolo", {}}, {"canary", {0.5, 0.1, 1}}, {"canary", {0, 1}}, {"canary", {1.5}}, {"canary", {1}}, {"canary", {-0.1}}, {"canary", {0.5, 1, 1}}, {"ab", {0.2, 0.4}}, {"blue-green", {0.5}}, {"all-at-once", {0.5}}})
    EXPECT_EQ(plan(rollout, steps).error().code, Code::kInvalid) << rollout;
  project::Deploy d = Canary();
  d.guard[0].op = ">=";
  EXPECT_FALSE(MakePlan(d)) << "error_rate >= 1% can't be meant";
}

TEST(Rollout, TheFirstVersionIsChampionAtOnceAndServed) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({});
  auto r = s.Deploy(v1, Canary());
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(r->state, "promoted");
  EXPECT_EQ(s.Champion(), v1);
  s.Round();
  EXPECT_EQ(s.Traffic(10), 0);
  // Again: nothing to do.
  r = s.Deploy(v1, Canary());
  EXPECT_EQ(r->state, "promoted");
  EXPECT_NE(r->why.find("already"), std::string::npos);
  EXPECT_EQ(Rollouts(s.workspace(), "churn", 10)->size(), 1u);
}

TEST(Rollout, AnEqualVersionPassesEveryStepAndIsPromoted) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({});
  ASSERT_TRUE(s.Deploy(v1, Canary()));
  auto r = s.Deploy(v2, Canary());
  ASSERT_TRUE(r);
  EXPECT_EQ(r->state, "running");
  EXPECT_EQ(s.workspace().registry().VersionByAlias("churn", "challenger")->version, v2);
  s.Round();
  EXPECT_EQ(s.Traffic(600), 0);
  EXPECT_EQ(s.Newest().step, 0) << "10 % of 600 requests are too few";
  EXPECT_EQ(s.Champion(), v1);
  for (int i = 0; i < 40 && s.Newest().going_on(); ++i) EXPECT_EQ(s.Traffic(100), 0);
  const Rollout done = s.Newest();
  EXPECT_EQ(done.state, "promoted") << done.why;
  ASSERT_EQ(s.Champion(), v2);
  ASSERT_EQ(s.workspace().registry().VersionByAlias("churn", "challenger").error().code, Code::kNotFound);
  EXPECT_EQ(s.server().Find("churn")->snapshot()->variants.size(), 1u);
  EXPECT_EQ(s.server().Find("churn")->snapshot()->champion().model->version(), v2);
  // Each decision with its numbers, in the events and in the audit log.
  const auto events = Events(s.workspace(), "churn", 10);
  ASSERT_EQ(events->size(), 5u) << "start, promote, start, advance, promote";
  EXPECT_EQ(events->at(0).action, "promote");
  EXPECT_EQ(events->at(1).action, "advance");
  EXPECT_GE(events->at(1).data["numbers"]["guards"][0]["samples"].AsInt(), 100);
  EXPECT_EQ(events->at(1).data["numbers"]["guards"][0]["verdict"].AsString(), "pass");
  int audited = 0;
  const auto entries = s.workspace().audit().List(0, 100, "");
  for (const auto& e : *entries) audited += e.action == "rollout.advance" || e.action == "rollout.promote";
  EXPECT_EQ(audited, 3);
  EXPECT_TRUE(s.workspace().audit().Verify()->faults.empty());
}

TEST(Rollout, AFailingVersionIsRolledBackAndNobodyNotices) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({.fail_share = 0.5});
  ASSERT_TRUE(s.Deploy(v1, Canary()));
  ASSERT_TRUE(s.Deploy(v2, Canary(1000)));
  s.Round();
  int requests = 0;
  for (; requests < 2000 && s.Newest().going_on(); requests += 25) EXPECT_EQ(s.Traffic(25), 0) << "the champion answers instead";
  const Rollout done = s.Newest();
  EXPECT_EQ(done.state, "rolled_back") << done.why;
  EXPECT_NE(done.why.find("error_rate"), std::string::npos) << done.why;
  EXPECT_LT(requests, 500) << "long before the hold is over";
  EXPECT_EQ(s.Champion(), v1);
  EXPECT_EQ(s.server().Find("churn")->snapshot()->variants.size(), 1u);
  EXPECT_EQ(Events(s.workspace(), "churn", 1)->at(0).data["numbers"]["guards"][0]["verdict"].AsString(), "fail");
}

TEST(Rollout, AVersionThatScoresDifferentlyIsRolledBack) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({.bias = 2});
  ASSERT_TRUE(s.Deploy(v1, Canary()));
  ASSERT_TRUE(s.Deploy(v2, Canary(1000)));
  s.Round();
  for (int i = 0; i < 60 && s.Newest().going_on(); ++i) s.Traffic(50);
  EXPECT_EQ(s.Newest().state, "rolled_back") << s.Newest().why;
  EXPECT_NE(s.Newest().why.find("score_psi"), std::string::npos) << s.Newest().why;
}

TEST(Rollout, FewRequestsAreInconclusive) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({});
  ASSERT_TRUE(s.Deploy(v1, Canary()));
  project::Deploy d = Canary(5);  // the hold is short, the guards still want their samples
  ASSERT_TRUE(s.Deploy(v2, d));
  s.Round();
  s.Traffic(300);
  const Rollout r = s.Newest();
  EXPECT_EQ(r.state, "running");
  EXPECT_EQ(r.step, 0);
  auto json = s.server().Describe("churn");
  ASSERT_TRUE(json);
  const Json& guards = (*json)["rollout"]["guards"];
  EXPECT_EQ(guards[0]["verdict"].AsString(), "inconclusive") << guards.Dump();
  EXPECT_EQ(guards[0]["needed"].AsInt(), 100);
  EXPECT_NE((*json)["rollout"]["why"].AsString().find("of 100"), std::string::npos) << (*json)["rollout"].Dump();
}

TEST(Rollout, ASlowVersionFailsItsLatencyGuard) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({.delay_ns = 8'000'000});
  ASSERT_TRUE(s.Deploy(v1, Canary()));
  project::Deploy d = Canary(100);
  d.steps = {0.5, 1};
  d.guard = {Guard("latency_p99_ms", 4)};
  ASSERT_TRUE(s.Deploy(v2, d));
  s.Round();
  for (int i = 0; i < 20 && s.Newest().going_on(); ++i) s.Traffic(50);
  EXPECT_EQ(s.Newest().state, "rolled_back") << s.Newest().why;
  EXPECT_NE(s.Newest().why.find("latency_p99_ms"), std::string::npos) << s.Newest().why;
}

TEST(Rollout, TheHoldIsAlsoATime) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({});
  ASSERT_TRUE(s.Deploy(v1, Canary()));
  project::Deploy d = Canary(0);
  d.hold.time_ms = 600'000;
  d.steps = {0.5, 1};
  ASSERT_TRUE(s.Deploy(v2, d));
  s.Round();
  s.Traffic(500, 10);
  EXPECT_EQ(s.Newest().state, "running") << "five seconds of ten minutes";
  s.clock().Advance(600'000);
  s.Round();
  EXPECT_EQ(s.Newest().state, "promoted") << s.Newest().why;
}

TEST(Rollout, BlueGreenSwitchesAllAndBack) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({.fail_share = 0.3}), v3 = s.AddVersion({});
  project::Deploy d;
  d.rollout = "blue-green";
  d.guard = {Guard("error_rate", 0.01)};
  ASSERT_TRUE(s.Deploy(v1, d));
  ASSERT_TRUE(s.Deploy(v2, d));
  s.Round();
  EXPECT_EQ(s.server().Find("churn")->snapshot()->variants.at(1).buckets, 10'000u);
  for (int i = 0; i < 10 && s.Newest().going_on(); ++i) EXPECT_EQ(s.Traffic(25), 0);
  EXPECT_EQ(s.Newest().state, "rolled_back");
  ASSERT_TRUE(s.Deploy(v3, d));
  s.Round();
  s.Traffic(150);
  EXPECT_EQ(s.Newest().state, "promoted") << s.Newest().why;
  EXPECT_EQ(s.Champion(), v3);
}

TEST(Rollout, AShadowAnswersNothingAndIsThenPromoted) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({});
  project::Deploy d;
  d.rollout = "shadow";
  d.hold.requests = 150;
  d.guard = {Guard("error_rate", 0.01), Guard("score_psi", 0.25)};
  ASSERT_TRUE(s.Deploy(v1, d));
  ASSERT_TRUE(s.Deploy(v2, d));
  s.Round();
  s.Traffic(100);
  EXPECT_EQ(s.Newest().state, "running");
  const auto snapshot = s.server().Find("churn")->snapshot();
  EXPECT_EQ(snapshot->variants.at(1).role, Role::kShadow);
  EXPECT_EQ(snapshot->variants.at(1).trial->requests(), 100) << "all of the traffic is scored beside";
  EXPECT_EQ(snapshot->variants.at(0).trial->requests(), 100);
  s.Traffic(100);
  EXPECT_EQ(s.Newest().state, "promoted") << s.Newest().why;
}

TEST(Rollout, AnAbTestIsEndedByHand) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({});
  project::Deploy d;
  d.rollout = "ab";
  ASSERT_TRUE(s.Deploy(v1, d));
  ASSERT_TRUE(s.Deploy(v2, d));
  s.Round();
  s.Traffic(1000);
  EXPECT_EQ(s.Newest().state, "running");
  ASSERT_TRUE(s.server().Act("churn", Action::kAdvance, "anna", "more sales"));
  EXPECT_EQ(s.Newest().state, "promoted");
  EXPECT_EQ(s.Champion(), v2);
}

TEST(Rollout, ActionsAndTheirOrder) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({}), v3 = s.AddVersion({});
  EXPECT_EQ(s.server().Act("churn", Action::kPause, "anna", "").error().code, Code::kNotFound);
  ASSERT_TRUE(s.Deploy(v1, Canary()));
  s.Round();
  EXPECT_EQ(s.server().Act("churn", Action::kAdvance, "anna", "").error().code, Code::kConflict) << "nothing is going on";
  EXPECT_EQ(s.server().Act("churn", Action::kRollback, "anna", "").error().code, Code::kConflict) << "there was nobody before";
  ASSERT_TRUE(s.Deploy(v2, Canary(10)));
  ASSERT_TRUE(s.server().Act("churn", Action::kPause, "anna", "lunch"));
  EXPECT_EQ(s.server().Act("churn", Action::kPause, "anna", "").error().code, Code::kConflict);
  s.Traffic(2000);
  EXPECT_EQ(s.Newest().state, "paused");
  EXPECT_EQ(s.Newest().step, 0) << "paused: nothing is judged, the weights stay";
  EXPECT_EQ(s.server().Find("churn")->snapshot()->variants.at(1).buckets, 1000u);
  ASSERT_TRUE(s.server().Act("churn", Action::kResume, "anna", ""));
  ASSERT_TRUE(s.server().Act("churn", Action::kAbort, "anna", "changed my mind"));
  EXPECT_EQ(s.Newest().state, "aborted");
  EXPECT_EQ(s.server().Find("churn")->snapshot()->variants.size(), 1u);
  // Advance by hand goes through the steps, also without enough samples.
  ASSERT_TRUE(s.Deploy(v3, Canary(1'000'000)));
  auto r = s.server().Act("churn", Action::kAdvance, "anna", "");
  EXPECT_EQ(r->step, 1);
  EXPECT_EQ(s.server().Find("churn")->snapshot()->variants.at(1).buckets, 5000u);
  r = s.server().Act("churn", Action::kAdvance, "anna", "");
  EXPECT_EQ(r->state, "promoted");
  EXPECT_EQ(s.Champion(), v3);
}

TEST(Rollout, ANewerOneTakesItsPlace) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({}), v3 = s.AddVersion({});
  ASSERT_TRUE(s.Deploy(v1, Canary()));
  const auto first = s.Deploy(v2, Canary());
  const auto same = s.Deploy(v2, Canary());
  EXPECT_EQ(first->id, same->id) << "the same version again is the same rollout";
  ASSERT_TRUE(s.Deploy(v3, Canary()));
  EXPECT_EQ(s.workspace().registry().VersionByAlias("churn", "challenger")->version, v3);
  const auto all = Rollouts(s.workspace(), "churn", 10);
  int going_on = 0;
  for (const auto& r : *all) {
    going_on += r.going_on();
    EXPECT_EQ(r.state == "aborted", r.id == first->id);
  }
  EXPECT_EQ(going_on, 1);
}

TEST(Rollout, RollbackGoesBackFurtherEachTime) {
  Rehearsal s;
  s.StartServer();
  project::Deploy at_once;
  std::vector<int64_t> v;
  for (int i = 0; i < 3; ++i) {
    v.push_back(s.AddVersion({}));
    ASSERT_TRUE(s.Deploy(v.back(), at_once));
  }
  s.Round();
  EXPECT_EQ(*PreviousChampion(s.workspace(), "churn"), v[1]);
  auto back = s.server().Act("churn", Action::kRollback, "anna", "complaints");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->version, v[1]);
  EXPECT_EQ(s.Champion(), v[1]);
  EXPECT_EQ(Events(s.workspace(), "churn", 1)->at(0).text, "rollback from version 3 to 2: complaints");
  EXPECT_EQ(*PreviousChampion(s.workspace(), "churn"), v[0]) << "not to and fro";
  EXPECT_EQ(s.server().Find("churn")->snapshot()->champion().model->version(), v[1]) << "at once";
  ASSERT_TRUE(s.server().Act("churn", Action::kRollback, "anna", ""));
  EXPECT_EQ(s.Champion(), v[0]);
  EXPECT_EQ(s.server().Act("churn", Action::kRollback, "anna", "").error().code, Code::kConflict);
  EXPECT_FALSE(PreviousChampion(s.workspace(), "churn")->has_value());
  ASSERT_TRUE(s.workspace().MoveAlias("churn", "champion", v[2], "anna", "by hand"));
  EXPECT_EQ(*PreviousChampion(s.workspace(), "churn"), v[0]);
}

TEST(Rollout, WhoMovesTheAliasByHandDecides) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({}), v3 = s.AddVersion({});
  ASSERT_TRUE(s.Deploy(v1, Canary()));
  ASSERT_TRUE(s.Deploy(v2, Canary()));
  s.Round();
  ASSERT_TRUE(s.workspace().registry().SetAlias("churn", "champion", v2, "mlflow", "client"));
  s.Round();
  EXPECT_EQ(s.Newest().state, "promoted");
  EXPECT_EQ(s.server().Find("churn")->snapshot()->champion().model->version(), v2);
  ASSERT_TRUE(s.Deploy(v3, Canary()));
  s.Round();
  ASSERT_TRUE(s.workspace().registry().SetAlias("churn", "champion", v1, "mlflow", "client"));
  s.Round();
  EXPECT_EQ(s.Newest().state, "aborted") << s.Newest().why;
  EXPECT_EQ(s.server().Find("churn")->snapshot()->champion().model->version(), v1);
  EXPECT_EQ(s.server().Find("churn")->snapshot()->variants.size(), 1u);
}

TEST(Rollout, AVersionThatCannotBeLoadedLeavesTheOldOneServing) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({});
  ASSERT_TRUE(s.Deploy(v1, Canary()));
  s.Round();
  registry::Version broken;
  broken.name = "churn";
  broken.digest = "broken";
  const int64_t v2 = s.workspace().registry().CreateVersion(broken)->version;
  ASSERT_TRUE(s.Deploy(v2, Canary()));
  s.Round();
  EXPECT_EQ(s.Newest().state, "rolled_back");
  EXPECT_NE(s.Newest().why.find("can't be served"), std::string::npos);
  EXPECT_EQ(s.Traffic(10), 0);
  // As champion by hand: the old one stays, and the endpoint says why.
  ASSERT_TRUE(s.workspace().MoveAlias("churn", "champion", v2, "anna", "by hand"));
  s.Round();
  EXPECT_EQ(s.Traffic(10), 0);
  auto json = s.server().Describe("churn");
  EXPECT_EQ((*json)["state"].AsString(), "bad");
  EXPECT_NE((*json)["problem"].AsString().find("no such fake"), std::string::npos) << json->Dump();
}

TEST(Rollout, TheChampionWaitsForApprovalsOfTheseBytes) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({});
  ASSERT_TRUE(s.Deploy(v1, {}));
  const project::Approval rule{"champion", {"risk"}, 2, true};
  auto r = s.Deploy(v2, {}, {rule});
  ASSERT_TRUE(r);
  EXPECT_EQ(r->state, "waiting");
  EXPECT_EQ(s.Champion(), v1);
  const std::string digest = s.workspace().registry().GetVersion("churn", v2)->digest;
  const auto approve = [&](const std::string& actor, const std::string& role, const std::string& bytes, const std::string& decision = "approved") {
    ASSERT_TRUE(s.workspace().approvals().Add({"churn", v2, bytes, decision, actor, role, "", s.clock().NowMs()}));
    s.Round();
  };
  approve("anna", "risk", digest);       // the author
  approve("bert", "sales", digest);      // another role
  approve("cara", "risk", "otherbytes"); // another model
  approve("dora", "risk", digest);
  EXPECT_EQ(s.Newest().state, "waiting") << s.Newest().why;
  EXPECT_EQ(s.server().Act("churn", Action::kAdvance, "anna", "").error().code, Code::kFailedCheck) << "nor by hand";
  approve("dora", "risk", digest);       // the same person twice
  EXPECT_EQ(s.Newest().state, "waiting");
  approve("emil", "risk", digest);
  EXPECT_EQ(s.Newest().state, "promoted") << s.Newest().why;
  EXPECT_EQ(s.Champion(), v2);
}

TEST(Rollout, ApprovalsAreSettledWithoutAServer) {
  Rehearsal s;
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({});
  ASSERT_TRUE(s.Deploy(v1, {}));
  ASSERT_TRUE(s.Deploy(v2, {}, {{"champion", {}, 1, true}}));
  EXPECT_EQ(*SettleWaiting(s.workspace()), 0);
  ASSERT_TRUE(s.workspace().approvals().Add({"churn", v2, s.workspace().registry().GetVersion("churn", v2)->digest, "approved", "bert", "", "", 1}));
  EXPECT_EQ(*SettleWaiting(s.workspace()), 1);
  EXPECT_EQ(s.Champion(), v2);
  EXPECT_EQ(*SettleWaiting(s.workspace()), 0);
}

TEST(Rollout, ARejectionEndsIt) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({});
  ASSERT_TRUE(s.Deploy(v1, {}));
  ASSERT_TRUE(s.Deploy(v2, {}, {{"champion", {}, 1, false}}));
  ASSERT_TRUE(s.workspace().approvals().Add({"churn", v2, s.workspace().registry().GetVersion("churn", v2)->digest, "rejected", "bert", "", "too old", 1}));
  s.Round();
  EXPECT_EQ(s.Newest().state, "aborted");
  EXPECT_NE(s.Newest().why.find("too old"), std::string::npos);
  EXPECT_EQ(s.Champion(), v1);
}

TEST(Rollout, StateAndCountersSurviveARestart) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({});
  ASSERT_TRUE(s.Deploy(v1, Canary()));
  ASSERT_TRUE(s.Deploy(v2, Canary()));
  s.Round();
  s.Traffic(500);
  const int64_t before = s.server().Find("churn")->snapshot()->variants.at(1).trial->requests();
  const auto split = s.server().Find("churn")->snapshot()->split->Read();
  s.StopServer();
  s.StartServer();
  const auto snapshot = s.server().Find("churn")->snapshot();
  ASSERT_EQ(snapshot->variants.size(), 2u);
  EXPECT_EQ(snapshot->variants[1].buckets, 1000u);
  EXPECT_EQ(snapshot->variants[1].trial->requests(), before);
  EXPECT_EQ(snapshot->split->Read().challenger, split.challenger);
  for (int i = 0; i < 40 && s.Newest().going_on(); ++i) s.Traffic(100);
  EXPECT_EQ(s.Newest().state, "promoted");
  // The promotion itself survives, too.
  s.StopServer();
  s.StartServer();
  EXPECT_EQ(s.server().Find("churn")->snapshot()->champion().model->version(), v2);
}

TEST(Rollout, CountersAreStoredAlongTheWay) {
  Rehearsal s;
  s.StartServer();
  const int64_t v1 = s.AddVersion({}), v2 = s.AddVersion({});
  ASSERT_TRUE(s.Deploy(v1, Canary()));
  ASSERT_TRUE(s.Deploy(v2, Canary(10'000)));
  s.Round();
  s.Traffic(1000);
  // As after kill -9: only what is in the database.
  const Rollout stored = s.Newest();
  EXPECT_GT(stored.arms["challenger"]["requests"].AsInt(), 50);
  EXPECT_EQ(stored.verdict["guards"].size(), 2u);
}

TEST(Rollout, EndpointNamesThatAreNoneAndOtherModels) {
  Rehearsal s;
  const int64_t v1 = s.AddVersion({});
  for (const char* name : {"", "../etc", "a/b", ".hidden", "-x", "a b"}) {
    RolloutRequest request;
    request.endpoint = name;
    request.model = "churn";
    request.version = v1;
    request.check = false;
    EXPECT_EQ(StartRollout(s.workspace(), request).error().code, Code::kInvalid) << name;
  }
  ASSERT_TRUE(s.Deploy(v1, {}));
  (void)s.workspace().registry().EnsureModel("other");
  registry::Version v;
  v.name = "other";
  const int64_t o1 = s.workspace().registry().CreateVersion(v)->version;
  RolloutRequest request;
  request.endpoint = "churn";
  request.model = "other";
  request.version = o1;
  request.check = false;
  EXPECT_EQ(StartRollout(s.workspace(), request).error().code, Code::kConflict);
  request.version = 99;
  EXPECT_EQ(StartRollout(s.workspace(), request).error().code, Code::kNotFound);
}

TEST(Judge, ASplitThatIsNotAsPlannedBlocksTheVerdict) {
  const Plan plan = *MakePlan(Canary());
  TrialNumbers n;
  n.champion.requests = 2000;
  n.challenger.requests = 300;
  n.stage_requests = 300;
  n.split = {1900, 300};  // 13.6 % instead of 10 %
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    n.challenger.scores.push_back(static_cast<float>(random.Uniform()));
    n.champion.scores.push_back(static_cast<float>(random.Uniform()));
  }
  n.challenger.rows = 300;
  StageVerdict v = JudgeStage(plan, 0, n, {});
  EXPECT_EQ(v.verdict, "inconclusive");
  EXPECT_LT(v.sample_ratio_p, 0.001);
  EXPECT_NE(v.why.find("isn't split as planned"), std::string::npos);
  n.split = {2100, 240};
  EXPECT_EQ(JudgeStage(plan, 0, n, {}).verdict, "pass");
  // Harm is no comparison: it still ends the rollout.
  n.split = {1900, 300};
  n.challenger.errors = 100;
  EXPECT_EQ(JudgeStage(plan, 0, n, {}).verdict, "fail");
}

TEST(Judge, MetricsFromLabelsWhenThereAreAny) {
  project::Deploy d = Canary(10);
  project::Gate auc;
  auc.text = "auc >= champion - 0.01";
  auc.metric = "auc";
  auc.op = ">=";
  auc.champion = true;
  auc.limit = -0.01;
  d.guard = {auc};
  const Plan plan = *MakePlan(d);
  TrialNumbers n;
  n.champion_version = 1;
  n.challenger_version = 2;
  n.stage_requests = n.challenger.requests = 100;
  EXPECT_EQ(JudgeStage(plan, 0, n, {}).verdict, "inconclusive");
  const auto source = [](double champion, double challenger, int64_t samples) {
    return [=](const std::string&, int64_t version, const project::Gate&, int64_t) -> MetricEstimate {
      const double value = version == 1 ? champion : challenger;
      return {value, value - 0.02, value + 0.02, samples, {}};
    };
  };
  EXPECT_EQ(JudgeStage(plan, 0, n, source(0.8, 0.805, 500)).verdict, "pass");
  EXPECT_EQ(JudgeStage(plan, 0, n, source(0.8, 0.7, 500)).verdict, "fail");
  EXPECT_EQ(JudgeStage(plan, 0, n, source(0.8, 0.78, 500)).verdict, "inconclusive");
  EXPECT_EQ(JudgeStage(plan, 0, n, source(0.8, 0.9, 10)).verdict, "inconclusive");
}

/// 2,000 rollouts of a version whose true error rate is the limit itself, looked at as the server looks: the worst case for false alarms.
TEST(Judge, RepeatedLooksRollBackByChanceSeldom) {
  project::Deploy d = Canary(1'000'000);
  d.guard = {Guard("error_rate", 0.01)};
  const Plan plan = *MakePlan(d);
  Random random(8);
  int failed = 0;
  constexpr int kRuns = 2000;
  for (int run = 0; run < kRuns; ++run) {
    TrialNumbers n;
    int64_t last = 0;
    for (int i = 0; i < 3000; ++i) {
      ++n.challenger.requests;
      n.challenger.errors += random.Uniform() < 0.01;
      if (!WorthALook(n.challenger.requests, last) || n.challenger.requests == last) continue;
      last = n.challenger.requests;
      if (JudgeStage(plan, 0, n, {}).verdict == "fail") {
        ++failed;
        break;
      }
    }
  }
  EXPECT_LT(failed, kRuns * 3 / 100);
}

}  // namespace
}  // namespace rondo::serving
