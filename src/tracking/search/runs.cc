// SearchRuns: filters as EXISTS on the value indexes, sort keys joined, pages by key.
#include <fmt/format.h>

#include "db/search/select.h"
#include "tracking/search/language.h"
#include "tracking/store.h"

namespace rondo::tracking {
namespace {

using db::search::Comparison;
using db::search::Op;
using db::search::Select;
using db::search::SortKey;

std::string Column(const std::string& attribute) { return attribute == "run_name" ? "r.name" : "r." + attribute; }

/// The condition of one comparison. A key that a run does not have never matches, not even `!=`; NaN matches nothing.
std::string RunCondition(Select& select, const Comparison& c) {
  if (c.entity == "attribute") return Condition(select, Column(c.key), c);
  if (c.entity == "metric")
    return fmt::format("EXISTS (SELECT 1 FROM latest l WHERE l.run = r.id AND l.key = (SELECT id FROM metric_key WHERE name = {}) AND {})", select.Arg(c.key), Condition(select, "l.value", c));
  if (c.entity == "dataset") {
    const std::string column = c.key == "context" ? "i.context" : "d." + c.key;
    return fmt::format("EXISTS (SELECT 1 FROM run_input i JOIN dataset d ON d.id = i.dataset WHERE i.run = r.id AND {})", Condition(select, column, c));
  }
  const std::string_view table = c.entity == "tag" ? "run_tag" : "param";
  const std::string key = select.Arg(c.key);
  if (c.op == Op::kIsNull || c.op == Op::kIsNotNull)
    return fmt::format("{}EXISTS (SELECT 1 FROM {} t WHERE t.run = r.id AND t.key = {})", c.op == Op::kIsNull ? "NOT " : "", table, key);
  return fmt::format("EXISTS (SELECT 1 FROM {} t WHERE t.run = r.id AND t.key = {} AND {})", table, key, Condition(select, "t.value", c));
}

/// Absent values come last in both directions, NaN before them.
void RunOrder(Select& select, const db::search::Order& order, size_t number) {
  const std::string alias = fmt::format("o{}", number);
  if (order.entity == "attribute") {
    const bool time = order.key == "start_time" || order.key == "end_time";
    if (order.key == "end_time") {
      select.Sort({"(CASE WHEN r.end_time IS NULL THEN 1 ELSE 0 END)", SortKey::Type::kInteger, true});
      select.Sort({"coalesce(r.end_time, 0)", SortKey::Type::kInteger, order.ascending});
    } else {
      select.Sort({Column(order.key), time ? SortKey::Type::kInteger : SortKey::Type::kText, order.ascending});
    }
    return;
  }
  if (order.entity == "metric") {
    select.Join(fmt::format("LEFT JOIN latest {0} ON {0}.run = r.id AND {0}.key = (SELECT id FROM metric_key WHERE name = {1})", alias, select.Arg(order.key)));
    select.Sort({fmt::format("(CASE WHEN {0}.run IS NULL THEN 2 WHEN {0}.value IS NULL THEN 1 ELSE 0 END)", alias), SortKey::Type::kInteger, true});
    select.Sort({fmt::format("coalesce({}.value, 0.0)", alias), SortKey::Type::kReal, order.ascending});
    return;
  }
  select.Join(fmt::format("LEFT JOIN {1} {0} ON {0}.run = r.id AND {0}.key = {2}", alias, order.entity == "tag" ? "run_tag" : "param", select.Arg(order.key)));
  select.Sort({fmt::format("(CASE WHEN {}.run IS NULL THEN 1 ELSE 0 END)", alias), SortKey::Type::kInteger, true});
  select.Sort({fmt::format("coalesce({}.value, '')", alias), SortKey::Type::kText, order.ascending});
}

}  // namespace

Result<RunPage> Store::SearchRuns(const RunQuery& query) {
  RONDO_TRY(const auto comparisons, db::search::ParseFilter(search::RunLanguage(), query.filter));
  RONDO_TRY(const auto orders, db::search::ParseOrderBy(search::RunLanguage(), query.order_by));
  RONDO_TRY(const std::string view, ViewCondition(query.view, "r.lifecycle_stage"));
  if (query.max_results < 1) return Fail(Code::kInvalid, fmt::format("Invalid value {} for parameter 'max_results' supplied: it must be at least 1", query.max_results));
  if (query.experiment_ids.size() > kMaxExperiments) return Fail(Code::kInvalid, fmt::format("At most {} experiments can be searched at once", kMaxExperiments));
  Select select;
  std::string experiments;
  for (const std::string& id : query.experiment_ids)
    if (const auto number = ExperimentNumber(id)) experiments += (experiments.empty() ? "" : ", ") + select.Arg(*number);
  RunPage page;
  if (experiments.empty()) return page;
  select.Where("r.experiment_id IN (" + experiments + ")");
  select.Where(view);
  for (const Comparison& c : comparisons) select.Where(RunCondition(select, c));
  for (size_t i = 0; i < orders.size(); ++i) RunOrder(select, orders[i], i);
  select.Sort({"r.start_time", SortKey::Type::kInteger, false});
  select.Sort({"r.run_id", SortKey::Type::kText, true});
  RONDO_DO(select.After(query.page_token));
  const std::string sql = select.Sql(kRunColumns, "run r", query.max_results + 1);
  RONDO_DO(db_.Read([&](db::Session& s) -> Status {
    std::vector<int64_t> ids;
    std::string token;
    RONDO_DO(s.Query(sql, select.args(), [&](const db::Row& r) {
      if (static_cast<int64_t>(ids.size()) == query.max_results) {
        page.next_page_token = token;
        return false;
      }
      ids.push_back(r.Int(0));
      if (static_cast<int64_t>(ids.size()) == query.max_results) token = select.Token(r, kRunColumnCount);
      return true;
    }));
    page.runs.reserve(ids.size());
    for (const int64_t id : ids) {
      RONDO_TRY(Run run, LoadRun(s, id));
      page.runs.push_back(std::move(run));
    }
    return {};
  }));
  return page;
}

}  // namespace rondo::tracking
