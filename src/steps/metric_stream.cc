#include "steps/metric_stream.h"

#include <chrono>

#include "base/thread_pool.h"

namespace rondo::steps {
namespace {
constexpr auto kPeriod = std::chrono::milliseconds(100);
}

MetricStream::MetricStream(tracking::Tracking& tracking, Clock& clock, std::string run_id) : tracking_(tracking), clock_(clock), run_id_(std::move(run_id)) {
  if (!run_id_.empty()) thread_ = std::thread([this] { Work(); });
}
MetricStream::~MetricStream() { (void)Finish(); }

void MetricStream::Add(const std::string& key, double value, int64_t step) {
  if (run_id_.empty()) return;
  std::lock_guard lock(mutex_);
  waiting_.push_back({key, value, clock_.NowMs(), step});
}

Status MetricStream::Finish() {
  if (thread_.joinable()) {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  return status_;
}

Status MetricStream::Send(std::vector<tracking::Metric> batch) {
  // MLflow's limit of metrics a batch.
  for (size_t at = 0; at < batch.size(); at += 1000) {
    tracking::LogBatch part;
    part.metrics.assign(batch.begin() + static_cast<long>(at), batch.begin() + static_cast<long>(std::min(batch.size(), at + 1000)));
    RONDO_DO(tracking_.Log(run_id_, part));
  }
  return {};
}

void MetricStream::Work() {
  NameThread("metrics");
  while (true) {
    std::vector<tracking::Metric> batch;
    bool last = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kPeriod, [&] { return stop_; });
      batch.swap(waiting_);
      last = stop_;
    }
    if (auto status = Send(std::move(batch)); !status && status_) status_ = status;
    if (last) return;
  }
}

}  // namespace rondo::steps
