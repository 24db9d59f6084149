#include "model/onnx/model.h"

#include <algorithm>
#include <array>

#include "model/onnx/wire.h"

namespace rondo::model {
namespace {

std::string Str(std::string_view s) { return std::string(s.substr(0, 80)); }

std::unexpected<Error> Unknown(const char* message, const WireField& field) {
  return Fail(Code::kUnsupported, "field " + std::to_string(field.number) + " of " + message + " is unknown or of the wrong kind",
              "export the model with an ONNX release that writes IR version 12 or lower");
}
std::unexpected<Error> External(const std::string& where) {
  return Fail(Code::kFailedCheck, where + " keeps its data in another file", "save the model as one file: external data is never read");
}

class Reader {
 public:
  explicit Reader(const OnnxLimits& limits) : limits_(limits) {}

  Status Model(std::string_view bytes, OnnxModel& out) {
    bool has_graph = false;
    for (WireReader reader(bytes); !reader.done();) {
      RONDO_TRY(const WireField f, reader.Next());
      switch (f.number) {
        case 1: out.ir_version = static_cast<int64_t>(f.value); break;
        case 2: out.producer = f.bytes; break;
        case 3: case 4: case 6: case 5: break;  // producer_version, domain, doc_string, model_version
        case 7:
          if (f.type != WireType::kBytes) return Unknown("ModelProto", f);
          if (has_graph) return Fail(Code::kFailedCheck, "the file has two graphs");
          has_graph = true;
          RONDO_DO(Graph(f.bytes, 0, &out));
          break;
        case 8: RONDO_DO(Opset(f.bytes, &out)); break;
        case 14: {
          std::pair<std::string, std::string> entry;
          RONDO_DO(Pair(f.bytes, entry.first, entry.second));
          out.metadata.push_back(std::move(entry));
          break;
        }
        case 20: RONDO_DO(Training(f.bytes)); break;
        case 25: RONDO_DO(Function(f.bytes)); break;
        default: return Unknown("ModelProto", f);
      }
    }
    if (!has_graph) return Fail(Code::kFailedCheck, "the file is not an ONNX model: it has no graph");
    if (out.ir_version < 3 || out.ir_version > 12)
      return Fail(Code::kUnsupported, "ONNX IR version " + std::to_string(out.ir_version) + " is not between 3 and 12");
    return {};
  }

 private:
  Status Opset(std::string_view bytes, OnnxModel* out) {
    std::string domain;
    int64_t version = 0;
    for (WireReader reader(bytes); !reader.done();) {
      RONDO_TRY(const WireField f, reader.Next());
      if (f.number == 1 && f.type == WireType::kBytes) domain = f.bytes;
      else if (f.number == 2 && f.type == WireType::kVarint) version = static_cast<int64_t>(f.value);
      else return Unknown("OperatorSetIdProto", f);
    }
    RONDO_DO(Domain(domain, "opset_import"));
    if (out) out->opsets.emplace_back(std::move(domain), version);
    return {};
  }

  Status Pair(std::string_view bytes, std::string& key, std::string& value) {
    for (WireReader reader(bytes); !reader.done();) {
      RONDO_TRY(const WireField f, reader.Next());
      if (f.type != WireType::kBytes || f.number > 2) return Unknown("StringStringEntryProto", f);
      (f.number == 1 ? key : value) = f.bytes;
    }
    return {};
  }

  // Local functions may share the model's own domain names, so any custom domain is refused with them.
  Status Domain(std::string_view domain, std::string_view where) {
    static constexpr std::array<std::string_view, 4> kKnown = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"};
    if (std::find(kKnown.begin(), kKnown.end(), domain) != kKnown.end()) return {};
    return Fail(Code::kUnsupported, "the operator domain \"" + Str(domain) + "\" (" + Str(where) + ") is not ONNX' own", "export with standard operators: custom operators are code");
  }

  Status Training(std::string_view bytes) {
    for (WireReader reader(bytes); !reader.done();) {
      RONDO_TRY(const WireField f, reader.Next());
      if (f.type != WireType::kBytes) return Unknown("TrainingInfoProto", f);
      if (f.number == 1 || f.number == 2) RONDO_DO(Graph(f.bytes, 1, nullptr));
      else if (f.number > 4) return Unknown("TrainingInfoProto", f);
    }
    return {};
  }

  Status Function(std::string_view bytes) {
    for (WireReader reader(bytes); !reader.done();) {
      RONDO_TRY(const WireField f, reader.Next());
      OnnxAttribute attribute;
      switch (f.number) {
        case 1: case 4: case 5: case 6: case 8: case 12: case 13: case 14: break;
        case 7: RONDO_DO(Node(f.bytes, 1, nullptr)); break;
        case 9: RONDO_DO(Opset(f.bytes, nullptr)); break;
        case 10: RONDO_DO(Domain(f.bytes, "a function")); break;
        case 11: RONDO_DO(Attribute(f.bytes, 1, attribute)); break;
        default: return Unknown("FunctionProto", f);
      }
    }
    return {};
  }

  Status Graph(std::string_view bytes, int depth, OnnxModel* out) {
    if (depth > limits_.max_depth) return Fail(Code::kTooLarge, "graphs are nested more than " + std::to_string(limits_.max_depth) + " deep");
    for (WireReader reader(bytes); !reader.done();) {
      RONDO_TRY(const WireField f, reader.Next());
      if (f.type != WireType::kBytes) return Unknown("GraphProto", f);
      switch (f.number) {
        case 1: {
          if (++nodes_ > limits_.max_nodes) return Fail(Code::kTooLarge, "the model has more than " + std::to_string(limits_.max_nodes) + " nodes");
          RONDO_DO(Node(f.bytes, depth, out));
          break;
        }
        case 2: case 10: case 13: case 14: case 16: break;  // name, doc_string, value_info, quantization notes, metadata
        case 5: {
          OnnxTensor tensor;
          RONDO_DO(Tensor(f.bytes, tensor));
          if (out) out->initializers.push_back(std::move(tensor));
          break;
        }
        case 15: RONDO_DO(Sparse(f.bytes)); break;
        case 11: case 12: {
          OnnxValue value;
          RONDO_DO(Value(f.bytes, value));
          if (out) (f.number == 11 ? out->inputs : out->outputs).push_back(std::move(value));
          break;
        }
        default: return Unknown("GraphProto", f);
      }
    }
    if (out) {
      // Before IR 4 initializers were listed as inputs too.
      std::erase_if(out->inputs, [&](const OnnxValue& v) { return out->Initializer(v.name) != nullptr; });
    }
    return {};
  }

  Status Node(std::string_view bytes, int depth, OnnxModel* out) {
    OnnxNode node;
    for (WireReader reader(bytes); !reader.done();) {
      RONDO_TRY(const WireField f, reader.Next());
      if (f.type != WireType::kBytes) return Unknown("NodeProto", f);
      switch (f.number) {
        case 1: node.inputs.push_back(f.bytes); break;
        case 2: node.outputs.push_back(f.bytes); break;
        case 3: node.name = f.bytes; break;
        case 4: node.op = f.bytes; break;
        case 5: {
          OnnxAttribute attribute;
          RONDO_DO(Attribute(f.bytes, depth, attribute));
          node.attributes.push_back(std::move(attribute));
          break;
        }
        case 6: case 8: case 9: break;  // doc_string, overload, metadata
        case 7: node.domain = f.bytes; break;
        default: return Unknown("NodeProto", f);
      }
    }
    RONDO_DO(Domain(node.domain, "node " + Str(node.name)));
    // ONNX Runtime's way to point at a compiled blob in another file.
    if (node.op == "EPContext") return External("the node " + Str(node.name) + " (EPContext)");
    if (out && depth == 0) out->nodes.push_back(std::move(node));
    return {};
  }

  Status Attribute(std::string_view bytes, int depth, OnnxAttribute& out) {
    for (WireReader reader(bytes); !reader.done();) {
      RONDO_TRY(const WireField f, reader.Next());
      const bool is_bytes = f.type == WireType::kBytes;
      OnnxTensor tensor;
      switch (f.number) {
        case 1: out.name = f.bytes; break;
        case 2: {
          std::vector<float> one;
          RONDO_DO(AppendFloats(f, one));
          if (one.size() != 1) return Unknown("AttributeProto", f);
          out.f = one[0];
          break;
        }
        case 3: out.i = static_cast<int64_t>(f.value); break;
        case 4: out.s = f.bytes; break;
        case 5: case 10:
          if (!is_bytes) return Unknown("AttributeProto", f);
          RONDO_DO(Tensor(f.bytes, tensor));
          break;
        case 6: case 11:
          if (!is_bytes) return Unknown("AttributeProto", f);
          RONDO_DO(Graph(f.bytes, depth + 1, nullptr));
          break;
        case 7: RONDO_DO(AppendFloats(f, out.floats)); break;
        case 8: RONDO_DO(AppendInts(f, out.ints)); break;
        case 9:
          if (!is_bytes) return Unknown("AttributeProto", f);
          out.strings.push_back(f.bytes);
          break;
        case 13: case 14: case 15: case 21: break;  // doc_string, type_proto(s), ref_attr_name
        case 20: out.type = static_cast<int32_t>(f.value); break;
        case 22: case 23:
          if (!is_bytes) return Unknown("AttributeProto", f);
          RONDO_DO(Sparse(f.bytes));
          break;
        default: return Unknown("AttributeProto", f);
      }
    }
    return {};
  }

  Status Sparse(std::string_view bytes) {
    for (WireReader reader(bytes); !reader.done();) {
      RONDO_TRY(const WireField f, reader.Next());
      OnnxTensor tensor;
      if (f.number == 1 || f.number == 2) {
        if (f.type != WireType::kBytes) return Unknown("SparseTensorProto", f);
        RONDO_DO(Tensor(f.bytes, tensor));
      } else if (f.number == 3) {
        RONDO_DO(AppendInts(f, tensor.dims));
        RONDO_DO(Elements(tensor.dims, "a sparse tensor"));
      } else {
        return Unknown("SparseTensorProto", f);
      }
    }
    return {};
  }

  Result<uint64_t> Elements(const std::vector<int64_t>& dims, const std::string& where) {
    uint64_t elements = 1;
    for (const int64_t d : dims) {
      if (d < 0) return Fail(Code::kFailedCheck, where + " has the negative dimension " + std::to_string(d));
      if (__builtin_mul_overflow(elements, static_cast<uint64_t>(d), &elements) || elements > limits_.max_elements)
        return Fail(Code::kTooLarge, where + " has more than " + std::to_string(limits_.max_elements) + " elements");
    }
    return elements;
  }

  Status Tensor(std::string_view bytes, OnnxTensor& out) {
    bool has_raw = false;
    uint64_t other = 0;
    for (WireReader reader(bytes); !reader.done();) {
      RONDO_TRY(const WireField f, reader.Next());
      switch (f.number) {
        case 1: RONDO_DO(AppendInts(f, out.dims)); break;
        case 2: out.type = static_cast<int32_t>(f.value); break;
        case 3: return Fail(Code::kUnsupported, "tensors in segments are not supported");
        case 4: RONDO_DO(AppendFloats(f, out.floats)); break;
        case 5: case 7: RONDO_DO(AppendInts(f, out.ints)); break;
        case 6:
          if (f.type != WireType::kBytes) return Unknown("TensorProto", f);
          out.strings.push_back(f.bytes);
          break;
        case 8: out.name = f.bytes; break;
        case 9:
          if (f.type != WireType::kBytes) return Unknown("TensorProto", f);
          out.raw = f.bytes;
          has_raw = true;
          break;
        case 10: RONDO_DO(AppendDoubles(f, out.doubles)); break;
        case 11: {
          std::vector<int64_t> values;
          RONDO_DO(AppendInts(f, values));
          other += values.size();
          break;
        }
        case 12: case 16: break;  // doc_string, metadata
        case 13: return External("the tensor " + Str(out.name));
        case 14:
          if (f.value != 0) return External("the tensor " + Str(out.name));
          break;
        default: return Unknown("TensorProto", f);
      }
    }
    const std::string where = "the tensor " + Str(out.name);
    RONDO_TRY(const uint64_t elements, Elements(out.dims, where));
    // Bytes per element of raw_data by DataType (0: not fixed here, e.g. 4-bit types and strings).
    static constexpr std::array<uint8_t, 17> kSize = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, 8, 16, 2};
    const size_t size = out.type >= 0 && static_cast<size_t>(out.type) < kSize.size() ? kSize[static_cast<size_t>(out.type)] : 0;
    const uint64_t typed = out.floats.size() + out.ints.size() + out.strings.size() + out.doubles.size() + other;
    if (has_raw && (typed || (size && out.raw.size() != elements * size)))
      return Fail(Code::kFailedCheck, where + " has " + std::to_string(out.raw.size()) + " bytes for " + std::to_string(elements) + " elements");
    const bool complex = out.type == 14 || out.type == 15;
    if (!has_raw && size && typed != elements * (complex ? 2 : 1))
      return Fail(Code::kFailedCheck, where + " has " + std::to_string(typed) + " values for " + std::to_string(elements) + " elements");
    return {};
  }

  Status Value(std::string_view bytes, OnnxValue& out) {
    for (WireReader reader(bytes); !reader.done();) {
      RONDO_TRY(const WireField f, reader.Next());
      if (f.type != WireType::kBytes) return Unknown("ValueInfoProto", f);
      if (f.number == 1) out.name = f.bytes;
      else if (f.number == 2) RONDO_DO(Type(f.bytes, out));
      else if (f.number > 4) return Unknown("ValueInfoProto", f);
    }
    return {};
  }

  Status Type(std::string_view bytes, OnnxValue& out) {
    for (WireReader reader(bytes); !reader.done();) {
      RONDO_TRY(const WireField f, reader.Next());
      if (f.number != 1 || f.type != WireType::kBytes) continue;  // sequences, maps, optionals: element stays 0
      for (WireReader tensor(f.bytes); !tensor.done();) {
        RONDO_TRY(const WireField t, tensor.Next());
        if (t.number == 1) out.element = static_cast<int32_t>(t.value);
        if (t.number != 2 || t.type != WireType::kBytes) continue;
        out.has_shape = true;
        for (WireReader shape(t.bytes); !shape.done();) {
          RONDO_TRY(const WireField dim, shape.Next());
          if (dim.number != 1 || dim.type != WireType::kBytes) continue;
          int64_t size = -1;
          for (WireReader d(dim.bytes); !d.done();) {
            RONDO_TRY(const WireField v, d.Next());
            if (v.number == 1 && v.type == WireType::kVarint) size = static_cast<int64_t>(v.value);
          }
          out.dims.push_back(size);
        }
      }
    }
    return {};
  }

  const OnnxLimits& limits_;
  size_t nodes_ = 0;
};

}  // namespace

const OnnxAttribute* OnnxNode::Find(std::string_view attribute) const {
  for (const OnnxAttribute& a : attributes)
    if (a.name == attribute) return &a;
  return nullptr;
}
const std::string* OnnxModel::Metadata(std::string_view key) const {
  for (const auto& [k, v] : metadata)
    if (k == key) return &v;
  return nullptr;
}
const OnnxTensor* OnnxModel::Initializer(std::string_view name) const {
  for (const OnnxTensor& t : initializers)
    if (t.name == name) return &t;
  return nullptr;
}

Result<OnnxModel> ReadOnnx(std::string_view bytes, const OnnxLimits& limits) {
  if (bytes.size() > limits.max_bytes)
    return Fail(Code::kTooLarge, "the model has " + std::to_string(bytes.size()) + " bytes; the limit is " + std::to_string(limits.max_bytes));
  // ONNX Runtime would take such bytes as its own flatbuffer format, whatever they say as a protocol buffer.
  if (bytes.size() >= 8 && bytes.substr(4, 4) == "ORTM") return Fail(Code::kUnsupported, "this is ONNX Runtime's own format", "use the .onnx file it was made from");
  OnnxModel model;
  RONDO_DO(Reader(limits).Model(bytes, model));
  return model;
}

}  // namespace rondo::model
