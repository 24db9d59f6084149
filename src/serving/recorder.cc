#include "serving/recorder.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread_pool.h"

namespace rondo::serving {
namespace {

/// How long the log thread lets records gather after the first: one wake-up for many requests.
constexpr auto kGather = std::chrono::milliseconds(20);
constexpr int64_t kSyncNs = 1'000'000'000;

}  // namespace

QueueRecorder::QueueRecorder(RecorderOptions options) : options_(std::move(options)) {
  auto& registry = MetricsRegistry::Global();
  written_ = &registry.GetCounter("rondo_prediction_log_written_total", "Predictions written to the prediction log");
  dropped_ = &registry.GetCounter("rondo_prediction_log_dropped_total", "Predictions answered but not logged: the queue was full or the disk refused");
  shadow_dropped_ = &registry.GetCounter("rondo_shadow_dropped_total", "Requests that a shadow did not score because its queue was full");
  depth_ = &registry.GetGauge("rondo_prediction_log_queue_rows", "Predictions waiting for the log");
  if (!options_.threads) return;
  log_thread_ = std::thread([this] { LogLoop(); });
  shadow_thread_ = std::thread([this] { ShadowLoop(); });
}

QueueRecorder::~QueueRecorder() {
  {
    std::scoped_lock lock(mutex_, shadow_mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  shadow_ready_.notify_all();
  if (shadow_thread_.joinable()) shadow_thread_.join();
  if (log_thread_.joinable()) log_thread_.join();
  Write(std::exchange(queue_, {}));
  SyncAll();
}

void QueueRecorder::Put(const std::shared_ptr<Endpoint>& endpoint, Record record) {
  const size_t rows = record.rows.size();
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (queued_rows_ + rows > options_.max_rows && queued_rows_ > 0) {
      dropped_->Add(rows);
      return;
    }
    queue_.push_back({endpoint, std::move(record)});
    queued_rows_ += rows;
    wake = std::exchange(sleeping_, false);
  }
  if (wake) ready_.notify_one();
}

void QueueRecorder::Put(const std::shared_ptr<Endpoint>& endpoint, ShadowJob job) {
  bool wake = false;
  {
    std::lock_guard lock(shadow_mutex_);
    if (shadow_queue_.size() >= options_.max_shadow_jobs || shadow_bytes_ + job.body.size() > options_.max_shadow_bytes) {
      shadow_dropped_->Add();
      return;
    }
    shadow_bytes_ += job.body.size();
    wake = shadow_queue_.empty() && !shadow_busy_;
    shadow_queue_.push_back({endpoint, std::move(job)});
  }
  if (wake) shadow_ready_.notify_one();
}

void QueueRecorder::AddObserver(PredictionObserver observer) {
  std::lock_guard lock(mutex_);
  observers_.push_back(std::move(observer));
}

void QueueRecorder::LogLoop() {
  NameThread("serve-log");
  int64_t synced_ns = MonotonicNs();
  bool unsynced = false;
  std::unique_lock lock(mutex_);
  while (true) {
    if (queue_.empty()) {
      if (stopping_) return;
      sleeping_ = true;
      // Without traffic nobody wakes: no timer runs once everything is on disk.
      if (unsynced) ready_.wait_for(lock, std::chrono::nanoseconds(kSyncNs), [&] { return !queue_.empty() || stopping_; });
      else ready_.wait(lock, [&] { return !queue_.empty() || stopping_; });
      sleeping_ = false;
    }
    if (!queue_.empty() && !stopping_ && !hurry_) ready_.wait_for(lock, kGather, [&] { return stopping_ || hurry_ || queued_rows_ > options_.max_rows / 2; });
    std::vector<Item> items = std::exchange(queue_, {});
    queued_rows_ = 0;
    writing_ = true;
    lock.unlock();
    depth_->Set(static_cast<double>(items.size()));
    unsynced |= !items.empty();
    Write(std::move(items));
    if (unsynced && MonotonicNs() - synced_ns >= kSyncNs) {
      SyncAll();
      synced_ns = MonotonicNs();
      unsynced = false;
    }
    depth_->Set(0);
    lock.lock();
    writing_ = false;
    if (queue_.empty()) {
      hurry_ = false;
      drained_.notify_all();
    }
  }
}

void QueueRecorder::ShadowLoop() {
  NameThread("serve-shadow");
  // The shadow is shed first by the scheduler, too.
  if (::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), 10) != 0) LogDebug("serving", "the shadow thread keeps its priority");
  std::unique_lock lock(shadow_mutex_);
  while (true) {
    shadow_ready_.wait(lock, [&] { return !shadow_queue_.empty() || stopping_; });
    if (stopping_) return;
    shadow_busy_ = true;
    ShadowItem item = std::move(shadow_queue_.front());
    shadow_queue_.pop_front();
    shadow_bytes_ -= item.job.body.size();
    lock.unlock();
    item.endpoint->RunShadow(item.job);
    lock.lock();
    shadow_busy_ = false;
    if (shadow_queue_.empty()) shadow_drained_.notify_all();
  }
}

void QueueRecorder::Flush() {
  if (!options_.threads) {
    while (true) {
      std::deque<ShadowItem> jobs;
      {
        std::lock_guard lock(shadow_mutex_);
        jobs.swap(shadow_queue_);
        shadow_bytes_ = 0;
      }
      for (const ShadowItem& item : jobs) item.endpoint->RunShadow(item.job);
      std::vector<Item> items;
      {
        std::lock_guard lock(mutex_);
        items = std::exchange(queue_, {});
        queued_rows_ = 0;
      }
      if (jobs.empty() && items.empty()) break;
      Write(std::move(items));
    }
    SyncAll();
    return;
  }
  {
    std::unique_lock lock(shadow_mutex_);
    shadow_drained_.wait(lock, [&] { return (shadow_queue_.empty() && !shadow_busy_) || stopping_; });
  }
  std::unique_lock lock(mutex_);
  hurry_ = !queue_.empty();
  ready_.notify_one();
  drained_.wait(lock, [&] { return (queue_.empty() && !writing_) || stopping_; });
  lock.unlock();
  SyncAll();
}

Status QueueRecorder::Append(const std::string& endpoint, const std::vector<data::Prediction>& rows) {
  std::lock_guard lock(log_mutex_);
  Log& log = logs_[endpoint];
  if (!log.writer) {
    RONDO_TRY(log.writer, data::OpenPredictionWriter(options_.folder / endpoint));
  }
  log.unsynced = true;
  return log.writer->Append(rows);
}

void QueueRecorder::SyncAll() {
  std::lock_guard lock(log_mutex_);
  for (auto& [endpoint, log] : logs_) {
    if (!log.writer || !log.unsynced) continue;
    if (Status status = log.writer->Sync(); !status) LogWarn("serving", "prediction log of {}: {}", endpoint, status.error().message);
    log.unsynced = false;
  }
}

void QueueRecorder::Write(std::vector<Item> items) {
  if (items.empty()) return;
  std::map<std::string, std::vector<data::Prediction>> by_endpoint;
  for (Item& item : items) {
    Record& r = item.record;
    if (r.life) r.life->AddScores(r.watched);
    if (r.trial) r.trial->AddScores(r.watched);
    if (r.split) r.split->Count(r.unit, r.sticky, r.to_challenger);
    auto& rows = by_endpoint[item.endpoint->name()];
    rows.insert(rows.end(), std::make_move_iterator(r.rows.begin()), std::make_move_iterator(r.rows.end()));
  }
  std::vector<PredictionObserver> observers;
  {
    std::lock_guard lock(mutex_);
    observers = observers_;
  }
  for (const auto& [endpoint, rows] : by_endpoint) {
    if (Status status = Append(endpoint, rows); !status) {
      // Serving goes on; the loss shows in the counter and, once in ten seconds, in the log.
      dropped_->Add(rows.size());
      std::lock_guard lock(log_mutex_);
      Log& log = logs_[endpoint];
      if (const int64_t now = MonotonicNs(); log.last_warning_ns == 0 || now - log.last_warning_ns > 10'000'000'000) {
        LogWarn("serving", "prediction log of {}: {} predictions not logged: {}", endpoint, rows.size(), status.error().message);
        log.last_warning_ns = now;
      }
      continue;
    }
    written_->Add(rows.size());
    for (const PredictionObserver& observer : observers) observer(endpoint, rows);
  }
}

}  // namespace rondo::serving
