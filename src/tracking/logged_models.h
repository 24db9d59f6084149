/// Logged models, as MLflow 3 has them: the artifact of a training step with its own id, params, tags and metrics. Thread-safe, durable.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tracking/tracking.h"

namespace rondo::tracking {

struct LoggedModel {
  std::string model_id;  ///< "m-" and 32 hex digits
  std::string experiment_id, name;
  std::string artifact_uri;  ///< "mlflow-artifacts:/<experiment>/models/<id>/artifacts"
  std::string status;        ///< PENDING READY UPLOAD_FAILED
  std::string model_type, source_run_id;
  int64_t creation_time = 0, last_update_time = 0;
  std::vector<KeyValue> tags, params;
  std::vector<ModelMetric> metrics;
};

struct LoggedModelQuery {
  std::vector<std::string> experiment_ids = {};
  std::string filter = {};
  struct Order {
    std::string field;  ///< an attribute, or metrics.NAME
    bool ascending = true;
    std::string dataset_name = {}, dataset_digest = {};
  };
  std::vector<Order> order_by = {};
  struct Dataset {
    std::string name, digest;
  };
  std::vector<Dataset> datasets = {};  ///< only models with metrics on one of these
  int64_t max_results = 100;
  std::string page_token = {};
};

class LoggedModels {
 public:
  virtual ~LoggedModels() = default;
  /// experiment_id, name, model_type, source_run_id, tags and params of the request count.
  virtual Result<LoggedModel> Create(const LoggedModel& request) = 0;
  virtual Result<LoggedModel> Get(const std::string& model_id) = 0;
  virtual Result<LoggedModel> Finalize(const std::string& model_id, const std::string& status) = 0;
  virtual Status Delete(const std::string& model_id) = 0;
  virtual Result<LoggedModel> SetTags(const std::string& model_id, const std::vector<KeyValue>& tags) = 0;
  virtual Status DeleteTag(const std::string& model_id, const std::string& key) = 0;
  virtual Status LogParams(const std::string& model_id, const std::vector<KeyValue>& params) = 0;
  virtual Result<std::vector<LoggedModel>> Search(const LoggedModelQuery& query, std::string& next_page_token) = 0;
};

std::unique_ptr<LoggedModels> MakeLoggedModels(db::Database& db, Clock& clock);

}  // namespace rondo::tracking
