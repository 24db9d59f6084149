// Ingest, contract and profile of a CSV against DuckDB's own statements for the same answers. One job a process, so that CPU time and memory are its own:
//   ingest_bench generate FILE ROWS | rondo FILE OUT | duckdb FILE OUT
// The last two print {"wall", "cpu", "rss_mb"}. bench/ingest_bench.py runs them in turn.
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "data/dataset.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;

int Generate(const std::string& file, int64_t rows) {
  std::FILE* out = std::fopen(file.c_str(), "w");
  if (!out) return 1;
  Random random(11);
  constexpr const char* kColours[] = {"red", "green", "blue", "violet"};
  fmt::print(out, "id,age,amount,colour,day,score\n");
  for (int64_t i = 0; i < rows; ++i) {
    const std::string score = random.Below(50) == 0 ? "" : fmt::format("{:.4f}", random.Uniform() * 10);
    fmt::print(out, "{},{},{:.2f},{},20{:02}-{:02}-{:02},{}\n", i, random.Below(101), random.Uniform() * 1000, kColours[random.Below(4)], 20 + random.Below(5), 1 + random.Below(12), 1 + random.Below(28), score);
  }
  return std::fclose(out);
}

project::ColumnRule Rule(std::string name, std::string type, std::optional<std::string> min = {}, std::optional<std::string> max = {}) {
  project::ColumnRule rule;
  rule.name = std::move(name);
  rule.type = std::move(type);
  rule.min = std::move(min);
  rule.max = std::move(max);
  return rule;
}

Status Rondo(const fs::path& file, const fs::path& to) {
  project::Dataset spec;
  spec.name = "big";
  spec.from = fs::absolute(file).string();
  spec.contract.min_rows = 1000;
  spec.contract.key = "id";
  spec.contract.columns = {Rule("age", "int", "0", "100"), Rule("amount", "float", "0"), Rule("colour", "category"), Rule("day", "date", "2020-01-01"), Rule("score", "float")};
  spec.contract.columns[0].max_null_share = 0;
  spec.contract.columns[2].in_ = {"red", "green", "blue", "violet"};
  spec.contract.columns[4].max_null_share = 0.05;
  RONDO_TRY(const data::IngestResult ingested, data::Ingest(spec, file.parent_path(), {}, "", to));
  RONDO_TRY(const data::CheckReport report, data::Check(spec, to, nullptr, nullptr, 1'750'000'000'000));
  if (!report.passed || report.rows != ingested.rows) return Fail(Code::kFailedCheck, "the contract failed: " + (report.anomalies.empty() ? "" : report.anomalies[0].message));
  RONDO_TRY(const Json profile, data::Profile(to));
  if (profile["columns"]["colour"]["distinct"].AsInt() != 4) return Fail(Code::kInternal, "wrong profile");
  return {};
}

Status DuckDb(const fs::path& file, const fs::path& to) {
  table::Engine::Options options;
  options.memory_limit = "8GB";
  RONDO_TRY(const auto engine, table::Engine::Open(options));
  const std::string p = fmt::format("read_parquet({})", table::QuoteText(to.string()));
  RONDO_DO(engine->Exec(fmt::format("COPY (SELECT * FROM read_csv({})) TO {} (FORMAT parquet, COMPRESSION zstd)", table::QuoteText(file.string()), table::QuoteText(to.string()))));
  RONDO_TRY(const table::Frame checked, engine->Query(fmt::format(
      "SELECT count(*), count(id), count(DISTINCT id), count(*) FILTER (WHERE id IS NULL), count(*) FILTER (WHERE age < 0), count(*) FILTER (WHERE age > 100), count(*) FILTER (WHERE age IS NULL), min(age), max(age), "
      "count(*) FILTER (WHERE amount < 0), count(*) FILTER (WHERE isinf(amount)), min(amount), count(*) FILTER (WHERE colour NOT IN ('red', 'green', 'blue', 'violet')), count(*) FILTER (WHERE day < DATE '2020-01-01'), min(day), "
      "count(*) FILTER (WHERE score IS NULL), count(*) FILTER (WHERE isinf(score)) FROM {}", p)));
  if (checked.columns[1].numbers[0] != checked.columns[2].numbers[0]) return Fail(Code::kInternal, "wrong answer");
  // What SUMMARIZE gives, the quantiles of our profile and skewness, in one query as a careful person would write it.
  std::string select;
  for (const char* x : {"id", "age", "amount", "colour", "day", "score"}) select += fmt::format("count({0}), approx_count_distinct({0}), min({0}), max({0}), ", x);
  for (const char* x : {"id", "age", "amount", "score"})
    select += fmt::format("avg({0}), stddev_samp({0}), skewness({0}), array_to_string(approx_quantile({0}, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]), ' '), ", x);
  RONDO_DO(engine->Exec(fmt::format("SELECT {} count(*) FROM {}", select, p)));
  for (const char* column : {"age", "colour", "day"}) RONDO_DO(engine->Exec(fmt::format("SELECT {0}, count(*) FROM {1} GROUP BY 1 ORDER BY 2 DESC LIMIT 20", column, p)));
  for (const auto& [x, low, width] : {std::tuple("id", 0.0, 166667.0), std::tuple("age", 0.0, 4.0), std::tuple("amount", 0.0, 33.4), std::tuple("score", 0.0, 0.34), std::tuple("epoch_ms(day::TIMESTAMP)", 1577836800000.0, 5.3e9)})
    RONDO_DO(engine->Exec(fmt::format("SELECT floor(({} - {}) / {})::INTEGER AS h, count(*) FROM {} GROUP BY 1", x, low, width, p)));
  return engine->Exec(fmt::format("SELECT corr(id, age), corr(id, amount), corr(id, score), corr(age, amount), corr(age, score), corr(amount, score) FROM {}", p));
}

}  // namespace
}  // namespace rondo

int main(int argc, char** argv) {
  const std::string mode = argc > 3 ? argv[1] : "";
  if (mode == "generate") return rondo::Generate(argv[2], std::stoll(argv[3]));
  if (mode != "rondo" && mode != "duckdb") {
    fmt::print(stderr, "usage: ingest_bench generate FILE ROWS | rondo FILE OUT | duckdb FILE OUT\n");
    return 2;
  }
  const int64_t begin = rondo::MonotonicNs();
  const rondo::Status status = mode == "rondo" ? rondo::Rondo(argv[2], argv[3]) : rondo::DuckDb(argv[2], argv[3]);
  if (!status) {
    fmt::print(stderr, "{}\n", status.error().Text());
    return 1;
  }
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  fmt::print("{{\"wall\": {:.3f}, \"cpu\": {:.3f}, \"rss_mb\": {}}}\n", static_cast<double>(rondo::MonotonicNs() - begin) / 1e9, seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss / 1024);
  return 0;
}
