/// Sends per-round metrics to the run while training goes on, in batches, so that the learner never waits for the disk.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "tracking/tracking.h"

namespace rondo::steps {

class MetricStream {
 public:
  /// An empty run id swallows everything.
  MetricStream(tracking::Tracking& tracking, Clock& clock, std::string run_id);
  ~MetricStream();  ///< sends the rest
  void Add(const std::string& key, double value, int64_t step);
  Status Finish();  ///< sends the rest; the first error that happened

 private:
  void Work();
  Status Send(std::vector<tracking::Metric> batch);
  tracking::Tracking& tracking_;
  Clock& clock_;
  const std::string run_id_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<tracking::Metric> waiting_;
  Status status_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace rondo::steps
