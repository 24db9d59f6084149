// Batch scoring: rondo predict MODEL --data FILE --out FILE, or rondo predict NAME for an entry of `predict:` in rondo.yaml.
#include <fmt/format.h>

#include <cstdlib>

#include "base/clock.h"
#include "base/file.h"
#include "cli/verbs.h"
#include "project/reader.h"
#include "serving/batch.h"

namespace rondo::cli {

namespace {

/// What to score with what, and where the scores go.
struct Job {
  std::string model, data, out;
};

/// The entry of `predict:` that the argument names, when neither rows nor a place were given; else what the command line says.
Result<Job> JobOf(Call& call, const project::Project* project) {
  Job job{call.Arg(0), call.Value("--data"), call.Value("--out")};
  if (job.data.empty() && job.out.empty() && project) {
    for (const project::Predict& p : project->predict)
      if (p.name == job.model) {
        const std::string date = FormatTime(SystemClock().NowMs()).substr(0, 10);
        std::string out = p.out;
        for (size_t at = out.find("{date}"); at != std::string::npos; at = out.find("{date}", at)) out.replace(at, 6, date);
        return Job{p.model, p.data, out};
      }
  }
  const char* hint = "rondo predict MODEL --data rows.csv --out scores.parquet, or rondo predict NAME for an entry of predict: in rondo.yaml";
  if (job.data.empty()) return Fail(Code::kInvalid, "which rows? --data is missing", hint);
  if (job.out.empty()) return Fail(Code::kInvalid, "where to? --out is missing", hint);
  return job;
}

}  // namespace

Result<int> Predict(Call& call) {
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
  std::optional<project::Project> project;
  if (root && fs::exists(*root / "rondo.yaml", ec))
    if (auto loaded = project::LoadProject(*root / "rondo.yaml")) project = std::move(*loaded);
  RONDO_TRY(const Job job, JobOf(call, project ? &*project : nullptr));
  const bool declared = job.data != call.Value("--data");
  const fs::path out = declared ? *root / job.out : fs::path(job.out);
  if (declared && out.has_parent_path()) RONDO_DO(MakeDirs(out.parent_path()));
  RONDO_TRY(const serving::BatchModel model, serving::OpenBatchModel(workspace.get(), job.model));
  // A dataset's name, or its file, is read as rondo.yaml says.
  const project::Dataset* spec = nullptr;
  fs::path source = job.data;
  if (project) {
    if (project->problem) spec = project->FindDataset(project->problem->data);
    if (declared || !fs::exists(source, ec))
      if (const project::Dataset* named = project->FindDataset(job.data)) {
        spec = named;
        // What SQL makes of other datasets is in the last ingested version.
        source = named->from.empty() ? *root / "out/data" / (named->name + ".parquet") : *root / named->from;
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
    PrintJson(Json::MakeObject().Set("model", model.name).Set("rows", summary.rows).Set("out", job.out).Set("key", summary.key).Set("decisions", decisions).Set("seconds", seconds));
    return 0;
  }
  Print(fmt::format("{} rows scored by {} in {:.2f} s{}: {}", summary.rows, model.name, seconds, text, job.out));
  return 0;
}

}  // namespace rondo::cli
