// Step `evaluate`: the model on rows it never saw, beside baselines and the champion; the gates decide.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json_map.h"
#include "base/random.h"
#include "model/card.h"
#include "model/evaluation.h"
#include "model/report.h"
#include "monitor/reference.h"
#include "steps/fit.h"
#include "steps/step.h"

namespace rondo::steps {
namespace {

struct Parts {
  table::Frame train, validation, test;
  model::Labels train_y, validation_y, test_y;
};

Result<Parts> LoadParts(const Context& c, const model::Signature& signature) {
  Parts parts;
  RONDO_TRY(parts.train, ReadPart(c, "train"));
  RONDO_TRY(parts.validation, ReadPart(c, "validation"));
  RONDO_TRY(parts.test, ReadPart(c, "test"));
  RONDO_TRY(parts.train_y, LabelsOf(c.problem(), signature.classes, parts.train, false));
  RONDO_TRY(parts.validation_y, LabelsOf(c.problem(), signature.classes, parts.validation, false));
  RONDO_TRY(parts.test_y, LabelsOf(c.problem(), signature.classes, parts.test, false));
  return parts;
}

/// A baseline scored on the test part: the dummy, or a linear model with its own careful features.
Result<model::Scored> Baseline(const Context& c, const Parts& parts, const std::string& algorithm) {
  project::Features spec = c.project.features;
  spec.numeric = {"median", "standard"};
  spec.categorical = {"onehot", 0.01, "ignore"};
  for (project::ColumnFeature& column : spec.columns) column.impute = column.impute == "none" ? "median" : column.impute;
  RONDO_TRY(const auto features, model::FitFeatures(spec, FeatureColumns(c, parts.train), parts.train, 0));
  FitRequest request;
  request.algorithm = algorithm;
  request.params = Json::MakeObject();
  request.train = &parts.train;
  request.validation = &parts.validation;
  request.features = features.get();
  RONDO_TRY(const Fit fit, FitModel(c, request));
  RONDO_TRY(const std::vector<float> values, PredictNative(c, fit, *features, parts.test));
  return MakeScored(fit.signature, values, parts.test_y);
}

/// The 99th percentile of scoring one row, in milliseconds.
double LatencyP99Ms(const model::Scorer& scorer, const table::Frame& test) {
  std::vector<size_t> first;
  for (size_t i = 0; i < std::min<size_t>(test.rows(), 200); ++i) first.push_back(i);
  std::vector<double> times;
  for (int round = 0; round < 5; ++round) {
    for (const size_t i : first) {
      const table::Frame row = test.Take({i});
      auto batch = model::BatchFromFrame(scorer.signature(), row);
      if (!batch) return std::nan("");
      model::Scores scores;
      const int64_t begin = MonotonicNs();
      if (!scorer.Score(*batch, scores)) return std::nan("");
      times.push_back(static_cast<double>(MonotonicNs() - begin) / 1e6);
    }
  }
  if (times.empty()) return std::nan("");
  std::sort(times.begin(), times.end());
  return times[static_cast<size_t>(0.99 * static_cast<double>(times.size() - 1))];
}

model::GateLookup LatencyLookup(double p99_ms) {
  return [p99_ms](const project::Gate& gate, std::string& why) -> std::optional<model::Interval> {
    if (gate.metric == "latency_p99_ms" && std::isfinite(p99_ms)) return model::Interval{p99_ms, p99_ms, p99_ms};
    why = gate.metric + " is measured on the endpoint, not on the test part";
    return std::nullopt;
  };
}

struct Champion {
  std::string name, note;
  std::unique_ptr<model::Scorer> scorer;
};

/// The present champion, unless it is the very model that is being evaluated.
Champion LoadChampion(Context& c, const std::string& digest) {
  Champion champion;
  const std::string model = c.project.deploy ? c.project.deploy->endpoint : c.project.name;
  auto version = c.workspace->registry().VersionByAlias(model, "champion");
  if (!version || version->digest == digest) return champion;
  champion.name = fmt::format("{}/{}", model, version->version);
  auto onnx = c.workspace->ArtifactPath(version->source, "model.onnx");
  auto signature_path = c.workspace->ArtifactPath(version->source, "signature.json");
  if (!onnx || !signature_path) {
    champion.note = "its files are missing from the artifact store";
    return champion;
  }
  auto signature = model::ReadSignature(*signature_path);
  if (!signature) {
    champion.note = signature.error().message;
    return champion;
  }
  auto scorer = model::LoadScorer(*onnx, *signature);
  if (!scorer) champion.note = scorer.error().message;
  else champion.scorer = std::move(*scorer);
  return champion;
}

/// out/predictions/test.parquet: key, label, score or score_<class>, decision.
Status WritePredictions(const Context& c, const model::Signature& signature, const Parts& parts, const model::Scored& scored) {
  table::Frame out;
  auto texts = [&](const std::string& name, auto value) {
    table::Column column;
    column.name = name;
    column.type = table::Type::kString;
    for (size_t i = 0; i < scored.rows(); ++i) column.strings.push_back(value(i));
    column.missing.assign(scored.rows(), 0);
    out.columns.push_back(std::move(column));
  };
  auto numbers = [&](const std::string& name, auto value) {
    table::Column column;
    column.name = name;
    for (size_t i = 0; i < scored.rows(); ++i) column.numbers.push_back(value(i));
    out.columns.push_back(std::move(column));
  };
  const table::Column* key = parts.test.Find(KeyColumn(c.problem()));
  texts("key", [&](size_t i) { return key ? key->Text(i) : std::string(); });
  table::Column label = *parts.test.Find(c.problem().target);
  label.name = "label";
  out.columns.push_back(std::move(label));
  if (signature.task == project::Task::multiclass) {
    for (size_t k = 0; k < signature.classes.size(); ++k) numbers("score_" + signature.classes[k], [&](size_t i) { return scored.scores[i * scored.classes + k]; });
  } else {
    numbers("score", [&](size_t i) { return scored.scores[i]; });
  }
  if (signature.task == project::Task::regression) numbers("decision", [&](size_t i) { return scored.scores[i]; });
  else texts("decision", [&](size_t i) { return signature.classes[static_cast<size_t>(scored.decisions[i])]; });
  return table::WriteParquet(out, c.Path("out/predictions/test.parquet"));
}

Json ReportFacts(Context& c, const model::Signature& signature, const std::string& digest, const Parts& parts) {
  const Commit commit = CurrentCommit(c.root);
  Json facts = Json::MakeObject();
  facts.Set("algorithm", signature.algorithm)
      .Set("created", FormatTime(c.workspace->clock().NowMs()))
      .Set("run", c.run_id)
      .Set("commit", commit.id)
      .Set("dirty", commit.dirty)
      .Set("digest", digest)
      .Set("seed", c.project.seed)
      .Set("params", c.project.train.params)
      .Set("split", c.project.split.by)
      .Set("rows", Json::MakeObject().Set("train", parts.train.rows()).Set("validation", parts.validation.rows()).Set("test", parts.test.rows()));
  Json datasets = Json::MakeArray(), warnings = Json::MakeArray();
  for (const project::Dataset& spec : c.project.data)
    if (auto ingested = ReadIngest(c, spec.name))
      datasets.Push(Json::MakeObject().Set("name", spec.name).Set("md5", ingested->md5).Set("rows", ingested->rows).Set("source", spec.from));
  for (const auto& [file, key] : {std::pair{"out/split/split.json", "warnings"}, std::pair{"out/prepare/features.json", "warnings"}}) {
    auto text = ReadFile(c.Path(file));
    if (!text) continue;
    auto json = ParseJson(*text);
    if (!json) continue;
    for (const Json& w : (*json)[key].AsArray()) warnings.Push(w.IsString() ? w : w["message"]);
    if (json->Find("names")) facts.Set("features", (*json)["names"].size());
  }
  return facts.Set("datasets", datasets).Set("warnings", warnings);
}

Status LogMetrics(Context& c, const Json& metrics) {
  if (c.run_id.empty()) return {};
  tracking::LogBatch batch;
  const int64_t now = c.workspace->clock().NowMs();
  for (const char* part : {"validation", "test"})
    for (const auto& [name, interval] : metrics[part].AsObject())
      if (std::isfinite(interval["value"].AsDouble(std::nan("")))) batch.metrics.push_back({std::string(part) + "_" + name, interval["value"].AsDouble(), now, 0});
  RONDO_DO(c.workspace->tracking().Log(c.run_id, batch));
  std::vector<tracking::DatasetInput> inputs;
  for (const project::Dataset& spec : c.project.data) {
    RONDO_TRY(const data::IngestResult ingested, ReadIngest(c, spec.name));
    Json columns = Json::MakeArray();
    for (const data::SchemaColumn& column : ingested.schema) columns.Push(Json::MakeObject().Set("type", column.type).Set("name", column.name).Set("required", false));
    inputs.push_back({spec.name, ingested.md5, "local", Json::MakeObject().Set("uri", spec.from).Dump(), Json::MakeObject().Set("mlflow_colspec", columns).Dump(),
                      Json::MakeObject().Set("num_rows", ingested.rows).Dump(), "training"});
  }
  return c.workspace->tracking().LogInputs(c.run_id, inputs);
}

}  // namespace

Status EvaluateStep(Context& c) {
  RONDO_TRY(const model::Signature signature, model::ReadSignature(c.Path("out/model/signature.json")));
  RONDO_TRY(const auto scorer, model::LoadScorer(c.Path("out/model/model.onnx"), signature));
  RONDO_TRY(const FileDigest digest, HashFile(c.Path("out/model/model.onnx"), HashKind::kSha256));
  RONDO_TRY(const Parts parts, LoadParts(c, signature));

  model::EvaluationInput input;
  input.project = &c.project;
  input.signature = &signature;
  RONDO_TRY(input.train, ScorePart(*scorer, c.problem(), parts.train, parts.train_y));
  RONDO_TRY(input.validation, ScorePart(*scorer, c.problem(), parts.validation, parts.validation_y));
  RONDO_TRY(input.test, ScorePart(*scorer, c.problem(), parts.test, parts.test_y));
  RONDO_TRY(model::Scored dummy, Baseline(c, parts, "dummy"));
  input.baselines.emplace_back("dummy", std::move(dummy));
  // A linear model needs features that a project of texts alone may not have; its absence is said in the report, not an error.
  if (auto linear = Baseline(c, parts, signature.task == project::Task::regression ? "linear" : "logistic")) input.baselines.emplace_back("linear", std::move(*linear));
  else std::printf("WARNING no linear baseline: %s\n", linear.error().message.c_str());

  const Champion champion = LoadChampion(c, digest.hex);
  input.champion_name = champion.name;
  input.champion_note = champion.note;
  if (champion.scorer) {
    if (auto scored = ScorePart(*champion.scorer, c.problem(), parts.test, parts.test_y)) input.champion = std::move(*scored);
    else input.champion_note = scored.error().message;
  }
  input.test_raw = &parts.test;
  if (c.project.evaluate.explain)
    input.score = [&](const table::Frame& rows) -> Result<std::vector<double>> {
      // Importance scores a sample of the rows; labels play no part in it.
      model::Labels unused;
      unused.y.assign(rows.rows(), 0);
      RONDO_TRY(const model::Scored scored, ScorePart(*scorer, c.problem(), rows, unused));
      return scored.scores;
    };
  input.other = LatencyLookup(LatencyP99Ms(*scorer, parts.test));
  input.champion_other = LatencyLookup(champion.scorer ? LatencyP99Ms(*champion.scorer, parts.test) : std::nan(""));
  input.seed = DeriveSeed(c.project.seed, "evaluate");
  RONDO_TRY(const model::Evaluation evaluation, model::EvaluateModel(input));

  RONDO_DO(WriteFileAtomic(c.Path("out/metrics.json"), evaluation.metrics.Pretty(Json::NonFinite::kNull)));
  RONDO_DO(WritePredictions(c, signature, parts, input.test));
  const Json facts = ReportFacts(c, signature, digest.hex, parts);
  RONDO_DO(WriteFileAtomic(c.Path(c.project.evaluate.report), model::ReportHtml(c.project, evaluation.metrics, facts)));
  const model::ModelCard card = model::MakeModelCard(c.project, evaluation.metrics, facts);
  RONDO_DO(WriteFileAtomic(c.Path("out/card.md"), card.markdown));
  RONDO_DO(WriteFileAtomic(c.Path("out/card.json"), card.json.Pretty(Json::NonFinite::kNull)));
  RONDO_TRY(const Json reference, monitor::BuildReference(signature, parts.train, parts.test, input.test));
  RONDO_DO(WriteFileAtomic(c.Path("out/reference.json"), reference.Dump(Json::NonFinite::kNull)));
  RONDO_DO(LogMetrics(c, evaluation.metrics));

  size_t passed = 0;
  std::string failed;
  for (const model::GateResult& gate : evaluation.gates) {
    std::printf("%s gate %s: %.4g (limit %.4g) %s\n", gate.passed ? "PASS" : gate.warn ? "WARN" : "FAIL", gate.gate.c_str(), gate.value, gate.limit, gate.why.c_str());
    passed += gate.passed;
    if (!gate.passed && !gate.warn && failed.empty()) failed = fmt::format("{}: {:.4g}{}", gate.gate, gate.value, gate.why.empty() ? "" : " (" + gate.why + ")");
  }
  const char* headline = signature.task == project::Task::regression ? "rmse" : "auc";
  const Json& metric = evaluation.metrics["test"][headline];
  c.Summary(fmt::format("test {} {:.4f} [{:.4f}, {:.4f}] on {} rows; {} of {} gates passed{}", headline, metric["value"].AsDouble(), metric["low"].AsDouble(), metric["high"].AsDouble(),
                        parts.test.rows(), passed, evaluation.gates.size(), champion.name.empty() ? "" : "; compared with " + champion.name));
  if (!evaluation.passed) return Fail(Code::kFailedCheck, "a gate failed: " + failed, "see " + c.project.evaluate.report + ": the model isn't registered");
  return {};
}

}  // namespace rondo::steps
