// `split:`, `features:`, `train:`, `evaluate:`
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "project/sections.h"

namespace rondo::project {
namespace {

void CheckImpute(Fields& f, const std::string& impute) {
  double number = 0;
  const auto [end, ec] = std::from_chars(impute.data(), impute.data() + impute.size(), number);
  const bool is_number = !impute.empty() && ec == std::errc() && end == impute.data() + impute.size();
  if (!impute.empty() && !is_number && impute != "median" && impute != "mean" && impute != "zero" && impute != "none")
    f.Fail("impute", "\"" + impute + "\" is none of median, mean, zero, none, or a number");
}

Status ReadColumn(const YamlEntry& entry, Features& out) {
  ColumnFeature column;
  column.column = entry.key;
  Fields f(entry.value, "features.columns." + entry.key, ColumnFeatureKeys());
  f.Get("impute", column.impute).Get("scale", column.scale).Get("encode", column.encode).Get("type", column.type).Get("bins", column.bins);
  f.Get("date", column.date).Get("text", column.text).Get("max_terms", column.max_terms);
  CheckImpute(f, column.impute);
  if (!std::is_sorted(column.bins.begin(), column.bins.end(), std::less_equal<>())) f.Fail("bins", "edges must rise", "write bins: [0, 12, 24]");
  if (f.ok() && f.Find("bins") && column.bins.size() < 2) f.Fail("bins", "needs at least two edges");
  constexpr std::string_view kParts[] = {"year", "month", "day", "weekday", "hour", "days_since"};
  for (const std::string& part : column.date)
    if (std::find(std::begin(kParts), std::end(kParts), part) == std::end(kParts)) f.Fail("date", "\"" + part + "\" is none of year, month, day, weekday, hour, days_since");
  if (column.max_terms < 1) f.Fail("max_terms", "must be at least 1");
  RONDO_DO(f.status());
  out.columns.push_back(std::move(column));
  return {};
}

}  // namespace

Status ReadSplit(const YamlNode& node, Project& out) {
  Fields f(node, "split", SplitKeys());
  Split& s = out.split;
  f.Get("test", s.test).Get("validation", s.validation).Get("seed", s.seed).Get("by", s.by);
  if (s.by.starts_with("group:")) {
    s.group = s.by.substr(6);
    while (s.group.starts_with(' ')) s.group.erase(0, 1);
    s.by = "group";
  }
  if (s.by != "key" && s.by != "random" && s.by != "time" && (s.by != "group" || s.group.empty()))
    f.Fail("by", "\"" + s.by + "\" is none of key, random, time, group:COLUMN", "the default, key, keeps a row in its part for ever");
  if (f.ok() && (s.test <= 0 || s.validation <= 0)) f.Fail(s.test <= 0 ? "test" : "validation", "must be above 0: a model is judged on rows it never saw", "write 20%");
  if (f.ok() && s.test + s.validation >= 0.999) f.Fail("", fmt::format("test {:g}% and validation {:g}% leave no rows to train on", s.test * 100, s.validation * 100), "write split: {test: 20%, validation: 20%}");
  return f.status();
}

Status ReadFeatures(const YamlNode& node, Project& out) {
  Features& features = out.features;
  Fields f(node, "features", FeaturesKeys());
  f.Get("drop", features.drop);
  if (const YamlNode* numeric = f.Find("numeric")) {
    Fields g(*numeric, "features.numeric", NumericKeys());
    g.Get("impute", features.numeric.impute).Get("scale", features.numeric.scale);
    CheckImpute(g, features.numeric.impute);
    f.Take(g.status());
  }
  if (const YamlNode* categorical = f.Find("categorical")) {
    Fields g(*categorical, "features.categorical", CategoricalKeys());
    g.Get("encode", features.categorical.encode).Get("rare", features.categorical.rare).Get("unknown", features.categorical.unknown);
    f.Take(g.status());
  }
  if (const YamlNode* columns = f.Find("columns")) {
    if (!columns->IsMap()) return Wrong(columns->where, "features.columns", "must be a map of columns, not " + std::string(columns->KindName()), "write columns: {age: {bins: [0, 30, 60]}}");
    for (const YamlEntry& entry : columns->entries) f.Take(ReadColumn(entry, features));
  }
  if (const YamlNode* derive = f.Find("derive")) {
    if (!derive->IsMap()) return Wrong(derive->where, "features.derive", "must be a map of new columns, not " + std::string(derive->KindName()), "write derive: {per_month: total / months}");
    for (const YamlEntry& entry : derive->entries) {
      if (!entry.value.IsScalar()) return Wrong(entry.where, "features.derive." + entry.key, "must be an expression", "write it like: total_charges / max(tenure, 1); quote it inside {...} when it has commas");
      features.derive.emplace_back(entry.key, entry.value.text);
    }
  }
  return f.status();
}

Status ReadTrain(const YamlNode& node, Project& out) {
  Train& train = out.train;
  Fields f(node, "train", TrainKeys());
  f.Get("algorithm", train.algorithm).Get("target", train.target).Get("seed", train.seed);
  if (const YamlNode* params = f.Find("params")) {
    if (!params->IsMap()) return Wrong(params->where, "train.params", "must be a map, not " + std::string(params->KindName()), "write params: {max_depth: 4}");
    train.params = YamlToJson(*params);
  }
  return f.status();
}

Status ReadEvaluate(const YamlNode& node, Project& out) {
  Evaluate& evaluate = out.evaluate;
  Fields f(node, "evaluate", EvaluateKeys());
  f.Get("slices", evaluate.slices).Get("explain", evaluate.explain).Get("report", evaluate.report);
  if (const YamlNode* report = f.Find("report")) f.Take(CheckInside(*report, "evaluate.report", evaluate.report));
  return f.status();
}

}  // namespace rondo::project
