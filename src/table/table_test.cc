// Frames, types, Parquet and the engine's own promises.
#include "table/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fmt/format.h>
#include <zlib.h>

#include <cmath>
#include <fstream>

#include "base/file.h"
#include "base/hash.h"

namespace rondo::table {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TableTest : public ::testing::Test {
 protected:
  fs::path Write(const std::string& name, std::string_view bytes) {
    const fs::path path = dir_.path() / name;
    EXPECT_TRUE(WriteFileAtomic(path, bytes));
    return path;
  }
  Frame Read(const fs::path& path, const ReadOptions& options = {}) {
    auto frame = ReadTable(path, options);
    EXPECT_TRUE(frame) << frame.error().Text();
    return frame ? *frame : Frame{};
  }
  /// One column called x (and an index, so that blank cells aren't blank lines).
  Column ReadColumn(const std::vector<std::string>& cells, const ReadOptions& options = {}) {
    std::string text = "i,x\n";
    for (const std::string& cell : cells) text += "1," + cell + "\n";
    Frame frame = Read(Write("column.csv", text), options);
    return frame.columns.size() == 2 ? frame.columns[1] : Column{};
  }
  Type TypeOf(const std::vector<std::string>& cells) { return ReadColumn(cells).type; }
  TempDir dir_;
};

// Sum and counts by pandas: read_csv(...).tenure.sum() etc.
TEST_F(TableTest, ReadsTheTelcoFile) {
  const Frame frame = Read("examples/churn/data/telco_churn.csv");
  ASSERT_EQ(frame.rows(), 7043u);
  ASSERT_EQ(frame.columns.size(), 20u);
  EXPECT_EQ(frame.Find("churn")->type, Type::kString);
  EXPECT_EQ(frame.Find("tenure")->type, Type::kInt);
  EXPECT_EQ(frame.Find("monthly_charges")->type, Type::kFloat);
  double tenure = 0;
  for (const double v : frame.Find("tenure")->numbers) tenure += v;
  EXPECT_EQ(tenure, 227990);
  size_t yes = 0;
  for (const std::string& v : frame.Find("churn")->strings) yes += v == "Yes";
  EXPECT_EQ(yes, 1869u);
}

TEST_F(TableTest, InfersOnlyWhatIsCertain) {
  EXPECT_EQ(TypeOf({"1", "-5", "0"}), Type::kInt);
  EXPECT_EQ(TypeOf({"1", "2.5"}), Type::kFloat);
  EXPECT_EQ(TypeOf({"1e5", "-.5", "7"}), Type::kFloat);
  EXPECT_EQ(TypeOf({"true", "False"}), Type::kBool);
  EXPECT_EQ(TypeOf({"yes", "no"}), Type::kString) << "a target Yes/No stays text";
  EXPECT_EQ(TypeOf({"007", "123"}), Type::kString) << "leading zeros identify";
  EXPECT_EQ(TypeOf({"9007199254740992", "1"}), Type::kInt);
  EXPECT_EQ(TypeOf({"9007199254740993", "1"}), Type::kString) << "beyond 2^53";
  EXPECT_EQ(TypeOf({"12345678901234567890", "1.5"}), Type::kString);
  EXPECT_EQ(TypeOf({"2024-02-29", "2023-01-01"}), Type::kDate);
  EXPECT_EQ(TypeOf({"2023-02-29", "2023-01-01"}), Type::kString) << "no such day";
  EXPECT_EQ(TypeOf({"2024-02-29", "2024-01-01 10:00:00"}), Type::kDatetime);
  EXPECT_EQ(TypeOf({"01/02/2024", "03/04/2024"}), Type::kString) << "day or month first? not guessed";
  EXPECT_EQ(TypeOf({"NaN", "1"}), Type::kString);
  EXPECT_EQ(TypeOf({"1_000", "2"}), Type::kString);
  EXPECT_EQ(TypeOf({"0x10", "2"}), Type::kString);
  EXPECT_EQ(TypeOf({" ", "2"}), Type::kString);
  EXPECT_EQ(TypeOf({"", ""}), Type::kString);
}

TEST_F(TableTest, TypesDoNotDependOnWhereAValueStands) {
  struct Case {
    const char* many;
    const char* last;
    Type type;
  };
  const Case cases[] = {{"5", "x", Type::kString}, {"5", "5.5", Type::kFloat}, {"5", "007", Type::kString}, {"1.5", "9007199254740993", Type::kString}, {"true", "yes", Type::kString},
                        {"2024-01-01", "2024-01-01 10:00", Type::kDatetime}, {"2024-01-01", "n/a", Type::kString}, {"", "7", Type::kInt}, {"", "1.5", Type::kFloat}, {"", "2024-05-06", Type::kDate}, {"5", "5_0", Type::kString}};
  for (const Case& c : cases) {
    std::string text = "i,x\n";
    for (int i = 0; i < 30'000; ++i) text += fmt::format("1,{}\n", c.many);
    text += fmt::format("1,{}\n", c.last);
    const Frame frame = Read(Write("late.csv", text));
    ASSERT_EQ(frame.rows(), 30'001u);
    EXPECT_EQ(frame.columns[1].type, c.type) << c.many << " then " << c.last;
    EXPECT_EQ(frame.columns[0].type, Type::kInt);
    EXPECT_FALSE(frame.columns[1].IsMissing(30'000));
    if (c.type == Type::kString) {
      EXPECT_EQ(frame.columns[1].strings.back(), c.last);
    }
  }
}

TEST_F(TableTest, NullsAreWhatTheListSays) {
  ReadOptions options;
  Column x = ReadColumn({"NA", "", "\"\"", "None"});
  EXPECT_THAT(x.strings, ElementsAre("NA", "", "", "None"));
  EXPECT_THAT(x.missing, ElementsAre(0, 1, 1, 0));
  options.nulls = {"", "?", "-999"};
  x = ReadColumn({"5", "?", "-999", "7", ""}, options);
  EXPECT_EQ(x.type, Type::kInt);
  EXPECT_TRUE(x.IsMissing(1) && x.IsMissing(2) && x.IsMissing(4));
  EXPECT_EQ(x.numbers[3], 7);
}

TEST_F(TableTest, ForcedTypesConvertWithoutLoss) {
  ReadOptions options;
  options.types = {{"x", Type::kInt}};
  EXPECT_THAT(ReadColumn({"5.0", " 7 ", "+3", "007"}, options).numbers, ElementsAre(5, 7, 3, 7));
  options.types = {{"x", Type::kBool}};
  EXPECT_THAT(ReadColumn({"yes", "N", "1", "FALSE"}, options).numbers, ElementsAre(1, 0, 1, 0));
  options.types = {{"x", Type::kString}};
  EXPECT_THAT(ReadColumn({"007", "1.50"}, options).strings, ElementsAre("007", "1.50"));
  options.types = {{"x", Type::kCategory}};
  EXPECT_EQ(ReadColumn({"1", "2"}, options).type, Type::kCategory);
  options.types = {{"x", Type::kDate}};
  EXPECT_THAT(ReadColumn({"2024-01-05", "2024-01-06 00:00:00"}, options).strings, ElementsAre("2024-01-05", "2024-01-06"));
  options.types = {{"x", Type::kDatetime}};
  EXPECT_THAT(ReadColumn({"2024-01-05", "2024-01-06T10:00:00Z", "2024-01-06 10:00:00+02:00", "2024-01-06 10:00:00.25", "1969-12-31 23:59:59"}, options).strings,
              ElementsAre("2024-01-05T00:00:00", "2024-01-06T10:00:00", "2024-01-06T08:00:00", "2024-01-06T10:00:00.25", "1969-12-31T23:59:59"));
  options.types = {{"x", Type::kFloat}};
  options.decimal = ",";
  options.delimiter = ";";
  const Frame frame = Read(Write("comma.csv", "i;x\n1;1,5\n2;-3\n"), options);
  EXPECT_THAT(frame.columns[1].numbers, ElementsAre(1.5, -3));
}

TEST_F(TableTest, FindsDelimitersAndDecodes) {
  for (const std::string d : {",", ";", "\t", "|"}) {
    const Frame frame = Read(Write("d.csv", fmt::format("a{0}b c{0}d\n1{0}\"x{0}\"\"y\"\"\nz\"{0}3\n", d)));
    ASSERT_EQ(frame.columns.size(), 3u) << d;
    EXPECT_EQ(frame.columns[1].name, "b c");
    EXPECT_EQ(frame.columns[1].strings[0], fmt::format("x{}\"y\"\nz", d));
  }
  ReadOptions options;
  options.encoding = "latin-1";
  EXPECT_EQ(Read(Write("l.csv", "a,b\n1,M\xfcller\n"), options).columns[1].strings[0], "Müller");
  options.encoding = "windows-1252";
  EXPECT_EQ(Read(Write("w.csv", "a,b\n1,\x80 5\n"), options).columns[1].strings[0], "€ 5");
  const std::string utf16("\xff\xfe" "a\0,\0b\0\n\0" "1\0,\0\xfc\0\x3d\xd8\x00\xde\n\0", 22);
  EXPECT_EQ(Read(Write("u.csv", utf16)).columns[1].strings[0], "ü😀");
  EXPECT_EQ(Read(Write("bom.csv", "\xef\xbb\xbf" "a,b\r\n1,2\r\n")).columns[0].name, "a");
}

TEST_F(TableTest, GzipFoldersAndGlobs) {
  const fs::path gz = dir_.path() / "in" / "part-2.csv.gz";
  fs::create_directories(gz.parent_path());
  gzFile out = gzopen(gz.c_str(), "wb");
  gzputs(out, "a,b\n3,z\n");
  gzclose(out);
  Write("in/part-1.csv", "a,b\n1,x\n2,y\n");
  Write("in/.hidden.csv", "q\n1\n");
  Write("in/_SUCCESS", "");
  Write("in/readme.md", "no data");
  for (const fs::path& source : {dir_.path() / "in", dir_.path() / "in" / "part-*", dir_.path() / "*" / "part-*"}) {
    const Frame frame = Read(source);
    EXPECT_THAT(frame.columns[1].strings, ElementsAre("x", "y", "z")) << source;
  }
  // A name that looks like a pattern is one file.
  Write("data1.csv", "a,b\n8,n\n");
  EXPECT_THAT(Read(Write("data[1].csv", "a,b\n7,m\n")).columns[0].numbers, ElementsAre(7));
}

TEST_F(TableTest, ReadsJsonAndParquet) {
  Frame frame = Read(Write("a.ndjson", "{\"n\": 1, \"s\": \"x\", \"d\": \"2024-01-02\", \"l\": [1, 2], \"z\": \"007\"}\n{\"n\": 2.5, \"s\": null, \"d\": \"2024-03-04\", \"l\": [], \"z\": \"1\"}\n"));
  EXPECT_THAT(frame.Find("n")->numbers, ElementsAre(1, 2.5));
  EXPECT_TRUE(frame.Find("s")->IsMissing(1));
  EXPECT_EQ(frame.Find("d")->type, Type::kDate);
  EXPECT_EQ(frame.Find("l")->strings[0], "[1,2]");
  EXPECT_EQ(frame.Find("z")->type, Type::kString);
  frame = Read(Write("b.json", "[{\"a\": true, \"b\": \"02/01/2024\"}, {\"a\": false, \"b\": \"03/01/2024\"}]"));
  EXPECT_EQ(frame.Find("a")->type, Type::kBool);
  EXPECT_EQ(frame.Find("b")->type, Type::kString);
  const fs::path parquet = dir_.path() / "t.parquet";
  auto engine = Engine::Open();
  ASSERT_TRUE(engine);
  ASSERT_TRUE((*engine)->WriteParquet("SELECT 1::INTEGER a, 2.5::DECIMAL(9,2) b, 'x'::ENUM('x','y') c, TIMESTAMP '2024-01-01 10:00:00' d, 9007199254740993::UBIGINT e, 'nan'::DOUBLE f, '-9' g, DATE '2024-01-01' h", parquet));
  ReadOptions options;
  options.nulls = {"", "-9"};
  frame = Read(parquet, options);
  EXPECT_EQ(frame.Find("a")->numbers[0], 1);
  EXPECT_EQ(frame.Find("b")->numbers[0], 2.5);
  EXPECT_EQ(frame.Find("c")->strings[0], "x");
  EXPECT_EQ(frame.Find("d")->strings[0], "2024-01-01T10:00:00");
  EXPECT_EQ(frame.Find("e")->type, Type::kString);
  EXPECT_EQ(frame.Find("e")->strings[0], "9007199254740993");
  EXPECT_TRUE(frame.Find("f")->IsMissing(0));
  EXPECT_TRUE(frame.Find("g")->IsMissing(0));
  EXPECT_EQ(frame.Find("h")->strings[0], "2024-01-01");
}

Frame Sample(size_t rows) {
  Frame frame;
  for (const auto& [name, type] : std::vector<std::pair<std::string, Type>>{{"i", Type::kInt}, {"f", Type::kFloat}, {"b", Type::kBool}, {"s", Type::kString}, {"d", Type::kDate}, {"t", Type::kDatetime}}) {
    Column c;
    c.name = name;
    c.type = type;
    for (size_t r = 0; r < rows; ++r) {
      const bool missing = r % 7 == 3;
      if (c.numeric()) {
        c.numbers.push_back(missing ? std::nan("") : type == Type::kBool ? static_cast<double>(r % 2) : type == Type::kInt ? static_cast<double>(r) - 50 : static_cast<double>(r) / 3);
      } else {
        c.strings.push_back(missing ? "" : type == Type::kString ? fmt::format("text \"{}\" ü", r * 1000003) : type == Type::kDate ? fmt::format("2024-02-{:02}", 1 + r % 29) : fmt::format("1999-12-31T23:59:{:02}.000001", r % 60));
        c.missing.push_back(missing);
      }
    }
    frame.columns.push_back(std::move(c));
  }
  return frame;
}

TEST_F(TableTest, FramesSurviveParquet) {
  const Frame in = Sample(5000);
  ASSERT_TRUE(WriteParquet(in, dir_.path() / "x" / "f.parquet"));
  const Frame out = Read(dir_.path() / "x" / "f.parquet");
  ASSERT_EQ(out.columns.size(), in.columns.size());
  for (size_t c = 0; c < in.columns.size(); ++c) {
    EXPECT_EQ(out.columns[c].type, in.columns[c].type);
    for (size_t r = 0; r < in.rows(); ++r) ASSERT_EQ(out.columns[c].Text(r), in.columns[c].Text(r)) << in.columns[c].name << " " << r;
  }
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(dir_.path() / "x")) ++files;
  EXPECT_EQ(files, 1u) << "no temporary file stays";
}

TEST_F(TableTest, SameRowsGiveSameBytes) {
  std::string text = "id,v,s,d\n";
  for (int64_t i = 0; i < 400'000; ++i) text += fmt::format("{},{},{},2024-01-{:02}\n", i, static_cast<double>(i * 7919 % 1000) / 8, i % 13 == 0 ? "" : fmt::format("s{}", i % 50), 1 + i % 28);
  const fs::path csv = Write("big.csv", text);
  std::string converted, loaded;
  for (const int threads : {1, 2, 3, 8, 8}) {
    Engine::Options options;
    options.threads = threads;
    auto engine = Engine::Open(options);
    ASSERT_TRUE(engine);
    auto done = (*engine)->Convert(csv, {}, {}, dir_.path() / "c.parquet");
    ASSERT_TRUE(done) << done.error().Text();
    EXPECT_EQ(done->rows, 400'000);
    const std::string c = HashFile(dir_.path() / "c.parquet", HashKind::kMd5)->hex;
    ASSERT_TRUE((*engine)->Load("t", csv, {}));
    ASSERT_TRUE((*engine)->WriteParquet("SELECT * FROM t", dir_.path() / "l.parquet"));
    const std::string l = HashFile(dir_.path() / "l.parquet", HashKind::kMd5)->hex;
    if (converted.empty()) converted = c, loaded = l;
    EXPECT_EQ(c, converted) << threads;
    EXPECT_EQ(l, loaded) << threads;
  }
}

TEST_F(TableTest, WriteFailuresLeaveTheOldFile) {
  const fs::path target = Write("old.parquet", "old");
  auto engine = Engine::Open();
  ASSERT_TRUE(engine);
  const Status status = (*engine)->WriteParquet("SELECT error('broken') FROM range(10)", target);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("broken"));
  EXPECT_EQ(*ReadFile(target), "old");
  const auto bad = (*engine)->Convert(Write("bad.csv", "a,b\n1,2\n3\n"), {}, {}, target);
  ASSERT_FALSE(bad);
  EXPECT_EQ(*ReadFile(target), "old");
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(dir_.path())) ++files;
  EXPECT_EQ(files, 2u);
}

TEST_F(TableTest, EditsDropAndChange) {
  auto engine = Engine::Open();
  ASSERT_TRUE(engine);
  const auto done = (*engine)->Convert(Write("e.csv", "a,b,c\n17,x,y\n,z,w\n"), {},
                                       {{"b", true, "", {}, false}, {"a", false, "floor({} / 10) * 10", {}, true}, {"c", false, "upper({})", Type::kCategory, false}}, dir_.path() / "e.parquet");
  ASSERT_TRUE(done) << done.error().Text();
  ASSERT_EQ(done->schema.size(), 2u);
  const Frame frame = Read(dir_.path() / "e.parquet");
  EXPECT_EQ(frame.columns[0].numbers[0], 10);
  EXPECT_TRUE(frame.columns[0].IsMissing(1));
  EXPECT_THAT(frame.columns[1].strings, ElementsAre("Y", "W"));
  EXPECT_FALSE((*engine)->Convert(dir_.path() / "e.csv", {}, {{"email", true, "", {}, false}}, dir_.path() / "f.parquet")) << "a personal column that isn't there is no success";
}

TEST(Frame, TextAndTake) {
  Frame frame = Sample(10);
  EXPECT_EQ(frame.Find("i")->Text(0), "-50");
  EXPECT_EQ(frame.Find("f")->Text(1), "0.3333333333333333");
  EXPECT_EQ(frame.Find("b")->Text(1), "true");
  EXPECT_EQ(frame.Find("f")->Text(3), "");
  const Frame taken = frame.Take({9, 3, 0});
  EXPECT_EQ(taken.rows(), 3u);
  EXPECT_EQ(taken.Find("i")->Text(2), "-50");
  EXPECT_TRUE(taken.Find("s")->IsMissing(1));
  EXPECT_EQ(frame.Find("nothing"), nullptr);
  EXPECT_EQ(QuoteIdent("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(QuoteText("it's"), "'it''s'");
  for (const char* name : {"int", "float", "bool", "string", "category", "date", "datetime"}) EXPECT_EQ(TypeName(*ParseType(name)), name);
  EXPECT_FALSE(ParseType("integer"));
}

}  // namespace
}  // namespace rondo::table
