// Puts the verdict together: out/metrics.json and the judged gates.
#include "model/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json_map.h"
#include "model/evaluation/finder.h"
#include "model/evaluation/importance.h"
#include "model/metrics/curves.h"
#include "model/metrics/fairness.h"
#include "model/metrics/ranked.h"

namespace rondo::model {
namespace {

using project::Task;

Json ToJsonInterval(const Interval& i) { return Json::MakeObject().Set("value", Number(i.value)).Set("low", Number(i.low)).Set("high", Number(i.high)); }

std::vector<Measure> AllMeasures(Task task) {
  std::vector<Measure> out;
  for (const MetricInfo& m : Metrics())
    if (m.AppliesTo(task)) out.push_back({&m, kAllClasses});
  return out;
}

Json WithIntervals(const Scored& scored, int resamples, uint64_t seed, double level) {
  const std::vector<Measure> measures = AllMeasures(scored.task);
  const std::vector<Interval> found = BootstrapAll(scored, measures, resamples, seed, level);
  Json out = Json::MakeObject();
  for (size_t i = 0; i < measures.size(); ++i) out.Set(measures[i].metric->name, ToJsonInterval(found[i]));
  return out;
}

Json PlainValues(const Scored& scored) {
  Json out = Json::MakeObject();
  for (const Measure& m : AllMeasures(scored.task)) out.Set(m.metric->name, Number(m.metric->compute(scored)));
  return out;
}

Status CheckPart(const std::string& name, const Scored& scored, const Scored* like) {
  if (scored.rows() == 0) return Fail(Code::kFailedCheck, fmt::format("the {} part has no rows", name), "use a larger share in `split:`");
  for (size_t i = 0; i < scored.scores.size(); ++i)
    if (std::isnan(scored.scores[i])) return Fail(Code::kFailedCheck, fmt::format("the model's score of row {} of the {} part is not a number", i / (scored.scores.size() / scored.rows()), name), "are there infinite values, or missing ones without `impute`?");
  if (!Ranked(scored).valid()) return Fail(Code::kInvalid, fmt::format("labels, scores and decisions of the {} part don't fit together ({} labels, {} scores, {} decisions)", name, scored.rows(), scored.scores.size(), scored.decisions.size()));
  if (like && (like->rows() != scored.rows() || like->y != scored.y)) return Fail(Code::kInvalid, fmt::format("{} was not scored on the same rows as the model: {} rows against {}, or other labels", name, scored.rows(), like->rows()));
  return {};
}

Status CheckInput(const EvaluationInput& input) {
  if (!input.project || !input.project->problem || !input.signature) return Fail(Code::kInvalid, "evaluation needs a project with a problem and a signature");
  RONDO_DO(CheckPart("validation", input.validation, nullptr));
  RONDO_DO(CheckPart("test", input.test, nullptr));
  for (const auto& [name, scored] : input.baselines) RONDO_DO(CheckPart("baseline " + name, scored, &input.test));
  if (input.champion) RONDO_DO(CheckPart("champion " + input.champion_name, *input.champion, &input.test));
  if (input.test_raw && input.test_raw->rows() != input.test.rows())
    return Fail(Code::kInvalid, fmt::format("the raw test part has {} rows, the scores {}", input.test_raw->rows(), input.test.rows()));
  return {};
}

std::string ThresholdReason(const project::Problem& problem) {
  if (problem.threshold) return "fixed by problem.threshold";
  if (problem.cost) return fmt::format("least cost on the validation part: a false positive costs {:g}, a false negative {:g}", problem.cost->false_positive, problem.cost->false_negative);
  return "best F1 on the validation part";
}

Json Overfit(const EvaluationInput& input) {
  const Json train = PlainValues(*input.train), validation = PlainValues(input.validation), test = PlainValues(input.test);
  Json out = Json::MakeObject();
  for (const auto& [name, value] : train.AsObject()) out.Set(name, Json::MakeObject().Set("train", value).Set("validation", validation[name]).Set("test", test[name]));
  return out;
}

Json PerClass(const EvaluationInput& input) {
  Json out = Json::MakeObject();
  for (size_t k = 0; k < input.signature->classes.size(); ++k) {
    const auto rows = std::count(input.test.y.begin(), input.test.y.end(), static_cast<double>(k));
    Json one = Json::MakeObject().Set("rows", rows);
    for (const Measure& m : AllMeasures(input.test.task))
      if (m.metric->per_class) one.Set(m.metric->name, Number(ClassMetric(input.test, *m.metric, static_cast<int>(k))));
    out.Set(input.signature->classes[k], std::move(one));
  }
  return out;
}

Json ChampionJson(const EvaluationInput& input, int resamples, double level) {
  Json out = Json::MakeObject().Set("name", input.champion_name);
  if (!input.champion) return out.Set("note", input.champion_note);
  out.Set("test", WithIntervals(*input.champion, resamples, input.seed, level));
  Json difference = Json::MakeObject();
  for (const Measure& m : AllMeasures(input.test.task)) difference.Set(m.metric->name, ToJsonInterval(BootstrapDifference(input.test, *input.champion, m, 1, resamples, input.seed, level)));
  return out.Set("difference", std::move(difference));
}

Result<Json> Slices(const EvaluationInput& input, GateFinder& finder) {
  Json out = Json::MakeArray();
  std::vector<std::string> columns = input.project->evaluate.slices;
  for (const project::Sensitive& s : input.project->problem->sensitive)
    if (std::find(columns.begin(), columns.end(), s.column) == columns.end()) columns.push_back(s.column);
  for (const std::string& name : columns) {
    const Groups* groups = finder.GroupsOf(name);
    if (!groups) return Fail(Code::kInvalid, fmt::format("evaluate.slices or problem.sensitive names the column \"{}\", which the test part lacks", name), "fix the name in rondo.yaml");
    for (size_t g = 0; g < groups->names.size(); ++g) {
      const Scored part = Subset(input.test, groups->rows[g]);
      Json slice = Json::MakeObject().Set("column", name).Set("value", groups->names[g]).Set("rows", part.rows());
      if (part.rows() < kMinGroup) slice.Set("small", true);
      if (part.task == Task::binary) slice.Set("positive_share", Number(static_cast<double>(std::count(part.y.begin(), part.y.end(), 1.0)) / static_cast<double>(std::max<size_t>(part.rows(), 1))));
      const Json values = PlainValues(part);
      for (const auto& [metric, value] : values.AsObject()) slice.Set(metric, value);
      out.Push(std::move(slice));
    }
  }
  return out;
}

void JudgeGates(const EvaluationInput& input, GateFinder& finder, Evaluation& out) {
  Json gates = Json::MakeArray();
  std::optional<Interval> last;
  const GateLookup candidate = [&](const project::Gate& gate, std::string& why) { return last = finder.Candidate(gate, why); };
  GateLookup champion;
  if (!input.champion_name.empty()) champion = [&](const project::Gate& gate, std::string& why) { return finder.Champion(gate, why); };
  for (const project::Gate& gate : input.project->problem->success) {
    last.reset();
    const GateResult result = JudgeGate(gate, candidate, champion, input.project->problem->confidence);
    Json json = Json::MakeObject().Set("gate", result.gate).Set("value", Number(result.value)).Set("limit", Number(result.limit)).Set("passed", result.passed).Set("warn", result.warn).Set("why", result.why).Set("op", gate.op).Set("metric", gate.metric);
    if (last) json.Set("low", Number(last->low)).Set("high", Number(last->high));
    gates.Push(std::move(json));
    if (!result.passed && !result.warn) out.passed = false;
    out.gates.push_back(result);
  }
  out.metrics.Set("gates", std::move(gates));
  out.metrics.Set("passed", out.passed);
}

}  // namespace

Result<Evaluation> EvaluateModel(const EvaluationInput& input) {
  RONDO_DO(CheckInput(input));
  const project::Problem& problem = *input.project->problem;
  GateFinder finder(input);
  const int resamples = finder.resamples();
  const double level = finder.level();
  Evaluation out;
  Json& m = out.metrics;
  m = Json::MakeObject();
  m.Set("task", EnumName(input.test.task));
  if (input.test.task == Task::binary) m.Set("threshold", input.signature->threshold).Set("threshold_reason", ThresholdReason(problem));
  if (!input.signature->classes.empty()) m.Set("classes", Json(input.signature->classes));
  Json rows = Json::MakeObject();
  if (input.train) rows.Set("train", input.train->rows());
  m.Set("rows", rows.Set("validation", input.validation.rows()).Set("test", input.test.rows()));
  m.Set("interval", Json::MakeObject().Set("level", level).Set("resamples", resamples).Set("method", "percentile bootstrap over rows"));
  m.Set("validation", WithIntervals(input.validation, resamples, input.seed, level));
  m.Set("test", WithIntervals(input.test, resamples, input.seed, level));
  Json baselines = Json::MakeObject();
  for (const auto& [name, scored] : input.baselines) baselines.Set(name, WithIntervals(scored, resamples, input.seed, level));
  m.Set("baselines", std::move(baselines));
  if (!input.champion_name.empty()) m.Set("champion", ChampionJson(input, resamples, level));
  RONDO_TRY(Json slices, Slices(input, finder));
  m.Set("slices", std::move(slices));
  Json fairness = Json::MakeObject();
  for (const project::Sensitive& s : problem.sensitive) fairness.Set(s.column, FairnessReport(input.test, *finder.GroupsOf(s.column)));
  m.Set("fairness", std::move(fairness));
  JudgeGates(input, finder, out);

  if (input.train && Ranked(*input.train).valid()) m.Set("overfit", Overfit(input));
  m.Set("calibration", CalibrationCurve(input.test));
  if (input.test.task != Task::regression) m.Set("confusion", ConfusionMatrix(input.test, input.signature->classes)).Set("class_metrics", PerClass(input));
  if (input.test.task == Task::binary) {
    m.Set("roc", RocCurve(input.test)).Set("pr", PrCurve(input.test)).Set("threshold_curve", ThresholdCurve(input.validation, problem.cost));
    if (problem.cost) m.Set("cost", CostSummary(input.test, *problem.cost));
  }
  if (input.score && input.test_raw) {
    RONDO_TRY(Json importance, PermutationImportance(input));
    m.Set("importance", std::move(importance));
  }
  return out;
}

}  // namespace rondo::model
