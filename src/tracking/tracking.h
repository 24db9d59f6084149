/// Experiments and runs, as MLflow has them. Times are int64 ms (UTC). Tables: docs/formats/database.md.
/// All calls are thread-safe; writes return after they are durable.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "db/db.h"

namespace rondo::tracking {

struct KeyValue {
  std::string key, value;
};
BOOST_DESCRIBE_STRUCT(KeyValue, (), (key, value))

struct Metric {
  std::string key;
  double value = 0;
  int64_t timestamp = 0;
  int64_t step = 0;
  bool operator==(const Metric&) const = default;
};
BOOST_DESCRIBE_STRUCT(Metric, (), (key, value, timestamp, step))

struct Experiment {
  std::string experiment_id;  ///< decimal text; "0" is Default
  std::string name;
  std::string artifact_location;  ///< "mlflow-artifacts:/<experiment_id>"
  std::string lifecycle_stage;    ///< active | deleted
  int64_t creation_time = 0, last_update_time = 0;
  std::vector<KeyValue> tags;
};

/// A dataset that a run read, as in MLflow's dataset inputs.
struct DatasetInput {
  std::string name, digest, source_type, source, schema, profile;
  std::string context;  ///< tag mlflow.data.context: training, validation, test
  std::vector<KeyValue> tags = {};  ///< others
};

struct DatasetSummary {
  std::string experiment_id, name, digest, context;
};

/// A logged model (MLflow 3) that a run produced, at a step.
struct ModelOutput {
  std::string model_id;
  int64_t step = 0;
};

struct Run {
  std::string run_id;  ///< 32 hex digits
  std::string run_name, experiment_id, user_id;
  std::string status;           ///< RUNNING SCHEDULED FINISHED FAILED KILLED
  int64_t start_time = 0;
  std::optional<int64_t> end_time;
  std::string artifact_uri;     ///< "mlflow-artifacts:/<experiment_id>/<run_id>/artifacts"
  std::string lifecycle_stage;  ///< active | deleted
  std::vector<Metric> metrics;  ///< the latest of each key: highest (step, timestamp, value)
  std::vector<KeyValue> params, tags;
  std::vector<DatasetInput> inputs;
  std::vector<std::string> model_inputs;
  std::vector<ModelOutput> outputs;
};

/// A metric that also says which logged model it is of, and on which dataset.
struct ModelMetric {
  Metric metric;
  std::string model_id, run_id, dataset_name, dataset_digest;
};

struct LogBatch {
  std::vector<Metric> metrics;
  std::vector<KeyValue> params, tags;
  std::vector<ModelMetric> model_metrics = {};  ///< in addition to `metrics`; run_id is filled in
};

struct RunQuery {
  std::vector<std::string> experiment_ids;
  std::string filter;                 ///< MLflow's search language
  std::vector<std::string> order_by;
  std::string view = "ACTIVE_ONLY";   ///< ACTIVE_ONLY | DELETED_ONLY | ALL
  int64_t max_results = 1000;
  std::string page_token;
};
struct RunPage {
  std::vector<Run> runs;
  std::string next_page_token;
};

class Tracking {
 public:
  virtual ~Tracking() = default;
  /// Artifacts of new experiments go to `<root>/<experiment_id>`; without it "mlflow-artifacts:/<experiment_id>". The Default experiment moves
  /// there too while it has no runs. Call it before other threads use the object.
  virtual Status SetArtifactRoot(const std::string& root) = 0;
  /// An empty location means below the artifact root. Names are unique, also among deleted experiments.
  virtual Result<std::string> CreateExperiment(const std::string& name, const std::vector<KeyValue>& tags, const std::string& artifact_location = {}) = 0;
  /// Finds or creates.
  virtual Result<std::string> EnsureExperiment(const std::string& name) = 0;
  virtual Result<Experiment> GetExperiment(const std::string& id) = 0;
  virtual Result<Experiment> GetExperimentByName(const std::string& name) = 0;
  virtual Result<std::vector<Experiment>> SearchExperiments(const std::string& filter, const std::string& view, int64_t max_results, std::string& page_token,
                                                            const std::vector<std::string>& order_by = {}) = 0;
  virtual Status UpdateExperiment(const std::string& id, const std::string& name) = 0;
  virtual Status SetExperimentDeleted(const std::string& id, bool deleted) = 0;
  virtual Status SetExperimentTag(const std::string& id, const KeyValue& tag) = 0;
  virtual Status DeleteExperimentTag(const std::string& id, const std::string& key) = 0;

  virtual Result<Run> CreateRun(const std::string& experiment_id, const std::string& user, const std::string& name, int64_t start_time, const std::vector<KeyValue>& tags) = 0;
  virtual Result<Run> GetRun(const std::string& run_id) = 0;
  virtual Result<Run> UpdateRun(const std::string& run_id, const std::string& status, std::optional<int64_t> end_time, const std::string& name) = 0;
  virtual Status SetRunDeleted(const std::string& run_id, bool deleted) = 0;
  /// Atomic. A param that exists with another value is kInvalid, in MLflow's words. Exact duplicates of metrics are dropped.
  virtual Status Log(const std::string& run_id, const LogBatch& batch) = 0;
  virtual Status LogInputs(const std::string& run_id, const std::vector<DatasetInput>& inputs) = 0;
  /// The datasets that active runs of these experiments read, each (experiment, name, digest, context) once; at most 1000.
  virtual Result<std::vector<DatasetSummary>> Datasets(const std::vector<std::string>& experiment_ids) = 0;
  /// Logged models that the run read or produced.
  virtual Status LogModels(const std::string& run_id, const std::vector<std::string>& read, const std::vector<ModelOutput>& produced) = 0;
  virtual Status DeleteTag(const std::string& run_id, const std::string& key) = 0;
  /// By (timestamp, step, value), without exact duplicates; max_results 0: all. `page_token` in: where to go on; out: "" at the end.
  virtual Result<std::vector<Metric>> MetricHistory(const std::string& run_id, const std::string& key, int64_t max_results, std::string& page_token) = 0;
  virtual Result<RunPage> SearchRuns(const RunQuery& query) = 0;
};

std::unique_ptr<Tracking> MakeTracking(db::Database& db, Clock& clock);
const std::vector<db::Migration>& Migrations();

}  // namespace rondo::tracking
