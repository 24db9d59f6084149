/// Metric histories for charts: any number of points becomes a few per pixel column without losing a spike.
///
/// Long histories are digested while they are written: of each 64 points of a key the first, lowest, highest and last stay in a small blob
/// (`metric_digest`, docs/formats/database.md). A chart reads those and the rows that are not digested yet; one that is zoomed in far enough reads
/// the rows themselves. Either way the answer is cut to M4 (Jugel et al., VLDB 2014): per pixel column the first, lowest, highest and last point.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/db.h"

namespace rondo::tracking {

enum class CurveAxis {
  kStep,
  kTime,      ///< ms since 1970
  kRelative,  ///< ms since the run's first point
};

struct CurveQuery {
  std::vector<std::string> run_ids = {};
  std::vector<std::string> keys = {};  ///< empty: every key of the runs
  CurveAxis axis = CurveAxis::kStep;
  std::optional<int64_t> from = {}, to = {};  ///< in the axis' unit, both included; the nearest point on either side comes too, so that lines reach the edge
  size_t columns = 300;             ///< pixel columns
  /// Above this many rows within the view, digests are read instead of rows.
  size_t most_rows = 400'000;
};

struct Curve {
  std::string run_id, key;
  int64_t total = 0;    ///< points stored, exact duplicates included
  bool exact = true;    ///< false: chosen among digests. No extreme is lost, but a column may lack one that its neighbour surpasses
  std::vector<int64_t> x;  ///< ascending
  std::vector<double> value;
};

/// In the order of the runs, then of the keys' names. A run that doesn't exist is kNotFound in MLflow's words; a key that a run lacks has no curve.
/// The first read of histories that were written before digests existed also writes those.
Result<std::vector<Curve>> ReadCurves(db::Database& db, const CurveQuery& query);

struct CurveKey {
  std::string key;
  int64_t runs = 0;    ///< that logged it
  int64_t curves = 0;  ///< of those, with more than one point
};
/// By name.
Result<std::vector<CurveKey>> ReadCurveKeys(db::Database& db, const std::vector<std::string>& run_ids);

/// Digests what a run logged since the last time, once that is enough to be worth it. Call after appending rows up to `last` (seq), in the same write.
Status DigestRun(db::Session& s, int64_t run, int64_t last);

/// Cuts points to the columns of [low, high]: first, lowest, highest, last of each and one that isn't a number, so gaps stay gaps. `x` ascending.
void KeepM4(std::vector<int64_t>& x, std::vector<double>& value, int64_t low, int64_t high, size_t columns);

}  // namespace rondo::tracking
