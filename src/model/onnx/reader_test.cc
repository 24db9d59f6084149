#include <gtest/gtest.h>

#include <functional>

#include "base/file.h"
#include "base/hash.h"
#include "model/onnx/builder.h"
#include "model/onnx/model.h"
#include "model/scorer.h"
#include "model/test_data.h"

namespace rondo::model {
namespace {

WireWriter Tensor(const std::function<void(WireWriter&)>& extra = {}) {
  WireWriter t;
  t.Int(1, 2);
  t.Int(2, 1);
  t.Bytes(8, "w");
  if (extra) extra(t);
  else t.Bytes(9, std::string(8, '\0'));
  return t;
}
WireWriter ExternalTensor() {
  return Tensor([](WireWriter& t) {
    WireWriter location;
    location.Bytes(1, "location");
    location.Bytes(2, "../../etc/passwd");
    t.Message(13, location);
    t.Int(14, 1);
  });
}
std::string ModelOf(const WireWriter& graph, const std::function<void(WireWriter&)>& extra = {}) {
  WireWriter m;
  m.Int(1, 8);
  m.Message(7, graph);
  if (extra) extra(m);
  return m.Take();
}
WireWriter With(uint32_t field, const WireWriter& message) {
  WireWriter w;
  w.Message(field, message);
  return w;
}
WireWriter Nested(int depth) {
  WireWriter graph;
  for (int i = 0; i < depth; ++i) {
    WireWriter outer;
    outer.Message(1, With(5, With(6, graph)));  // graph.node.attribute.g
    graph = std::move(outer);
  }
  return graph;
}

TEST(OnnxReader, RefusesHostileFiles) {
  WireWriter sparse, bad_dims, overflow, negative, short_raw, both, domain_node, ep_node, empty;
  sparse.Message(1, ExternalTensor());
  negative.Int(1, -1);
  negative.Int(2, 1);
  overflow.Int(1, int64_t{1} << 40);
  overflow.Int(1, int64_t{1} << 40);
  overflow.Int(2, 1);
  short_raw.Int(1, 1000);
  short_raw.Int(2, 1);
  short_raw.Bytes(9, "1234");
  domain_node.Bytes(4, "Run");
  domain_node.Bytes(7, "my.code");
  ep_node.Bytes(4, "EPContext");
  ep_node.Bytes(7, "com.microsoft");
  WireWriter segment = Tensor([](WireWriter& t) { t.Bytes(3, ""); });
  WireWriter location_only = Tensor([](WireWriter& t) {
    t.Bytes(9, std::string(8, '\0'));
    t.Int(14, 1);
  });
  const auto attribute = [](uint32_t field, const WireWriter& value) { return With(1, With(5, With(field, value))); };
  struct Case {
    const char* name;
    std::string bytes;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"empty file", "", "no graph"},
      {"text", "this is not a model", ""},
      {"truncated", ModelOf(With(5, Tensor())).substr(0, 10), "truncated"},
      {"external initializer", ModelOf(With(5, ExternalTensor())), "another file"},
      {"external by location only", ModelOf(With(5, location_only)), "another file"},
      {"external sparse initializer, values", ModelOf(With(15, sparse)), "another file"},
      {"external sparse initializer, indices", ModelOf(With(15, With(2, ExternalTensor()))), "another file"},
      {"external tensor attribute", ModelOf(attribute(5, ExternalTensor())), "another file"},
      {"external tensor list attribute", ModelOf(attribute(10, ExternalTensor())), "another file"},
      {"external sparse attribute", ModelOf(attribute(22, sparse)), "another file"},
      {"external sparse list attribute", ModelOf(attribute(23, sparse)), "another file"},
      {"external in a subgraph", ModelOf(attribute(6, With(5, ExternalTensor()))), "another file"},
      {"external in a subgraph list", ModelOf(attribute(11, With(15, sparse))), "another file"},
      {"external in a function", ModelOf(empty, [&](WireWriter& m) { m.Message(25, With(7, With(5, With(5, ExternalTensor())))); }), "another file"},
      {"external in a function's default", ModelOf(empty, [&](WireWriter& m) { m.Message(25, With(11, With(5, ExternalTensor()))); }), "another file"},
      {"external in a training graph", ModelOf(empty, [&](WireWriter& m) { m.Message(20, With(1, With(5, ExternalTensor()))); }), "another file"},
      {"compiled blob elsewhere", ModelOf(With(1, ep_node)), "another file"},
      {"segments", ModelOf(With(5, segment)), "segments"},
      {"unknown field of the model", ModelOf(empty, [](WireWriter& m) { m.Int(77, 1); }), "unknown"},
      {"unknown field of a tensor", ModelOf(With(5, Tensor([](WireWriter& t) { t.Int(99, 1); }))), "unknown"},
      {"graph as a number", [] { WireWriter m; m.Int(1, 8); m.Int(7, 1); return m.Take(); }(), "unknown"},
      {"two graphs", ModelOf(empty, [&](WireWriter& m) { m.Message(7, With(5, ExternalTensor())); }), "two graphs"},
      {"custom operator", ModelOf(With(1, domain_node)), "my.code"},
      {"custom opset", ModelOf(empty, [](WireWriter& m) { WireWriter o; o.Bytes(1, "my.code"); m.Message(8, o); }), "my.code"},
      {"negative dimension", ModelOf(With(5, negative)), "negative"},
      {"overflowing dimensions", ModelOf(With(5, overflow)), "more than"},
      {"fewer bytes than the shape says", ModelOf(With(5, short_raw)), "4 bytes for 1000"},
      {"fewer values than the shape says", ModelOf(With(5, Tensor([](WireWriter& t) { t.Float(4, 1); }))), "1 values for 2"},
      {"graphs within graphs", ModelOf(Nested(50)), "deep"},
      {"IR of the future", [] { WireWriter m; m.Int(1, 99); m.Message(7, WireWriter()); return m.Take(); }(), "IR version 99"},
      {"ONNX Runtime's own format", std::string("\x08\x08\x12\x04ORTM", 8) + ModelOf(empty), "own format"},
  };
  TempDir dir;
  Signature signature;
  signature.inputs = {{"x", "float"}};
  signature.classes = {"a", "b"};
  for (const Case& c : cases) {
    const auto model = ReadOnnx(c.bytes);
    ASSERT_FALSE(model) << c.name;
    EXPECT_NE(model.error().Text().find(c.message), std::string::npos) << c.name << ": " << model.error().Text();
    // No way round through a runtime.
    ASSERT_TRUE(WriteFileAtomic(dir.path() / "m.onnx", c.bytes));
    for (const RuntimeChoice choice : {RuntimeChoice::kAuto, RuntimeChoice::kOwn, RuntimeChoice::kOnnxRuntime}) EXPECT_FALSE(LoadScorer(dir.path() / "m.onnx", signature, choice)) << c.name;
  }
}

TEST(OnnxReader, ReadsWhatTheBuilderWrites) {
  OnnxBuilder g;
  g.Input("x", OnnxType::kFloat, std::vector<int64_t>{-1, 3});
  const auto w = g.Floats(std::vector<float>{1, -2, 3}, {1, 3});
  g.Node("Mul", {"x", w}, OnnxAttributes().Ints("list", std::vector<int64_t>{-1, 300}).Float("f", 0.5f).Strings("s", std::vector<std::string>{"a", ""}), "prediction");
  g.Output("prediction", OnnxType::kFloat, std::vector<int64_t>{-1, 3});
  const std::string bytes = g.Finish("test", std::vector<std::pair<std::string, std::string>>{{"k", "v"}});
  const auto m = ReadOnnx(bytes);
  ASSERT_TRUE(m) << m.error().Text();
  EXPECT_EQ(m->ir_version, 8);
  EXPECT_EQ(m->opsets, (std::vector<std::pair<std::string, int64_t>>{{"", 13}, {"ai.onnx.ml", 3}}));
  EXPECT_EQ(*m->Metadata("k"), "v");
  ASSERT_EQ(m->nodes.size(), 1u);
  EXPECT_EQ(m->nodes[0].Find("list")->ints, (std::vector<int64_t>{-1, 300}));
  EXPECT_EQ(m->nodes[0].Find("f")->f, 0.5f);
  EXPECT_EQ(m->nodes[0].Find("s")->strings.size(), 2u);
  ASSERT_NE(m->Initializer(w), nullptr);
  EXPECT_EQ(m->Initializer(w)->raw.size(), 12u);
  EXPECT_EQ(m->inputs[0].dims, (std::vector<int64_t>{-1, 3}));
  // Every prefix is an error or a smaller model, never a crash.
  for (size_t n = 0; n < bytes.size(); ++n) (void)ReadOnnx(bytes.substr(0, n));
  // So is every flipped byte.
  for (size_t n = 0; n < bytes.size(); ++n) {
    std::string changed = bytes;
    changed[n] = static_cast<char>(changed[n] ^ 0x41);
    (void)ReadOnnx(changed);
  }
}

// docs/formats/model-onnx.md: the built-in evaluator takes only files that this writer would write, so other bytes mean a slower path for old models.
TEST(OnnxWriter, BytesArePinned) {
  table::Frame frame;
  frame.columns = {NumberColumn("x", {1, std::numeric_limits<double>::quiet_NaN(), 4}), TextColumn("c", {"a", "b", ""})};
  const auto graph = FitFeatures({}, ColumnsOfFrame(frame), frame, 0);
  ASSERT_TRUE(graph);
  FittedModel m;
  m.algorithm = "xgboost";
  m.base = {0.5f};
  m.link = Link::kLogistic;
  m.trees = {{{{1, 2, 0, 2.5f, true, 0}, {-1, -1, -1, 0, false, -1}, {-1, -1, -1, 0, false, 1}}, 0}};
  Signature s;
  s.inputs = (*graph)->inputs();
  s.classes = {"No", "Yes"};
  s.target = "y";
  s.algorithm = "xgboost";
  const auto bytes = WriteOnnx(**graph, m, s, {{"run_id", "r"}});
  ASSERT_TRUE(bytes) << bytes.error().Text();
  EXPECT_EQ(bytes->size(), 3131u);
  EXPECT_EQ(Sha256Hex(*bytes), "b146c22d368af9769ea197789eba088f9066644abfef65bdf3a155ae6fbbcb77");
}

TEST(OnnxWriter, RefusesWhatItCannotSay) {
  table::Frame frame;
  frame.columns = {NumberColumn("x", {1, 2})};
  const auto graph = FitFeatures({}, ColumnsOfFrame(frame), frame, 0);
  ASSERT_TRUE(graph);
  FittedModel good;
  good.algorithm = "a";
  good.base = {0};
  good.link = Link::kLogistic;
  good.trees = {{{{1, 2, 0, 1.5f, true, 0}, {}, {}}, 0}};
  Signature s;
  s.inputs = (*graph)->inputs();
  s.classes = {"a", "b"};
  ASSERT_TRUE(WriteOnnx(**graph, good, s, {}));
  const auto fails = [&](const std::function<void(FittedModel&, Signature&)>& change) {
    FittedModel m = good;
    Signature t = s;
    change(m, t);
    const auto bytes = WriteOnnx(**graph, m, t, {});
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().code, Code::kInvalid) << bytes.error().Text();
  };
  fails([](FittedModel& m, Signature&) { m.trees[0].nodes[0].left = 0; });
  fails([](FittedModel& m, Signature&) { m.trees[0].nodes[0].right = 9; });
  fails([](FittedModel& m, Signature&) { m.trees[0].nodes[0].right = 1; });
  fails([](FittedModel& m, Signature&) { m.trees[0].nodes[0].feature = 1; });
  fails([](FittedModel& m, Signature&) { m.trees[0].nodes[0].threshold = std::numeric_limits<float>::quiet_NaN(); });
  fails([](FittedModel& m, Signature&) { m.trees[0].nodes[1].value = std::numeric_limits<float>::infinity(); });
  fails([](FittedModel& m, Signature&) { m.trees[0].nodes.emplace_back(); });
  fails([](FittedModel& m, Signature&) { m.trees[0].output = 1; });
  fails([](FittedModel& m, Signature&) { m.base.clear(); });
  fails([](FittedModel& m, Signature&) { m.link = Link::kIdentity; });
  fails([](FittedModel& m, Signature&) { m.linear = true; });
  fails([](FittedModel&, Signature& t) { t.classes.push_back("c"); });
  fails([](FittedModel&, Signature& t) { t.inputs[0].name = "y"; });
  fails([](FittedModel&, Signature& t) { t.threshold = std::numeric_limits<double>::infinity(); });
}

TEST(Signature, FileRoundTripAndMistakes) {
  TempDir dir;
  Signature s;
  s.target = "churn";
  s.inputs = {{"a", "float"}, {"b", "category"}};
  s.classes = {"No", "Yes"};
  s.threshold = 0.1;
  ASSERT_TRUE(WriteSignature(s, dir.path() / "signature.json"));
  const auto back = ReadSignature(dir.path() / "signature.json");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->threshold, 0.1);
  EXPECT_EQ(back->inputs[1].type, "category");
  s.classes.pop_back();
  EXPECT_FALSE(WriteSignature(s, dir.path() / "x.json"));
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "y.json", "{\"inputs\": [{\"name\": \"a\", \"type\": \"tensor\"}]}"));
  EXPECT_FALSE(ReadSignature(dir.path() / "y.json"));
  table::Frame frame;
  frame.columns = {NumberColumn("bb", {1}), TextColumn("a", {"1.5"})};
  s.classes = {"No", "Yes"};
  const auto batch = BatchFromFrame(s, frame);
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, Code::kInvalid);
  EXPECT_NE(batch.error().Text().find("the column b (category) is missing"), std::string::npos) << batch.error().Text();
  frame.columns[0].name = "b";
  const auto good = BatchFromFrame(s, frame);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->numbers[0], std::vector<float>{1.5f});
  EXPECT_EQ(good->texts[1], std::vector<std::string_view>{"1"});
}

}  // namespace
}  // namespace rondo::model
