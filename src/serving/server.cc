#include "serving/server.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "base/shared_slot.h"
#include "base/thread_pool.h"
#include "serving/live.h"

namespace rondo::serving {
namespace {

using Directory = std::map<std::string, std::shared_ptr<Endpoint>, std::less<>>;

class ServerImpl : public Server {
 public:
  ServerImpl(workspace::Workspace& workspace, ServerOptions options) : workspace_(workspace), options_(std::move(options)), loader_(options_.loader) {
    if (!loader_) loader_ = [this](const registry::Version& version) { return LoadVersion(workspace_, version); };
    if (options_.recorder.folder.empty()) options_.recorder.folder = workspace_.folder() / "predictions";
    options_.recorder.threads = options_.recorder.threads && options_.threads;
    recorder_ = std::make_unique<QueueRecorder>(options_.recorder);
    directory_.Store(std::make_shared<const Directory>());
    if (options_.threads) pool_ = std::make_unique<ThreadPool>("serve-batch", options_.batch_threads, 256);
  }
  ~ServerImpl() override {
    Stop();
    pool_.reset();
  }
  Status Open() {
    RONDO_DO(EnsureTables(workspace_));
    Tick();
    if (options_.threads) sync_ = std::thread([this] { Loop(); });
    return {};
  }

  std::shared_ptr<Endpoint> Find(std::string_view name) const override {
    const auto directory = directory_.Load();
    const auto it = directory->find(name);
    return it == directory->end() ? nullptr : it->second;
  }
  std::vector<std::shared_ptr<Endpoint>> List() const override {
    std::vector<std::shared_ptr<Endpoint>> out;
    const auto directory = directory_.Load();
    for (const auto& [name, endpoint] : *directory) out.push_back(endpoint);
    return out;
  }
  bool Submit(std::function<void()> work) override {
    if (!pool_) return work(), true;
    return pool_->Submit(std::move(work));
  }

  Result<Rollout> Act(const std::string& endpoint, Action action, const std::string& actor, const std::string& reason) override {
    std::lock_guard lock(mutex_);
    // A step counts its requests from the present numbers on.
    if (const auto it = live_.find(endpoint); it != live_.end()) it->second->Save();
    auto done = serving::Act(workspace_, endpoint, action, actor, reason, [this](const registry::Version& version) -> Status {
      RONDO_DO(loader_(version));
      return {};
    });
    Round();
    return done;
  }
  Result<Json> Describe(const std::string& endpoint) override {
    std::lock_guard lock(mutex_);
    const auto it = live_.find(endpoint);
    if (it == live_.end()) return Fail(Code::kNotFound, fmt::format("there is no endpoint \"{}\"", Shown(endpoint)));
    return it->second->Describe();
  }
  void AddObserver(PredictionObserver observer) override { recorder_->AddObserver(std::move(observer)); }
  void Tick() override {
    std::lock_guard lock(mutex_);
    Round();
  }
  void Flush() override { recorder_->Flush(); }
  uint64_t dropped() const override { return recorder_->dropped(); }
  void Stop() override {
    {
      std::lock_guard lock(wake_mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (sync_.joinable()) sync_.join();
    recorder_->Flush();
    std::lock_guard lock(mutex_);
    for (auto& [name, live] : live_) live->Save();
  }

 private:
  void Loop() {
    NameThread("serve-sync");
    std::unique_lock lock(wake_mutex_);
    while (!wake_.wait_for(lock, std::chrono::milliseconds(options_.poll_ms), [&] { return stopping_; })) {
      lock.unlock();
      Tick();
      lock.lock();
    }
  }

  /// Under mutex_.
  void Round() {
    const auto counter = workspace_.db().ChangeCounter();
    if (!counter) {
      LogWarn("serving", "looking at the database: {}", counter.error().message);
    } else if (*counter != counter_) {
      // Remembered before reading: what is written meanwhile is read again.
      counter_ = *counter;
      if (Status status = Follow(); !status) {
        LogWarn("serving", "reading the endpoints: {}", status.error().message);
        counter_ = -1;
      }
    }
    for (auto& [name, live] : live_) live->Judge();
  }
  Status Follow() {
    RONDO_TRY(const auto rows, Endpoints(workspace_));
    bool changed = false;
    for (const EndpointRow& row : rows) {
      auto& live = live_[row.name];
      if (!live || live->endpoint()->model() != row.model) {
        live = std::make_unique<LiveEndpoint>(workspace_, options_, loader_, *recorder_, row);
        changed = true;
      }
      live->Follow();
    }
    changed |= std::erase_if(live_, [&](const auto& entry) { return std::none_of(rows.begin(), rows.end(), [&](const EndpointRow& row) { return row.name == entry.first; }); }) > 0;
    if (changed) {
      auto directory = std::make_shared<Directory>();
      for (const auto& [name, live] : live_) directory->emplace(name, live->endpoint());
      directory_.Store(std::move(directory));
    }
    return {};
  }

  workspace::Workspace& workspace_;
  ServerOptions options_;
  ModelLoader loader_;
  std::unique_ptr<QueueRecorder> recorder_;
  SharedSlot<const Directory> directory_;
  std::unique_ptr<ThreadPool> pool_;

  std::mutex mutex_;  ///< live_ and counter_
  std::map<std::string, std::unique_ptr<LiveEndpoint>> live_;
  int64_t counter_ = -1;

  std::mutex wake_mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread sync_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(workspace::Workspace& workspace, ServerOptions options) {
  auto server = std::make_unique<ServerImpl>(workspace, std::move(options));
  RONDO_DO(server->Open());
  return server;
}

}  // namespace rondo::serving
