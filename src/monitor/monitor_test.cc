// The whole monitor on a data folder: real prediction log, registered version, alarms to audit, lineage, event bus, retraining.
#include "monitor/monitor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/metrics.h"
#include "monitor/testing.h"

namespace rondo::monitor {
namespace {

using testing::MakePrediction;
using testing::Shuffled;
using testing::Telco;

class MonitorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = workspace::Workspace::Open(folder_.path() / "data", clock_);
    ASSERT_TRUE(opened) << opened.error().Text();
    workspace_ = std::move(*opened);
    rows_ = Shuffled(Telco().rows(), 3);
    auto& tracking = workspace_->tracking();
    const auto experiment = tracking.EnsureExperiment("churn");
    ASSERT_TRUE(experiment);
    const auto run = tracking.CreateRun(*experiment, "anna", "train", clock_.NowMs(), {});
    ASSERT_TRUE(run);
    const auto reference = BuildReference(testing::TelcoSignature(), Telco().Take({rows_.begin(), rows_.begin() + 3000}), Telco().Take({rows_.begin() + 3000, rows_.begin() + 4500}),
                                          testing::TelcoScored(Telco().Take({rows_.begin() + 3000, rows_.begin() + 4500})));
    ASSERT_TRUE(reference) << reference.error().Text();
    const fs::path file = folder_.path() / "reference.json";
    ASSERT_TRUE(WriteFileAtomic(file, reference->Dump(Json::NonFinite::kNull)));
    ASSERT_TRUE(workspace_->LogArtifact(*run, file, "reference.json"));
    ASSERT_TRUE(workspace_->registry().EnsureModel("churn"));
    registry::Version version;
    version.name = "churn";
    version.run_id = run->run_id;
    version.source = run->artifact_uri + "/model";
    ASSERT_TRUE(workspace_->registry().CreateVersion(version));
    options_.spec.window_rows = 500;
    options_.bus = &bus_;
  }
  std::unique_ptr<Monitor> Open() {
    auto monitor = Monitor::Open(*workspace_, options_);
    EXPECT_TRUE(monitor) << monitor.error().Text();
    return std::move(*monitor);
  }
  void Predict(int64_t n, bool drifted) {
    if (!writer_) {
      auto opened = data::OpenPredictionWriter(workspace_->folder() / "predictions" / "churn");
      ASSERT_TRUE(opened) << opened.error().Text();
      writer_ = std::move(*opened);
    }
    std::vector<data::Prediction> batch;
    for (int64_t i = 0; i < n; ++i, ++number_) {
      batch.push_back(MakePrediction(Telco(), rows_[4500 + static_cast<size_t>(number_) % 2500], number_, clock_.NowMs() + i));
      if (drifted) batch.back().numbers[4] = std::floor(batch.back().numbers[4] * 0.4f);  // tenure
    }
    ASSERT_TRUE(writer_->Append(batch));
  }
  TempDir folder_;
  FakeClock clock_;
  EventBus bus_;
  MonitorOptions options_;
  std::unique_ptr<workspace::Workspace> workspace_;
  std::unique_ptr<data::PredictionWriter> writer_;
  std::vector<size_t> rows_;
  int64_t number_ = 0;
};

TEST_F(MonitorTest, DriftReachesAuditLineageBusMetricsAndRetraining) {
  options_.retrain.enabled = options_.retrain.on_drift = true;
  std::vector<std::string> causes, events;
  options_.retrain_now = [&](const RetrainDecision& d) -> Result<std::string> {
    causes.push_back(d.cause_id);
    return "run1";
  };
  bus_.Subscribe<AlarmRaised>([&](const AlarmRaised& e) { events.push_back(e.alarm.kind); });
  auto monitor = Open();
  Predict(500, false);
  ASSERT_TRUE(monitor->Pass());
  EXPECT_TRUE(monitor->Alarms("churn")->empty());
  Predict(500, true);
  ASSERT_TRUE(monitor->Pass());
  ASSERT_TRUE(monitor->Pass());
  const auto alarms = *monitor->Alarms("churn");
  const auto drift = std::find_if(alarms.begin(), alarms.end(), [](const Alarm& a) { return a.kind == "drift"; });
  ASSERT_NE(drift, alarms.end());
  EXPECT_EQ(drift->columns, std::vector<std::string>{"tenure"});
  EXPECT_EQ(causes, std::vector<std::string>{"alarm:" + drift->id});
  EXPECT_EQ(std::count(events.begin(), events.end(), "drift"), 1);
  const auto audit = workspace_->audit().List(0, 10, "endpoint churn");
  ASSERT_TRUE(audit);
  EXPECT_EQ(std::count_if(audit->begin(), audit->end(), [](const auto& e) { return e.action == "alarm.raise" && e.actor == "rondo:monitor"; }), static_cast<int64_t>(alarms.size()));
  const auto edges = workspace_->registry().EdgesOf("alarm", drift->id);
  ASSERT_TRUE(edges);
  EXPECT_EQ(edges->size(), 2u);  // version raised it, it caused the run
  const std::string text = MetricsRegistry::Global().PrometheusText();
  EXPECT_NE(text.find("rondo_drift_psi{endpoint=\"churn\",column=\"tenure\"}"), std::string::npos);
  EXPECT_NE(text.find("rondo_alarms_total{kind=\"drift\"}"), std::string::npos);
  EXPECT_EQ(monitor->retrain().History(5)->front().run, "run1");
}

TEST_F(MonitorTest, LabelsFromAnotherProcessAreNoticedAndFeedbackIsWritten) {
  auto server = Open();
  Predict(500, false);
  ASSERT_TRUE(server->Pass());
  {
    auto other = Open();  // `rondo label add`
    std::vector<LabelRow> labels;
    for (int64_t i = 0; i < 300; ++i) labels.push_back({fmt::format("{:032x}", i), "", Telco().Find("churn")->strings[rows_[4500 + static_cast<size_t>(i)]], {}});
    const auto counts = other->TakeLabels("churn", labels, "anna");
    ASSERT_TRUE(counts) << counts.error().Text();
    EXPECT_EQ(counts->joined, 300);
  }
  ASSERT_TRUE(server->Pass());
  const Json view = *server->View("churn");
  ASSERT_EQ(view["performance"].size(), 1u);
  EXPECT_DOUBLE_EQ(view["performance"][0]["coverage"].AsDouble(), 0.6);
  EXPECT_TRUE(view["baseline"]["value"].IsNumber());
  const fs::path file = folder_.path() / "feedback.parquet";
  const auto written = server->WriteFeedback("churn", file);
  ASSERT_TRUE(written) << written.error().Text();
  EXPECT_EQ(*written, 300);
  const auto frame = table::ReadTable(file);
  ASSERT_TRUE(frame) << frame.error().Text();
  EXPECT_EQ(frame->rows(), 300u);
  EXPECT_EQ(frame->columns.size(), Telco().columns.size());
  const auto bad = server->TakeLabels("churn", {{"x", "", "Perhaps", {}}}, "anna");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::kInvalid);
  EXPECT_EQ(server->TakeLabels("../etc", {{"x", "", "Yes", {}}}, "anna").error().code, Code::kNotFound);
  EXPECT_EQ(server->View("nothing").error().code, Code::kNotFound);
}

TEST_F(MonitorTest, TheThreadFollowsWhenWokenAndOneServerMonitorsAFolder) {
  auto monitor = Open();
  ASSERT_TRUE(monitor->Start());
  auto second = Open();
  EXPECT_EQ(second->Start().error().code, Code::kConflict);
  EXPECT_FALSE(*second->PassIfAlone());
  Predict(500, true);
  monitor->Wake();
  for (int i = 0; i < 500 && monitor->Alarms("churn")->empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(monitor->Alarms("churn")->empty());
  monitor->Stop();
  EXPECT_TRUE(*second->PassIfAlone());
}

TEST_F(MonitorTest, ADamagedReferenceLeavesTheCountsAndSaysSo) {
  const auto v = workspace_->registry().GetVersion("churn", 1);
  ASSERT_TRUE(v);
  const auto file = workspace_->ArtifactPath(v->source.substr(0, v->source.rfind('/')), "reference.json");
  ASSERT_TRUE(file);
  fs::permissions(*file, fs::perms::owner_all);
  ASSERT_TRUE(WriteFileAtomic(*file, "{\"format\": 1, \"columns\": 3}"));
  auto monitor = Open();
  Predict(500, true);
  ASSERT_TRUE(monitor->Pass());
  const Json view = *monitor->View("churn");
  EXPECT_EQ(view["rows"].AsInt(), 500);
  EXPECT_FALSE(view["reference"].AsBool());
  EXPECT_TRUE(monitor->Alarms("churn")->empty());
}

TEST_F(MonitorTest, AStartThatFailsIsSettledAndSaysWhy) {
  options_.retrain.enabled = options_.retrain.on_drift = true;
  int calls = 0;
  options_.retrain_now = [&](const RetrainDecision&) -> Result<std::string> { return ++calls, Fail(Code::kEnvironment, "no disk"); };
  auto monitor = Open();
  Predict(500, true);
  EXPECT_TRUE(monitor->Pass());
  EXPECT_TRUE(monitor->Pass());
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace rondo::monitor
