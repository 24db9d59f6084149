#include "base/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>

namespace rondo {

ThreadPool::ThreadPool(std::string name, size_t threads, size_t max_queue) : max_queue_(max_queue) {
  for (size_t i = 0; i < std::max<size_t>(threads, 1); ++i) threads_.emplace_back([this, name, i] { Work(name + "-" + std::to_string(i)); });
}
ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (auto& t : threads_) t.join();
}
bool ThreadPool::Submit(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= max_queue_) return false;
    queue_.push_back(std::move(task));
  }
  ready_.notify_one();
  return true;
}
size_t ThreadPool::queued() const {
  std::lock_guard lock(mutex_);
  return queue_.size();
}
void ThreadPool::Work(const std::string& name) {
  NameThread(name);
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

void ParallelFor(size_t n, const std::function<void(size_t)>& body, size_t threads) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  threads = std::min(threads, n);
  if (threads <= 1) {
    for (size_t i = 0; i < n; ++i) body(i);
    return;
  }
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i = next++; i < n; i = next++) body(i);
  };
  std::vector<std::thread> extra;
  for (size_t t = 1; t < threads; ++t) extra.emplace_back(work);
  work();
  for (auto& t : extra) t.join();
}

void NameThread(const std::string& name) { ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str()); }

}  // namespace rondo
