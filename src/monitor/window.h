/// Counters of one window of predictions: fixed bins per column, scores, decisions. Plain integers, so a window can be stored, merged and judged
/// again at any time without the rows.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/prediction_log.h"
#include "monitor/reference.h"

namespace rondo::monitor {

struct ColumnCounts {
  std::vector<int64_t> bins;  ///< as the profile's
  int64_t missing = 0, unseen = 0, out_of_range = 0, faults = 0;
  double low = 0, high = 0;   ///< number: observed range; valid when any bin is filled
  std::vector<std::string> examples;  ///< up to 5 unseen levels or unreadable values, as texts

  int64_t present() const;    ///< rows in bins
};
BOOST_DESCRIBE_STRUCT(ColumnCounts, (), (bins, missing, unseen, out_of_range, faults, low, high, examples))

struct WindowCounts {
  int64_t rows = 0;
  int64_t odd = 0;            ///< rows whose columns don't fit the reference: counted, but in no bin
  std::vector<ColumnCounts> columns;
  std::vector<int64_t> scores;
  std::vector<int64_t> decisions;  ///< per class; the last is "something else"
};
BOOST_DESCRIBE_STRUCT(WindowCounts, (), (rows, odd, columns, scores, decisions))

/// A reference made ready for counting; immutable, shared by the windows of one version. Not copyable: binners point into the reference.
class Counter {
 public:
  explicit Counter(Reference reference);
  Counter(const Counter&) = delete;
  const Reference& reference() const { return reference_; }
  WindowCounts Empty() const;
  void Add(const data::Prediction& prediction, WindowCounts& counts) const;

 private:
  Reference reference_;
  std::vector<Binner> binners_;
  std::optional<Binner> score_;
  size_t numbers_ = 0, texts_ = 0;
};

/// Sums. Both must come from the same reference.
void Merge(const WindowCounts& from, WindowCounts& into);

}  // namespace rondo::monitor
