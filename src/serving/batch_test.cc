// Batch scoring against the online path: same rows, same scores; formats, keys, errors.
#include "serving/batch.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "serving/fake.h"

namespace rondo::serving {
namespace {

class BatchTest : public testing::Test {
 protected:
  fs::path Write(const std::string& name, const std::string& text) {
    EXPECT_TRUE(WriteFileAtomic(dir_.path() / name, text));
    return dir_.path() / name;
  }
  table::Frame Read(const std::string& name) { return *table::ReadTable(dir_.path() / name); }
  TempDir dir_;
  FakeScorer scorer_{ChurnSignature(), {}};
};

TEST_F(BatchTest, ScoresAsTheEndpointDoes) {
  const fs::path data = Write("rows.csv", "customer_id,tenure,charge,active,contract,churn\na,10,1.5,true,One year,No\nb,,2,false,,Yes\n\"c,\"\"d\",30,3,true,01,No\n");
  auto done = ScoreTable(scorer_, data, nullptr, dir_.path() / "deep/er/out.parquet");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->rows, 3);
  EXPECT_EQ(done->key, "customer_id");
  const table::Frame out = Read("deep/er/out.parquet");
  ASSERT_EQ(out.columns.size(), 3u);
  EXPECT_EQ(out.columns[0].strings, (std::vector<std::string>{"a", "b", "c,\"d"}));
  EXPECT_EQ(out.columns[1].name, "score");
  EXPECT_NEAR(out.columns[1].numbers[0], 1 / (1 + std::exp(1.0)), 1e-7);
  EXPECT_EQ(out.columns[1].numbers[1], 0.5);
  EXPECT_EQ(out.columns[2].strings, (std::vector<std::string>{"No", "Yes", "No"}));
  EXPECT_EQ(done->decisions, (std::vector<std::pair<std::string, int64_t>>{{"No", 2}, {"Yes", 1}}));
}

TEST_F(BatchTest, CsvHasTheSameCells) {
  const fs::path data = Write("rows.csv", "customer_id,tenure,charge,active,contract\n\"c,\"\"d\",30,3,true,x\n");
  ASSERT_TRUE(ScoreTable(scorer_, data, nullptr, dir_.path() / "out.csv"));
  const std::string text = *ReadFile(dir_.path() / "out.csv");
  EXPECT_TRUE(text.starts_with("key,score,decision\n\"c,\"\"d\",0.0474258")) << text;
  size_t files = 0;
  for ([[maybe_unused]] const auto& e : fs::directory_iterator(dir_.path())) ++files;
  EXPECT_EQ(files, 2u) << "no temporary file stays";
}

TEST_F(BatchTest, ManyPiecesEqualOne) {
  std::string csv = "tenure,charge,active,contract\n";
  constexpr int kRows = 150'000;
  for (int i = 0; i < kRows; ++i) csv += fmt::format("{},1,true,x\n", i % 70);
  const fs::path data = Write("rows.csv", csv);
  auto done = ScoreTable(scorer_, data, nullptr, dir_.path() / "out.parquet");
  ASSERT_TRUE(done) << done.error().message;
  const table::Frame out = Read("out.parquet");
  ASSERT_EQ(out.rows(), static_cast<size_t>(kRows));
  EXPECT_EQ(done->key, "");
  std::set<std::string> keys;
  for (size_t i = 0; i < out.rows(); ++i) {
    ASSERT_NEAR(out.columns[1].numbers[i], 1 / (1 + std::exp(static_cast<double>(i % 70) / 10)), 1e-6) << i;
    keys.insert(out.columns[0].strings[i]);
  }
  EXPECT_EQ(keys.size(), static_cast<size_t>(kRows)) << "equal rows are told apart, across pieces";
}

TEST_F(BatchTest, MulticlassAndRegressionColumns) {
  const fs::path data = Write("rows.csv", "tenure,charge,active,contract\n10,1,true,x\n");
  model::Signature s = ChurnSignature();
  s.task = project::Task::multiclass;
  s.classes = {"a", "b", "c"};
  ASSERT_TRUE(ScoreTable(FakeScorer(s, {}), data, nullptr, dir_.path() / "multi.parquet"));
  const table::Frame multi = Read("multi.parquet");
  ASSERT_EQ(multi.columns.size(), 5u);
  EXPECT_EQ(multi.columns[3].name, "score_c");
  s.task = project::Task::regression;
  s.classes.clear();
  ASSERT_TRUE(ScoreTable(FakeScorer(s, {}), data, nullptr, dir_.path() / "regression.parquet"));
  const table::Frame regression = Read("regression.parquet");
  EXPECT_EQ(regression.columns[2].name, "decision");
  EXPECT_EQ(regression.columns[2].numbers, regression.columns[1].numbers);
}

TEST_F(BatchTest, BadInputLeavesNothingBehind) {
  const struct {
    const char *name, *csv;
    const char* error;
  } cases[] = {{"missing column", "tenure,charge,active\n1,2,true\n", "contract"},
               {"no number", "tenure,charge,active,contract\nx,2,true,y\n", "tenure"},
               {"ragged", "tenure,charge,active,contract\n1,2\n", "line 2"},
               {"empty", "", "empty"},
               {"header only", "tenure,charge,active,contract\n", "rows"}};
  for (const auto& c : cases) {
    const fs::path data = Write("bad.csv", c.csv);
    auto done = ScoreTable(scorer_, data, nullptr, dir_.path() / "bad_out.parquet");
    ASSERT_FALSE(done) << c.name;
    EXPECT_NE(done.error().message.find(c.error), std::string::npos) << c.name << ": " << done.error().message;
    EXPECT_FALSE(fs::exists(dir_.path() / "bad_out.parquet")) << c.name;
  }
  EXPECT_FALSE(ScoreTable(scorer_, dir_.path() / "nowhere.csv", nullptr, dir_.path() / "x.parquet"));
  EXPECT_EQ(OpenBatchModel(nullptr, "churn@champion").error().code, Code::kInvalid);
  EXPECT_FALSE(OpenBatchModel(nullptr, (dir_.path() / "none.onnx").string()));
}

}  // namespace
}  // namespace rondo::serving
