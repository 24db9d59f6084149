/// Texts -> codes, for one row's look-ups: open addressing over (length, first and last 8 bytes), which decides for texts up to 16 bytes by itself.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>


namespace rondo::model {

class LevelTable {
 public:
  LevelTable() = default;
  /// Different texts; codes of any value.
  explicit LevelTable(const std::vector<std::pair<std::string, int32_t>>& entries) {
    size_t size = 4;
    while (size < entries.size() * 2) size *= 2;
    slots_.resize(size);
    for (const auto& [text, code] : entries) {
      Slot slot = Key(text);
      slot.code = code;
      slot.offset = static_cast<uint32_t>(texts_.size());
      texts_ += text;
      size_t at = Hash(slot) & (size - 1);
      while (slots_[at].used) at = (at + 1) & (size - 1);
      slot.used = true;
      slots_[at] = slot;
    }
  }

  int32_t Find(std::string_view text, int32_t otherwise) const {
    if (slots_.empty()) return otherwise;
    const Slot key = Key(text);
    const size_t mask = slots_.size() - 1;
    for (size_t at = Hash(key) & mask; slots_[at].used; at = (at + 1) & mask) {
      const Slot& s = slots_[at];
      if (s.first == key.first && s.last == key.last && s.length == key.length &&
          (key.length <= 16 || std::memcmp(texts_.data() + s.offset, text.data(), text.size()) == 0))
        return s.code;
    }
    return otherwise;
  }

 private:
  struct Slot {
    uint64_t first = 0, last = 0;
    uint32_t length = 0, offset = 0;
    int32_t code = 0;
    bool used = false;
  };
  static uint64_t Load64(const char* p) {
    uint64_t v;
    std::memcpy(&v, p, 8);
    return v;
  }
  static Slot Key(std::string_view text) {
    Slot s;
    const char* p = text.data();
    const size_t n = text.size();
    s.length = static_cast<uint32_t>(n);
    if (n >= 8) {
      s.first = Load64(p);
      s.last = Load64(p + n - 8);
    } else if (n >= 4) {
      uint32_t a, b;
      std::memcpy(&a, p, 4);
      std::memcpy(&b, p + n - 4, 4);
      s.first = uint64_t{a} << 32 | b;
    } else if (n > 0) {
      s.first = uint64_t{static_cast<unsigned char>(p[0])} << 16 | uint64_t{static_cast<unsigned char>(p[n / 2])} << 8 | static_cast<unsigned char>(p[n - 1]);
    }
    return s;
  }
  static size_t Hash(const Slot& s) {
    uint64_t h = (s.first ^ (s.last * 0x9E3779B97F4A7C15ull) ^ s.length) * 0xD6E8FEB86659FD93ull;
    return h ^ (h >> 32);
  }

  std::vector<Slot> slots_;
  std::string texts_;
};

}  // namespace rondo::model
