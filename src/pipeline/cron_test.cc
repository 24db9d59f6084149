#include "pipeline/cron.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace rondo::pipeline {
namespace {

constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";

std::string Next(const std::string& cron, const std::string& after, const std::string& zone = "UTC") {
  auto c = Cron::Parse(cron);
  auto z = TimeZone::Load(zone);
  if (!c || !z) return "error";
  const auto next = c->Next(*ParseTime(after), **z);
  return next ? FormatTime(*next).substr(0, 16) : "never";
}

TEST(Cron, FieldsAsCroniterReadsThem) {
  // Expected values from croniter 6.0 (Python): croniter(expr, start).get_next().
  EXPECT_EQ(Next("0 3 * * *", "2026-11-25T01:00:00Z"), "2026-11-25T03:00");
  EXPECT_EQ(Next("0 3 * * *", "2026-11-25T03:00:00Z"), "2026-11-26T03:00");
  EXPECT_EQ(Next("*/15 * * * *", "2026-11-25T01:59:59Z"), "2026-11-25T02:00");
  EXPECT_EQ(Next("5-20/5 9-17 * * 1-5", "2026-11-27T17:20:00Z"), "2026-11-30T09:05");
  EXPECT_EQ(Next("0 0 1 jan *", "2026-11-25"), "2027-01-01T00:00");
  EXPECT_EQ(Next("0 0 29 2 *", "2026-01-01"), "2028-02-29T00:00");
  EXPECT_EQ(Next("0 12 * * sun", "2026-11-25"), "2026-11-29T12:00");
  EXPECT_EQ(Next("0 12 * * 7", "2026-11-25"), "2026-11-29T12:00");
  EXPECT_EQ(Next("0 0 13 * 5", "2026-11-25"), "2026-11-27T00:00") << "either day field may match";
  EXPECT_EQ(Next("0 0 30 2 *", "2026-01-01"), "never");
  EXPECT_EQ(Next("0,30 8 1,15 * *", "2026-11-25"), "2026-12-01T08:00");
}

TEST(Cron, RefusesWhatIsNoCron) {
  for (const char* bad : {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *", "5-1 * * * *", "*/0 * * * *", "1,,2 * * * *", "- * * * *"})
    EXPECT_FALSE(Cron::Parse(bad)) << bad;
}

TEST(Cron, TheMissingHourFiresAtItsEnd) {
  // Berlin, 2027-03-28: 02:00 -> 03:00 local, at 01:00 UTC.
  EXPECT_EQ(Next("30 2 * * *", "2027-03-27T12:00:00Z", kBerlin), "2027-03-28T01:00");
  EXPECT_EQ(Next("30 2 * * *", "2027-03-28T01:00:00Z", kBerlin), "2027-03-29T00:30");
  EXPECT_EQ(Next("0 3 * * *", "2027-03-27T12:00:00Z", kBerlin), "2027-03-28T01:00");
  EXPECT_EQ(Next("0 3 * * *", "2027-03-28T01:00:00Z", kBerlin), "2027-03-29T01:00");
}

TEST(Cron, TheRepeatedHourFiresOnce) {
  // Berlin, 2026-10-25: 03:00 -> 02:00 local, at 01:00 UTC.
  EXPECT_EQ(Next("30 2 * * *", "2026-10-24T12:00:00Z", kBerlin), "2026-10-25T00:30");
  EXPECT_EQ(Next("30 2 * * *", "2026-10-25T00:30:00Z", kBerlin), "2026-10-26T01:30");
  // Wild hours follow real time.
  EXPECT_EQ(Next("30 * * * *", "2026-10-25T00:30:00Z", kBerlin), "2026-10-25T01:30");
}

TEST(Cron, ADayOfChangesHasNoDoubleAndNoMissedDailyFiring) {
  auto zone = *TimeZone::FromRule(kBerlin);
  for (int hour = 0; hour < 24; ++hour)
    for (int minute : {0, 15, 30, 59}) {
      auto cron = *Cron::Parse(std::to_string(minute) + " " + std::to_string(hour) + " * * *");
      EXPECT_EQ(Firings(cron, *zone, *ParseTime("2026-12-31T23:00:00Z") - 1, *ParseTime("2027-12-31T23:00:00Z") - 1).size(), 365u) << hour << ":" << minute;
    }
}

TEST(TimeZone, RulesOfBothHemispheres) {
  auto sydney = *TimeZone::FromRule("AEST-10AEDT,M10.1.0,M4.1.0/3");
  EXPECT_EQ(sydney->OffsetAt(*ParseTime("2026-01-15") / 1000), 11 * 3600);
  EXPECT_EQ(sydney->OffsetAt(*ParseTime("2026-07-15") / 1000), 10 * 3600);
  auto india = *TimeZone::FromRule("IST-5:30");
  EXPECT_EQ(india->OffsetAt(0), 19800);
  auto newfoundland = *TimeZone::FromRule("<-0330>3:30<-0230>,M3.2.0,M11.1.0");
  EXPECT_EQ(newfoundland->OffsetAt(*ParseTime("2026-07-01") / 1000), -9000);
  for (const char* bad : {"", "X", "CET", "CET-1CEST", "CET-1CEST,M13.1.0,M4.1.0", "CET-1CEST,M3.5.0", "CET-1 junk"}) EXPECT_FALSE(TimeZone::FromRule(bad)) << bad;
}

TEST(TimeZone, RefusesNamesThatLeaveTheFolder) {
  for (const char* bad : {"../../etc/passwd", "/etc/passwd", "Nowhere/City", "a\nb"}) EXPECT_FALSE(TimeZone::Load(bad)) << bad;
}

TEST(TimeZone, DamagedFilesAreErrors) {
  for (const std::string& bad : {std::string(), std::string("TZif"), std::string("TZif2") + std::string(39, '\0'), std::string("TZif2") + std::string(39, '\xff')}) EXPECT_FALSE(TimeZone::Parse(bad, "x"));
}

TEST(TimeZone, FilesOfTheSystem) {
  auto berlin = TimeZone::Load("Europe/Berlin");
  if (!berlin) GTEST_SKIP() << "no tzdata here";
  // Python's zoneinfo: utcoffset() at these moments.
  EXPECT_EQ((*berlin)->OffsetAt(*ParseTime("2026-07-01") / 1000), 7200);
  EXPECT_EQ((*berlin)->OffsetAt(*ParseTime("2026-12-01") / 1000), 3600);
  EXPECT_EQ((*berlin)->OffsetAt(*ParseTime("1945-06-01") / 1000), 10800);
  EXPECT_EQ((*berlin)->OffsetAt(*ParseTime("2150-07-01") / 1000), 7200);
}

}  // namespace
}  // namespace rondo::pipeline
