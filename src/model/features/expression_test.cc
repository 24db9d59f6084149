#include "model/features/expression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/features/dates.h"

namespace rondo::model {
namespace {

const std::vector<std::string> kNames = {"a", "b", "total charges", "größe"};
const float kValues[] = {6, -4, 0.5f, 3};

float Value(std::string_view text) {
  const auto e = ParseExpression(text, kNames);
  EXPECT_TRUE(e) << text << ": " << (e ? "" : e.error().Text());
  return e ? Evaluate(*e, kValues) : std::numeric_limits<float>::quiet_NaN();
}

TEST(Expression, Arithmetic) {
  EXPECT_EQ(Value("a"), 6);
  EXPECT_EQ(Value(" a + b * 2 "), -2);
  EXPECT_EQ(Value("(a + b) * 2"), 4);
  EXPECT_EQ(Value("a - b - 1"), 9);
  EXPECT_EQ(Value("a / b / 2"), -0.75f);
  EXPECT_EQ(Value("--a"), 6);
  EXPECT_EQ(Value("-a * b"), 24);
  EXPECT_EQ(Value("2 - -a"), 8);
  EXPECT_EQ(Value("min(a, b, 1)"), -4);
  EXPECT_EQ(Value("max(a, b)"), 6);
  EXPECT_EQ(Value("abs(b)"), 4);
  EXPECT_EQ(Value("sqrt(abs(b))"), 2);
  EXPECT_FLOAT_EQ(Value("log(a)"), 1.7917594909667969f);
  EXPECT_FLOAT_EQ(Value("log1p(a)"), 1.9459101490553132f);
  EXPECT_FLOAT_EQ(Value("exp(a)"), 403.4287934927351f);
  EXPECT_EQ(Value("1.5e1 * a"), 90);
  EXPECT_EQ(Value("\"total charges\" * `a`"), 3);
  EXPECT_EQ(Value("größe"), 3);
  EXPECT_TRUE(std::isnan(Value("log(b)")));
  const float nan_values[] = {std::numeric_limits<float>::quiet_NaN(), 1, 1, 1};
  for (const char* text : {"min(a, b)", "min(b, a)", "max(a, b)", "max(b, a)"}) EXPECT_TRUE(std::isnan(Evaluate(*ParseExpression(text, kNames), nan_values))) << text;
}

TEST(Expression, Mistakes) {
  for (const char* text : {"", "a +", "(a", "a)", "a b", "1 + 2", "min(a)", "abs(a, b)", "nosuch(a)", "a ** b", "\"a", "a @ b", "1e99 * a", "min(a,)", "a..2", "()", "-", "exec('x')", "a; b"}) {
    const auto e = ParseExpression(text, kNames);
    ASSERT_FALSE(e) << text;
    EXPECT_EQ(e.error().code, Code::kInvalid);
  }
  EXPECT_NE(ParseExpression("total_charges * 2", kNames).error().hint.find("total charges"), std::string::npos);
  EXPECT_FALSE(ParseExpression(std::string(10'000, '(') + "a", kNames));
  EXPECT_FALSE(ParseExpression(std::string(10'000, '-') + "a", kNames));
  // A deep right-nested stack is refused, not overrun.
  std::string nested = "a";
  for (int i = 0; i < 45; ++i) nested = "a + b * (" + nested + ")";
  EXPECT_FALSE(ParseExpression(nested, kNames));
  std::string flat = "a";
  for (int i = 0; i < 1000; ++i) flat += " + a";
  EXPECT_TRUE(ParseExpression(flat, kNames));
}

// Python: datetime.date(...).toordinal(), weekday().
TEST(Dates, PartsAndBadTexts) {
  struct Case {
    const char* text;
    int64_t days;
    float year, month, day, weekday, hour;
  };
  for (const Case& c : {Case{"2024-02-29", 19782, 2024, 2, 29, 3, 0}, Case{"1969-12-31T23:59:59.9Z", -1, 1969, 12, 31, 2, 23}, Case{"2000-03-01 00:00", 11017, 2000, 3, 1, 2, 0},
                        Case{"0001-01-01", -719162, 1, 1, 1, 0, 0}, Case{"9999-12-31T12:00:00+00:00", 2932896, 9999, 12, 31, 4, 12},
                        Case{"2024-12-31T23:30:00-02:00", 20089, 2025, 1, 1, 2, 1}, Case{"2024-03-01T01:00+05:30", 19782, 2024, 2, 29, 3, 19}}) {
    const auto minutes = ParseMinutes(c.text);
    ASSERT_TRUE(minutes) << c.text;
    EXPECT_EQ(PartOf(DatePart::days_since, *minutes, 0), static_cast<float>(-c.days)) << c.text;
    EXPECT_EQ(PartOf(DatePart::year, *minutes, 0), c.year) << c.text;
    EXPECT_EQ(PartOf(DatePart::month, *minutes, 0), c.month) << c.text;
    EXPECT_EQ(PartOf(DatePart::day, *minutes, 0), c.day) << c.text;
    EXPECT_EQ(PartOf(DatePart::weekday, *minutes, 0), c.weekday) << c.text;
    EXPECT_EQ(PartOf(DatePart::hour, *minutes, 0), c.hour) << c.text;
  }
  for (const char* text : {"", "2024", "2024-1-01", "2024-00-01", "2024-13-01", "2024-01-32", "2024-01-00", "2024-01-01T", "2024-01-01T24:00", "2024-01-01T10:60", "2024-01-01T10:00:60", "2024-01-01T10:00:0",
                           "2024-01-01T10:00:00.", "2024-01-01Z", "2024-01-01T10:00z", "2024-01-01T10:00+2:00", "2024-01-01T10:00+0200", "2024-01-01x", " 2024-01-01", "2024-01-01T10:00:00ZZ", "a024-01-01"})
    EXPECT_FALSE(ParseMinutes(text)) << text;
}

}  // namespace
}  // namespace rondo::model
