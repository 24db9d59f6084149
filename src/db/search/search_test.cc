// The search language against answers of the mlflow 3.17.2 Python package (SearchUtils.parse_search_filter, parse_order_by_for_search_runs).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "db/search/filter.h"
#include "db/search/select.h"

namespace rondo::db::search {
namespace {

const Language& Runs() {
  static const Language language = {
      {{"run_id", "", false, true, true, true}, {"status", ""}, {"start_time", "", true}, {"created", "start_time", true}, {"run_name", ""}, {"run name", "run_name", false, true, false}},
      {"attributes", "attr", "run"},
      {{"metric", {"metric", "metrics"}, true},
       {"parameter", {"parameter", "parameters", "param", "params"}, false, true},
       {"tag", {"tag", "tags"}, false, true},
       {"dataset", {"dataset", "datasets"}, false, false, true, false, {"name", "digest", "context"}}}};
  return language;
}

std::string Shown(const Comparison& c) {
  static const char* kNames[] = {"=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL"};
  std::string out = std::string(c.entity) + "[" + c.key + "] " + kNames[static_cast<int>(c.op)];
  if (c.number) {
    out += fmt::format(" {:g}", c.value);
  } else if (!c.list.empty()) {
    for (const auto& item : c.list) out += " '" + item + "'";
  } else if (c.op != Op::kIsNull && c.op != Op::kIsNotNull) {
    out += " '" + c.text + "'";
  }
  return out;
}

TEST(Filter, AcceptsWhatMlflowAccepts) {
  const std::pair<const char*, std::vector<std::string>> table[] = {
      {"", {}},
      {"  ", {}},
      {"metrics.a > 1", {"metric[a] > 1"}},
      {"metric.a>=1.5", {"metric[a] >= 1.5"}},
      {"metrics.a < 1e3 and metrics.b <= +2 AND metrics.c != -.5", {"metric[a] < 1000", "metric[b] <= 2", "metric[c] != -0.5"}},
      {"metrics.\"x-y\" >= -1.5e-3", {"metric[x-y] >= -0.0015"}},
      {"metrics.`a b` = 1", {"metric[a b] = 1"}},
      {"params.a = 'x'", {"parameter[a] = 'x'"}},
      {"params.a = 'x' params.b = 'y'", {"parameter[a] = 'x'", "parameter[b] = 'y'"}},
      {"params.a = 'x' aNd params.b='y'", {"parameter[a] = 'x'", "parameter[b] = 'y'"}},
      {"params.a = \"x'y\"", {"parameter[a] = 'x'y'"}},
      {"params.a = 'it''s'", {"parameter[a] = 'it''s'"}},
      {"params.a = 'x AND y = (1)'", {"parameter[a] = 'x AND y = (1)'"}},
      {"params.a ilike 'X' ", {"parameter[a] ILIKE 'X'"}},
      {"params.a IS NULL AND tags.b is not null", {"parameter[a] IS NULL", "tag[b] IS NOT NULL"}},
      {"tags.`a b` LIKE '%x%'", {"tag[a b] LIKE '%x%'"}},
      {"tags.mlflow.source.name != \"x\"", {"tag[mlflow.source.name] != 'x'"}},
      {"tags.\"mlflow.parentRunId\" = 'p'", {"tag[mlflow.parentRunId] = 'p'"}},
      {"run.status = 'RUNNING'", {"attribute[status] = 'RUNNING'"}},
      {"status = 'RUNNING'", {"attribute[status] = 'RUNNING'"}},
      {"attributes.created > 5", {"attribute[start_time] > 5"}},
      {"`run name` = 'x'", {"attribute[run_name] = 'x'"}},
      {"\"run name\" = 'x'", {"attribute[run_name] = 'x'"}},
      {"run_id IN ('a','b')", {"attribute[run_id] IN 'a' 'b'"}},
      {"run_id not in ( 'a' )", {"attribute[run_id] NOT IN 'a'"}},
      {"metrics.a > 1 AND", {"metric[a] > 1"}},
      {"metrics.a > 1;", {"metric[a] > 1"}},
      {"dataset.name = 'x' and datasets.context like 'a'", {"dataset[name] = 'x'", "dataset[context] LIKE 'a'"}},
      {"params.ключ = 'значение'", {"parameter[ключ] = 'значение'"}},
  };
  for (const auto& [text, expected] : table) {
    const auto parsed = ParseFilter(Runs(), text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
    std::vector<std::string> shown;
    for (const Comparison& c : *parsed) shown.push_back(Shown(c));
    EXPECT_EQ(shown, expected) << text;
  }
}

TEST(Filter, RefusesInMlflowsWords) {
  const std::pair<const char*, const char*> table[] = {
      {"metrics.a > 1 OR metrics.b < 2", "Invalid clause(s) in filter string: 'OR'"},
      {"metrics.a >", "Invalid clause(s) in filter string: 'metrics.a', '>'"},
      {"metrics.a > 'x'", "Expected numeric value type for metric. Found 'x'"},
      {"metrics.a > nan", "Expected numeric value type for metric. Found nan"},
      {"metrics.a IN (1,2)", "Expected numeric value type for metric. Found (1,2)"},
      {"metrics.a LIKE 'x'", "Expected numeric value type for metric. Found 'x'"},
      {"metrics.a == 1", "Invalid comparator '==' not one of "},
      {"metrics.a IS NULL", "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'a'"},
      {"params.a = 5", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 5"},
      {"params.a = x", "Parameter value is either not quoted or unidentified quote types used for string value x. Use either single or double quotes."},
      {"params.a IN ('x')", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value ('x')"},
      {"params.a > 'x'", "Invalid comparator '>' not one of "},
      {"tags.a>'x'", "Invalid comparator '>' not one of "},
      {"params.a BETWEEN 'x' AND 'y'", "Invalid clause(s) in filter string: 'params.a', 'BETWEEN', ''x'', ''y''"},
      {"attributes.foo='x'", "Invalid attribute key 'foo' specified. Valid keys are "},
      {"foo.bar='x'", "Invalid entity type 'foo'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"},
      {"5 > metrics.a", "Invalid comparison clause. Expected 'Identifier' found '5'"},
      {"a-b = 'x'", "Invalid comparison clause. Expected 'Identifier' found 'a-b'"},
      {"(metrics.a > 1)", "Invalid clause(s) in filter string: '(metrics.a > 1)'"},
      {"NOT params.a = 'x'", "Invalid clause(s) in filter string: 'NOT'"},
      {"status IN ('a')", "Only ['run_id'] attributes support comparison with a list of quoted string values."},
      {"run_id IN ()", "While parsing a list in the query, expected a non-empty list of string values, but got empty list"},
      {"run_id IN ('a' 'b')", "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list."},
      {"run_id IN (1)", "While parsing a list in the query, expected string value"},
      {"run_id IN 'a'", "Invalid clause(s) in filter string: 'run_id', 'IN', ''a''"},
      {"metrics.a = 1;metrics.b=2", "Search filter contained multiple expression 'metrics.a = 1;metrics.b=2'. Provide AND-ed expression list."},
      {"start_time > '5'", "Expected numeric value type for numeric attribute: start_time. Found '5'"},
      {"dataset.foo='x'", "Invalid dataset key 'foo' specified. Valid keys are '{'name', 'digest', 'context'}'"},
      {"params.a = 'x", "Invalid"},
      {"'", "Invalid clause(s) in filter string: '''"},
      {"params.a = 'x' AND )(", "Invalid clause(s)"},
      {"metrics.a > 1e999", "The number 1e999 is out of range"},
  };
  for (const auto& [text, expected] : table) {
    const auto parsed = ParseFilter(Runs(), text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::kInvalid);
    if (std::string(text) == "params.a = 'x") continue;  // only that it is refused
    EXPECT_TRUE(parsed.error().message.starts_with(expected)) << text << "\n  " << parsed.error().message;
  }
  EXPECT_FALSE(ParseFilter(Runs(), std::string(100'000, ' ')));
}

TEST(OrderBy, ReadsAndRefuses) {
  const auto orders = ParseOrderBy(Runs(), {"metrics.a DESC", "metrics.`a b`", "start_time asc", "params.\"x y\" desc", "attributes.status"});
  ASSERT_TRUE(orders) << orders.error().message;
  ASSERT_EQ(orders->size(), 5u);
  EXPECT_EQ((*orders)[0].entity, "metric");
  EXPECT_EQ((*orders)[0].key, "a");
  EXPECT_FALSE((*orders)[0].ascending);
  EXPECT_EQ((*orders)[1].key, "a b");
  EXPECT_TRUE((*orders)[1].ascending);
  EXPECT_EQ((*orders)[3].key, "x y");
  const std::pair<std::vector<std::string>, const char*> table[] = {
      {{"a"}, "Invalid attribute key 'a' specified. Valid keys are "},
      {{"metrics.a foo"}, "Invalid ordering key in order_by clause 'metrics.a foo'."},
      {{"metrics.a asc desc"}, "Invalid order_by clause 'metrics.a asc desc'. Could not be parsed."},
      {{""}, "Invalid order_by clause ''. Could not be parsed."},
      {{"metrics.x-y"}, "Invalid order_by clause 'metrics.x-y'. Could not be parsed."},
      {{"`run name`"}, "Invalid attribute key 'run name' specified"},
      {{"metrics.a", "metrics.a DESC"}, "`order_by` contains duplicate fields: "},
      {{"created", "start_time"}, "`order_by` contains duplicate fields: "},
      {{"dataset.name"}, "Invalid order_by entity: dataset"},
  };
  for (const auto& [clauses, expected] : table) {
    const auto parsed = ParseOrderBy(Runs(), clauses);
    ASSERT_FALSE(parsed) << clauses[0];
    EXPECT_TRUE(parsed.error().message.starts_with(expected)) << parsed.error().message;
  }
}

TEST(Select, TokensBelongToTheirOrder) {
  Select one;
  one.Sort({"a", SortKey::Type::kInteger, true});
  EXPECT_EQ(one.After("%%%").error().message, "Invalid page token, could not base64-decode");
  EXPECT_FALSE(one.After("e30="));          // {}
  EXPECT_FALSE(one.After("WzEsMl0="));      // [1,2]: not our fingerprint
  EXPECT_TRUE(one.After(""));
}

}  // namespace
}  // namespace rondo::db::search
