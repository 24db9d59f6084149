// False alarms and power of the drift alarm on real rows; data defects.
#include <gtest/gtest.h>

#include <algorithm>

#include "monitor/testing.h"
#include "monitor/verdict.h"

namespace rondo::monitor {
namespace {

using testing::MakePrediction;
using testing::Shuffled;
using testing::Telco;
using testing::TelcoReference;

std::vector<size_t> Slice(const std::vector<size_t>& rows, size_t from, size_t n) { return {rows.begin() + static_cast<std::ptrdiff_t>(from), rows.begin() + static_cast<std::ptrdiff_t>(from + n)}; }

WindowCounts CountRows(const Counter& counter, const table::Frame& frame) {
  WindowCounts counts = counter.Empty();
  for (size_t i = 0; i < frame.rows(); ++i) counter.Add(MakePrediction(frame, i, static_cast<int64_t>(i), 0), counts);
  return counts;
}

const Counter& Fixed() {
  static const Counter counter([] {
    const auto rows = Shuffled(Telco().rows(), 11);
    return TelcoReference(Telco().Take(Slice(rows, 0, 3500)), Telco().Take(Slice(rows, 3500, 1000)));
  }());
  return counter;
}
table::Frame Fresh(size_t n) { return Telco().Take(Slice(Shuffled(Telco().rows(), 11), 4500, n)); }

TEST(Drift, FalseAlarmsOfRealRowsStayNearQ) {
  // 500 windows without drift: each simulation splits the 7,043 rows afresh into training, held-out part and a window.
  int significant = 0, alarms = 0;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    const auto rows = Shuffled(Telco().rows(), seed);
    const Counter counter(TelcoReference(Telco().Take(Slice(rows, 0, 2000)), Telco().Take(Slice(rows, 2000, 500))));
    const WindowCounts window = CountRows(counter, Telco().Take(Slice(rows, 2500, 300)));
    project::DriftAlarm limits;
    const WindowVerdict alarm = JudgeWindow(counter.reference(), window, limits);
    alarms += !alarm.drifted.empty();
    limits.effect = 0;  // significance alone
    significant += !JudgeWindow(counter.reference(), window, limits).drifted.empty();
  }
  // With q = 0.05 the chance of any false discovery in a window is at most 0.05 (columns are dependent, so less is expected): 25 of 500, and
  // 39 is its 99.5 % quantile (binomial).
  EXPECT_LE(significant, 39);
  EXPECT_GE(significant, 5);  // the test isn't asleep
  EXPECT_LE(alarms, 5);       // materiality takes nearly all of them away
}

TEST(Drift, AShiftedColumnIsNamedAndOnlyThatOne) {
  for (const char* name : {"tenure", "monthly_charges", "contract", "payment_method", "senior_citizen"}) {
    table::Frame window = Fresh(1000);
    table::Column& column = *window.Find(name);
    for (size_t i = 0; i < window.rows(); ++i) {
      if (column.numeric() && std::string_view(name) == "senior_citizen") {
        if (i % 3 == 0) column.numbers[i] = 1;
      } else if (column.numeric()) {
        column.numbers[i] = std::floor(column.numbers[i] * 0.6);
      } else if (i % 2 == 0) {
        column.strings[i] = std::string_view(name) == "contract" ? "Two year" : "Mailed check";
      }
    }
    const WindowVerdict v = JudgeWindow(Fixed().reference(), CountRows(Fixed(), window), {});
    EXPECT_EQ(v.drifted, std::vector<std::string>{name});
    EXPECT_FALSE(v.dataset_drift) << name;
  }
}

TEST(Drift, EveryStatisticCanBeTheEffect) {
  table::Frame window = Fresh(1000);
  for (double& v : window.Find("tenure")->numbers) v = std::floor(v * 0.5);
  for (const char* statistic : {"psi", "ks", "jensen_shannon", "hellinger", "wasserstein", "chi2"}) {
    project::DriftAlarm limits;
    limits.statistic = statistic;
    limits.effect = 0.1;
    EXPECT_EQ(JudgeWindow(Fixed().reference(), CountRows(Fixed(), window), limits).drifted, std::vector<std::string>{"tenure"}) << statistic;
  }
}

TEST(Drift, ManyColumnsAreDatasetDriftAndScoresFollow) {
  table::Frame window = Fresh(1000);
  for (const char* name : {"tenure", "monthly_charges", "total_charges"})
    for (double& v : window.Find(name)->numbers) v = std::floor(v * 0.4);
  for (std::string& s : window.Find("contract")->strings) s = "Month-to-month";
  for (std::string& s : window.Find("internet_service")->strings) s = "Fiber optic";
  const WindowVerdict v = JudgeWindow(Fixed().reference(), CountRows(Fixed(), window), {});
  EXPECT_GE(v.drifted.size(), 4u);
  EXPECT_TRUE(v.dataset_drift);
  EXPECT_EQ(v.score.verdict, "drift");
  EXPECT_EQ(v.decision.verdict, "drift");
}

TEST(Drift, FewRowsAreNotJudged) {
  const WindowVerdict v = JudgeWindow(Fixed().reference(), CountRows(Fixed(), Fresh(29)), {});
  for (const DriftVerdict& d : v.columns) EXPECT_EQ(d.verdict, "few");
  EXPECT_EQ(v.score.verdict, "few");
}

TEST(Drift, AMillionRowsWithATinyShiftAreSignificantButDontMatter) {
  ColumnProfile column = ProfileLevels({"a", "b"}, {50'000, 50'000}, "x");
  Reference r;
  r.columns = {column};
  r.score = ProfileNumbers(std::vector<double>{0.1, 0.9}, "score", "float");
  WindowCounts counts;
  counts.rows = 1'000'000;
  counts.columns.resize(1);
  counts.columns[0].bins = {510'000, 490'000, 0};
  const WindowVerdict v = JudgeWindow(r, counts, {});
  EXPECT_LT(v.columns[0].p, 1e-6);
  EXPECT_EQ(v.columns[0].verdict, "ok");
}

std::map<std::string, std::string> Failed(const WindowVerdict& v) {
  std::map<std::string, std::string> out;
  for (const QualityVerdict& q : v.quality)
    if (q.failed) out[q.column] += q.check;
  return out;
}

TEST(Quality, CleanRowsAreQuiet) {
  int alarms = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const auto rows = Shuffled(Telco().rows(), seed);
    const Counter counter(TelcoReference(Telco().Take(Slice(rows, 0, 3000)), Telco().Take(Slice(rows, 3000, 500))));
    alarms += !Failed(JudgeWindow(counter.reference(), CountRows(counter, Telco().Take(Slice(rows, 3500, 500))), {})).empty();
  }
  EXPECT_LE(alarms, 3);
}

TEST(Quality, EachDefectIsNamedAndIsNoDrift) {
  table::Frame window = Fresh(1000);
  for (size_t i = 0; i < window.rows(); ++i) {
    if (i % 10 == 0) window.Find("tenure")->numbers[i] = std::nan("");
    if (i % 20 == 0) window.Find("contract")->strings[i] = "Three year";
    if (i % 25 == 0) window.Find("monthly_charges")->numbers[i] = 900;
    if (i % 50 == 0) window.Find("senior_citizen")->numbers[i] = 0.5;
    window.Find("phone_service")->numbers[i] = 1;
  }
  const WindowVerdict v = JudgeWindow(Fixed().reference(), CountRows(Fixed(), window), {});
  EXPECT_EQ(Failed(v), (std::map<std::string, std::string>{{"tenure", "nulls"}, {"contract", "unseen"}, {"monthly_charges", "range"}, {"senior_citizen", "type"}, {"phone_service", "constant"}}));
  EXPECT_EQ(v.drifted, std::vector<std::string>{"phone_service"});  // constant at one of two values: its distribution did change
  const auto unseen = std::find_if(v.quality.begin(), v.quality.end(), [](const QualityVerdict& q) { return q.check == "unseen"; });
  EXPECT_EQ(unseen->examples, std::vector<std::string>{"Three year"});
  EXPECT_EQ(unseen->count, 50);
}

TEST(Quality, RowsOfAnotherShapeAreCountedNotCrashed) {
  WindowCounts counts = Fixed().Empty();
  data::Prediction p = MakePrediction(Telco(), 0, 1, 0);
  p.numbers.pop_back();
  p.scores.clear();
  p.decision = "Maybe";
  for (int i = 0; i < 40; ++i) Fixed().Add(p, counts);
  EXPECT_EQ(counts.odd, 40);
  EXPECT_EQ(counts.decisions.back(), 40);
  const WindowVerdict v = JudgeWindow(Fixed().reference(), counts, {});
  ASSERT_EQ(v.quality.size(), 1u);
  EXPECT_EQ(v.quality[0].check, "columns");
  EXPECT_TRUE(v.quality[0].failed);
}

}  // namespace
}  // namespace rondo::monitor
