#include "tracking/logged_models.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/id.h"
#include "db/search/select.h"
#include "tracking/limits.h"
#include "tracking/search/language.h"
#include "tracking/store.h"

namespace rondo::tracking {
namespace {

using db::search::Comparison;
using db::search::Select;
using db::search::SortKey;

constexpr std::string_view kInsert =
    "INSERT INTO logged_model (model_id, experiment_id, name, artifact_uri, creation_time, last_update_time, status, model_type, source_run_id, lifecycle_stage) "
    "VALUES ($1, $2, $3, $4, $5, $5, 'PENDING', $6, $7, 'active')";
constexpr std::string_view kSelect =
    "SELECT model_id, experiment_id, name, artifact_uri, creation_time, last_update_time, status, model_type, source_run_id FROM logged_model WHERE model_id = $1 AND lifecycle_stage = 'active'";
constexpr std::string_view kTags = "SELECT key, value FROM logged_model_tag WHERE model_id = $1 ORDER BY key";
constexpr std::string_view kParams = "SELECT key, value FROM logged_model_param WHERE model_id = $1 ORDER BY key";
constexpr std::string_view kMetrics = "SELECT key, value, time, step, run_id, dataset_name, dataset_digest FROM logged_model_metric WHERE model_id = $1 ORDER BY key, dataset_name, dataset_digest, run_id";
constexpr std::string_view kPutTag = "INSERT INTO logged_model_tag (model_id, key, value) VALUES ($1, $2, $3) ON CONFLICT (model_id, key) DO UPDATE SET value = excluded.value";
constexpr std::string_view kDeleteTag = "DELETE FROM logged_model_tag WHERE model_id = $1 AND key = $2";
constexpr std::string_view kPutParam = "INSERT INTO logged_model_param (model_id, key, value) VALUES ($1, $2, $3) ON CONFLICT (model_id, key) DO UPDATE SET value = excluded.value";
constexpr std::string_view kFinalize = "UPDATE logged_model SET status = $2, last_update_time = $3 WHERE model_id = $1";
constexpr std::string_view kDelete = "UPDATE logged_model SET lifecycle_stage = 'deleted', last_update_time = $2 WHERE model_id = $1";

Status Do(db::Session& s, std::string_view sql, const db::Args& args) {
  RONDO_TRY(const int64_t changed, s.Exec(sql, args));
  (void)changed;
  return {};
}

Result<LoggedModel> Load(db::Session& s, const std::string& id) {
  std::optional<LoggedModel> m;
  RONDO_DO(s.Query(kSelect, {id}, [&](const db::Row& r) {
    m.emplace();
    m->model_id = r.String(0);
    m->experiment_id = std::to_string(r.Int(1));
    m->name = r.String(2);
    m->artifact_uri = r.String(3);
    m->creation_time = r.Int(4);
    m->last_update_time = r.Int(5);
    m->status = r.String(6);
    m->model_type = r.String(7);
    m->source_run_id = r.String(8);
    return false;
  }));
  if (!m) return Fail(Code::kNotFound, fmt::format("Logged model with ID '{}' not found.", id.substr(0, 100)));
  RONDO_DO(s.Query(kTags, {id}, [&](const db::Row& r) {
    m->tags.push_back({r.String(0), r.String(1)});
    return true;
  }));
  RONDO_DO(s.Query(kParams, {id}, [&](const db::Row& r) {
    m->params.push_back({r.String(0), r.String(1)});
    return true;
  }));
  RONDO_DO(s.Query(kMetrics, {id}, [&](const db::Row& r) {
    m->metrics.push_back({{r.String(0), MetricValue(r, 1), r.Int(2), r.Int(3)}, id, r.String(4), r.String(5), r.String(6)});
    return true;
  }));
  return *m;
}

Status CheckName(const std::string& name) {
  for (const char c : std::string_view("/:.%\"'"))
    if (name.find(c) != std::string::npos)
      return Fail(Code::kInvalid, fmt::format("Invalid model name ('{}') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '\"', \"'\")", name.substr(0, 300)));
  return CheckLength("name", kMaxExperimentName, name);
}

std::string Condition(Select& select, const Comparison& c, const std::string& on_datasets) {
  if (c.entity == "attribute") return db::search::Condition(select, "m." + c.key, c);
  const std::string key = select.Arg(c.key);
  if (c.entity == "metric")
    return fmt::format("EXISTS (SELECT 1 FROM logged_model_metric x WHERE x.model_id = m.model_id AND x.key = {} AND {}{})", key, db::search::Condition(select, "x.value", c), on_datasets);
  return fmt::format("EXISTS (SELECT 1 FROM {} x WHERE x.model_id = m.model_id AND x.key = {} AND {})", c.entity == "tag" ? "logged_model_tag" : "logged_model_param", key,
                     db::search::Condition(select, "x.value", c));
}

Status AddOrder(Select& select, const LoggedModelQuery::Order& order) {
  if (!order.dataset_digest.empty() && order.dataset_name.empty()) return Fail(Code::kInvalid, "`dataset_digest` can only be specified if `dataset_name` is also specified.");
  if (order.field.starts_with("metrics.")) {
    std::string where = fmt::format("x.model_id = m.model_id AND x.key = {}", select.Arg(order.field.substr(8)));
    if (!order.dataset_name.empty()) where += " AND x.dataset_name = " + select.Arg(order.dataset_name);
    if (!order.dataset_digest.empty()) where += " AND x.dataset_digest = " + select.Arg(order.dataset_digest);
    const std::string newest = fmt::format("(SELECT x.value FROM logged_model_metric x WHERE {} ORDER BY x.time DESC, x.step DESC, x.run_id LIMIT 1)", where);
    select.Sort({fmt::format("(CASE WHEN {} IS NULL THEN 1 ELSE 0 END)", newest), SortKey::Type::kInteger, true});
    select.Sort({fmt::format("coalesce({}, 0.0)", newest), SortKey::Type::kReal, order.ascending});
    return {};
  }
  if (order.field.find('.') != std::string::npos)
    return Fail(Code::kInvalid, fmt::format("Invalid order by field name: {}, only `metrics.<name>` is allowed.", order.field.substr(0, order.field.find('.'))));
  for (const auto& attribute : search::LoggedModelLanguage().attributes) {
    if (attribute.name != order.field) continue;
    select.Sort({fmt::format("m.{}", attribute.meaning), attribute.number ? SortKey::Type::kInteger : SortKey::Type::kText, order.ascending});
    return {};
  }
  return Fail(Code::kInvalid, fmt::format("Invalid order by field name: {}.", order.field.substr(0, 200)));
}

class ModelStore : public LoggedModels {
 public:
  ModelStore(db::Database& db, Clock& clock) : db_(db), clock_(clock) {}

  Result<LoggedModel> Create(const LoggedModel& request) override {
    RONDO_TRY(const int64_t experiment, ExperimentNumber(request.experiment_id));
    RONDO_DO(CheckName(request.name));
    const std::string id = "m-" + NewId();
    return db::Store<LoggedModel>(db_, [&](db::Session& s) -> Result<LoggedModel> {
      RONDO_TRY(const Experiment e, LoadExperiment(s, experiment));
      if (e.lifecycle_stage != "active") return Fail(Code::kInvalid, fmt::format("The experiment {} must be in the 'active' state. Current state is deleted.", request.experiment_id));
      const std::string slash = e.artifact_location.ends_with('/') ? "" : "/";
      RONDO_DO(Do(s, kInsert, {id, experiment, request.name.empty() ? RandomRunName() : request.name, e.artifact_location + slash + "models/" + id + "/artifacts", clock_.NowMs(),
                               request.model_type, request.source_run_id}));
      for (const KeyValue& p : request.params) RONDO_DO(Do(s, kPutParam, {id, p.key, p.value}));
      for (const KeyValue& t : request.tags) RONDO_DO(Do(s, kPutTag, {id, t.key, t.value}));
      return Load(s, id);
    });
  }

  Result<LoggedModel> Get(const std::string& id) override {
    return db::Fetch<LoggedModel>(db_, [&](db::Session& s) { return Load(s, id); });
  }

  Result<LoggedModel> Finalize(const std::string& id, const std::string& status) override {
    if (status != "READY" && status != "UPLOAD_FAILED" && status != "PENDING") return Fail(Code::kInvalid, fmt::format("Invalid model status: {}.", status));
    return Change(id, [&](db::Session& s) { return Do(s, kFinalize, {id, status, clock_.NowMs()}); });
  }

  Status Delete(const std::string& id) override {
    return db_.Write([&](db::Session& s) -> Status {
      RONDO_TRY(const LoggedModel m, Load(s, id));
      return Do(s, kDelete, {m.model_id, clock_.NowMs()});
    });
  }

  Result<LoggedModel> SetTags(const std::string& id, const std::vector<KeyValue>& tags) override {
    return Change(id, [&](db::Session& s) -> Status {
      for (const KeyValue& t : tags) RONDO_DO(Do(s, kPutTag, {id, t.key, t.value}));
      return {};
    });
  }

  Status DeleteTag(const std::string& id, const std::string& key) override {
    return db_.Write([&](db::Session& s) -> Status {
      RONDO_TRY(const LoggedModel m, Load(s, id));
      RONDO_TRY(const int64_t removed, s.Exec(kDeleteTag, {m.model_id, key}));
      if (removed == 0) return Fail(Code::kNotFound, fmt::format("No tag with key '{}' found for model with ID '{}'.", key, id));
      return {};
    });
  }

  Status LogParams(const std::string& id, const std::vector<KeyValue>& params) override {
    return db_.Write([&](db::Session& s) -> Status {
      RONDO_TRY(const LoggedModel m, Load(s, id));
      for (const KeyValue& p : params) RONDO_DO(Do(s, kPutParam, {m.model_id, p.key, p.value}));
      return {};
    });
  }

  Result<std::vector<LoggedModel>> Search(const LoggedModelQuery& query, std::string& next_page_token) override {
    next_page_token.clear();
    RONDO_TRY(const auto comparisons, db::search::ParseFilter(search::LoggedModelLanguage(), query.filter));
    if (query.max_results < 1) return Fail(Code::kInvalid, fmt::format("Invalid value {} for parameter 'max_results' supplied: it must be at least 1", query.max_results));
    if (query.experiment_ids.size() > kMaxExperiments) return Fail(Code::kInvalid, fmt::format("At most {} experiments can be searched at once", kMaxExperiments));
    Select select;
    std::string experiments;
    for (const std::string& id : query.experiment_ids)
      if (const auto number = ExperimentNumber(id)) experiments += (experiments.empty() ? "" : ", ") + select.Arg(*number);
    std::vector<LoggedModel> out;
    if (experiments.empty()) return out;
    select.Where("m.experiment_id IN (" + experiments + ")");
    select.Where("m.lifecycle_stage = 'active'");
    std::string any;
    for (const auto& dataset : query.datasets) {
      if (dataset.name.empty()) return Fail(Code::kInvalid, "`dataset_name` in the `datasets` clause must be specified.");
      any += fmt::format("{}(x.dataset_name = {}{})", any.empty() ? "" : " OR ", select.Arg(dataset.name), dataset.digest.empty() ? "" : " AND x.dataset_digest = " + select.Arg(dataset.digest));
    }
    const std::string on_datasets = any.empty() ? "" : " AND (" + any + ")";
    bool metric_filter = false;
    for (const Comparison& c : comparisons) {
      metric_filter |= c.entity == "metric";
      select.Where(Condition(select, c, on_datasets));
    }
    if (!on_datasets.empty() && !metric_filter) select.Where("EXISTS (SELECT 1 FROM logged_model_metric x WHERE x.model_id = m.model_id" + on_datasets + ")");
    for (const auto& order : query.order_by) RONDO_DO(AddOrder(select, order));
    select.Sort({"m.creation_time", SortKey::Type::kInteger, false});
    select.Sort({"m.model_id", SortKey::Type::kText, true});
    RONDO_DO(select.After(query.page_token));
    const std::string sql = select.Sql("m.model_id", "logged_model m", query.max_results + 1);
    RONDO_DO(db_.Read([&](db::Session& s) -> Status {
      std::vector<std::string> ids;
      std::string token;
      RONDO_DO(s.Query(sql, select.args(), [&](const db::Row& r) {
        if (static_cast<int64_t>(ids.size()) == query.max_results) {
          next_page_token = token;
          return false;
        }
        ids.push_back(r.String(0));
        if (static_cast<int64_t>(ids.size()) == query.max_results) token = select.Token(r, 1);
        return true;
      }));
      for (const std::string& id : ids) {
        RONDO_TRY(LoggedModel m, Load(s, id));
        out.push_back(std::move(m));
      }
      return {};
    }));
    return out;
  }

 private:
  Result<LoggedModel> Change(const std::string& id, const std::function<Status(db::Session&)>& change) {
    return db::Store<LoggedModel>(db_, [&](db::Session& s) -> Result<LoggedModel> {
      RONDO_TRY(const LoggedModel before, Load(s, id));
      (void)before;
      RONDO_DO(change(s));
      return Load(s, id);
    });
  }

  db::Database& db_;
  Clock& clock_;
};

}  // namespace

std::unique_ptr<LoggedModels> MakeLoggedModels(db::Database& db, Clock& clock) { return std::make_unique<ModelStore>(db, clock); }

}  // namespace rondo::tracking
