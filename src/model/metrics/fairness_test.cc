#include "model/metrics/fairness.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/metrics/sample.h"

namespace rondo::model {
namespace {

struct Case {
  Scored scored;
  table::Column group;
};
Case Make(bool weighted) {
  sample::Lcg r(4);
  Case c;
  c.group.name = "group";
  c.group.type = table::Type::kString;
  for (int i = 0; i < 600; ++i) {
    const auto a = static_cast<size_t>(r.U() * 3);
    const double s = r.U() * 0.8 + 0.1 * static_cast<double>(a);
    c.scored.y.push_back(r.U() < 0.2 + 0.5 * s ? 1 : 0);
    c.scored.scores.push_back(s);
    c.scored.decisions.push_back(s > 0.5 ? 1 : 0);
    const double w = 0.5 + std::floor(r.U() * 4) / 2;
    if (weighted) c.scored.weights.push_back(w);
    c.group.strings.push_back(std::string(1, "abc"[a]));
    c.group.missing.push_back(0);
  }
  return c;
}

// Oracle: fairlearn 0.15.0 on the same rows.
TEST(Fairness, EqualsFairlearn) {
  for (const bool weighted : {false, true}) {
    const Case c = Make(weighted);
    const Groups groups = MakeGroups(c.group, {});
    const std::vector<std::pair<std::string, double>> oracle =
        weighted ? std::vector<std::pair<std::string, double>>{{"demographic_parity_difference", 0.2906730074364175}, {"demographic_parity_ratio", 0.54644987632765896},
                                                               {"equalized_odds_difference", 0.30293174122259847}, {"equalized_odds_ratio", 0.53373905177022085},
                                                               {"equal_opportunity_difference", 0.30293174122259847}, {"equal_opportunity_ratio", 0.5872138910812944}}
                 : std::vector<std::pair<std::string, double>>{{"demographic_parity_difference", 0.27964743589743596}, {"demographic_parity_ratio", 0.5659203980099502},
                                                               {"equalized_odds_difference", 0.28004535147392295}, {"equalized_odds_ratio", 0.55291005291005291},
                                                               {"equal_opportunity_difference", 0.28004535147392295}, {"equal_opportunity_ratio", 0.61345852895148667}};
    for (const auto& [name, value] : oracle) {
      std::string why;
      const auto found = FairnessValue(c.scored, groups, name, why);
      ASSERT_TRUE(found) << why;
      EXPECT_NEAR(*found, value, 1e-12) << name;
    }
  }
  const Case c = Make(false);
  const Json report = FairnessReport(c.scored, MakeGroups(c.group, {}));
  EXPECT_NEAR(report["accuracy_difference"].AsDouble(), 0.04375, 1e-12);
  EXPECT_NEAR(report["groups"]["b"]["selection_rate"].AsDouble(), 0.57, 1e-12);
  EXPECT_NEAR(report["groups"]["b"]["true_positive_rate"].AsDouble(), 0.62, 1e-12);
  EXPECT_NEAR(report["groups"]["a"]["false_positive_rate"].AsDouble(), 0.316666666666666, 1e-12);
  EXPECT_EQ(report["groups"]["a"]["rows"].AsInt() + report["groups"]["b"]["rows"].AsInt() + report["groups"]["c"]["rows"].AsInt(), 600);
}
TEST(Fairness, SmallGroupsAreShownNotGated) {
  Case c = Make(false);
  const Groups before = MakeGroups(c.group, {});
  std::string why;
  const double value = *FairnessValue(c.scored, before, "demographic_parity_ratio", why);
  // Ten more rows of a group that never gets a positive decision: gated, the ratio would be 0.
  for (int i = 0; i < 10; ++i) {
    c.scored.y.push_back(1);
    c.scored.scores.push_back(0.1);
    c.scored.decisions.push_back(0);
    c.group.strings.push_back("tiny");
    c.group.missing.push_back(0);
  }
  const Groups groups = MakeGroups(c.group, {});
  EXPECT_EQ(*FairnessValue(c.scored, groups, "demographic_parity_ratio", why), value);
  const Json report = FairnessReport(c.scored, groups);
  EXPECT_EQ(report["groups"]["tiny"]["rows"].AsInt(), 10);
  EXPECT_TRUE(report["groups"]["tiny"]["small"].AsBool());
}
TEST(Fairness, OneGroupCannotBeCompared) {
  Case c = Make(false);
  for (auto& s : c.group.strings) s = "same";
  std::string why;
  EXPECT_FALSE(FairnessValue(c.scored, MakeGroups(c.group, {}), "demographic_parity_ratio", why));
  EXPECT_NE(why.find("two are needed"), std::string::npos) << why;
}
TEST(Fairness, NobodySelectedIsUndefinedNotFair) {
  Case c = Make(false);
  for (int& d : c.scored.decisions) d = 0;
  std::string why;
  EXPECT_FALSE(FairnessValue(c.scored, MakeGroups(c.group, {}), "demographic_parity_ratio", why));
  EXPECT_FALSE(why.empty());
}
TEST(Fairness, IntervalHoldsTheValue) {
  const Case c = Make(false);
  std::string why;
  const auto i = FairnessInterval(c.scored, MakeGroups(c.group, {}), "demographic_parity_ratio", 300, 1, 0.95, why);
  ASSERT_TRUE(i);
  EXPECT_LT(i->low, i->value);
  EXPECT_GT(i->high, i->value);
  EXPECT_LT(i->high - i->low, 0.4);
}
TEST(Fairness, OtherTasksSayWhatApplies) {
  Scored s = sample::Regression();
  table::Column group;
  group.name = "g";
  for (size_t i = 0; i < s.rows(); ++i) group.numbers.push_back(static_cast<double>(i % 2));
  const Json report = FairnessReport(s, MakeGroups(group, {}));
  EXPECT_TRUE(report["mae_ratio"].IsNumber());
  EXPECT_EQ(report.Find("demographic_parity_ratio"), nullptr);
  EXPECT_NE(report["notes"].Dump().find("regression"), std::string::npos);
  EXPECT_TRUE(report["groups"]["0"]["rmse"].IsNumber());
}

table::Column Numbers(std::vector<double> values) {
  table::Column c;
  c.name = "age";
  c.numbers = std::move(values);
  return c;
}
TEST(Groups, EdgesQuartilesValuesAndMissing) {
  std::vector<double> ages;
  for (int i = 0; i < 100; ++i) ages.push_back(i);
  ages.push_back(std::nan(""));
  const Groups edges = MakeGroups(Numbers(ages), {30, 50});
  EXPECT_EQ(edges.names, (std::vector<std::string>{"<30", "30..50", ">=50", "(missing)"}));
  EXPECT_EQ(edges.rows[0].size(), 30u);
  EXPECT_EQ(edges.rows[1].front(), 30u) << "a bin holds its lower edge";
  EXPECT_EQ(edges.rows[3].size(), 1u);
  const Groups quartiles = MakeGroups(Numbers(ages), {});
  EXPECT_EQ(quartiles.names.size(), 5u);
  for (size_t g = 0; g < 4; ++g) EXPECT_NEAR(static_cast<double>(quartiles.rows[g].size()), 25, 1);
  const Groups values = MakeGroups(Numbers({10, 2, 2, 10, 0}), {});
  EXPECT_EQ(values.names, (std::vector<std::string>{"0", "2", "10"}));
  EXPECT_EQ(FindGroup(values, "2.0"), 1u);
  EXPECT_EQ(FindGroup(values, "3"), std::nullopt);
  EXPECT_EQ(MakeGroups(Numbers({std::nan(""), std::nan("")}), {}).names, std::vector<std::string>{"(missing)"});
}
TEST(Groups, ManyLevelsKeepTheLargest) {
  table::Column c;
  c.name = "city";
  c.type = table::Type::kString;
  for (int i = 0; i < 300; ++i) {
    c.strings.push_back(i < 200 ? "big" + std::to_string(i % 4) : "rare" + std::to_string(i));
    c.missing.push_back(0);
  }
  const Groups groups = MakeGroups(c, {}, 5);
  EXPECT_EQ(groups.names.size(), 6u);
  EXPECT_EQ(groups.names.back(), kOtherGroup);
  EXPECT_EQ(groups.rows[0].size(), 50u);
  size_t rows = 0;
  for (const auto& g : groups.rows) rows += g.size();
  EXPECT_EQ(rows, 300u);
}

}  // namespace
}  // namespace rondo::model
