/// Which variant answers, and the ids of answers. Both are on the request's path: no system call, no allocation beyond the id's text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rondo::serving {

inline constexpr uint32_t kBuckets = 10'000;

/// XXH3-64(salt, unit) mod 10,000. The salt is the rollout's id: the next rollout deals anew, and ramping one up moves a threshold only, so no unit flips back.
uint32_t BucketOf(std::string_view salt, std::string_view unit);
/// Share of traffic -> buckets: 0.05 -> 500.
uint32_t BucketsOf(double share);

/// 32 hex digits: 16 random ones of the process, 16 of a counter. Never twice, rising, not secret. Thread-safe.
std::string NextPredictionId();

}  // namespace rondo::serving
