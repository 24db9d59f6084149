/// Counters, gauges and histograms of the program itself, written in Prometheus' text format (0.0.4).
/// Look an instrument up once and keep the reference: it lives for ever. Updates are lock-free.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rondo {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void Set(double v) { value_.store(v, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void Observe(double v);
  const std::vector<double>& bounds() const { return bounds_; }
  uint64_t bucket(size_t i) const { return buckets_[i].load(std::memory_order_relaxed); }  ///< not cumulative; i == bounds().size() is +Inf
  uint64_t count() const;
  double sum() const { return sum_.load(std::memory_order_relaxed); }
  /// Linear interpolation inside the bucket, as Prometheus' histogram_quantile; 0 when empty.
  double Quantile(double q) const;

 private:
  std::vector<double> bounds_;
  std::vector<std::atomic<uint64_t>> buckets_;
  std::atomic<double> sum_{0};
};

class MetricsRegistry {
 public:
  static MetricsRegistry& Global();
  MetricsRegistry();
  ~MetricsRegistry();
  Counter& GetCounter(std::string_view name, std::string_view help, const Labels& labels = {});  ///< name ends in _total
  Gauge& GetGauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& GetHistogram(std::string_view name, std::string_view help, std::span<const double> bounds, const Labels& labels = {});
  /// Called at every scrape, before the text is written: refreshes gauges that are expensive to keep.
  void OnScrape(std::function<void()> refresh);
  std::string PrometheusText();

 private:
  struct Impl;
  Impl* impl_;
};

/// 50 µs to 10 s, in seconds.
std::span<const double> LatencyBounds();

}  // namespace rondo
