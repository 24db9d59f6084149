#include "base/json_schema.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <vector>

namespace rondo {
namespace {

struct LeafJson {
  std::string in_;
  std::optional<double> value;
};
BOOST_DESCRIBE_STRUCT(LeafJson, (), (in_, value))
struct TreeJson : LeafJson {
  int64_t n = 0;
  bool on = false;
  std::vector<TreeJson> below;
  std::map<std::string, std::vector<LeafJson>> named;
  Json any;
};
BOOST_DESCRIBE_STRUCT(TreeJson, (LeafJson), (n, on, below, named, any))

TEST(JsonSchema, SaysWhatToJsonWrites) {
  Json definitions = Json::MakeObject();
  const Json schema = JsonSchema<std::vector<TreeJson>>(definitions);
  EXPECT_EQ(schema.Dump(), R"({"type":"array","items":{"$ref":"#/components/schemas/Tree"}})");
  EXPECT_EQ(definitions["Leaf"].Dump(), R"({"type":"object","properties":{"in":{"type":"string"},"value":{"$ref":"#/components/schemas/Num"}},"required":["in"]})");
  const Json& tree = definitions["Tree"];
  EXPECT_EQ(tree["properties"]["below"].Dump(), R"({"type":"array","items":{"$ref":"#/components/schemas/Tree"}})");
  EXPECT_EQ(tree["properties"]["named"].Dump(), R"({"type":"object","additionalProperties":{"type":"array","items":{"$ref":"#/components/schemas/Leaf"}}})");
  EXPECT_EQ(tree["properties"]["any"].Dump(), "{}");
  // Every member that is always written is required, in the order of ToJson.
  std::string written;
  const Json sample = ToJson(TreeJson{});
  for (const auto& [key, value] : sample.AsObject()) written += key + " ";
  std::string required;
  for (const Json& r : tree["required"].AsArray()) required += r.AsString() + " ";
  EXPECT_EQ(required, written);
}

}  // namespace
}  // namespace rondo
