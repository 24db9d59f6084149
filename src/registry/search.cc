// SearchModels and SearchVersions.
#include <fmt/format.h>

#include "db/search/select.h"
#include "registry/store.h"

namespace rondo::registry {
namespace {

using db::search::Comparison;
using db::search::Language;
using db::search::Op;
using db::search::Select;
using db::search::SortKey;

/// Prompts of MLflow's language-model side are registered models with this tag; searches for models leave them out unless they name it.
constexpr std::string_view kPromptTag = "mlflow.prompt.is_prompt";

const Language& ModelLanguage() {
  static const Language language = {.attributes = {{.name = "name", .meaning = "name", .list = true},
                                                   {.name = "timestamp", .meaning = "last_update_time", .number = true, .filter = false},
                                                   {.name = "last_updated_timestamp", .meaning = "last_update_time", .number = true, .filter = false},
                                                   {.name = "creation_timestamp", .meaning = "creation_time", .number = true, .filter = false}},
                                    .attribute_names = {"attributes"},
                                    .entities = {{.name = "tag", .names = {"tag", "tags"}, .order = false}}};
  return language;
}

const Language& VersionLanguage() {
  static const Language language = {.attributes = {{.name = "name", .meaning = "name", .list = true},
                                                   {.name = "version_number", .meaning = "version", .number = true},
                                                   {.name = "run_id", .meaning = "run_id", .order = false, .list = true},
                                                   {.name = "source_path", .meaning = "source", .order = false},
                                                   {.name = "creation_timestamp", .meaning = "creation_time", .number = true, .filter = false},
                                                   {.name = "last_updated_timestamp", .meaning = "last_update_time", .number = true, .filter = false}},
                                    .attribute_names = {"attributes"},
                                    .entities = {{.name = "tag", .names = {"tag", "tags"}, .order = false}}};
  return language;
}

/// `row` joins the tag table to the searched row: "t.model = m.id".
void WhereTags(Select& select, const std::vector<Comparison>& comparisons, std::string_view table, std::string_view row) {
  bool names_prompt = false;
  for (const Comparison& c : comparisons) {
    if (c.entity != "tag") continue;
    const std::string exists = fmt::format("EXISTS (SELECT 1 FROM {} t WHERE {} AND t.key = {}", table, row, select.Arg(c.key));
    std::string condition = exists + " AND " + Condition(select, "t.value", c) + ")";
    if (c.key == kPromptTag) {
      names_prompt = true;
      // Models carry no such tag: "is not a prompt" must match them.
      if ((c.op == Op::kEq && c.text == "false") || (c.op == Op::kNe && c.text == "true")) condition = fmt::format("({} OR NOT {}))", condition, exists);
    }
    select.Where(std::move(condition));
  }
  if (!names_prompt) select.Where(fmt::format("NOT EXISTS (SELECT 1 FROM {} t WHERE {} AND t.key = {} AND t.value = 'true')", table, row, select.Arg(kPromptTag)));
}

Status CheckMax(int64_t max_results) {
  if (max_results >= 1) return {};
  return Fail(Code::kInvalid, fmt::format("Invalid value for max_results. It must be a positive integer, but got {}", max_results));
}

/// Runs the search; `load` turns the two id columns of a row into a thing.
template <typename T>
Result<std::vector<T>> Run(db::Database& db, Select& select, std::string_view columns, std::string_view from, int64_t max_results, std::string& page_token,
                           const std::function<Result<T>(db::Session&, int64_t, int64_t)>& load) {
  RONDO_DO(select.After(page_token));
  page_token.clear();
  const std::string sql = select.Sql(columns, from, max_results + 1);
  std::vector<T> out;
  RONDO_DO(db.Read([&](db::Session& s) -> Status {
    std::vector<std::pair<int64_t, int64_t>> ids;
    std::string token;
    RONDO_DO(s.Query(sql, select.args(), [&](const db::Row& r) {
      if (static_cast<int64_t>(ids.size()) == max_results) {
        page_token = token;
        return false;
      }
      ids.emplace_back(r.Int(0), r.Int(1));
      if (static_cast<int64_t>(ids.size()) == max_results) token = select.Token(r, 2);
      return true;
    }));
    for (const auto& [first, second] : ids) {
      RONDO_TRY(T thing, load(s, first, second));
      out.push_back(std::move(thing));
    }
    return {};
  }));
  return out;
}

}  // namespace

Result<std::vector<Model>> Store::SearchModels(const std::string& filter, const std::vector<std::string>& order_by, int64_t max_results, std::string& page_token) {
  RONDO_TRY(const auto comparisons, db::search::ParseFilter(ModelLanguage(), filter));
  RONDO_TRY(const auto orders, db::search::ParseOrderBy(ModelLanguage(), order_by));
  RONDO_DO(CheckMax(max_results));
  Select select;
  for (const Comparison& c : comparisons)
    if (c.entity == "attribute") select.Where(Condition(select, "m." + c.key, c));
  WhereTags(select, comparisons, "registered_model_tag", "t.model = m.id");
  for (const auto& order : orders) select.Sort({"m." + order.key, order.key == "name" ? SortKey::Type::kText : SortKey::Type::kInteger, order.ascending});
  select.Sort({"m.name", SortKey::Type::kText, true});
  return Run<Model>(db_, select, "m.id, 0", "registered_model m", max_results, page_token, [](db::Session& s, int64_t id, int64_t) { return LoadModel(s, id); });
}

Result<std::vector<Version>> Store::SearchVersions(const std::string& filter, const std::vector<std::string>& order_by, int64_t max_results, std::string& page_token) {
  RONDO_TRY(const auto comparisons, db::search::ParseFilter(VersionLanguage(), filter));
  RONDO_TRY(const auto orders, db::search::ParseOrderBy(VersionLanguage(), order_by));
  RONDO_DO(CheckMax(max_results));
  Select select;
  select.Where("v.stage <> 'Deleted_Internal'");
  for (const Comparison& c : comparisons)
    if (c.entity == "attribute") select.Where(Condition(select, c.key == "name" ? "m.name" : "v." + c.key, c));
  WhereTags(select, comparisons, "model_version_tag", "t.model = v.model AND t.version = v.version");
  for (const auto& order : orders)
    select.Sort({order.key == "name" ? "m.name" : "v." + order.key, order.key == "name" ? SortKey::Type::kText : SortKey::Type::kInteger, order.ascending});
  if (orders.empty()) select.Sort({"v.last_update_time", SortKey::Type::kInteger, false});
  select.Sort({"m.name", SortKey::Type::kText, true});
  select.Sort({"v.version", SortKey::Type::kInteger, false});
  return Run<Version>(db_, select, "v.model, v.version", "model_version v JOIN registered_model m ON m.id = v.model", max_results, page_token,
                      [](db::Session& s, int64_t model, int64_t version) { return LoadVersion(s, model, version); });
}

}  // namespace rondo::registry
