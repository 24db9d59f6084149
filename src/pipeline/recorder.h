/// Writes the records of stages into the database behind the run's back: the run log is what survives, the rows are what people see. Internal to pipeline.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "pipeline/journal.h"

namespace rondo::pipeline {

class Recorder {
 public:
  Recorder(Journal& journal, std::string run);
  ~Recorder();  ///< writes what is left
  /// The newest record of a stage wins; rows appear within some 50 ms.
  void Put(int64_t seq, const StageRecord& record);
  /// Waits until everything is written; the first error since the last call.
  Status Flush();

 private:
  void Work();
  Journal& journal_;
  const std::string run_;
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::map<int64_t, StageRecord> waiting_;
  bool busy_ = false, stopping_ = false, hurry_ = false;
  Status status_;
  std::thread thread_;
};

}  // namespace rondo::pipeline
