#include "base/clock.h"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace rondo {
namespace {

class RealClock : public Clock {
 public:
  int64_t NowMs() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
};

bool Digits(std::string_view text, size_t at, size_t n, int& out) {
  if (at + n > text.size()) return false;
  auto [end, ec] = std::from_chars(text.data() + at, text.data() + at + n, out);
  return ec == std::errc() && end == text.data() + at + n && text[at] != '-' && text[at] != '+';
}

}  // namespace

Clock& SystemClock() {
  static RealClock clock;
  return clock;
}

int64_t MonotonicNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string FormatTime(int64_t ms) {
  const int64_t seconds = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
  const std::time_t t = static_cast<std::time_t>(seconds);
  std::tm tm{};
  gmtime_r(&t, &tm);
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                tm.tm_sec, static_cast<int>(ms - seconds * 1000));
  return buffer;
}

Result<int64_t> ParseTime(std::string_view text) {
  const auto bad = [&] { return Fail(Code::kInvalid, "\"" + std::string(text) + "\" is not a date or time", "write it like 2026-11-25 or 2026-11-25T14:30:00Z"); };
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!Digits(text, 0, 4, year) || text.size() < 10 || text[4] != '-' || !Digits(text, 5, 2, month) || text[7] != '-' || !Digits(text, 8, 2, day)) return bad();
  const std::chrono::year_month_day ymd{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)), std::chrono::day(static_cast<unsigned>(day))};
  if (!ymd.ok()) return bad();
  int64_t ms = std::chrono::sys_days(ymd).time_since_epoch().count() * int64_t{86'400'000};
  size_t at = 10;
  if (at == text.size()) return ms;
  if (text[at] != 'T' && text[at] != ' ') return bad();
  if (!Digits(text, 11, 2, hour) || text.size() < 16 || text[13] != ':' || !Digits(text, 14, 2, minute)) return bad();
  at = 16;
  if (at < text.size() && text[at] == ':') {
    if (!Digits(text, 17, 2, second)) return bad();
    at = 19;
  }
  if (hour > 23 || minute > 59 || second > 60) return bad();
  ms += ((hour * 60 + minute) * 60 + second) * int64_t{1000};
  if (at < text.size() && text[at] == '.') {
    int64_t scale = 100;
    size_t digits = 0;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++digits) {
      ms += (text[at] - '0') * scale;
      scale /= 10;
    }
    if (digits == 0) return bad();
  }
  if (at == text.size()) return ms;
  if (text.substr(at) == "Z") return ms;
  int oh = 0, om = 0;
  if ((text[at] != '+' && text[at] != '-') || !Digits(text, at + 1, 2, oh)) return bad();
  const std::string_view rest = text.substr(at + 3);
  if (!rest.empty() && !((rest.size() == 3 && rest[0] == ':' && Digits(rest, 1, 2, om)) || (rest.size() == 2 && Digits(rest, 0, 2, om)))) return bad();
  const int64_t offset = (oh * 60 + om) * int64_t{60'000};
  return text[at] == '+' ? ms - offset : ms + offset;
}

Result<int64_t> ParseDurationMs(std::string_view text) {
  double value = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  double scale = 0;
  if (unit == "ms") scale = 1;
  else if (unit == "s") scale = 1e3;
  else if (unit == "m" || unit == "min") scale = 6e4;
  else if (unit == "h") scale = 3.6e6;
  else if (unit == "d") scale = 8.64e7;
  else if (unit == "w") scale = 6.048e8;
  else if (unit == "y") scale = 3.15576e10;
  if (ec != std::errc() || scale == 0 || !(value >= 0) || value * scale > 9e15)
    return Fail(Code::kInvalid, "\"" + std::string(text) + "\" is not a duration", "write a number and a unit: 250ms, 10s, 15m, 12h, 2d, 1w, 2y");
  return static_cast<int64_t>(value * scale);
}

std::string FormatDuration(int64_t ms) {
  char buffer[32];
  if (ms < 1000) std::snprintf(buffer, sizeof buffer, "%d ms", static_cast<int>(ms));
  else if (ms < 60'000) std::snprintf(buffer, sizeof buffer, "%.1f s", static_cast<double>(ms) / 1e3);
  else if (ms < 3'600'000) std::snprintf(buffer, sizeof buffer, "%.0f min", static_cast<double>(ms) / 6e4);
  else if (ms < 172'800'000) std::snprintf(buffer, sizeof buffer, "%.1f h", static_cast<double>(ms) / 3.6e6);
  else std::snprintf(buffer, sizeof buffer, "%.0f d", static_cast<double>(ms) / 8.64e7);
  return buffer;
}

}  // namespace rondo
