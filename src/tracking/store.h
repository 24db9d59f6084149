/// The tracking store on SQL. Internal: use tracking.h. Experiments are in experiments.cc, runs in runs.cc, logging in logging.cc.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "db/db.h"
#include "tracking/tracking.h"

namespace rondo::tracking {

struct RunRow {
  int64_t id = 0;
  int64_t experiment = 0;
  bool active = false;
};

class Store : public Tracking {
 public:
  Store(db::Database& db, Clock& clock) : db_(db), clock_(clock) {}

  Status SetArtifactRoot(const std::string& root) override;
  Result<std::string> CreateExperiment(const std::string& name, const std::vector<KeyValue>& tags, const std::string& artifact_location) override;
  Result<std::string> EnsureExperiment(const std::string& name) override;
  Result<Experiment> GetExperiment(const std::string& id) override;
  Result<Experiment> GetExperimentByName(const std::string& name) override;
  Result<std::vector<Experiment>> SearchExperiments(const std::string& filter, const std::string& view, int64_t max_results, std::string& page_token, const std::vector<std::string>& order_by) override;
  Status UpdateExperiment(const std::string& id, const std::string& name) override;
  Status SetExperimentDeleted(const std::string& id, bool deleted) override;
  Status SetExperimentTag(const std::string& id, const KeyValue& tag) override;
  Status DeleteExperimentTag(const std::string& id, const std::string& key) override;

  Result<Run> CreateRun(const std::string& experiment_id, const std::string& user, const std::string& name, int64_t start_time, const std::vector<KeyValue>& tags) override;
  Result<Run> GetRun(const std::string& run_id) override;
  Result<Run> UpdateRun(const std::string& run_id, const std::string& status, std::optional<int64_t> end_time, const std::string& name) override;
  Status SetRunDeleted(const std::string& run_id, bool deleted) override;
  Status Log(const std::string& run_id, const LogBatch& batch) override;
  Status LogInputs(const std::string& run_id, const std::vector<DatasetInput>& inputs) override;
  Result<std::vector<DatasetSummary>> Datasets(const std::vector<std::string>& experiment_ids) override;
  Status LogModels(const std::string& run_id, const std::vector<std::string>& read, const std::vector<ModelOutput>& produced) override;
  Status DeleteTag(const std::string& run_id, const std::string& key) override;
  Result<std::vector<Metric>> MetricHistory(const std::string& run_id, const std::string& key, int64_t max_results, std::string& page_token) override;
  Result<RunPage> SearchRuns(const RunQuery& query) override;

 private:
  Status LogMetrics(db::Session& s, int64_t run, const std::vector<Metric>& metrics, std::map<std::string, int64_t>& new_keys);
  Result<int64_t> KeyId(db::Session& s, const std::string& name, std::map<std::string, int64_t>& new_keys);

  db::Database& db_;
  Clock& clock_;
  std::string artifact_root_ = "mlflow-artifacts:";
  std::mutex keys_mutex_;
  std::map<std::string, int64_t, std::less<>> keys_;  ///< committed metric keys: they are never deleted
};

/// Decimal text to id; kNotFound in MLflow's words.
Result<int64_t> ExperimentNumber(const std::string& id);
Result<Experiment> LoadExperiment(db::Session& s, int64_t id);
/// `root` without a slash at its end.
Result<int64_t> NewExperiment(db::Session& s, int64_t now, const std::string& root, const std::string& name, const std::vector<KeyValue>& tags, const std::string& artifact_location);
/// kNotFound in MLflow's words.
Result<RunRow> FindRun(db::Session& s, const std::string& run_id);
/// Refuses deleted runs, as every write does.
Result<RunRow> FindActiveRun(db::Session& s, const std::string& run_id);
/// A run with all that hangs on it.
Result<Run> LoadRun(db::Session& s, int64_t id);
Status PutTag(db::Session& s, int64_t run, const KeyValue& tag);
/// "ACTIVE_ONLY" -> condition on `column`; kInvalid for unknown views.
Result<std::string> ViewCondition(const std::string& view, const std::string& column);

/// NaN is stored as NULL.
db::Value MetricValue(double value);
double MetricValue(const db::Row& row, int column);

inline constexpr std::string_view kRunColumns = "r.id, r.run_id, r.name, r.experiment_id, r.user_id, r.status, r.start_time, r.end_time, r.artifact_uri, r.lifecycle_stage";
inline constexpr int kRunColumnCount = 10;
inline constexpr size_t kMaxExperiments = 20'000;  ///< in one search: SQLite takes 32,766 arguments
inline constexpr std::string_view kRunNameTag = "mlflow.runName";

}  // namespace rondo::tracking
