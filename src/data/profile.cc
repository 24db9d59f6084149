// Statistics of a dataset: one scan for the sums of all columns, then short scans of single columns for what needs them (top values, histograms).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/clock.h"
#include "base/file.h"
#include "data/associations.h"
#include "data/dataset.h"

namespace rondo::data {
namespace {

using table::QuoteIdent;
using table::Type;

constexpr std::array<double, 7> kQuantiles = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};
constexpr double kExactRows = 1'000'000;    // below: everything is exact
constexpr double kExactDistinct = 12'000;   // by the estimate; leaves room for its error above the promised 10,000
constexpr double kSampleRows = 100'000;     // for associations
constexpr int kBins = 30, kTop = 20;
constexpr double kHuge = 1e90;              // its cube times the rows still fits a double
// Relative error of DuckDB's HyperLogLog seen on real columns, and rank error of its t-digest.
constexpr double kDistinctError = 0.2, kQuantileError = 0.01;

Json Finite(double v) { return std::isfinite(v) ? Json(v) : Json(); }
/// 12 for 12.0: whole numbers are written as such.
Json Numeric(double v, Type type) { return type == Type::kInt && std::isfinite(v) ? Json(static_cast<int64_t>(v)) : Finite(v); }

struct Stats {
  std::string name;
  Type type = Type::kString;
  double count = 0, nulls = 0, distinct = 0;
  double min = 0, max = 0, mean = 0, std = 0, skew = 0, zeros = 0, infinite = 0;
  std::string min_text, max_text;
  std::vector<double> quantiles, deciles;  // numeric columns
  bool distinct_exact = false;
  double top_share = 0;
  Json json = Json::MakeObject();

  bool number() const { return type == Type::kInt || type == Type::kFloat; }
  bool time() const { return type == Type::kDate || type == Type::kDatetime; }
};

class Profiler {
 public:
  Profiler(table::Engine& engine, const fs::path& parquet) : engine_(engine), parquet_(parquet) {}

  Result<Json> Run() {
    RONDO_DO(engine_.Exec(fmt::format("CREATE VIEW data AS SELECT * FROM read_parquet({})", table::QuoteText(parquet_.string()))));
    RONDO_DO(Totals());
    Json columns = Json::MakeObject();
    for (Stats& s : stats_) {
      RONDO_DO(Values(s));
      RONDO_DO(Histogram(s));
      columns.Set(s.name, Describe(s));
    }
    RONDO_TRY(const Json duplicates, Duplicates());
    RONDO_TRY(Json correlations, Correlations());
    Json alerts = Alerts(correlations, duplicates);
    return Json::MakeObject().Set("rows", static_cast<int64_t>(rows_)).Set("duplicates", duplicates).Set("columns", std::move(columns)).Set("correlations", std::move(correlations)).Set("alerts", std::move(alerts));
  }

 private:
  bool exact() const { return rows_ <= kExactRows; }

  /// First counts and ranges, then everything that needs to know that a column's range is harmless.
  Status Totals() {
    RONDO_TRY(const auto schema, engine_.Schema("data"));
    std::vector<std::string> asked = {"count(*)"};
    for (const auto& [name, type] : schema) {
      const std::string x = QuoteIdent(name);
      asked.insert(asked.end(), {fmt::format("count({})", x), fmt::format("CAST(min({}) AS VARCHAR)", x), fmt::format("CAST(max({}) AS VARCHAR)", x)});
      const bool number = type == Type::kInt || type == Type::kFloat;
      asked.push_back(number ? fmt::format("CAST(min({}) AS DOUBLE)", x) : "0");
      asked.push_back(number ? fmt::format("CAST(max({}) AS DOUBLE)", x) : "0");
    }
    RONDO_TRY(const table::Frame first, Ask(asked));
    rows_ = first.columns[0].numbers[0];
    size_t at = 1;
    for (const auto& [name, type] : schema) {
      Stats s;
      s.name = name;
      s.type = type;
      s.count = first.columns[at].numbers[0];
      s.nulls = rows_ - s.count;
      s.min_text = first.columns[at + 1].strings[0];
      s.max_text = first.columns[at + 2].strings[0];
      s.min = first.columns[at + 3].numbers[0];
      s.max = first.columns[at + 4].numbers[0];
      at += 5;
      stats_.push_back(std::move(s));
    }
    return Moments();
  }

  Status Moments() {
    std::string quantiles;
    for (const double q : kQuantiles) quantiles += fmt::format("{}{}", quantiles.empty() ? "" : ", ", q);
    for (int i = 1; i < 10; ++i) quantiles += fmt::format(", {}", i / 10.0);
    std::vector<std::string> asked;
    for (const Stats& s : stats_) {
      const std::string x = QuoteIdent(s.name);
      // With few rows the distinct values are counted later, exactly.
      asked.push_back(exact() ? "0" : fmt::format("approx_count_distinct({})", x));
      if (s.type == Type::kBool) asked.push_back(fmt::format("avg(CAST({} AS INTEGER))", x));
      if (!s.number()) continue;
      // Infinite values have no moments, and the cube of a huge one overflows, for which DuckDB would refuse the whole query.
      const bool finite = std::isfinite(s.min) && std::isfinite(s.max);
      const bool small = finite && std::fabs(s.min) <= kHuge && std::fabs(s.max) <= kHuge;
      const std::string f = finite || s.type == Type::kInt ? x : fmt::format("CASE WHEN isfinite({0}) THEN {0} END", x);
      const std::string g = small || s.type == Type::kInt ? x : fmt::format("CASE WHEN abs({0}) <= {1} THEN {0} END", x, kHuge);
      for (const char* moment : {"avg", "stddev_samp", "skewness"}) asked.push_back(fmt::format("{}({})", moment, g));
      asked.push_back(fmt::format("count(*) FILTER (WHERE {} = 0)", x));
      asked.push_back(finite ? "0" : fmt::format("count(*) FILTER (WHERE isinf({}))", x));
      asked.push_back(finite ? "0" : fmt::format("CAST(min({}) AS DOUBLE)", f));
      asked.push_back(finite ? "0" : fmt::format("CAST(max({}) AS DOUBLE)", f));
      asked.push_back(fmt::format("array_to_string({}(CAST({} AS DOUBLE), [{}]), ' ')", exact() ? "quantile_cont" : "approx_quantile", f, quantiles));
    }
    RONDO_TRY(const table::Frame a, Ask(asked));
    size_t at = 0;
    const auto number = [&] { return a.columns[at++].numbers[0]; };
    for (Stats& s : stats_) {
      s.distinct = number();
      if (s.type == Type::kBool) s.mean = number();
      if (!s.number()) continue;
      s.mean = number();
      s.std = number();
      s.skew = number();
      s.zeros = number();
      s.infinite = number();
      const double low = number(), high = number();
      const bool finite = std::isfinite(s.min) && std::isfinite(s.max);
      if (!finite) s.min = low, s.max = high;
      // Moments of a part of the values would be wrong without saying so.
      if (std::fabs(s.min) > kHuge || std::fabs(s.max) > kHuge) s.mean = s.std = s.skew = std::numeric_limits<double>::quiet_NaN();
      ReadQuantiles(a.columns[at++].strings[0], s);
    }
    return {};
  }

  Result<table::Frame> Ask(const std::vector<std::string>& asked) {
    std::string select;
    for (size_t i = 0; i < asked.size(); ++i) select += fmt::format("{}{} AS a{}", i == 0 ? "" : ", ", asked[i], i);
    return engine_.Query(fmt::format("SELECT {} FROM data", select));
  }
  static void ReadQuantiles(const std::string& list, Stats& s) {
    std::vector<double> values;
    for (size_t begin = 0; begin < list.size();) {
      const size_t end = std::min(list.find(' ', begin), list.size());
      values.push_back(std::strtod(list.substr(begin, end - begin).c_str(), nullptr));
      begin = end + 1;
    }
    if (values.size() != kQuantiles.size() + 9) return;
    s.quantiles.assign(values.begin(), values.begin() + kQuantiles.size());
    s.deciles.assign(values.begin() + kQuantiles.size(), values.end());
  }

  /// Most frequent values, and with them the exact number of distinct ones.
  Status Values(Stats& s) {
    if (s.count == 0) {
      s.distinct_exact = true;
      s.json.Set("top", Json::MakeArray());
      return {};
    }
    const std::string x = QuoteIdent(s.name);
    if (exact() || s.distinct < kExactDistinct) {
      RONDO_TRY(const table::Frame top, engine_.Query(fmt::format("SELECT v, c, count(*) OVER () AS n FROM (SELECT {0} AS v, count(*) AS c FROM data WHERE {0} IS NOT NULL GROUP BY 1) ORDER BY c DESC, v LIMIT {1}", x, kTop)));
      s.distinct = top.columns[2].numbers[0];
      s.distinct_exact = true;
      s.top_share = top.columns[1].numbers[0] / s.count;
      Json list = Json::MakeArray();
      // Values that are all different are no statistic (and may be somebody's name).
      if (s.distinct < s.count || s.count <= 1)
        for (size_t i = 0; i < top.rows(); ++i) {
          const table::Column& v = top.columns[0];
          Json value = s.type == Type::kBool ? Json(v.numbers[i] != 0) : s.number() ? Numeric(v.numbers[i], s.type) : Json(v.strings[i]);
          list.Push(Json::MakeObject().Set("value", std::move(value)).Set("count", static_cast<int64_t>(top.columns[1].numbers[i])));
        }
      s.json.Set("top", std::move(list));
    } else {
      s.distinct = std::min(s.distinct, s.count);
      s.json.Set("top", Json::MakeArray());
    }
    return {};
  }

  /// The number of edges below v, as a search tree of CASEs: a few comparisons a row instead of one for each edge.
  static std::string BinSql(const std::string& v, const std::vector<double>& edges, size_t begin, size_t end) {
    if (begin == end) return std::to_string(begin);
    const size_t middle = (begin + end) / 2;
    return fmt::format("(CASE WHEN {} > CAST({} AS DOUBLE) THEN {} ELSE {} END)", v, edges[middle], BinSql(v, edges, middle + 1, end), BinSql(v, edges, begin, middle));
  }

  Status Histogram(Stats& s) {
    const std::string x = QuoteIdent(s.name);
    if (s.count == 0 || !(s.number() || s.time())) return {};
    double low = s.min, high = s.max;
    std::string v = fmt::format("CAST({} AS DOUBLE)", x);
    if (s.time()) {
      RONDO_TRY(const int64_t first, ParseTime(s.min_text));
      RONDO_TRY(const int64_t last, ParseTime(s.max_text));
      low = static_cast<double>(first);
      high = static_cast<double>(last);
      v = fmt::format("CAST(epoch_ms(CAST({} AS TIMESTAMP)) AS DOUBLE)", x);
    }
    if (!std::isfinite(low) || !std::isfinite(high)) return {};
    int bins = kBins;
    double begin = low, width = high / bins - low / bins;  // in this order huge values don't overflow
    if (s.type == Type::kInt) {
      // Bins of whole width, centred on the values: no empty teeth.
      width = std::max(1.0, std::ceil((high - low + 1) / kBins));
      bins = static_cast<int>(std::ceil((high - low + 1) / width));
      begin = low - 0.5;
    } else if (!(width > 0) || !std::isfinite(width)) {
      bins = 1;
      width = std::max(1.0, std::fabs(low));
    }
    const std::string finite = s.type == Type::kFloat ? fmt::format("isfinite({})", x) : x + " IS NOT NULL";
    std::string select = fmt::format("CAST(least(greatest(floor(({} - CAST({} AS DOUBLE)) / CAST({} AS DOUBLE)), 0), {}) AS INTEGER) AS h", v, begin, width, bins - 1);
    std::vector<double> edges;
    for (const double d : s.deciles)
      if (std::isfinite(d) && (edges.empty() || d > edges.back()) && d < s.max) edges.push_back(d);
    const std::string below = BinSql(v, edges, 0, edges.size());
    // Histogram and decile bins of one column in one scan.
    RONDO_TRY(const table::Frame counts, engine_.Query(fmt::format("SELECT h, b, count(*) FROM (SELECT {}, {} AS b FROM data WHERE {}) GROUP BY h, b", select, s.number() ? below : "0", finite)));
    std::vector<int64_t> histogram(bins), decile(edges.size() + 1);
    for (size_t i = 0; i < counts.rows(); ++i) {
      const auto n = static_cast<int64_t>(counts.columns[2].numbers[i]);
      histogram[static_cast<size_t>(counts.columns[0].numbers[i])] += n;
      decile[static_cast<size_t>(counts.columns[1].numbers[i])] += n;
    }
    Json shown = Json::MakeArray();
    for (int i = 0; i <= bins; ++i) {
      const double edge = i == bins && s.type != Type::kInt && bins > 1 ? high : begin + i * width;
      shown.Push(s.time() ? Json(FormatTime(static_cast<int64_t>(edge)).substr(0, s.type == Type::kDate ? 10 : 19)) : Json(edge));
    }
    s.json.Set("histogram", Json::MakeObject().Set("edges", std::move(shown)).Set("counts", Json(histogram)));
    if (s.number()) s.json.Set("bins", Json::MakeObject().Set("edges", Json(edges)).Set("counts", Json(decile)));
    return {};
  }

  Json Describe(Stats& s) {
    Json j = Json::MakeObject();
    j.Set("type", table::TypeName(s.type)).Set("count", static_cast<int64_t>(s.count)).Set("nulls", static_cast<int64_t>(s.nulls)).Set("distinct", static_cast<int64_t>(s.distinct));
    if (s.count > 0) {
      if (s.number()) {
        j.Set("min", Numeric(s.min, s.type)).Set("max", Numeric(s.max, s.type)).Set("mean", Finite(s.mean)).Set("std", Finite(s.std)).Set("skew", Finite(s.skew)).Set("zeros", static_cast<int64_t>(s.zeros));
        if (s.infinite > 0) j.Set("infinite", static_cast<int64_t>(s.infinite));
        Json q = Json::MakeObject();
        for (size_t i = 0; i < s.quantiles.size(); ++i) q.Set(fmt::format("{}", kQuantiles[i]), Finite(s.quantiles[i]));
        j.Set("quantiles", std::move(q));
      } else if (s.type == Type::kBool) {
        j.Set("mean", Finite(s.mean));
      } else if (s.time() || s.distinct < s.count) {
        j.Set("min", s.min_text).Set("max", s.max_text);
      }
    }
    for (const auto& [key, value] : s.json.AsObject()) j.Set(key, value);
    Json approximate = Json::MakeObject();
    if (!s.distinct_exact) approximate.Set("distinct", kDistinctError);
    if (s.number() && !exact()) approximate.Set("quantiles", kQuantileError);
    j.Set("approximate", std::move(approximate));
    return j;
  }

  /// Rows that equal an earlier row in all columns, by a 64-bit hash; null when that would cost more than it tells.
  Result<Json> Duplicates() {
    if (!exact()) return Json();
    std::string list;
    for (const Stats& s : stats_) list += (list.empty() ? "" : ", ") + QuoteIdent(s.name);
    RONDO_TRY(const table::Frame n, engine_.Query(fmt::format("SELECT count(*) - count(DISTINCT hash({})) FROM data", list)));
    return Json(static_cast<int64_t>(n.columns[0].numbers[0]));
  }

  Result<Json> Correlations() {
    std::string list;
    for (const Stats& s : stats_)
      if (!s.time() && s.count > 0 && (s.type == Type::kBool || s.number() || (s.distinct >= 2 && s.distinct <= 50))) list += (list.empty() ? "" : ", ") + QuoteIdent(s.name);
    if (list.empty()) return Associations({});
    // Every k-th row: the same rows each time, whatever the threads.
    const auto step = static_cast<int64_t>(std::ceil(rows_ / kSampleRows));
    RONDO_TRY(const table::Frame frame, engine_.Query(step <= 1 ? fmt::format("SELECT {} FROM data", list)
                                                                : fmt::format("SELECT {} FROM read_parquet({}, file_row_number = true) WHERE file_row_number % {} = 0", list, table::QuoteText(parquet_.string()), step)));
    Json out = Associations(frame);
    if (step > 1) out.Set("approximate", 1 / std::sqrt(static_cast<double>(frame.rows())));  // standard error of a correlation near 0
    return out;
  }

  Json Alerts(const Json& correlations, const Json& duplicates) {
    Json alerts = Json::MakeArray();
    const auto add = [&](const std::string& column, const char* kind, std::string message) { alerts.Push(Json::MakeObject().Set("column", column).Set("kind", kind).Set("message", std::move(message))); };
    if (duplicates.AsInt() > 0) add("", "DUPLICATE_ROWS", fmt::format("{} rows repeat another row in all columns", duplicates.AsInt()));
    for (const Stats& s : stats_) {
      const double missing = rows_ > 0 ? s.nulls / rows_ : 0;
      if (s.count == 0) {
        add(s.name, "EMPTY", "all values are missing");
        continue;
      }
      if (missing > 0.05) add(s.name, "MISSING", fmt::format("{:.1f}% of the values are missing", 100 * missing));
      if (s.infinite > 0) add(s.name, "INFINITE", fmt::format("{} values are infinite", s.infinite));
      if (s.distinct_exact && s.distinct == 1) {
        add(s.name, "CONSTANT", "all present values are equal");
        continue;
      }
      const bool text = s.type == Type::kString || s.type == Type::kCategory;
      if (s.distinct_exact && s.distinct == s.count && s.type != Type::kFloat) {
        if (s.count > 1) add(s.name, "UNIQUE", "each value occurs once: an identifier?");
      } else if (text && s.distinct > 50) {
        add(s.name, "HIGH_CARDINALITY", fmt::format("{}{} different values", s.distinct_exact ? "" : "about ", s.distinct));
      }
      if ((text || s.type == Type::kBool) && s.top_share > 0.9) add(s.name, "IMBALANCE", fmt::format("one value makes up {:.1f}%", 100 * s.top_share));
      if (s.number() && std::fabs(s.skew) > 5) add(s.name, "SKEWED", fmt::format("skewness {:.1f}", s.skew));
      if (s.number() && s.zeros / s.count > 0.5 && s.distinct > 2) add(s.name, "ZEROS", fmt::format("{:.1f}% are zero", 100 * s.zeros / s.count));
    }
    for (const char* kind : {"pearson", "cramers_v"}) {
      const Json& names = correlations[kind]["columns"];
      const Json& matrix = correlations[kind]["matrix"];
      for (size_t i = 0; i < names.size(); ++i)
        for (size_t k = 0; k < i; ++k)
          if (const double v = matrix[i][k].AsDouble(0); std::fabs(v) > 0.95)
            add(names[i].AsString(), "HIGH_CORRELATION", fmt::format("{} {:.3f} with {}", kind[0] == 'p' ? "correlation" : "Cramér's V", v, names[k].AsString()));
    }
    return alerts;
  }

  table::Engine& engine_;
  fs::path parquet_;
  double rows_ = 0;
  std::vector<Stats> stats_;
};

}  // namespace

Result<Json> Profile(const fs::path& parquet) {
  std::error_code ec;
  if (!fs::is_regular_file(parquet, ec)) return Fail(Code::kNotFound, fmt::format("there is no file {}", parquet.string()), "run the stage ingest first");
  table::Engine::Options options;
  options.memory_limit = "1GB";
  RONDO_TRY(const auto engine, table::Engine::Open(options));
  return Profiler(*engine, parquet).Run();
}

}  // namespace rondo::data
