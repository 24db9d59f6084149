/// Runs without a person: events that ask for a pipeline run, stored before the run starts, and the runs that follow, one at a time.
///
/// An event has an id made of its cause: the same cause submitted again, also after a restart, starts nothing new. What was queued or running when
/// the server died is run when it is back (a run goes on from what is done), at most three times.
#pragma once

#include <boost/describe.hpp>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/process.h"
#include "base/result.h"
#include "db/db.h"
#include "project/spec.h"

namespace rondo::pipeline {

struct TriggerEvent {
  std::string id;                   ///< empty: derived from kind and cause
  std::string kind;                 ///< cron data webhook drift performance labels api
  std::string cause;                ///< "cron:nightly:2026-11-25T03:00:00.000Z", "alarm:<id>", "data:customers:<digest>"
  std::string why;                  ///< one sentence for people
  std::string actor;                ///< "rondo:schedule", a user
  std::vector<std::string> stages;  ///< empty: all
};

struct TriggerLimits {
  int64_t cooldown_ms = 0;  ///< since the last accepted event of the same kind
  int64_t max_runs = 0;     ///< at most that many accepted events of the kind within per_ms; 0: no limit
  int64_t per_ms = 0;
  std::string prefix;       ///< events whose cause begins so are counted together; empty: those of the same kind
  std::string concurrency = "queue";  ///< skip: refused while one of them waits or runs; cancel: those are cancelled
};

struct Submitted {
  bool accepted = false;
  std::string event, run_id;  ///< also for an event that was known already
  std::vector<std::string> cancelled;  ///< running events that make way
  std::string why;            ///< why not
};
BOOST_DESCRIBE_STRUCT(Submitted, (), (accepted, event, run_id, cancelled, why))

struct TriggerRecord {
  std::string id, kind, cause, why, actor;
  int64_t time = 0;
  std::string state;  ///< queued running succeeded failed cancelled refused
  std::string run_id;
  std::vector<std::string> stages;
  int64_t starts = 0;
  std::optional<int64_t> ended;
};
BOOST_DESCRIBE_STRUCT(TriggerRecord, (), (id, kind, cause, why, actor, time, state, run_id, stages, starts, ended))

/// The stored events. Thread-safe, durable.
class TriggerStore {
 public:
  /// Applies the module's migrations.
  static Result<TriggerStore> Open(db::Database& db, Clock& clock, std::string project);
  Result<Submitted> Submit(const TriggerEvent& event, const TriggerLimits& limits = {});
  /// The oldest queued event, now running; empty when none waits. A second start has its own run id.
  Result<std::optional<TriggerRecord>> Take();
  Status Finish(const std::string& id, const std::string& state);
  /// Events that were running when the process died: queued again, or failed after the third start. Call once at start.
  Status Recover();
  Result<std::vector<TriggerRecord>> List(int64_t limit);  ///< newest first

  struct Mark {
    int64_t time = 0;   ///< cron: last firing that was considered
    std::string seen;   ///< data: state of the source that was last acted on
  };
  Result<std::optional<Mark>> GetMark(const std::string& name);
  Status SetMark(const std::string& name, const Mark& mark);

 private:
  TriggerStore(db::Database& db, Clock& clock, std::string project) : db_(&db), clock_(&clock), project_(std::move(project)) {}
  db::Database* db_;
  Clock* clock_;
  std::string project_;
};

/// An event with the one stage "predict:NAME" runs `rondo predict NAME`, an entry of `predict:` in rondo.yaml.
inline constexpr std::string_view kPredictStage = "predict:";

/// Cron and data triggers of a project: what is due? Pure but for the store and the sources' file times. Not thread-safe.
class Scheduler {
 public:
  /// Also watches `retrain.cron` and, with `retrain.when: data`, the training dataset, under the name "retrain".
  static Result<Scheduler> Make(const project::Project& project, std::filesystem::path root, TriggerStore& store, Clock& clock);

  struct Due {
    std::string name;    ///< of the trigger; "retrain"
    TriggerEvent event;
  };
  /// Events that are due now, oldest first. Missed firings (older than a minute) go by `catch_up`.
  Result<std::vector<Due>> Tick();
  /// Call when Tick's events are stored: only then are their causes marked as considered. After a crash in between they come again, under the same ids.
  Status Keep();
  /// When to call again: the next firing, or soon when data are watched. Empty: never.
  std::optional<int64_t> NextMs() const;

 private:
  struct Entry;
  Scheduler(std::filesystem::path root, TriggerStore& store, Clock& clock) : root_(std::move(root)), store_(&store), clock_(&clock) {}
  /// Names, sizes and times of the files that `from` names, as one hash; empty when there are none.
  std::string SourceState(const std::string& from) const;
  std::filesystem::path root_;
  TriggerStore* store_;
  Clock* clock_;
  std::vector<std::shared_ptr<Entry>> entries_;
};

struct TriggerOptions {
  std::filesystem::path program;  ///< empty: this program
  /// Asked for what is due under the name "retrain": false when a policy refuses it. Called on the scheduler's thread.
  std::function<bool(const TriggerEvent&)> allow_retrain;
  /// Called when an event's run has ended, on the runner's thread.
  std::function<void(const TriggerRecord&)> on_end;
};

/// The server's part: a scheduler thread, and a runner thread that starts `rondo run` as a child, one at a time. The child dies with the server.
class Triggers {
 public:
  static Result<std::unique_ptr<Triggers>> Start(db::Database& db, Clock& clock, const project::Project& project, std::filesystem::path root, std::filesystem::path data, TriggerOptions options);
  ~Triggers();  ///< stops; a running child is told to stop (SIGTERM) and waited for at most ten seconds
  /// Stores the event and wakes the runner. Thread-safe.
  Result<Submitted> Submit(const TriggerEvent& event, const TriggerLimits& limits = {});
  /// The webhook trigger `name`, when `secret` is right (kForbidden otherwise). `key` makes a repeated call one event; empty: each call is its own.
  Result<Submitted> Webhook(const std::string& name, const std::string& secret, const std::string& key);
  /// The same with a signature instead of the secret: "sha256=" and the hex HMAC-SHA256 of the body, as GitHub and many others send it.
  Result<Submitted> SignedWebhook(const std::string& name, std::string_view body, const std::string& signature, const std::string& key);
  Result<std::vector<TriggerRecord>> List(int64_t limit) { return store_.List(limit); }
  /// Stops the run of an event, or takes it out of the queue.
  Status Cancel(const std::string& event);

 private:
  Triggers(TriggerStore store, const project::Project& project, std::filesystem::path root, std::filesystem::path data, Clock& clock, TriggerOptions options);
  void Schedule();
  Result<Submitted> Fire(const project::Trigger& trigger, const std::string& key);
  const project::Trigger* FindTrigger(const std::string& name) const;
  void Run();
  bool WaitForProject();  ///< until no person's run works on the project; false: stopping
  void RunOne(TriggerRecord record);
  TriggerStore store_;
  const std::vector<project::Trigger> triggers_;
  std::optional<Scheduler> scheduler_;
  const std::filesystem::path root_, data_;
  Clock& clock_;
  const TriggerOptions options_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false, work_ = true;
  std::string running_;        ///< id of the event whose child runs
  Process* child_ = nullptr;
  bool cancel_ = false;
  std::thread schedule_thread_, run_thread_;
};

}  // namespace rondo::pipeline
