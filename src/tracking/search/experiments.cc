// SearchExperiments.
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

std::string ExperimentCondition(Select& select, const Comparison& c) {
  if (c.entity == "attribute") return Condition(select, c.key == "experiment_id" ? "CAST(e.id AS text)" : "e." + c.key, c);
  const std::string key = select.Arg(c.key);
  if (c.op == Op::kIsNull || c.op == Op::kIsNotNull)
    return fmt::format("{}EXISTS (SELECT 1 FROM experiment_tag t WHERE t.experiment_id = e.id AND t.key = {})", c.op == Op::kIsNull ? "NOT " : "", key);
  return fmt::format("EXISTS (SELECT 1 FROM experiment_tag t WHERE t.experiment_id = e.id AND t.key = {} AND {})", key, Condition(select, "t.value", c));
}

}  // namespace

Result<std::vector<Experiment>> Store::SearchExperiments(const std::string& filter, const std::string& view, int64_t max_results, std::string& page_token, const std::vector<std::string>& order_by) {
  RONDO_TRY(const auto comparisons, db::search::ParseFilter(search::ExperimentLanguage(), filter));
  RONDO_TRY(const auto orders, db::search::ParseOrderBy(search::ExperimentLanguage(), order_by));
  RONDO_TRY(const std::string stage, ViewCondition(view, "e.lifecycle_stage"));
  if (max_results < 1) return Fail(Code::kInvalid, fmt::format("Invalid value {} for parameter 'max_results' supplied: it must be at least 1", max_results));
  Select select;
  select.Where(stage);
  for (const Comparison& c : comparisons) select.Where(ExperimentCondition(select, c));
  for (const auto& order : orders) {
    if (order.key == "experiment_id") {
      select.Sort({"e.id", SortKey::Type::kInteger, order.ascending});
    } else {
      select.Sort({"e." + order.key, order.key == "name" ? SortKey::Type::kText : SortKey::Type::kInteger, order.ascending});
    }
  }
  if (orders.empty()) select.Sort({"e.creation_time", SortKey::Type::kInteger, false});
  select.Sort({"e.id", SortKey::Type::kInteger, orders.empty()});
  RONDO_DO(select.After(page_token));
  page_token.clear();
  const std::string sql = select.Sql("e.id", "experiment e", max_results + 1);
  std::vector<Experiment> out;
  RONDO_DO(db_.Read([&](db::Session& s) -> Status {
    std::vector<int64_t> ids;
    std::string token;
    RONDO_DO(s.Query(sql, select.args(), [&](const db::Row& r) {
      if (static_cast<int64_t>(ids.size()) == max_results) {
        page_token = token;
        return false;
      }
      ids.push_back(r.Int(0));
      if (static_cast<int64_t>(ids.size()) == max_results) token = select.Token(r, 1);
      return true;
    }));
    for (const int64_t id : ids) {
      RONDO_TRY(Experiment e, LoadExperiment(s, id));
      out.push_back(std::move(e));
    }
    return {};
  }));
  return out;
}

}  // namespace rondo::tracking
