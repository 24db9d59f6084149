/// Cron expressions (five fields) in a time zone: when does it fire next?
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace rondo::pipeline {

/// A time zone read from the system's TZif files (RFC 8536), with the POSIX rule at their end for later years. Immutable, thread-safe.
class TimeZone {
 public:
  /// "UTC", "Europe/Berlin", or a POSIX rule such as "CET-1CEST,M3.5.0,M10.5.0/3". Looked for in TZDIR, then /usr/share/zoneinfo.
  static Result<std::shared_ptr<const TimeZone>> Load(const std::string& name);
  /// From the bytes of a TZif file.
  static Result<std::shared_ptr<const TimeZone>> Parse(const std::string& bytes, const std::string& name);
  static Result<std::shared_ptr<const TimeZone>> FromRule(const std::string& posix);
  /// Seconds east of UTC at a moment (seconds since the epoch).
  int64_t OffsetAt(int64_t utc_seconds) const;

 private:
  struct Change {  ///< a POSIX rule's date: Mm.w.d, Jn or n, at a local time
    char kind = 'M';
    int month = 0, week = 0, day = 0;
    int64_t time = 7200;
  };
  struct Rule {
    int64_t standard = 0, summer = 0;
    bool has_summer = false;
    Change begin, end;
  };
  static std::optional<Rule> ParseRule(const std::string& text);
  static int64_t ChangeSeconds(const Change& change, int year);  ///< local seconds since the epoch of that year's change
  int64_t RuleOffset(int64_t utc_seconds) const;
  std::vector<int64_t> times_, offsets_;  ///< offsets_[i] from times_[i] on
  int64_t first_offset_ = 0;
  std::optional<Rule> rule_;
};

/// Minute hour day-of-month month day-of-week; *, lists, ranges, steps, names of months and days; Sunday is 0 or 7. As in Vixie's cron, when both
/// day fields are restricted either may match.
class Cron {
 public:
  static Result<Cron> Parse(const std::string& text);
  /// The first firing after `after_ms`; empty when none comes within ten years ("0 0 30 2 *").
  ///
  /// When clocks are set forward, a firing inside the missing hour happens at its end; when they are set back, one inside the repeated hour happens
  /// the first time only. Expressions whose hour is `*` follow real time instead: every matching minute, missing and repeated ones as they come.
  std::optional<int64_t> Next(int64_t after_ms, const TimeZone& zone) const;

 private:
  struct Local;
  bool Matches(const Local& local) const;
  bool MatchesDay(const Local& local) const;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<8> weekdays_;
  bool any_hour_ = false, any_day_ = false, any_weekday_ = false;
};

/// Firings in (from, to], oldest first, at most `limit` of the newest.
std::vector<int64_t> Firings(const Cron& cron, const TimeZone& zone, int64_t from_ms, int64_t to_ms, size_t limit = 1000);

}  // namespace rondo::pipeline
