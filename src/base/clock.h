/// Time. Times are int64 milliseconds since the Unix epoch (UTC), as in MLflow. The clock is injected, so tests never sleep.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rondo {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t NowMs() const = 0;
};
/// The system's clock; lives for ever.
Clock& SystemClock();

class FakeClock : public Clock {
 public:
  explicit FakeClock(int64_t now_ms = 1'700'000'000'000) : now_(now_ms) {}
  int64_t NowMs() const override { return now_.load(); }
  void Advance(int64_t ms) { now_ += ms; }
  void Set(int64_t ms) { now_ = ms; }

 private:
  std::atomic<int64_t> now_;
};

/// Monotonic nanoseconds, for durations.
int64_t MonotonicNs();

/// "2026-11-25T01:11:28.000Z"
std::string FormatTime(int64_t ms);
/// Reads ISO 8601 dates and date-times ("2026-11-25", "2026-11-25 01:11:28", "...T01:11:28.5Z", "...+02:00"); without an offset UTC.
Result<int64_t> ParseTime(std::string_view text);
/// "250ms", "10s", "15m", "12h", "2d", "1w"; a bare number is refused.
Result<int64_t> ParseDurationMs(std::string_view text);
/// "1.2 s", "3 min", "2 d": for people.
std::string FormatDuration(int64_t ms);

}  // namespace rondo
