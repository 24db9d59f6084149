// Types of text cells.
#include "table/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/clock.h"

namespace rondo::table {
namespace {

constexpr int64_t kExact = int64_t{1} << 53;

std::string_view Trim(std::string_view s) {
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.front()))) s.remove_prefix(1);
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.back()))) s.remove_suffix(1);
  return s;
}
bool Digits(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}
std::string_view Unsigned(std::string_view s) {
  if (!s.empty() && (s[0] == '-' || s[0] == '+')) s.remove_prefix(1);
  return s;
}
bool WithinExact(std::string_view digits) {
  int64_t v = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), v);
  return ec == std::errc() && end == digits.data() + digits.size() && v <= kExact;
}
bool CanonicalInt(std::string_view s) {
  if (s == "0") return true;
  if (s.starts_with('-')) s.remove_prefix(1);
  return Digits(s) && s[0] != '0' && WithinExact(s);
}
bool LeadingZero(std::string_view s) {
  s = Unsigned(s);
  return Digits(s) && s.size() > 1 && s[0] == '0';
}
bool BeyondExact(std::string_view s) {
  s = Unsigned(s);
  return Digits(s) && !WithinExact(s);
}
/// [+-] digits [. digits] [e[+-]digits], not too large for a double.
bool Number(std::string_view s, char decimal) {
  s = Unsigned(Trim(s));
  size_t i = 0, whole = 0, fraction = 0;
  while (i < s.size() && std::isdigit(static_cast<unsigned char>(s[i]))) ++i, ++whole;
  if (i < s.size() && s[i] == decimal) {
    ++i;
    while (i < s.size() && std::isdigit(static_cast<unsigned char>(s[i]))) ++i, ++fraction;
  }
  if (whole + fraction == 0) return false;
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    std::string_view exponent = Unsigned(s.substr(i + 1));
    if (!Digits(exponent)) return false;
    int e = 0;
    if (std::from_chars(exponent.data(), exponent.data() + exponent.size(), e).ec != std::errc() || e > 300) return false;
    i = s.size();
  }
  return i == s.size() && whole < 300 && !(fraction == 0 && i == whole && !WithinExact(s));
}
std::string Lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}
bool DateShape(std::string_view s) {
  if (s.size() != 10 || s[4] != '-' || s[7] != '-') return false;
  return Digits(s.substr(0, 4)) && Digits(s.substr(5, 2)) && Digits(s.substr(8, 2)) && ParseTime(s).has_value();
}
bool DatetimeShape(std::string_view s) {
  if (s.size() < 10 || !DateShape(s.substr(0, 10))) return false;
  if (s.size() == 10) return true;
  return s.size() >= 16 && (s[10] == ' ' || s[10] == 'T') && ParseTime(s).has_value();
}
constexpr const char* kDatetimeRegex = "[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?";
constexpr const char* kMidnightRegex = "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]00:00(:00(\\.0+)?)?Z?";

/// The text expression as one with a decimal point; with a decimal comma, a point is no number ("1.234" could be a thousand).
std::string Pointed(const std::string& x, char decimal) {
  if (decimal == '.') return x;
  return fmt::format("(CASE WHEN contains({0}, '.') THEN NULL ELSE replace({0}, {1}, '.') END)", x, QuoteText(std::string(1, decimal)));
}
}  // namespace

std::string ValueSql(const std::string& x, Type type, bool forced, char decimal) {
  switch (type) {
    case Type::kInt: return fmt::format("TRY_CAST({} AS BIGINT)", forced ? Pointed(x, decimal) : x);
    case Type::kFloat: return fmt::format("TRY_CAST({} AS DOUBLE)", Pointed(x, decimal));
    case Type::kBool: return forced ? fmt::format("lower(trim({})) IN ('true', 't', 'yes', 'y', '1')", x) : fmt::format("lower({}) = 'true'", x);
    case Type::kDate: return fmt::format("TRY_CAST({} AS DATE)", x);
    // A time with an offset names an instant: keep it in UTC. DuckDB's own cast to TIMESTAMP would drop the offset.
    case Type::kDatetime: return fmt::format("(CASE WHEN regexp_matches({0}, '[+-][0-9]{{2}}(:?[0-9]{{2}})?$') AND length({0}) > 10 THEN make_timestamp(epoch_us(TRY_CAST({0} AS TIMESTAMPTZ))) ELSE TRY_CAST({0} AS TIMESTAMP) END)", x);
    default: return x;
  }
}

bool CellIsNumber(std::string_view text) { return Number(text, '.'); }

void TypeGuess::Add(std::string_view cell) {
  seen_ = true;
  int_ = int_ && CanonicalInt(cell);
  leading_zero_ = leading_zero_ || LeadingZero(cell);
  beyond_ = beyond_ || BeyondExact(cell);
  float_ = float_ && Number(cell, decimal_);
  fraction_ = fraction_ || (float_ && !Digits(Unsigned(cell)));
  if (bool_) bool_ = cell.size() <= 5 && (Lower(cell) == "true" || Lower(cell) == "false");
  date_ = date_ && DateShape(cell);
  datetime_ = datetime_ && DatetimeShape(cell);
}
Type TypeGuess::type() const {
  if (!seen_) return Type::kString;
  if (int_) return Type::kInt;
  if (beyond_ || (leading_zero_ && !fraction_)) return Type::kString;
  if (float_) return Type::kFloat;
  if (bool_) return Type::kBool;
  if (date_) return Type::kDate;
  return datetime_ ? Type::kDatetime : Type::kString;
}

bool CellFits(std::string_view cell, Type type, bool forced, char decimal) {
  switch (type) {
    case Type::kInt: {
      if (!forced) return CanonicalInt(cell);
      std::string_view s = Unsigned(Trim(cell));
      if (const size_t point = s.find(decimal); point != s.npos) {
        if (s.find_first_not_of('0', point + 1) != s.npos) return false;
        s = s.substr(0, point);
      }
      while (s.size() > 1 && s[0] == '0') s.remove_prefix(1);
      return Digits(s) && WithinExact(s);
    }
    case Type::kFloat: return Number(cell, decimal);
    case Type::kBool: {
      const std::string s = Lower(forced ? Trim(cell) : cell);
      if (s == "true" || s == "false") return true;
      return forced && (s == "t" || s == "f" || s == "yes" || s == "no" || s == "y" || s == "n" || s == "1" || s == "0");
    }
    case Type::kDate: return DateShape(cell) || (forced && cell.size() > 10 && DatetimeShape(cell) && cell.find_first_not_of("0:. TZ", 10) == cell.npos);
    case Type::kDatetime: return DatetimeShape(cell);
    default: return true;
  }
}

std::string TypeComplaint(Type type, bool forced) {
  switch (type) {
    case Type::kInt: return "is not an int (a whole number within ±2^53)";
    case Type::kFloat: return "is not a float (a finite number)";
    case Type::kBool: return forced ? "is not a bool (true, false, yes, no, 1, 0)" : "is not a bool (true, false)";
    case Type::kDate: return "is not a date (YYYY-MM-DD)";
    case Type::kDatetime: return "is not a datetime (YYYY-MM-DD hh:mm:ss)";
    default: return "does not fit";
  }
}

std::string FitsSql(const std::string& x, const std::string& v, Type type, bool forced, char decimal) {
  switch (type) {
    case Type::kInt:
      if (!forced) return fmt::format("({0}::VARCHAR = {1} AND {0} BETWEEN -{2} AND {2})", v, x, kExact);
      return fmt::format("(({0}::VARCHAR = {1} OR regexp_full_match({3}, '\\s*[+-]?[0-9]+(\\.0*)?\\s*')) AND {0} BETWEEN -{2} AND {2})", v, x, kExact, Pointed(x, decimal));
    case Type::kFloat:
      return fmt::format("(isfinite({0}) AND NOT contains({1}, '_') AND (abs({0}) < {2} OR NOT regexp_full_match({1}, '\\s*[+-]?[0-9]+\\s*') OR coalesce(TRY_CAST({1} AS BIGINT) BETWEEN -{2} AND {2}, false)))", v, x, kExact);
    case Type::kBool:
      return forced ? fmt::format("(lower(trim({})) IN ('true', 'false', 't', 'f', 'yes', 'no', 'y', 'n', '1', '0'))", x) : fmt::format("(lower({}) IN ('true', 'false'))", x);
    case Type::kDate:
      return forced ? fmt::format("({0}::VARCHAR = {1} OR ({0} IS NOT NULL AND regexp_full_match({1}, '{2}')))", v, x, kMidnightRegex) : fmt::format("({}::VARCHAR = {})", v, x);
    case Type::kDatetime: return fmt::format("({} IS NOT NULL AND regexp_full_match({}, '{}'))", v, x, kDatetimeRegex);
    default: return "true";
  }
}
std::string CastMarker(size_t column) { return fmt::format("rondo-cast:{}:", column); }
std::string CastSql(const std::string& x, const std::string& v, Type type, bool forced, char decimal, size_t column) {
  if (type == Type::kString || type == Type::kCategory) return x;
  return fmt::format("CASE WHEN {0} IS NULL THEN NULL WHEN {1} THEN {2} ELSE error('{3}' || {0}) END", x, FitsSql(x, v, type, forced, decimal), v, CastMarker(column));
}
std::string LeadingZeroSql(const std::string& x) { return fmt::format("regexp_full_match({}, '[+-]?0[0-9]+')", x); }
std::string BeyondExactSql(const std::string& x) {
  return fmt::format("(length({0}) > 15 AND regexp_full_match({0}, '[+-]?[0-9]+') AND NOT coalesce(TRY_CAST({0} AS BIGINT) BETWEEN -{1} AND {1}, false))", x, kExact);
}
std::string FractionSql(const std::string& x, char decimal) { return fmt::format("NOT regexp_full_match({}, '[+-]?[0-9]+')", Pointed(x, decimal)); }
bool ParseCastMarker(std::string_view message, size_t& column, std::string& value) {
  constexpr std::string_view kMarker = "rondo-cast:";
  const size_t at = message.find(kMarker);
  if (at == message.npos) return false;
  const char* begin = message.data() + at + kMarker.size();
  const auto [end, ec] = std::from_chars(begin, message.data() + message.size(), column);
  if (ec != std::errc() || end == message.data() + message.size() || *end != ':') return false;
  value = std::string(end + 1, message.data() + message.size());
  return true;
}

}  // namespace rondo::table
