// Bytes of DVC's files: YAML against vectors recorded from ruamel.yaml 0.19.1, listings against Python's json.dumps, and what hostile or broken text meets.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/random.h"
#include "data/dvc/config.h"
#include "data/dvc/dir_object.h"
#include "data/dvc/dvc_file.h"
#include "data/dvc/ignore.h"
#include "data/dvc/stat_index.h"
#include "data/dvc/utf.h"
#include "data/dvc/yaml.h"

namespace rondo::data::dvc {
namespace {

TEST(YamlEmitter, HasRuamelsBytes) {
  // tests/compat/record_yaml.py wrote them: [[value, text], ...], ruamel.yaml 0.19.1, default_flow_style=False.
  const auto text = ReadFile("src/data/dvc/yaml_vectors.json");
  ASSERT_TRUE(text) << text.error().Text();
  const auto vectors = ParseJson(*text);
  ASSERT_TRUE(vectors) << vectors.error().Text();
  ASSERT_GT(vectors->size(), 150u);
  for (const Json& v : vectors->AsArray()) {
    EXPECT_EQ(EmitYaml(Yaml::From(v[size_t{0}])), v[1].AsString());
    // The short ones read back as the same value. (ruamel's folds of long texts don't always, by its own reader either.)
    const std::string& special = v[size_t{0}]["v"].AsString();
    if (!v[size_t{0}].Find("v") || special.find_first_of("\n\x7f") != std::string::npos || special.find("\xC2\x85") != std::string::npos || special.find("\xE2\x80\xA8") != std::string::npos) continue;
    const auto back = ParseYaml(v[1].AsString(), "vector");
    ASSERT_TRUE(back) << back.error().Text() << v[1].AsString();
    EXPECT_EQ(back->ToJson()["v"], v[size_t{0}]["v"]) << v[1].AsString();
  }
}

TEST(YamlEmitter, QuotesHashesThatLookLikeNumbers) {
  Yaml y = Yaml::Map();
  y.Set("md5", Yaml::String("12345678901234567890123456789012"));
  y.Set("e", Yaml::String("12345678901234567890e12345678901"));
  y.Set("plain", Yaml::String("a566481980c0a71e31719c8852e6f48b.dir"));
  EXPECT_EQ(EmitYaml(y), "md5: '12345678901234567890123456789012'\ne: '12345678901234567890e12345678901'\nplain: a566481980c0a71e31719c8852e6f48b.dir\n");
}

TEST(DvcFile, KeepsCommentsAndForeignFieldsOnUpdate) {
  const std::string text =
      "# about this\nouts:\n- md5: d3b07384d113edec49eaa6238ad5ff00  # the old one\n  size: 4\n  hash: md5\n  # where\n  path: data.csv\n  desc: |\n    two\n    lines\n  labels:\n  - a\nmeta:\n  owner: me # me\n";
  auto file = DvcFile::Parse(text, "data.csv.dvc");
  ASSERT_TRUE(file) << file.error().Text();
  EXPECT_EQ(file->Text(text), text);
  SetOutput(file->outs[0], *ObjectId::Parse("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dir"), 12, 3, false);
  EXPECT_EQ(file->Text(text),
            "# about this\nouts:\n- md5: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dir # the old one\n  size: 12\n  hash: md5\n  # where\n  path: data.csv\n  desc: |\n    two\n    lines\n  labels:\n  - a\n"
            "  nfiles: 3\nmeta:\n  owner: me # me\n");
}

TEST(DvcFile, RefusesWhatIsEmptyCutOrWrong) {
  for (const char* bad : {"", "\n \n", "outs:\n", "outs:\n- md5: d3b0", "outs:\n- md5: ../../../etc/passwd\n  path: x\n", "outs:\n- path: x\n  size: -1\n", "- a\n", "outs: 3\n", "outs:\n- path: x\n  hash: sha1\n",
                          "outs:\n- md5: d3b07384d113edec49eaa6238ad5ff00\n", "outs:\n- path: a\n- path: a\nouts: []\n", "foo: 1\nouts:\n- path: x\n"})
    EXPECT_FALSE(DvcFile::Parse(bad, "x.dvc")) << bad;
  const auto whole = DvcFile::Parse("outs:\n- md5: d3b07384d113edec49eaa6238ad5ff00\n  size: 4\n  hash: md5\n  path: foo\n", "foo.dvc");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->outs[0].size, 4u);
  EXPECT_FALSE(whole->outs[0].legacy);
}

TEST(DirListing, HasPythonsBytes) {
  DirListing listing;
  auto add = [&](const char* path, const char* md5) { listing.entries.push_back({path, *Md5::FromHex(md5)}); };
  add("sub/é.txt", "88df0c1234567890abcdef1234567890");
  add("a.txt", "d3b07384d113edec49eaa6238ad5ff00");
  add("a-b", "d3b07384d113edec49eaa6238ad5ff00");
  add("\xF0\x9F\x98\x80\"\\\n", "d3b07384d113edec49eaa6238ad5ff00");
  listing.Sort();
  // json.dumps(sorted(...), sort_keys=True)
  EXPECT_EQ(listing.Bytes(),
            "[{\"md5\": \"d3b07384d113edec49eaa6238ad5ff00\", \"relpath\": \"a-b\"}, {\"md5\": \"d3b07384d113edec49eaa6238ad5ff00\", \"relpath\": \"a.txt\"}, "
            "{\"md5\": \"88df0c1234567890abcdef1234567890\", \"relpath\": \"sub/\\u00e9.txt\"}, {\"md5\": \"d3b07384d113edec49eaa6238ad5ff00\", \"relpath\": \"\\ud83d\\ude00\\\"\\\\\\n\"}]");
  const auto back = ParseDirListing(listing.Bytes(), "test");
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(back->Bytes(), listing.Bytes());
  EXPECT_EQ(DirListing{}.Id().Text(), "d751713988987e9331980363e24189ce.dir");
}

TEST(DirListing, NamesThatAreNoUtf8SurviveAsSurrogates) {
  DirListing listing;
  listing.entries.push_back({"caf\xE9", Md5Of("x")});
  EXPECT_NE(listing.Bytes().find("\"caf\\udce9\""), std::string::npos);
  const auto back = ParseDirListing(listing.Bytes(), "test");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->entries[0].path, "caf\xE9");
}

TEST(DirListing, RefusesHostilePaths) {
  auto with = [](const std::string& path) { return "[{\"md5\": \"d3b07384d113edec49eaa6238ad5ff00\", \"relpath\": \"" + path + "\"}]"; };
  for (const char* bad : {"../x", "a/../../x", "/etc/passwd", "", "a//b", "./a", ".git/hooks/post-checkout", "sub/.GIT/config", ".dvc/config.local", "a/.dvc/x", "a\\u0000b", "a/.", "\\ud800"})
    EXPECT_FALSE(ParseDirListing(with(bad), "test")) << bad;
  EXPECT_TRUE(ParseDirListing(with("..a/.gitx/.dvcignore2"), "test"));
  // Twice the same, a file that is a folder too, cut off, another shape.
  const std::string entry = "{\"md5\": \"d3b07384d113edec49eaa6238ad5ff00\", \"relpath\": \"a\"}", below = "{\"md5\": \"d3b07384d113edec49eaa6238ad5ff00\", \"relpath\": \"a/b\"}",
                    between = "{\"md5\": \"d3b07384d113edec49eaa6238ad5ff00\", \"relpath\": \"a-b\"}";
  EXPECT_FALSE(ParseDirListing("[" + entry + ", " + entry + "]", "test"));
  EXPECT_FALSE(ParseDirListing("[" + entry + ", " + between + ", " + below + "]", "test"));
  const std::string good = "[" + entry + ", " + between + "]";
  for (size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(ParseDirListing(good.substr(0, n), "test")) << n;
  for (const char* bad : {"{}", "[1]", "[{}]", "[{\"md5\": 1, \"relpath\": \"a\"}]", "[{\"relpath\": \"a\"}]", "[] x", "null"}) EXPECT_FALSE(ParseDirListing(bad, "test")) << bad;
}

TEST(Ini, WritesAsConfigobjDoes) {
  auto ini = IniFile::Parse("[core]\n    remote = loc\n['remote \"loc\"']\n    url = ../../rem # here\n", "config");
  ASSERT_TRUE(ini) << ini.error().Text();
  EXPECT_EQ(ini->Get("remote \"loc\"", "url"), "../../rem");
  ini->Set("cache", "type", "hardlink,copy");
  ini->Set("remote \"loc\"", "jobs", "4");
  EXPECT_EQ(ini->Text(), "[core]\n    remote = loc\n[cache]\n    type = \"hardlink,copy\"\n['remote \"loc\"']\n    url = ../../rem # here\n    jobs = 4\n");
  EXPECT_TRUE(ini->Unset("cache", "type"));
  EXPECT_EQ(ini->Text().find("[cache]"), std::string::npos);
  for (const char* bad : {"x = 1\n", "[core\n", "[core]\nnothing\n", "[core]\n = 1\n", "[core]\na = \"b\n"}) EXPECT_FALSE(IniFile::Parse(bad, "config")) << bad;
}

TEST(IgnorePatterns, AreGits) {
  auto matches = [](const char* pattern, const char* path, bool dir = false) { return IgnorePattern(pattern).Matches(path, dir); };
  EXPECT_TRUE(matches("*.tmp", "a/b/c.tmp"));
  EXPECT_FALSE(matches("/*.tmp", "a/c.tmp"));
  EXPECT_TRUE(matches("a/*/c", "a/b/c"));
  EXPECT_FALSE(matches("a/*/c", "a/b/d/c"));
  EXPECT_TRUE(matches("a/**/c", "a/b/d/c"));
  EXPECT_TRUE(matches("a/**/c", "a/c"));
  EXPECT_TRUE(matches("**/x", "x"));
  EXPECT_TRUE(matches("x/**", "x/y/z"));
  EXPECT_FALSE(matches("x/**", "x"));
  EXPECT_FALSE(matches("build/", "build"));
  EXPECT_TRUE(matches("build/", "s/build", true));
  EXPECT_TRUE(matches("n?.t[x-z]t", "n1.txt"));
  EXPECT_FALSE(matches("n?.t[!x-z]t", "n1.txt"));
  EXPECT_TRUE(matches("\\#a", "#a"));
  EXPECT_TRUE(matches("a[b", "a[b"));
}

TEST(StatIndex, RefusesEveryFlippedByteAndEveryCut) {
  const TempDir dir;
  FileTable table;
  for (const char* path : {"a", "b/c", "b/d"}) {
    auto& row = table.Add(path);
    row.stat = {5, 7, 9, 1000, 1000};
    row.md5 = Md5Of(path);
    row.known = 1;
  }
  const fs::path file = dir.path() / "x.idx";
  ASSERT_TRUE(StatIndex::Write(file, "data", table, 1'000'000'000, ObjectId{Md5Of("all"), true}, 5));
  const std::string bytes = *ReadFile(file);
  ASSERT_TRUE(StatIndex::Valid(bytes));
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_FALSE(StatIndex::Valid(bad)) << i;
    EXPECT_FALSE(StatIndex::Valid(bytes.substr(0, i))) << i;
  }
  const auto index = StatIndex::Open(file);
  ASSERT_TRUE(index);
  EXPECT_EQ(index->output(), "data");
  EXPECT_EQ(index->total_size(), 15u);
  FileTable same = table;
  for (auto& row : same.rows) row.known = 0;
  same.rows[1].stat.ctime_ns = 1001;  // an edit in place with its mtime set back
  EXPECT_EQ(index->Apply(same, nullptr), 2u);
  EXPECT_FALSE(same.rows[1].known);
  // Younger than the scan by less than a tick: not believed.
  for (auto& row : same.rows) row.known = 0;
  ASSERT_TRUE(StatIndex::Write(file, "data", table, 10'000'000, std::nullopt, 0));
  size_t racy = 0;
  EXPECT_EQ(StatIndex::Open(file)->Apply(same, &racy), 0u);
  EXPECT_EQ(racy, 2u);
}

}  // namespace
}  // namespace rondo::data::dvc
