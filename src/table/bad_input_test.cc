// Broken files: each gives its own message with file, line, column, value and advice, and exit code 1 (or 2 for a wrong option).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fmt/format.h>
#include <zlib.h>

#include "base/file.h"
#include "table/table.h"

namespace rondo::table {
namespace {

using ::testing::HasSubstr;

struct BadCase {
  std::string name;                        ///< of the file
  std::string bytes;
  std::vector<std::string> expected;       ///< parts of the message or hint
  ReadOptions options;
  Code code = Code::kFailedCheck;
};

ReadOptions Forced(Type type) {
  ReadOptions o;
  o.types = {{"b", type}};
  return o;
}
ReadOptions Format(std::string format) {
  ReadOptions o;
  o.format = std::move(format);
  return o;
}
ReadOptions With(std::string delimiter, std::string encoding, std::string decimal) {
  ReadOptions o;
  o.delimiter = std::move(delimiter);
  o.encoding = std::move(encoding);
  o.decimal = std::move(decimal);
  return o;
}

std::vector<BadCase> Cases() {
  std::string late = "a,b\n";
  for (int i = 0; i < 50'000; ++i) late += "1,2\n";
  return {
      {"empty.csv", "", {"empty.csv is empty", "name the columns"}, {}, Code::kFailedCheck},
      {"blank.csv", " \n\n", {"blank.csv is empty"}, {}, Code::kFailedCheck},
      {"header.csv", "a,b\n", {"header of 2 columns but no rows"}, {}, Code::kFailedCheck},
      {"short.csv", "a,b,c\n1,2,3\n4,5\n", {"short.csv, line 3: 2 fields, but the header names 3", "4,5"}, {}, Code::kFailedCheck},
      {"long.csv", "a,b\n1,2\n3,4,5\n", {"long.csv, line 3: 3 fields, but the header names 2"}, {}, Code::kFailedCheck},
      {"late.csv", late + "1\n", {"late.csv, line 50002: 1 fields"}, {}, Code::kFailedCheck},
      {"multi.csv", "a,b\n\"x\ny\nz\",2\n3\n", {"line 5: 1 fields"}, {}, Code::kFailedCheck},
      {"latin.csv", "a,b\n1,M\xfcller\n", {"latin.csv, line 2, column \"b\": \"M\\xfcller\" is not UTF-8", "encoding: latin-1"}, {}, Code::kFailedCheck},
      {"latinhead.csv", "a,stra\xdf" "e\n1,2\n", {"the name of column 2", "not UTF-8"}, {}, Code::kFailedCheck},
      {"dup.csv", "a,b,a\n1,2,3\n", {"two columns are called \"a\" (columns 1 and 3)", "rename"}, {}, Code::kFailedCheck},
      {"dupcase.csv", "a,b,A\n1,2,3\n", {"differ only in upper and lower case"}, {}, Code::kFailedCheck},
      {"nohead.csv", "1,2,3\n4,5,6\n", {"only numbers", "column names are missing"}, {}, Code::kFailedCheck},
      {"nul.csv", std::string("a,b\n1,x\0y\n", 10), {"line 2", "NUL byte"}, {}, Code::kFailedCheck},
      {"nullate.csv", late + std::string("1,\0\n", 4) + late.substr(4) + late.substr(4) + late.substr(4) + late.substr(4) + late.substr(4) + late.substr(4), {"line 50002", "NUL byte"}, {}, Code::kFailedCheck},
      {"open.csv", "a,b\n1,\"x\n2,y\n3,z\n", {"open.csv, line 2, column \"b\": a quote (\") is opened and never closed"}, {}, Code::kFailedCheck},
      {"openhead.csv", "a,\"b\n1,2\n", {"line 1", "never closed"}, {}, Code::kFailedCheck},
      {"after.csv", "a,b\n1,\"x\"y\n", {"line 2, column \"b\": text follows a closing quote", "doubled"}, {}, Code::kFailedCheck},
      {"newlines.csv", "a,b\n1,2\r\n3,4\n", {"line 2", "ends differently"}, {}, Code::kFailedCheck},
      {"huge.csv", "a,b\n1," + std::string(2'500'000, 'x') + "\n", {"line 2, column \"b\": a field of 2500000 bytes"}, {}, Code::kFailedCheck},
      {"zip.csv", "PK\x03\x04rest", {"ZIP archive or an Excel workbook"}, {}, Code::kFailedCheck},
      {"int.csv", "a,b\n1,5\n2,5.7\n", {"int.csv, line 3, column \"b\": \"5.7\" is not an int", "nulls:"}, Forced(Type::kInt), Code::kFailedCheck},
      {"intbig.csv", "a,b\n1,9007199254740993\n", {"line 2, column \"b\": \"9007199254740993\" is not an int", "2^53"}, Forced(Type::kInt), Code::kFailedCheck},
      {"inttext.csv", "a,b\n1,NA\n", {"\"NA\" is not an int"}, Forced(Type::kInt), Code::kFailedCheck},
      {"intunder.csv", "a,b\n1,1_000\n", {"\"1_000\" is not an int"}, Forced(Type::kInt), Code::kFailedCheck},
      {"float.csv", "a,b\n1,\"1,5\"\n", {"\"1,5\" is not a float"}, Forced(Type::kFloat), Code::kFailedCheck},
      {"nan.csv", "a,b\n1,nan\n", {"\"nan\" is not a float"}, Forced(Type::kFloat), Code::kFailedCheck},
      {"space.csv", "a,b\n1, \n", {"\" \" is not a float"}, Forced(Type::kFloat), Code::kFailedCheck},
      {"bool.csv", "a,b\n1,maybe\n", {"\"maybe\" is not a bool"}, Forced(Type::kBool), Code::kFailedCheck},
      {"date.csv", "a,b\n1,31.12.2024\n", {"\"31.12.2024\" is not a date (YYYY-MM-DD)"}, Forced(Type::kDate), Code::kFailedCheck},
      {"datetime.csv", "a,b\n1,2024-01-01 25:00\n", {"is not a datetime"}, Forced(Type::kDatetime), Code::kFailedCheck},
      {"datetrunc.csv", "a,b\n1,2024-01-01 10:00:00\n", {"is not a date"}, Forced(Type::kDate), Code::kFailedCheck},
      {"lateint.csv", late + "1,x\n", {"line 50002, column \"b\": \"x\" is not an int"}, Forced(Type::kInt), Code::kFailedCheck},
      {"delimiter.csv", "a,b\n1,2\n", {"delimiter \"ab\" is not one character"}, With("ab", "", ""), Code::kInvalid},
      {"encoding.csv", "a,b\n1,2\n", {"encoding \"klingon\" is not known", "utf-16"}, With("", "klingon", ""), Code::kInvalid},
      {"decimal.csv", "a,b\n1,2\n", {"decimal: \"x\""}, With("", "", "x"), Code::kInvalid},
      {"decimalcomma.csv", "a,b\n1,2\n", {"delimiter and the decimal sign are both"}, With(",", "", ","), Code::kInvalid},
      {"utf16.csv", "a,b\n1,2\n5", {"half a UTF-16 character"}, With("", "utf-16", ""), Code::kFailedCheck},
      {"bad.parquet", "PAR1 but not really", {"bad.parquet can't be read as Parquet"}, {}, Code::kFailedCheck},
      {"empty.parquet", "", {"can't be read as Parquet"}, {}, Code::kFailedCheck},
      {"bad.json", "{\"a\": 1,", {"bad.json can't be read as JSON"}, {}, Code::kFailedCheck},
      {"scalar.json", "[1, 2, 3]", {"scalar.json can't be read as JSON", "list of objects"}, {}, Code::kFailedCheck},
      {"late.ndjson", "{\"a\": 1}\n{\"a\": \n", {"late.ndjson can't be read as JSON"}, {}, Code::kFailedCheck},
      {"type.ndjson", "{\"b\": 1}\n{\"b\": 2.5}\n", {"row 2, column \"b\": \"2.5\" is not an int"}, Forced(Type::kInt), Code::kFailedCheck},
      {"unknown.xyz", "a,b\n1,2\n", {"format of", "set format:"}, {}, Code::kInvalid},
      {"bad.csv.gz", "not gzip at all, just\ntext,x\n", {"bad.csv.gz is not a gzip file"}, {}, Code::kFailedCheck},
  };
}

class BadInput : public ::testing::TestWithParam<size_t> {};
TEST_P(BadInput, SaysWhatWhereAndWhatToDo) {
  const BadCase c = Cases()[GetParam()];
  TempDir dir;
  const fs::path file = dir.path() / c.name;
  ASSERT_TRUE(WriteFileAtomic(file, c.bytes));
  auto engine = Engine::Open();
  ASSERT_TRUE(engine) << engine.error().Text();
  const auto rows = (*engine)->Load("t", file, c.options);
  ASSERT_FALSE(rows) << c.name << " was read: " << *rows << " rows";
  for (const std::string& part : c.expected) EXPECT_THAT(rows.error().Text(), HasSubstr(part));
  EXPECT_EQ(static_cast<int>(rows.error().code), static_cast<int>(c.code)) << rows.error().Text();
  EXPECT_FALSE(rows.error().hint.empty()) << rows.error().Text();
  EXPECT_EQ(rows.error().message.find("read_csv"), std::string::npos) << rows.error().Text();
  // The stream to Parquet says the same and writes nothing.
  const auto converted = (*engine)->Convert(file, c.options, {}, dir.path() / "out.parquet");
  ASSERT_FALSE(converted);
  EXPECT_EQ(converted.error().Text(), rows.error().Text());
  EXPECT_FALSE(fs::exists(dir.path() / "out.parquet"));
}
INSTANTIATE_TEST_SUITE_P(All, BadInput, ::testing::Range(size_t{0}, Cases().size()), [](const auto& info) {
  std::string name = Cases()[info.param].name;
  for (char& ch : name)
    if (!std::isalnum(static_cast<unsigned char>(ch))) ch = '_';
  return name;
});

std::string ErrorOf(const fs::path& source, const ReadOptions& options = {}) {
  const auto frame = ReadTable(source, options);
  EXPECT_FALSE(frame) << source;
  return frame ? "" : frame.error().Text();
}

TEST(BadSource, FoldersAndPatterns) {
  TempDir dir;
  EXPECT_THAT(ErrorOf(dir.path() / "no.csv"), HasSubstr("there is no file or folder"));
  EXPECT_THAT(ErrorOf(dir.path()), HasSubstr("holds no data files"));
  EXPECT_THAT(ErrorOf(dir.path() / "*.csv"), HasSubstr("no file matches"));
  EXPECT_THAT(ErrorOf(dir.path() / "**" / "a.csv"), HasSubstr("not supported"));
  EXPECT_THAT(ErrorOf("/dev/zero", Format("csv")), HasSubstr("not a regular file"));
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "a.csv", "a,b\n1,2\n"));
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "b.csv", "a,c\n1,2\n"));
  EXPECT_THAT(ErrorOf(dir.path()), testing::AllOf(HasSubstr("b.csv has other columns than"), HasSubstr("it lacks the column \"b\"")));
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "b.csv", "b,a\n1,2\n"));
  EXPECT_THAT(ErrorOf(dir.path()), HasSubstr("another order"));
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "b.csv", "a,b\n1,2\n3\n"));
  EXPECT_THAT(ErrorOf(dir.path()), HasSubstr("b.csv, line 3: 1 fields"));
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "b.json", "{}"));
  EXPECT_THAT(ErrorOf(dir.path()), HasSubstr("different formats"));
  EXPECT_THAT(ErrorOf(dir.path() / "a.csv", Format("xml")), HasSubstr("format \"xml\" is not known"));
}

TEST(BadSource, TruncatedGzip) {
  TempDir dir;
  const fs::path gz = dir.path() / "t.csv.gz";
  gzFile out = gzopen(gz.c_str(), "wb");
  gzputs(out, "a,b\n");
  for (int i = 0; i < 100'000; ++i) gzprintf(out, "%d,%d\n", i, i * 7919);
  gzclose(out);
  fs::resize_file(gz, fs::file_size(gz) / 2);
  EXPECT_THAT(ErrorOf(gz), HasSubstr("damaged gzip"));
  fs::rename(gz, dir.path() / "packed.csv");
  EXPECT_THAT(ErrorOf(dir.path() / "packed.csv"), testing::AllOf(HasSubstr("compressed by gzip"), HasSubstr("packed.csv.gz")));
}

}  // namespace
}  // namespace rondo::table
