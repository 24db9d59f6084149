#include "monitor/label_file.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace rondo::monitor {
namespace {

Result<LabelFile> Read(const std::string& csv, const LabelColumns& columns) {
  TempDir folder;
  EXPECT_TRUE(WriteFileAtomic(folder.path() / "labels.csv", csv));
  return ReadLabelFile(folder.path() / "labels.csv", columns);
}

TEST(LabelFile, KeysAndLabelsKeepTheirSpelling) {
  const auto file = Read("customer,churn,label_time\n007,1,2024-05-01\n008,0,2024-05-02\n009,,\n", {"customer", "churn"});
  ASSERT_TRUE(file) << file.error().Text();
  ASSERT_EQ(file->rows.size(), 2u);
  EXPECT_EQ(file->rows[0].key, "007");
  EXPECT_EQ(file->rows[0].label, "1");
  EXPECT_EQ(file->rows[0].time, 1714521600000);
  EXPECT_EQ(file->unlabelled, 1);
}

TEST(LabelFile, PredictionIdsAreTextsEvenWhenAllDigits) {
  const auto file = Read("id,label\n00000000000000000000000000000012,Yes\n00000000000000000000000000000013,No\n", {"", "churn"});
  ASSERT_TRUE(file) << file.error().Text();
  EXPECT_EQ(file->rows[1].id, "00000000000000000000000000000013");
  EXPECT_EQ(file->rows[1].label, "No");
}

TEST(LabelFile, AKeyCalledIdIsAKey) {
  const auto file = Read("id,churn\nA1,Yes\n", {"id", "churn"});
  ASSERT_TRUE(file);
  EXPECT_EQ(file->rows[0].key, "A1");
  EXPECT_TRUE(file->rows[0].id.empty());
}

TEST(LabelFile, SaysWhatIsMissing) {
  EXPECT_NE(Read("a,churn\n1,Yes\n", {"customer", "churn"}).error().message.find("the key customer"), std::string::npos);
  EXPECT_NE(Read("customer,b\n1,Yes\n", {"customer", "churn"}).error().message.find("churn or label"), std::string::npos);
  EXPECT_NE(Read("customer,churn,time\n1,Yes,soon\n", {"customer", "churn"}).error().message.find("row 1, column time"), std::string::npos);
  EXPECT_NE(Read("customer,churn,x\n,Yes,3\n", {"customer", "churn"}).error().message.find("neither id nor key"), std::string::npos);
}

}  // namespace
}  // namespace rondo::monitor
