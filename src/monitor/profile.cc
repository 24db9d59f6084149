// Bins: by value for few distinct numbers, by quantile otherwise; a frequent value (a spike) keeps a bin of its own.
#include "monitor/profile.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/clock.h"
#include "base/hash.h"

namespace rondo::monitor {
namespace {

struct Value {
  double value = 0;
  int64_t count = 0;
};
struct Bin {
  double upper = 0, sum = 0;
  int64_t count = 0;
  bool spike = false;
};

std::vector<Value> Distinct(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  std::vector<Value> out;
  for (const double v : values) {
    if (out.empty() || out.back().value != v) out.push_back({v, 0});
    ++out.back().count;
  }
  return out;
}

std::vector<Bin> Cut(const std::vector<Value>& distinct, int64_t total) {
  std::vector<Bin> bins;
  const double target = static_cast<double>(total) / static_cast<double>(kMaxBins);
  const bool each = distinct.size() <= kMaxBins;
  bool open = false;  // the last bin takes more values
  for (const Value& v : distinct) {
    const bool spike = each || static_cast<double>(v.count) >= target;
    if (spike || !open) bins.push_back({});
    Bin& bin = bins.back();
    bin.upper = v.value;
    bin.sum += v.value * static_cast<double>(v.count);
    bin.count += v.count;
    bin.spike = spike;
    open = !spike && static_cast<double>(bin.count) < target;
  }
  // Remnants between spikes can make too many bins: the lightest neighbours join, spikes last.
  while (bins.size() > kMaxBins) {
    size_t best = 0;
    double least = 0;
    for (size_t i = 0; i + 1 < bins.size(); ++i) {
      const double weight = static_cast<double>(bins[i].count + bins[i + 1].count) + (bins[i].spike || bins[i + 1].spike ? static_cast<double>(total) : 0);
      if (i == 0 || weight < least) {
        least = weight;
        best = i;
      }
    }
    bins[best].upper = bins[best + 1].upper;
    bins[best].sum += bins[best + 1].sum;
    bins[best].count += bins[best + 1].count;
    bins[best].spike = bins[best].spike || bins[best + 1].spike;
    bins.erase(bins.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  return bins;
}

/// `values`: the present ones.
void FillNumbers(ColumnProfile& p, std::vector<double>& values) {
  const auto bins = Cut(Distinct(values), static_cast<int64_t>(values.size()));
  for (size_t i = 0; i < bins.size(); ++i) {
    if (i + 1 < bins.size()) p.edges.push_back(bins[i].upper);
    p.centers.push_back(bins[i].sum / static_cast<double>(bins[i].count));
    p.counts.push_back(bins[i].count);
  }
  if (values.empty()) {
    p.centers = {0};
    p.counts = {0};
    return;
  }
  p.min = values.front();
  p.max = values.back();
  double sum = 0, square = 0;
  for (const double v : values) sum += v;
  p.mean = sum / static_cast<double>(values.size());
  for (const double v : values) square += (v - p.mean) * (v - p.mean);
  p.std = std::sqrt(square / static_cast<double>(values.size()));
}

double LengthOf(std::string_view text) {
  // Characters, not bytes: UTF-8 continuation bytes don't count.
  return static_cast<double>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void FillTexts(ColumnProfile& p, const std::vector<std::string>& texts) {
  std::map<std::string_view, int64_t> counts;
  for (const std::string& text : texts) ++counts[text];
  const auto present = static_cast<double>(texts.size());
  const bool prose = p.type != "category" && counts.size() > kMaxLevels && static_cast<double>(counts.size()) > 0.5 * present;
  if (prose) {
    p.kind = "text";
    std::vector<double> lengths;
    for (const std::string& text : texts) lengths.push_back(LengthOf(text));
    FillNumbers(p, lengths);
    return;
  }
  p.kind = "category";
  std::vector<std::pair<std::string_view, int64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  int64_t other = 0, once = 0;
  p.open = sorted.size() > kMaxLevels + kMaxKnownLevels;
  for (size_t i = 0; i < sorted.size(); ++i) {
    once += sorted[i].second == 1;
    if (i < kMaxLevels) {
      p.levels.emplace_back(sorted[i].first);
      p.counts.push_back(sorted[i].second);
    } else {
      other += sorted[i].second;
      if (!p.open) p.known.push_back(static_cast<int64_t>(Xxh3(sorted[i].first)));
    }
  }
  p.counts.push_back(other);
  std::sort(p.known.begin(), p.known.end());
  p.rare = present > 0 ? static_cast<double>(once) / present : 0;
}

}  // namespace

bool IsNumericType(std::string_view type) { return type == "int" || type == "float" || type == "bool"; }

ColumnProfile ProfileColumn(const table::Column& column, const std::string& name, const std::string& type) {
  if (IsNumericType(type)) {
    std::vector<double> values(column.size());
    for (size_t i = 0; i < values.size(); ++i) {
      if (column.numeric()) {
        values[i] = column.numbers[i];
      } else {
        const std::string& text = column.strings[i];
        char* end = nullptr;
        const double v = text.empty() ? std::nan("") : std::strtod(text.c_str(), &end);
        values[i] = end && *end == 0 ? v : std::nan("");
      }
    }
    return ProfileNumbers(values, name, type);
  }
  ColumnProfile p;
  p.name = name;
  p.type = type;
  p.rows = static_cast<int64_t>(column.size());
  std::vector<std::string> texts;
  for (size_t i = 0; i < column.size(); ++i) {
    if (column.IsMissing(i)) {
      ++p.missing;
    } else {
      texts.push_back(column.Text(i));
    }
  }
  if (type == "date" || type == "datetime") {
    p.kind = "date";
  } else {
    FillTexts(p, texts);
  }
  return p;
}

ColumnProfile ProfileNumbers(std::span<const double> values, const std::string& name, const std::string& type) {
  ColumnProfile p;
  p.name = name;
  p.type = type;
  p.kind = "number";
  p.rows = static_cast<int64_t>(values.size());
  std::vector<double> present;
  for (const double v : values) {
    // Endpoints see 32-bit floats: bins must be cut in the same numbers.
    const auto narrow = static_cast<double>(static_cast<float>(v));
    if (std::isfinite(narrow)) {
      present.push_back(narrow);
    } else {
      ++p.missing;
    }
  }
  FillNumbers(p, present);
  return p;
}

ColumnProfile ProfileLevels(const std::vector<std::string>& levels, const std::vector<int64_t>& counts, const std::string& name) {
  ColumnProfile p;
  p.name = name;
  p.type = "category";
  p.kind = "category";
  p.levels = levels;
  p.counts = counts;
  p.counts.resize(levels.size() + 1, 0);
  for (const int64_t c : p.counts) p.rows += c;
  return p;
}

Binner::Binner(const ColumnProfile& profile) : profile_(&profile), whole_(profile.type == "int"), truth_(profile.type == "bool") {
  for (size_t i = 0; i < profile.levels.size(); ++i) levels_.emplace(profile.levels[i], static_cast<int>(i));
  known_.insert(profile.known.begin(), profile.known.end());
}

int Binner::BinOf(double value) const {
  return static_cast<int>(std::lower_bound(profile_->edges.begin(), profile_->edges.end(), value) - profile_->edges.begin());
}

Binner::Place Binner::Find(float value) const {
  Place place;
  if (std::isnan(value)) {
    place.missing = true;
    return place;
  }
  if (std::isinf(value) || (whole_ && std::trunc(value) != value) || (truth_ && value != 0 && value != 1)) {
    place.fault = true;
    return place;
  }
  place.bin = BinOf(value);
  place.out_of_range = profile_->present() > 0 && (value < profile_->min || value > profile_->max);
  return place;
}

Binner::Place Binner::Find(std::string_view text) const {
  Place place;
  if (text.empty()) {
    place.missing = true;
  } else if (profile_->kind == "date") {
    place.fault = !ParseTime(text);
  } else if (profile_->kind == "text") {
    const double length = LengthOf(text);
    place.bin = BinOf(length);
    place.out_of_range = profile_->present() > 0 && (length < profile_->min || length > profile_->max);
  } else if (const auto found = levels_.find(text); found != levels_.end()) {
    place.bin = found->second;
  } else if (profile_->open || known_.contains(static_cast<int64_t>(Xxh3(text)))) {
    place.bin = static_cast<int>(profile_->levels.size());
  } else {
    place.unseen = true;
  }
  return place;
}

}  // namespace rondo::monitor
