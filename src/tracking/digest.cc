// Digests of metric histories: written along with the rows.
#include <algorithm>
#include <map>

#include "tracking/digest.h"
#include "tracking/store.h"

namespace rondo::tracking {
namespace {

constexpr std::string_view kDigested = "SELECT upto FROM metric_digested WHERE run = $1";
constexpr std::string_view kKeyCount = "SELECT count(*) FROM latest WHERE run = $1";
constexpr std::string_view kPending = "SELECT key, step, time, value FROM metric WHERE run = $1 AND seq > $2 AND seq <= $3 ORDER BY seq";
constexpr std::string_view kPutDigest =
    "INSERT INTO metric_digest (run, key, upto, start, points, step_low, step_high, time_low, time_high, marks) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
constexpr std::string_view kPutDigested = "INSERT INTO metric_digested (run, upto) VALUES ($1, $2) ON CONFLICT (run) DO UPDATE SET upto = excluded.upto";

constexpr int64_t kBlock = 64;         // points, of which at most five stay
constexpr int64_t kPerKey = 4 * kBlock;  // with fewer a key's digest would hardly be smaller than its rows
constexpr int64_t kLeast = 2048;       // rows of a run
constexpr int64_t kMost = 1 << 18;     // rows at once, in memory

/// The points of one block that any picture of it needs.
void PutMarks(const std::vector<Point>& points, size_t from, size_t to, std::string& out) {
  if (to - from <= 5) {
    for (size_t i = from; i < to; ++i) PutPoint(points[i], out);
    return;
  }
  size_t chosen[5] = {from, to - 1, from, from, from};
  bool any = false, gap = false;
  for (size_t i = from; i < to; ++i) {
    const double v = points[i].value;
    if (!std::isfinite(v)) {
      if (!gap) chosen[4] = i;
      gap = true;
      continue;
    }
    if (!any || v < points[chosen[2]].value) chosen[2] = i;
    if (!any || v > points[chosen[3]].value) chosen[3] = i;
    any = true;
  }
  std::ranges::sort(chosen);
  for (size_t k = 0; k < std::size(chosen); ++k)
    if (k == 0 || chosen[k] != chosen[k - 1]) PutPoint(points[chosen[k]], out);
}

Status DigestRange(db::Session& s, int64_t run, int64_t start, int64_t upto) {
  std::map<int64_t, std::vector<Point>> keys;
  RONDO_DO(s.Query(kPending, {run, start, upto}, [&](const db::Row& r) {
    keys[r.Int(0)].push_back({r.Int(1), r.Int(2), MetricValue(r, 3)});
    return true;
  }));
  std::string marks;
  for (const auto& [key, points] : keys) {
    marks.clear();
    for (size_t from = 0; from < points.size(); from += kBlock) PutMarks(points, from, std::min(points.size(), from + kBlock), marks);
    const auto [step_low, step_high] = std::ranges::minmax(points, {}, &Point::step);
    const auto [time_low, time_high] = std::ranges::minmax(points, {}, &Point::time);
    RONDO_TRY(const int64_t put, s.Exec(kPutDigest, {run, key, upto, start, static_cast<int64_t>(points.size()), step_low.step, step_high.step, time_low.time, time_high.time, db::Blob{marks}}));
    (void)put;
  }
  RONDO_TRY(const int64_t put, s.Exec(kPutDigested, {run, upto}));
  (void)put;
  return {};
}

}  // namespace

Status DigestRun(db::Session& s, int64_t run, int64_t last) {
  RONDO_TRY(const auto done, s.QueryInt(kDigested, {run}));
  int64_t start = done.value_or(0);
  if (last - start < kLeast) return {};
  RONDO_TRY(const auto keys, s.QueryInt(kKeyCount, {run}));
  if (last - start < std::min(kMost, kPerKey * keys.value_or(1))) return {};
  while (start < last) {
    const int64_t upto = std::min(last, start + kMost);
    RONDO_DO(DigestRange(s, run, start, upto));
    start = upto;
  }
  return {};
}

}  // namespace rondo::tracking
