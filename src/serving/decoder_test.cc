// Request bodies: what is read as what, and what is refused in which words.
#include "serving/decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "serving/fake.h"

namespace rondo::serving {
namespace {

struct Case {
  const char* name;
  std::string body;
  std::string error;  ///< part of the message; empty: must be read
};

std::string Input(const std::string& name, const std::string& datatype, const std::string& data, const std::string& shape = "[1]") {
  return R"({"name":")" + name + R"(","shape":)" + shape + R"(,"datatype":")" + datatype + R"(","data":)" + data + "}";
}
const std::string kTenure = Input("tenure", "INT64", "[12]"), kCharge = Input("charge", "FP32", "[70.5]"), kActive = Input("active", "BOOL", "[true]"),
                  kContract = Input("contract", "BYTES", R"(["One year"])");
std::string Oip(const std::vector<std::string>& inputs, const std::string& more = "") {
  std::string out = R"({"inputs":[)";
  for (size_t i = 0; i < inputs.size(); ++i) out += (i ? "," : "") + inputs[i];
  return out + "]" + more + "}";
}
std::string With(const std::string& tenure) { return Oip({tenure, kCharge, kActive, kContract}); }

class DecoderTest : public testing::Test {
 protected:
  Status Read(Protocol protocol, std::string body) {
    body_ = std::move(body);
    RONDO_DO(decoder_.Parse(protocol, body_));
    return decoder_.Bind(columns_, rows_);
  }
  void Check(Protocol protocol, const std::vector<Case>& cases) {
    for (const Case& c : cases) {
      const Status status = Read(protocol, c.body);
      if (c.error.empty()) {
        EXPECT_TRUE(status) << c.name << ": " << status.error().message;
      } else {
        ASSERT_FALSE(status) << c.name;
        EXPECT_NE(status.error().message.find(c.error), std::string::npos) << c.name << ": " << status.error().message;
        EXPECT_TRUE(status.error().code == Code::kInvalid || status.error().code == Code::kTooLarge) << c.name;
      }
      // Whatever came before, a good request is read.
      ASSERT_TRUE(Read(Protocol::kOip, With(kTenure))) << "after " << c.name;
      ASSERT_EQ(rows_.batch.numbers[0][0], 12);
    }
  }
  float Number(size_t column, size_t row = 0) { return rows_.batch.numbers[column][row]; }
  std::string Text(size_t column, size_t row = 0) { return std::string(rows_.batch.texts[column][row]); }

  const model::Signature signature_ = ChurnSignature();
  Columns columns_{signature_};
  Decoder decoder_;
  BoundRows rows_;
  std::string body_;
};

TEST_F(DecoderTest, OipTable) {
  Check(Protocol::kOip, {
      {"plain", With(kTenure), ""},
      {"another order", Oip({kContract, kActive, kCharge, kTenure}), ""},
      {"column vector", With(Input("tenure", "INT64", "[12]", "[1,1]")), ""},
      {"nested data", With(Input("tenure", "INT64", "[[12]]", "[1,1]")), ""},
      {"null number", With(Input("tenure", "FP64", "[null]")), ""},
      {"NaN text", With(Input("tenure", "FP32", R"(["NaN"])")), ""},
      {"bare NaN", With(Input("tenure", "FP32", "[NaN]")), ""},
      {"bare -Infinity", With(Input("tenure", "FP32", "[-Infinity]")), ""},
      {"number as bytes", With(Input("tenure", "BYTES", R"(["12"])")), ""},
      {"parameters of an input", With(R"({"name":"tenure","shape":[1],"datatype":"INT64","parameters":{"content_type":"np"},"data":[12]})"), ""},
      {"key column", Oip({Input("customer_id", "BYTES", R"(["c1"])"), kTenure, kCharge, kActive, kContract}), ""},
      {"target too", Oip({kTenure, kCharge, kActive, kContract, Input("churn", "BYTES", R"(["No"])")}), ""},
      {"empty body", "", "not valid JSON"},
      {"half", "{\"inputs\":[", "not valid JSON"},
      {"two documents", With(kTenure) + "{}", "not valid JSON"},
      {"a list", "[]", "must be a JSON object"},
      {"no inputs", "{}", "no \"inputs\""},
      {"inputs is text", R"({"inputs":"x"})", "\"inputs\" must be a list"},
      {"inputs empty", R"({"inputs":[]})", "\"inputs\" is empty"},
      {"input is a number", R"({"inputs":[1]})", "must be an object"},
      {"unknown field", With(kTenure).insert(1, R"("input":[],)"), "unknown field \"input\""},
      {"unknown field of an input", With(R"({"nam":"tenure"})"), "unknown field \"nam\""},
      {"inputs twice", R"({"inputs":[],"inputs":[]})", "twice"},
      {"name twice", With(R"({"name":"tenure","name":"charge","shape":[1],"datatype":"INT64","data":[1]})"), "\"name\" twice"},
      {"data twice", With(R"({"name":"tenure","shape":[1],"datatype":"INT64","data":[1],"data":[2]})"), "\"data\" twice"},
      {"no name", With(R"({"shape":[1],"datatype":"INT64","data":[1]})"), "no \"name\""},
      {"no shape", With(R"({"name":"tenure","datatype":"INT64","data":[1]})"), "\"tenure\" has no \"shape\""},
      {"no datatype", With(R"({"name":"tenure","shape":[1],"data":[1]})"), "\"tenure\" has no \"datatype\""},
      {"no data", With(R"({"name":"tenure","shape":[1],"datatype":"INT64"})"), "\"tenure\" has no \"data\""},
      {"unknown datatype", With(Input("tenure", "FP31", "[1]")), "\"FP31\""},
      {"negative dimension", With(Input("tenure", "INT64", "[]", "[-1]")), "not positive"},
      {"zero rows", With(Input("tenure", "INT64", "[]", "[0]")), "not positive"},
      {"dimension 2^63", With(Input("tenure", "INT64", "[1]", "[9223372036854775808]")), "whole numbers"},
      {"huge claim", With(Input("tenure", "INT64", "[1]", "[9223372036854775807]")), "at most"},
      {"fractional dimension", With(Input("tenure", "INT64", "[1]", "[1.5]")), "whole numbers"},
      {"no dimensions", With(Input("tenure", "INT64", "1", "[]")), "[rows]"},
      {"two columns in one", With(Input("tenure", "INT64", "[1,2]", "[1,2]")), "[rows, 1]"},
      {"too many dimensions", With(Input("tenure", "INT64", "[1]", "[1,1,1,1,1,1,1,1,1,1]")), "too many dimensions"},
      {"too little data", With(Input("tenure", "INT64", "[]")), "the shape says 1 values, \"data\" has 0"},
      {"too much data", With(Input("tenure", "INT64", "[1,2]")), "the shape says 1 values, \"data\" has more"},
      {"claim of 1000 rows", With(Input("tenure", "INT64", "[1,2]", "[1000]")), "has 1000"},
      {"every input claims a million", Oip({Input("tenure", "INT64", "[1]", "[1000000]"), Input("charge", "FP32", "[1]", "[1000000]")}), "the shape says 1000000 values, \"data\" has 1"},
      {"data is a number", With(Input("tenure", "INT64", "5")), "\"data\" must be a list"},
      {"data is an object", With(Input("tenure", "INT64", R"([{"a":1}])")), "single value"},
      {"rows differ", With(Input("tenure", "INT64", "[1,2]", "[2]")), "\"charge\" has 1 rows, input \"tenure\" has 2"},
      {"text for a number", With(Input("tenure", "FP64", R"(["x"])")), "input \"tenure\", row 1: must be a number"},
      {"no number in bytes", With(Input("tenure", "BYTES", R"(["12 months"])")), "must be a number"},
      {"number in bytes datatype", With(Input("tenure", "BYTES", "[12]")), "must be a text or null"},
      {"fraction in INT64", With(Input("tenure", "INT64", "[1.5]")), "whole number"},
      {"300 in UINT8", With(Input("tenure", "UINT8", "[300]")), "out of the datatype's range"},
      {"-1 in UINT32", With(Input("tenure", "UINT32", "[-1]")), "out of the datatype's range"},
      {"2^63 in INT64", With(Input("tenure", "INT64", "[9223372036854775808]")), "out of the datatype's range"},
      {"1e300 in FP64", With(Input("tenure", "FP64", "[1e300]")), "32-bit"},
      {"1e999", With(Input("tenure", "FP64", "[1e999]")), "not valid JSON"},
      {"true in FP32", With(Input("tenure", "FP32", "[true]")), "must be a number"},
      {"1 in BOOL", Oip({kTenure, kCharge, Input("active", "BOOL", "[1]"), kContract}), "true, false or null"},
      {"text with datatype INT64", Oip({kTenure, kCharge, kActive, Input("contract", "INT64", R"(["x"])")}), "datatype"},
      {"missing column", Oip({kTenure, kActive, kContract}), "\"charge\" (float) is missing; send null"},
      {"missing columns", Oip({kTenure}), "\"charge\" (float), \"active\" (bool), \"contract\" (category) are missing"},
      {"unknown column", Oip({Input("tenur", "INT64", "[1]"), kCharge, kActive, kContract}), "no input \"tenur\"; did you mean \"tenure\"?"},
      {"column twice", Oip({kTenure, kTenure, kCharge, kActive, kContract}), "\"tenure\" is there twice"},
      {"binary data", With(R"({"name":"tenure","shape":[1],"datatype":"INT64","parameters":{"binary_data_size":8}})"), "binary inputs are not supported"},
      {"binary output", With(kTenure).insert(1, R"("parameters":{"binary_data_output":true},)"), "binary outputs are not supported"},
      {"binary output by name", Oip({kTenure, kCharge, kActive, kContract}, R"(,"outputs":[{"name":"label","parameters":{"binary_data":true}}])"), "binary outputs are not supported"},
      {"output twice", Oip({kTenure, kCharge, kActive, kContract}, R"(,"outputs":[{"name":"label"},{"name":"label"}])"), "asked for twice"},
      {"output without name", Oip({kTenure, kCharge, kActive, kContract}, R"(,"outputs":[{}])"), "needs a \"name\""},
      {"id is a number", With(kTenure).insert(1, R"("id":1,)"), "\"id\" must be a text"},
      {"long id", With(kTenure).insert(1, R"("id":")" + std::string(600, 'x') + "\","), "512"},
      {"key is a number", With(kTenure).insert(1, R"("parameters":{"key":1},)"), "parameters.key must be a text"},
      {"parameters is a list", With(kTenure).insert(1, R"("parameters":[],)"), "\"parameters\" must be an object"},
      {"invalid UTF-8", With(Input("tenure\xff", "INT64", "[1]")), "not UTF-8"},
      {"NUL in a name", With(Input("ten\\u0000ure", "INT64", "[1]")), "no input \"ten?ure\""},
      {"deep nesting", With(Input("tenure", "INT64", std::string(200, '[') + "1" + std::string(200, ']'))), "nested too deeply"},
      {"an endless name", With(Input(std::string(100'000, 'n'), "INT64", "[1]")), "..."},
  });
}

TEST_F(DecoderTest, OipValuesAndMissing) {
  ASSERT_TRUE(Read(Protocol::kOip, Oip({Input("tenure", "INT64", "[1,null,3]", "[3]"), Input("charge", "FP32", R"([1.5,"NaN","Infinity"])", "[3]"),
                                        Input("active", "BOOL", "[true,false,null]", "[3,1]"), Input("contract", "BYTES", R"(["é \"x\"","",null])", "[3]")})));
  EXPECT_EQ(rows_.rows(), 3u);
  EXPECT_EQ(Number(0), 1);
  EXPECT_TRUE(std::isnan(Number(0, 1)));
  EXPECT_EQ(Number(1), 1.5f);
  EXPECT_TRUE(std::isnan(Number(1, 1)));
  EXPECT_TRUE(std::isinf(Number(1, 2)));
  EXPECT_EQ(Number(2), 1);
  EXPECT_EQ(Number(2, 1), 0);
  EXPECT_TRUE(std::isnan(Number(2, 2)));
  EXPECT_EQ(Text(3), "é \"x\"");
  EXPECT_EQ(Text(3, 1), "");
  EXPECT_EQ(Text(3, 2), "");
  EXPECT_TRUE(rows_.keys.empty());
}

TEST_F(DecoderTest, NumbersBecomeTextsAsInACsv) {
  ASSERT_TRUE(Read(Protocol::kOip, Oip({Input("tenure", "INT64", "[1,2,3,4]", "[4]"), Input("charge", "FP32", "[1,2,3,4]", "[4]"), Input("active", "BOOL", "[true,true,true,true]", "[4]"),
                                        Input("contract", "FP64", R"([1,1.0,2.5,"NaN"])", "[4]")})));
  EXPECT_EQ(Text(3, 0), "1");
  EXPECT_EQ(Text(3, 1), "1");
  EXPECT_EQ(Text(3, 2), "2.5");
  EXPECT_EQ(Text(3, 3), "");
}

TEST_F(DecoderTest, NonFiniteTokensInsideTextsStay) {
  ASSERT_TRUE(Read(Protocol::kOip, Oip({Input("tenure", "FP32", "[NaN]"), kCharge, kActive, Input("contract", "BYTES", R"(["a \" NaN, Infinity\\"])")})));
  EXPECT_TRUE(std::isnan(Number(0)));
  EXPECT_EQ(Text(3), "a \" NaN, Infinity\\");
}

TEST_F(DecoderTest, IdKeyAndOutputs) {
  ASSERT_TRUE(Read(Protocol::kOip, Oip({Input("customer_id", "BYTES", R"(["c7"])"), kTenure, kCharge, kActive, kContract}, R"(,"id":"r1","parameters":{"key":"u9","x":1},"outputs":[{"name":"label"}])")));
  EXPECT_EQ(decoder_.id(), "r1");
  EXPECT_EQ(decoder_.key(), "u9");
  ASSERT_EQ(decoder_.outputs().size(), 1u);
  EXPECT_EQ(rows_.keys.at(0), "c7");
  EXPECT_EQ(decoder_.FirstKey(columns_), "c7");
}

TEST_F(DecoderTest, InvocationsTable) {
  const std::string record = R"({"tenure":12,"charge":70.5,"active":true,"contract":"One year"})";
  Check(Protocol::kInvocations, {
      {"records", R"({"dataframe_records":[)" + record + "]}", ""},
      {"instances of objects", R"({"instances":[)" + record + "]}", ""},
      {"instances of lists", R"({"instances":[[12,70.5,true,"One year"]]})", ""},
      {"split", R"({"dataframe_split":{"columns":["contract","tenure","charge","active"],"index":[0],"data":[["One year",12,70.5,1]]}})", ""},
      {"split without columns", R"({"dataframe_split":{"data":[[12,70.5,true,"x"]]}})", ""},
      {"inputs by column", R"({"inputs":{"tenure":[12],"charge":[70.5],"active":[true],"contract":["x"]}})", ""},
      {"inputs as column vectors", R"({"inputs":{"tenure":[[12]],"charge":[[70.5]],"active":[[true]],"contract":[["x"]]}})", ""},
      {"inputs as single values", R"({"inputs":{"tenure":12,"charge":70.5,"active":true,"contract":"x"}})", ""},
      {"params and others", R"({"params":{"a":1},"whatever":[1],"dataframe_records":[)" + record + "]}", ""},
      {"extra columns", R"({"dataframe_records":[{"other":{"deep":1},"tenure":1,"charge":2,"active":null,"contract":"x","churn":"No"}]})", ""},
      {"bare NaN of Python", R"({"dataframe_records":[{"tenure":NaN,"charge":-Infinity,"active":true,"contract":"x"}]})", ""},
      {"number as text", R"({"dataframe_records":[{"tenure":"12","charge":"70.5","active":"True","contract":3}]})", ""},
      {"no form", "{}", "exactly one of"},
      {"wrong key", R"({"a":1})", "exactly one of"},
      {"two forms", R"({"instances":[],"inputs":[]})", "exactly one of"},
      {"a list", "[1]", "must be a JSON object"},
      {"no JSON", "x", "not valid JSON"},
      {"signature_name", R"({"signature_name":"x","instances":[)" + record + "]}", "signature_name"},
      {"records not a list", R"({"dataframe_records":{}})", "must be a list"},
      {"records of lists", R"({"dataframe_records":[[1]]})", "list of objects"},
      {"mixed instances", R"({"instances":[)" + record + ",[1]]}", "list of objects"},
      {"no rows", R"({"dataframe_records":[]})", "no rows"},
      {"no rows in split", R"({"dataframe_split":{"columns":["tenure"],"data":[]}})", "no rows"},
      {"split not an object", R"({"dataframe_split":[]})", "must be an object"},
      {"split without data", R"({"dataframe_split":{"columns":[]}})", "\"data\" is missing"},
      {"split with another key", R"({"dataframe_split":{"data":[],"dtype":1}})", "unknown key \"dtype\""},
      {"split columns of numbers", R"({"dataframe_split":{"columns":[1],"data":[[1]]}})", "must be texts"},
      {"split row too short", R"({"dataframe_split":{"columns":["contract","tenure","charge","active"],"data":[["x",1]]}})", "row 1 must have 4 values"},
      {"split row too long", R"({"dataframe_split":{"columns":["contract","tenure","charge","active"],"data":[["x",1,2,true,5]]}})", "row 1 must have 4 values"},
      {"split row no list", R"({"dataframe_split":{"columns":["contract","tenure","charge","active"],"data":[5]}})", "row 1 must be a list"},
      {"split column twice", R"({"dataframe_split":{"columns":["tenure","tenure","charge","active"],"data":[[1,1,1,1]]}})", "twice"},
      {"split lacks a column", R"({"dataframe_split":{"columns":["tenure"],"data":[[1]]}})", "\"charge\" (float)"},
      {"records lack a column", R"({"dataframe_records":[{"tenure":1,"charge":2,"active":true}]})", "\"contract\" (category) is missing"},
      {"text for a number", R"({"dataframe_records":[{"tenure":"x","charge":2,"active":true,"contract":"x"}]})", "input \"tenure\", row 1: must be a number"},
      {"list for a number", R"({"dataframe_records":[{"tenure":[1],"charge":2,"active":true,"contract":"x"}]})", "single value"},
      {"inputs of different lengths", R"({"inputs":{"tenure":[1,2],"charge":[1]}})", "\"charge\" has 1 values, \"tenure\" has 2"},
      {"inputs empty", R"({"inputs":{}})", "no rows"},
      {"inputs with deep values", R"({"inputs":{"tenure":[[1,2]],"charge":[1],"active":[true],"contract":["x"]}})", "single value"},
      {"instances too narrow", R"({"instances":[[1]]})", "row 1 must have 4 values"},
      {"instances of scalars", R"({"instances":[1,2]})", "must be a list of 4 values"},
  });
}

TEST_F(DecoderTest, ARecordMayLackAColumnThatOthersHave) {
  ASSERT_TRUE(Read(Protocol::kInvocations, R"({"dataframe_records":[{"customer_id":"a","tenure":1,"charge":2,"active":true,"contract":"x"},{"customer_id":"b","tenure":5,"contract":"y"}]})"));
  EXPECT_EQ(rows_.rows(), 2u);
  EXPECT_TRUE(std::isnan(Number(1, 1)));
  EXPECT_EQ(Text(3, 1), "y");
  EXPECT_EQ(rows_.keys.at(1), "b");
  EXPECT_EQ(decoder_.FirstKey(columns_), "") << "two rows: no one key";
}

TEST_F(DecoderTest, CsvTable) {
  const std::string header = "tenure,charge,active,contract\n";
  Check(Protocol::kInvocationsCsv, {
      {"plain", header + "12,70.5,true,One year\n", ""},
      {"no newline at the end", header + "12,70.5,true,x", ""},
      {"CRLF and a byte order mark", "\xEF\xBB\xBFtenure,charge,active,contract\r\n12,70.5,0,x\r\n", ""},
      {"extra column", "a," + header + "1,12,70.5,true,x\n", ""},
      {"empty last field", header + "12,70.5,true,", ""},
      {"empty", "", "the CSV is empty"},
      {"header only", header, "no rows"},
      {"ragged", header + "1,2\n", "line 2: 2 fields, the header has 4"},
      {"open quote", header + "1,2,true,\"x\n", "never closed"},
      {"quote inside", header + "1,2,true,a\"b\n", "a quote inside"},
      {"text after quote", header + "1,2,true,\"a\"b\n", "after a closing quote"},
      {"no number", header + "x,2,true,a\n", "input \"tenure\", row 1: must be a number"},
      {"column missing", "tenure\n1\n", "\"charge\" (float)"},
      {"column twice", "tenure,tenure,charge,active,contract\n1,1,1,1,1\n", "twice"},
      {"not UTF-8", header + "1,2,true,\xff\n", "not UTF-8"},
  });
  ASSERT_TRUE(Read(Protocol::kInvocationsCsv, "customer_id,tenure,charge,active,contract\nc1,,1e3,,\"a \"\"b\"\", c\"\n\nc2,2,3,false,\n"));
  EXPECT_EQ(rows_.rows(), 2u);
  EXPECT_TRUE(std::isnan(Number(0)));
  EXPECT_EQ(Number(1), 1000);
  EXPECT_TRUE(std::isnan(Number(2)));
  EXPECT_EQ(Text(3), "a \"b\", c");
  EXPECT_EQ(rows_.keys.at(1), "c2");
}

TEST_F(DecoderTest, EveryFormGivesTheSameRow) {
  const std::pair<Protocol, std::string> forms[] = {
      {Protocol::kOip, With(kTenure)},
      {Protocol::kInvocations, R"({"dataframe_records":[{"tenure":12,"charge":70.5,"active":true,"contract":"One year"}]})"},
      {Protocol::kInvocations, R"({"dataframe_split":{"columns":["contract","tenure","charge","active"],"data":[["One year",12,70.5,true]]}})"},
      {Protocol::kInvocations, R"({"inputs":{"tenure":[12],"charge":[70.5],"active":[true],"contract":["One year"]}})"},
      {Protocol::kInvocationsCsv, "tenure,charge,active,contract\n12,70.5,true,One year\n"}};
  for (const auto& [protocol, body] : forms) {
    ASSERT_TRUE(Read(protocol, body)) << body;
    EXPECT_EQ(Number(0), 12);
    EXPECT_EQ(Number(1), 70.5f);
    EXPECT_EQ(Number(2), 1);
    EXPECT_EQ(Text(3), "One year");
  }
}

TEST_F(DecoderTest, OneRequestBindsToTwoModels) {
  model::Signature other = signature_;
  other.inputs = {{"contract", "category"}, {"tenure", "category"}};
  const Columns columns(other);
  ASSERT_TRUE(Read(Protocol::kInvocations, R"({"dataframe_records":[{"tenure":12,"charge":70.5,"active":true,"contract":"x"}]})"));
  BoundRows rows;  // the other model's
  ASSERT_TRUE(decoder_.Bind(columns, rows));
  EXPECT_EQ(rows.batch.texts[0][0], "x");
  EXPECT_EQ(rows.batch.texts[1][0], "12");
  EXPECT_FALSE(columns.SameAs(columns_));
}

}  // namespace
}  // namespace rondo::serving
