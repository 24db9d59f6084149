// Reads histories for charts, from digests where rows would be too many.
#include "tracking/curves.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "tracking/digest.h"
#include "tracking/store.h"

namespace rondo::tracking {
namespace {

constexpr std::string_view kKeyId = "SELECT id FROM metric_key WHERE name = $1";
constexpr std::string_view kRunKeys = "SELECT k.id, k.name FROM latest l JOIN metric_key k ON k.id = l.key WHERE l.run = $1";
constexpr std::string_view kHasKey = "SELECT 1 FROM latest WHERE run = $1 AND key = $2";
constexpr std::string_view kDigested = "SELECT upto FROM metric_digested WHERE run = $1";
constexpr std::string_view kLast = "SELECT max(seq) FROM metric WHERE run = $1";
constexpr std::string_view kFirstTime = "SELECT time FROM metric WHERE run = $1 ORDER BY seq LIMIT 1";
constexpr std::string_view kChunks = "SELECT start, upto, points, step_low, step_high, time_low, time_high FROM metric_digest WHERE run = $1 AND key = $2 ORDER BY upto";
constexpr std::string_view kMarks = "SELECT upto, marks FROM metric_digest WHERE run = $1 AND key = $2 ORDER BY upto";
constexpr std::string_view kRows = "SELECT key, step, time, value FROM metric WHERE run = $1 AND seq > $2 AND seq <= $3";
constexpr std::string_view kOfKey = "SELECT key, step, time, value FROM metric WHERE run = $1 AND seq > $2 AND seq <= $3 AND key = $4";
constexpr std::string_view kDigestKeys = "SELECT DISTINCT key FROM metric_digest WHERE run = $1 AND points > 1";
constexpr std::string_view kTailKeys = "SELECT key FROM metric WHERE run = $1 AND seq > $2 ORDER BY seq LIMIT 50000";

constexpr int64_t kManyRows = 16'384;  // undigested: written before digests existed

struct Chunk {
  int64_t start = 0, upto = 0, points = 0;
  int64_t low = 0, high = 0;  ///< on the axis
};
struct Series {
  std::string name;
  std::vector<Chunk> chunks;
  std::vector<Point> points;
  int64_t total = 0;
};

class RunReader {
 public:
  RunReader(db::Session& s, const CurveQuery& query, int64_t run) : s_(s), query_(query), run_(run) {}

  Status Read(std::map<int64_t, std::string> keys, size_t most_rows) {
    if (keys.empty()) return {};
    RONDO_TRY(const auto digested, s_.QueryInt(kDigested, {run_}));
    RONDO_TRY(const auto first, s_.QueryInt(kFirstTime, {run_}));
    if (query_.axis == CurveAxis::kRelative) origin_ = first.value_or(0);
    for (auto& [id, name] : keys) {
      Series& series = series_[id];
      series.name = std::move(name);
      if (digested) RONDO_DO(ReadChunks(id, series));
    }
    // Keys of a run are digested together, so their chunks cover the same rows.
    std::set<std::pair<int64_t, int64_t>> ranges;
    for (const auto& [id, series] : series_)
      for (const Chunk& c : series.chunks)
        if (Overlaps(c)) ranges.emplace(c.start, c.upto);
    int64_t rows = 0;
    for (const auto& [start, upto] : ranges) rows += upto - start;
    exact_ = rows <= static_cast<int64_t>(most_rows);
    if (exact_) {
      for (const auto& [start, upto] : ranges) RONDO_DO(ReadRows(start, upto, false));
    } else {
      for (auto& [id, series] : series_) RONDO_DO(ReadMarks(id, series));
    }
    return ReadRows(digested.value_or(0), std::numeric_limits<int64_t>::max(), true);
  }

  std::map<int64_t, Series>& series() { return series_; }
  bool exact() const { return exact_; }
  int64_t X(const Point& p) const { return query_.axis == CurveAxis::kStep ? p.step : p.time - origin_; }

 private:
  Status ReadChunks(int64_t id, Series& series) {
    return s_.Query(kChunks, {run_, id}, [&](const db::Row& r) {
      Chunk c{r.Int(0), r.Int(1), r.Int(2), r.Int(3), r.Int(4)};
      if (query_.axis != CurveAxis::kStep) {
        c.low = r.Int(5) - origin_;
        c.high = r.Int(6) - origin_;
      }
      series.total += c.points;
      series.chunks.push_back(c);
      return true;
    });
  }
  bool Overlaps(const Chunk& c) const { return (!query_.to || c.low <= *query_.to) && (!query_.from || c.high >= *query_.from); }

  Status ReadMarks(int64_t id, Series& series) {
    size_t at = 0;
    return s_.Query(kMarks, {run_, id}, [&](const db::Row& r) {
      const bool wanted = at < series.chunks.size() && Overlaps(series.chunks[at]);
      ++at;
      if (!wanted) return true;
      const std::string_view marks = r.Text(1);
      for (size_t i = 0; i < marks.size() / kPointBytes; ++i) series.points.push_back(PointAt(marks, i));
      return true;
    });
  }

  Status ReadRows(int64_t start, int64_t upto, bool count) {
    const auto take = [&](const db::Row& r) {
      const auto it = series_.find(r.Int(0));
      if (it == series_.end()) return true;
      it->second.points.push_back({r.Int(1), r.Int(2), MetricValue(r, 3)});
      if (count) ++it->second.total;
      return true;
    };
    if (series_.size() == 1) return s_.Query(kOfKey, {run_, start, upto, series_.begin()->first}, take);
    return s_.Query(kRows, {run_, start, upto}, take);
  }

  db::Session& s_;
  const CurveQuery& query_;
  int64_t run_;
  int64_t origin_ = 0;
  bool exact_ = true;
  std::map<int64_t, Series> series_;
};

/// Sorted by x, exact duplicates dropped, and cut to the view with one point more on either side.
void PutInOrder(const RunReader& reader, const CurveQuery& query, std::vector<Point>& points, Curve& curve) {
  const auto rank = [&](const Point& p) { return std::tuple(reader.X(p), p.step, p.time, std::isnan(p.value), std::isnan(p.value) ? 0.0 : p.value); };
  const auto less = [&](const Point& a, const Point& b) { return rank(a) < rank(b); };
  // Nearly always they are: only a metric that goes back in steps isn't.
  if (!std::ranges::is_sorted(points, less)) std::ranges::sort(points, less);
  const auto same = std::ranges::unique(points, [&](const Point& a, const Point& b) { return rank(a) == rank(b); });
  points.erase(same.begin(), same.end());
  auto begin = points.begin(), end = points.end();
  const auto x = [&](const Point& p) { return reader.X(p); };
  if (query.from) begin = std::ranges::lower_bound(points, *query.from, {}, x);
  if (query.to) end = std::ranges::upper_bound(points, *query.to, {}, x);
  if (begin != points.begin()) --begin;
  if (end != points.end()) ++end;
  for (auto it = begin; it < end; ++it) {
    curve.x.push_back(reader.X(*it));
    curve.value.push_back(it->value);
  }
}

struct Wanted {
  int64_t run = 0;
  std::string run_id;
  std::map<int64_t, std::string> keys;
};

Result<std::vector<Wanted>> FindWanted(db::Session& s, const CurveQuery& query) {
  std::map<int64_t, std::string> asked;
  for (const std::string& name : query.keys) {
    RONDO_TRY(const auto id, s.QueryInt(kKeyId, {name}));
    if (id) asked[*id] = name;
  }
  std::vector<Wanted> out;
  for (const std::string& run_id : query.run_ids) {
    RONDO_TRY(const RunRow row, FindRun(s, run_id));
    Wanted& w = out.emplace_back();
    w.run = row.id;
    w.run_id = run_id;
    if (query.keys.empty()) {
      RONDO_DO(s.Query(kRunKeys, {row.id}, [&](const db::Row& r) {
        w.keys[r.Int(0)] = r.String(1);
        return true;
      }));
      continue;
    }
    for (const auto& [id, name] : asked) {
      RONDO_TRY(const auto has, s.QueryInt(kHasKey, {row.id, id}));
      if (has) w.keys[id] = name;
    }
  }
  return out;
}

/// Histories from before digests: one write makes them.
Status DigestOld(db::Database& db, const std::vector<Wanted>& wanted) {
  std::vector<std::pair<int64_t, int64_t>> old;
  RONDO_DO(db.Read([&](db::Session& s) -> Status {
    for (const Wanted& w : wanted) {
      RONDO_TRY(const auto done, s.QueryInt(kDigested, {w.run}));
      RONDO_TRY(const auto last, s.QueryInt(kLast, {w.run}));
      if (last.value_or(0) - done.value_or(0) > kManyRows) old.emplace_back(w.run, *last);
    }
    return {};
  }));
  for (const auto& [run, last] : old)
    RONDO_DO(db.Write([&](db::Session& s) { return DigestRun(s, run, last); }));
  return {};
}

}  // namespace

void KeepM4(std::vector<int64_t>& x, std::vector<double>& value, int64_t low, int64_t high, size_t columns) {
  columns = std::max<size_t>(1, columns);
  if (x.size() <= 4 * columns) return;
  const double width = static_cast<double>(high) - static_cast<double>(low) + 1;
  const auto column = [&](int64_t at) {
    const double share = (static_cast<double>(at) - static_cast<double>(low)) / width;
    return static_cast<int64_t>(std::floor(share * static_cast<double>(columns)));
  };
  size_t out = 0;
  for (size_t from = 0, to = 0; from < x.size(); from = to) {
    const int64_t c = column(x[from]);
    size_t lowest = from, highest = from, gap = x.size();
    bool any = false;
    for (to = from; to < x.size() && column(x[to]) == c; ++to) {
      if (!std::isfinite(value[to])) {
        if (gap == x.size()) gap = to;
        continue;
      }
      if (!any || value[to] < value[lowest]) lowest = to;
      if (!any || value[to] > value[highest]) highest = to;
      any = true;
    }
    size_t chosen[5] = {from, to - 1, lowest, highest, gap == x.size() ? from : gap};
    std::ranges::sort(chosen);
    for (size_t k = 0; k < std::size(chosen); ++k) {
      if (k > 0 && chosen[k] == chosen[k - 1]) continue;
      x[out] = x[chosen[k]];
      value[out] = value[chosen[k]];
      ++out;
    }
  }
  x.resize(out);
  value.resize(out);
}

Result<std::vector<Curve>> ReadCurves(db::Database& db, const CurveQuery& query) {
  RONDO_TRY(const auto wanted, db::Fetch<std::vector<Wanted>>(db, [&](db::Session& s) { return FindWanted(s, query); }));
  RONDO_DO(DigestOld(db, wanted));
  std::vector<Curve> out;
  const size_t rows_each = query.most_rows / std::max<size_t>(1, wanted.size());
  RONDO_DO(db.Read([&](db::Session& s) -> Status {
    for (const Wanted& w : wanted) {
      RunReader reader(s, query, w.run);
      RONDO_DO(reader.Read(w.keys, rows_each));
      const size_t first = out.size();
      for (auto& [id, series] : reader.series()) {
        Curve& curve = out.emplace_back();
        curve.run_id = w.run_id;
        curve.key = series.name;
        curve.total = series.total;
        curve.exact = reader.exact();
        PutInOrder(reader, query, series.points, curve);
      }
      std::sort(out.begin() + static_cast<long>(first), out.end(), [](const Curve& a, const Curve& b) { return a.key < b.key; });
    }
    return {};
  }));
  // Runs over each other share their columns: the same pixels cut all of them.
  std::map<std::string, std::pair<int64_t, int64_t>> span;
  for (const Curve& c : out) {
    if (c.x.empty()) continue;
    const auto [it, fresh] = span.try_emplace(c.key, c.x.front(), c.x.back());
    if (fresh) continue;
    it->second.first = std::min(it->second.first, c.x.front());
    it->second.second = std::max(it->second.second, c.x.back());
  }
  for (Curve& c : out) {
    if (c.x.empty()) continue;
    const auto& [low, high] = span[c.key];
    KeepM4(c.x, c.value, query.from.value_or(low), query.to.value_or(high), query.columns);
  }
  return out;
}

Result<std::vector<CurveKey>> ReadCurveKeys(db::Database& db, const std::vector<std::string>& run_ids) {
  std::map<std::string, CurveKey> keys;
  RONDO_DO(db.Read([&](db::Session& s) -> Status {
    for (const std::string& run_id : run_ids) {
      RONDO_TRY(const RunRow row, FindRun(s, run_id));
      std::map<int64_t, std::string> names;
      RONDO_DO(s.Query(kRunKeys, {row.id}, [&](const db::Row& r) {
        names[r.Int(0)] = r.String(1);
        return true;
      }));
      std::map<int64_t, int> seen;
      size_t open = names.size();
      RONDO_DO(s.Query(kDigestKeys, {row.id}, [&](const db::Row& r) {
        seen[r.Int(0)] = 2;
        if (open > 0) --open;
        return true;
      }));
      RONDO_TRY(const auto digested, s.QueryInt(kDigested, {row.id}));
      if (open > 0)
        RONDO_DO(s.Query(kTailKeys, {row.id, digested.value_or(0)}, [&](const db::Row& r) {
          if (++seen[r.Int(0)] == 2) --open;
          return open > 0;
        }));
      for (const auto& [id, name] : names) {
        CurveKey& key = keys[name];
        key.key = name;
        ++key.runs;
        if (seen[id] > 1) ++key.curves;
      }
    }
    return {};
  }));
  std::vector<CurveKey> out;
  for (auto& [name, key] : keys) out.push_back(std::move(key));
  return out;
}

}  // namespace rondo::tracking
