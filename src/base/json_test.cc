#include "base/json.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/json_map.h"

namespace rondo {
namespace {

enum class Colour { red, in_ };
BOOST_DESCRIBE_ENUM(Colour, red, in_)
struct Inner {
  int64_t n = 3;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (n, note))
struct Outer {
  std::string name;
  std::vector<Inner> items;
  std::map<std::string, double> scores;
  Colour colour = Colour::red;
  bool flag = false;
};
BOOST_DESCRIBE_STRUCT(Outer, (), (name, items, scores, colour, flag))

TEST(Json, RoundTripsEveryKindOfValue) {
  const std::string text = R"({"a":null,"b":true,"c":-12,"d":0.1,"e":"q\"\\\n\u0001é","f":[1,[],{}],"g":{"x":1e300}})";
  auto j = ParseJson(text);
  ASSERT_TRUE(j);
  auto again = ParseJson(j->Dump());
  ASSERT_TRUE(again);
  EXPECT_EQ(*j, *again);
  EXPECT_EQ((*j)["d"].AsDouble(), 0.1);
}
TEST(Json, DoublesStayDoublesAndNonFiniteAreChosen) {
  EXPECT_EQ(Json(1.0).Dump(), "1.0");
  EXPECT_EQ(Json(std::numeric_limits<double>::quiet_NaN()).Dump(), "\"NaN\"");
  EXPECT_EQ(Json(-std::numeric_limits<double>::infinity()).Dump(Json::NonFinite::kNull), "null");
  EXPECT_EQ(Json(1e22).Dump(), "1e+22");
}
TEST(Json, RefusesBadText) {
  for (const char* bad : {"", "{", "[1,]", "{\"a\":1,\"a\":2}", "1 2", "nul", "\"\xff\"", "{\"a\" 1}"}) EXPECT_FALSE(ParseJson(bad)) << bad;
  EXPECT_FALSE(ParseJson(std::string(200, '[') + std::string(200, ']')));
}
TEST(JsonMap, MapsStructsBothWays) {
  auto o = ReadJson<Outer>(R"({"name":"x","items":[{"n":5,"note":"hi"},{}],"scores":{"auc":1},"colour":"in","flag":true})");
  ASSERT_TRUE(o) << o.error().message;
  EXPECT_EQ(o->items.size(), 2u);
  EXPECT_EQ(o->items[0].note, "hi");
  EXPECT_EQ(o->items[1].n, 3);
  EXPECT_EQ(o->colour, Colour::in_);
  EXPECT_EQ(WriteJson(*o), R"({"name":"x","items":[{"n":5,"note":"hi"},{"n":3}],"scores":{"auc":1.0},"colour":"in","flag":true})");
}
TEST(JsonMap, ErrorsNameThePath) {
  auto unknown = ReadJson<Outer>(R"({"items":[{"m":1}]})");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "unknown key items[0].m");
  auto type = ReadJson<Outer>(R"({"items":[{"n":"x"}]})");
  ASSERT_FALSE(type);
  EXPECT_EQ(type.error().message, "items[0].n must be an integer, not string \"x\"");
  EXPECT_FALSE(ReadJson<Outer>(R"({"colour":"blue"})"));
}

}  // namespace
}  // namespace rondo
