// Batch scoring: rondo predict MODEL --data FILE --out FILE.
#include <fmt/format.h>

#include <cstdlib>

#include "base/clock.h"
#include "base/file.h"
#include "cli/verbs.h"
#include "project/reader.h"
#include "serving/batch.h"

namespace rondo::cli {

Result<int> Predict(Call& call) {
  const std::string data = call.Value("--data"), out = call.Value("--out");
  if (data.empty()) return Fail(Code::kInvalid, "which rows? --data is missing", "rondo predict MODEL --data rows.csv --out scores.parquet");
  if (out.empty()) return Fail(Code::kInvalid, "where to? --out is missing", "rondo predict MODEL --data rows.csv --out scores.parquet");
  // Here --data is the input; the data folder is the project's, or RONDO_DATA.
  const char* folder = std::getenv("RONDO_DATA");
  const auto root = project::FindProjectRoot(fs::current_path());
  std::error_code ec;
  std::unique_ptr<workspace::Workspace> workspace;
  if (folder || root) {
    const fs::path path = folder ? fs::path(folder) : *root / ".rondo";
    if (fs::exists(path / "rondo.db", ec)) {
      RONDO_TRY(workspace, workspace::Workspace::Open(path));
    }
  }
  RONDO_TRY(const serving::BatchModel model, serving::OpenBatchModel(workspace.get(), call.Arg(0)));
  // A dataset's name, or its file, is read as rondo.yaml says.
  std::optional<project::Project> project;
  const project::Dataset* spec = nullptr;
  fs::path source = data;
  if (root && fs::exists(*root / "rondo.yaml", ec)) {
    if (auto loaded = project::LoadProject(*root / "rondo.yaml")) project = std::move(*loaded);
    if (project && project->problem) spec = project->FindDataset(project->problem->data);
    if (project && !fs::exists(source, ec))
      if (const project::Dataset* named = project->FindDataset(data); named && !named->from.empty()) {
        spec = named;
        source = *root / named->from;
      }
    // How the training data's CSV is written says nothing about other formats.
    if (const std::string suffix = source.extension().string(); suffix == ".parquet" || suffix == ".json" || suffix == ".ndjson") spec = nullptr;
  }
  const int64_t begin = MonotonicNs();
  RONDO_TRY(const serving::BatchSummary summary, serving::ScoreTable(*model.scorer, source, spec, out));
  const double seconds = static_cast<double>(MonotonicNs() - begin) / 1e9;
  Json decisions = Json::MakeObject();
  std::string text;
  for (const auto& [name, rows] : summary.decisions) {
    decisions.Set(name, rows);
    text += fmt::format(", {} {}", rows, name);
  }
  if (call.json()) {
    PrintJson(Json::MakeObject().Set("model", model.name).Set("rows", summary.rows).Set("out", out).Set("key", summary.key).Set("decisions", decisions).Set("seconds", seconds));
    return 0;
  }
  Print(fmt::format("{} rows scored by {} in {:.2f} s{}: {}", summary.rows, model.name, seconds, text, out));
  return 0;
}

}  // namespace rondo::cli
