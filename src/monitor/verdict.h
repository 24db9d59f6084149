/// Judges a window against the reference: drift of columns, scores and decisions; defects of the data. Pure functions of counters.
/// docs/decisions/0060 says why an alarm needs significance and materiality.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "monitor/window.h"
#include "project/spec.h"

namespace rondo::monitor {

/// Fewer present rows than this are "few": not judged, which is not the same as fine.
inline constexpr int64_t kLeastRows = 30;

struct DriftVerdict {
  std::string name;           ///< the column; "score"; "decision"
  int64_t rows = 0;           ///< present in the window
  int64_t reference_rows = 0;
  double psi = 0;             ///< as defined
  double effect = 0;          ///< of the configured statistic, less chance: what the limit is compared with
  double p = 1;               ///< two-sample chi-square
  double q = 1;               ///< Benjamini-Hochberg over the columns
  std::string verdict;        ///< ok | drift | few | none (nothing to compare)
};
BOOST_DESCRIBE_STRUCT(DriftVerdict, (), (name, rows, reference_rows, psi, effect, p, q, verdict))

struct QualityVerdict {
  std::string column;
  std::string check;          ///< nulls | unseen | range | type | constant | columns
  int64_t count = 0, rows = 0;
  double share = 0, reference_share = 0;
  double p = 1, q = 1;
  bool failed = false;
  std::vector<std::string> examples;
};
BOOST_DESCRIBE_STRUCT(QualityVerdict, (), (column, check, count, rows, share, reference_share, p, q, failed, examples))

struct WindowVerdict {
  std::vector<DriftVerdict> columns;
  DriftVerdict score, decision;
  std::vector<QualityVerdict> quality;   ///< only checks with a count, failed or not
  std::vector<std::string> drifted;      ///< columns, strongest effect first
  double drifted_share = 0;              ///< of the columns that could be judged
  bool dataset_drift = false;            ///< that share reaches the limit
};
BOOST_DESCRIBE_STRUCT(WindowVerdict, (), (columns, score, decision, quality, drifted, drifted_share, dataset_drift))

/// `season`: counts of earlier windows of the same phase that take the place of the training counts in the drift tests; may be null.
WindowVerdict JudgeWindow(const Reference& reference, const WindowCounts& window, const project::DriftAlarm& alarm, const WindowCounts* season = nullptr);
/// Defects alone: null share up, unseen levels, values out of the training range, values not of the type, columns gone constant.
std::vector<QualityVerdict> JudgeQuality(const Reference& reference, const WindowCounts& window);

}  // namespace rondo::monitor
