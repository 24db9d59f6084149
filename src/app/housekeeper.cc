#include "app/housekeeper.h"

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "base/log.h"

namespace rondo::app {

Housekeeper::Housekeeper(std::vector<Task> tasks) : tasks_(std::move(tasks)), thread_([this] { Loop(); }) {}

Housekeeper::~Housekeeper() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
  for (const Task& task : tasks_)
    if (task.at_end)
      if (auto ok = task.run(); !ok) LogWarn("app", "{}: {}", task.name, ok.error().Text());
}

void Housekeeper::Loop() {
  std::vector<int64_t> due(tasks_.size());
  for (size_t i = 0; i < due.size(); ++i) due[i] = MonotonicNs() + std::min<int64_t>(tasks_[i].every_ms, 10'000) * 1'000'000;
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const int64_t next = due.empty() ? MonotonicNs() + 3'600'000'000'000 : *std::ranges::min_element(due);
    wake_.wait_for(lock, std::chrono::nanoseconds(std::max<int64_t>(1, next - MonotonicNs())), [&] { return stop_; });
    for (size_t i = 0; i < due.size() && !stop_; ++i) {
      if (MonotonicNs() < due[i]) continue;
      lock.unlock();
      if (auto ok = tasks_[i].run(); !ok) LogWarn("app", "{}: {}", tasks_[i].name, ok.error().Text());
      due[i] = MonotonicNs() + tasks_[i].every_ms * 1'000'000;
      lock.lock();
    }
  }
}

}  // namespace rondo::app
