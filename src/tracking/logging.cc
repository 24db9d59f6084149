// What a run logs: metrics, params, tags, inputs; and the history of a metric.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/hash.h"
#include "base/json_map.h"
#include "tracking/curves.h"
#include "tracking/limits.h"
#include "tracking/store.h"

namespace rondo::tracking {
namespace {

constexpr std::string_view kParam = "SELECT value FROM param WHERE run = $1 AND key = $2";
constexpr std::string_view kInsertParam = "INSERT INTO param (run, key, value) VALUES ($1, $2, $3)";
constexpr std::string_view kKeyId = "SELECT id FROM metric_key WHERE name = $1";
constexpr std::string_view kInsertKey = "INSERT INTO metric_key (name) VALUES ($1) RETURNING id";
constexpr std::string_view kNextSeq = "SELECT coalesce(max(seq), 0) + 1 FROM metric WHERE run = $1";
constexpr std::string_view kInsertMetric = "INSERT INTO metric (run, seq, key, step, time, value) VALUES ($1, $2, $3, $4, $5, $6)";
constexpr std::string_view kPutLatest =
    "INSERT INTO latest (run, key, step, time, value) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (run, key) DO UPDATE "
    "SET step = excluded.step, time = excluded.time, value = excluded.value "
    "WHERE (excluded.step, excluded.time, coalesce(excluded.value, 0)) > (latest.step, latest.time, coalesce(latest.value, 0))";
constexpr std::string_view kHistory = "SELECT value, time, step FROM metric WHERE run = $1 AND key = $2";
constexpr std::string_view kDeleteTag = "DELETE FROM run_tag WHERE run = $1 AND key = $2";
constexpr std::string_view kDatasetId = "SELECT id FROM dataset WHERE experiment_id = $1 AND name = $2 AND digest = $3";
constexpr std::string_view kInsertDataset =
    "INSERT INTO dataset (experiment_id, name, digest, source_type, source, schema_text, profile) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
constexpr std::string_view kDatasetsOf =
    "SELECT DISTINCT d.name, d.digest, i.context FROM dataset d JOIN run_input i ON i.dataset = d.id JOIN run r ON r.id = i.run "
    "WHERE d.experiment_id = $1 AND r.lifecycle_stage = 'active' ORDER BY d.name, d.digest, i.context LIMIT 1000";
constexpr size_t kMaxDatasetSummaries = 1000;
constexpr std::string_view kPutInput =
    "INSERT INTO run_input (run, dataset, context, tags) VALUES ($1, $2, $3, $4) ON CONFLICT (run, dataset) DO UPDATE SET context = excluded.context, tags = excluded.tags";
constexpr std::string_view kPutModel =
    "INSERT INTO run_model (run, direction, model_id, step) VALUES ($1, $2, $3, $4) ON CONFLICT (run, direction, model_id) DO UPDATE SET step = excluded.step";

// The newest of each (model, key, dataset, run), by the same rule as `latest`.
constexpr std::string_view kPutModelMetric =
    "INSERT INTO logged_model_metric (model_id, run_id, key, dataset_name, dataset_digest, step, time, value) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
    "ON CONFLICT (model_id, key, dataset_name, dataset_digest, run_id) DO UPDATE SET step = excluded.step, time = excluded.time, value = excluded.value "
    "WHERE (excluded.step, excluded.time, coalesce(excluded.value, 0)) > (logged_model_metric.step, logged_model_metric.time, coalesce(logged_model_metric.value, 0))";
constexpr std::string_view kModelExists = "SELECT 1 FROM logged_model WHERE model_id = $1";

Status Do(db::Session& s, std::string_view sql, const db::Args& args) {
  RONDO_TRY(const int64_t changed, s.Exec(sql, args));
  (void)changed;
  return {};
}

/// MLflow's order of "latest"; NaN counts as 0.
auto Rank(const Metric& m) { return std::tuple(m.step, m.timestamp, std::isnan(m.value) ? 0.0 : m.value); }

/// What MLflow says depends on whether one param was logged alone or a batch.
Status LogParams(db::Session& s, int64_t run, const std::string& run_id, const LogBatch& batch) {
  std::string conflicts;
  const bool single = batch.params.size() == 1 && batch.metrics.empty() && batch.tags.empty();
  for (const KeyValue& param : batch.params) {
    const std::string value = Truncated(param.value, kMaxParamValue);
    RONDO_TRY(const auto present, s.QueryText(kParam, {run, param.key}));
    if (!present) {
      RONDO_DO(Do(s, kInsertParam, {run, param.key, value}));
    } else if (*present != value) {
      if (single)
        return Fail(Code::kInvalid, fmt::format("Changing param values is not allowed. Param with key='{}' was already logged with value='{}' for run ID='{}'. Attempted logging new value '{}'.",
                                                param.key, *present, run_id, value));
      conflicts += fmt::format("{}{{'key': '{}', 'old_value': '{}', 'new_value': '{}'}}", conflicts.empty() ? "" : ", ", param.key, *present, value);
    }
  }
  if (conflicts.empty()) return {};
  return Fail(Code::kInvalid, fmt::format("Changing param values is not allowed. Params were already logged='[{}]' for run ID='{}'.", conflicts, run_id));
}

Result<int64_t> ParseOffset(const std::string& token) {
  if (token.empty()) return 0;
  const auto bytes = Base64Decode(token);
  if (!bytes) return Fail(Code::kInvalid, "Invalid page token, could not base64-decode");
  const auto json = ParseJson(*bytes);
  const int64_t offset = json ? (*json)["offset"].AsInt(-1) : -1;
  if (offset < 0) return Fail(Code::kInvalid, "Invalid page token, parsed value=" + bytes->substr(0, 200));
  return offset;
}

}  // namespace

Result<int64_t> Store::KeyId(db::Session& s, const std::string& name, std::map<std::string, int64_t>& new_keys) {
  {
    std::lock_guard lock(keys_mutex_);
    if (const auto it = keys_.find(name); it != keys_.end()) return it->second;
  }
  if (const auto it = new_keys.find(name); it != new_keys.end()) return it->second;
  RONDO_TRY(auto id, s.QueryInt(kKeyId, {name}));
  if (!id) {
    RONDO_TRY(id, s.QueryInt(kInsertKey, {name}));
  }
  new_keys[name] = id.value_or(0);
  return id.value_or(0);
}

Status Store::LogMetrics(db::Session& s, int64_t run, const std::vector<Metric>& metrics, std::map<std::string, int64_t>& new_keys) {
  if (metrics.empty()) return {};
  RONDO_TRY(const auto next, s.QueryInt(kNextSeq, {run}));
  int64_t seq = next.value_or(1);
  std::map<int64_t, const Metric*> best;
  for (const Metric& m : metrics) {
    RONDO_TRY(const int64_t key, KeyId(s, m.key, new_keys));
    RONDO_DO(Do(s, kInsertMetric, {run, seq++, key, m.step, m.timestamp, MetricValue(m.value)}));
    const Metric*& b = best[key];
    if (!b || Rank(m) > Rank(*b)) b = &m;
  }
  for (const auto& [key, m] : best) RONDO_DO(Do(s, kPutLatest, {run, key, m->step, m->timestamp, MetricValue(m->value)}));
  // Looked at now and then only: a batch must not pay for it.
  constexpr int64_t kSpan = 1024;
  const int64_t last = seq - 1;
  return last / kSpan == (next.value_or(1) - 1) / kSpan ? Status() : DigestRun(s, run, last);
}

Status Store::Log(const std::string& run_id, const LogBatch& batch) {
  RONDO_DO(CheckBatch(batch));
  std::map<std::string, int64_t> new_keys;
  RONDO_DO(db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const RunRow row, FindActiveRun(s, run_id));
    RONDO_DO(LogParams(s, row.id, run_id, batch));
    RONDO_DO(LogMetrics(s, row.id, batch.metrics, new_keys));
    for (const ModelMetric& m : batch.model_metrics) {
      // Some clients send ids of models that live elsewhere: the run's own metric counts, as with MLflow.
      RONDO_TRY(const auto known, s.QueryInt(kModelExists, {m.model_id}));
      if (known)
        RONDO_DO(Do(s, kPutModelMetric, {m.model_id, run_id, m.metric.key, m.dataset_name, m.dataset_digest, m.metric.step, m.metric.timestamp, MetricValue(m.metric.value)}));
    }
    for (const KeyValue& tag : batch.tags) RONDO_DO(PutTag(s, row.id, tag));
    return {};
  }));
  // Only what is committed may be remembered: another process could otherwise give the number to another key.
  if (!new_keys.empty()) {
    std::lock_guard lock(keys_mutex_);
    keys_.insert(new_keys.begin(), new_keys.end());
  }
  return {};
}

Status Store::LogInputs(const std::string& run_id, const std::vector<DatasetInput>& inputs) {
  if (inputs.size() > kMaxInputs) return Fail(Code::kInvalid, fmt::format("A run can log at most {} datasets in one request. Got {} datasets.", kMaxInputs, inputs.size()));
  for (const DatasetInput& input : inputs) RONDO_DO(CheckInput(input));
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const RunRow row, FindActiveRun(s, run_id));
    for (const DatasetInput& d : inputs) {
      RONDO_TRY(auto id, s.QueryInt(kDatasetId, {row.experiment, d.name, d.digest}));
      if (!id) {
        RONDO_TRY(id, s.QueryInt(kInsertDataset, {row.experiment, d.name, d.digest, d.source_type, d.source, d.schema, d.profile}));
      }
      RONDO_DO(Do(s, kPutInput, {row.id, id, d.context, WriteJson(d.tags)}));
    }
    return {};
  });
}

Result<std::vector<DatasetSummary>> Store::Datasets(const std::vector<std::string>& experiment_ids) {
  std::vector<DatasetSummary> out;
  RONDO_DO(db_.Read([&](db::Session& s) -> Status {
    for (const std::string& id : experiment_ids) {
      const auto number = ExperimentNumber(id);
      if (!number) continue;
      RONDO_DO(s.Query(kDatasetsOf, {*number}, [&](const db::Row& r) {
        out.push_back({id, r.String(0), r.String(1), r.String(2)});
        return out.size() < kMaxDatasetSummaries;
      }));
    }
    return {};
  }));
  return out;
}

Status Store::LogModels(const std::string& run_id, const std::vector<std::string>& read, const std::vector<ModelOutput>& produced) {
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const RunRow row, FindActiveRun(s, run_id));
    for (const std::string& id : read) RONDO_DO(Do(s, kPutModel, {row.id, "in", id, 0}));
    for (const ModelOutput& m : produced) RONDO_DO(Do(s, kPutModel, {row.id, "out", m.model_id, m.step}));
    return {};
  });
}

Status Store::DeleteTag(const std::string& run_id, const std::string& key) {
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const RunRow row, FindActiveRun(s, run_id));
    RONDO_TRY(const int64_t removed, s.Exec(kDeleteTag, {row.id, key}));
    if (removed == 0) return Fail(Code::kNotFound, fmt::format("No tag with name: {} in run with id {}", key, run_id));
    return {};
  });
}

Result<std::vector<Metric>> Store::MetricHistory(const std::string& run_id, const std::string& key, int64_t max_results, std::string& page_token) {
  RONDO_TRY(const int64_t offset, ParseOffset(page_token));
  page_token.clear();
  std::vector<Metric> all;
  RONDO_DO(db_.Read([&](db::Session& s) -> Status {
    RONDO_TRY(const RunRow row, FindRun(s, run_id));
    RONDO_TRY(const auto id, s.QueryInt(kKeyId, {key}));
    if (!id) return {};
    return s.Query(kHistory, {row.id, *id}, [&](const db::Row& r) {
      all.push_back({key, MetricValue(r, 0), r.Int(1), r.Int(2)});
      return true;
    });
  }));
  // NaN after the numbers; a client that repeats a request after a lost answer leaves exact duplicates, which are dropped here.
  const auto rank = [](const Metric& m) { return std::tuple(m.timestamp, m.step, std::isnan(m.value), std::isnan(m.value) ? 0.0 : m.value); };
  std::sort(all.begin(), all.end(), [&](const Metric& a, const Metric& b) { return rank(a) < rank(b); });
  all.erase(std::unique(all.begin(), all.end(), [&](const Metric& a, const Metric& b) { return rank(a) == rank(b); }), all.end());
  const size_t from = std::min(all.size(), static_cast<size_t>(offset));
  size_t to = all.size();
  if (max_results > 0 && static_cast<size_t>(max_results) < to - from) {
    to = from + static_cast<size_t>(max_results);
    page_token = Base64Encode(Json::MakeObject().Set("offset", static_cast<int64_t>(to)).Dump());
  }
  return std::vector<Metric>(all.begin() + static_cast<long>(from), all.begin() + static_cast<long>(to));
}

}  // namespace rondo::tracking
