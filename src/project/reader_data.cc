// `data:`: datasets, their contracts and personal columns.
#include <fmt/format.h>

#include <charconv>

#include "base/clock.h"
#include "project/sections.h"

namespace rondo::project {
namespace {

/// "<= 0.25", "<=1%", "0.25", "none" -> the limit.
Result<double> ReadLimit(const YamlNode& node, const std::string& path, bool none) {
  RONDO_TRY(std::string text, ReadText(node, path));
  if (none && text == "none") return 0.0;
  if (text.starts_with("<=")) text = text.substr(2);
  while (text.starts_with(' ')) text.erase(0, 1);
  auto value = ParsePercent(text);
  if (value) return *value;
  double number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!none && ec == std::errc() && end == text.data() + text.size() && number >= 0) return number;  // a PSI may be over 1
  return Wrong(node.where, path, "\"" + node.text + "\" is not a limit", none ? "write \"<= 1%\" or none" : "write \"<= 0.25\"");
}

Status ReadRule(const YamlEntry& entry, const std::string& path, Contract& out) {
  ColumnRule rule;
  rule.name = entry.key;
  Fields f(entry.value, path, ColumnRuleKeys());
  f.Get("type", rule.type).Get("min", rule.min).Get("max", rule.max).Get("in", rule.in_).Get("matches", rule.matches).Get("unique", rule.unique).Get("warn", rule.warn);
  if (const YamlNode* nulls = f.Find("nulls")) {
    auto limit = ReadLimit(*nulls, path + ".nulls", true);
    if (!limit) return std::unexpected(limit.error());
    rule.max_null_share = *limit;
  }
  RONDO_DO(f.status());
  // Bounds are numbers, or dates for date columns.
  const bool dates = rule.type == "date" || rule.type == "datetime";
  for (const auto& [key, bound] : {std::pair{"min", &rule.min}, std::pair{"max", &rule.max}}) {
    if (!*bound) continue;
    double number = 0;
    const std::string& text = **bound;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = ec == std::errc() && end == text.data() + text.size();
    const bool is_date = ParseTime(text).has_value();
    if (dates ? !is_date : !is_number && !(rule.type.empty() && is_date))
      return Wrong(f.Where(key), path + "." + key, "\"" + text + "\" is not a " + (dates ? "date" : "number"), dates ? "write it like 2026-11-25" : "for dates also set type: date");
    if ((rule.type == "string" || rule.type == "category" || rule.type == "bool")) return Wrong(f.Where(key), path + "." + key, "does not apply to type " + rule.type, "use in: [...] or matches:");
  }
  if (rule.min && rule.max && !dates) {
    double low = 0, high = 0;
    const auto a = std::from_chars(rule.min->data(), rule.min->data() + rule.min->size(), low);
    const auto b = std::from_chars(rule.max->data(), rule.max->data() + rule.max->size(), high);
    if (a.ec == std::errc() && b.ec == std::errc() && a.ptr == rule.min->data() + rule.min->size() && b.ptr == rule.max->data() + rule.max->size() && low > high)
      return Wrong(f.Where("max"), path + ".max", *rule.max + " is below min " + *rule.min);
  }
  out.columns.push_back(std::move(rule));
  return {};
}

Status ReadContract(const YamlNode& node, const std::string& path, Contract& out) {
  Fields f(node, path, ContractKeys());
  std::string extra;
  f.Get("min_rows", out.min_rows).Get("max_rows", out.max_rows).Get("key", out.key).Get("extra_columns", extra);
  if (out.min_rows && out.max_rows && *out.min_rows > *out.max_rows) f.Fail("max_rows", fmt::format("{} is below min_rows {}", *out.max_rows, *out.min_rows));
  if (!extra.empty()) out.extra_columns = extra == "allow" ? ExtraColumns::allow : extra == "forbid" ? ExtraColumns::forbid : ExtraColumns::warn;
  if (const YamlNode* freshness = f.Find("freshness")) {
    Freshness fresh;
    Fields g(*freshness, path + ".freshness", FreshnessKeys());
    g.Require("column", "add column: the column of dates").Require("max_age", "add max_age: 2d");
    g.Get("column", fresh.column).Get("max_age", fresh.max_age_ms);
    f.Take(g.status());
    out.freshness = fresh;
  }
  if (const YamlNode* drift = f.Find("drift")) {
    Fields g(*drift, path + ".drift", ContractDriftKeys());
    std::string against;
    g.Require("psi", "add psi: \"<= 0.25\"").Get("against", against);
    if (const YamlNode* psi = g.Find("psi")) {
      auto limit = ReadLimit(*psi, path + ".drift.psi", false);
      if (limit) out.max_psi = *limit;
      else g.Take(std::unexpected(limit.error()));
    }
    f.Take(g.status());
  }
  if (const YamlNode* columns = f.Find("columns")) {
    if (!columns->IsMap()) return Wrong(columns->where, path + ".columns", "must be a map of columns, not " + std::string(columns->KindName()), "write columns: {age: {type: int}}");
    for (const YamlEntry& entry : columns->entries) f.Take(ReadRule(entry, path + ".columns." + entry.key, out));
  }
  return f.status();
}

Status ReadPersonal(const YamlNode& node, const std::string& path, std::vector<Personal>& out) {
  if (!node.IsMap()) return Wrong(node.where, path, "must be a map of columns, not " + std::string(node.KindName()), "write personal: {email: drop}");
  for (const YamlEntry& entry : node.entries) {
    const std::string at = path + "." + entry.key;
    Personal personal;
    personal.column = entry.key;
    if (entry.value.IsMap()) {
      personal.action = "bucket";
      Fields f(entry.value, at, PersonalKeys());
      f.Require("bucket", "write {bucket: 10}").Get("bucket", personal.bucket);
      if (f.ok() && personal.bucket <= 0) f.Fail("bucket", "must be above 0");
      RONDO_DO(f.status());
    } else {
      personal.action = entry.value.text == "pseudonymize" ? "pseudonymise" : entry.value.text;
      if (personal.action != "drop" && personal.action != "pseudonymise")
        return Wrong(entry.where, at, "\"" + entry.value.text + "\" is none of drop, pseudonymise, {bucket: WIDTH}");
    }
    out.push_back(std::move(personal));
  }
  return {};
}

/// Sources that later releases read.
std::string UnsupportedSource(const std::string& from) {
  const size_t colon = from.find("://");
  if (colon != std::string::npos && from.find_first_not_of("abcdefghijklmnopqrstuvwxyz+0123456789") == colon) return from.substr(0, colon + 3);
  if (from.starts_with("sqlite:")) return "sqlite:";
  return {};
}

Status ReadDataset(const YamlEntry& entry, Dataset& out) {
  const std::string path = "data." + entry.key;
  out.name = entry.key;
  Fields f(entry.value, path, DatasetKeys());
  // The source's kind first: its other keys (table:, query:) follow from it.
  if (const YamlNode* from = entry.value.Find("from"))
    if (const std::string scheme = UnsupportedSource(from->text); !scheme.empty())
      return Wrong(from->where, path + ".from", scheme + " sources aren't supported in this release", "export the data to a CSV or Parquet file");
  f.Get("from", out.from).Get("format", out.format).Get("delimiter", out.delimiter).Get("encoding", out.encoding).Get("decimal", out.decimal).Get("nulls", out.nulls);
  f.Get("sql", out.sql).Get("retention", out.retention).Get("license", out.license);
  if (f.ok() && out.from.empty() == out.sql.empty()) f.Fail("", out.sql.empty() ? "needs `from:` (a file, folder or glob) or `sql:`" : "has both `from:` and `sql:`", "give one of them");
  for (const char* key : {"delimiter", "decimal"})
    if (const YamlNode* node = f.Find(key); node && node->text.size() != 1 && node->text != "\\t" && node->text != "auto") f.Fail(key, "must be one character, not \"" + node->text + "\"");
  if (out.delimiter == "\\t") out.delimiter = "\t";
  if (const YamlNode* contract = f.Find("contract")) f.Take(ReadContract(*contract, path + ".contract", out.contract));
  if (const YamlNode* personal = f.Find("personal")) f.Take(ReadPersonal(*personal, path + ".personal", out.personal));
  return f.status();
}

}  // namespace

Status CheckEntryName(const YamlEntry& entry, const std::string& path, std::string_view what) {
  bool good = !entry.key.empty() && entry.key.size() <= 64 && entry.key[0] != '-';
  for (const char c : entry.key) good = good && (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-');
  if (!good) return Wrong(entry.where, path, "\"" + entry.key + "\" can't name a " + std::string(what), "use letters, digits, _ and -; at most 64");
  return {};
}

Status ReadDatasets(const YamlNode& node, Project& out) {
  if (!node.IsMap() || node.entries.empty()) return Wrong(node.where, "data", "must be a map of datasets", "write data: {customers: {from: customers.csv}}");
  for (const YamlEntry& entry : node.entries) {
    RONDO_DO(CheckEntryName(entry, "data", "dataset"));
    Dataset dataset;
    RONDO_DO(ReadDataset(entry, dataset));
    out.data.push_back(std::move(dataset));
  }
  return {};
}

}  // namespace rondo::project
