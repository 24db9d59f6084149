#include "model/features/dates.h"

namespace rondo::model {

const char* const kDatePattern =
    "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]+)?)?(Z|[+-][01][0-9]:[0-5][0-9])?)?";

namespace {
int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// Days since 1970-01-01 of a date in the proleptic Gregorian calendar, and back: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
int64_t DaysFromCivil(int64_t y, int64_t m, int64_t d) {
  y -= m <= 2;
  const int64_t era = FloorDiv(y, 400), yoe = y - era * 400;
  const int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int Digits(std::string_view s, size_t at, size_t n) {
  int value = 0;
  for (size_t i = 0; i < n; ++i) {
    const char c = s[at + i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}
}  // namespace

int64_t DaysOf(int64_t time_ms) { return FloorDiv(time_ms, 86'400'000); }

std::optional<int64_t> ParseMinutes(std::string_view s) {
  if (s.size() < 10 || s[4] != '-' || s[7] != '-') return {};
  const int y = Digits(s, 0, 4), m = Digits(s, 5, 2), d = Digits(s, 8, 2);
  if (y < 0 || m < 1 || m > 12 || d < 1 || d > 31) return {};
  int64_t minutes = DaysFromCivil(y, m, d) * 1440;
  if (s.size() == 10) return minutes;
  if (s.size() < 16 || (s[10] != 'T' && s[10] != ' ') || s[13] != ':') return {};
  const int hour = Digits(s, 11, 2), minute = Digits(s, 14, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return {};
  minutes += hour * 60 + minute;
  size_t at = 16;
  if (at < s.size() && s[at] == ':') {
    if (s.size() < 19) return {};
    const int second = Digits(s, 17, 2);
    if (second < 0 || second > 59) return {};
    at = 19;
    if (at < s.size() && s[at] == '.') {
      const size_t start = ++at;
      while (at < s.size() && s[at] >= '0' && s[at] <= '9') ++at;
      if (at == start) return {};
    }
  }
  if (at == s.size()) return minutes;
  if (s[at] == 'Z' && at + 1 == s.size()) return minutes;
  if ((s[at] != '+' && s[at] != '-') || at + 6 != s.size() || s[at + 3] != ':') return {};
  const int oh = Digits(s, at + 1, 2), om = Digits(s, at + 4, 2);
  if (oh < 0 || oh > 19 || om < 0 || om > 59) return {};
  const int offset = oh * 60 + om;
  return s[at] == '+' ? minutes - offset : minutes + offset;
}

float PartOf(DatePart part, int64_t minutes, int64_t reference_days) {
  const int64_t days = FloorDiv(minutes, 1440);
  if (part == DatePart::hour) return static_cast<float>((minutes - days * 1440) / 60);
  if (part == DatePart::days_since) return static_cast<float>(reference_days - days);
  if (part == DatePart::weekday) {
    const int64_t shifted = days + 3;  // 1970-01-01 was a Thursday
    return static_cast<float>(shifted - FloorDiv(shifted, 7) * 7);
  }
  const int64_t z = days + 719468, era = FloorDiv(z, 146097), doe = z - era * 146097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  if (part == DatePart::day) return static_cast<float>(doy - (153 * mp + 2) / 5 + 1);
  const int64_t month = mp < 10 ? mp + 3 : mp - 9;
  if (part == DatePart::month) return static_cast<float>(month);
  return static_cast<float>(yoe + era * 400 + (month <= 2));
}

}  // namespace rondo::model
