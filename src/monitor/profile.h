/// One column's reference: fixed bins with their training counts, and the function that puts a value into its bin. Fixed bins make windows
/// comparable with each other, exact to merge (integers add up) and cheap: no sketch, no second look at the training data.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "table/table.h"

namespace rondo::monitor {

inline constexpr size_t kMaxBins = 20;        ///< of numbers
inline constexpr size_t kMaxLevels = 100;     ///< of categories; the rest is "other"
inline constexpr size_t kMaxKnownLevels = 5000;

struct ColumnProfile {
  std::string name;
  std::string type;                 ///< logical, as in the signature
  /// number: bins over values; category: bins over levels; text: bins over the length of nearly unique texts; date: only missing and
  /// unreadable values are watched (a later date is no drift).
  std::string kind;
  std::vector<double> edges;        ///< number, text: inclusive upper ends of all bins but the last, rising; counts.size() == edges.size() + 1
  std::vector<double> centers;      ///< number, text: mean of the training values in each bin
  std::vector<std::string> levels;  ///< category: the most frequent ones; counts.size() == levels.size() + 1 (the last is "other")
  std::vector<int64_t> known;       ///< category: xxh3 of the levels inside "other"
  bool open = false;                ///< category: too many levels to tell unseen ones
  std::vector<int64_t> counts;      ///< training rows per bin, missing ones left out
  int64_t rows = 0, missing = 0;
  double min = 0, max = 0, mean = 0, std = 0;  ///< number, text: of the present values (std: population)
  double rare = 0;                  ///< category: Good-Turing estimate of the share of levels never seen (levels seen once / rows)

  int64_t present() const { return rows - missing; }
  bool ordered() const { return kind == "number" || kind == "text"; }
};
BOOST_DESCRIBE_STRUCT(ColumnProfile, (), (name, type, kind, edges, centers, levels, known, open, counts, rows, missing, min, max, mean, std, rare))

/// Profiles a training column under the logical type that the model's signature gives it.
ColumnProfile ProfileColumn(const table::Column& column, const std::string& name, const std::string& type);
/// Profiles plain numbers (scores). NaN is missing.
ColumnProfile ProfileNumbers(std::span<const double> values, const std::string& name, const std::string& type);
/// A profile over given levels with counts (decisions).
ColumnProfile ProfileLevels(const std::vector<std::string>& levels, const std::vector<int64_t>& counts, const std::string& name);

bool IsNumericType(std::string_view type);

/// Finds bins. Keeps views into the profile, which must outlive it.
class Binner {
 public:
  explicit Binner(const ColumnProfile& profile);
  struct Place {
    int bin = -1;               ///< -1: in no bin (missing, unseen, unreadable, or a date)
    bool missing = false, unseen = false, out_of_range = false;
    bool fault = false;         ///< not of the column's type: infinite, 2.5 in an int column, 7 in a bool column, an unreadable date
  };
  Place Find(float value) const;
  Place Find(std::string_view text) const;

 private:
  int BinOf(double value) const;
  const ColumnProfile* profile_;
  bool whole_ = false, truth_ = false;
  std::unordered_map<std::string_view, int> levels_;
  std::unordered_set<int64_t> known_;
};

}  // namespace rondo::monitor
