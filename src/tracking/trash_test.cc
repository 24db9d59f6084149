// The trash: what is listed, what purging leaves (nothing), ids and names after it, moved and copied runs.
#include "tracking/trash.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tracking/logged_models.h"
#include "tracking/places.h"
#include "tracking/tracking.h"

namespace rondo::tracking {
namespace {

class TrashTest : public ::testing::Test {
 protected:
  void SetUp() override {
    db_ = *db::OpenSqlite(dir_.path() / "a.db", {.durable = false});
    ASSERT_TRUE(db_->Migrate("tracking", Migrations()));
    t_ = MakeTracking(*db_, clock_);
    models_ = MakeLoggedModels(*db_, clock_);
  }
  /// A run with something in every table.
  std::string FullRun(const std::string& experiment) {
    const std::string id = t_->CreateRun(experiment, "anna", "full", 5, {{"k", "v"}})->run_id;
    LogBatch batch{{{"m", 1, 1, 1}, {"m", 2, 2, 2}, {"n", 3, 3, 3}}, {{"p", "1"}}, {{"t", "x"}}};
    EXPECT_TRUE(t_->Log(id, batch));
    EXPECT_TRUE(t_->LogInputs(id, {{"d", "abc", "local", "{}", "", "", "training", {}}}));
    LoggedModel m;
    m.experiment_id = experiment;
    m.name = "model";
    m.source_run_id = id;
    m.params = {{"a", "b"}};
    m.tags = {{"a", "b"}};
    const auto made = models_->Create(m);
    EXPECT_TRUE(made);
    EXPECT_TRUE(t_->LogModels(id, {}, {{made->model_id, 0}}));
    EXPECT_TRUE(t_->Log(id, {{}, {}, {}, {{{"mm", 1, 1, 1}, made->model_id, "", "d", "abc"}}}));
    return id;
  }
  int64_t Count(const std::string& sql) {
    return *db::Fetch<int64_t>(*db_, [&](db::Session& s) -> Result<int64_t> {
      RONDO_TRY(const auto n, s.QueryInt(sql));
      return n.value_or(0);
    });
  }
  std::vector<std::string> TablesWith(const std::string& column) {
    std::vector<std::string> out;
    EXPECT_TRUE(db_->Read([&](db::Session& s) {
      return s.Query("SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = $1", {column}, [&](const db::Row& r) {
        out.push_back(r.String(0));
        return true;
      });
    }));
    return out;
  }

  TempDir dir_;
  FakeClock clock_;
  std::unique_ptr<db::Database> db_;
  std::unique_ptr<Tracking> t_;
  std::unique_ptr<LoggedModels> models_;
};

TEST_F(TrashTest, PurgingLeavesNothing) {
  const std::string gone = *t_->CreateExperiment("team/gone", {{"a", "b"}});
  const std::string stays = *t_->CreateExperiment("team/stays", {});
  const std::string run = FullRun(gone);
  const std::string other = FullRun(stays);
  const int64_t others = Count("SELECT count(*) FROM metric");
  EXPECT_FALSE(PurgeOne(*db_, "experiment", gone, 1)) << "it is not in the trash";
  EXPECT_FALSE(PurgeOne(*db_, "run", run, 1));
  ASSERT_TRUE(t_->SetExperimentDeleted(gone, true));
  const auto listed = *ListTrash(*db_, 10);
  ASSERT_EQ(listed.size(), 1u) << "its runs are in it";
  EXPECT_EQ(listed[0].kind, "experiment");
  EXPECT_EQ(listed[0].runs, 1);
  EXPECT_EQ(listed[0].deleted, clock_.NowMs());
  EXPECT_FALSE(t_->CreateExperiment("team/gone", {})) << "the name is taken while it can come back";
  const auto report = PurgeOne(*db_, "experiment", gone, 1);
  ASSERT_TRUE(report) << report.error().Text();
  EXPECT_EQ(report->experiments, 1);
  EXPECT_EQ(report->runs, 1);
  EXPECT_EQ(report->logged_models, 1);
  // Of every table that knows runs, models or experiments, also those that come later: what hung on the purged run is gone, what hung on the other isn't.
  for (const std::string& table : TablesWith("run")) EXPECT_EQ(Count("SELECT count(*) FROM " + table + " WHERE run NOT IN (SELECT id FROM run)"), 0) << table << ": add it to kRunTables in trash.cc";
  for (const std::string& table : TablesWith("model_id")) EXPECT_EQ(Count("SELECT count(*) FROM " + table + " WHERE model_id NOT IN (SELECT model_id FROM logged_model)"), 0) << table;
  for (const std::string& table : TablesWith("experiment_id")) EXPECT_EQ(Count("SELECT count(*) FROM " + table + " WHERE experiment_id NOT IN (SELECT id FROM experiment)"), 0) << table;
  EXPECT_EQ(Count("SELECT count(*) FROM metric"), others / 2);
  EXPECT_EQ(t_->GetRun(other)->metrics.size(), 2u);
  EXPECT_FALSE(t_->GetRun(run));
  const auto garbage = *ArtifactGarbage(*db_, 10);
  EXPECT_EQ(garbage.size(), 2u) << "of the run and of the model";
  for (const std::string& uri : garbage) EXPECT_TRUE(ForgetGarbage(*db_, uri));
  // The name is free, the number is not.
  const std::string again = *t_->CreateExperiment("team/gone", {});
  EXPECT_GT(std::stoll(again), std::stoll(stays));
  ASSERT_TRUE(t_->SetExperimentDeleted(again, true));
  ASSERT_TRUE(PurgeOne(*db_, "experiment", again, 1));
  EXPECT_EQ(std::stoll(*t_->CreateExperiment("next", {})), std::stoll(again) + 1) << "ids are never given twice, not even the newest";
}

TEST_F(TrashTest, RetentionCountsFromTheDeletion) {
  const std::string e = *t_->CreateExperiment("e", {});
  const std::string first = FullRun(e), second = FullRun(e), third = FullRun(e);
  ASSERT_TRUE(t_->SetRunDeleted(first, true));
  clock_.Advance(1000);
  ASSERT_TRUE(t_->SetRunDeleted(second, true));
  ASSERT_TRUE(t_->SetRunDeleted(third, true));
  ASSERT_TRUE(t_->SetRunDeleted(third, false));
  EXPECT_EQ(ListTrash(*db_, 10)->size(), 2u);
  EXPECT_EQ((*ListTrash(*db_, 10))[1].id, first) << "newest first";
  EXPECT_EQ(PurgeOld(*db_, clock_.NowMs() - 1001, 1)->runs, 0);
  EXPECT_EQ(PurgeOld(*db_, clock_.NowMs() - 1000, 1)->runs, 1);
  EXPECT_FALSE(t_->GetRun(first));
  EXPECT_TRUE(t_->GetRun(second));
  // Deleting again what is deleted starts nothing anew.
  ASSERT_TRUE(t_->SetRunDeleted(second, true));
  clock_.Advance(5000);
  ASSERT_TRUE(t_->SetRunDeleted(second, true));
  EXPECT_EQ((*ListTrash(*db_, 10))[0].deleted, clock_.NowMs() - 5000);
  EXPECT_EQ(PurgeOld(*db_, clock_.NowMs(), 1)->runs, 1);
  EXPECT_TRUE(t_->GetRun(third));
}

TEST_F(TrashTest, WhatIsNotTrash) {
  EXPECT_FALSE(PurgeOne(*db_, "planet", "x", 1));
  EXPECT_FALSE(PurgeOne(*db_, "run", "x", 1));
  EXPECT_FALSE(PurgeOne(*db_, "experiment", "x", 1));
  ASSERT_TRUE(t_->SetExperimentDeleted("0", true));
  EXPECT_FALSE(PurgeOne(*db_, "experiment", "0", 1));
  EXPECT_EQ(PurgeOld(*db_, clock_.NowMs(), 1)->experiments, 0);
  EXPECT_TRUE(t_->GetExperiment("0"));
}

TEST_F(TrashTest, WhatWasBegunIsFinished) {
  const std::string e = *t_->CreateExperiment("e", {});
  const std::string run = FullRun(e);
  ASSERT_TRUE(t_->SetExperimentDeleted(e, true));
  // As after a kill between marking and deleting.
  ASSERT_TRUE(db_->Write([&](db::Session& s) -> Status {
    RONDO_TRY([[maybe_unused]] const int64_t n, s.Exec("UPDATE experiment SET lifecycle_stage = 'purging' WHERE name = 'e'"));
    return {};
  }));
  EXPECT_FALSE(t_->SetExperimentDeleted(e, false)) << "half of it may be gone: it does not come back";
  EXPECT_EQ(PurgeOld(*db_, 0, 1)->runs, 1);
  EXPECT_FALSE(t_->GetExperiment(e));
}

TEST_F(TrashTest, MovedRunsTakeEverythingAlong) {
  const std::string from = *t_->CreateExperiment("a/x", {}), to = *t_->CreateExperiment("b/x", {});
  const std::string run = FullRun(from), stays = FullRun(from);
  const tracking::Run before = *t_->GetRun(run);
  ASSERT_TRUE(MoveRuns(*db_, {run}, to, 1));
  const tracking::Run after = *t_->GetRun(run);
  EXPECT_EQ(after.experiment_id, to);
  EXPECT_EQ(after.artifact_uri, before.artifact_uri);
  EXPECT_EQ(after.metrics, before.metrics);
  ASSERT_EQ(after.inputs.size(), 1u);
  EXPECT_EQ(after.inputs[0].name, "d");
  EXPECT_EQ(PlaceOfRun(*db_, run)->experiment_name, "b/x");
  EXPECT_EQ(PlaceOfLoggedModel(*db_, after.outputs[0].model_id)->experiment_id, to);
  EXPECT_EQ(t_->GetRun(stays)->inputs.size(), 1u);
  // All or none.
  EXPECT_FALSE(MoveRuns(*db_, {stays, "0123456789abcdef0123456789abcdef"}, to, 1));
  EXPECT_EQ(t_->GetRun(stays)->experiment_id, from);
  EXPECT_FALSE(MoveRuns(*db_, {stays}, "999", 1));
  ASSERT_TRUE(t_->SetExperimentDeleted(to, true));
  EXPECT_FALSE(MoveRuns(*db_, {stays}, to, 1));
  // The old experiment goes; the moved run stays, files and all.
  ASSERT_TRUE(t_->SetExperimentDeleted(to, false));
  ASSERT_TRUE(t_->SetExperimentDeleted(from, true));
  ASSERT_TRUE(PurgeOne(*db_, "experiment", from, 1));
  EXPECT_EQ(t_->GetRun(run)->inputs.size(), 1u);
  const auto garbage = *ArtifactGarbage(*db_, 10);
  EXPECT_FALSE(garbage.empty());
  for (const std::string& uri : garbage) EXPECT_EQ(uri.find(run), std::string::npos);
}

TEST_F(TrashTest, CopiesAreWhole) {
  const std::string from = *t_->CreateExperiment("a", {}), to = *t_->CreateExperiment("b", {});
  const std::string run = FullRun(from);
  const auto id = CopyRun(*db_, run, to, 1);
  ASSERT_TRUE(id) << id.error().Text();
  const tracking::Run a = *t_->GetRun(run), b = *t_->GetRun(*id);
  EXPECT_EQ(b.metrics, a.metrics);
  EXPECT_EQ(b.params.size(), a.params.size());
  EXPECT_EQ(b.start_time, a.start_time);
  EXPECT_EQ(b.inputs.size(), 1u);
  EXPECT_EQ(b.artifact_uri, "mlflow-artifacts:/" + to + "/" + *id + "/artifacts");
  EXPECT_EQ(b.tags.size(), a.tags.size() + 1);
  std::string token;
  EXPECT_EQ(t_->MetricHistory(*id, "m", 0, token)->size(), 2u);
  // They live apart.
  EXPECT_TRUE(t_->Log(*id, {{{"m", 9, 9, 9}}, {}, {}}));
  EXPECT_EQ(t_->MetricHistory(run, "m", 0, token)->size(), 2u);
}

}  // namespace
}  // namespace rondo::tracking
