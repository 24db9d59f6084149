#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fmt/format.h>

#include <functional>

#include "base/clock.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/psi.h"

namespace rondo::data {
namespace {

using ::testing::HasSubstr;

const int64_t kNow = *ParseTime("2024-03-10T12:00:00Z");

class CheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Data("id,age,plan,mail,at,score,flag\n"
         "1,30,a,x@y.org,2024-03-08,0.5,true\n"
         "2,-4,b,bad,2024-03-01,inf,false\n"
         "3,200,c,z@y.org,2024-02-01,1.5,true\n"
         "3,41,a,,2024-01-01,2.5,\n"
         ",42,a,w@y.org,,-1,true\n");
  }
  void Data(const std::string& csv) {
    ASSERT_TRUE(WriteFileAtomic(dir_.path() / "d.csv", csv));
    project::Dataset spec;
    spec.name = "d";
    spec.from = "d.csv";
    project::ColumnRule rule;
    rule.name = "id";
    rule.type = "string";
    spec.contract.columns = {rule};
    auto engine = table::Engine::Open();
    ASSERT_TRUE(engine);
    // Infinite values can't come from CSV: write them directly.
    ASSERT_TRUE((*engine)->Load("t", dir_.path() / "d.csv", {}));
    const auto written = (*engine)->WriteParquet("SELECT * REPLACE (TRY_CAST(score AS DOUBLE) AS score) FROM t", parquet_);
    ASSERT_TRUE(written) << written.error().Text();
  }
  Result<CheckReport> Run(const project::Contract& contract) {
    project::Dataset spec;
    spec.name = "d";
    spec.contract = contract;
    return Check(spec, parquet_, schema_ ? &*schema_ : nullptr, profile_ ? &*profile_ : nullptr, kNow);
  }
  /// The only anomaly of a contract.
  Anomaly One(const project::Contract& contract) {
    const auto report = Run(contract);
    EXPECT_TRUE(report) << report.error().Text();
    if (!report) return {};
    EXPECT_EQ(report->anomalies.size(), 1u);
    EXPECT_EQ(report->passed, report->anomalies.empty() || report->anomalies[0].severity == "WARNING");
    return report->anomalies.empty() ? Anomaly{} : report->anomalies[0];
  }
  TempDir dir_;
  fs::path parquet_ = dir_.path() / "d.parquet";
  std::optional<std::vector<SchemaColumn>> schema_;
  std::optional<Json> profile_;
};

project::Contract Rule(const std::string& column, const std::function<void(project::ColumnRule&)>& set) {
  project::Contract contract;
  project::ColumnRule rule;
  rule.name = column;
  set(rule);
  contract.columns.push_back(rule);
  return contract;
}

TEST_F(CheckTest, EachKindOfAnomaly) {
  struct Case {
    project::Contract contract;
    std::string column, kind, message;
    int64_t count;
    std::vector<int64_t> rows;
  };
  project::Contract key, low, high, fresh;
  key.key = "id";
  low.min_rows = 6;
  high.max_rows = 4;
  fresh.freshness = project::Freshness{"at", 86'400'000};
  const Case cases[] = {
      {Rule("gone", [](auto&) {}), "gone", "SCHEMA_MISSING_COLUMN", "id, age, plan", 0, {}},
      {Rule("age", [](auto& r) { r.type = "date"; }), "age", "UNEXPECTED_DATA_TYPE", "is int, the contract says date", 0, {}},
      {Rule("age", [](auto& r) { r.min = "0"; }), "age", "INT_TYPE_SMALL_INT", "below the minimum 0; the smallest is -4", 1, {2}},
      {Rule("age", [](auto& r) { r.max = "120"; }), "age", "INT_TYPE_BIG_INT", "above the maximum 120; the largest is 200", 1, {3}},
      {Rule("score", [](auto& r) { r.min = "0"; r.warn = true; }), "score", "FLOAT_TYPE_SMALL_FLOAT", "-1", 1, {5}},
      {Rule("at", [](auto& r) { r.min = "2024-01-15"; }), "at", "FLOAT_TYPE_SMALL_FLOAT", "smallest is 2024-01-01", 1, {4}},
      {Rule("plan", [](auto& r) { r.in_ = {"a", "b"}; }), "plan", "ENUM_TYPE_UNEXPECTED_STRING_VALUES", "not among a, b (for example \"c\", row 3)", 1, {3}},
      {Rule("age", [](auto& r) { r.in_ = {"30", "41.0", "42", "-4"}; }), "age", "ENUM_TYPE_UNEXPECTED_STRING_VALUES", "200", 1, {3}},
      {Rule("flag", [](auto& r) { r.in_ = {"True"}; }), "flag", "ENUM_TYPE_UNEXPECTED_STRING_VALUES", "not among True", 1, {2}},
      {Rule("mail", [](auto& r) { r.matches = "^[^@]+@[^@]+$"; }), "mail", "CUSTOM_VALIDATION", "don't match", 1, {2}},
      {Rule("mail", [](auto& r) { r.max_null_share = 0.1; }), "mail", "FEATURE_TYPE_LOW_FRACTION_PRESENT", "1 of 5 values are missing (20%), the contract allows 10%", 1, {4}},
      {Rule("id", [](auto& r) { r.unique = true; }), "id", "FEATURE_TYPE_LOW_UNIQUE", "1 values repeat", 1, {3, 4}},
      {low, "", "DATASET_LOW_NUM_EXAMPLES", "5 rows, the contract asks for at least 6", 5, {}},
      {high, "", "DATASET_HIGH_NUM_EXAMPLES", "allows 4", 5, {}},
      {fresh, "at", "NO_DATA_IN_SPAN", "newest value is 2024-03-08", 0, {}},
  };
  for (const Case& c : cases) {
    if (c.kind == "FLOAT_TYPE_SMALL_FLOAT" && c.column == "score") continue;  // inf is in that column: below
    const Anomaly a = One(c.contract);
    EXPECT_EQ(a.column, c.column);
    EXPECT_EQ(a.kind, c.kind);
    EXPECT_THAT(a.message, HasSubstr(c.message));
    EXPECT_EQ(a.count, c.count) << a.kind;
    std::vector<int64_t> rows;
    for (const Json& s : a.samples) rows.push_back(s["row"].AsInt());
    EXPECT_EQ(rows, c.rows) << a.kind;
  }
  const auto keys = Run(key);
  ASSERT_EQ(keys->anomalies.size(), 2u);
  EXPECT_EQ(keys->anomalies[0].kind, "FEATURE_TYPE_LOW_FRACTION_PRESENT");
  EXPECT_EQ(keys->anomalies[1].kind, "FEATURE_TYPE_LOW_UNIQUE");
  EXPECT_FALSE(keys->passed);
}

TEST_F(CheckTest, PassesAndWarns) {
  project::Contract good = Rule("age", [](auto& r) { r.type = "int"; r.min = "-4"; r.max = "200"; r.max_null_share = 0; });
  good.min_rows = 5;
  good.max_rows = 5;
  good.freshness = project::Freshness{"at", 2 * 86'400'000};
  const auto report = Run(good);
  ASSERT_TRUE(report) << report.error().Text();
  EXPECT_TRUE(report->passed);
  EXPECT_TRUE(report->anomalies.empty());
  EXPECT_EQ(report->rows, 5);
  EXPECT_EQ(report->checks, 8);
  const Anomaly warned = One(Rule("age", [](auto& r) { r.max = "120"; r.warn = true; }));
  EXPECT_EQ(warned.severity, "WARNING");
  // A share exactly at the limit passes.
  EXPECT_TRUE(Run(Rule("mail", [](auto& r) { r.max_null_share = 0.2; }))->passed);
}

TEST_F(CheckTest, InfiniteFloats) {
  auto engine = table::Engine::Open();
  ASSERT_TRUE((*engine)->WriteParquet("SELECT unnest([1.5, 'inf'::DOUBLE, '-inf'::DOUBLE]) AS score", parquet_));
  const Anomaly a = One(Rule("score", [](auto& r) { r.type = "float"; }));
  EXPECT_EQ(a.kind, "FLOAT_TYPE_HAS_INF");
  EXPECT_EQ(a.count, 2);
}

TEST_F(CheckTest, WrongContractsAreConfigErrors) {
  const std::pair<project::Contract, const char*> cases[] = {
      {Rule("plan", [](auto& r) { r.min = "1"; }), "the column is string, which has no min"},
      {Rule("age", [](auto& r) { r.max = "many"; }), "\"many\" is not a number"},
      {Rule("at", [](auto& r) { r.min = "soon"; }), "\"soon\" is not a date"},
      {Rule("age", [](auto& r) { r.in_ = {"young"}; }), "\"young\" is not a number"},
      {Rule("mail", [](auto& r) { r.matches = "("; }), "matches"},
      {Rule("mail", [](auto& r) { r.type = "text"; }), "not a column type"},
  };
  for (const auto& [contract, message] : cases) {
    const auto report = Run(contract);
    ASSERT_FALSE(report) << message;
    EXPECT_THAT(report.error().Text(), HasSubstr(message));
    EXPECT_EQ(static_cast<int>(report.error().code), static_cast<int>(Code::kInvalid));
  }
}

TEST_F(CheckTest, ColumnsAgainstTheLastVersion) {
  project::Contract contract = Rule("id", [](auto&) {});
  EXPECT_TRUE(Run(contract)->anomalies.empty()) << "nothing is extra in the first version";
  contract.extra_columns = project::ExtraColumns::forbid;
  EXPECT_EQ(Run(contract)->anomalies.size(), 6u);
  schema_ = {{"id", "string"}, {"age", "string"}, {"plan", "category"}, {"mail", "string"}, {"at", "date"}, {"score", "float"}, {"old", "int"}};
  const auto report = Run(contract);
  ASSERT_EQ(report->anomalies.size(), 3u);
  EXPECT_EQ(report->anomalies[0].column, "flag");
  EXPECT_EQ(report->anomalies[0].kind, "SCHEMA_NEW_COLUMN");
  EXPECT_EQ(report->anomalies[0].severity, "ERROR");
  EXPECT_EQ(report->anomalies[1].kind, "UNEXPECTED_DATA_TYPE");
  EXPECT_EQ(report->anomalies[1].severity, "WARNING");
  EXPECT_EQ(report->anomalies[2].column, "old");
  EXPECT_EQ(report->anomalies[2].kind, "SCHEMA_MISSING_COLUMN");
  contract.extra_columns = project::ExtraColumns::warn;
  EXPECT_TRUE(Run(contract)->passed);
  contract.extra_columns = project::ExtraColumns::allow;
  EXPECT_EQ(Run(contract)->anomalies.size(), 2u);
}

TEST_F(CheckTest, DriftAgainstTheLastProfile) {
  const auto make = [&](int shift, const char* plan) {
    std::string csv = "id,age,plan,mail,at,score,flag\n";
    for (int i = 0; i < 2000; ++i) csv += fmt::format("k{},{},{},m{},2024-01-01,0.5,true\n", i, 20 + i % 40 + shift, i % 3 == 0 ? plan : "base", i);
    Data(csv);
  };
  make(0, "plus");
  profile_ = *Profile(parquet_);
  project::Contract contract;
  contract.max_psi = 0.25;
  EXPECT_TRUE(Run(contract)->passed);
  make(2, "plus");
  EXPECT_TRUE(Run(contract)->passed) << "a small shift";
  make(20, "plus");
  Anomaly a = One(contract);
  EXPECT_EQ(a.column, "age");
  EXPECT_EQ(a.kind, "CUSTOM_VALIDATION");
  EXPECT_THAT(a.message, HasSubstr("PSI"));
  make(0, "ultra");
  a = One(contract);
  EXPECT_EQ(a.column, "plan");
}

// Σ (q-p) ln(q/p) for p = (.3, .4, .3), q = (.2, .4, .4) is 0.0693147 (by hand: 0.1 ln 1.5 + 0.1 ln 4/3); counts are large, so the half counts vanish.
TEST(Psi, MatchesTheFormula) {
  EXPECT_NEAR(Psi({3e8, 4e8, 3e8}, {2e8, 4e8, 4e8}), 0.0693147, 1e-6);
  EXPECT_NEAR(Psi({3e8, 4e8, 3e8}, {3e5, 4e5, 3e5}), 0, 1e-6);
  EXPECT_LT(Psi({100, 0}, {99, 1}), 0.1) << "one row in an empty bin is no drift";
}

}  // namespace
}  // namespace rondo::data
