#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fmt/format.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_map.h"
#include "data/dataset.h"

namespace rondo::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class IngestTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, std::string_view bytes) { ASSERT_TRUE(WriteFileAtomic(dir_.path() / name, bytes)); }
  Result<IngestResult> Run(const project::Dataset& spec) { return Ingest(spec, dir_.path(), inputs_, secret_, To(spec.name)); }
  fs::path To(const std::string& name) { return dir_.path() / "out" / (name + ".parquet"); }
  table::Frame Read(const std::string& name) {
    auto frame = table::ReadTable(To(name));
    EXPECT_TRUE(frame) << frame.error().Text();
    return frame ? *frame : table::Frame{};
  }
  std::string ErrorOf(const project::Dataset& spec) {
    const auto result = Run(spec);
    EXPECT_FALSE(result);
    EXPECT_FALSE(fs::exists(To(spec.name)));
    return result ? "" : result.error().Text();
  }
  TempDir dir_;
  std::map<std::string, fs::path> inputs_;
  std::string secret_ = "key";
};

project::Dataset From(const std::string& name, const std::string& from) {
  project::Dataset spec;
  spec.name = name;
  spec.from = from;
  return spec;
}

TEST_F(IngestTest, TelcoIsTheSameEachTime) {
  project::Dataset spec = From("customers", (fs::current_path() / "examples/churn/data/telco_churn.csv").string());
  project::ColumnRule rule;
  rule.name = "total_charges";
  rule.type = "float";
  spec.contract.columns.push_back(rule);
  const auto first = Run(spec);
  ASSERT_TRUE(first) << first.error().Text();
  EXPECT_EQ(first->rows, 7043);
  EXPECT_EQ(first->schema.size(), 20u);
  EXPECT_EQ(first->md5, HashFile(To("customers"), HashKind::kMd5)->hex);
  EXPECT_EQ(first->source_md5, HashFile(spec.from, HashKind::kMd5)->hex);
  EXPECT_EQ(first->bytes, static_cast<int64_t>(fs::file_size(To("customers"))));
  const auto second = Run(spec);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->md5, first->md5);
  for (const auto& entry : fs::directory_iterator(dir_.path() / "out")) EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << entry.path();
}

TEST_F(IngestTest, PersonalColumns) {
  Write("p.csv", "id,email,age,mail2,income\n7,a@x.org,37,ü,1234.5\n8,,-3,z,\n");
  for (const std::string& key : {std::string("key"), std::string(100, 'k'), std::string("\x00'\\\xff\n", 5)}) {
    secret_ = key;
    project::Dataset spec = From("p", "p.csv");
    spec.personal = {{"id", "pseudonymise", 0}, {"email", "pseudonymise", 0}, {"mail2", "drop", 0}, {"age", "bucket", 10}, {"income", "bucket", 2.5}};
    const auto result = Run(spec);
    ASSERT_TRUE(result) << result.error().Text();
    EXPECT_THAT(result->dropped, ElementsAre("mail2"));
    EXPECT_THAT(result->pseudonymised, ElementsAre("id", "email"));
    const table::Frame frame = Read("p");
    EXPECT_EQ(frame.Find("mail2"), nullptr);
    EXPECT_THAT(frame.Find("id")->strings, ElementsAre(HmacSha256Hex(key, "7"), HmacSha256Hex(key, "8")));
    EXPECT_EQ(frame.Find("email")->strings[0], HmacSha256Hex(key, "a@x.org"));
    EXPECT_TRUE(frame.Find("email")->IsMissing(1)) << "a missing value stays missing";
    EXPECT_EQ(frame.Find("age")->type, table::Type::kInt);
    EXPECT_THAT(frame.Find("age")->numbers, ElementsAre(30, -10));
    EXPECT_EQ(frame.Find("income")->numbers[0], 1232.5);
    // Nothing of the dropped or pseudonymised texts is in the file.
    const std::string bytes = *ReadFile(To("p"));
    EXPECT_EQ(bytes.find("a@x.org"), std::string::npos);
  }
  // RFC 4231, test case 2.
  secret_ = "Jefe";
  Write("r.csv", "a,b\n1,what do ya want for nothing?\n");
  project::Dataset spec = From("r", "r.csv");
  spec.personal = {{"b", "pseudonymise", 0}};
  ASSERT_TRUE(Run(spec));
  EXPECT_EQ(Read("r").columns[1].strings[0], "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_F(IngestTest, PersonalMistakesAreErrors) {
  Write("p.csv", "a,b\n1,x\n");
  project::Dataset spec = From("p", "p.csv");
  spec.personal = {{"email", "drop", 0}};
  EXPECT_THAT(ErrorOf(spec), testing::AllOf(HasSubstr("no column \"email\""), HasSubstr("a, b")));
  project::ColumnRule rule;
  rule.name = "email";
  spec.contract.columns = {rule};
  EXPECT_THAT(ErrorOf(spec), testing::AllOf(HasSubstr("no column \"email\""), HasSubstr("a, b"))) << "also when the contract has a rule on it";
  spec.contract.columns.clear();
  spec.personal = {{"b", "bucket", 10}};
  EXPECT_THAT(ErrorOf(spec), HasSubstr("a bucket needs numbers"));
  spec.personal = {{"a", "bucket", 0}};
  EXPECT_THAT(ErrorOf(spec), HasSubstr("bucket width"));
  spec.personal = {{"a", "hide", 0}};
  EXPECT_THAT(ErrorOf(spec), HasSubstr("\"hide\" is not known"));
  spec.personal = {{"a", "drop", 0}, {"b", "drop", 0}};
  EXPECT_THAT(ErrorOf(spec), HasSubstr("no column is left"));
  secret_ = "";
  spec.personal = {{"a", "pseudonymise", 0}};
  EXPECT_THAT(ErrorOf(spec), HasSubstr("needs a secret key"));
  EXPECT_THAT(ErrorOf(From("u", "https://example.org/a.csv")), HasSubstr("this release reads files"));
  EXPECT_THAT(ErrorOf(From("n", "nothing.csv")), HasSubstr("there is no file"));
}

TEST_F(IngestTest, RulesOnPersonalColumnsAreJudgedOnTheSource) {
  Write("p.csv", "id,email,age,plan\nk1,a@x.org,37,a\nk2,b@x.org,205,b\nk3,nobody,12,a\nk3,c@x.org,,a\n");
  project::Dataset spec = From("p", "p.csv");
  spec.personal = {{"id", "pseudonymise", 0}, {"email", "drop", 0}, {"age", "bucket", 10}};
  project::ColumnRule id, email, age;
  id.name = "id";
  id.unique = true;
  id.matches = "^k[0-9]$";
  email.name = "email";
  email.matches = "^[^@]+@[^@]+$";
  age.name = "age";
  age.type = "int";
  age.min = "12";  // the bucket of 12 is 10: judged after bucketing it would fail
  age.max = "120";
  age.max_null_share = 0.5;
  spec.contract.columns = {id, email, age};
  ASSERT_TRUE(Run(spec));
  const auto report = Check(spec, To("p"), nullptr, nullptr, 0);
  ASSERT_TRUE(report) << report.error().Text();
  ASSERT_EQ(report->anomalies.size(), 3u) << WriteJson(*report);
  EXPECT_FALSE(report->passed);
  EXPECT_EQ(report->anomalies[0].kind, "FEATURE_TYPE_LOW_UNIQUE");
  EXPECT_EQ(report->anomalies[1].column, "email");
  EXPECT_EQ(report->anomalies[1].samples[0]["row"].AsInt(), 3);
  EXPECT_EQ(report->anomalies[2].kind, "INT_TYPE_BIG_INT");
  spec.contract.extra_columns = project::ExtraColumns::forbid;
  const auto strict = Check(spec, To("p"), nullptr, nullptr, 0);
  ASSERT_TRUE(strict);
  EXPECT_EQ(strict->anomalies.size(), 4u) << "only \"plan\" is extra: " << WriteJson(*strict);
  spec.contract.extra_columns = project::ExtraColumns::warn;
  // Nothing of the values is kept: not in the report, not in the file.
  const std::string text = WriteJson(*report), bytes = *ReadFile(To("p"));
  for (const char* value : {"nobody", "205", "k3"}) {
    EXPECT_EQ(text.find(value), std::string::npos) << text;
    EXPECT_EQ(bytes.find(value), std::string::npos) << value;
  }
  // A file that was rewritten has lost the judgement: what can't be checked is said.
  auto engine = table::Engine::Open();
  ASSERT_TRUE((*engine)->Load("t", To("p"), {}));
  ASSERT_TRUE((*engine)->WriteParquet("SELECT * FROM t", To("p")));
  const auto later = Check(spec, To("p"), nullptr, nullptr, 0);
  ASSERT_TRUE(later) << later.error().Text();
  ASSERT_EQ(later->anomalies.size(), 2u);
  EXPECT_EQ(later->anomalies[0].kind, "FEATURE_TYPE_LOW_UNIQUE");
  EXPECT_THAT(later->anomalies[1].message, HasSubstr("can't be checked"));
}

TEST_F(IngestTest, SqlDatasets) {
  Write("c.csv", "id,plan,spend,at\n1,a,10,2024-01-02\n2,b,20,2024-01-03\n3,a,30,2024-01-04\n");
  Write("r.csv", "plan,price,since\na,1,2024-01-01\na,2,2024-01-03\nb,5,2024-01-01\n");
  for (const char* name : {"c", "r"}) {
    ASSERT_TRUE(Run(From(name, std::string(name) + ".csv")));
    inputs_[name] = To(name);
  }
  project::Dataset spec;
  spec.name = "joined";
  spec.sql = "SELECT c.*, r.price FROM c ASOF JOIN r ON c.plan = r.plan AND c.at >= r.since;";
  project::ColumnRule rule;
  rule.name = "id";
  rule.type = "string";
  spec.contract.columns.push_back(rule);
  spec.personal = {{"spend", "drop", 0}};
  const auto result = Run(spec);
  ASSERT_TRUE(result) << result.error().Text();
  const table::Frame frame = Read("joined");
  EXPECT_THAT(frame.Find("id")->strings, ElementsAre("1", "2", "3"));
  EXPECT_THAT(frame.Find("price")->numbers, ElementsAre(1, 5, 2));
  EXPECT_EQ(frame.Find("spend"), nullptr);
  const auto again = Run(spec);
  EXPECT_EQ(again->md5, result->md5);
  EXPECT_EQ(again->source_md5, result->source_md5);

  spec.contract.columns[0].type = "date";
  const auto typed = Run(spec);
  ASSERT_FALSE(typed);
  EXPECT_THAT(typed.error().message, testing::AllOf(HasSubstr("the result of sql:"), HasSubstr("row 1, column \"id\"")));
  fs::remove(To("joined"));
  spec.sql = "SELECT * FROM c WHERE false";
  EXPECT_THAT(ErrorOf(spec), HasSubstr("gives no rows"));
  spec.sql = "SELECT * FROM secrets";
  EXPECT_THAT(ErrorOf(spec), testing::AllOf(HasSubstr("no dataset \"secrets\""), HasSubstr("stand before this one")));
  spec.sql = fmt::format("SELECT * FROM c, read_csv('{}')", (dir_.path() / "r.csv").string());
  EXPECT_THAT(ErrorOf(spec), HasSubstr("read_csv() is not allowed"));
}

}  // namespace
}  // namespace rondo::data
