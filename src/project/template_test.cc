// Templating, foreach, matrix, map and params files. Expected texts follow DVC 3.67.1's documented rules (user guide, templating).
#include "project/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "project/params_file.h"
#include "project/reader.h"

namespace rondo::project {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DvcYaml : public ::testing::Test {
 protected:
  void Put(const std::string& name, const std::string& text) { ASSERT_TRUE(WriteFileAtomic(dir_.path() / name, text)); }
  Result<Project> Load(const std::string& yaml, const std::string& name = "dvc.yaml") {
    if (auto ok = WriteFileAtomic(dir_.path() / name, yaml); !ok) return std::unexpected(ok.error());
    return LoadProject(dir_.path() / name);
  }
  /// "name: cmd | ..."
  std::string Stages(const std::string& yaml, const std::string& name = "dvc.yaml") {
    auto p = Load(yaml, name);
    if (!p) return "error: " + p.error().Text();
    std::string out;
    for (const Stage& s : p->stages) out += (out.empty() ? "" : " | ") + s.name + ": " + s.cmd;
    return out;
  }
  TempDir dir_;
};

TEST_F(DvcYaml, ValuesFromParamsAndVars) {
  Put("params.yaml", "lr: 0.001\nname: big\nflag: true\nnothing:\nlist: [a, {b: 7}]\n");
  Put("more.json", R"({"deep": {"er": "x y"}, "unused": 1})");
  EXPECT_EQ(Stages(R"(vars:
  - extra: 5
  - more.json:deep
stages:
  a:
    cmd: run ${lr} ${name} ${flag} ${nothing} ${list[1].b} ${list[0]} ${extra} ${deep.er} \${HOME}
)"),
            "a: run 0.001 big true None 7 a 5 x y ${HOME}");
}

TEST_F(DvcYaml, MapsBecomeOptions) {
  Put("params.yaml", "train: {lr: 0.1, flag: true, off: false, l: [1, 2], s: 'a b', d: {x: 1}}\n");
  EXPECT_EQ(Stages("stages:\n  a:\n    cmd: train ${train}\n"), "a: train --lr 0.1 --flag --l 1 2 --s 'a b' --d.x 1");
}

TEST_F(DvcYaml, ForeachNames) {
  EXPECT_EQ(Stages("stages:\n  f:\n    foreach: [a, 3, true]\n    do: {cmd: 'x ${item}'}\n"), "f@a: x a | f@3: x 3 | f@true: x true");
  EXPECT_EQ(Stages("stages:\n  f:\n    foreach: [{n: 1}, {n: 2}]\n    do: {cmd: 'x ${item.n}'}\n"), "f@0: x 1 | f@1: x 2");
  EXPECT_EQ(Stages("stages:\n  f:\n    foreach: {us: {t: 3}, uk: {t: 4}}\n    do: {cmd: 'x ${key} ${item.t}', outs: ['m.${key}']}\n"), "f@us: x us 3 | f@uk: x uk 4");
  Put("params.yaml", "models: [cnn, mlp]\n");
  EXPECT_EQ(Stages("stages:\n  f:\n    foreach: ${models}\n    do: {cmd: 'x ${item}'}\n"), "f@cnn: x cnn | f@mlp: x mlp");
}

TEST_F(DvcYaml, MatrixNames) {
  EXPECT_EQ(Stages("stages:\n  mx:\n    matrix:\n      a: [a, 2.5]\n      b: [true, x/y]\n    cmd: x ${item.a} ${item.b} ${key}\n"),
            "mx@a-true: x a true a-true | mx@a-x/y: x a x/y a-x/y | mx@2.5-true: x 2.5 true 2.5-true | mx@2.5-x/y: x 2.5 x/y 2.5-x/y");
  EXPECT_EQ(Stages("stages:\n  mx:\n    matrix:\n      m: [{n: 1}, {n: 2}]\n    cmd: x ${item.m.n}\n"), "mx@m0: x 1 | mx@m1: x 2");
}

TEST_F(DvcYaml, StageVarsAndWdir) {
  Put("sub/v.yaml", "x: 9\n");
  EXPECT_EQ(Stages("stages:\n  a:\n    wdir: sub\n    vars: [v.yaml, {y: 2}]\n    cmd: run ${x} ${y}\n"), "a: run 9 2");
  EXPECT_THAT(Stages("vars: [{y: 1}]\nstages:\n  a:\n    vars: [{y: 2}]\n    cmd: run ${y}\n"), HasSubstr("defined already"));
}

TEST_F(DvcYaml, MistakesAreNamed) {
  EXPECT_THAT(Stages("stages:\n  a:\n    cmd: x ${nope.y}\n"), HasSubstr("dvc.yaml:3"));
  Put("params.yaml", "d: {x: 1}\nlearning: 1\n");
  EXPECT_THAT(Stages("stages:\n  a:\n    cmd: x\n    deps: ['a${d}']\n"), HasSubstr("is a map"));
  EXPECT_THAT(Stages("stages:\n  a:\n    cmd: x ${lerning}\n"), HasSubstr("did you mean learning?"));
  EXPECT_THAT(Stages("stages:\n  a:\n    cmd: x ${d\n"), HasSubstr("no }"));
  EXPECT_THAT(Stages("vars: [nowhere.yaml]\nstages:\n  a: {cmd: x}\n"), HasSubstr("nowhere.yaml"));
  EXPECT_THAT(Stages("stages:\n  a.b: {cmd: x}\n"), HasSubstr("a.b"));
  EXPECT_THAT(Stages("stages:\n  a: {cmd: x, timeout: 3s}\n"), HasSubstr("DVC's grammar"));
}

TEST_F(DvcYaml, TheRestOfTheFile) {
  auto p = Load(R"(params: [params.yaml]
metrics: [m.json]
plots:
  - p.csv
  - Confusion: {x: actual, y: {c.csv: predicted}}
artifacts:
  model: {path: m.pkl, type: model}
stages:
  a:
    cmd: x
    outs: [o, {keep: {persist: true}}]
    metrics: [m.json: {cache: false}]
    plots: [curve.csv: {x: step, title: Loss}]
)");
  ASSERT_TRUE(p) << p.error().Text();
  EXPECT_THAT(p->dvc.metrics, ElementsAre("m.json"));
  ASSERT_EQ(p->dvc.plots.size(), 2u);
  EXPECT_EQ(p->dvc.plots[1].path, "Confusion");
  EXPECT_EQ(p->dvc.artifacts["model"]["type"].AsString(), "model");
  EXPECT_THAT(p->stages[0].persist, ElementsAre("keep"));
  EXPECT_THAT(p->stages[0].metric_files, ElementsAre("m.json"));
  ASSERT_EQ(p->stages[0].plots.size(), 1u);
  EXPECT_EQ(p->stages[0].plots[0].options["title"].AsString(), "Loss");
}

TEST_F(DvcYaml, ARondoFileNamesItsOwnSections) {
  EXPECT_EQ(Stages("project: t\nvars: [{n: 2}]\nseed: 7\nstages:\n  a: {cmd: 'x ${seed} ${n}', env: {TOKEN: '${env:SECRET}'}}\n", "rondo.yaml"), "a: x 7 2");
}

TEST_F(DvcYaml, MapsOverListsGlobsAndFiles) {
  Put("in/a.csv", "");
  Put("in/b.csv", "");
  Put("list.json", R"({"regions": ["north", "south"]})");
  EXPECT_EQ(Stages("project: t\nstages:\n  m: {map: {over: [p, q]}, cmd: 'x ${item}'}\n", "rondo.yaml"), "m@p: x p | m@q: x q");
  EXPECT_EQ(Stages("project: t\nstages:\n  m: {map: {glob: in/*.csv}, cmd: 'x ${item} ${key}'}\n", "rondo.yaml"), "m@a: x in/a.csv a | m@b: x in/b.csv b");
  EXPECT_EQ(Stages("project: t\nstages:\n  m: {map: {file: list.json, key: regions, parallel: 1}, cmd: 'x ${item}'}\n", "rondo.yaml"), "m@north: x north | m@south: x south");
  EXPECT_EQ(Stages("project: t\nstages:\n  z: {cmd: z}\n  m: {map: {file: later.json}, cmd: 'x ${item}'}\n", "rondo.yaml"), "z: z");
  EXPECT_THAT(Stages("project: t\nstages:\n  m: {map: {file: list.json, key: nope}, cmd: 'x ${item}'}\n", "rondo.yaml"), HasSubstr("map"));
}

// Values as tomllib of Python 3.11 reads them.
TEST(ParamsFile, Toml) {
  auto json = ParseToml(R"(title = "a \"b\" é" # comment
lit = 'C:\x'
n = 1_000
hex = 0xff
f = 1.5e-3
t = true
day = 1979-05-27
list = [1, [2, 3],
  4]
inline = {a = 1, "b c" = {d.e = 2}}
long = """
two
lines"""
[train.opt]
lr = 0.1
[[layer]]
size = 3
[[layer]]
size = 4
)",
                        "p.toml");
  ASSERT_TRUE(json) << json.error().Text();
  EXPECT_EQ(json->Dump(),
            "{\"title\":\"a \\\"b\\\" é\",\"lit\":\"C:\\\\x\",\"n\":1000,\"hex\":255,\"f\":0.0015,\"t\":true,\"day\":\"1979-05-27\",\"list\":[1,[2,3],4],"
            "\"inline\":{\"a\":1,\"b c\":{\"d\":{\"e\":2}}},\"long\":\"two\\nlines\",\"train\":{\"opt\":{\"lr\":0.1}},\"layer\":[{\"size\":3},{\"size\":4}]}");
  for (const char* bad : {"a = ", "a = 1\na = 2", "[x", "a = \"open", "a = 1 2", "= 3", "a = {b = 1"}) EXPECT_FALSE(ParseToml(bad, "p.toml")) << bad;
}

TEST(ParamsFile, Python) {
  auto json = ParsePythonLiterals(R"('''doc
x = 1
'''
import os
LR = 0.01  # rate
NAMES = ["a", 'b',
         "c"]
T: int = 3
NEG = -2
NONE = None
D = {"k": (1, True)}
CALC = LR * 2
if os.environ:
    HIDDEN = 5
class Train:
    epochs = 70
    def f(self):
        local = 3
)",
                                 "p.py");
  ASSERT_TRUE(json) << json.error().Text();
  EXPECT_EQ(json->Dump(), R"({"LR":0.01,"NAMES":["a","b","c"],"T":3,"NEG":-2,"NONE":null,"D":{"k":[1,true]},"Train":{"epochs":70}})");
}

}  // namespace
}  // namespace rondo::project
