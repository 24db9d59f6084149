#include "pipeline/cron.h"

#include <charconv>
#include <chrono>
#include <string_view>

#include "project/reader.h"

namespace rondo::pipeline {
namespace {

constexpr int64_t kMinute = 60, kHour = 3600, kDay = 86400;

int64_t FloorDiv(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

template <size_t N>
void Fill(const std::string& field, int low, int high, std::string_view words, std::bitset<N>& out) {
  size_t at = 0;
  while (at <= field.size()) {
    const size_t comma = std::min(field.find(',', at), field.size());
    std::string part = field.substr(at, comma - at);
    at = comma + 1;
    int step = 1;
    bool stepped = false;
    if (const size_t slash = part.find('/'); slash != std::string::npos) {
      std::from_chars(part.data() + slash + 1, part.data() + part.size(), step);
      part.resize(slash);
      stepped = true;
    }
    const auto number = [&](std::string s) {
      for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (s.size() == 3)
        if (const size_t word = words.find(s); word != std::string_view::npos && word % 4 == 0) return static_cast<int>(word / 4) + (low == 1 ? 1 : 0);
      int value = 0;
      std::from_chars(s.data(), s.data() + s.size(), value);
      return value;
    };
    int from = low, to = high;
    if (part != "*") {
      const size_t dash = part.find('-');
      from = number(part.substr(0, dash));
      to = dash != std::string::npos ? number(part.substr(dash + 1)) : stepped ? high : from;
    }
    for (int v = from; v <= to && v < static_cast<int>(N); v += step) out.set(static_cast<size_t>(v));
  }
}

}  // namespace

struct Cron::Local {
  int minute, hour, day, month, weekday;
  explicit Local(int64_t local_seconds) {
    const int64_t days = FloorDiv(local_seconds, kDay);
    const int64_t rest = local_seconds - days * kDay;
    const std::chrono::sys_days date{std::chrono::days{days}};
    const std::chrono::year_month_day ymd{date};
    minute = static_cast<int>(rest / kMinute % 60);
    hour = static_cast<int>(rest / kHour);
    day = static_cast<int>(static_cast<unsigned>(ymd.day()));
    month = static_cast<int>(static_cast<unsigned>(ymd.month()));
    weekday = static_cast<int>(std::chrono::weekday{date}.c_encoding());
  }
};

Result<Cron> Cron::Parse(const std::string& text) {
  RONDO_DO(project::CheckCron(text));
  std::vector<std::string> fields;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = text.find_first_not_of(" \t", at);
    if (begin == std::string::npos) break;
    const size_t end = std::min(text.find_first_of(" \t", begin), text.size());
    fields.push_back(text.substr(begin, end - begin));
    at = end;
  }
  Cron cron;
  Fill(fields[0], 0, 59, "", cron.minutes_);
  Fill(fields[1], 0, 23, "", cron.hours_);
  Fill(fields[2], 1, 31, "", cron.days_);
  Fill(fields[3], 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec", cron.months_);
  Fill(fields[4], 0, 7, "sun mon tue wed thu fri sat", cron.weekdays_);
  if (cron.weekdays_[7]) cron.weekdays_.set(0);
  // A field that starts with * doesn't restrict, also with a step: Vixie's rule.
  cron.any_hour_ = fields[1][0] == '*';
  cron.any_day_ = fields[2][0] == '*';
  cron.any_weekday_ = fields[4][0] == '*';
  return cron;
}

bool Cron::MatchesDay(const Local& local) const {
  if (!months_[static_cast<size_t>(local.month)]) return false;
  const bool day = days_[static_cast<size_t>(local.day)], weekday = weekdays_[static_cast<size_t>(local.weekday)];
  return any_day_ || any_weekday_ ? day && weekday : day || weekday;
}

bool Cron::Matches(const Local& local) const { return minutes_[static_cast<size_t>(local.minute)] && hours_[static_cast<size_t>(local.hour)] && MatchesDay(local); }

std::optional<int64_t> Cron::Next(int64_t after_ms, const TimeZone& zone) const {
  int64_t t = (FloorDiv(after_ms, 60'000) + 1) * kMinute;
  const int64_t end = t + 10 * 366 * kDay;
  int64_t before = zone.OffsetAt(t - kMinute);
  while (t < end) {
    const int64_t offset = zone.OffsetAt(t);
    if (!any_hour_ && offset > before) {
      // Clocks went forward within the last minute: what the missing local minutes would have fired fires now.
      for (int64_t missing = t + before; missing < t + offset; missing += kMinute)
        if (Matches(Local(missing))) return t * 1000;
    }
    const Local local(t + offset);
    // A local minute that was there before clocks went back (at most two hours ago) has had its turn.
    bool repeated = false;
    if (!any_hour_)
      for (int64_t back = 30 * kMinute; back <= 2 * kHour && !repeated; back += 30 * kMinute) repeated = zone.OffsetAt(t - back) == offset + back;
    if (!repeated && Matches(local)) return t * 1000;
    // On to the next local hour when this one can't match; a change of offset may lie in between, so never further.
    const bool hour_possible = MatchesDay(local) && hours_[static_cast<size_t>(local.hour)];
    const int64_t step = hour_possible ? kMinute : (60 - local.minute) * kMinute;
    int64_t next = t + step;
    if (step > kMinute && zone.OffsetAt(next) != offset) {
      // Find the minute of the change, so that its missing minutes are seen.
      next = t + kMinute;
      while (zone.OffsetAt(next) == offset) next += kMinute;
    }
    before = zone.OffsetAt(next - kMinute);
    t = next;
  }
  return std::nullopt;
}

std::vector<int64_t> Firings(const Cron& cron, const TimeZone& zone, int64_t from_ms, int64_t to_ms, size_t limit) {
  std::vector<int64_t> out;
  for (auto next = cron.Next(from_ms, zone); next && *next <= to_ms; next = cron.Next(*next, zone)) {
    out.push_back(*next);
    if (out.size() > 2 * limit) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(limit));
  }
  if (out.size() > limit) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(limit));
  return out;
}

}  // namespace rondo::pipeline
