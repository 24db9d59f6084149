// Ingest, contract and profile of a CSV, alone in a process, so that CPU time and memory are its own:
//   ingest_bench generate FILE ROWS | run FILE OUT
// bench/ingest_bench.py runs it in turn with DuckDB's command line.
#include <fmt/format.h>

#include <cstdio>
#include <string>

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

}  // namespace
}  // namespace rondo

int main(int argc, char** argv) {
  const std::string mode = argc > 3 ? argv[1] : "";
  if (mode == "generate") return rondo::Generate(argv[2], std::stoll(argv[3]));
  if (mode != "run") {
    fmt::print(stderr, "usage: ingest_bench generate FILE ROWS | run FILE OUT\n");
    return 2;
  }
  const rondo::Status status = rondo::Rondo(argv[2], argv[3]);
  if (!status) {
    fmt::print(stderr, "{}\n", status.error().Text());
    return 1;
  }
  return 0;
}
