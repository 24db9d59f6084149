// Dataset versions and the object cache.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "data/dataset.h"

namespace rondo::data {
namespace {

using ::testing::HasSubstr;

TEST(Objects, LayoutAndModesAreDvcs) {
  TempDir dir;
  const fs::path cache = dir.path() / "cache";
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "f", "foo"));
  const auto md5 = PutObject(cache, dir.path() / "f");
  ASSERT_TRUE(md5) << md5.error().Text();
  // `dvc add` of a file "foo" without newline makes this very path.
  EXPECT_EQ(*md5, "acbd18db4cc2f85cedef654fccc4a4d8");
  const fs::path object = cache / "files" / "md5" / "ac" / "bd18db4cc2f85cedef654fccc4a4d8";
  ASSERT_TRUE(fs::exists(object));
  struct stat st {};
  ASSERT_EQ(::stat(object.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0444u);
  EXPECT_EQ(st.st_nlink, 1u) << "not linked to the user's file";
  // Editing the user's file leaves the object alone.
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "f", "bar"));
  EXPECT_EQ(*ReadFile(object), "foo");
  ASSERT_TRUE(GetObject(cache, *md5, dir.path() / "out" / "g"));
  EXPECT_EQ(*ReadFile(dir.path() / "out" / "g"), "foo");
  ASSERT_EQ(::stat((dir.path() / "out" / "g").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0644u);
  EXPECT_TRUE(HasObject(cache, *md5));
  size_t files = 0;
  for (const auto& e : fs::recursive_directory_iterator(cache)) files += e.is_regular_file();
  EXPECT_EQ(files, 1u);
}

TEST(Objects, DamageIsFoundAndRepaired) {
  TempDir dir;
  const fs::path cache = dir.path() / "cache";
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "f", "content"));
  const std::string md5 = *PutObject(cache, dir.path() / "f");
  const fs::path object = cache / "files" / "md5" / md5.substr(0, 2) / md5.substr(2);
  ASSERT_TRUE(WriteFileAtomic(object, "c0ntent"));
  const Status got = GetObject(cache, md5, dir.path() / "g");
  ASSERT_FALSE(got);
  EXPECT_EQ(static_cast<int>(got.error().code), static_cast<int>(Code::kFailedCheck));
  EXPECT_THAT(got.error().message, HasSubstr("damaged"));
  EXPECT_FALSE(fs::exists(dir.path() / "g"));
  EXPECT_EQ(*PutObject(cache, dir.path() / "f"), md5);
  EXPECT_EQ(*ReadFile(object), "content");
}

TEST(Objects, NamesCannotLeaveTheCache) {
  TempDir dir;
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "secret", "s"));
  for (const char* name : {"", "../../secret", "aa/../../../secret", "ACBD18DB4CC2F85CEDEF654FCCC4A4D8", "acbd18db4cc2f85cedef654fccc4a4d8x"}) {
    EXPECT_FALSE(HasObject(dir.path() / "cache", name)) << name;
    EXPECT_EQ(static_cast<int>(GetObject(dir.path() / "cache", name, dir.path() / "o").error().code), static_cast<int>(Code::kNotFound));
  }
  EXPECT_FALSE(PutObject(dir.path() / "cache", dir.path() / "nothing"));
  EXPECT_FALSE(PutObject(dir.path() / "cache", dir.path()));
}

class VersionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto db = db::OpenSqlite(dir_.path() / "v.db", {.durable = false});
    ASSERT_TRUE(db) << db.error().Text();
    db_ = std::move(*db);
    ASSERT_TRUE(db_->Migrate("data", Migrations()));
  }
  DatasetVersion Version(const std::string& md5, int64_t time, bool accepted) {
    DatasetVersion v;
    v.dataset = "customers";
    v.md5 = md5;
    v.time = time;
    v.rows = 10;
    v.schema = {{"a", "int"}};
    v.check = Json::MakeObject().Set("passed", accepted);
    v.accepted = accepted;
    return v;
  }
  TempDir dir_;
  std::unique_ptr<db::Database> db_;
};

TEST_F(VersionsTest, SameBytesAreOneVersion) {
  const auto first = RecordVersion(*db_, Version("m1", 100, true));
  ASSERT_TRUE(first) << first.error().Text();
  EXPECT_EQ(first->number, 1);
  EXPECT_EQ(RecordVersion(*db_, Version("m2", 200, false))->number, 2);
  const auto again = RecordVersion(*db_, Version("m1", 300, true));
  EXPECT_EQ(again->number, 1);
  EXPECT_EQ(again->time, 100) << "the first time stays";
  DatasetVersion other = Version("m1", 50, true);
  other.dataset = "other";
  EXPECT_EQ(RecordVersion(*db_, other)->number, 1) << "numbers count per dataset";
  const auto list = ListVersions(*db_, "customers");
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].number, 2);
  EXPECT_EQ(ListVersions(*db_, "")->size(), 3u);
}

TEST_F(VersionsTest, ProfileAndVerdictAreAddedLater) {
  ASSERT_TRUE(RecordVersion(*db_, Version("m1", 100, true)));
  DatasetVersion v = *GetVersion(*db_, "m1");
  v.profile = Json::MakeObject().Set("rows", 10);
  ASSERT_TRUE(RecordVersion(*db_, v));
  EXPECT_EQ((*GetVersion(*db_, "m1")).profile["rows"].AsInt(), 10);
  const auto checked = RecordVersion(*db_, Version("m1", 400, false));
  EXPECT_EQ(checked->profile["rows"].AsInt(), 10) << "a new verdict keeps the profile";
  EXPECT_FALSE(checked->accepted);
  EXPECT_EQ(checked->schema[0].type, "int");
}

TEST_F(VersionsTest, LastAccepted) {
  EXPECT_FALSE(LastAccepted(*db_, "customers", "")->has_value());
  ASSERT_TRUE(RecordVersion(*db_, Version("m1", 100, true)));
  ASSERT_TRUE(RecordVersion(*db_, Version("m2", 200, true)));
  ASSERT_TRUE(RecordVersion(*db_, Version("m3", 300, false)));
  EXPECT_EQ((*LastAccepted(*db_, "customers", "m3"))->md5, "m2");
  EXPECT_EQ((*LastAccepted(*db_, "customers", "m2"))->md5, "m1");
  EXPECT_EQ(static_cast<int>(GetVersion(*db_, "m9").error().code), static_cast<int>(Code::kNotFound));
}

}  // namespace
}  // namespace rondo::data
