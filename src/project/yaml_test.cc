#include "project/yaml.h"

#include <gtest/gtest.h>

namespace rondo::project {
namespace {

TEST(Yaml, ScalarsKeepTheirTextAndPlace) {
  auto root = ParseYaml("a: 01\nb: \"yes\"\nc: yes\nd: ~\ne:\nf: [1, 'x']\n", "t.yaml");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(root->Find("a")->text, "01");
  EXPECT_TRUE(root->Find("a")->plain);
  EXPECT_FALSE(root->Find("b")->plain);
  EXPECT_EQ(root->Find("c")->where, "t.yaml:3");
  EXPECT_TRUE(root->Find("d")->IsNull());
  EXPECT_EQ(root->Find("d")->text, "~");
  EXPECT_TRUE(root->Find("e")->IsNull());
  EXPECT_EQ(YamlToJson(*root).Dump(), R"({"a":"01","b":"yes","c":"yes","d":null,"e":null,"f":[1,"x"]})");
}

TEST(Yaml, CoreSchemaNumbers) {
  auto root = ParseYaml("[1, -2, 1.5, 1e3, .5, 0x1f, 1_000, 1.2.3, -, +7, true, False, .inf, 2020-01-01, 1:30, 9999999999999999999]", "t");
  ASSERT_TRUE(root);
  EXPECT_EQ(YamlToJson(*root).Dump(), R"([1,-2,1.5,1000.0,0.5,"0x1f","1_000","1.2.3","-",7,true,false,"Infinity","2020-01-01","1:30",1e+19])");
}

TEST(Yaml, AnchorsAreBoundedWhereTheyAreAllowed) {
  YamlLimits limits;
  limits.anchors = true;
  auto root = ParseYaml("a: &x [1, 2]\nb: *x\n", "t", limits);
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(YamlToJson(*root).Dump(), R"({"a":[1,2],"b":[1,2]})");
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 9; ++k) bomb += "*a" + std::to_string(i - 1) + ", ";
    bomb += "]\n";
  }
  EXPECT_FALSE(ParseYaml(bomb, "t", limits));
}

TEST(Yaml, WhatIsWrittenReadsBackEqual) {
  // The quoting list of DVC's writer (ruamel.yaml), so that DVC reads our lock files as we mean them.
  for (const char* text : {"", "true", "NULL", "~", "1", "-1", "017", "1_000", "0x1f", "0o17", "1.5", "1.", ".5", "1e5", ".nan", ".inf", "2020-01-01", "=", "<<", "-", "?", ":", " a", "a ", "a: b", "a #b", "a:", "- a", "!x",
                           "&x", "*x", "{x", "[x", "|x", ">x", "#x", "%x", "@x", "`x", "'x", "\"x", "it's", "two\nlines", "tab\t", "12345678901234567890123456789012", "12e45678901234567890123456789012", "yes", "no", "on", "a:b", "a#b",
                           "x,y", "-x", "C:\\x", "é", "python train.py --lr 0.1 && echo \"done\"", "\x01"}) {
    Json value = Json::MakeObject().Set("k", text).Set("l", Json::MakeArray().Push(text).Push(Json::MakeObject().Set("m", text)));
    auto root = ParseYaml(JsonToYaml(value), "t");
    ASSERT_TRUE(root) << text << "\n" << JsonToYaml(value) << root.error().message;
    EXPECT_EQ(YamlToJson(*root), value) << JsonToYaml(value);
  }
  const Json nested = *ParseJson(R"({"a":[[1,2],[],{},{"x":null,"y":[true]}],"b":{"c":{"d":1.5}},"n":null,"e":1e-05})");
  EXPECT_EQ(YamlToJson(*ParseYaml(JsonToYaml(nested), "t")), nested) << JsonToYaml(nested);
}

TEST(Yaml, WritesInDvcsLayout) {
  const Json lock = *ParseJson(R"({"schema":"2.0","stages":{"train":{"cmd":"python train.py","deps":[{"path":"a","hash":"md5","md5":"25fa883301269926db3f279ae75cb673.dir","size":4}],"params":{"params.yaml":{"train.lr":0.001}}}}})");
  EXPECT_EQ(JsonToYaml(lock), R"(schema: '2.0'
stages:
  train:
    cmd: python train.py
    deps:
    - path: a
      hash: md5
      md5: 25fa883301269926db3f279ae75cb673.dir
      size: 4
    params:
      params.yaml:
        train.lr: 0.001
)");
}

}  // namespace
}  // namespace rondo::project
