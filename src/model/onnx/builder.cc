#include "model/onnx/builder.h"

#include <bit>
#include <cstring>

namespace rondo::model {
namespace {
constexpr int64_t kIrVersion = 8;
static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

template <typename T>
WireWriter RawTensor(std::span<const T> values, const std::vector<int64_t>& dims, OnnxType type) {
  WireWriter t;
  for (const int64_t d : dims) t.Int(1, d);
  t.Int(2, static_cast<int64_t>(type));
  std::string raw(values.size() * sizeof(T), '\0');
  if (!raw.empty()) std::memcpy(raw.data(), values.data(), raw.size());
  t.Bytes(9, raw);
  return t;
}

// AttributeProto.AttributeType
enum AttributeType : int64_t { kFloat = 1, kInt = 2, kString = 3, kFloats = 6, kInts = 7, kStrings = 8 };

WireWriter Attribute(std::string_view name) {
  WireWriter a;
  a.Bytes(1, name);
  return a;
}
}  // namespace

OnnxAttributes& OnnxAttributes::Int(std::string_view name, int64_t value) {
  WireWriter a = Attribute(name);
  a.Int(3, value);
  a.Int(20, kInt);
  attributes_.push_back(std::move(a));
  return *this;
}
OnnxAttributes& OnnxAttributes::Float(std::string_view name, float value) {
  WireWriter a = Attribute(name);
  a.Float(2, value);
  a.Int(20, kFloat);
  attributes_.push_back(std::move(a));
  return *this;
}
OnnxAttributes& OnnxAttributes::String(std::string_view name, std::string_view value) {
  WireWriter a = Attribute(name);
  a.Bytes(4, value);
  a.Int(20, kString);
  attributes_.push_back(std::move(a));
  return *this;
}
// Lists are written one tag per value: AttributeProto is proto2, whose lists are unpacked.
OnnxAttributes& OnnxAttributes::Ints(std::string_view name, std::span<const int64_t> values) {
  WireWriter a = Attribute(name);
  for (const int64_t v : values) a.Int(8, v);
  a.Int(20, kInts);
  attributes_.push_back(std::move(a));
  return *this;
}
OnnxAttributes& OnnxAttributes::Floats(std::string_view name, std::span<const float> values) {
  WireWriter a = Attribute(name);
  for (const float v : values) a.Float(7, v);
  a.Int(20, kFloats);
  attributes_.push_back(std::move(a));
  return *this;
}
OnnxAttributes& OnnxAttributes::Strings(std::string_view name, std::span<const std::string> values) {
  WireWriter a = Attribute(name);
  for (const std::string& v : values) a.Bytes(9, v);
  a.Int(20, kStrings);
  attributes_.push_back(std::move(a));
  return *this;
}

WireWriter OnnxBuilder::ValueInfo(const std::string& name, OnnxType type, std::span<const int64_t> dims) {
  WireWriter shape;
  for (const int64_t d : dims) {
    WireWriter dim;
    if (d < 0) dim.Bytes(2, "N");
    else dim.Int(1, d);
    shape.Message(1, dim);
  }
  WireWriter tensor, wrapped, value;
  tensor.Int(1, static_cast<int64_t>(type));
  tensor.Message(2, shape);
  wrapped.Message(1, tensor);
  value.Bytes(1, name);
  value.Message(2, wrapped);
  return value;
}
void OnnxBuilder::Input(const std::string& name, OnnxType type, std::span<const int64_t> dims) {
  names_.push_back(name);
  inputs_.push_back(ValueInfo(name, type, dims));
}
void OnnxBuilder::Output(const std::string& name, OnnxType type, std::span<const int64_t> dims) { outputs_.push_back(ValueInfo(name, type, dims)); }

OnnxBuilder::Name OnnxBuilder::Fresh(std::string_view hint) {
  for (;;) {
    Name name = "_" + std::string(hint) + "_" + std::to_string(counter_++);
    bool taken = false;
    for (const std::string& n : names_) taken |= n == name;
    if (!taken) return name;
  }
}
OnnxBuilder::Name OnnxBuilder::Constant(WireWriter tensor) {
  Name name = Fresh("const");
  tensor.Bytes(8, name);
  initializers_.push_back(std::move(tensor));
  return name;
}
OnnxBuilder::Name OnnxBuilder::Floats(std::span<const float> values, std::vector<int64_t> dims) { return Constant(RawTensor(values, dims, OnnxType::kFloat)); }
OnnxBuilder::Name OnnxBuilder::Doubles(std::span<const double> values, std::vector<int64_t> dims) { return Constant(RawTensor(values, dims, OnnxType::kDouble)); }
OnnxBuilder::Name OnnxBuilder::Ints(std::span<const int64_t> values, std::vector<int64_t> dims) { return Constant(RawTensor(values, dims, OnnxType::kInt64)); }
OnnxBuilder::Name OnnxBuilder::Strings(std::span<const std::string> values, std::vector<int64_t> dims) {
  WireWriter t;
  for (const int64_t d : dims) t.Int(1, d);
  t.Int(2, static_cast<int64_t>(OnnxType::kString));
  for (const std::string& v : values) t.Bytes(6, v);
  return Constant(std::move(t));
}

OnnxBuilder::Name OnnxBuilder::Node(std::string_view op, std::vector<Name> inputs, const OnnxAttributes& attributes, Name to, std::string_view domain, int outputs) {
  if (to.empty()) to = Fresh(op);
  WireWriter node;
  for (const Name& n : inputs) node.Bytes(1, n);
  node.Bytes(2, to);
  for (int i = 1; i < outputs; ++i) node.Bytes(2, Fresh(op));
  node.Bytes(3, to);
  node.Bytes(4, op);
  for (const WireWriter& a : attributes.attributes_) node.Message(5, a);
  if (!domain.empty()) node.Bytes(7, domain);
  nodes_.push_back(std::move(node));
  return to;
}
OnnxBuilder::Name OnnxBuilder::Cast(const Name& x, OnnxType type, Name to) { return Node("Cast", {x}, OnnxAttributes().Int("to", static_cast<int64_t>(type)), std::move(to)); }

std::string OnnxBuilder::Finish(std::string_view graph, std::span<const std::pair<std::string, std::string>> metadata) const {
  WireWriter g;
  for (const WireWriter& n : nodes_) g.Message(1, n);
  g.Bytes(2, graph);
  for (const WireWriter& t : initializers_) g.Message(5, t);
  for (const WireWriter& v : inputs_) g.Message(11, v);
  for (const WireWriter& v : outputs_) g.Message(12, v);
  WireWriter model;
  model.Int(1, kIrVersion);
  model.Bytes(2, "rondo");
  model.Message(7, g);
  WireWriter onnx, ml;
  onnx.Bytes(1, "");
  onnx.Int(2, opset_);
  model.Message(8, onnx);
  ml.Bytes(1, "ai.onnx.ml");
  ml.Int(2, 3);
  model.Message(8, ml);
  for (const auto& [key, value] : metadata) {
    WireWriter entry;
    entry.Bytes(1, key);
    entry.Bytes(2, value);
    model.Message(14, entry);
  }
  return model.Take();
}

}  // namespace rondo::model
