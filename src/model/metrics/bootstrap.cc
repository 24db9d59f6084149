// Percentile bootstrap (Efron 1979). A resample is a vector of counts used as weights, so nothing is copied and nothing is sorted again.
#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/thread_pool.h"
#include "model/metrics/ranked.h"

namespace rondo::model {
namespace {

/// Linear interpolation between order statistics (numpy's default).
double Quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

Interval Summarise(double value, std::vector<double> samples, double level) {
  const size_t asked = samples.size();
  std::erase_if(samples, [](double x) { return std::isnan(x); });
  if (std::isnan(value) || samples.empty() || samples.size() * 2 < asked) return {value, kNaN, kNaN};
  std::sort(samples.begin(), samples.end());
  return {value, Quantile(samples, (1 - level) / 2), Quantile(samples, (1 + level) / 2)};
}

/// Weights of resample number `index`: how often each row was drawn, times its own weight.
void Draw(const std::vector<double>& own, uint64_t seed, size_t index, std::vector<double>& w) {
  Random random(seed + 0x9e3779b97f4a7c15ull * (index + 1));
  w.assign(own.size(), 0);
  for (size_t i = 0; i < own.size(); ++i) w[random.Below(own.size())] += 1;
  for (size_t i = 0; i < own.size(); ++i) w[i] *= own[i];
}

/// body(resample, weights) for each resample; by blocks, so that a thread reuses its vector. The order of threads changes nothing.
template <typename F>
void ForResamples(const std::vector<double>& own, int resamples, uint64_t seed, F body) {
  constexpr size_t kBlock = 25;
  const auto n = static_cast<size_t>(std::max(resamples, 0));
  const size_t blocks = (n + kBlock - 1) / kBlock;
  const bool large = own.size() * n > 2'000'000;
  ParallelFor(blocks, [&](size_t b) {
    std::vector<double> w;
    for (size_t i = b * kBlock; i < std::min(n, (b + 1) * kBlock); ++i) {
      Draw(own, seed, i, w);
      body(i, w);
    }
  }, large ? 0 : 1);
}

}  // namespace

std::vector<Interval> BootstrapAll(const Scored& scored, const std::vector<Measure>& measures, int resamples, uint64_t seed, double level) {
  Ranked ranked(scored);
  std::vector<Interval> out(measures.size(), {kNaN, kNaN, kNaN});
  if (!ranked.valid()) return out;
  // The first pass also fills the sort orders, so that the parallel part below only reads.
  for (size_t m = 0; m < measures.size(); ++m) out[m].value = measures[m].metric->kernel(ranked, ranked.weights(), measures[m].cls);
  std::vector<std::vector<double>> samples(measures.size(), std::vector<double>(static_cast<size_t>(std::max(resamples, 0))));
  ForResamples(ranked.weights(), resamples, seed, [&](size_t i, const std::vector<double>& w) {
    for (size_t m = 0; m < measures.size(); ++m) samples[m][i] = measures[m].metric->kernel(ranked, w, measures[m].cls);
  });
  for (size_t m = 0; m < measures.size(); ++m) out[m] = Summarise(out[m].value, std::move(samples[m]), level);
  return out;
}

Interval Bootstrap(const Scored& scored, const MetricInfo& metric, int resamples, uint64_t seed, double level) {
  return BootstrapAll(scored, {{&metric, kAllClasses}}, resamples, seed, level)[0];
}

Interval BootstrapDifference(const Scored& a, const Scored& b, const Measure& measure, double factor, int resamples, uint64_t seed, double level) {
  Ranked first(a), second(b);
  if (!first.valid() || !second.valid() || first.rows() != second.rows()) return {kNaN, kNaN, kNaN};
  const auto difference = [&](const std::vector<double>& w) { return measure.metric->kernel(first, w, measure.cls) - factor * measure.metric->kernel(second, w, measure.cls); };
  const double value = difference(first.weights());
  std::vector<double> samples(static_cast<size_t>(std::max(resamples, 0)));
  ForResamples(first.weights(), resamples, seed, [&](size_t i, const std::vector<double>& w) { samples[i] = difference(w); });
  return Summarise(value, std::move(samples), level);
}

}  // namespace rondo::model
