#include "base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

namespace rondo {
namespace {

std::string LabelText(const Labels& labels) {
  std::string out;
  for (const auto& [k, v] : labels) {
    out += out.empty() ? "" : ",";
    out += k + "=\"";
    for (const char c : v) {
      if (c == '\\' || c == '"') (out += '\\') += c;
      else if (c == '\n') out += "\\n";
      else out += c;
    }
    out += '"';
  }
  return out;
}

std::string Braces(const std::string& a, const std::string& b = {}) {
  if (a.empty() && b.empty()) return {};
  return "{" + a + (a.empty() || b.empty() ? "" : ",") + b + "}";
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), buckets_(bounds_.size() + 1) {}
void Histogram::Observe(double v) {
  const size_t i = static_cast<size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), v) - bounds_.begin());
  buckets_[i].fetch_add(1, std::memory_order_relaxed);
  double old = sum_.load(std::memory_order_relaxed);
  while (!sum_.compare_exchange_weak(old, old + v, std::memory_order_relaxed)) {
  }
}
uint64_t Histogram::count() const {
  uint64_t n = 0;
  for (const auto& b : buckets_) n += b.load(std::memory_order_relaxed);
  return n;
}
double Histogram::Quantile(double q) const {
  const double rank = q * static_cast<double>(count());
  if (rank <= 0) return 0;
  double seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    const double here = static_cast<double>(bucket(i));
    if (seen + here >= rank && here > 0) {
      if (i == bounds_.size()) return bounds_.empty() ? 0 : bounds_.back();
      const double lo = i == 0 ? 0 : bounds_[i - 1];
      return lo + (bounds_[i] - lo) * (rank - seen) / here;
    }
    seen += here;
  }
  return bounds_.empty() ? 0 : bounds_.back();
}

struct MetricsRegistry::Impl {
  struct Family {
    std::string help, type;
    std::map<std::string, std::unique_ptr<Counter>> counters;
    std::map<std::string, std::unique_ptr<Gauge>> gauges;
    std::map<std::string, std::unique_ptr<Histogram>> histograms;
  };
  std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;
  std::vector<std::function<void()>> refreshers;

  Family& Get(std::string_view name, std::string_view help, std::string_view type) {
    auto it = families.find(name);
    if (it == families.end()) it = families.emplace(std::string(name), Family{std::string(help), std::string(type), {}, {}, {}}).first;
    return it->second;
  }
};

MetricsRegistry& MetricsRegistry::Global() {
  static auto* registry = new MetricsRegistry;
  return *registry;
}
MetricsRegistry::MetricsRegistry() : impl_(new Impl) {}
MetricsRegistry::~MetricsRegistry() { delete impl_; }

Counter& MetricsRegistry::GetCounter(std::string_view name, std::string_view help, const Labels& labels) {
  std::lock_guard lock(impl_->mutex);
  auto& slot = impl_->Get(name, help, "counter").counters[LabelText(labels)];
  if (!slot) slot = std::make_unique<Counter>();
  return *slot;
}
Gauge& MetricsRegistry::GetGauge(std::string_view name, std::string_view help, const Labels& labels) {
  std::lock_guard lock(impl_->mutex);
  auto& slot = impl_->Get(name, help, "gauge").gauges[LabelText(labels)];
  if (!slot) slot = std::make_unique<Gauge>();
  return *slot;
}
Histogram& MetricsRegistry::GetHistogram(std::string_view name, std::string_view help, std::span<const double> bounds, const Labels& labels) {
  std::lock_guard lock(impl_->mutex);
  auto& slot = impl_->Get(name, help, "histogram").histograms[LabelText(labels)];
  if (!slot) slot = std::make_unique<Histogram>(std::vector<double>(bounds.begin(), bounds.end()));
  return *slot;
}
void MetricsRegistry::OnScrape(std::function<void()> refresh) {
  std::lock_guard lock(impl_->mutex);
  impl_->refreshers.push_back(std::move(refresh));
}

std::string MetricsRegistry::PrometheusText() {
  std::vector<std::function<void()>> refreshers;
  {
    std::lock_guard lock(impl_->mutex);
    refreshers = impl_->refreshers;
  }
  for (auto& refresh : refreshers) refresh();
  std::lock_guard lock(impl_->mutex);
  std::string out;
  for (const auto& [name, family] : impl_->families) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
    for (const auto& [labels, c] : family.counters) out += fmt::format("{}{} {}\n", name, Braces(labels), c->value());
    for (const auto& [labels, g] : family.gauges) out += fmt::format("{}{} {}\n", name, Braces(labels), g->value());
    for (const auto& [labels, h] : family.histograms) {
      uint64_t total = 0;
      for (size_t i = 0; i < h->bounds().size(); ++i) {
        total += h->bucket(i);
        out += fmt::format("{}_bucket{} {}\n", name, Braces(labels, fmt::format("le=\"{}\"", h->bounds()[i])), total);
      }
      total += h->bucket(h->bounds().size());
      out += fmt::format("{}_bucket{} {}\n{}_sum{} {}\n{}_count{} {}\n", name, Braces(labels, "le=\"+Inf\""), total, name, Braces(labels), h->sum(), name,
                         Braces(labels), total);
    }
  }
  return out;
}

std::span<const double> LatencyBounds() {
  static constexpr double kBounds[] = {5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 2, 5, 10};
  return kBounds;
}

}  // namespace rondo
