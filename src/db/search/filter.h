/// The search language of MLflow, free of what is searched: comparisons joined by AND, keys in quotes or backticks, LIKE, ILIKE, IN, IS NULL.
///   metrics.auc > 0.8 AND params.`max depth` = '4' AND tags.team LIKE 'gro%' AND run_id IN ('a', 'b')
/// A noun describes what can be named (Language) and gets checked comparisons back; errors are in MLflow's words, since its clients show them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rondo::db::search {

enum class Op { kEq, kNe, kLt, kLe, kGt, kGe, kLike, kIlike, kIn, kNotIn, kIsNull, kIsNotNull };

/// A column of the thing itself: `start_time`, `attributes.status`.
struct Attribute {
  std::string_view name;
  std::string_view meaning;  ///< what an alias stands for; the name itself otherwise
  bool number = false;
  bool filter = true, order = true;
  bool list = false;  ///< IN and NOT IN
};
/// A family of keys: `metrics.auc`, `tags.team`.
struct Entity {
  std::string_view name;  ///< "metric", as in MLflow's messages
  std::vector<std::string_view> names;
  bool number = false;
  bool null_tests = false;  ///< IS NULL, IS NOT NULL
  bool list = false;
  bool order = true;
  std::vector<std::string_view> keys = {};  ///< the only ones; empty: any
};
struct Language {
  std::vector<Attribute> attributes;
  std::vector<std::string_view> attribute_names;  ///< prefixes that mean an attribute: "attribute", "attr", "run"
  std::vector<Entity> entities;
};

struct Comparison {
  std::string_view entity;  ///< Entity::name, or "attribute"
  std::string key;          ///< for attributes Attribute::meaning
  Op op = Op::kEq;
  bool number = false;      ///< `value` holds a number
  double value = 0;
  std::string text;
  std::vector<std::string> list;
};
/// Empty text gives no comparisons. Texts over 64 KiB are refused.
Result<std::vector<Comparison>> ParseFilter(const Language& language, std::string_view text);

struct Order {
  std::string_view entity;
  std::string key;
  bool ascending = true;
};
Result<std::vector<Order>> ParseOrderBy(const Language& language, const std::vector<std::string>& clauses);

}  // namespace rondo::db::search
