/// Points in digests, as their bytes. Internal: use curves.h.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace rondo::tracking {

struct Point {
  int64_t step = 0, time = 0;
  double value = 0;
};

/// Little-endian step, time, value: 24 bytes. A value that isn't a number is any NaN.
inline constexpr size_t kPointBytes = 24;
static_assert(std::endian::native == std::endian::little);

inline void PutPoint(const Point& p, std::string& out) {
  char bytes[kPointBytes];
  std::memcpy(bytes, &p.step, 8);
  std::memcpy(bytes + 8, &p.time, 8);
  std::memcpy(bytes + 16, &p.value, 8);
  out.append(bytes, kPointBytes);
}

inline Point PointAt(std::string_view marks, size_t i) {
  Point p;
  std::memcpy(&p.step, marks.data() + i * kPointBytes, 8);
  std::memcpy(&p.time, marks.data() + i * kPointBytes + 8, 8);
  std::memcpy(&p.value, marks.data() + i * kPointBytes + 16, 8);
  return p;
}

}  // namespace rondo::tracking
