/// What is counted about one version on one endpoint: requests, errors, latencies, a sample of its scores.
#pragma once

#include <atomic>
#include <boost/describe.hpp>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "serving/statistics.h"

namespace rondo::serving {

inline constexpr size_t kScoreSample = 4096;

/// A copy of the counts.
struct ArmNumbers {
  int64_t requests = 0;   ///< assigned to the version, errors included
  int64_t errors = 0;     ///< the version couldn't answer: it failed, gave a number that is none, or couldn't take a row that the champion takes
  int64_t rows = 0;       ///< scores seen; `scores` is a uniform sample of them
  std::vector<int64_t> latency;  ///< LatencyBucket counts of the requests it answered
  std::vector<float> scores;

  int64_t answered() const { return requests - errors; }
  double LatencyMs(double q) const { return LatencyQuantile(latency, q) / 1000; }
};
/// Compact JSON: sparse latency buckets, scores as base64 of little-endian floats.
Json ToJson(const ArmNumbers& numbers);
Result<ArmNumbers> ArmFromJson(const Json& json);

class Arm {
 public:
  Arm() : latency_(kLatencyBuckets) {}
  /// On the request's path: two relaxed additions.
  void Answered(double us) {
    requests_.fetch_add(1, std::memory_order_relaxed);
    latency_[LatencyBucket(us)].fetch_add(1, std::memory_order_relaxed);
  }
  void Failed() {
    requests_.fetch_add(1, std::memory_order_relaxed);
    errors_.fetch_add(1, std::memory_order_relaxed);
  }
  /// Off the path. Reservoir sampling (Vitter's algorithm R), seeded: the same scores give the same sample.
  void AddScores(std::span<const float> scores);
  int64_t requests() const { return requests_.load(std::memory_order_relaxed); }
  int64_t errors() const { return errors_.load(std::memory_order_relaxed); }
  ArmNumbers Read() const;
  /// Goes on from stored counts (after a restart).
  void Restore(const ArmNumbers& numbers);

 private:
  std::atomic<int64_t> requests_{0}, errors_{0};
  std::vector<std::atomic<int64_t>> latency_;
  mutable std::mutex mutex_;
  int64_t rows_ = 0;
  std::vector<float> scores_;
  Random random_{4096};
};

}  // namespace rondo::serving
