/// Builds an ONNX graph node by node. Names of values are given out here, so that every node reads like an expression.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/onnx/wire.h"

namespace rondo::model {

/// TensorProto.DataType
enum class OnnxType : int32_t { kFloat = 1, kInt64 = 7, kString = 8, kBool = 9, kDouble = 11 };

/// A node's attributes, in order.
class OnnxAttributes {
 public:
  OnnxAttributes& Int(std::string_view name, int64_t value);
  OnnxAttributes& Float(std::string_view name, float value);
  OnnxAttributes& String(std::string_view name, std::string_view value);
  OnnxAttributes& Ints(std::string_view name, std::span<const int64_t> values);
  OnnxAttributes& Floats(std::string_view name, std::span<const float> values);
  OnnxAttributes& Strings(std::string_view name, std::span<const std::string> values);

 private:
  friend class OnnxBuilder;
  std::vector<WireWriter> attributes_;
};

class OnnxBuilder {
 public:
  using Name = std::string;

  void Input(const std::string& name, OnnxType type, std::span<const int64_t> dims);   ///< -1: the batch dimension N
  void Output(const std::string& name, OnnxType type, std::span<const int64_t> dims);

  Name Floats(std::span<const float> values, std::vector<int64_t> dims);
  Name Doubles(std::span<const double> values, std::vector<int64_t> dims);
  Name Ints(std::span<const int64_t> values, std::vector<int64_t> dims);
  Name Strings(std::span<const std::string> values, std::vector<int64_t> dims);
  Name Scalar(float value) { return Floats({&value, 1}, {}); }
  Name Scalar(double value) { return Doubles({&value, 1}, {}); }
  Name Scalar(int64_t value) { return Ints({&value, 1}, {}); }

  /// Adds a node and returns its first output. `to` names the output; empty: a fresh name.
  Name Node(std::string_view op, std::vector<Name> inputs, const OnnxAttributes& attributes = {}, Name to = {}, std::string_view domain = {}, int outputs = 1);
  Name Ml(std::string_view op, std::vector<Name> inputs, const OnnxAttributes& attributes, Name to = {}) { return Node(op, std::move(inputs), attributes, std::move(to), "ai.onnx.ml"); }
  Name Cast(const Name& x, OnnxType type, Name to = {});
  /// Operators on strings came with opset 20; graphs without them stay at 13, which more runtimes read.
  void NeedOpset(int64_t version) { opset_ = opset_ < version ? version : opset_; }

  /// The whole file: IR version 8, opsets ai.onnx and ai.onnx.ml 3.
  std::string Finish(std::string_view graph, std::span<const std::pair<std::string, std::string>> metadata) const;

 private:
  Name Fresh(std::string_view hint);
  Name Constant(WireWriter tensor);
  static WireWriter ValueInfo(const std::string& name, OnnxType type, std::span<const int64_t> dims);

  std::vector<WireWriter> inputs_, outputs_, nodes_, initializers_;
  std::vector<std::string> names_;  // of inputs: fresh names must differ
  int64_t counter_ = 0;
  int64_t opset_ = 13;
};

}  // namespace rondo::model
