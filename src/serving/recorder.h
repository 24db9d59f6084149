/// What happens after an answer, off the request's path: the log thread writes predictions into their segments, feeds the trial's counters and tells
/// observers; the shadow thread scores again. Both queues are bounded; what doesn't fit is dropped and counted, never waited for.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "data/prediction_log.h"
#include "serving/endpoint.h"

namespace rondo::serving {

/// Called on the log thread with what has just been written, in order.
using PredictionObserver = std::function<void(const std::string& endpoint, const std::vector<data::Prediction>& rows)>;

struct RecorderOptions {
  std::filesystem::path folder;        ///< predictions/: a folder per endpoint below it
  size_t max_rows = 65'536;            ///< waiting for the log thread
  size_t max_shadow_jobs = 1024;       ///< waiting for the shadow thread
  size_t max_shadow_bytes = 16u << 20;
  bool threads = true;                 ///< false (tests): work is done in Flush()
};

class QueueRecorder : public Recorder {
 public:
  explicit QueueRecorder(RecorderOptions options);
  /// Writes what is queued, drops shadow work, stops.
  ~QueueRecorder() override;
  void Put(const std::shared_ptr<Endpoint>& endpoint, Record record) override;
  void Put(const std::shared_ptr<Endpoint>& endpoint, ShadowJob job) override;
  void AddObserver(PredictionObserver observer);
  /// Returns when everything queued until now has been written and synced, shadow work included.
  void Flush();
  uint64_t dropped() const { return dropped_->value(); }
  uint64_t shadow_dropped() const { return shadow_dropped_->value(); }

 private:
  struct Item {
    std::shared_ptr<Endpoint> endpoint;
    Record record;
  };
  struct ShadowItem {
    std::shared_ptr<Endpoint> endpoint;
    ShadowJob job;
  };
  struct Log {
    std::unique_ptr<data::PredictionWriter> writer;
    bool unsynced = false;
    int64_t last_warning_ns = 0;
  };
  void LogLoop();
  void ShadowLoop();
  void Write(std::vector<Item> items);
  Status Append(const std::string& endpoint, const std::vector<data::Prediction>& rows);
  void SyncAll();

  const RecorderOptions options_;
  Counter* dropped_;
  Counter* written_;
  Counter* shadow_dropped_;
  Gauge* depth_;

  std::mutex mutex_;
  std::condition_variable ready_, drained_;
  std::vector<Item> queue_;
  size_t queued_rows_ = 0;
  bool sleeping_ = false, writing_ = false, stopping_ = false, hurry_ = false;
  std::vector<PredictionObserver> observers_;

  std::mutex shadow_mutex_;
  std::condition_variable shadow_ready_, shadow_drained_;
  std::deque<ShadowItem> shadow_queue_;
  size_t shadow_bytes_ = 0;
  bool shadow_busy_ = false;

  std::mutex log_mutex_;  ///< writers: one thread at a time
  std::map<std::string, Log> logs_;
  std::thread log_thread_, shadow_thread_;
};

}  // namespace rondo::serving
