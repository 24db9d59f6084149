// Oracle values: scikit-learn 1.9.1 (SimpleImputer, StandardScaler, MinMaxScaler, RobustScaler, OneHotEncoder, CountVectorizer), numpy.digitize.
#include <gtest/gtest.h>

#include <algorithm>

#include "model/features/plan.h"
#include "model/test_data.h"

namespace rondo::model {
namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

project::Features With(project::ColumnFeature column) {
  project::Features spec;
  spec.columns.push_back(std::move(column));
  return spec;
}
project::ColumnFeature Declare(const std::string& name) {
  project::ColumnFeature c;
  c.column = name;
  return c;
}
Result<std::unique_ptr<FeatureGraph>> Fit(const project::Features& spec, const table::Frame& frame) { return FitFeatures(spec, ColumnsOfFrame(frame), frame, 1'700'000'000'000); }
std::vector<float> Column(const FeatureGraph& graph, const table::Frame& frame, const std::string& name) {
  const auto at = std::find(graph.names().begin(), graph.names().end(), name);
  EXPECT_NE(at, graph.names().end()) << name;
  const auto matrix = graph.Transform(frame);
  EXPECT_TRUE(matrix);
  std::vector<float> out;
  for (size_t r = 0; r < matrix->rows; ++r) out.push_back(matrix->at(r, static_cast<size_t>(at - graph.names().begin())));
  return out;
}
void ExpectNear(const std::vector<float>& got, const std::vector<double>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(want[i])) EXPECT_TRUE(std::isnan(got[i])) << i;
    else EXPECT_NEAR(static_cast<double>(got[i]), want[i], 1e-6) << i;
  }
}
std::string Warnings(const FeatureGraph& graph) {
  std::string all;
  const Json json = graph.ToJson();
  for (const Json& w : json["warnings"].AsArray()) all += w.AsString() + "\n";
  return all;
}

TEST(Features, ImputeAndScaleAsScikitLearn) {
  table::Frame frame;
  frame.columns = {NumberColumn("x", {1, 2, kNan, 4, 10})};
  struct Case {
    std::string impute, scale;
    std::vector<double> want;
  };
  const std::vector<Case> cases = {
      {"median", "none", {1, 2, 3, 4, 10}},
      {"median", "standard", {-0.9486832980505138, -0.6324555320336759, -0.31622776601683794, 0.0, 1.8973665961010275}},
      {"median", "minmax", {0.0, 0.1111111111111111, 0.2222222222222222, 0.3333333333333333, 1.0}},
      {"median", "robust", {-1.0, -0.5, 0.0, 0.5, 3.5}},
      {"mean", "none", {1, 2, 4.25, 4, 10}},
      {"mean", "standard", {-1.0408329997330663, -0.7205766921228921, 0.0, -0.08006407690254357, 1.841473768758502}},
      {"mean", "minmax", {0.0, 0.1111111111111111, 0.3611111111111111, 0.3333333333333333, 1.0}},
      {"mean", "robust", {-1.3333333333333333, -0.8888888888888888, 0.1111111111111111, 0.0, 2.6666666666666665}},
      {"zero", "none", {1, 2, 0, 4, 10}},
      {"-7.5", "none", {1, 2, -7.5, 4, 10}},
      {"none", "none", {1, 2, kNan, 4, 10}},
      {"none", "minmax", {0, 1.0 / 9, kNan, 1.0 / 3, 1}},
  };
  for (const Case& c : cases) {
    project::Features spec;
    spec.numeric = {c.impute, c.scale};
    const auto graph = Fit(spec, frame);
    ASSERT_TRUE(graph) << graph.error().Text();
    ExpectNear(Column(**graph, frame, "x"), c.want);
    // The indicator is there exactly when missing values are filled.
    EXPECT_EQ((*graph)->names().size(), c.impute == "none" ? 1u : 2u);
    if (c.impute != "none") ExpectNear(Column(**graph, frame, "x_missing"), {0, 0, 1, 0, 0});
  }
}

TEST(Features, FittedOnTheTrainingRowsOnly) {
  table::Frame train, test;
  train.columns = {NumberColumn("x", {0, 10}), TextColumn("c", {"a", "b"})};
  test.columns = {NumberColumn("x", {kNan, 100}), TextColumn("c", {"z", ""})};
  project::Features spec;
  spec.numeric.scale = "minmax";
  const auto graph = Fit(spec, train);
  ASSERT_TRUE(graph);
  EXPECT_EQ((*graph)->names(), (std::vector<std::string>{"x", "c=a", "c=b"}));
  EXPECT_EQ((*graph)->sources(), (std::vector<size_t>{0, 1, 1}));
  ExpectNear(Column(**graph, test, "x"), {0.5, 10});
  // Neither unseen nor missing texts have a column: all zeros.
  ExpectNear(Column(**graph, test, "c=a"), {0, 0});
}

TEST(Features, LevelsRareUnknownMissing) {
  table::Frame frame;
  frame.columns = {TextColumn("c", {"a", "a", "b", "b", "rare one", "", "a", "b"})};
  project::Features spec;
  spec.categorical.rare = 0.2;
  auto graph = Fit(spec, frame);
  ASSERT_TRUE(graph);
  EXPECT_EQ((*graph)->names(), (std::vector<std::string>{"c=a", "c=b", "c_rare", "c_missing"}));
  table::Frame test;
  test.columns = {TextColumn("c", {"a", "rare one", "unseen", ""})};
  ExpectNear((*graph)->Transform(test)->values, {1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  spec.categorical.unknown = "rare";
  graph = Fit(spec, frame);
  ExpectNear((*graph)->Transform(test)->values, {1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1});
  spec.categorical.encode = "ordinal";
  graph = Fit(spec, frame);
  ExpectNear((*graph)->Transform(test)->values, {0, 2, 2, -2});
  spec.categorical.unknown = "ignore";
  graph = Fit(spec, frame);
  ExpectNear((*graph)->Transform(test)->values, {0, 2, -1, -2});
}

TEST(Features, IntegersAsCategories) {
  table::Frame frame;
  frame.columns = {NumberColumn("zone", {10, 2, 2, 10, 33}, table::Type::kInt)};
  auto declared = Declare("zone");
  declared.type = "category";
  declared.encode = "ordinal";
  const auto graph = Fit(With(declared), frame);
  ASSERT_TRUE(graph) << graph.error().Text();
  EXPECT_EQ((*graph)->inputs()[0].type, "category");
  // In the order of the numbers, not of the texts.
  ExpectNear(Column(**graph, frame, "zone"), {1, 0, 0, 1, 2});
}

TEST(Features, BinsAsDigitize) {
  table::Frame frame;
  frame.columns = {NumberColumn("t", {-5, 0, 11.9, 12, 100, kNan})};
  auto declared = Declare("t");
  declared.bins = {0, 12, 24};
  declared.impute = "none";
  auto graph = Fit(With(declared), frame);
  ASSERT_TRUE(graph);
  ExpectNear(Column(**graph, frame, "t_bin"), {0, 1, 1, 2, 3, kNan});
  declared.encode = "onehot";
  graph = Fit(With(declared), frame);
  ExpectNear(Column(**graph, frame, "t_bin=1"), {0, 1, 1, 0, 0, 0});
  ExpectNear(Column(**graph, frame, "t_bin=3"), {0, 0, 0, 0, 1, 0});
}

TEST(Features, TermsAsScikitLearn) {
  table::Frame frame;
  frame.columns = {TextColumn("body", {"free offer now", "Free FREE meeting", "the meeting", "now now now"})};
  auto declared = Declare("body");
  declared.text = "tfidf";
  const auto graph = Fit(With(declared), frame);
  ASSERT_TRUE(graph);
  EXPECT_EQ((*graph)->names(), (std::vector<std::string>{"body:free", "body:meeting", "body:now"}));
  ExpectNear((*graph)->Transform(frame)->values, {1.0683150437553275, 0.0, 1.0683150437553275, 1.3513235187557109, 0.6756617593778554, 0.0, 0.0, 1.5108256237659907, 0.0, 0.0, 0.0, 1.5108256237659907});
}

TEST(Features, DatesAndDerived) {
  table::Frame frame;
  frame.columns = {TextColumn("signup", {"2023-11-14T22:10:00Z", "2024-02-29", "", "not a date"}, table::Type::kDatetime), NumberColumn("total", {10, 20, 30, 40}), NumberColumn("tenure", {0, 4, 5, kNan})};
  project::Features spec;
  spec.numeric.impute = "none";
  spec.derive = {{"monthly", "total / max(tenure, 1)"}};
  const auto graph = Fit(spec, frame);
  ASSERT_TRUE(graph) << graph.error().Text();
  ExpectNear(Column(**graph, frame, "signup_weekday"), {1, 3, kNan, kNan});
  ExpectNear(Column(**graph, frame, "signup_hour"), {22, 0, kNan, kNan});
  ExpectNear(Column(**graph, frame, "signup_days_since"), {0, -107, kNan, kNan});  // the reference time is 2023-11-14T22:13:20Z
  ExpectNear(Column(**graph, frame, "monthly"), {10, 5, 6, kNan});
  EXPECT_NE(Warnings(**graph).find("\"not a date\" is no date"), std::string::npos);
}

TEST(Features, UselessAndExplodingColumnsAreLeftOut) {
  table::Frame frame;
  std::vector<std::string> id, city;
  std::vector<double> x;
  for (int i = 0; i < 300; ++i) {
    id.push_back("id" + std::to_string(i));
    city.push_back("city" + std::to_string(i % 60));
    x.push_back(i);
  }
  frame.columns = {TextColumn("id", id), TextColumn("city", city), NumberColumn("x", x), NumberColumn("same", std::vector<double>(300, 1)), NumberColumn("none", std::vector<double>(300, kNan)),
                   TextColumn("void", std::vector<std::string>(300)), TextColumn("one", std::vector<std::string>(300, "k"))};
  auto graph = Fit({}, frame);
  ASSERT_TRUE(graph) << graph.error().Text();
  EXPECT_EQ((*graph)->names(), std::vector<std::string>{"x"});
  // What is left out isn't asked for when serving.
  ASSERT_EQ((*graph)->inputs().size(), 1u);
  const std::string warnings = Warnings(**graph);
  for (const char* name : {"column id ", "column city ", "column same ", "column none ", "column void ", "column one "}) EXPECT_NE(warnings.find(name), std::string::npos) << name;
  // A declaration keeps it.
  auto declared = Declare("city");
  declared.encode = "onehot";
  graph = Fit(With(declared), frame);
  EXPECT_EQ((*graph)->names().size(), 61u);
  frame.columns = {NumberColumn("same", {1, 1})};
  const auto none = Fit({}, frame);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kFailedCheck);
  EXPECT_NE(none.error().message.find("every value is the same"), std::string::npos);
}

TEST(Features, DropKeepsWhatExpressionsNeed) {
  table::Frame frame;
  frame.columns = {NumberColumn("a", {1, 2}), NumberColumn("b", {3, 5}), NumberColumn("c", {3, 4})};
  project::Features spec;
  spec.drop = {"a", "c"};
  spec.derive = {{"ab", "a + b"}};
  const auto graph = Fit(spec, frame);
  ASSERT_TRUE(graph);
  EXPECT_EQ((*graph)->names(), (std::vector<std::string>{"b", "ab"}));
  ASSERT_EQ((*graph)->inputs().size(), 2u);
}

TEST(Features, MistakesAreNamed) {
  table::Frame frame;
  frame.columns = {NumberColumn("tenure", {1, 2}), TextColumn("plan", {"a", "b"}), TextColumn("when", {"yesterday", "now"}, table::Type::kDate)};
  const auto fails = [&](const project::Features& spec, const char* what) {
    const auto graph = Fit(spec, frame);
    ASSERT_FALSE(graph) << what;
    EXPECT_NE(graph.error().Text().find(what), std::string::npos) << graph.error().Text();
  };
  fails({}, "\"yesterday\" and 1 more is no date");
  frame.columns.pop_back();
  fails(With(Declare("tenur")), "did you mean tenure?");
  auto c = Declare("plan");
  c.bins = {1};
  fails(With(c), "plan is text, so it can't have bins");
  c = Declare("tenure");
  c.text = "tfidf";
  fails(With(c), "tenure is a number");
  c = Declare("tenure");
  c.impute = "mode";
  fails(With(c), "\"mode\"");
  c = Declare("tenure");
  c.bins = {3, 3};
  fails(With(c), "don't rise");
  c = Declare("tenure");
  c.encode = "onehot";
  fails(With(c), "type: category");
  project::Features spec;
  spec.numeric.scale = "std";
  fails(spec, "use none, standard");
  spec = {};
  spec.derive = {{"x", "tenur * 2"}};
  fails(spec, "did you mean tenure?");
  spec.derive = {{"x", "plan * 2"}};
  fails(spec, "plan is a string column");
  spec.derive = {{"plan", "tenure * 2"}};
  fails(spec, "taken");
  frame.columns = {TextColumn("tenure", {"1", "x"})};
  c = Declare("tenure");
  c.type = "float";
  fails(With(c), "row 2: \"x\" is no number");
  frame.columns = {NumberColumn("tenure", {})};
  fails({}, "no training rows");
}

TEST(Features, JsonRoundTrip) {
  const table::Frame frame = NastyFrame(300, 4);
  const auto graph = Fit(NastySpec(), frame);
  ASSERT_TRUE(graph) << graph.error().Text();
  const auto json = ParseJson((*graph)->ToJson().Dump());
  ASSERT_TRUE(json);
  const auto again = FeaturesFromJson(*json);
  ASSERT_TRUE(again) << again.error().Text();
  EXPECT_EQ((*again)->ToJson(), (*graph)->ToJson());
  const auto a = (*graph)->Transform(frame), b = (*again)->Transform(frame);
  ASSERT_EQ(a->values.size(), b->values.size());
  for (size_t i = 0; i < a->values.size(); ++i) ASSERT_TRUE(a->values[i] == b->values[i] || (a->values[i] != a->values[i] && b->values[i] != b->values[i]));
}

// docs/formats/features.md: changing this text means a new version.
TEST(Features, JsonIsPinned) {
  table::Frame frame;
  frame.columns = {NumberColumn("x", {1, kNan, 4}), TextColumn("c", {"a", "b", ""})};
  const auto graph = Fit({}, frame);
  ASSERT_TRUE(graph);
  EXPECT_EQ((*graph)->ToJson().Dump(),
            R"({"version":1,"reference_time_ms":1700000000000,"inputs":[{"name":"x","type":"float"},{"name":"c","type":"string"}],)"
            R"("values":[{"name":"x","kind":"input","input":0}],)"
            R"("blocks":[{"kind":"number","name":"x","source":0,"fill":2.5,"offset":0.0,"scale":1.0},{"kind":"missing","name":"x","source":0},)"
            R"({"kind":"levels","name":"c","source":1,"onehot":true,"levels":["a","b"],"rare":[],"rare_column":false,"unknown_is_rare":false,"missing_column":true}],"warnings":[]})");
}

TEST(Features, HostileJsonIsRefused) {
  table::Frame frame;
  frame.columns = {NumberColumn("x", {1, kNan, 4}), TextColumn("c", {"a", "b", ""})};
  const std::string good = (*Fit({}, frame))->ToJson().Dump();
  const std::vector<std::pair<std::string, std::string>> edits = {
      {"\"source\":0", "\"source\":7"},      {"\"source\":1", "\"source\":0"},       {"\"version\":1", "\"version\":2"}, {"\"input\":0", "\"input\":1"},   {"\"input\":0", "\"input\":99"},
      {"\"fill\":2.5", "\"fill\":1e39"},     {"\"scale\":1.0", "\"scale\":\"NaN\""}, {"[\"a\",\"b\"]", "[\"a\",\"a\"]"}, {"[\"a\",\"b\"]", "[\"a\",\"\"]"}, {"\"rare\":[]", "\"rare\":[\"z\"]"},
      {"\"type\":\"float\"", "\"type\":\"f\""}, {"\"name\":\"c\",\"type\"", "\"name\":\"x\",\"type\""}, {"\"kind\":\"number\"", "\"kind\":\"bins\""}, {"\"kind\":\"levels\"", "\"kind\":\"text\""}};
  ASSERT_TRUE(FeaturesFromJson(*ParseJson(good)));
  for (const auto& [from, to] : edits) {
    std::string text = good;
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    EXPECT_FALSE(FeaturesFromJson(*ParseJson(text))) << from << " -> " << to;
  }
}

}  // namespace
}  // namespace rondo::model
