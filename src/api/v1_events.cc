// Server-sent events: one thread watches the database's change counter and tells every page that something was written.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "api/v1.h"

namespace rondo::api {
namespace {

/// Costs nothing while no page is open: the thread waits for the first stream and ends with the hub.
class ChangeHub {
 public:
  explicit ChangeHub(workspace::Workspace& workspace) : workspace_(workspace), thread_([this] { Loop(); }) {}
  ~ChangeHub() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
    for (const auto& stream : streams_) stream->Close();
  }
  void Add(std::shared_ptr<net::EventStream> stream) {
    {
      std::lock_guard lock(mutex_);
      // What is written from here on is news to the first listener, also before the next poll: the mark is taken before it hears "hello".
      if (streams_.empty())
        if (const auto counter = workspace_.db().ChangeCounter()) seen_ = *counter;
      stream->Send("hello", "{}");
      streams_.push_back(std::move(stream));
    }
    wake_.notify_all();
  }

 private:
  static constexpr auto kPoll = std::chrono::milliseconds(300);
  static constexpr int kBeatEvery = 50;  // polls: 15 s, so that dead connections are noticed

  void Loop() {
    int polls = 0;
    std::unique_lock lock(mutex_);
    while (!stop_) {
      if (streams_.empty()) {
        wake_.wait(lock, [this] { return stop_ || !streams_.empty(); });
        continue;
      }
      wake_.wait_for(lock, kPoll, [this] { return stop_; });
      if (stop_) break;
      const std::vector<std::shared_ptr<net::EventStream>> streams = streams_;
      const auto counter = workspace_.db().ChangeCounter();
      const bool changed = counter && *counter != seen_;
      if (counter) seen_ = *counter;
      const std::string mark = std::to_string(seen_);
      lock.unlock();
      const bool beat = ++polls % kBeatEvery == 0;
      std::vector<std::shared_ptr<net::EventStream>> gone;
      if (changed || beat)
        for (const auto& stream : streams)
          if (!stream->Send(changed ? "change" : "beat", mark)) gone.push_back(stream);
      lock.lock();
      for (const auto& stream : gone) std::erase(streams_, stream);
    }
  }

  workspace::Workspace& workspace_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  int64_t seen_ = -1;  ///< change counter that listeners know
  std::vector<std::shared_ptr<net::EventStream>> streams_;
  std::thread thread_;
};

}  // namespace

void AddV1Events(Router& router) {
  // Made with the first page that listens; lives as long as the route.
  struct Lazy {
    std::once_flag once;
    std::unique_ptr<ChangeHub> hub;
  };
  auto lazy = std::make_shared<Lazy>();
  router.AddRaw("GET", "/api/v1/events", Permission::kRead | Scope::kServer, "Server-sent events: `change` whenever something was written", [lazy](Call& call, net::Reply reply) {
    std::call_once(lazy->once, [&] { lazy->hub = std::make_unique<ChangeHub>(call.workspace()); });
    auto stream = reply.StartEvents({{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}});
    if (!stream) return;
    lazy->hub->Add(std::move(stream));
  });
}

}  // namespace rondo::api
