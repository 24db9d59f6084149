// A contract compiled to one SQL scan; a second query fetches sample rows of what failed. Names of anomalies are TensorFlow Data Validation's
// (tensorflow_metadata/proto/v0/anomalies.proto).
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <functional>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_map.h"
#include "data/check_personal.h"
#include "data/dataset.h"
#include "data/psi.h"

namespace rondo::data {
namespace {

using table::QuoteIdent;
using table::QuoteText;
using table::Type;

std::optional<double> ParseNumber(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double v = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (ec != std::errc() || end != text.data() + text.size() || !std::isfinite(v)) return std::nullopt;
  return v;
}

std::string Percent(double share) { return fmt::format("{:.4g}%", 100 * share); }

std::string List(const std::vector<std::string>& values) {
  if (values.size() <= 12) return fmt::format("{}", fmt::join(values, ", "));
  return fmt::format("{}, ... ({} values)", fmt::join(values.begin(), values.begin() + 12, ", "), values.size());
}

class Checker {
 public:
  /// Judges the relation `data` of the engine. `numbered`: the same rows with their number from 0 as column `row_number_of_data`.
  /// `conceal`: no value of the data gets into the report.
  Checker(std::string dataset, project::Contract contract, table::Engine& engine, std::string numbered, bool conceal)
      : contract_(std::move(contract)), engine_(engine), numbered_(std::move(numbered)), conceal_(conceal) {
    report_.dataset = std::move(dataset);
  }

  Result<CheckReport> Run(const std::vector<SchemaColumn>* previous_schema, const Json* previous_profile, int64_t now_ms) {
    RONDO_TRY(schema_, engine_.Schema("data"));
    rows_at_ = Ask("count(*)");
    for (const project::ColumnRule& rule : contract_.columns) RONDO_DO(AddRule(rule));
    AddKey();
    AddFreshness(now_ms);
    CompareSchema(previous_schema);
    if (contract_.max_psi && previous_profile) AddDrift(*previous_profile);
    RONDO_TRY(answers_, engine_.Query(fmt::format("SELECT {} FROM data", fmt::join(asked_, ", "))));
    report_.rows = static_cast<int64_t>(Number(rows_at_));
    RowCounts();
    for (const auto& judge : judges_) judge();
    for (size_t i = 0; i < report_.anomalies.size(); ++i) RONDO_DO(Sample(i));
    for (const Anomaly& a : report_.anomalies) report_.passed = report_.passed && a.severity != "ERROR";
    return std::move(report_);
  }

 private:
  size_t Ask(std::string aggregate) {
    asked_.push_back(fmt::format("{} AS a{}", aggregate, asked_.size()));
    return asked_.size() - 1;
  }
  double Number(size_t at) const { return answers_.columns[at].numeric() ? answers_.columns[at].numbers[0] : 0; }
  double Rows() const { return Number(rows_at_); }
  std::optional<Type> TypeOf(const std::string& column) const {
    for (const auto& [name, type] : schema_)
      if (name == column) return type;
    return std::nullopt;
  }
  /// `bad`: condition of the rows to show; empty: none.
  void Report(const std::string& column, std::string kind, bool warn, std::string message, double count, std::string bad = {}) {
    report_.anomalies.push_back({column, std::move(kind), warn ? "WARNING" : "ERROR", std::move(message), static_cast<int64_t>(count), {}});
    bad_.push_back(std::move(bad));
  }

  /// One check that counts the rows where `bad` holds.
  void Count(const std::string& column, std::string kind, bool warn, std::string bad, std::function<std::string(double)> message) {
    ++report_.checks;
    const size_t at = Ask(fmt::format("count(*) FILTER (WHERE {})", bad));
    judges_.push_back([this, column, kind = std::move(kind), warn, bad = std::move(bad), message = std::move(message), at] {
      if (const double n = Number(at); n > 0) Report(column, kind, warn, message(n), n, bad);
    });
  }
  void Nulls(const std::string& column, double max_share, bool warn, const std::string& why) {
    ++report_.checks;
    const std::string bad = QuoteIdent(column) + " IS NULL";
    const size_t at = Ask(fmt::format("count(*) FILTER (WHERE {})", bad));
    judges_.push_back([this, column, max_share, warn, bad, why, at] {
      const double n = Number(at), rows = Rows();
      // The limit in rows, with room for the rounding of the share.
      if (n > max_share * rows + 1e-9 * rows)
        Report(column, "FEATURE_TYPE_LOW_FRACTION_PRESENT", warn, fmt::format("{} of {} values are missing ({}), {} allows {}", n, rows, Percent(n / rows), why, Percent(max_share)), n, bad);
    });
  }
  void Unique(const std::string& column, bool warn, const std::string& why) {
    ++report_.checks;
    const std::string x = QuoteIdent(column);
    const size_t all = Ask(fmt::format("count({})", x)), distinct = Ask(fmt::format("count(DISTINCT {})", x));
    judges_.push_back([this, column, warn, x, why, all, distinct] {
      const double repeats = Number(all) - Number(distinct);
      if (repeats > 0) Report(column, "FEATURE_TYPE_LOW_UNIQUE", warn, fmt::format("{} values repeat an earlier one, but {}", repeats, why), repeats, fmt::format("{0} IN (SELECT {0} FROM data GROUP BY {0} HAVING count(*) > 1)", x));
    });
  }

  Status AddRule(const project::ColumnRule& rule) {
    const auto type = TypeOf(rule.name);
    ++report_.checks;
    if (!type) {
      std::vector<std::string> names;
      for (const auto& [name, t] : schema_) names.push_back(name);
      Report(rule.name, "SCHEMA_MISSING_COLUMN", rule.warn, fmt::format("the column is missing; the data have {}", List(names)), 0);
      return {};
    }
    if (!rule.type.empty()) {
      ++report_.checks;
      RONDO_TRY(const Type wanted, table::ParseType(rule.type));
      const bool text = wanted == Type::kCategory && *type == Type::kString;
      const bool wider = wanted == Type::kFloat && *type == Type::kInt;
      if (wanted != *type && !text && !wider) {
        Report(rule.name, "UNEXPECTED_DATA_TYPE", rule.warn, fmt::format("the column is {}, the contract says {}", table::TypeName(*type), rule.type), 0);
        return {};  // its values can't be judged
      }
    }
    const std::string x = QuoteIdent(rule.name);
    if (rule.min) RONDO_DO(Limit(rule, *type, *rule.min, true));
    if (rule.max) RONDO_DO(Limit(rule, *type, *rule.max, false));
    if (*type == Type::kFloat && (rule.min || rule.max || rule.type == "float"))
      Count(rule.name, "FLOAT_TYPE_HAS_INF", rule.warn, fmt::format("isinf({})", x), [](double n) { return fmt::format("{} values are infinite", n); });
    if (!rule.in_.empty()) RONDO_DO(Allowed(rule, *type));
    if (!rule.matches.empty()) {
      if (const Status ok = engine_.Exec(fmt::format("SELECT regexp_matches('', {})", QuoteText(rule.matches))); !ok)
        return Fail(Code::kInvalid, fmt::format("contract.columns.{}.matches: {}", rule.name, ok.error().message), "RE2 syntax: https://github.com/google/re2/wiki/Syntax");
      Count(rule.name, "CUSTOM_VALIDATION", rule.warn, fmt::format("NOT regexp_matches({}::VARCHAR, {})", x, QuoteText(rule.matches)), [pattern = rule.matches](double n) { return fmt::format("{} values don't match {}", n, pattern); });
    }
    if (rule.max_null_share) Nulls(rule.name, *rule.max_null_share, rule.warn, "the contract");
    if (rule.unique) Unique(rule.name, rule.warn, "the contract says unique");
    return {};
  }

  Status Limit(const project::ColumnRule& rule, Type type, const std::string& text, bool low) {
    const char* key = low ? "min" : "max";
    std::string limit;
    if (type == Type::kInt || type == Type::kFloat) {
      const auto number = ParseNumber(text);
      if (!number) return Fail(Code::kInvalid, fmt::format("contract.columns.{}.{}: \"{}\" is not a number, and the column is {}", rule.name, key, text, table::TypeName(type)), "write a number");
      limit = fmt::format("CAST({} AS DOUBLE)", *number);
    } else if (type == Type::kDate || type == Type::kDatetime) {
      const auto time = ParseTime(text);
      if (!time) return Fail(Code::kInvalid, fmt::format("contract.columns.{}.{}: \"{}\" is not a date, and the column is {}", rule.name, key, text, table::TypeName(type)), "write YYYY-MM-DD, or YYYY-MM-DD hh:mm:ss");
      limit = fmt::format("make_timestamp({})", *time * 1000);
    } else {
      return Fail(Code::kInvalid, fmt::format("contract.columns.{}.{}: the column is {}, which has no {}", rule.name, key, table::TypeName(type), key), "min and max are for int, float, date and datetime; give the column a type, or use in: or matches:");
    }
    const bool whole = type == Type::kInt;
    const std::string kind = low ? (whole ? "INT_TYPE_SMALL_INT" : "FLOAT_TYPE_SMALL_FLOAT") : (whole ? "INT_TYPE_BIG_INT" : "FLOAT_TYPE_BIG_FLOAT");
    const std::string x = QuoteIdent(rule.name);
    const size_t worst = Ask(fmt::format("CAST({}({}) AS VARCHAR)", low ? "min" : "max", x));
    Count(rule.name, kind, rule.warn, fmt::format("{} {} {}", x, low ? "<" : ">", limit), [this, worst, low, text](double n) {
      if (conceal_) return fmt::format("{} values are {} {}", n, low ? "below the minimum" : "above the maximum", text);
      return fmt::format("{} values are {} {}; the {} is {}", n, low ? "below the minimum" : "above the maximum", text, low ? "smallest" : "largest", answers_.columns[worst].strings[0]);
    });
    return {};
  }

  Status Allowed(const project::ColumnRule& rule, Type type) {
    std::string list;
    for (const std::string& value : rule.in_) {
      std::string item = QuoteText(value);
      if (type == Type::kInt || type == Type::kFloat) {
        const auto number = ParseNumber(value);
        if (!number) return Fail(Code::kInvalid, fmt::format("contract.columns.{}.in: \"{}\" is not a number, and the column is {}", rule.name, value, table::TypeName(type)), "list numbers, or give the column the type category");
        item = fmt::format("CAST({} AS DOUBLE)", *number);
      }
      list += (list.empty() ? "" : ", ") + item;
    }
    const std::string x = QuoteIdent(rule.name);
    // Bools are written true and false here, whatever the case in the file or the contract.
    if (type == Type::kBool) std::transform(list.begin(), list.end(), list.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool number = type == Type::kInt || type == Type::kFloat;
    const std::string bad = fmt::format("{}{} NOT IN ({})", x, number ? "" : "::VARCHAR", list);
    Count(rule.name, "ENUM_TYPE_UNEXPECTED_STRING_VALUES", rule.warn, bad, [allowed = rule.in_](double n) { return fmt::format("{} values are not among {}", n, List(allowed)); });
    return {};
  }

  void AddKey() {
    if (contract_.key.empty()) return;
    if (!TypeOf(contract_.key)) {
      ++report_.checks;
      if (std::none_of(contract_.columns.begin(), contract_.columns.end(), [&](const auto& r) { return r.name == contract_.key; }))
        Report(contract_.key, "SCHEMA_MISSING_COLUMN", false, "the key column is missing", 0);
      return;
    }
    Nulls(contract_.key, 0, false, "a key");
    Unique(contract_.key, false, "it is the key");
  }

  void AddFreshness(int64_t now_ms) {
    if (!contract_.freshness) return;
    ++report_.checks;
    const std::string column = contract_.freshness->column;
    const int64_t max_age = contract_.freshness->max_age_ms;
    const auto type = TypeOf(column);
    if (!type) return Report(column, "SCHEMA_MISSING_COLUMN", false, "the column of `freshness:` is missing", 0);
    if (*type != Type::kDate && *type != Type::kDatetime) return Report(column, "UNEXPECTED_DATA_TYPE", false, fmt::format("freshness needs a date or datetime, the column is {}", table::TypeName(*type)), 0);
    const size_t at = Ask(fmt::format("epoch_ms(max({})::TIMESTAMP)", QuoteIdent(column)));
    judges_.push_back([this, column, max_age, now_ms, at, day = *type == Type::kDate] {
      if (answers_.columns[at].IsMissing(0)) return Report(column, "NO_DATA_IN_SPAN", false, "there are no dates", 0);
      int64_t newest = static_cast<int64_t>(Number(at));
      const std::string shown = FormatTime(newest).substr(0, day ? 10 : 19);
      if (day) newest = std::min(newest + 86'400'000, std::max(newest, now_ms));  // a date stands for its whole day
      if (now_ms - newest > max_age) Report(column, "NO_DATA_IN_SPAN", false, fmt::format("the newest value is {}, {} old; the contract allows {}", shown, FormatDuration(now_ms - newest), FormatDuration(max_age)), 0);
    });
  }

  void CompareSchema(const std::vector<SchemaColumn>* previous) {
    const auto in_rules = [&](const std::string& name) {
      return name == contract_.key || std::any_of(contract_.columns.begin(), contract_.columns.end(), [&](const auto& r) { return r.name == name; });
    };
    const auto before = [&](const std::string& name) -> const SchemaColumn* {
      for (const SchemaColumn& c : *previous)
        if (c.name == name) return &c;
      return nullptr;
    };
    // Without an earlier version only a contract that forbids extras and lists columns can know what is extra.
    const bool listed = !contract_.columns.empty();
    if (contract_.extra_columns != project::ExtraColumns::allow && (previous || (listed && contract_.extra_columns == project::ExtraColumns::forbid))) {
      ++report_.checks;
      for (const auto& [name, type] : schema_)
        if (!in_rules(name) && !(previous && before(name)))
          Report(name, "SCHEMA_NEW_COLUMN", contract_.extra_columns == project::ExtraColumns::warn, fmt::format("a new column ({}); neither the contract nor the last accepted version has it", table::TypeName(type)), 0);
    }
    if (!previous) return;
    ++report_.checks;
    for (const SchemaColumn& old : *previous) {
      const auto type = TypeOf(old.name);
      if (in_rules(old.name) && old.name != contract_.key) continue;
      if (!type) {
        if (old.name != contract_.key) Report(old.name, "SCHEMA_MISSING_COLUMN", true, fmt::format("the last accepted version had this column ({})", old.type), 0);
      } else if (const auto old_type = table::ParseType(old.type); old_type && *old_type != *type && !(*old_type == Type::kCategory && *type == Type::kString)) {
        Report(old.name, "UNEXPECTED_DATA_TYPE", true, fmt::format("the column is {}, in the last accepted version it was {}", table::TypeName(*type), old.type), 0);
      }
    }
  }

  void AddDrift(const Json& profile) {
    for (const auto& [name, type] : schema_) {
      PsiBins bins = BinsFromProfile(name, type, profile);
      if (bins.conditions.empty()) continue;
      ++report_.checks;
      std::vector<size_t> at;
      for (const std::string& condition : bins.conditions) at.push_back(Ask(fmt::format("count(*) FILTER (WHERE {})", condition)));
      judges_.push_back([this, bins = std::move(bins), at = std::move(at)] {
        std::vector<double> now;
        for (const size_t i : at) now.push_back(Number(i));
        const double psi = Psi(bins.reference, now);
        if (psi > *contract_.max_psi)
          Report(bins.column, "CUSTOM_VALIDATION", false, fmt::format("the distribution has drifted from the last accepted version: PSI {:.3f}, the contract allows {}", psi, *contract_.max_psi), Rows());
      });
    }
  }

  void RowCounts() {
    const int64_t rows = report_.rows;
    if (contract_.min_rows) {
      ++report_.checks;
      if (rows < *contract_.min_rows) Report("", "DATASET_LOW_NUM_EXAMPLES", false, fmt::format("{} rows, the contract asks for at least {}", rows, *contract_.min_rows), static_cast<double>(rows));
    }
    if (contract_.max_rows) {
      ++report_.checks;
      if (rows > *contract_.max_rows) Report("", "DATASET_HIGH_NUM_EXAMPLES", false, fmt::format("{} rows, the contract allows {}", rows, *contract_.max_rows), static_cast<double>(rows));
    }
  }

  /// Up to five rows of a failed check, by their number in the data (from 1).
  Status Sample(size_t i) {
    if (bad_[i].empty()) return {};
    Anomaly& anomaly = report_.anomalies[i];
    const std::string x = QuoteIdent(anomaly.column);
    RONDO_TRY(const table::Frame rows, engine_.Query(fmt::format("SELECT row_number_of_data + 1 AS n, {} AS v FROM {} WHERE {} ORDER BY n LIMIT 5", x, numbered_, bad_[i])));
    std::vector<std::string> values;
    for (size_t r = 0; r < rows.rows(); ++r) {
      const table::Column& v = rows.columns[1];
      Json value;
      if (!v.IsMissing(r) && !conceal_) value = v.type == Type::kBool ? Json(v.numbers[r] != 0) : v.type == Type::kInt ? Json(static_cast<int64_t>(v.numbers[r])) : v.numeric() ? Json(v.numbers[r]) : Json(v.strings[r]);
      anomaly.samples.push_back(Json::MakeObject().Set("row", static_cast<int64_t>(rows.columns[0].numbers[r])).Set("value", value));
      const std::string text = v.IsMissing(r) ? "" : v.Text(r).substr(0, 60);
      if (!text.empty() && std::find(values.begin(), values.end(), text) == values.end()) values.push_back(text);
    }
    if (!values.empty() && !conceal_) anomaly.message += fmt::format(" (for example \"{}\", row {})", fmt::join(values, "\", \""), rows.columns[0].Text(0));
    return {};
  }

  project::Contract contract_;
  table::Engine& engine_;
  std::string numbered_;
  bool conceal_;
  std::vector<std::pair<std::string, Type>> schema_;
  std::vector<std::string> asked_;
  std::vector<std::function<void()>> judges_;
  table::Frame answers_;
  CheckReport report_;
  std::vector<std::string> bad_;  // beside report_.anomalies: the condition of their rows
  size_t rows_at_ = 0;
};

bool IsPersonal(const project::Dataset& spec, const std::string& column, std::string_view action = {}) {
  return std::any_of(spec.personal.begin(), spec.personal.end(), [&](const project::Personal& p) { return p.column == column && (action.empty() || p.action == action); });
}

/// Adds the judgement that ingest left in the file to a report.
void Merge(const CheckReport& ingest, CheckReport& report) {
  report.checks += ingest.checks;
  report.passed = report.passed && ingest.passed;
  report.anomalies.insert(report.anomalies.end(), ingest.anomalies.begin(), ingest.anomalies.end());
}

}  // namespace

Result<std::string> CheckPersonal(const project::Dataset& spec, const fs::path& source, table::ReadOptions options, const fs::path& spill) {
  project::Contract contract;
  contract.extra_columns = project::ExtraColumns::allow;
  for (const project::ColumnRule& rule : spec.contract.columns) {
    if (!IsPersonal(spec, rule.name)) continue;
    contract.columns.push_back(rule);
    options.columns.push_back(rule.name);
  }
  if (contract.columns.empty()) return std::string();
  table::Engine::Options engine_options;
  engine_options.memory_limit = "1GB";
  engine_options.spill = spill;
  RONDO_TRY(const auto engine, table::Engine::Open(engine_options));
  const auto rows = engine->Load("data", source, options);
  // The source has none of them: the conversion that follows names the first, and what there is instead.
  if (!rows && rows.error().message.ends_with("no column is left")) return std::string();
  if (!rows) return std::unexpected(rows.error());
  RONDO_TRY(const CheckReport report, Checker(spec.name, contract, *engine, "(SELECT *, rowid AS row_number_of_data FROM data)", true).Run(nullptr, nullptr, 0));
  return WriteJson(report);
}

Result<CheckReport> Check(const project::Dataset& spec, const fs::path& parquet, const std::vector<SchemaColumn>* previous_schema, const Json* previous_profile, int64_t now_ms) {
  std::error_code ec;
  if (!fs::is_regular_file(parquet, ec)) return Fail(Code::kNotFound, fmt::format("there is no file {}", parquet.string()), "run the stage ingest first");
  table::Engine::Options options;
  options.memory_limit = "1GB";
  RONDO_TRY(const auto engine, table::Engine::Open(options));
  const std::string file = QuoteText(parquet.string());
  RONDO_DO(engine->Exec(fmt::format("CREATE VIEW data AS SELECT * FROM read_parquet({})", file)));
  // Rules on personal columns were judged by ingest, on the source's values; its report stands in the file.
  RONDO_TRY(const std::string note, table::ReadNote(parquet));
  const bool judged = !note.empty();
  project::Contract contract = spec.contract;
  std::vector<Anomaly> unjudged;
  std::erase_if(contract.columns, [&](project::ColumnRule& rule) {
    if (!IsPersonal(spec, rule.name)) return false;
    if (IsPersonal(spec, rule.name, "drop")) {
      if (!judged) unjudged.push_back({rule.name, "CUSTOM_VALIDATION", "WARNING", "its rules can't be checked: the column was dropped, and the file doesn't hold the judgement of ingest", 0, {}});
      return true;
    }
    // What is left to check here: that the column is there; and, without a judgement, that it is filled (a pseudonym or a bucket is missing when its
    // value is) and unique (a pseudonym repeats when its value does).
    project::ColumnRule kept;
    kept.name = rule.name;
    kept.warn = rule.warn;
    if (!judged) {
      kept.max_null_share = rule.max_null_share;
      kept.unique = rule.unique && IsPersonal(spec, rule.name, "pseudonymise");
    }
    rule = kept;
    return false;
  });
  const std::string numbered = fmt::format("(SELECT *, file_row_number AS row_number_of_data FROM read_parquet({}, file_row_number = true))", file);
  RONDO_TRY(CheckReport report, Checker(spec.name, contract, *engine, numbered, false).Run(previous_schema, previous_profile, now_ms));
  if (judged) {
    RONDO_TRY(const CheckReport ingest, ReadJson<CheckReport>(note));
    Merge(ingest, report);
  }
  report.anomalies.insert(report.anomalies.end(), unjudged.begin(), unjudged.end());
  return report;
}

}  // namespace rondo::data
