// Logged models: life, metrics on datasets, search.
#include <gtest/gtest.h>

#include "base/file.h"
#include "tracking/logged_models.h"

namespace rondo::tracking {
namespace {

struct LoggedModelsTest : ::testing::Test {
  TempDir dir;
  FakeClock clock;
  std::unique_ptr<db::Database> db = *db::OpenSqlite(dir.path() / "x.db", {.durable = false});
  std::unique_ptr<Tracking> t;
  std::unique_ptr<LoggedModels> models;
  void SetUp() override {
    ASSERT_TRUE(db->Migrate("tracking", Migrations()));
    t = MakeTracking(*db, clock);
    models = MakeLoggedModels(*db, clock);
  }
  LoggedModel Make(const std::string& name, std::vector<KeyValue> params = {}, std::vector<KeyValue> tags = {}) {
    clock.Advance(10);
    LoggedModel request;
    request.experiment_id = "0";
    request.name = name;
    request.params = std::move(params);
    request.tags = std::move(tags);
    auto made = models->Create(request);
    EXPECT_TRUE(made) << (made ? "" : made.error().Text());
    return made.value_or(LoggedModel{});
  }
};

TEST_F(LoggedModelsTest, LiveAndGo) {
  const LoggedModel m = Make("churn", {{"depth", "4"}}, {{"team", "growth"}});
  EXPECT_EQ(m.model_id.size(), 34u);
  EXPECT_EQ(m.status, "PENDING");
  EXPECT_EQ(m.artifact_uri, "mlflow-artifacts:/0/models/" + m.model_id + "/artifacts");
  EXPECT_EQ(m.params[0].value, "4");
  EXPECT_FALSE(Make("").name.empty());
  EXPECT_EQ(models->Finalize(m.model_id, "READY")->status, "READY");
  EXPECT_FALSE(models->Finalize(m.model_id, "BOGUS"));
  EXPECT_EQ(models->SetTags(m.model_id, {{"a", "1"}, {"team", "risk"}})->tags.size(), 2u);
  ASSERT_TRUE(models->DeleteTag(m.model_id, "a"));
  EXPECT_EQ(models->DeleteTag(m.model_id, "a").error().code, Code::kNotFound);
  ASSERT_TRUE(models->LogParams(m.model_id, {{"rate", "0.1"}}));
  EXPECT_EQ(models->Get(m.model_id)->params.size(), 2u);
  ASSERT_TRUE(models->Delete(m.model_id));
  EXPECT_EQ(models->Get(m.model_id).error().message, "Logged model with ID '" + m.model_id + "' not found.");
  LoggedModel bad;
  bad.experiment_id = "0";
  bad.name = "a/b";
  EXPECT_FALSE(models->Create(bad));
  bad.name = "x";
  bad.experiment_id = "99";
  EXPECT_EQ(models->Create(bad).error().code, Code::kNotFound);
}

TEST_F(LoggedModelsTest, MetricsComeWithTheRunsBatch) {
  const tracking::Run run = *t->CreateRun("0", "u", "r", 1, {});
  const LoggedModel m = Make("a");
  LogBatch batch;
  batch.metrics = {{"auc", 0.8, 1, 0}};
  batch.model_metrics = {{{"auc", 0.8, 1, 0}, m.model_id, "", "test", "d1"}, {{"auc", 0.7, 1, 0}, "m-elsewhere", "", "", ""}};
  ASSERT_TRUE(t->Log(run.run_id, batch));
  batch.model_metrics = {{{"auc", 0.9, 2, 1}, m.model_id, "", "test", "d1"}, {{"auc", 0.6, 2, 1}, m.model_id, "", "train", "d0"}};
  ASSERT_TRUE(t->Log(run.run_id, batch));
  const auto metrics = models->Get(m.model_id)->metrics;
  ASSERT_EQ(metrics.size(), 2u) << "the newest per dataset";
  EXPECT_EQ(metrics[0].metric.value, 0.9);
  EXPECT_EQ(metrics[0].run_id, run.run_id);
  EXPECT_EQ(metrics[1].dataset_name, "train");
}

TEST_F(LoggedModelsTest, Search) {
  const tracking::Run run = *t->CreateRun("0", "u", "r", 1, {});
  const LoggedModel a = Make("a", {{"depth", "4"}}), b = Make("b", {}, {{"team", "x"}}), c = Make("c");
  LogBatch batch;
  batch.model_metrics = {{{"auc", 0.8, 1, 0}, a.model_id, "", "test", "d1"}, {{"auc", 0.9, 1, 0}, b.model_id, "", "train", "d2"}};
  ASSERT_TRUE(t->Log(run.run_id, batch));
  ASSERT_TRUE(models->Finalize(b.model_id, "READY"));
  const auto find = [&](LoggedModelQuery q) {
    std::string token, names;
    q.experiment_ids = {"0"};
    const auto found = models->Search(q, token);
    EXPECT_TRUE(found) << (found ? "" : found.error().message);
    if (found)
      for (const LoggedModel& m : *found) names += m.name;
    return names;
  };
  EXPECT_EQ(find({}), "cba");
  EXPECT_EQ(find({.filter = "name = 'a'"}), "a");
  EXPECT_EQ(find({.filter = "status = 'READY'"}), "b");
  EXPECT_EQ(find({.filter = "name IN ('a', 'c') AND creation_timestamp > 0"}), "ca");
  EXPECT_EQ(find({.filter = "metrics.auc > 0.7"}), "ba");
  EXPECT_EQ(find({.filter = "metrics.auc > 0.7", .datasets = {{"test", ""}}}), "a");
  EXPECT_EQ(find({.datasets = {{"train", "d2"}}}), "b");
  EXPECT_EQ(find({.filter = "params.depth = '4'"}), "a");
  EXPECT_EQ(find({.filter = "tags.team LIKE 'x%'"}), "b");
  EXPECT_EQ(find({.order_by = {{.field = "metrics.auc", .ascending = false}}}), "bac");
  EXPECT_EQ(find({.order_by = {{.field = "metrics.auc", .ascending = false, .dataset_name = "test"}}}), "acb");
  EXPECT_EQ(find({.order_by = {{.field = "name"}}}), "abc");
  std::string token;
  LoggedModelQuery query;
  query.experiment_ids = {"0"};
  query.max_results = 2;
  EXPECT_EQ(models->Search(query, token)->size(), 2u);
  query.page_token = token;
  EXPECT_EQ((*models->Search(query, token))[0].name, "a");
  EXPECT_TRUE(token.empty());
  query.page_token.clear();
  for (const char* field : {"nope", "params.x"}) {
    query.order_by = {{.field = field}};
    EXPECT_EQ(models->Search(query, token).error().code, Code::kInvalid) << field;
  }
}

}  // namespace
}  // namespace rondo::tracking
