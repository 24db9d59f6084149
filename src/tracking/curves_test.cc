// Curves against a brute-force M4 over every stored point.
#include "tracking/curves.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "base/file.h"
#include "tracking/tracking.h"

namespace rondo::tracking {
namespace {

class CurvesTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = db::OpenSqlite(dir_.path() / "t.db", {.durable = false});
    ASSERT_TRUE(opened) << opened.error().Text();
    db_ = std::move(*opened);
    ASSERT_TRUE(db_->Migrate("tracking", Migrations()));
    store_ = MakeTracking(*db_, clock_);
  }
  std::string NewRun() {
    auto run = store_->CreateRun("0", "me", "", 1, {});
    EXPECT_TRUE(run) << run.error().Text();
    return run->run_id;
  }
  void Log(const std::string& run, const std::vector<Metric>& metrics) {
    for (size_t at = 0; at < metrics.size(); at += 1000) {
      LogBatch batch;
      batch.metrics.assign(metrics.begin() + static_cast<long>(at), metrics.begin() + static_cast<long>(std::min(metrics.size(), at + 1000)));
      const Status logged = store_->Log(run, batch);
      ASSERT_TRUE(logged) << logged.error().Text();
    }
  }
  std::vector<Curve> Read(const CurveQuery& query) {
    auto curves = ReadCurves(*db_, query);
    EXPECT_TRUE(curves) << curves.error().Text();
    return curves ? *curves : std::vector<Curve>();
  }
  int64_t Count(const std::string& sql) {
    int64_t n = -1;
    EXPECT_TRUE(db_->Read([&](db::Session& s) -> Status {
      RONDO_TRY(const auto got, s.QueryInt(sql));
      n = got.value_or(0);
      return {};
    }));
    return n;
  }

  TempDir dir_;
  FakeClock clock_;
  std::unique_ptr<db::Database> db_;
  std::unique_ptr<Tracking> store_;
};

struct Extremes {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
};

std::vector<Extremes> ByColumn(const std::vector<int64_t>& x, const std::vector<double>& value, int64_t low, int64_t high, size_t columns) {
  std::vector<Extremes> out(columns);
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] < low || x[i] > high || !std::isfinite(value[i])) continue;
    Extremes& e = out[static_cast<size_t>(static_cast<double>(x[i] - low) / static_cast<double>(high - low + 1) * static_cast<double>(columns))];
    e.low = std::min(e.low, value[i]);
    e.high = std::max(e.high, value[i]);
  }
  return out;
}

std::vector<Metric> Noisy(const std::string& key, int n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> noise;
  std::vector<Metric> out;
  for (int i = 0; i < n; ++i) out.push_back({key, noise(random), 1'000'000 + i * 7, i});
  return out;
}
void Columns(const std::vector<Metric>& metrics, std::vector<int64_t>& x, std::vector<double>& value) {
  for (const Metric& m : metrics) {
    x.push_back(m.step);
    value.push_back(m.value);
  }
}

TEST_F(CurvesTest, ExactCurvesAreM4) {
  const std::string run = NewRun();
  const auto metrics = Noisy("loss", 30'000, 1);
  Log(run, metrics);
  std::vector<int64_t> x;
  std::vector<double> value;
  Columns(metrics, x, value);
  for (const auto& [from, to] : {std::pair<int64_t, int64_t>{0, 29'999}, {12'345, 15'000}, {29'000, 29'999}}) {
    const auto curves = Read({.run_ids = {run}, .keys = {"loss"}, .from = from, .to = to, .columns = 250});
    ASSERT_EQ(curves.size(), 1u);
    const Curve& c = curves[0];
    EXPECT_TRUE(c.exact);
    EXPECT_EQ(c.total, 30'000);
    EXPECT_LE(c.x.size(), 4u * 252);
    EXPECT_TRUE(std::ranges::is_sorted(c.x));
    const auto want = ByColumn(x, value, from, to, 250);
    const auto got = ByColumn(c.x, c.value, from, to, 250);
    for (size_t i = 0; i < want.size(); ++i) {
      EXPECT_EQ(got[i].low, want[i].low) << i;
      EXPECT_EQ(got[i].high, want[i].high) << i;
    }
    // Lines reach the edges of the view.
    if (from > 0) {
      EXPECT_EQ(c.x.front(), from - 1);
    }
    if (to < 29'999) {
      EXPECT_EQ(c.x.back(), to + 1);
    }
  }
}

TEST_F(CurvesTest, DigestsLoseNoExtreme) {
  const std::string run = NewRun();
  auto metrics = Noisy("loss", 60'000, 2);
  metrics[31'234].value = 40;
  metrics[44'000].value = -40;
  metrics[10'000].value = std::nan("");
  metrics[59'999].value = std::numeric_limits<double>::infinity();
  Log(run, metrics);
  EXPECT_GT(Count("SELECT count(*) FROM metric_digest"), 10);
  std::vector<int64_t> x;
  std::vector<double> value;
  Columns(metrics, x, value);
  const auto curves = Read({.run_ids = {run}, .keys = {"loss"}, .columns = 300, .most_rows = 0});
  ASSERT_EQ(curves.size(), 1u);
  const Curve& c = curves[0];
  EXPECT_FALSE(c.exact);
  EXPECT_EQ(c.total, 60'000);
  EXPECT_LE(c.x.size(), 5u * 300);
  EXPECT_EQ(c.x.front(), 0);
  EXPECT_EQ(c.x.back(), 59'999);
  EXPECT_TRUE(std::ranges::any_of(c.value, [](double v) { return std::isnan(v); }));
  EXPECT_TRUE(std::ranges::any_of(c.value, [](double v) { return std::isinf(v); }));
  // Every point of the answer was logged, and each column's extreme is there or one next door is further out.
  for (size_t i = 0; i < c.x.size(); ++i)
    if (std::isfinite(c.value[i])) {
      EXPECT_EQ(c.value[i], metrics[static_cast<size_t>(c.x[i])].value);
    }
  const auto want = ByColumn(x, value, 0, 59'999, 300);
  const auto got = ByColumn(c.x, c.value, 0, 59'999, 300);
  size_t equal = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    double low = got[i].low, high = got[i].high;
    for (const size_t n : {i == 0 ? i : i - 1, std::min(want.size() - 1, i + 1)}) {
      low = std::min(low, got[n].low);
      high = std::max(high, got[n].high);
    }
    EXPECT_LE(low, want[i].low) << i;
    EXPECT_GE(high, want[i].high) << i;
    equal += got[i].low == want[i].low && got[i].high == want[i].high;
  }
  EXPECT_GT(equal, 240u);
}

TEST_F(CurvesTest, RunsOverEachOtherAndManyKeys) {
  std::vector<std::string> runs;
  for (unsigned r = 0; r < 3; ++r) {
    runs.push_back(NewRun());
    std::vector<Metric> mixed;
    const auto a = Noisy("a", 4000, r), b = Noisy("b/c", 4000, r + 10);
    for (size_t i = 0; i < a.size(); ++i) {
      mixed.push_back(a[i]);
      mixed.push_back(b[i]);
    }
    mixed.push_back({"once", 1, 5, 0});
    Log(runs.back(), mixed);
  }
  for (const size_t most : {size_t{0}, size_t{1'000'000}}) {
    const auto curves = Read({.run_ids = runs, .columns = 100, .most_rows = most});
    ASSERT_EQ(curves.size(), 9u);
    for (size_t i = 0; i < curves.size(); ++i) {
      EXPECT_EQ(curves[i].run_id, runs[i / 3]);
      EXPECT_EQ(curves[i].key, (std::vector<std::string>{"a", "b/c", "once"})[i % 3]);
      EXPECT_EQ(curves[i].total, i % 3 == 2 ? 1 : 4000);
    }
  }
  auto keys = ReadCurveKeys(*db_, runs);
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 3u);
  EXPECT_EQ((*keys)[0].curves, 3);
  EXPECT_EQ((*keys)[2].key, "once");
  EXPECT_EQ((*keys)[2].runs, 3);
  EXPECT_EQ((*keys)[2].curves, 0);
}

TEST_F(CurvesTest, OddHistories) {
  const std::string run = NewRun();
  std::vector<Metric> metrics;
  // Steps that go back, points sent twice, one step for all.
  for (int i = 0; i < 3000; ++i) metrics.push_back({"back", static_cast<double>(i), 100 + i, 3000 - i});
  Log(run, metrics);
  Log(run, metrics);
  const auto back = Read({.run_ids = {run}, .keys = {"back"}, .columns = 4000, .most_rows = 100'000});
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].x.size(), 3000u);
  EXPECT_EQ(back[0].x.front(), 1);
  EXPECT_EQ(back[0].value.front(), 2999);
  const auto time = Read({.run_ids = {run}, .keys = {"back"}, .axis = CurveAxis::kRelative, .from = 10, .to = 12, .columns = 100});
  EXPECT_EQ(time[0].x, (std::vector<int64_t>{9, 10, 11, 12, 13}));
  EXPECT_TRUE(Read({.run_ids = {run}, .keys = {"absent"}}).empty());
  EXPECT_TRUE(Read({.run_ids = {NewRun()}}).empty());
  EXPECT_EQ(ReadCurves(*db_, {.run_ids = {"none"}}).error().code, Code::kNotFound);
}

TEST_F(CurvesTest, HistoriesFromBeforeDigestsGetThem) {
  const std::string run = NewRun();
  const auto metrics = Noisy("old", 20'000, 5);
  Log(run, metrics);
  ASSERT_TRUE(db_->Write([](db::Session& s) -> Status {
    for (const char* sql : {"DELETE FROM metric_digest", "DELETE FROM metric_digested"}) {
      RONDO_TRY(const int64_t n, s.Exec(sql));
      (void)n;
    }
    return {};
  }));
  const CurveQuery query{.run_ids = {run}, .keys = {"old"}, .columns = 50, .most_rows = 0};
  const auto first = Read(query);
  EXPECT_EQ(Count("SELECT upto FROM metric_digested"), 20'000);
  const auto second = Read(query);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].x, second[0].x);
  EXPECT_EQ(first[0].total, 20'000);
}

}  // namespace
}  // namespace rondo::tracking
