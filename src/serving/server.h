/// All endpoints of a data folder: follows what the database says should be served, judges rollouts, hands requests their endpoint.
///
/// Threads: requests run on their callers' threads. One thread (`serve-sync`) looks at the database's change counter every 200 ms (a few microseconds
/// when nothing happened), loads models, swaps snapshots, judges; two more log and shadow (serving/recorder.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "serving/endpoint.h"
#include "serving/judge.h"
#include "serving/recorder.h"
#include "serving/rollout.h"
#include "workspace/workspace.h"

namespace rondo::serving {

using ModelLoader = std::function<Result<std::shared_ptr<const LoadedModel>>(const registry::Version&)>;

struct ServerOptions {
  bool threads = true;          ///< false (tests): nothing happens but in Tick() and Flush()
  int64_t poll_ms = 200;
  int64_t save_ms = 2000;       ///< how often a rollout's counters are stored
  size_t batch_threads = 2;     ///< for bodies too large for an event loop
  ModelLoader loader;           ///< empty: LoadVersion
  MetricSource metrics;         ///< metrics from labels, for guards; may be empty
  RecorderOptions recorder;     ///< folder empty: predictions/ of the workspace
};

class Server {
 public:
  /// Opens what the database lists before it returns: a model that can't be loaded is logged and shows in Describe, the others are served.
  static Result<std::unique_ptr<Server>> Start(workspace::Workspace& workspace, ServerOptions options = {});
  virtual ~Server() = default;

  /// Null when there is none of that name. Quick, from any thread.
  virtual std::shared_ptr<Endpoint> Find(std::string_view name) const = 0;
  virtual std::vector<std::shared_ptr<Endpoint>> List() const = 0;
  /// For requests that would hold an event loop up. False: overloaded, answer 503.
  [[nodiscard]] virtual bool Submit(std::function<void()> work) = 0;

  /// A person's action, applied when it returns.
  virtual Result<Rollout> Act(const std::string& endpoint, Action action, const std::string& actor, const std::string& reason) = 0;
  /// An endpoint as docs/api.md has it (type Endpoint): variants with weights and figures, rollout with guards, changes. Reads the database.
  virtual Result<Json> Describe(const std::string& endpoint) = 0;

  virtual void AddObserver(PredictionObserver observer) = 0;
  /// One round of looking, following and judging, now.
  virtual void Tick() = 0;
  /// Everything answered so far is logged, synced and counted when it returns.
  virtual void Flush() = 0;
  virtual uint64_t dropped() const = 0;
  /// Stops the threads, stores counters, writes what is queued. Requests may still be answered, but are no longer followed.
  virtual void Stop() = 0;
};

}  // namespace rondo::serving
