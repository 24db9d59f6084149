#include "table/table.h"
#include <gtest/gtest.h>
#include "base/file.h"
#include "base/hash.h"
namespace rondo::table {
namespace {
TEST(Table, ReadsTheTelcoFile) {
  auto frame = ReadTable("examples/churn/data/telco_churn.csv");
  ASSERT_TRUE(frame) << frame.error().Text();
  EXPECT_EQ(frame->rows(), 7043u);
  ASSERT_EQ(frame->columns.size(), 20u);
  EXPECT_EQ(frame->Find("churn")->type, Type::kString);
  EXPECT_EQ(frame->Find("tenure")->type, Type::kInt);
  EXPECT_EQ(frame->Find("monthly_charges")->type, Type::kFloat);
}
}  // namespace
}  // namespace rondo::table
