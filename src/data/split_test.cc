#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>

#include "base/hash.h"
#include "base/random.h"
#include "data/dataset.h"
#include "data/leakage.h"
#include "data/split_keys.h"

namespace rondo::data {
namespace {

using ::testing::HasSubstr;
using table::Column;
using table::Frame;
using table::Type;

Column Numbers(const std::string& name, std::vector<double> v, Type type = Type::kFloat) {
  Column c;
  c.name = name;
  c.type = type;
  c.numbers = std::move(v);
  return c;
}
Column Texts(const std::string& name, std::vector<std::string> v, Type type = Type::kString) {
  Column c;
  c.name = name;
  c.type = type;
  for (const std::string& s : v) c.missing.push_back(s.empty());
  c.strings = std::move(v);
  return c;
}

/// A frame of customers whose target depends on nothing.
Frame Customers(size_t n, size_t first = 0) {
  Random random(5);
  std::vector<std::string> id, churn, plan, day;
  std::vector<double> x, income;
  for (size_t i = 0; i < first + n; ++i) {
    const double u = random.Uniform(), v = random.Uniform(), w = random.Normal();
    if (i < first) continue;
    id.push_back(fmt::format("c{}", i));
    churn.push_back(u < 0.3 ? "Yes" : "No");
    plan.push_back(v < 0.5 ? "a" : "b");
    day.push_back(fmt::format("2024-{:02}-{:02}", 1 + i * 12 / (first + n), 1 + i % 28));
    x.push_back(w);
    income.push_back(w * w * 100);
  }
  Frame f;
  f.columns = {Texts("id", id), Texts("churn", churn), Texts("plan", plan), Texts("day", day, Type::kDate), Numbers("x", x), Numbers("income", income)};
  return f;
}
project::Project Spec(const std::string& by, const std::string& key = "id") {
  project::Project p;
  p.seed = 7;
  p.problem.emplace();
  p.problem->target = "churn";
  p.problem->positive = "Yes";
  p.problem->key = key;
  p.split.by = by;
  return p;
}
std::map<std::string, char> PartOfKey(const SplitResult& s) {
  std::map<std::string, char> out;
  for (const size_t r : s.train) out[s.row_ids[r]] = 't';
  for (const size_t r : s.validation) out[s.row_ids[r]] = 'v';
  for (const size_t r : s.test) out[s.row_ids[r]] = 'e';
  return out;
}
void ExpectPartition(const SplitResult& s, size_t rows) {
  std::set<size_t> seen;
  for (const auto* part : {&s.train, &s.validation, &s.test}) {
    EXPECT_TRUE(std::is_sorted(part->begin(), part->end()));
    for (const size_t r : *part) EXPECT_TRUE(seen.insert(r).second) << r;
  }
  EXPECT_EQ(seen.size() + static_cast<size_t>(s.missing_target), rows);
}
double ShareYes(const Frame& f, const std::vector<size_t>& rows) {
  double n = 0;
  for (const size_t r : rows) n += f.columns[1].strings[r] == "Yes";
  return n / static_cast<double>(rows.size());
}
std::vector<std::string> Checks(const SplitResult& s) {
  std::vector<std::string> out;
  for (const Json& w : s.warnings) out.push_back(w["check"].AsString());
  return out;
}

TEST(Split, ByKeyIsStableWhenDataGrow) {
  for (const std::string key : {"id", ""}) {
    const Frame small = Customers(3000), large = Customers(6000);
    const auto a = MakeSplit(Spec("key", key), small), b = MakeSplit(Spec("key", key), large);
    ASSERT_TRUE(a && b) << a.error().Text();
    ExpectPartition(*a, 3000);
    ExpectPartition(*b, 6000);
    const auto before = PartOfKey(*a), after = PartOfKey(*b);
    // `day` of Customers depends on the number of rows, so content keys are compared on data without it.
    if (!key.empty()) {
      for (const auto& [id, part] : before) EXPECT_EQ(part, after.at(id));
    }
    // Binomial: 4 standard deviations of 20% of 3000.
    EXPECT_NEAR(static_cast<double>(a->test.size()), 600, 4 * std::sqrt(3000 * 0.16));
    EXPECT_NEAR(static_cast<double>(a->validation.size()), 600, 4 * std::sqrt(3000 * 0.16));
    EXPECT_TRUE(a->warnings.empty()) << a->warnings[0].Dump();
    project::Project other = Spec("key", key);
    other.seed = 8;
    EXPECT_NE(MakeSplit(other, small)->row_ids_hash, a->row_ids_hash);
    EXPECT_EQ(MakeSplit(Spec("key", key), small)->row_ids_hash, a->row_ids_hash);
  }
}

TEST(Split, ContentKeysFollowTheRow) {
  Frame f = Customers(2000);
  std::erase_if(f.columns, [](const Column& c) { return c.name == "id"; });
  const auto a = MakeSplit(Spec("key", ""), f);
  ASSERT_TRUE(a);
  // Other row order, other column order: the same row, the same part.
  std::vector<size_t> order(2000);
  for (size_t i = 0; i < order.size(); ++i) order[i] = (i * 7 + 3) % 2000;
  Frame g = f.Take(order);
  std::swap(g.columns[0], g.columns[3]);
  const auto b = MakeSplit(Spec("key", ""), g);
  ASSERT_TRUE(b);
  EXPECT_EQ(PartOfKey(*a), PartOfKey(*b));
  EXPECT_EQ(a->row_ids_hash, b->row_ids_hash);
  // Equal rows get numbers.
  Frame twins;
  twins.columns = {Texts("a", {"x", "y", "x"}), Texts("b", {"", "", ""})};
  const auto ids = *RowIds(twins, "");
  EXPECT_TRUE(ids[0].ends_with("-1"));
  EXPECT_TRUE(ids[2].ends_with("-2"));
  EXPECT_EQ(ids[0].substr(0, 32), ids[2].substr(0, 32));
}

// The row key of a row must never change between releases: champions are judged on what they haven't seen.
TEST(Split, KeysArePinned) {
  Frame f;
  f.columns = {Numbers("n", {1, NAN}, Type::kInt), Texts("s", {"ü", ""})};
  // Both by Python's xxhash 3: xxh3_64 of the text "+1:1+2:ü" with the seeds 0 and 0x9e3779b97f4a7c15; of "customer-1" with the derived seed (63 bits).
  EXPECT_EQ((*RowIds(f, ""))[0], "abd2a8f427cd4ab9780662e1319da093-1");
  EXPECT_DOUBLE_EQ(HashShare("customer-1", DeriveSeed(7, "split")), 0.78475486370450731);
}

TEST(Split, RandomIsExactAndStratified) {
  const Frame f = Customers(1003);
  const auto s = MakeSplit(Spec("random"), f);
  ASSERT_TRUE(s) << s.error().Text();
  ExpectPartition(*s, 1003);
  EXPECT_EQ(s->test.size(), 201u);
  EXPECT_EQ(s->validation.size(), 201u);
  EXPECT_NEAR(ShareYes(f, s->test), ShareYes(f, s->train), 0.004);
  EXPECT_NEAR(ShareYes(f, s->validation), ShareYes(f, s->train), 0.004);
  project::Project p = Spec("random");
  p.problem->task = project::Task::regression;
  p.problem->target = "income";
  const auto r = MakeSplit(p, f);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->test.size(), 201u);
  double a = 0, b = 0;
  for (const size_t i : r->test) a += f.columns[5].numbers[i] / 201;
  for (const size_t i : r->train) b += f.columns[5].numbers[i] / static_cast<double>(r->train.size());
  EXPECT_NEAR(a, b, 0.15 * b);
  p = Spec("random");
  project::Gate gate;
  gate.champion = true;
  gate.text = "auc >= champion";
  p.problem->success.push_back(gate);
  EXPECT_THAT(Checks(*MakeSplit(p, f)), testing::Contains("champion_sees_test"));
}

TEST(Split, ByTimeTestIsTheLatest) {
  const Frame f = Customers(1000);
  project::Project p = Spec("time");
  p.problem->time = "day";
  const auto s = MakeSplit(p, f);
  ASSERT_TRUE(s) << s.error().Text();
  ExpectPartition(*s, 1000);
  const auto& day = f.columns[3].strings;
  std::string newest_train, newest_validation, oldest_validation = "9", oldest_test = "9";
  for (const size_t r : s->train) newest_train = std::max(newest_train, day[r]);
  for (const size_t r : s->validation) newest_validation = std::max(newest_validation, day[r]), oldest_validation = std::min(oldest_validation, day[r]);
  for (const size_t r : s->test) oldest_test = std::min(oldest_test, day[r]);
  EXPECT_LT(newest_train, oldest_validation) << "one day is never in two parts";
  EXPECT_LT(newest_validation, oldest_test);
  EXPECT_NEAR(static_cast<double>(s->test.size()), 200, 10);
  EXPECT_TRUE(s->warnings.empty());
  // Any other split of dated rows warns.
  p.split.by = "key";
  EXPECT_THAT(Checks(*MakeSplit(p, f)), testing::Contains("time_order"));
}

TEST(Split, GroupsStayTogether) {
  Frame f = Customers(2000);
  std::vector<std::string> group;
  for (size_t i = 0; i < 2000; ++i) group.push_back(fmt::format("g{}", i % 100));
  f.columns.push_back(Texts("household", group));
  project::Project p = Spec("group");
  p.split.group = "household";
  const auto s = MakeSplit(p, f);
  ASSERT_TRUE(s) << s.error().Text();
  ExpectPartition(*s, 2000);
  std::map<std::string, std::set<int>> parts;
  int i = 0;
  for (const auto* part : {&s->train, &s->validation, &s->test}) {
    for (const size_t r : *part) parts[group[r]].insert(i);
    ++i;
  }
  for (const auto& [name, set] : parts) EXPECT_EQ(set.size(), 1u) << name;
  EXPECT_TRUE(s->warnings.empty());
  p.split.by = "key";
  EXPECT_THAT(Checks(*MakeSplit(p, f)), testing::Contains("group_across_parts"));
}

TEST(Split, MissingTargetsAreLeftOutAndCounted) {
  Frame f = Customers(500);
  for (size_t i = 0; i < 500; i += 10) f.columns[1].strings[i].clear(), f.columns[1].missing[i] = 1;
  const auto s = MakeSplit(Spec("key"), f);
  ASSERT_TRUE(s);
  EXPECT_EQ(s->missing_target, 50);
  ExpectPartition(*s, 500);
}

TEST(Split, BadDataAndBadSpecs) {
  const Frame good = Customers(500);
  const auto error = [](const project::Project& p, const Frame& f) {
    const auto s = MakeSplit(p, f);
    EXPECT_FALSE(s);
    if (s) return std::string();
    EXPECT_FALSE(s.error().hint.empty()) << s.error().message;
    return s.error().Text();
  };
  project::Project p = Spec("key");
  p.problem->target = "nothing";
  EXPECT_THAT(error(p, good), testing::AllOf(HasSubstr("no column \"nothing\" (problem.target)"), HasSubstr("id, churn")));
  p = Spec("key", "nokey");
  EXPECT_THAT(error(p, good), HasSubstr("problem.key"));
  Frame f = good;
  f.columns[0].strings[7] = f.columns[0].strings[3];
  EXPECT_THAT(error(Spec("key"), f), HasSubstr("the key \"id\" is \"c3\" in rows 4 and 8"));
  f.columns[0].strings[7] = "", f.columns[0].missing[7] = 1;
  EXPECT_THAT(error(Spec("key"), f), HasSubstr("missing in row 8"));
  f = good;
  f.columns[1].strings.assign(500, "No");
  EXPECT_THAT(error(Spec("key"), f), HasSubstr("only one class: \"No\" (500)"));
  f.columns[1].missing.assign(500, 1);
  EXPECT_THAT(error(Spec("key"), f), HasSubstr("missing in all rows"));
  p = Spec("key");
  p.problem->positive = "yes";
  EXPECT_THAT(error(p, good), testing::AllOf(HasSubstr("problem.positive is \"yes\""), HasSubstr("\"Yes\"")));
  f = good;
  f.columns[1].strings[0] = "Maybe";
  EXPECT_THAT(error(Spec("key"), f), HasSubstr("has 3 values"));
  p = Spec("key");
  p.problem->task = project::Task::regression;
  EXPECT_THAT(error(p, good), HasSubstr("regression needs numbers"));
  EXPECT_THAT(error(Spec("time"), good), HasSubstr("needs problem.time"));
  p = Spec("time");
  p.problem->time = "plan";
  EXPECT_THAT(error(p, good), HasSubstr("can't be ordered in time"));
  p.problem->time = "day";
  f = good;
  f.columns[3].missing[9] = 1;
  EXPECT_THAT(error(p, f), HasSubstr("missing in row 10"));
  f.columns[3] = Texts("day", std::vector<std::string>(500, "2024-01-01"), Type::kDate);
  EXPECT_THAT(error(p, f), HasSubstr("train part is empty"));
  p = Spec("group");
  p.split.group = "plan2";
  EXPECT_THAT(error(p, good), HasSubstr("no column \"plan2\""));
  p.split.group = "plan";
  EXPECT_THAT(error(p, good), HasSubstr("part is empty"));
  EXPECT_THAT(error(Spec("luck"), good), HasSubstr("\"luck\" is not known"));
  p = Spec("key");
  p.split.test = 0.6, p.split.validation = 0.4;
  EXPECT_THAT(error(p, good), HasSubstr("leave nothing for training"));
  EXPECT_THAT(error(Spec("random"), good.Take({0, 1, 2})), HasSubstr("part"));
}

TEST(Leakage, FindsWhatIsPlanted) {
  Frame f = Customers(1000);
  EXPECT_TRUE(MakeSplit(Spec("key"), f)->warnings.empty());
  // The outcome in other words.
  Frame leak = f;
  std::vector<double> refund;
  std::vector<std::string> reason, closed;
  for (size_t i = 0; i < 1000; ++i) {
    const bool yes = f.columns[1].strings[i] == "Yes";
    refund.push_back(yes ? 100 + f.columns[4].numbers[i] : f.columns[4].numbers[i]);
    reason.push_back(yes ? (i % 2 == 0 ? "price" : "moved") : "none");
    closed.push_back(yes ? fmt::format("2024-05-{:02}", 1 + i % 28) : "");
  }
  leak.columns.push_back(Numbers("refund", refund));
  leak.columns.push_back(Texts("reason", reason));
  leak.columns.push_back(Texts("closed", closed, Type::kDate));
  const auto s = MakeSplit(Spec("key"), leak);
  std::string text;
  for (const Json& w : s->warnings) text += w["check"].AsString() + ": " + w["message"].AsString() + "\n";
  EXPECT_EQ(s->warnings.size(), 3u) << text;
  EXPECT_THAT(text, testing::AllOf(HasSubstr("\"refund\" alone predicts"), HasSubstr("\"reason\" alone predicts"), HasSubstr("\"closed\" is filled in predicts")));
  project::Project dropped = Spec("key");
  dropped.features.drop = {"refund", "reason", "closed"};
  EXPECT_TRUE(MakeSplit(dropped, leak)->warnings.empty());
  // The same customers under new keys.
  std::vector<size_t> twice;
  for (size_t i = 0; i < 1000; ++i) twice.push_back(i), twice.push_back(i);
  Frame d = f.Take(twice);
  for (size_t i = 0; i < 2000; ++i) d.columns[0].strings[i] += i % 2 == 0 ? "-a" : "-b";
  EXPECT_THAT(Checks(*MakeSplit(Spec("key"), d)), testing::ElementsAre("duplicates_across_parts"));
  for (size_t i = 0; i < 2000; ++i) d.columns[0].strings[i] = (i % 2 == 0 ? "C" : "c ") + std::to_string(i / 2);
  EXPECT_THAT(Checks(*MakeSplit(Spec("key"), d)), testing::ElementsAre("duplicates_across_parts", "key_across_parts"));
  // Regression: a rescaled target.
  project::Project p = Spec("key");
  p.problem->task = project::Task::regression;
  p.problem->target = "income";
  Frame r = f;
  std::vector<double> cents;
  for (const double v : f.columns[5].numbers) cents.push_back(std::round(v * 100));
  r.columns.push_back(Numbers("cents", cents));
  EXPECT_THAT(Checks(*MakeSplit(p, r)), testing::ElementsAre("near_perfect_feature"));
}

TEST(Leakage, AucMatchesSklearn) {
  // sklearn.metrics.roc_auc_score([0, 0, 1, 1, 1, 0], [.1, .4, .35, .8, .4, .4]) = 0.6666666666666667
  EXPECT_NEAR(SingleAuc({.1, .4, .35, .8, .4, .4}, {0, 0, 1, 1, 1, 0}), 0.6666666666666667, 1e-15);
  // roc_auc_score(churn == "Yes", -tenure) of the Telco file
  const auto frame = table::ReadTable("examples/churn/data/telco_churn.csv");
  ASSERT_TRUE(frame);
  std::vector<double> score;
  std::vector<uint8_t> positive;
  for (size_t i = 0; i < frame->rows(); ++i) score.push_back(-frame->Find("tenure")->numbers[i]), positive.push_back(frame->Find("churn")->strings[i] == "Yes");
  EXPECT_NEAR(SingleAuc(score, positive), 0.7398671755286288, 1e-12);
  EXPECT_TRUE(std::isnan(SingleAuc({1, 2}, {1, 1})));
}

TEST(Split, Telco) {
  const auto frame = table::ReadTable("examples/churn/data/telco_churn.csv");
  project::Project p = Spec("key", "");
  const auto s = MakeSplit(p, *frame);
  ASSERT_TRUE(s) << s.error().Text();
  ExpectPartition(*s, 7043);
  EXPECT_THAT(Checks(*s), testing::ElementsAre("duplicates_across_parts"));
}

}  // namespace
}  // namespace rondo::data
