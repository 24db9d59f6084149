/// A shared_ptr that one thread replaces while others read it: what std::atomic<std::shared_ptr> is meant to be. GCC 12's unlocks its loads with relaxed
/// order, which is a data race by the letter (and ThreadSanitizer says so), so this is our own: a spin lock around two words.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

namespace rondo {

template <typename T>
class SharedSlot {
 public:
  SharedSlot() = default;
  explicit SharedSlot(std::shared_ptr<T> value) : value_(std::move(value)) {}
  std::shared_ptr<T> Load() const {
    Lock();
    std::shared_ptr<T> copy = value_;
    Unlock();
    return copy;
  }
  void Store(std::shared_ptr<T> next) {
    Lock();
    value_.swap(next);
    Unlock();
    // The old value goes here, outside of the lock.
  }

 private:
  void Lock() const {
    // The holder copies a pointer; only when it was preempted is there anything to wait for.
    for (int i = 0; locked_.exchange(true, std::memory_order_acquire); ++i)
      if (i > 64) std::this_thread::yield();
  }
  void Unlock() const { locked_.store(false, std::memory_order_release); }

  mutable std::atomic<bool> locked_{false};
  std::shared_ptr<T> value_;
};

}  // namespace rondo
