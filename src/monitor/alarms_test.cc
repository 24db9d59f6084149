// Alarms: named columns, silence, deliveries with retries, the retrain policy, feedback, the page's JSON.
#include "monitor/alarms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/json_map.h"
#include "monitor/feedback.h"
#include "monitor/retrain.h"
#include "monitor/snapshot.h"
#include "monitor/testing.h"

namespace rondo::monitor {
namespace {

using testing::Bench;
using testing::MakePrediction;
using testing::Shuffled;
using testing::Telco;

const Reference& HalfReference() {
  static const Reference reference = [] {
    const auto rows = Shuffled(Telco().rows(), 3);
    return testing::TelcoReference(Telco().Take({rows.begin(), rows.begin() + 3000}), Telco().Take({rows.begin() + 3000, rows.begin() + 4500}));
  }();
  return reference;
}
/// `change` edits the input before it is logged.
void Predict(Bench& bench, int64_t n, int64_t from, const std::function<void(data::Prediction&)>& change = {}) {
  static const auto rows = Shuffled(Telco().rows(), 3);
  for (int64_t i = from; i < from + n; ++i) {
    auto p = MakePrediction(Telco(), rows[4500 + static_cast<size_t>(i) % 2500], i, bench.clock.NowMs() + i);
    p.key = fmt::format("{}", i);
    if (change) change(p);
    bench.log.endpoints["churn"].push_back(std::move(p));
  }
}
size_t NumberAt(const std::string& name) {
  size_t at = 0;
  for (const model::InputColumn& c : testing::TelcoSignature().inputs) {
    if (c.name == name) return at;
    at += IsNumericType(c.type);
  }
  return at;
}
/// Stays inside the training range: drift, no defect.
void Cheaper(data::Prediction& p) {
  float& price = p.numbers[NumberAt("monthly_charges")];
  price = std::max(19.0f, price * 0.6f);
}
std::vector<std::string> Kinds(const std::vector<Alarm>& alarms) {
  std::vector<std::string> out;
  for (const Alarm& a : alarms) out.push_back(a.kind);
  return out;
}

TEST(Alarms, DriftNamesTheColumnAndCleanTrafficIsQuiet) {
  Bench bench(HalfReference());
  Predict(bench, 1500, 0);
  EXPECT_TRUE(bench.Pass().empty());
  Predict(bench, 500, 1500, Cheaper);
  const auto alarms = bench.Pass();
  ASSERT_EQ(Kinds(alarms), std::vector<std::string>{"drift"});
  EXPECT_EQ(alarms[0].columns, std::vector<std::string>{"monthly_charges"});
  EXPECT_EQ(alarms[0].window, 3);
  EXPECT_EQ(alarms[0].rows_seen, 500);
  EXPECT_GT(alarms[0].evidence["columns"][0]["psi"].AsDouble(), 0.2);
  EXPECT_LT(alarms[0].evidence["columns"][0]["q"].AsDouble(), 0.05);
  EXPECT_NE(alarms[0].summary.find("monthly_charges (PSI"), std::string::npos);
}

TEST(Alarms, RepeatsAreSilentUntilSomethingNewOrTheSilenceIsOver) {
  Bench bench(HalfReference());
  bench.spec.silence_ms = 3'600'000;
  Predict(bench, 500, 0, Cheaper);
  EXPECT_EQ(bench.Pass().size(), 1u);
  Predict(bench, 1000, 500, Cheaper);
  EXPECT_TRUE(bench.Pass().empty());
  EXPECT_EQ(bench.Count("SELECT repeats FROM monitor_alarm"), 2);
  Predict(bench, 500, 1500, [](data::Prediction& p) {
    Cheaper(p);
    p.numbers[NumberAt("tenure")] = std::floor(p.numbers[NumberAt("tenure")] * 0.4f);
  });
  const auto wider = bench.Pass();
  ASSERT_EQ(wider.size(), 1u);  // tenure is new
  EXPECT_EQ(wider[0].columns.size(), 2u);
  bench.clock.Advance(3'600'001);
  Predict(bench, 500, 2000, Cheaper);
  EXPECT_EQ(bench.Pass().size(), 1u);
}

TEST(Alarms, JudgingAgainRaisesNothingTwice) {
  Bench bench(HalfReference());
  bench.spec.silence_ms = 0;
  Predict(bench, 500, 0, Cheaper);
  EXPECT_EQ(bench.Pass().size(), 1u);
  ASSERT_TRUE(bench.db->Write([](db::Session& s) -> Status {
    RONDO_TRY([[maybe_unused]] auto n, s.Exec("UPDATE monitor_window SET judged = 0"));
    return {};
  }));
  bench.Reopen();
  EXPECT_TRUE(bench.Pass().empty());
  EXPECT_EQ(bench.Count("SELECT COUNT(*) FROM monitor_alarm"), 1);
}

TEST(Alarms, QualityIsItsOwnKind) {
  Bench bench(HalfReference());
  Predict(bench, 500, 0, [](data::Prediction& p) {
    if (std::stoi(p.key) % 8 == 0) p.numbers[NumberAt("total_charges")] = std::nanf("");
    if (std::stoi(p.key) % 15 == 0) p.texts.back() = "Cash";
  });
  const auto alarms = bench.Pass();
  ASSERT_EQ(Kinds(alarms), std::vector<std::string>{"quality"});
  EXPECT_EQ(alarms[0].columns, (std::vector<std::string>{"total_charges", "payment_method"}));
  EXPECT_NE(alarms[0].summary.find("such as \"Cash\""), std::string::npos);
}

TEST(Alarms, LabelShiftIsSeenWithoutLabels) {
  Bench bench(HalfReference());
  // Only customers that look like leavers come: the share of "Yes" rises while P(x | y) of the model's scores stays plausible.
  static const auto rows = Shuffled(Telco().rows(), 3);
  int64_t number = 0;
  for (size_t i = 4500; i < rows.size() && number < 500; ++i) {
    const bool yes = Telco().Find("churn")->strings[rows[i]] == "Yes";
    if (!yes && number % 3 == 0) continue;
    if (!yes && (i % 4) != 0) continue;
    bench.log.endpoints["churn"].push_back(MakePrediction(Telco(), rows[i], number, bench.clock.NowMs() + number));
    ++number;
  }
  ASSERT_EQ(number, 500);
  const auto alarms = bench.Pass();
  const auto shift = std::find_if(alarms.begin(), alarms.end(), [](const Alarm& a) { return a.kind == "label_shift"; });
  ASSERT_NE(shift, alarms.end());
  const double truth = [&] {
    double yes = 0;
    size_t seen = 0;
    int64_t n = 0;
    for (size_t i = 4500; i < rows.size() && n < 500; ++i) {
      const bool y = Telco().Find("churn")->strings[rows[i]] == "Yes";
      if (!y && n % 3 == 0) continue;
      if (!y && (i % 4) != 0) continue;
      yes += y;
      ++seen;
      ++n;
    }
    return yes / static_cast<double>(seen);
  }();
  const Json& yes = shift->evidence["estimate"]["classes"][1];
  EXPECT_LE(yes["low"].AsDouble(), truth);
  EXPECT_GE(yes["high"].AsDouble(), truth);
}

TEST(Alarms, DeliveriesAreRetriedAndSurviveARestart) {
  Bench bench(HalfReference());
  bench.spec.notify = {{"webhook", "http://127.0.0.1:1/x"}, {"command", "./page.sh"}};
  Predict(bench, 500, 0, Cheaper);
  ASSERT_EQ(bench.Pass().size(), 1u);
  std::vector<std::string> told;
  bool down = true;
  const Teller teller = [&](const project::Notify& target, const Alarm& alarm) -> Status {
    if (target.kind == "webhook" && down) return Fail(Code::kUnavailable, "connection refused");
    told.push_back(target.kind + " " + alarm.columns.at(0));
    return {};
  };
  const auto deliver = [&] { return *DeliverAlarms(*bench.db, bench.spec, teller, bench.clock.NowMs()); };
  EXPECT_EQ(deliver(), 2);
  EXPECT_EQ(told, std::vector<std::string>{"command monthly_charges"});
  EXPECT_EQ(deliver(), 0);  // not due yet
  bench.Reopen();
  bench.clock.Advance(10'000);
  EXPECT_EQ(deliver(), 1);
  down = false;
  bench.clock.Advance(10'000);
  EXPECT_EQ(deliver(), 0);  // the second wait is 20 s
  bench.clock.Advance(10'000);
  EXPECT_EQ(deliver(), 1);
  EXPECT_EQ(told.back(), "webhook monthly_charges");
  bench.clock.Advance(1'000'000);
  EXPECT_EQ(deliver(), 0);
}

TEST(Alarms, ADeadTargetIsGivenUp) {
  Bench bench(HalfReference());
  bench.spec.notify = {{"webhook", "x"}};
  Predict(bench, 500, 0, Cheaper);
  bench.Pass();
  int attempts = 0;
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(DeliverAlarms(*bench.db, bench.spec, [&](const project::Notify&, const Alarm&) -> Status { return ++attempts, Fail(Code::kUnavailable, "no"); }, bench.clock.NowMs()));
    bench.clock.Advance(3'600'000);
  }
  EXPECT_EQ(attempts, 8);
  EXPECT_EQ(bench.Count("SELECT COUNT(*) FROM monitor_delivery WHERE state = 'failed' AND error = 'no'"), 1);
}

TEST(Alarms, CommandsGetTheAlarmInTheirEnvironment) {
  TempDir folder;
  Alarm alarm;
  alarm.id = "abc";
  alarm.kind = "drift";
  alarm.endpoint = "churn";
  alarm.columns = {"tenure", "price; rm -rf x"};
  alarm.summary = "it's \"drift\"";
  const auto same = [](const std::string& text) -> Result<std::string> { return text; };
  const std::string file = (folder.path() / "out").string();
  ASSERT_TRUE(DefaultTeller(same)({"command", "printf '%s|%s|%s' \"$RONDO_ALARM_KIND\" \"$RONDO_ALARM_COLUMNS\" \"$RONDO_ALARM_TEXT\" > " + file}, alarm));
  EXPECT_EQ(*ReadFile(file), "drift|tenure,price; rm -rf x|it's \"drift\"");
  EXPECT_FALSE(DefaultTeller(same)({"command", "exit 3"}, alarm));
  EXPECT_FALSE(DefaultTeller(same)({"webhook", "http://127.0.0.1:9/"}, alarm));
}

TEST(Alarms, WebhookHasAlertmanagersShape) {
  Alarm alarm;
  alarm.kind = "drift";
  alarm.endpoint = "churn";
  alarm.version = 7;
  alarm.time = 1'700'000'000'000;
  const Json body = WebhookBody(alarm, "webhook");
  for (const char* key : {"version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels", "commonAnnotations", "externalURL", "alerts"}) EXPECT_TRUE(body.Find(key)) << key;
  EXPECT_EQ(body["version"].AsString(), "4");
  EXPECT_EQ(body["alerts"][0]["labels"]["version"].AsString(), "7");
  EXPECT_EQ(body["alerts"][0]["startsAt"].AsString(), "2023-11-14T22:13:20.000Z");
}

TEST(Alarms, AnnouncedOnceAndAgainAfterAFailure) {
  Bench bench(HalfReference());
  Predict(bench, 500, 0, Cheaper);
  bench.Pass();
  int calls = 0;
  EXPECT_FALSE(AnnounceAlarms(*bench.db, [&](const Alarm&) -> Status { return ++calls, Fail(Code::kEnvironment, "disk full"); }));
  EXPECT_EQ(*AnnounceAlarms(*bench.db, [&](const Alarm&) -> Status { return ++calls, Status(); }), 1);
  EXPECT_EQ(*AnnounceAlarms(*bench.db, [&](const Alarm&) -> Status { return ++calls, Status(); }), 0);
  EXPECT_EQ(calls, 2);
}

TEST(Alarms, EmailSaysItIsNotSupportedYet) {
  project::Monitor spec;
  spec.notify = {{"email", "a@example.org"}};
  const Status status = CheckNotify(spec);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kUnsupported);
}

project::Retrain Policy() {
  project::Retrain r;
  r.enabled = true;
  r.on_drift = true;
  r.cooldown_ms = 3'600'000;
  r.max_runs = 2;
  r.max_per_ms = 86'400'000;
  return r;
}

TEST(Retrain, OneRunPerCauseWithCooldownAndLimit) {
  Bench bench(HalfReference());
  const project::Retrain spec = Policy();
  RetrainPolicy policy(*bench.db, bench.clock, spec);
  const auto consider = [&](const char* id, const char* kind = "drift") { return *policy.Consider({id, kind, "churn", "tenure drifted", 0}); };
  EXPECT_TRUE(consider("alarm:1").should);
  EXPECT_FALSE(consider("alarm:1").should);
  EXPECT_EQ(consider("alarm:1").why, "this cause has started a run");
  EXPECT_NE(consider("alarm:2").why.find("cooldown"), std::string::npos);
  bench.clock.Advance(3'600'001);
  EXPECT_FALSE(consider("alarm:2").should);  // settled then
  EXPECT_TRUE(consider("alarm:3").should);
  bench.clock.Advance(3'600'001);
  EXPECT_NE(consider("alarm:4").why.find("are the limit"), std::string::npos);
  bench.Reopen();
  RetrainPolicy restarted(*bench.db, bench.clock, spec);
  bench.clock.Advance(86'400'000);
  EXPECT_FALSE(restarted.Consider({"alarm:3", "drift", "churn", "", 0})->should);
  EXPECT_TRUE(restarted.Consider({"alarm:5", "drift", "churn", "", 0})->should);
  EXPECT_EQ(restarted.Consider({"x", "data", "churn", "", 0})->why, "retrain.when doesn't list data");
  ASSERT_TRUE(restarted.RecordRun("alarm:5", "run1"));
  EXPECT_EQ(restarted.History(10)->front().run, "run1");
}

TEST(Retrain, AlarmsAndLabelCountsAreCauses) {
  Bench bench(HalfReference());
  project::Retrain spec = Policy();
  spec.on_labels = 100;
  RetrainPolicy policy(*bench.db, bench.clock, spec);
  Predict(bench, 500, 0, Cheaper);
  bench.Pass();
  auto causes = *policy.Pending("churn");
  ASSERT_EQ(causes.size(), 1u);
  EXPECT_EQ(causes[0].kind, "drift");
  EXPECT_TRUE(policy.Consider(causes[0])->should);
  EXPECT_TRUE(policy.Pending("churn")->empty());
  bench.clock.Advance(1000);
  const auto label = [&](int64_t from, int64_t to) {
    std::vector<LabelRow> rows;
    for (int64_t i = from; i < to; ++i) rows.push_back({"", std::to_string(i), "Yes", {}});
    ASSERT_TRUE(bench.Label(rows));
  };
  label(0, 99);
  EXPECT_TRUE(policy.Pending("churn")->empty());
  label(99, 120);
  causes = *policy.Pending("churn");
  ASSERT_EQ(causes.size(), 1u);
  EXPECT_EQ(causes[0].kind, "labels");
  EXPECT_FALSE(policy.Consider(causes[0])->should);  // cooldown; labels count on
  bench.clock.Advance(3'600'001);
  EXPECT_TRUE(policy.Consider((*policy.Pending("churn"))[0])->should);
  EXPECT_TRUE(policy.Pending("churn")->empty());
  label(120, 221);
  EXPECT_EQ(policy.Pending("churn")->size(), 1u);
}

TEST(Feedback, LabelledRowsComeBackAsTheyWereWithTheirTypes) {
  Reference reference = HalfReference();
  reference.key = "customer";
  reference.key_type = "string";
  Bench bench(reference);
  Predict(bench, 30, 0);
  Predict(bench, 1, 30, [](data::Prediction& p) { p.key = "3"; });  // customer 3 once more
  auto shadow = bench.log.endpoints["churn"][5];
  shadow.shadow = true;
  shadow.numbers[0] = 99;
  bench.log.endpoints["churn"].push_back(shadow);
  bench.Pass();
  bench.clock.Advance(1000);
  ASSERT_TRUE(bench.Label({{"", "3", "Yes", {}}, {"", "5", "No", {}}, {"", "77", "No", {}}}));
  const auto feedback = BuildFeedback(*bench.db, *bench.references, bench.log.Reader(), "churn");
  ASSERT_TRUE(feedback) << feedback.error().Text();
  EXPECT_EQ(feedback->predictions, 3);
  const table::Frame& f = feedback->frame;
  ASSERT_EQ(f.rows(), 2u);
  EXPECT_EQ(f.columns.front().name, "customer");
  EXPECT_EQ(f.columns.back().name, "churn");
  EXPECT_EQ(f.columns.front().strings, (std::vector<std::string>{"5", "3"}));
  EXPECT_EQ(f.columns.back().strings, (std::vector<std::string>{"No", "Yes"}));
  const auto& log = bench.log.endpoints["churn"];
  EXPECT_EQ(f.Find("tenure")->numbers, (std::vector<double>{log[5].numbers[NumberAt("tenure")], log[30].numbers[NumberAt("tenure")]}));
  EXPECT_EQ(f.Find("tenure")->type, table::Type::kInt);
  EXPECT_EQ(f.Find("payment_method")->strings[0], log[5].texts.back());
}

TEST(Feedback, NothingLabelledIsAnEmptyFrame) {
  Bench bench(HalfReference());
  Predict(bench, 3, 0);
  bench.Pass();
  EXPECT_EQ(BuildFeedback(*bench.db, *bench.references, bench.log.Reader(), "churn")->frame.rows(), 0u);
}

TEST(Snapshot, HasWhatThePageNeeds) {
  Bench bench(HalfReference());
  Predict(bench, 700, 0, Cheaper);
  bench.Pass();
  bench.clock.Advance(1000);
  std::vector<LabelRow> rows;
  for (int64_t i = 0; i < 500; ++i) rows.push_back({"", std::to_string(i), i % 3 ? "No" : "Yes", {}});
  ASSERT_TRUE(bench.Label(rows));
  bench.Pass();
  const Json view = *Snapshot(bench.context(), "churn");
  EXPECT_EQ(view["windows"].AsInt(), 2);
  EXPECT_EQ(view["rows"].AsInt(), 700);
  EXPECT_EQ(view["version"].AsInt(), 1);
  ASSERT_EQ(view["columns"].size(), testing::TelcoSignature().inputs.size());
  for (const Json& column : view["columns"].AsArray()) {
    ASSERT_EQ(column["windows"].size(), 2u);
    const Json& d = column["distribution"];
    ASSERT_EQ(d["reference"].size(), d["window"].size());
    EXPECT_EQ(d["edges"].IsNull() ? d["labels"].size() : d["edges"].size() - 1, d["window"].size());
    const bool drifted = column["name"].AsString() == "monthly_charges";
    EXPECT_EQ(column["windows"][0]["verdict"].AsString(), drifted ? "drift" : "ok") << column["name"].AsString();
  }
  EXPECT_FALSE(view["list"][1]["closed"].AsBool());
  ASSERT_EQ(view["performance"].size(), 1u);
  EXPECT_EQ(view["performance"][0]["metric"].AsString(), "auc");
  EXPECT_DOUBLE_EQ(view["performance"][0]["coverage"].AsDouble(), 1.0);
  EXPECT_EQ(view["baseline"]["value"].AsDouble(), 0.83);
  EXPECT_EQ(view["labels"]["labelled"].AsInt(), 500);
  EXPECT_EQ(view["scores"]["windows"].size(), 2u);
}

TEST(Snapshot, AnEndpointWithoutPredictionsIsEmpty) {
  Bench bench(HalfReference());
  const Json view = *Snapshot(bench.context(), "churn");
  EXPECT_EQ(view["windows"].AsInt(), 0);
  EXPECT_EQ(view["columns"].size(), 0u);
}

TEST(Season, MondaysAreComparedWithMondays) {
  Bench bench(HalfReference());
  const int64_t day = 86'400'000, monday = 1'700'000'000'000 / day * day;
  bench.spec.window_ms = day;
  bench.spec.season = "week";
  bench.spec.silence_ms = 0;
  int64_t number = 0;
  std::vector<std::vector<std::string>> raised;
  for (int week = 0; week < 3; ++week) {
    for (int weekday = 0; weekday < 7; ++weekday) {
      const int64_t start = monday + (week * 7 + weekday) * day;
      bench.clock.Set(start);
      // Mondays are always cheap; on the last one tenure breaks as well.
      Predict(bench, 300, number, [&](data::Prediction& p) {
        p.time = start + 1000;
        if (weekday == 0) Cheaper(p);
        if (weekday == 0 && week == 2) p.numbers[NumberAt("tenure")] = 1;
      });
      number += 300;
      bench.clock.Set(start + day + 61'000);
      for (const Alarm& a : bench.Pass())
        if (a.kind == "drift") raised.push_back(a.columns);
    }
  }
  ASSERT_EQ(raised.size(), 2u);
  EXPECT_EQ(raised[0], std::vector<std::string>{"monthly_charges"});  // the first Monday has only the training data to compare with
  EXPECT_EQ(raised[1], std::vector<std::string>{"tenure"});
}

}  // namespace
}  // namespace rondo::monitor
