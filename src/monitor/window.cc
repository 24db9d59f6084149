// Counting predictions into a window.
#include "monitor/window.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rondo::monitor {
namespace {

constexpr size_t kExamples = 5;

void Remember(std::vector<std::string>& examples, std::string value) {
  if (examples.size() < kExamples && std::find(examples.begin(), examples.end(), value) == examples.end()) examples.push_back(value.substr(0, 80));
}

/// `text` makes the value readable, called only when it is kept.
template <typename Text>
void Count(const Binner::Place& place, ColumnCounts& counts, const Text& text) {
  counts.missing += place.missing;
  counts.unseen += place.unseen;
  counts.out_of_range += place.out_of_range;
  counts.faults += place.fault;
  if (place.bin >= 0 && static_cast<size_t>(place.bin) < counts.bins.size()) ++counts.bins[static_cast<size_t>(place.bin)];
  if (place.unseen || place.fault) Remember(counts.examples, text());
}

}  // namespace

int64_t ColumnCounts::present() const { return std::accumulate(bins.begin(), bins.end(), int64_t{0}); }

Counter::Counter(Reference reference) : reference_(std::move(reference)) {
  for (const ColumnProfile& column : reference_.columns) {
    binners_.emplace_back(column);
    ++(IsNumericType(column.type) ? numbers_ : texts_);
  }
  score_.emplace(reference_.score);
}

WindowCounts Counter::Empty() const {
  WindowCounts counts;
  counts.columns.resize(reference_.columns.size());
  for (size_t i = 0; i < counts.columns.size(); ++i) counts.columns[i].bins.assign(reference_.columns[i].counts.size(), 0);
  counts.scores.assign(reference_.score.counts.size(), 0);
  counts.decisions.assign(reference_.classes.empty() ? 0 : reference_.classes.size() + 1, 0);
  return counts;
}

void Counter::Add(const data::Prediction& prediction, WindowCounts& counts) const {
  ++counts.rows;
  if (prediction.numbers.size() != numbers_ || prediction.texts.size() != texts_) {
    ++counts.odd;
  } else {
    size_t number = 0, text = 0;
    for (size_t i = 0; i < binners_.size(); ++i) {
      ColumnCounts& column = counts.columns[i];
      if (!IsNumericType(reference_.columns[i].type)) {
        const std::string& value = prediction.texts[text++];
        Count(binners_[i].Find(std::string_view(value)), column, [&] { return value; });
        continue;
      }
      const float value = prediction.numbers[number++];
      const Binner::Place place = binners_[i].Find(value);
      if (place.bin >= 0) {
        const bool first = column.present() == 0;
        column.low = first ? value : std::min(column.low, static_cast<double>(value));
        column.high = first ? value : std::max(column.high, static_cast<double>(value));
      }
      Count(place, column, [&] { return fmt::format("{}", value); });
    }
  }
  const std::vector<double> row(prediction.scores.begin(), prediction.scores.end());
  const Binner::Place place = score_->Find(static_cast<float>(WatchedScore(reference_.task, row)));
  if (place.bin >= 0) ++counts.scores[static_cast<size_t>(place.bin)];
  if (!counts.decisions.empty()) {
    const int decided = ClassIndex(reference_.classes, prediction.decision);
    ++counts.decisions[decided < 0 ? counts.decisions.size() - 1 : static_cast<size_t>(decided)];
  }
}

void Merge(const WindowCounts& from, WindowCounts& into) {
  const auto add = [](const std::vector<int64_t>& a, std::vector<int64_t>& b) {
    b.resize(std::max(a.size(), b.size()), 0);
    for (size_t i = 0; i < a.size(); ++i) b[i] += a[i];
  };
  into.rows += from.rows;
  into.odd += from.odd;
  into.columns.resize(std::max(from.columns.size(), into.columns.size()));
  for (size_t i = 0; i < from.columns.size(); ++i) {
    const ColumnCounts& a = from.columns[i];
    ColumnCounts& b = into.columns[i];
    const bool first = b.present() == 0;
    if (a.present() > 0) {
      b.low = first ? a.low : std::min(a.low, b.low);
      b.high = first ? a.high : std::max(a.high, b.high);
    }
    add(a.bins, b.bins);
    b.missing += a.missing;
    b.unseen += a.unseen;
    b.out_of_range += a.out_of_range;
    b.faults += a.faults;
    for (const std::string& example : a.examples) Remember(b.examples, example);
  }
  add(from.scores, into.scores);
  add(from.decisions, into.decisions);
}

}  // namespace rondo::monitor
