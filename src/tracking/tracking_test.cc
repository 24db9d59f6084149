// Experiments, runs, logging and search against MLflow's rules (texts and orders as its 3.17 server gives them).
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "base/file.h"
#include "tracking/tracking.h"

namespace rondo::tracking {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

struct TrackingTest : ::testing::Test {
  TempDir dir;
  FakeClock clock;
  std::unique_ptr<db::Database> db = *db::OpenSqlite(dir.path() / "x.db", {.durable = false});
  std::unique_ptr<Tracking> t;

  void SetUp() override {
    const Status migrated = db->Migrate("tracking", Migrations());
    ASSERT_TRUE(migrated) << migrated.error().Text();
    t = MakeTracking(*db, clock);
  }
  tracking::Run NewRun(const std::string& experiment = "0", const std::string& name = {}) {
    clock.Advance(10);
    auto run = t->CreateRun(experiment, "anna", name, clock.NowMs(), {});
    EXPECT_TRUE(run) << (run ? "" : run.error().Text());
    return run.value_or(tracking::Run{});
  }
  void Log(const tracking::Run& run, std::vector<Metric> metrics, std::vector<KeyValue> params = {}, std::vector<KeyValue> tags = {}) {
    const Status status = t->Log(run.run_id, {std::move(metrics), std::move(params), std::move(tags)});
    EXPECT_TRUE(status) << (status ? "" : status.error().Text());
  }
  std::vector<std::string> Found(const std::string& filter, std::vector<std::string> order_by = {}, const std::string& view = "ACTIVE_ONLY") {
    RunQuery query;
    query.experiment_ids = {"0"};
    query.filter = filter;
    query.order_by = std::move(order_by);
    query.view = view;
    const auto page = t->SearchRuns(query);
    EXPECT_TRUE(page) << filter << ": " << (page ? "" : page.error().Text());
    std::vector<std::string> names;
    if (page)
      for (const tracking::Run& run : page->runs) names.push_back(run.run_name);
    return names;
  }
};
using Names = std::vector<std::string>;

TEST_F(TrackingTest, DefaultExperimentAndNames) {
  EXPECT_EQ(t->GetExperiment("0")->name, "Default");
  EXPECT_EQ(t->GetExperimentByName("Default")->experiment_id, "0");
  const std::string id = *t->CreateExperiment("churn", {{"team", "growth"}});
  EXPECT_EQ(t->GetExperiment(id)->artifact_location, "mlflow-artifacts:/" + id);
  EXPECT_EQ(t->GetExperiment(id)->tags[0].value, "growth");
  EXPECT_EQ(*t->EnsureExperiment("churn"), id);
  EXPECT_EQ(t->CreateExperiment("churn", {}).error().message, "Experiment(name=churn) already exists.");
  EXPECT_EQ(t->GetExperiment("77").error().message, "No Experiment with id=77 exists");
  EXPECT_EQ(t->GetExperiment("abc").error().code, Code::kNotFound);
  EXPECT_EQ(t->GetExperimentByName("x").error().message, "Could not find experiment with name 'x'");
  EXPECT_FALSE(t->CreateExperiment("", {}));
  EXPECT_FALSE(t->CreateExperiment(std::string(501, 'x'), {}));
  ASSERT_TRUE(t->UpdateExperiment(id, "leavers"));
  EXPECT_EQ(t->GetExperiment(id)->name, "leavers");
  ASSERT_TRUE(t->SetExperimentTag(id, {"team", "risk"}));
  ASSERT_TRUE(t->DeleteExperimentTag(id, "team"));
  EXPECT_EQ(t->DeleteExperimentTag(id, "team").error().code, Code::kNotFound);
}

TEST_F(TrackingTest, DeletingAnExperimentDeletesItsRuns) {
  const std::string id = *t->CreateExperiment("e", {});
  const tracking::Run run = NewRun(id);
  ASSERT_TRUE(t->SetExperimentDeleted(id, true));
  EXPECT_EQ(t->SetExperimentDeleted(id, true).error().code, Code::kNotFound);
  EXPECT_EQ(t->GetRun(run.run_id)->lifecycle_stage, "deleted");
  EXPECT_EQ(t->Log(run.run_id, {{{"m", 1, 0, 0}}, {}, {}}).error().message, "The run " + run.run_id + " must be in the 'active' state. Current state is deleted.");
  EXPECT_FALSE(t->CreateRun(id, "u", "", 1, {}));
  EXPECT_EQ(t->CreateExperiment("e", {}).error().code, Code::kAlreadyExists) << "names stay taken";
  ASSERT_TRUE(t->SetExperimentDeleted(id, false));
  EXPECT_EQ(t->GetRun(run.run_id)->lifecycle_stage, "active");
}

TEST_F(TrackingTest, RunsHaveNamesStatusAndTags) {
  const tracking::Run run = *t->CreateRun("0", "anna", "", 123, {{"mlflow.runName", "first"}, {"k", "v"}});
  EXPECT_EQ(run.run_id.size(), 32u);
  EXPECT_EQ(run.run_name, "first");
  EXPECT_EQ(run.status, "RUNNING");
  EXPECT_EQ(run.artifact_uri, "mlflow-artifacts:/0/" + run.run_id + "/artifacts");
  EXPECT_FALSE(run.end_time);
  EXPECT_FALSE(t->CreateRun("0", "", "a", 1, {{"mlflow.runName", "b"}}));
  EXPECT_FALSE(NewRun().run_name.empty());
  const tracking::Run ended = *t->UpdateRun(run.run_id, "FINISHED", 456, "second");
  EXPECT_EQ(ended.status, "FINISHED");
  EXPECT_EQ(ended.end_time, 456);
  EXPECT_EQ(ended.run_name, "second");
  ASSERT_TRUE(t->Log(run.run_id, {{}, {}, {{"mlflow.runName", "third"}}}));
  EXPECT_EQ(t->GetRun(run.run_id)->run_name, "third");
  EXPECT_FALSE(t->UpdateRun(run.run_id, "BOGUS", {}, ""));
  EXPECT_EQ(t->GetRun("nope").error().message, "Run with id=nope not found");
  ASSERT_TRUE(t->DeleteTag(run.run_id, "k"));
  EXPECT_EQ(t->DeleteTag(run.run_id, "k").error().message, "No tag with name: k in run with id " + run.run_id);
  ASSERT_TRUE(t->SetRunDeleted(run.run_id, true));
  ASSERT_TRUE(t->SetRunDeleted(run.run_id, true));
  EXPECT_FALSE(t->UpdateRun(run.run_id, "", {}, "x"));
}

TEST_F(TrackingTest, LatestIsTheHighestStepThenTimeThenValue) {
  const tracking::Run run = NewRun();
  Log(run, {{"a", 1, 100, 5}, {"a", 9, 999, 4}});
  Log(run, {{"a", 2, 100, 5}});
  Log(run, {{"a", 1.5, 100, 5}, {"a", 7, 99, 5}});
  Log(run, {{"neg", 3, 1, -2}, {"neg", 4, 1, -3}});
  Log(run, {{"nan", -1, 1, 0}, {"nan", kNan, 1, 0}});  // NaN counts as 0
  Log(run, {{"nan2", 1, 1, 0}, {"nan2", kNan, 1, 0}});
  const tracking::Run got = *t->GetRun(run.run_id);
  ASSERT_EQ(got.metrics.size(), 4u);
  EXPECT_EQ(got.metrics[0], (Metric{"a", 2, 100, 5}));
  EXPECT_TRUE(std::isnan(got.metrics[1].value));
  EXPECT_EQ(got.metrics[2].value, 1);
  EXPECT_EQ(got.metrics[3], (Metric{"neg", 3, 1, -2}));
}

TEST_F(TrackingTest, HistoryKeepsEveryValueOnceAndExactly) {
  const tracking::Run run = NewRun();
  const double awkward[] = {0.1, -0.0, 1e-308, 5e-324, 1.7976931348623157e308, kInf, -kInf, kNan, 1.0 / 3};
  std::vector<Metric> metrics;
  int64_t step = 0;
  for (const double v : awkward) metrics.push_back({"m", v, 10, step++});
  Log(run, metrics);
  Log(run, metrics);  // a client repeats after a lost answer
  std::string token;
  const auto all = *t->MetricHistory(run.run_id, "m", 0, token);
  ASSERT_EQ(all.size(), std::size(awkward));
  EXPECT_TRUE(token.empty());
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].step, static_cast<int64_t>(i));
    if (std::isnan(awkward[i])) {
      EXPECT_TRUE(std::isnan(all[i].value));
    } else {
      EXPECT_EQ(all[i].value, awkward[i]);
    }
  }
  std::vector<Metric> paged;
  do {
    const auto page = *t->MetricHistory(run.run_id, "m", 4, token);
    EXPECT_LE(page.size(), 4u);
    paged.insert(paged.end(), page.begin(), page.end());
  } while (!token.empty());
  EXPECT_EQ(paged.size(), all.size());
  EXPECT_TRUE(t->MetricHistory(run.run_id, "none", 0, token)->empty());
  token = "!!";
  EXPECT_EQ(t->MetricHistory(run.run_id, "m", 0, token).error().message, "Invalid page token, could not base64-decode");
}

TEST_F(TrackingTest, ParamsNeverChange) {
  const tracking::Run run = NewRun();
  Log(run, {}, {{"p", "1"}});
  Log(run, {}, {{"p", "1"}});
  EXPECT_EQ(t->Log(run.run_id, {{}, {{"p", "2"}}, {}}).error().message,
            "Changing param values is not allowed. Param with key='p' was already logged with value='1' for run ID='" + run.run_id + "'. Attempted logging new value '2'.");
  // Atomic: nothing of a refused batch stays.
  const Status batch = t->Log(run.run_id, {{{"m", 1, 1, 1}}, {{"new", "x"}, {"p", "9"}}, {{"t", "v"}}});
  EXPECT_EQ(batch.error().message, "Changing param values is not allowed. Params were already logged='[{'key': 'p', 'old_value': '1', 'new_value': '9'}]' for run ID='" + run.run_id + "'.");
  const tracking::Run got = *t->GetRun(run.run_id);
  EXPECT_EQ(got.params.size(), 1u);
  EXPECT_TRUE(got.metrics.empty());
  EXPECT_EQ(got.tags.size(), 1u) << "only its name";
  Log(run, {}, {{"long", std::string(7000, 'x')}, {"none", ""}});
  const auto params = t->GetRun(run.run_id)->params;
  ASSERT_EQ(params.size(), 3u);
  EXPECT_EQ(params[0].value.size(), 6000u) << "long values are cut, as MLflow does";
}

TEST_F(TrackingTest, RefusesBadKeysAndOversizedBatches) {
  const tracking::Run run = NewRun();
  const auto refused = [&](const std::string& key) { return !t->Log(run.run_id, {{{key, 1, 1, 1}}, {}, {}}); };
  for (const char* key : {"", "..", "../x", "/x", "a//b", "a/./b", "a/../b", "a/", "a;b", "a\"b", "a\nb", "a%b"}) EXPECT_TRUE(refused(key)) << key;
  EXPECT_TRUE(refused(std::string(251, 'k')));
  for (const char* key : {"a", "a/b", "a b", "a.b-c_d:e", "größe", "..a/b", ".x"}) EXPECT_EQ(refused(key), std::string_view(key).starts_with("..")) << key;
  EXPECT_TRUE(!t->Log(run.run_id, {{{"m", 1, -1, 0}}, {}, {}})) << "negative time";
  LogBatch many;
  many.metrics.resize(1001, {"m", 1, 1, 1});
  EXPECT_EQ(t->Log(run.run_id, many).error().message,
            "A batch logging request can contain at most 1000 metrics. Got 1001 metrics. Please split up metrics across multiple requests and try again.");
  EXPECT_FALSE(t->Log(run.run_id, {{}, {{"a", "1"}, {"a", "1"}}, {}})) << "a param twice";
  EXPECT_EQ(t->Log("missing", {}).error().code, Code::kNotFound);
}

TEST_F(TrackingTest, InputsAndModels) {
  const tracking::Run run = NewRun();
  const DatasetInput input{"customers", "abc123", "local", "{\"uri\":\"x\"}", "{}", "{}", "training", {{"k", "v"}}};
  ASSERT_TRUE(t->LogInputs(run.run_id, {input}));
  ASSERT_TRUE(t->LogInputs(run.run_id, {input}));
  ASSERT_TRUE(t->LogModels(run.run_id, {"m-in"}, {{"m-out", 3}}));
  const tracking::Run got = *t->GetRun(run.run_id);
  ASSERT_EQ(got.inputs.size(), 1u);
  EXPECT_EQ(got.inputs[0].name, "customers");
  EXPECT_EQ(got.inputs[0].context, "training");
  EXPECT_EQ(got.inputs[0].tags[0].value, "v");
  EXPECT_EQ(got.model_inputs, std::vector<std::string>{"m-in"});
  ASSERT_EQ(got.outputs.size(), 1u);
  EXPECT_EQ(got.outputs[0].step, 3);
  EXPECT_EQ(Found("dataset.name = 'customers' AND dataset.context LIKE 'train%'"), Names{got.run_name});
  EXPECT_EQ(Found("dataset.digest IN ('zzz', 'abc123')"), Names{got.run_name});
  EXPECT_EQ(Found("dataset.name = 'other'"), Names{});
  EXPECT_FALSE(t->LogInputs(run.run_id, {DatasetInput{"", "d", "", "", "", "", "", {}}}));
}

TEST_F(TrackingTest, SearchFilters) {
  const tracking::Run a = NewRun("0", "a"), b = NewRun("0", "b"), c = NewRun("0", "c");
  Log(a, {{"auc", 0.8, 1, 1}, {"x y", 1, 1, 1}}, {{"depth", "4"}}, {{"team", "Growth"}});
  Log(b, {{"auc", 0.9, 1, 1}}, {{"depth", "6"}}, {{"team", "growing"}});
  Log(c, {{"auc", kNan, 1, 1}}, {{"rate", "0.1"}});
  ASSERT_TRUE(t->UpdateRun(b.run_id, "FINISHED", 99, ""));
  EXPECT_EQ(Found(""), (Names{"c", "b", "a"})) << "newest first";
  EXPECT_EQ(Found("metrics.auc > 0.8"), Names{"b"});
  EXPECT_EQ(Found("metrics.auc >= 0.8"), (Names{"b", "a"}));
  EXPECT_EQ(Found("metrics.auc != 0.8"), Names{"b"}) << "NaN and absent never match";
  EXPECT_EQ(Found("metrics.`x y` = 1"), Names{"a"});
  EXPECT_EQ(Found("params.depth = '4' AND metrics.auc < 1"), Names{"a"});
  EXPECT_EQ(Found("params.depth != '4'"), Names{"b"}) << "absent keys never match";
  EXPECT_EQ(Found("params.depth IS NULL"), Names{"c"});
  EXPECT_EQ(Found("params.depth IS NOT NULL"), (Names{"b", "a"}));
  EXPECT_EQ(Found("tags.team LIKE 'Gr%'"), Names{"a"}) << "LIKE is case-sensitive";
  EXPECT_EQ(Found("tags.team ILIKE 'GRO%'"), (Names{"b", "a"}));
  EXPECT_EQ(Found("tags.team LIKE '_rowth'"), Names{"a"});
  EXPECT_EQ(Found("status = 'FINISHED'"), Names{"b"});
  RunQuery list;
  list.filter = "attributes.run_name IN ('a', 'b')";
  EXPECT_EQ(t->SearchRuns(list).error().message, "Only ['run_id'] attributes support comparison with a list of quoted string values.");
}

TEST_F(TrackingTest, SearchFiltersByAttributes) {
  const tracking::Run a = NewRun("0", "a"), b = NewRun("0", "b");
  EXPECT_EQ(Found("run_id IN ('" + a.run_id + "', 'zz')"), Names{"a"});
  EXPECT_EQ(Found("run_id NOT IN ('" + a.run_id + "')"), Names{"b"});
  EXPECT_EQ(Found("start_time > " + std::to_string(a.start_time)), Names{"b"});
  EXPECT_EQ(Found("`run name` = 'b'"), Names{"b"});
  EXPECT_EQ(Found("user_id = 'anna' AND artifact_uri LIKE '%" + b.run_id + "%'"), Names{"b"});
  EXPECT_EQ(Found("end_time > 1"), Names{}) << "running runs have none";
  ASSERT_TRUE(t->SetRunDeleted(b.run_id, true));
  EXPECT_EQ(Found(""), Names{"a"});
  EXPECT_EQ(Found("", {}, "DELETED_ONLY"), Names{"b"});
  EXPECT_EQ(Found("", {}, "ALL"), (Names{"b", "a"}));
  RunQuery query;
  EXPECT_TRUE(t->SearchRuns(query)->runs.empty()) << "no experiments, no runs";
  query.experiment_ids = {"0", "abc", "99"};
  EXPECT_EQ(t->SearchRuns(query)->runs.size(), 1u);
  query.filter = "metrics.a > 1 OR metrics.b > 2";
  EXPECT_EQ(t->SearchRuns(query).error().message, "Invalid clause(s) in filter string: 'OR'");
  query.filter = "";
  query.view = "SOME";
  EXPECT_FALSE(t->SearchRuns(query));
}

TEST_F(TrackingTest, SearchOrdersWithNanBeforeAbsent) {
  const tracking::Run a = NewRun("0", "a"), b = NewRun("0", "b"), n = NewRun("0", "nan"), z = NewRun("0", "none"), i = NewRun("0", "inf");
  Log(a, {{"m", 1, 1, 1}}, {{"p", "x"}});
  Log(b, {{"m", 2, 1, 1}}, {{"p", "y"}});
  Log(n, {{"m", kNan, 1, 1}});
  Log(i, {{"m", -kInf, 1, 1}});
  EXPECT_EQ(Found("", {"metrics.m"}), (Names{"inf", "a", "b", "nan", "none"}));
  EXPECT_EQ(Found("", {"metrics.m DESC"}), (Names{"b", "a", "inf", "nan", "none"}));
  EXPECT_EQ(Found("", {"params.p desc", "start_time ASC"}), (Names{"b", "a", "nan", "none", "inf"}));
  EXPECT_EQ(Found("", {"attributes.run_name"}), (Names{"a", "b", "inf", "nan", "none"}));
  EXPECT_EQ(Found("", {"end_time DESC"}).size(), 5u);
}

TEST_F(TrackingTest, PagesMissNothingWhileRunsAreAdded) {
  std::vector<std::string> expected;
  for (int i = 0; i < 25; ++i) {
    const tracking::Run run = NewRun("0", "r" + std::to_string(i));
    if (i % 5) Log(run, {{"m", static_cast<double>(i % 3), 1, 1}});
  }
  for (const std::vector<std::string>& order : {Names{}, Names{"metrics.m DESC"}, Names{"metrics.m", "run_name DESC"}}) {
    RunQuery query;
    query.experiment_ids = {"0"};
    query.order_by = order;
    query.filter = "run_name LIKE 'r%'";
    const auto all = t->SearchRuns(query)->runs;
    ASSERT_EQ(all.size(), 25u);
    query.max_results = 7;
    std::vector<tracking::Run> paged;
    int added = 0;
    do {
      const auto page = t->SearchRuns(query);
      ASSERT_TRUE(page) << page.error().Text();
      paged.insert(paged.end(), page->runs.begin(), page->runs.end());
      query.page_token = page->next_page_token;
      (void)NewRun("0", "x" + std::to_string(added++));
    } while (!query.page_token.empty());
    ASSERT_EQ(paged.size(), all.size());
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(paged[i].run_id, all[i].run_id);
    query.max_results = 25;
    query.page_token.clear();
    EXPECT_TRUE(t->SearchRuns(query)->next_page_token.empty()) << "a full last page has no token";
  }
  RunQuery query;
  query.experiment_ids = {"0"};
  query.max_results = 5;
  const std::string token = t->SearchRuns(query)->next_page_token;
  query.page_token = token;
  query.order_by = {"metrics.m"};
  EXPECT_EQ(t->SearchRuns(query).error().code, Code::kInvalid) << "a token of another order";
}

TEST_F(TrackingTest, TheLargestSearchesStillRun) {
  (void)NewRun("0", "a");
  std::string filter;
  for (int i = 0; i < 300; ++i) filter += std::string(i ? " AND " : "") + "params.p" + std::to_string(i) + " IS NULL";
  EXPECT_EQ(Found(filter), Names{"a"});
  RunQuery query;
  query.experiment_ids.assign(20'000, "0");
  query.filter = filter + " AND params.x IS NULL";
  EXPECT_EQ(t->SearchRuns(query).error().code, Code::kInvalid);
  query.filter = "tags.`mlflow.runName` LIKE '" + std::string(9'900, '%') + "'";
  for (int i = 0; i < 50; ++i) query.order_by.push_back((i % 2 ? "metrics.m" : "params.m") + std::to_string(i));
  const auto page = t->SearchRuns(query);
  ASSERT_TRUE(page) << page.error().Text();
  EXPECT_EQ(page->runs.size(), 1u);
  query.order_by.push_back("metrics.more");
  EXPECT_EQ(t->SearchRuns(query).error().code, Code::kInvalid);
  query.order_by.clear();
  query.filter = "tags.a LIKE '" + std::string(10'001, '%') + "'";
  EXPECT_EQ(t->SearchRuns(query).error().code, Code::kInvalid);
  query.filter = "run_id IN ('a'" + [] {
    std::string list;
    for (int i = 0; i < 12'000; ++i) list += ",'a'";
    return list;
  }() + ")";
  EXPECT_TRUE(t->SearchRuns(query));
}

TEST_F(TrackingTest, SearchesExperiments) {
  for (const char* name : {"alpha", "Beta", "gamma"}) {
    clock.Advance(10);
    ASSERT_TRUE(t->CreateExperiment(name, {{"team", name}}));
  }
  const auto find = [&](const std::string& filter, std::vector<std::string> order = {}, const std::string& view = "ACTIVE_ONLY") {
    std::string token;
    const auto found = t->SearchExperiments(filter, view, 100, token, order);
    EXPECT_TRUE(found) << filter << (found ? "" : found.error().message);
    Names names;
    if (found)
      for (const Experiment& e : *found) names.push_back(e.name);
    return names;
  };
  EXPECT_EQ(find(""), (Names{"gamma", "Beta", "alpha", "Default"}));
  EXPECT_EQ(find("name ILIKE 'b%'"), Names{"Beta"});
  EXPECT_EQ(find("tags.team = 'alpha'"), Names{"alpha"});
  EXPECT_EQ(find("tag.team IS NULL"), Names{"Default"});
  EXPECT_EQ(find("experiment_id IN ('0', '1')", {"name"}), (Names{"Default", "alpha"}));
  EXPECT_EQ(find("creation_time > 0", {"name DESC"}), (Names{"gamma", "alpha", "Beta"}));
  ASSERT_TRUE(t->SetExperimentDeleted("1", true));
  EXPECT_EQ(find("", {}, "DELETED_ONLY"), Names{"alpha"});
  std::string token;
  EXPECT_EQ(t->SearchExperiments("", "ALL", 3, token)->size(), 3u);
  EXPECT_FALSE(token.empty());
  EXPECT_EQ(t->SearchExperiments("", "ALL", 3, token)->size(), 1u);
  EXPECT_TRUE(token.empty());
  EXPECT_FALSE(t->SearchExperiments("", "ALL", 0, token));
}

TEST_F(TrackingTest, ManyThreadsLogToOneRun) {
  const tracking::Run run = NewRun();
  {
    std::vector<std::jthread> threads;
    for (int n = 0; n < 8; ++n)
      threads.emplace_back([&, n] {
        for (int i = 0; i < 20; ++i) {
          std::vector<Metric> batch;
          for (int k = 0; k < 5; ++k) batch.push_back({"k" + std::to_string(k), static_cast<double>(n), 1, n * 20 + i});
          EXPECT_TRUE(t->Log(run.run_id, {batch, {{"p" + std::to_string(n), "v"}}, {}}));
        }
      });
  }
  std::string token;
  for (int k = 0; k < 5; ++k) EXPECT_EQ(t->MetricHistory(run.run_id, "k" + std::to_string(k), 0, token)->size(), 160u);
  const tracking::Run got = *t->GetRun(run.run_id);
  EXPECT_EQ(got.metrics[0].step, 159);
  EXPECT_EQ(got.params.size(), 8u);
}

}  // namespace
}  // namespace rondo::tracking
