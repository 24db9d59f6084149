/// Protocol buffers' wire format (https://protobuf.dev/programming-guides/encoding): just enough to write and read ONNX files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rondo::model {

/// Appends fields to a message. A nested message is another writer's bytes.
class WireWriter {
 public:
  void Int(uint32_t field, int64_t value);
  void Float(uint32_t field, float value);
  void Bytes(uint32_t field, std::string_view bytes);
  void Message(uint32_t field, const WireWriter& message) { Bytes(field, message.bytes_); }
  void PackedInts(uint32_t field, std::span<const int64_t> values);
  const std::string& bytes() const { return bytes_; }
  std::string Take() { return std::move(bytes_); }

 private:
  void Varint(uint64_t value);
  void Tag(uint32_t field, uint32_t type) { Varint(uint64_t{field} << 3 | type); }
  std::string bytes_;
};

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct WireField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;      ///< varint and fixed
  std::string_view bytes;  ///< length-delimited: points into the message
};

/// Walks the fields of one message; never reads outside it. Groups (wire types 3, 4) are refused.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}
  bool done() const { return rest_.empty(); }
  Result<WireField> Next();

 private:
  Result<uint64_t> Varint();
  std::string_view rest_;
};

/// Repeated numbers, packed or one per field: appends the values that `field` holds.
Status AppendInts(const WireField& field, std::vector<int64_t>& out);
Status AppendFloats(const WireField& field, std::vector<float>& out);
Status AppendDoubles(const WireField& field, std::vector<double>& out);

}  // namespace rondo::model
