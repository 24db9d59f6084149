/// A bounded pool of named threads.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace rondo {

class ThreadPool {
 public:
  /// At most `max_queue` tasks wait; more are refused, so that overload shows.
  ThreadPool(std::string name, size_t threads, size_t max_queue = 1024);
  ~ThreadPool();  ///< runs what is queued, then joins
  /// False when the queue is full or the pool is stopping: answer 503.
  [[nodiscard]] bool Submit(std::function<void()> task);
  size_t queued() const;

 private:
  void Work(const std::string& name);
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  size_t max_queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

/// Runs body(i) for i in [0, n) on up to `threads` threads (0: all cores); returns when all are done.
void ParallelFor(size_t n, const std::function<void(size_t)>& body, size_t threads = 0);
/// Names the calling thread (shown by top, gdb); 15 characters at most.
void NameThread(const std::string& name);

}  // namespace rondo
