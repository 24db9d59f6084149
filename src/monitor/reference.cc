// Builds and reads reference.json.
#include "monitor/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/json_map.h"
#include "monitor/math.h"

namespace rondo::monitor {
namespace {

void AddMistakes(Reference& r, const model::Scored& held_out) {
  const size_t rows = held_out.rows();
  if (r.task == project::Task::regression) {
    std::vector<double> errors(rows);
    for (size_t i = 0; i < rows; ++i) errors[i] = std::fabs(held_out.y[i] - held_out.scores[i]);
    std::vector<double> sorted = errors;
    std::sort(sorted.begin(), sorted.end());
    const double top = SortedQuantile(sorted, 0.99);
    r.error_scale = top > 0 ? top : 1;
    for (const double e : errors) r.error_mean += std::min(1.0, e / r.error_scale);
  } else {
    const size_t k = r.classes.size();
    r.decisions.assign(k, 0);
    r.labels.assign(k, 0);
    r.confusion.assign(k, std::vector<int64_t>(k, 0));
    for (size_t i = 0; i < rows; ++i) {
      const auto truth = static_cast<size_t>(held_out.y[i]);
      const auto decided = static_cast<size_t>(held_out.decisions[i]);
      if (truth >= k || decided >= k) continue;
      ++r.decisions[decided];
      ++r.labels[truth];
      ++r.confusion[decided][truth];
      r.error_mean += truth != decided;
    }
  }
  if (rows > 0) r.error_mean /= static_cast<double>(rows);
}

constexpr int kResamples = 200;

Json HeldOutMetrics(const model::Scored& scored) {
  Json out = Json::MakeObject();
  const auto& metrics = model::Metrics();
  for (const model::MetricInfo& metric : metrics)
    if (std::find(metric.tasks.begin(), metric.tasks.end(), scored.task) != metric.tasks.end()) out.Set(metric.name, ToJson(model::Bootstrap(scored, metric, kResamples, 1)));
  return out;
}

constexpr int64_t kMostRows = int64_t{1} << 50;

/// Not negative, and sums can't overflow.
bool Counts(const std::vector<int64_t>& counts) {
  return counts.size() < (size_t{1} << 12) && std::all_of(counts.begin(), counts.end(), [](int64_t n) { return n >= 0 && n <= kMostRows; });
}

Status Verify(const Reference& r) {
  const auto bad = [](const std::string& what) { return Fail(Code::kFailedCheck, "reference.json is damaged: " + what, "evaluate the model again"); };
  if (r.format != 1) return Fail(Code::kUnsupported, fmt::format("reference.json has format {}, this release reads 1", r.format), "use a newer rondo");
  for (const ColumnProfile& c : r.columns) {
    if (c.kind != "number" && c.kind != "category" && c.kind != "text" && c.kind != "date") return bad(fmt::format("column \"{}\" has kind \"{}\"", c.name, c.kind));
    if (c.ordered() && (c.counts.size() != c.edges.size() + 1 || c.centers.size() != c.counts.size())) return bad(fmt::format("bins of column \"{}\" don't fit", c.name));
    if (c.kind == "category" && c.counts.size() != c.levels.size() + 1) return bad(fmt::format("levels of column \"{}\" don't fit", c.name));
    if (!std::is_sorted(c.edges.begin(), c.edges.end())) return bad(fmt::format("edges of column \"{}\" don't rise", c.name));
    if (!Counts(c.counts) || c.rows < 0 || c.rows > kMostRows || c.missing < 0 || c.missing > c.rows || !(c.rare >= 0 && c.rare <= 1))
      return bad(fmt::format("counts of column \"{}\" make no sense", c.name));
  }
  const size_t k = r.classes.size();
  if (r.task != project::Task::regression && (k < 2 || r.decisions.size() != k || r.labels.size() != k || r.confusion.size() != k)) return bad("classes and counts differ");
  for (const auto& row : r.confusion)
    if (row.size() != k || !Counts(row)) return bad("the confusion matrix isn't square");
  if (!Counts(r.decisions) || !Counts(r.labels) || !Counts(r.score.counts) || r.held_out_rows < 0 || !(r.error_scale > 0)) return bad("held-out counts make no sense");
  if (r.score.counts.size() != r.score.edges.size() + 1) return bad("bins of the scores don't fit");
  return {};
}

}  // namespace

double WatchedScore(project::Task task, std::span<const double> row) {
  if (row.empty()) return std::nan("");
  if (task == project::Task::multiclass) return *std::max_element(row.begin(), row.end());
  return row.back();
}

int ClassIndex(const std::vector<std::string>& classes, std::string_view label) {
  for (size_t i = 0; i < classes.size(); ++i)
    if (classes[i] == label) return static_cast<int>(i);
  return -1;
}

Result<Json> BuildReference(const model::Signature& signature, const table::Frame& training, const table::Frame& held_out, const model::Scored& scored, const Json& metrics) {
  if (held_out.rows() != scored.rows()) return Fail(Code::kInvalid, fmt::format("the held-out part has {} rows, its scores {}", held_out.rows(), scored.rows()), "score the part again");
  Reference r;
  r.task = signature.task;
  r.target = signature.target;
  r.key = signature.key;
  r.classes = signature.classes;
  r.threshold = signature.threshold;
  r.metrics = metrics.IsObject() ? metrics : HeldOutMetrics(scored);
  r.held_out_rows = static_cast<int64_t>(scored.rows());
  const auto type_of = [&](const std::string& name) -> std::string {
    const table::Column* column = name.empty() ? nullptr : training.Find(name);
    return column ? std::string(table::TypeName(column->type)) : name.empty() ? "" : "string";
  };
  r.target_type = type_of(signature.target);
  r.key_type = type_of(signature.key);
  for (const model::InputColumn& input : signature.inputs) {
    const table::Column* column = training.Find(input.name);
    if (!column) return Fail(Code::kInvalid, fmt::format("the training part has no column \"{}\", which the model takes", input.name), "build the reference from the data that trained the model");
    r.columns.push_back(ProfileColumn(*column, input.name, input.type));
  }
  const size_t width = signature.task == project::Task::multiclass ? std::max<size_t>(1, scored.classes) : 1;
  std::vector<double> watched(scored.rows());
  for (size_t i = 0; i < watched.size(); ++i) watched[i] = WatchedScore(signature.task, std::span(scored.scores).subspan(i * width, width));
  r.score = ProfileNumbers(watched, "score", "float");
  AddMistakes(r, scored);
  RONDO_DO(Verify(r));
  return ToJson(r);
}

Result<Reference> ParseReference(const Json& json) {
  Reference r;
  RONDO_DO(FromJson(json, r, {}, UnknownKeys::kIgnore));
  RONDO_DO(Verify(r));
  return r;
}

Result<Reference> ReadReference(const std::filesystem::path& file) {
  RONDO_TRY(const std::string text, ReadFile(file, 256u << 20));
  auto json = ParseJson(text);
  if (!json) return Wrap(json.error(), "reading " + file.filename().string());
  return ParseReference(*json);
}

}  // namespace rondo::monitor
