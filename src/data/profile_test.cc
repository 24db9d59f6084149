#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fmt/format.h>

#include <cmath>

#include "base/file.h"
#include "data/associations.h"
#include "data/dataset.h"

namespace rondo::data {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Result<Json> ProfileOf(const TempDir& dir, const std::string& csv) {
  EXPECT_TRUE(WriteFileAtomic(dir.path() / "d.csv", csv));
  auto engine = table::Engine::Open();
  const auto done = (*engine)->Convert(dir.path() / "d.csv", {}, {}, dir.path() / "d.parquet");
  EXPECT_TRUE(done) << done.error().Text();
  return Profile(dir.path() / "d.parquet");
}

// Values by pandas (describe, nunique, corr, duplicated), scipy.stats.skew (bias=False) and scipy.stats.contingency.association (Cramér's V).
TEST(Profile, TelcoMatchesPandasAndScipy) {
  TempDir dir;
  auto engine = table::Engine::Open();
  ASSERT_TRUE((*engine)->Convert("examples/churn/data/telco_churn.csv", {}, {}, dir.path() / "t.parquet"));
  const auto profile = Profile(dir.path() / "t.parquet");
  ASSERT_TRUE(profile) << profile.error().Text();
  const Json& p = *profile;
  EXPECT_EQ(p["rows"].AsInt(), 7043);
  EXPECT_EQ(p["duplicates"].AsInt(), 22);
  const Json& tenure = p["columns"]["tenure"];
  EXPECT_EQ(tenure["type"].AsString(), "int");
  EXPECT_EQ(tenure["distinct"].AsInt(), 73);
  EXPECT_NEAR(tenure["mean"].AsDouble(), 32.37114865824223, 1e-9);
  EXPECT_NEAR(tenure["std"].AsDouble(), 24.55948102309446, 1e-9);
  EXPECT_NEAR(tenure["skew"].AsDouble(), 0.23953974956198287, 1e-9);
  EXPECT_EQ(tenure["quantiles"]["0.25"].AsDouble(), 9);
  EXPECT_EQ(tenure["quantiles"]["0.5"].AsDouble(), 29);
  const Json& total = p["columns"]["total_charges"];
  EXPECT_EQ(total["nulls"].AsInt(), 11);
  EXPECT_EQ(total["count"].AsInt(), 7032);
  EXPECT_EQ(total["distinct"].AsInt(), 6530);
  EXPECT_NEAR(total["mean"].AsDouble(), 2283.300440841866, 1e-6);
  EXPECT_NEAR(total["std"].AsDouble(), 2266.771361883145, 1e-6);
  EXPECT_NEAR(total["skew"].AsDouble(), 0.9616424997242503, 1e-9);
  EXPECT_NEAR(total["quantiles"]["0.5"].AsDouble(), 1397.475, 1e-9);
  EXPECT_NEAR(total["quantiles"]["0.99"].AsDouble(), 8039.883, 1e-6);
  const Json& top = p["columns"]["contract"]["top"];
  EXPECT_EQ(top[size_t{0}]["value"].AsString(), "Month-to-month");
  EXPECT_EQ(top[size_t{0}]["count"].AsInt(), 3875);
  EXPECT_EQ(top[size_t{2}]["count"].AsInt(), 1473);
  for (const auto& [name, c] : p["columns"].AsObject()) {
    EXPECT_EQ(c["approximate"].size(), 0u) << name;
    if (!c.Find("histogram")) continue;
    int64_t n = 0, m = 0;
    for (const Json& k : c["histogram"]["counts"].AsArray()) n += k.AsInt();
    for (const Json& k : c["bins"]["counts"].AsArray()) m += k.AsInt();
    EXPECT_EQ(n, c["count"].AsInt()) << name;
    EXPECT_EQ(m, c["count"].AsInt()) << name;
    EXPECT_EQ(c["histogram"]["edges"].size(), c["histogram"]["counts"].size() + 1) << name;
  }
  const auto pair = [&](const char* kind, const char* a, const char* b) {
    const Json& names = p["correlations"][kind]["columns"];
    size_t i = 0, k = 0;
    for (size_t n = 0; n < names.size(); ++n) {
      if (names[n].AsString() == a) i = n;
      if (names[n].AsString() == b) k = n;
    }
    return p["correlations"][kind]["matrix"][i][k].AsDouble();
  };
  EXPECT_NEAR(pair("pearson", "tenure", "monthly_charges"), 0.24789986, 1e-6);
  EXPECT_NEAR(pair("pearson", "tenure", "total_charges"), 0.82588046, 1e-6);
  EXPECT_NEAR(pair("cramers_v", "contract", "churn"), 0.4101156965761409, 1e-6);
  EXPECT_NEAR(pair("cramers_v", "internet_service", "payment_method"), 0.3131230023778106, 1e-6);
}

TEST(Profile, NastyColumnsAndAlerts) {
  TempDir dir;
  std::string csv = "id,constant,empty,mostly,day,flag,zero,twin,twin2,one\n";
  for (int i = 0; i < 200; ++i) csv += fmt::format("u{},7,,{},2024-01-{:02},{},{},{},{},\n", i, i < 190 ? "a" : "b", 1 + i % 28, i % 2 == 0 ? "true" : "false", i < 150 ? 0 : i, i, 2 * i);
  const auto profile = ProfileOf(dir, csv);
  ASSERT_TRUE(profile) << profile.error().Text();
  std::map<std::string, std::string> alerts;
  for (const Json& a : (*profile)["alerts"].AsArray()) alerts[a["column"].AsString()] += a["kind"].AsString() + " ";
  EXPECT_THAT(alerts["id"], HasSubstr("UNIQUE"));
  EXPECT_THAT(alerts["constant"], HasSubstr("CONSTANT"));
  EXPECT_THAT(alerts["empty"], HasSubstr("EMPTY"));
  EXPECT_THAT(alerts["mostly"], HasSubstr("IMBALANCE"));
  EXPECT_THAT(alerts["zero"], HasSubstr("ZEROS"));
  EXPECT_THAT(alerts["twin2"], HasSubstr("HIGH_CORRELATION"));
  EXPECT_EQ(alerts.count("flag"), 0u);
  const Json& c = (*profile)["columns"];
  EXPECT_EQ(c["id"]["top"].size(), 0u) << "identifiers are not listed";
  EXPECT_EQ(c["id"].Find("min"), nullptr);
  EXPECT_EQ(c["empty"]["nulls"].AsInt(), 200);
  EXPECT_EQ(c["flag"]["mean"].AsDouble(), 0.5);
  EXPECT_EQ(c["day"]["min"].AsString(), "2024-01-01");
  EXPECT_EQ(c["day"]["histogram"]["edges"][size_t{0}].AsString(), "2024-01-01");
  EXPECT_EQ(c["constant"]["histogram"]["counts"].size(), 1u);
}

TEST(Profile, ExtremeFloats) {
  TempDir dir;
  auto engine = table::Engine::Open();
  ASSERT_TRUE((*engine)->WriteParquet("SELECT unnest([1e308, -1e308, 0.0, 'inf'::DOUBLE, NULL]) AS wide, unnest([1.5, 1.5, 1.5, 1.5, 1.5]) AS same, unnest(['inf'::DOUBLE, 'inf'::DOUBLE, NULL, NULL, NULL]) AS only", dir.path() / "d.parquet"));
  const auto profile = Profile(dir.path() / "d.parquet");
  ASSERT_TRUE(profile) << profile.error().Text();
  EXPECT_EQ((*profile)["columns"]["wide"]["infinite"].AsInt(), 1);
  EXPECT_EQ((*profile)["columns"]["same"]["histogram"]["counts"][size_t{0}].AsInt(), 5);
  EXPECT_EQ((*profile)["columns"]["only"].Find("histogram"), nullptr);
  EXPECT_TRUE(ParseJson(profile->Pretty(Json::NonFinite::kNull)));
}

TEST(Profile, LargeDataSayWhatIsApproximate) {
  TempDir dir;
  auto engine = table::Engine::Open();
  ASSERT_TRUE((*engine)->WriteParquet("SELECT i AS id, i % 100 AS small, (i * 7919) % 100003 / 10.0 AS f FROM range(1200000) t(i)", dir.path() / "d.parquet"));
  const auto profile = Profile(dir.path() / "d.parquet");
  ASSERT_TRUE(profile) << profile.error().Text();
  const Json& c = (*profile)["columns"];
  EXPECT_EQ(c["small"]["distinct"].AsInt(), 100) << "few distinct values are counted exactly";
  EXPECT_EQ(c["small"]["approximate"].Find("distinct"), nullptr);
  ASSERT_NE(c["id"]["approximate"].Find("distinct"), nullptr);
  EXPECT_NEAR(c["id"]["distinct"].AsDouble() / 1.2e6, 1, c["id"]["approximate"]["distinct"].AsDouble());
  EXPECT_NEAR(c["id"]["quantiles"]["0.5"].AsDouble() / 1.2e6, 0.5, c["id"]["approximate"]["quantiles"].AsDouble());
  EXPECT_NEAR((*profile)["correlations"]["rows"].AsDouble(), 1e5, 1e3);
  EXPECT_TRUE((*profile)["duplicates"].IsNull());
}

TEST(ProfileHtml, IsSelfContainedAndEscaped) {
  TempDir dir;
  const auto profile = ProfileOf(dir, "a<b,\"<script>alert(1)</script>\",n\n\"<img src=x>\",1,1.5\n\"<img src=x>\",2,\n\"&\"\"'\",3,2.5\n");
  ASSERT_TRUE(profile) << profile.error().Text();
  CheckReport check;
  check.passed = false;
  check.checks = 2;
  check.rows = 3;
  check.anomalies.push_back({"a<b", "ENUM_TYPE_UNEXPECTED_STRING_VALUES", "ERROR", "1 value is \"<b>\"", 1, {Json::MakeObject().Set("row", 1).Set("value", "<img src=x>")}});
  const std::string html = ProfileHtml("d\"<x>", *profile, &check);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("<b>\"")));
  EXPECT_THAT(html, Not(HasSubstr("http")));
  EXPECT_THAT(html, Not(HasSubstr("url(")));
  EXPECT_THAT(html, HasSubstr("a&lt;b"));
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(html, HasSubstr("<svg"));
  EXPECT_THAT(html, HasSubstr("ENUM_TYPE_UNEXPECTED_STRING_VALUES"));
  EXPECT_THAT(html, HasSubstr("d&quot;&lt;x&gt;"));
}

TEST(Associations, KnownValues) {
  EXPECT_NEAR(Pearson({1, 2, 3, NAN, 5}, {2, 4, 6, 8, 10}), 1, 1e-12);
  EXPECT_NEAR(Pearson({1e9 + 1, 1e9 + 2, 1e9 + 3}, {3, 2, 1}), -1, 1e-9) << "large means";
  EXPECT_TRUE(std::isnan(Pearson({1, 1, 1}, {1, 2, 3})));
  EXPECT_NEAR(CramersV({0, 0, 1, 1}, 2, {1, 1, 0, 0}, 2), 1, 1e-12);
  EXPECT_NEAR(CramersV({0, 0, 1, 1}, 2, {0, 1, 0, 1}, 2), 0, 1e-12);
  EXPECT_TRUE(std::isnan(CramersV({0, 0, -1}, 2, {0, 1, 1}, 2)));
}

}  // namespace
}  // namespace rondo::data
