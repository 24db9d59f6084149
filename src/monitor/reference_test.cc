// Bins of awkward columns, the file's bytes, damaged files.
#include "monitor/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "base/json_map.h"
#include "monitor/label_shift.h"
#include "monitor/math.h"
#include "monitor/testing.h"

namespace rondo::monitor {
namespace {

table::Column Numbers(std::vector<double> values, table::Type type = table::Type::kFloat) {
  table::Column c;
  c.name = "x";
  c.type = type;
  c.numbers = std::move(values);
  return c;
}
table::Column Texts(std::vector<std::string> values) {
  table::Column c;
  c.name = "x";
  c.type = table::Type::kString;
  for (const std::string& v : values) c.missing.push_back(v.empty());
  c.strings = std::move(values);
  return c;
}

int64_t Sum(const std::vector<int64_t>& v) { return std::accumulate(v.begin(), v.end(), int64_t{0}); }

TEST(Profile, FewDistinctNumbersGetABinEach) {
  const ColumnProfile p = ProfileColumn(Numbers({3, 1, 1, 2, std::nan(""), 2, 2}), "x", "int");
  EXPECT_EQ(p.counts, (std::vector<int64_t>{2, 3, 1}));
  EXPECT_EQ(p.edges, (std::vector<double>{1, 2}));
  EXPECT_EQ(p.missing, 1);
  EXPECT_EQ(p.min, 1);
  EXPECT_EQ(p.max, 3);
}

TEST(Profile, ManyNumbersAreCutAtQuantilesAndSpikesStayAlone) {
  std::vector<double> values(4000, 0.0);  // 40 % zeros
  Random random(5);
  for (int i = 0; i < 6000; ++i) values.push_back(random.Normal() * 100 + 50);
  const ColumnProfile p = ProfileColumn(Numbers(values), "x", "float");
  EXPECT_LE(p.counts.size(), kMaxBins);
  EXPECT_GE(p.counts.size(), 10u);
  EXPECT_EQ(Sum(p.counts), 10'000);
  const Binner binner(p);
  const int zero = binner.Find(0.0f).bin;
  EXPECT_EQ(p.counts[static_cast<size_t>(zero)], 4000);
  EXPECT_NE(binner.Find(0.1f).bin, zero);
  // Counting the training values again gives the profile's counts: binning in serving equals binning in training.
  std::vector<int64_t> again(p.counts.size(), 0);
  for (const double v : values) ++again[static_cast<size_t>(binner.Find(static_cast<float>(v)).bin)];
  EXPECT_EQ(again, p.counts);
}

TEST(Profile, AdversarialNumbersKeepTheLimit) {
  for (const int spikes : {1, 10, 19, 25, 60}) {
    std::vector<double> values;
    for (int s = 0; s < spikes; ++s) values.insert(values.end(), 100, s * 10.0);
    for (int i = 0; i < 500; ++i) values.push_back(i * 1.37);
    const ColumnProfile p = ProfileColumn(Numbers(values), "x", "float");
    EXPECT_LE(p.counts.size(), kMaxBins) << spikes;
    EXPECT_EQ(p.counts.size(), p.edges.size() + 1);
    EXPECT_TRUE(std::is_sorted(p.edges.begin(), p.edges.end()));
    EXPECT_EQ(Sum(p.counts), static_cast<int64_t>(values.size()));
  }
}

TEST(Profile, EmptyConstantAndInfiniteColumns) {
  EXPECT_EQ(ProfileColumn(Numbers({}), "x", "float").counts, std::vector<int64_t>{0});
  EXPECT_EQ(ProfileColumn(Numbers({std::nan(""), std::nan("")}), "x", "float").missing, 2);
  EXPECT_EQ(ProfileColumn(Numbers({7, 7, 7}), "x", "int").counts, std::vector<int64_t>{3});
  EXPECT_EQ(ProfileColumn(Numbers({1, std::numeric_limits<double>::infinity()}), "x", "float").missing, 1);
  const ColumnProfile p = ProfileColumn(Numbers({0, 1, 1}), "x", "bool");
  EXPECT_TRUE(Binner(p).Find(2.0f).fault);
  EXPECT_TRUE(Binner(p).Find(std::numeric_limits<float>::infinity()).fault);
  EXPECT_TRUE(Binner(p).Find(std::nanf("")).missing);
}

TEST(Profile, LevelsBeyondTheTopAreOtherAndUnseenIsSomethingElse) {
  std::vector<std::string> values;
  for (int i = 0; i < 150; ++i) values.insert(values.end(), static_cast<size_t>(200 - i), fmt::format("level{}", i));
  const ColumnProfile p = ProfileColumn(Texts(values), "x", "string");
  EXPECT_EQ(p.kind, "category");
  EXPECT_EQ(p.levels.size(), kMaxLevels);
  EXPECT_EQ(Sum(p.counts), static_cast<int64_t>(values.size()));
  const Binner binner(p);
  EXPECT_EQ(binner.Find("level0").bin, 0);
  EXPECT_EQ(binner.Find("level149").bin, static_cast<int>(kMaxLevels));
  EXPECT_TRUE(binner.Find("level150").unseen);
  EXPECT_TRUE(binner.Find("").missing);
}

TEST(Profile, NearlyUniqueTextsAreWatchedByLength) {
  std::vector<std::string> values;
  for (int i = 0; i < 500; ++i) values.push_back(fmt::format("message {} {}", i, std::string(static_cast<size_t>(i % 90), 'a')));
  const ColumnProfile p = ProfileColumn(Texts(values), "x", "string");
  EXPECT_EQ(p.kind, "text");
  EXPECT_FALSE(Binner(p).Find("something new").unseen);
  EXPECT_TRUE(Binner(p).Find(std::string(5000, 'x')).out_of_range);
}

TEST(Profile, DatesAreReadableOrNot) {
  const ColumnProfile p = ProfileColumn(Texts({"2024-01-01", "2024-01-02", ""}), "x", "date");
  EXPECT_EQ(p.kind, "date");
  EXPECT_EQ(Binner(p).Find("2030-05-05").fault, false);
  EXPECT_TRUE(Binner(p).Find("yesterday").fault);
}

model::Signature SmallSignature() {
  model::Signature s;
  s.target = "y";
  s.key = "id";
  s.classes = {"no", "yes"};
  s.inputs = {{"a", "int"}, {"b", "string"}};
  return s;
}
table::Frame SmallFrame() {
  table::Frame f;
  f.columns = {Numbers({1, 2, 2, 5}, table::Type::kInt), Texts({"u", "v", "u", ""}), Texts({"no", "yes", "no", "no"}), Numbers({10, 11, 12, 13}, table::Type::kInt)};
  f.columns[0].name = "a";
  f.columns[1].name = "b";
  f.columns[2].name = "y";
  f.columns[3].name = "id";
  return f;
}
model::Scored SmallScored() {
  model::Scored s;
  s.y = {0, 1, 0, 0};
  s.scores = {0.25, 0.75, 0.5, 0.125};
  s.decisions = {0, 1, 1, 0};
  return s;
}

TEST(Reference, BytesArePinned) {
  const auto json = BuildReference(SmallSignature(), SmallFrame(), SmallFrame(), SmallScored(), testing::Metrics());
  ASSERT_TRUE(json) << json.error().Text();
  EXPECT_EQ(json->Dump(),
            R"({"format":1,"task":"binary","target":"y","target_type":"string","key":"id","key_type":"int","classes":["no","yes"],"threshold":0.5,)"
            R"("columns":[{"name":"a","type":"int","kind":"number","edges":[1.0,2.0],"centers":[1.0,2.0,5.0],"levels":[],"known":[],"open":false,"counts":[1,2,1],"rows":4,"missing":0,)"
            R"("min":1.0,"max":5.0,"mean":2.5,"std":1.5,"rare":0.0},)"
            R"({"name":"b","type":"string","kind":"category","edges":[],"centers":[],"levels":["u","v"],"known":[],"open":false,"counts":[2,1,0],"rows":4,"missing":1,)"
            R"("min":0.0,"max":0.0,"mean":0.0,"std":0.0,"rare":0.3333333333333333}],)"
            R"("score":{"name":"score","type":"float","kind":"number","edges":[0.125,0.25,0.5],"centers":[0.125,0.25,0.5,0.75],"levels":[],"known":[],"open":false,"counts":[1,1,1,1],"rows":4,"missing":0,)"
            R"("min":0.125,"max":0.75,"mean":0.40625,"std":0.240035804620894,"rare":0.0},)"
            R"("decisions":[2,2],"labels":[3,1],"confusion":[[2,0],[1,1]],"held_out_rows":4,"error_scale":1.0,"error_mean":0.25,"metrics":{"auc":{"value":0.83,"low":0.81,"high":0.85}}})");
  const auto back = ParseReference(*json);
  ASSERT_TRUE(back);
  EXPECT_EQ(ToJson(*back), *json);
}

TEST(Reference, SurvivesNonFiniteAsNull) {
  table::Frame f = SmallFrame();
  for (double& v : f.columns[0].numbers) v = std::nan("");
  const auto json = BuildReference(SmallSignature(), f, SmallFrame(), SmallScored(), testing::Metrics());
  ASSERT_TRUE(json);
  const auto text = ParseJson(json->Dump(Json::NonFinite::kNull));
  ASSERT_TRUE(text);
  EXPECT_TRUE(ParseReference(*text));
}

TEST(Reference, ErrorsNameTheColumn) {
  table::Frame f = SmallFrame();
  f.columns.erase(f.columns.begin() + 1);
  const auto json = BuildReference(SmallSignature(), f, SmallFrame(), SmallScored(), testing::Metrics());
  ASSERT_FALSE(json);
  EXPECT_NE(json.error().message.find("\"b\""), std::string::npos);
  model::Scored shorter = SmallScored();
  shorter.y.pop_back();
  EXPECT_FALSE(BuildReference(SmallSignature(), SmallFrame(), SmallFrame(), shorter, testing::Metrics()));
}

TEST(Reference, DamagedFilesAreRefused) {
  const Json good = *BuildReference(SmallSignature(), SmallFrame(), SmallFrame(), SmallScored(), testing::Metrics());
  const auto broken = [&](const std::function<void(Json&)>& change) {
    Json copy = good;
    change(copy);
    const auto parsed = ParseReference(copy);
    EXPECT_FALSE(parsed);
  };
  broken([](Json& j) { j.Set("format", 2); });
  broken([](Json& j) { j.Set("confusion", Json::MakeArray()); });
  broken([](Json& j) { j.Set("classes", Json::MakeArray().Push("one")); });
  broken([](Json& j) { j.MutableObject()[8].second.MutableArray()[0].Set("edges", Json::MakeArray().Push(1.0)); });
  broken([](Json& j) { j.MutableObject()[8].second.MutableArray()[0].Set("counts", Json::MakeArray().Push(-1).Push(2).Push(1)); });
  broken([](Json& j) { j.MutableObject()[8].second.MutableArray()[0].Set("kind", "sketch"); });
}

TEST(LabelShift, BinaryClosedForm) {
  // TPR .8, FPR .1, 31 % decided positive: (q - FPR) / (TPR - FPR) = .3
  Reference r;
  r.classes = {"no", "yes"};
  r.confusion = {{900, 200}, {100, 800}};
  r.decisions = {1100, 900};
  r.labels = {1000, 1000};
  const LabelShift shift = EstimateLabelShift(r, {690, 310, 0});
  ASSERT_TRUE(shift.possible);
  EXPECT_NEAR(shift.classes[1].value, 0.3, 1e-12);
  EXPECT_LT(shift.classes[1].low, 0.3);
  EXPECT_GT(shift.classes[1].high, 0.3);
  EXPECT_TRUE(shift.shifted);
}

TEST(LabelShift, ThreeClassesAndTheSingularValueEqualNumpy) {
  // A = [[.8,.1,.05],[.15,.7,.25],[.05,.2,.7]]: svd min 0.46640524699554414, solve(A, [.5,.3,.2])
  const std::vector<double> a = {.8, .1, .05, .15, .7, .25, .05, .2, .7};
  EXPECT_NEAR(LeastSingularValue(a, 3), 0.46640524699554414, 1e-10);
  Reference r;
  r.classes = {"a", "b", "c"};
  r.confusion = {{800, 100, 50}, {150, 700, 250}, {50, 200, 700}};
  r.decisions = {950, 1100, 950};
  r.labels = {1000, 1000, 1000};
  const LabelShift shift = EstimateLabelShift(r, {500, 300, 200, 0});
  EXPECT_NEAR(shift.classes[0].value, 0.5839416058394161, 1e-9);
  EXPECT_NEAR(shift.classes[2].value, 0.17518248175182485, 1e-9);
}

TEST(LabelShift, IntervalCoversAndNoShiftIsQuiet) {
  Random random(17);
  int covered = 0, shifted = 0;
  for (int i = 0; i < 200; ++i) {
    Reference r;
    r.classes = {"no", "yes"};
    r.labels = {700, 300};
    const auto no = SampleMultinomial(random, 700, std::vector<double>{0.85, 0.15}), yes = SampleMultinomial(random, 300, std::vector<double>{0.25, 0.75});
    r.confusion = {{no[0], yes[0]}, {no[1], yes[1]}};
    r.decisions = {no[0] + yes[0], no[1] + yes[1]};
    const double positive = 0.3 * 0.75 + 0.7 * 0.15;
    const LabelShift shift = EstimateLabelShift(r, SampleMultinomial(random, 1000, std::vector<double>{1 - positive, positive}));
    covered += shift.classes[1].low <= 0.3 && 0.3 <= shift.classes[1].high;
    shifted += shift.shifted;
  }
  EXPECT_GE(covered, 182);  // 95 % of 200, less 2.5 standard deviations
  EXPECT_LE(shifted, 4);
}

TEST(LabelShift, SaysWhyItCannot) {
  Reference r;
  r.classes = {"no", "yes"};
  r.confusion = {{510, 490}, {490, 510}};
  r.decisions = {1000, 1000};
  r.labels = {1000, 1000};
  EXPECT_NE(EstimateLabelShift(r, {500, 500, 0}).why.find("confuses"), std::string::npos);
  EXPECT_NE(EstimateLabelShift(r, {5, 5, 0}).why.find("needs 100 rows"), std::string::npos);
  r.classes.clear();
  EXPECT_FALSE(EstimateLabelShift(r, {}).possible);
}

}  // namespace
}  // namespace rondo::monitor
