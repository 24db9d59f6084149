// Packed predictions: nothing lost, nothing twice, labels find them.
#include "monitor/packed.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "monitor/labelled.h"
#include "monitor/testing.h"

namespace rondo::monitor {
namespace {

struct Bed {
  TempDir folder;
  std::unique_ptr<db::Database> db;
  Bed() {
    auto opened = db::OpenSqlite(folder.path() / "rondo.db");
    EXPECT_TRUE(opened);
    db = std::move(*opened);
    EXPECT_TRUE(db->Migrate("monitor", Migrations()));
  }
  Result<bool> Add(const data::Prediction& p, int64_t window = 0) {
    return db::Store<bool>(*db, [&](db::Session& s) -> Result<bool> {
      Packer packer(s, "churn");
      RONDO_TRY(const bool added, packer.Add(p, window));
      RONDO_DO(packer.Flush());
      return added;
    });
  }
  int64_t Count(const char* sql) {
    return db::Fetch<int64_t>(*db, [&](db::Session& s) -> Result<int64_t> {
             RONDO_TRY(const auto n, s.QueryInt(sql, {}));
             return n.value_or(0);
           })
        .value();
  }
  int64_t Rows() { return Count("SELECT COUNT(*) FROM monitor_prediction"); }
  int64_t Packed() { return Count("SELECT SUM(rows) FROM monitor_packed"); }
  void Take(const std::string& id) {
    ASSERT_TRUE(db->Write([&](db::Session& s) { return TakeOut(s, "churn", id); }));
  }
};

data::Prediction Make(const std::string& id, int64_t time = 1000, bool shadow = false) {
  data::Prediction p;
  p.id = id;
  p.time = time;
  p.model = "churn";
  p.version = 3;
  p.shadow = shadow;
  p.scores = {0.25f, 0.75f};
  p.decision = "Yes";
  return p;
}

TEST(Packed, SameIdOnceSameIdOfAShadowApart) {
  Bed bed;
  const std::string id(32, 'a');
  EXPECT_TRUE(bed.Add(Make(id)).value());
  EXPECT_FALSE(bed.Add(Make(id)).value());
  EXPECT_TRUE(bed.Add(Make(id, 1000, true)).value());
  EXPECT_EQ(bed.Packed(), 2);
  bed.Take(id);
  EXPECT_EQ(bed.Rows(), 2);
  bed.Take(id);
  EXPECT_EQ(bed.Rows(), 2);
  EXPECT_FALSE(bed.Add(Make(id)).value()) << "taken out is still known";
}

TEST(Packed, IdsOfAnyShape) {
  Bed bed;
  for (const std::string& id : {std::string("x"), std::string(), std::string("no hex at all, and longer than thirty-two characters"), std::string("ABCDEF0123456789ABCDEF0123456789")}) {
    EXPECT_TRUE(bed.Add(Make(id)).value()) << id;
    EXPECT_FALSE(bed.Add(Make(id)).value()) << id;
    const int64_t before = bed.Rows();
    bed.Take(id);
    EXPECT_EQ(bed.Rows(), before + 1) << id;
  }
}

TEST(Packed, WhatComesOutIsWhatWentIn) {
  Bed bed;
  ASSERT_TRUE(bed.db->Write([&](db::Session& s) -> Status {
    Packer packer(s, "churn");
    for (int64_t i = 0; i < 3000; ++i) {
      data::Prediction p = Make(fmt::format("{:032x}", i * 7), i);
      p.scores = {static_cast<float>(i), -1};
      p.decision = fmt::format("d{}", i % 3);
      p.version = i % 2 + 1;
      RONDO_TRY([[maybe_unused]] const bool added, packer.Add(p, i / 1000));
    }
    return packer.Flush();
  }));
  EXPECT_EQ(bed.Packed(), 3000);
  EXPECT_LT(bed.Count("SELECT COUNT(*) FROM monitor_packed"), 300);
  for (const int64_t i : {0, 1, 999, 1000, 2999}) bed.Take(fmt::format("{:032x}", i * 7));
  EXPECT_EQ(bed.Rows(), 5);
  ASSERT_TRUE(bed.db->Read([&](db::Session& s) {
    return s.Query("SELECT time, idx, version, scores, decision FROM monitor_prediction ORDER BY time", {}, [&](const db::Row& row) {
      const int64_t i = row.Int(0);
      EXPECT_EQ(row.Int(1), i / 1000);
      EXPECT_EQ(row.Int(2), i % 2 + 1);
      EXPECT_EQ(UnpackScores(row.Text(3)), (std::vector<double>{static_cast<double>(i), -1}));
      EXPECT_EQ(row.String(4), fmt::format("d{}", i % 3));
      return true;
    });
  }));
}

TEST(Packed, OldOnesGoAndDamageIsNamed) {
  Bed bed;
  ASSERT_TRUE(bed.Add(Make("old", 10)).value());
  ASSERT_TRUE(bed.Add(Make("new", 5000)).value());
  ASSERT_TRUE(bed.db->Write([](db::Session& s) { return ForgetPacked(s, 100); }));
  EXPECT_EQ(bed.Packed(), 1);
  ASSERT_TRUE(bed.db->Write([](db::Session& s) -> Status {
    RONDO_TRY([[maybe_unused]] const int64_t n, s.Exec("UPDATE monitor_packed SET body = $1", {db::Blob{"\x08\x00\x00\x00garbagegarbage"}}));
    return {};
  }));
  const Status taken = bed.db->Write([](db::Session& s) { return TakeOut(s, "churn", "new"); });
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find("damaged"), std::string::npos);
}

}  // namespace
}  // namespace rondo::monitor
