#include "model/onnx/wire.h"

#include <bit>
#include <cstring>

namespace rondo::model {

void WireWriter::Varint(uint64_t value) {
  while (value >= 0x80) {
    bytes_ += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  bytes_ += static_cast<char>(value);
}

void WireWriter::Int(uint32_t field, int64_t value) {
  Tag(field, 0);
  Varint(static_cast<uint64_t>(value));
}

void WireWriter::Float(uint32_t field, float value) {
  Tag(field, 5);
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(bits >> shift);
}

void WireWriter::Bytes(uint32_t field, std::string_view bytes) {
  Tag(field, 2);
  Varint(bytes.size());
  bytes_ += bytes;
}

void WireWriter::PackedInts(uint32_t field, std::span<const int64_t> values) {
  WireWriter packed;
  for (const int64_t v : values) packed.Varint(static_cast<uint64_t>(v));
  Bytes(field, packed.bytes_);
}

namespace {
std::unexpected<Error> Truncated() { return Fail(Code::kFailedCheck, "the file is truncated or is not a protocol buffer"); }

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
}  // namespace

Result<uint64_t> WireReader::Varint() {
  uint64_t value = 0;
  for (size_t i = 0; i < 10 && i < rest_.size(); ++i) {
    const auto byte = static_cast<unsigned char>(rest_[i]);
    if (i == 9 && byte > 1) break;  // more than 64 bits
    value |= uint64_t{byte & 0x7fu} << (7 * i);
    if (byte < 0x80) {
      rest_.remove_prefix(i + 1);
      return value;
    }
  }
  return Truncated();
}

Result<WireField> WireReader::Next() {
  RONDO_TRY(const uint64_t tag, Varint());
  WireField field;
  if (tag >> 3 == 0 || tag >> 3 > (1u << 29)) return Truncated();
  field.number = static_cast<uint32_t>(tag >> 3);
  field.type = static_cast<WireType>(tag & 7);
  switch (tag & 7) {
    case 0: {
      RONDO_TRY(field.value, Varint());
      return field;
    }
    case 1:
    case 5: {
      const size_t size = (tag & 7) == 1 ? 8 : 4;
      if (rest_.size() < size) return Truncated();
      field.value = size == 8 ? Load<uint64_t>(rest_.data()) : Load<uint32_t>(rest_.data());
      rest_.remove_prefix(size);
      return field;
    }
    case 2: {
      RONDO_TRY(const uint64_t size, Varint());
      if (size > rest_.size()) return Truncated();
      field.bytes = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return field;
    }
    default: return Truncated();
  }
}

Status AppendInts(const WireField& field, std::vector<int64_t>& out) {
  if (field.type == WireType::kVarint) {
    out.push_back(static_cast<int64_t>(field.value));
    return {};
  }
  if (field.type != WireType::kBytes) return Truncated();
  // A packed list is varints without tags; a reader of fields would see tags, so it is decoded here.
  uint64_t value = 0;
  int shift = 0;
  for (const char c : field.bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (shift > 63) return Truncated();
    value |= uint64_t{byte & 0x7fu} << shift;
    shift += 7;
    if (byte < 0x80) {
      out.push_back(static_cast<int64_t>(value));
      value = 0;
      shift = 0;
    }
  }
  if (shift) return Truncated();
  return {};
}

template <typename T, typename Bits>
static Status AppendFixed(const WireField& field, WireType single, std::vector<T>& out) {
  if (field.type == single) {
    out.push_back(std::bit_cast<T>(static_cast<Bits>(field.value)));
    return {};
  }
  if (field.type != WireType::kBytes || field.bytes.size() % sizeof(T)) return Truncated();
  const size_t old = out.size();
  out.resize(old + field.bytes.size() / sizeof(T));
  if (!field.bytes.empty()) std::memcpy(out.data() + old, field.bytes.data(), field.bytes.size());
  return {};
}
Status AppendFloats(const WireField& field, std::vector<float>& out) { return AppendFixed<float, uint32_t>(field, WireType::kFixed32, out); }
Status AppendDoubles(const WireField& field, std::vector<double>& out) { return AppendFixed<double, uint64_t>(field, WireType::kFixed64, out); }

}  // namespace rondo::model
