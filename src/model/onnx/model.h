/// An ONNX file as plain structs, read with limits: the check that every model passes before any runtime sees it.
/// Source: onnx.proto3 of the ONNX project (IR version 12).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace rondo::model {

struct OnnxTensor {
  std::string name;
  int32_t type = 0;  ///< TensorProto.DataType
  std::vector<int64_t> dims;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<int64_t> ints;  ///< int32_data and int64_data
  std::vector<std::string_view> strings;
  std::string_view raw;
};

struct OnnxAttribute {
  std::string_view name;
  int32_t type = 0;
  float f = 0;
  int64_t i = 0;
  std::string_view s;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string_view> strings;
};

struct OnnxNode {
  std::string_view op, domain, name;
  std::vector<std::string_view> inputs, outputs;
  std::vector<OnnxAttribute> attributes;
  const OnnxAttribute* Find(std::string_view attribute) const;
};

struct OnnxValue {
  std::string name;
  int32_t element = 0;        ///< TensorProto.DataType; 0 when it isn't a tensor (a sequence or a map)
  std::vector<int64_t> dims;  ///< -1: free
  bool has_shape = false;
};

/// Views point into the bytes that were read: keep them.
struct OnnxModel {
  int64_t ir_version = 0;
  std::string producer;
  std::vector<std::pair<std::string, int64_t>> opsets;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<OnnxNode> nodes;  ///< of the main graph
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxValue> inputs;  ///< without those that are initializers
  std::vector<OnnxValue> outputs;
  const std::string* Metadata(std::string_view key) const;
  const OnnxTensor* Initializer(std::string_view name) const;
};

struct OnnxLimits {
  size_t max_bytes = (size_t{2} << 30) - 1;
  int max_depth = 8;              ///< graphs within graphs
  size_t max_nodes = 1'000'000;   ///< over all graphs
  size_t max_elements = size_t{1} << 30;  ///< of one tensor
};

/// Refuses (kFailedCheck or kUnsupported, naming the place): external data anywhere (initializers, sparse tensors, attributes, subgraphs,
/// functions, training graphs), fields that this reader doesn't know (they could hide any of these), operator domains other than ONNX' own,
/// tensors whose sizes contradict their shapes, nesting and sizes over the limits, ONNX Runtime's own flatbuffer format.
Result<OnnxModel> ReadOnnx(std::string_view bytes, const OnnxLimits& limits = {});

}  // namespace rondo::model
