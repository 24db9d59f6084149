#include "serving/assign.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/hash.h"
#include "base/id.h"

namespace rondo::serving {

uint32_t BucketOf(std::string_view salt, std::string_view unit) { return static_cast<uint32_t>(Xxh3(unit, Xxh3(salt)) % kBuckets); }

uint32_t BucketsOf(double share) { return static_cast<uint32_t>(std::lround(std::clamp(share, 0.0, 1.0) * kBuckets)); }

std::string NextPredictionId() {
  static const std::string prefix = RandomHex(8);
  static std::atomic<uint64_t> counter{0};
  // Rising within a process: whoever keeps an index of ids appends to it.
  uint64_t n = counter.fetch_add(1, std::memory_order_relaxed);
  std::string id(32, '0');
  std::copy(prefix.begin(), prefix.end(), id.begin());
  for (size_t i = 31; i >= 16; --i, n >>= 4) id[i] = "0123456789abcdef"[n & 15];
  return id;
}

}  // namespace rondo::serving
