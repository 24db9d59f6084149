#include "pipeline/recorder.h"

#include <chrono>

#include "base/thread_pool.h"

namespace rondo::pipeline {
namespace {

/// Rows are gathered for this long: a page that looks at them can't tell, and a thousand short stages cost twenty transactions.
constexpr auto kGather = std::chrono::milliseconds(50);

}  // namespace

Recorder::Recorder(Journal& journal, std::string run) : journal_(journal), run_(std::move(run)) {
  thread_ = std::thread([this] { Work(); });
}

Recorder::~Recorder() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void Recorder::Put(int64_t seq, const StageRecord& record) {
  std::lock_guard lock(mutex_);
  if (waiting_.empty()) wake_.notify_all();
  waiting_[seq] = record;
}

Status Recorder::Flush() {
  std::unique_lock lock(mutex_);
  hurry_ = true;
  wake_.notify_all();
  idle_.wait(lock, [&] { return waiting_.empty() && !busy_; });
  hurry_ = false;
  return std::exchange(status_, Status{});
}

void Recorder::Work() {
  NameThread("run-recorder");
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    if (!stopping_ && !hurry_) wake_.wait_for(lock, kGather, [&] { return stopping_ || hurry_; });
    std::map<int64_t, StageRecord> batch;
    batch.swap(waiting_);
    busy_ = true;
    lock.unlock();
    Status written = journal_.PutStages(run_, batch);
    lock.lock();
    busy_ = false;
    if (!written && status_) status_ = std::move(written);
    idle_.notify_all();
  }
}

}  // namespace rondo::pipeline
