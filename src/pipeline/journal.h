/// Pipeline runs and stage attempts as they happen: intent before a process starts, result after its outputs are in the store. Durable, thread-safe.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "db/db.h"

namespace rondo::pipeline {

/// One reason why a stage runs.
struct Change {
  std::string what;  ///< "dep data/telco_churn.csv", "param train.params.max_depth", "command", "out out/model", "never ran"
  std::string before, after;
};
BOOST_DESCRIBE_STRUCT(Change, (), (what, before, after))

struct StageRecord {
  std::string name;
  std::string status;  ///< waiting running succeeded failed skipped restored cancelled
  int64_t attempts = 0;
  double seconds = 0;
  int64_t started = 0;
  std::optional<int64_t> ended;
  std::optional<int64_t> exit_code;
  double cpu_s = 0;
  int64_t max_rss_kb = 0;
  std::string summary, log;
  std::vector<Change> why;
  Json inputs;  ///< {"deps": [...], "outs": [...]} with hashes
};
BOOST_DESCRIBE_STRUCT(StageRecord, (), (name, status, attempts, seconds, started, ended, exit_code, cpu_s, max_rss_kb, summary, log, why, inputs))

struct RunRecord {
  std::string id, project;
  std::string status;  ///< running succeeded failed cancelled
  std::string trigger, cause, actor;
  int64_t started = 0;
  std::optional<int64_t> ended;
  std::string commit, mlflow_run, error;
  int64_t pid = 0;
  std::vector<StageRecord> stages;  ///< in the order in which they were decided
};
BOOST_DESCRIBE_STRUCT(RunRecord, (), (id, project, status, trigger, cause, actor, started, ended, commit, mlflow_run, error, pid, stages))

class Journal {
 public:
  /// Applies the module's migrations.
  static Result<Journal> Open(db::Database& db, Clock& clock);
  Status StartRun(const RunRecord& run, const std::string& config_json);
  Status SetMlflowRun(const std::string& run, const std::string& mlflow_run);
  Status EndRun(const std::string& run, const std::string& status, const std::string& error);
  /// Inserts or replaces the record of a stage (by its name within the run).
  Status PutStage(const std::string& run, int64_t seq, const StageRecord& stage);
  /// Many of them in one transaction, by their place in the run.
  Status PutStages(const std::string& run, const std::map<int64_t, StageRecord>& stages);
  Result<std::vector<RunRecord>> Runs(int64_t limit);  ///< newest first, with stages
  Result<RunRecord> Run(const std::string& id);        ///< a unique prefix will do
  Result<std::string> Config(const std::string& id);
  /// Runs of a project that stand as running.
  Result<std::vector<RunRecord>> Running(const std::string& project);
  /// Runs whose process has gone are "failed: interrupted"; returns how many there were. Call while holding the project's lock.
  Result<int64_t> CloseInterrupted(const std::string& project);

 private:
  Journal(db::Database& db, Clock& clock) : db_(&db), clock_(&clock) {}
  db::Database* db_;
  Clock* clock_;
};

const std::vector<db::Migration>& Migrations();

}  // namespace rondo::pipeline
