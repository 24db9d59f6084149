/// What a server does now and then beside its work: saves when tokens were used, empties the trash of what has been there long enough.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace rondo::app {

/// One thread. Tasks run one after the other, each at its own pace and once more at the end if it says so; failures are logged and tried again.
class Housekeeper {
 public:
  struct Task {
    std::string name;
    int64_t every_ms = 60'000;
    bool at_end = false;
    std::function<Status()> run;
  };
  explicit Housekeeper(std::vector<Task> tasks);
  ~Housekeeper();

 private:
  void Loop();
  std::vector<Task> tasks_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace rondo::app
