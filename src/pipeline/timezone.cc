// Time zones: TZif files (RFC 8536) and the POSIX rule at their end. GCC 12 has no std::chrono time zones, and localtime_r knows only the process's own.
#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "base/file.h"
#include "pipeline/cron.h"

namespace rondo::pipeline {
namespace {

int64_t BigEndian(const std::string& bytes, size_t at, size_t width) {
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  if (width == 4) return static_cast<int32_t>(static_cast<uint32_t>(value));
  return static_cast<int64_t>(value);
}

/// Reads parts of a POSIX TZ text.
class RuleText {
 public:
  explicit RuleText(const std::string& text) : text_(text) {}
  bool Name() {
    const size_t begin = at_;
    if (Peek() == '<') {
      const size_t close = text_.find('>', at_);
      if (close == std::string::npos) return false;
      at_ = close + 1;
    } else {
      while (std::isalpha(static_cast<unsigned char>(Peek()))) ++at_;
    }
    return at_ - begin >= 3;
  }
  bool Number(int& out) {
    const size_t begin = at_;
    out = 0;
    while (std::isdigit(static_cast<unsigned char>(Peek())) && at_ - begin < 4) out = out * 10 + (text_[at_++] - '0');
    return at_ > begin;
  }
  /// [+-]hh[:mm[:ss]] in seconds.
  bool Time(int64_t& out) {
    int64_t sign = 1;
    if (Peek() == '-' || Peek() == '+') sign = text_[at_++] == '-' ? -1 : 1;
    int part = 0;
    if (!Number(part) || part > 167) return false;
    out = part * int64_t{3600};
    for (const int64_t unit : {int64_t{60}, int64_t{1}}) {
      if (Peek() != ':') break;
      ++at_;
      if (!Number(part) || part > 59) return false;
      out += part * unit;
    }
    out *= sign;
    return true;
  }
  bool Take(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool done() const { return at_ == text_.size(); }

 private:
  const std::string& text_;
  size_t at_ = 0;
};

int YearOf(int64_t local_seconds) {
  const int64_t days = local_seconds >= 0 ? local_seconds / 86400 : -((-local_seconds + 86399) / 86400);
  return static_cast<int>(std::chrono::year_month_day{std::chrono::sys_days{std::chrono::days{days}}}.year());
}

}  // namespace

std::optional<TimeZone::Rule> TimeZone::ParseRule(const std::string& text) {
  RuleText in(text);
  Rule rule;
  int64_t west = 0;
  if (!in.Name() || !in.Time(west)) return std::nullopt;
  rule.standard = -west;
  if (in.done()) return rule;
  if (!in.Name()) return std::nullopt;
  rule.has_summer = true;
  rule.summer = rule.standard + 3600;
  if (in.Peek() != ',') {
    if (!in.Time(west)) return std::nullopt;
    rule.summer = -west;
  }
  for (Change* change : {&rule.begin, &rule.end}) {
    if (!in.Take(',')) return std::nullopt;
    if (in.Take('M')) {
      if (!in.Number(change->month) || !in.Take('.') || !in.Number(change->week) || !in.Take('.') || !in.Number(change->day)) return std::nullopt;
      if (change->month < 1 || change->month > 12 || change->week < 1 || change->week > 5 || change->day > 6) return std::nullopt;
    } else {
      change->kind = in.Take('J') ? 'J' : 'n';
      if (!in.Number(change->day) || change->day > 365) return std::nullopt;
    }
    if (in.Take('/') && !in.Time(change->time)) return std::nullopt;
  }
  if (!in.done()) return std::nullopt;
  return rule;
}

int64_t TimeZone::ChangeSeconds(const Change& change, int year) {
  using namespace std::chrono;
  const std::chrono::year y{year};
  sys_days day;
  if (change.kind == 'M') {
    const weekday wd{static_cast<unsigned>(change.day)};
    const month m{static_cast<unsigned>(change.month)};
    day = change.week == 5 ? sys_days{y / m / wd[last]} : sys_days{y / m / wd[static_cast<unsigned>(change.week)]};
  } else {
    int n = change.day;
    if (change.kind == 'J') n += (y.is_leap() && n >= 60 ? 1 : 0) - 1;  // Jn never counts 29 February
    day = sys_days{y / January / 1} + days{n};
  }
  return int64_t{day.time_since_epoch().count()} * 86400 + change.time;
}

int64_t TimeZone::RuleOffset(int64_t t) const {
  if (!rule_->has_summer) return rule_->standard;
  const int year = YearOf(t + rule_->standard);
  const int64_t begin = ChangeSeconds(rule_->begin, year) - rule_->standard, end = ChangeSeconds(rule_->end, year) - rule_->summer;
  const bool summer = begin < end ? t >= begin && t < end : t >= begin || t < end;
  return summer ? rule_->summer : rule_->standard;
}

int64_t TimeZone::OffsetAt(int64_t t) const {
  if (!times_.empty() && t < times_.back()) {
    const auto it = std::upper_bound(times_.begin(), times_.end(), t);
    return it == times_.begin() ? first_offset_ : offsets_[static_cast<size_t>(it - times_.begin()) - 1];
  }
  if (rule_) return RuleOffset(t);
  return offsets_.empty() ? first_offset_ : offsets_.back();
}

Result<std::shared_ptr<const TimeZone>> TimeZone::FromRule(const std::string& posix) {
  auto zone = std::make_shared<TimeZone>();
  zone->rule_ = ParseRule(posix);
  if (!zone->rule_) return Fail(Code::kInvalid, "\"" + posix + "\" is not a time zone", "write a name such as Europe/Berlin or UTC");
  return zone;
}

Result<std::shared_ptr<const TimeZone>> TimeZone::Parse(const std::string& bytes, const std::string& name) {
  const auto bad = [&](const char* why) { return Fail(Code::kEnvironment, "the time zone file of " + name + " is damaged: " + why, "reinstall the package tzdata"); };
  struct Header {
    int64_t isut, isstd, leap, time, type, chars;
  };
  const auto header = [&](size_t at, Header& h) {
    if (bytes.size() < at + 44 || bytes.compare(at, 4, "TZif") != 0) return false;
    h = {BigEndian(bytes, at + 20, 4), BigEndian(bytes, at + 24, 4), BigEndian(bytes, at + 28, 4), BigEndian(bytes, at + 32, 4), BigEndian(bytes, at + 36, 4), BigEndian(bytes, at + 40, 4)};
    for (const int64_t n : {h.isut, h.isstd, h.leap, h.time, h.type, h.chars})
      if (n < 0 || n > 100'000) return false;
    return h.type > 0;
  };
  Header h{};
  if (!header(0, h)) return bad("no TZif header");
  size_t at = 44, width = 4;
  if (bytes[4] >= '2') {  // the 64-bit block follows the 32-bit one
    at = 44 + static_cast<size_t>(h.time * 5 + h.type * 6 + h.chars + h.leap * 8 + h.isstd + h.isut);
    if (!header(at, h)) return bad("no second header");
    at += 44;
    width = 8;
  }
  const size_t types = at + static_cast<size_t>(h.time) * (width + 1);
  const size_t end = types + static_cast<size_t>(h.type * 6 + h.chars + h.leap * (static_cast<int64_t>(width) + 4) + h.isstd + h.isut);
  if (bytes.size() < end) return bad("it is cut off");
  auto zone = std::make_shared<TimeZone>();
  const auto offset = [&](size_t type) { return BigEndian(bytes, types + type * 6, 4); };
  zone->first_offset_ = offset(0);
  for (size_t i = 0; i < static_cast<size_t>(h.time); ++i) {
    const auto type = static_cast<unsigned char>(bytes[at + static_cast<size_t>(h.time) * width + i]);
    if (type >= h.type) return bad("a type out of range");
    zone->times_.push_back(BigEndian(bytes, at + i * width, width));
    zone->offsets_.push_back(offset(type));
  }
  if (!std::is_sorted(zone->times_.begin(), zone->times_.end())) return bad("times out of order");
  if (width == 8 && bytes.size() > end + 1 && bytes[end] == '\n') {
    const size_t close = bytes.find('\n', end + 1);
    if (close != std::string::npos && close > end + 1) zone->rule_ = ParseRule(bytes.substr(end + 1, close - end - 1));
  }
  return zone;
}

Result<std::shared_ptr<const TimeZone>> TimeZone::Load(const std::string& name) {
  if (name.empty() || name == "UTC" || name == "Etc/UTC") return FromRule("UTC0");
  if (name.find(',') != std::string::npos) return FromRule(name);
  bool safe = name[0] != '/' && name.find("..") == std::string::npos && name.size() < 100;
  for (const char c : name) safe = safe && (std::isalnum(static_cast<unsigned char>(c)) || c == '/' || c == '_' || c == '-' || c == '+');
  const char* dir = std::getenv("TZDIR");
  const fs::path folder = dir && *dir ? dir : "/usr/share/zoneinfo";
  std::error_code ec;
  if (!safe || !fs::is_regular_file(folder / name, ec))
    return Fail(Code::kInvalid, "there is no time zone \"" + name + "\"", fs::exists(folder, ec) ? "write a name such as Europe/Berlin or UTC" : "install the package tzdata, or use UTC");
  RONDO_TRY(const std::string bytes, ReadFile(folder / name, 1u << 20));
  return Parse(bytes, name);
}

}  // namespace rondo::pipeline
