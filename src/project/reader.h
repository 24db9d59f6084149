/// Reads `rondo.yaml` (+ `rondo.local.yaml`, + `--set key=value`) into project/spec.h. yaml-cpp is seen in reader.cc's module only.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "project/spec.h"

namespace rondo::project {

struct LoadOptions {
  std::vector<std::string> set;  ///< "train.params.max_depth=6"
  bool read_local = true;        ///< rondo.local.yaml beside it
  std::string date;              ///< ${date} in stages, YYYY-MM-DD; empty: RONDO_DATE, else today (UTC)
};

/// The built-in stages, in order.
inline constexpr std::string_view kBuiltinStages[] = {"ingest", "check", "profile", "split", "prepare", "train", "evaluate", "register", "deploy"};

/// Errors name file:line, the key and the nearest valid key; code kInvalid. Scalars mean what is written: `yes`, `01` are texts.
/// Secret references (`${env:X}`) stay unresolved in the structs; see ResolveSecret. A file named dvc.yaml is read in DVC's basic form
/// (stages with cmd, deps, params, outs, metrics, wdir; its plain params are params.yaml's); templating is an error. A missing rondo.yaml means the
/// dvc.yaml beside it.
Result<Project> LoadProject(const std::filesystem::path& file, const LoadOptions& options = {});
/// The same from text (tests, fuzzing); `name` stands in the errors.
Result<Project> ParseProject(const std::string& yaml, const std::string& name = "rondo.yaml", const LoadOptions& options = {});

/// One gate: `auc >= champion - 0.005`. Metric names are checked against the task.
Result<Gate> ParseGate(const std::string& text, Task task);
/// Whether a gate's metric is measured on live traffic (latency_p99_ms, error_rate, score_psi) rather than on the test part.
bool IsLiveMetric(std::string_view metric);
/// Whether it compares the groups of a column (the fairness measures).
bool ComparesGroups(std::string_view metric);
/// Names of the test part's metrics, "name[column]" for those that compare groups.
std::vector<std::string> OfflineGateMetrics(Task task);

/// Five cron fields in range; names of months and days allowed.
Status CheckCron(const std::string& text);

/// Walks up from `from` to the folder that holds rondo.yaml (or dvc.yaml); kNotFound says what to type.
Result<std::filesystem::path> FindProjectRoot(const std::filesystem::path& from);

/// The JSON Schema of rondo.yaml, as `rondo schema` prints it.
std::string JsonSchema();

/// `${env:NAME}`, `${file:PATH}`, `${command:LINE}`: resolved at use, never logged or stored. Text without a reference comes back as it is.
Result<std::string> ResolveSecret(const std::string& text);

}  // namespace rondo::project
