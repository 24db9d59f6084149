// Encoding and decoding of the prediction log's records.
#include "data/prediction_record.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/hash.h"

namespace rondo::data::log {
namespace {

static_assert(std::endian::native == std::endian::little, "the log is written as memory lies");

constexpr uint8_t kBinaryId = 1, kShadow = 2;

template <typename T>
void Put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}
void PutVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
void PutText(std::string& out, std::string_view text) {
  PutVarint(out, text.size());
  out += text;
}
void PutFloats(std::string& out, const std::vector<float>& values) {
  PutVarint(out, values.size());
  if (!values.empty()) out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

int HexValue(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }
bool ToBinary(const std::string& id, char (&out)[16]) {
  if (id.size() != 32) return false;
  for (size_t i = 0; i < 16; ++i) {
    const int high = HexValue(id[2 * i]), low = HexValue(id[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<char>(high << 4 | low);
  }
  return true;
}

/// Reads what Put wrote; every read is checked, and once one has failed all fail.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <typename T>
  T Get() {
    T value{};
    if (const std::string_view bytes = Take(sizeof value); bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = Get<uint8_t>();
      if (shift == 63 && byte > 1) break;
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    good_ = false;
    return 0;
  }
  std::string_view Take(uint64_t n) {
    if (!good_ || n > rest_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return taken;
  }
  std::string Text() { return std::string(Take(Varint())); }
  std::vector<float> Floats() {
    const uint64_t n = Varint();
    if (n > rest_.size() / sizeof(float)) good_ = false;
    if (!good_) return {};
    std::vector<float> values(n);
    const std::string_view bytes = Take(n * sizeof(float));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  std::vector<std::string> Texts() {
    const uint64_t n = Varint();
    std::vector<std::string> values;
    // Not reserved: the count may be a lie.
    for (uint64_t i = 0; i < n && good_; ++i) values.push_back(Text());
    return values;
  }
  bool Done() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

uint32_t Checksum(std::string_view payload, uint64_t offset) { return static_cast<uint32_t>(Xxh3(payload, offset)); }

void Seal(std::string& out, size_t frame, uint64_t offset) {
  const std::string_view payload = std::string_view(out).substr(frame + kFrameBytes);
  const auto length = static_cast<uint32_t>(payload.size());
  const uint32_t checksum = Checksum(payload, offset);
  std::memcpy(out.data() + frame, &length, sizeof length);
  std::memcpy(out.data() + frame + 4, &checksum, sizeof checksum);
}

}  // namespace

std::string Header(int64_t segment) {
  std::string out("RONDOPL\0", 8);
  Put<uint32_t>(out, 1);
  Put<uint32_t>(out, 0);
  Put<int64_t>(out, segment);
  Put<uint64_t>(out, Xxh3(out));
  return out;
}
bool HeaderIsGood(std::string_view bytes, int64_t segment) { return bytes.substr(0, kHeaderBytes) == Header(segment); }

void AppendPrediction(std::string& out, const Prediction& p, uint64_t offset) {
  const size_t frame = out.size();
  out.append(kFrameBytes, '\0');
  Put<uint8_t>(out, kPredictionKind);
  char id[16];
  const bool binary = ToBinary(p.id, id);
  Put<uint8_t>(out, static_cast<uint8_t>((binary ? kBinaryId : 0) | (p.shadow ? kShadow : 0)));
  if (binary) out.append(id, sizeof id);
  else PutText(out, p.id);
  Put<int64_t>(out, p.time);
  PutText(out, p.model);
  PutVarint(out, static_cast<uint64_t>(p.version));
  PutText(out, p.variant);
  PutText(out, p.key);
  Put<float>(out, p.latency_us);
  PutFloats(out, p.numbers);
  PutVarint(out, p.texts.size());
  for (const std::string& text : p.texts) PutText(out, text);
  PutFloats(out, p.scores);
  PutText(out, p.decision);
  Seal(out, frame, offset);
}

void AppendIndex(std::string& out, std::vector<IndexEntry>& entries, uint64_t offset) {
  std::sort(entries.begin(), entries.end());
  const size_t frame = out.size();
  out.append(kFrameBytes, '\0');
  Put<uint8_t>(out, kIndexKind);
  out.append(3, '\0');
  for (const auto& [hash, at] : entries) {
    Put<uint64_t>(out, hash);
    Put<uint32_t>(out, at);
  }
  Put<uint32_t>(out, static_cast<uint32_t>(out.size() - frame - kFrameBytes + kTrailerBytes));
  out += kIndexMagic;
  Seal(out, frame, offset);
}

Frame ReadFrame(std::string_view bytes, uint64_t offset) {
  if (bytes.size() < kFrameBytes) return {Found::kShort, {}, kFrameBytes};
  uint32_t length = 0, checksum = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  std::memcpy(&checksum, bytes.data() + 4, sizeof checksum);
  if (length == 0 || length > kMaxPayload) return {Found::kBroken, {}, 0};
  const size_t whole = kFrameBytes + length;
  if (bytes.size() < whole) return {Found::kShort, {}, whole};
  const std::string_view payload = bytes.substr(kFrameBytes, length);
  if (Checksum(payload, offset) != checksum) return {Found::kBad, {}, whole};
  return {Found::kRecord, payload, whole};
}

std::optional<Prediction> DecodePrediction(std::string_view payload) {
  Reader in(payload);
  if (in.Get<uint8_t>() != kPredictionKind) return std::nullopt;
  const auto flags = in.Get<uint8_t>();
  Prediction p;
  p.id = flags & kBinaryId ? HexEncode(in.Take(16)) : in.Text();
  p.shadow = flags & kShadow;
  p.time = in.Get<int64_t>();
  p.model = in.Text();
  p.version = static_cast<int64_t>(in.Varint());
  p.variant = in.Text();
  p.key = in.Text();
  p.latency_us = in.Get<float>();
  p.numbers = in.Floats();
  p.texts = in.Texts();
  p.scores = in.Floats();
  p.decision = in.Text();
  if (!in.Done() || flags > (kBinaryId | kShadow)) return std::nullopt;
  return p;
}

}  // namespace rondo::data::log
