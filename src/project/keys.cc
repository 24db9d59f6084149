#include "project/keys.h"

namespace rondo::project {

using enum ValueKind;

const Key* Section::Find(std::string_view key) const {
  for (const Key& k : keys)
    if (k.name == key) return &k;
  return nullptr;
}

const Section& CostKeys() {
  static const Section s = {"cost", {{"false_positive", kNumber, "cost of a false alarm"}, {"false_negative", kNumber, "cost of a missed positive"}}};
  return s;
}

const Section& ProblemKeys() {
  static const Section s = {
      "problem",
      {{"task", kEnum, "what is predicted", "binary|multiclass|regression"},
       {"target", kText, "the column to predict"},
       {"positive", kText, "binary: the target's value that counts as positive"},
       {"key", kText, "the column that identifies a row; never a feature"},
       {"data", kText, "which dataset trains; needed when there are several"},
       {"time", kText, "the column that says when a row was true"},
       {"sensitive", kCustom, "columns whose groups are always sliced and reported", {}, nullptr,
        R"({"type":"array","items":{"anyOf":[{"type":"string"},{"type":"object","additionalProperties":{"type":"array","items":{"type":"number"}}}]}})"},
       {"weight", kText, "column of row weights"},
       {"owner", kText, "who answers for the model"},
       {"risk", kEnum, "which governance fields are required", "minimal|limited|high"},
       {"intended_use", kText, "for the model card"},
       {"out_of_scope", kText, "for the model card"},
       {"limitations", kText, "for the model card"},
       {"cost", kSection, "costs of the two errors; picks the decision threshold", {}, &CostKeys()},
       {"threshold", kShare, "fixes the decision threshold"},
       {"confidence", kShare, "judge gates on this confidence bound"},
       {"success", kGates, "the gates: read by evaluate, approval, rollout and retrain"}}};
  return s;
}

const Section& FreshnessKeys() {
  static const Section s = {"freshness", {{"column", kText, "column of dates"}, {"max_age", kDuration, "the newest row may be this old"}}};
  return s;
}
const Section& ContractDriftKeys() {
  static const Section s = {"contract_drift",
                            {{"against", kEnum, "the baseline", "last"},
                             {"psi", kCustom, "limit, like \"<= 0.25\"", {}, nullptr, R"({"type":["string","number"]})"}}};
  return s;
}
const Section& ColumnRuleKeys() {
  static const Section s = {"column",
                            {{"type", kEnum, "type of the column", "int|float|bool|string|category|date|datetime"},
                             {"min", kText, "smallest allowed value"},
                             {"max", kText, "largest allowed value"},
                             {"in", kTexts, "allowed values"},
                             {"matches", kText, "regular expression (RE2) that every value matches"},
                             {"nulls", kCustom, "allowed missing values: none, or a share like \"<= 1%\"", {}, nullptr, R"({"type":["string","number"]})"},
                             {"unique", kBool, "no value twice"},
                             {"warn", kBool, "report, but don't block"}}};
  return s;
}
const Section& ContractKeys() {
  static const Section s = {"contract",
                            {{"min_rows", kInt, "at least this many rows"},
                             {"max_rows", kInt, "at most this many rows"},
                             {"key", kText, "unique and never null; problem.key by default"},
                             {"freshness", kSection, "how old the newest row may be", {}, &FreshnessKeys()},
                             {"columns", kNamed, "rules by column", {}, &ColumnRuleKeys()},
                             {"extra_columns", kEnum, "columns that are neither listed nor in the last accepted version", "allow|warn|forbid"},
                             {"drift", kSection, "distance from the last accepted version", {}, &ContractDriftKeys()}}};
  return s;
}
const Section& PersonalKeys() {
  static const Section s = {"personal", {{"bucket", kNumber, "width of the buckets that numbers are rounded down to"}}};
  return s;
}
const Section& DatasetKeys() {
  static const Section s = {"dataset",
                            {{"from", kText, "file, folder or glob"},
                             {"format", kEnum, "auto by name", "auto|csv|parquet|json|ndjson"},
                             {"delimiter", kText, "csv: between fields"},
                             {"encoding", kText, "csv: utf-8, latin-1, utf-16"},
                             {"decimal", kText, "csv: decimal separator"},
                             {"nulls", kTexts, "texts that mean missing; only the empty field by default"},
                             {"sql", kText, "a dataset made from others"},
                             {"query", kText, "database sources: the query", {}, nullptr, {}, "read a file, or export the query's result to one"},
                             {"table", kText, "database sources: the table", {}, nullptr, {}, "read a file, or export the table to one"},
                             {"contract", kSection, "checks that the data must pass", {}, &ContractKeys()},
                             {"personal", kCustom, "what happens to personal columns: drop, pseudonymise, {bucket: width}", {}, nullptr,
                              R"({"type":"object","additionalProperties":{"anyOf":[{"enum":["drop","pseudonymise"]},{"type":"object","properties":{"bucket":{"type":"number"}}}]}})"},
                             {"retention", kDuration, "how long versions are kept"},
                             {"license", kText, "licence of the data"}}};
  return s;
}

const Section& SplitKeys() {
  static const Section s = {"split",
                            {{"test", kShare, "share of the test part"},
                             {"validation", kShare, "share of the validation part"},
                             {"by", kCustom, "key, random, time, or group:COLUMN", {}, nullptr, R"({"type":"string","pattern":"^(key|random|time|group:.+)$"})"},
                             {"seed", kInt, "derived from the project's seed by default"}}};
  return s;
}

const Section& NumericKeys() {
  static const Section s = {"numeric",
                            {{"impute", kText, "median, mean, zero, none, or a number"}, {"scale", kEnum, "scaling", "none|standard|minmax|robust"}}};
  return s;
}
const Section& CategoricalKeys() {
  static const Section s = {"categorical",
                            {{"encode", kEnum, "encoding", "onehot|ordinal"},
                             {"rare", kShare, "levels below this share become one"},
                             {"unknown", kEnum, "levels that training had not", "ignore|rare"}}};
  return s;
}
const Section& ColumnFeatureKeys() {
  static const Section s = {"column_feature",
                            {{"impute", kText, "median, mean, zero, none, or a number"},
                             {"scale", kEnum, "scaling", "none|standard|minmax|robust"},
                             {"encode", kEnum, "encoding", "onehot|ordinal"},
                             {"type", kEnum, "treat the column as", "int|float|bool|string|category|date|datetime"},
                             {"bins", kNumbers, "edges of bins"},
                             {"date", kTexts, "parts of a date: year month day weekday hour days_since"},
                             {"text", kEnum, "words to numbers", "tfidf"},
                             {"max_terms", kInt, "text: at most this many terms"}}};
  return s;
}
const Section& FeaturesKeys() {
  static const Section s = {"features",
                            {{"drop", kTexts, "columns that are no features"},
                             {"numeric", kSection, "defaults of numeric columns", {}, &NumericKeys()},
                             {"categorical", kSection, "defaults of categorical columns", {}, &CategoricalKeys()},
                             {"columns", kNamed, "overrides by column", {}, &ColumnFeatureKeys()},
                             {"derive", kCustom, "new columns by arithmetic", {}, nullptr, R"({"type":"object","additionalProperties":{"type":"string"}})"}}};
  return s;
}

const Section& TrainKeys() {
  static const Section s = {"train",
                            {{"algorithm", kText, "xgboost, lightgbm, logistic, linear, dummy"},
                             {"params", kFree, "the algorithm's own"},
                             {"tune", kFree, "hyperparameter search", {}, nullptr, {}, "set the values in train.params"},
                             {"target", kEnum, "transform of a skewed regression target", "log1p"},
                             {"seed", kInt, "derived from the project's seed by default"}}};
  return s;
}
const Section& EvaluateKeys() {
  static const Section s = {"evaluate",
                            {{"slices", kTexts, "columns to slice by"}, {"explain", kBool, "permutation importance"}, {"report", kText, "path of the report"}}};
  return s;
}

const Section& HoldKeys() {
  static const Section s = {"hold", {{"requests", kInt, "at least this many requests a step"}, {"time", kDuration, "at least this long a step"}}};
  return s;
}
const Section& DeployKeys() {
  static const Section s = {"deploy",
                            {{"endpoint", kName, "name of the endpoint and the registered model"},
                             {"rollout", kEnum, "how traffic moves", "all-at-once|blue-green|canary|shadow|ab"},
                             {"steps", kCustom, "rising shares of traffic", {}, nullptr, R"({"type":"array","items":{"type":["string","number"]}})"},
                             {"hold", kSection, "how long a step lasts", {}, &HoldKeys()},
                             {"guard", kGates, "gates on live traffic"}}};
  return s;
}
const Section& PredictKeys() {
  static const Section s = {"predict",
                            {{"data", kText, "dataset to score"},
                             {"model", kText, "name@alias or name/version"},
                             {"out", kText, "where the scores go; {date} is today"},
                             {"cron", kCron, "when"}}};
  return s;
}

const Section& LabelsKeys() {
  static const Section s = {"labels", {{"from", kEnum, "where labels come from", "/labels"}, {"delay", kDuration, "how late labels come"}}};
  return s;
}
const Section& DriftAlarmKeys() {
  static const Section s = {"drift_alarm",
                            {{"effect", kCustom, "material change, like: psi >= 0.2", {}, nullptr, R"({"type":"string"})"},
                             {"q", kShare, "false discovery rate across columns"},
                             {"share", kShare, "the dataset drifts when this share of columns does"}}};
  return s;
}
const Section& AlarmKeys() {
  static const Section s = {"alarm",
                            {{"drift", kSection, "when data drift", {}, &DriftAlarmKeys()},
                             {"performance", kGate, "fires when true, like: auc < 0.80"},
                             {"silence", kDuration, "the same alarm not again for this long"}}};
  return s;
}
const Section& MonitorKeys() {
  static const Section s = {"monitor",
                            {{"enabled", kBool, "watch the endpoint"},
                             {"window", kCustom, "\"1000 rows\", or a time like 1h", {}, nullptr, R"({"type":"string"})"},
                             {"reference", kEnum, "what live data are compared with", "training"},
                             {"season", kEnum, "compare with the same phase", "week|day|year"},
                             {"labels", kSection, "ground truth", {}, &LabelsKeys()},
                             {"alarm", kSection, "when to raise an alarm", {}, &AlarmKeys()},
                             {"notify", kCustom, "who is told: webhook, command", {}, nullptr,
                              R"({"type":"array","items":{"type":"object","properties":{"webhook":{"type":"string"},"command":{"type":"string"}},"additionalProperties":false}})"}}};
  return s;
}

const Section& RetrainKeys() {
  static const Section s = {"retrain",
                            {{"when", kCustom, "drift, performance, data, {labels: N}, {cron: ...}", {}, nullptr,
                              R"({"type":"array","items":{"anyOf":[{"enum":["drift","performance","data"]},{"type":"object","properties":{"labels":{"type":"integer"},"cron":{"type":"string"}},"additionalProperties":false}]}})"},
                             {"cooldown", kDuration, "at least this long between runs"},
                             {"max", kCustom, "limit, like: 3 per week", {}, nullptr, R"({"type":"string"})"},
                             {"window", kCustom, "all, or: last 90d", {}, nullptr, R"({"type":"string"})"},
                             {"feedback", kEnum, "labelled predictions join the training data", "append|ignore"},
                             {"promote", kEnum, "who decides", "auto|approval"}}};
  return s;
}
const Section& TriggerKeys() {
  static const Section s = {"trigger",
                            {{"cron", kCron, "when"},
                             {"tz", kText, "time zone of cron, like Europe/Berlin"},
                             {"catch_up", kEnum, "firings that were missed", "none|last|all"},
                             {"data", kText, "run when this dataset's source changes"},
                             {"files", kText, "run when a file that this path or glob names comes or changes"},
                             {"quiet", kDuration, "data, files: wait until they have been unchanged this long"},
                             {"cooldown", kDuration, "at least this long between its runs"},
                             {"max", kCustom, "limit, like: 3 per week", {}, nullptr, R"({"type":"string"})"},
                             {"concurrency", kEnum, "while its run is going on: wait, leave the new one out, or stop the old one", "queue|skip|cancel"},
                             {"webhook", kText, "run when called with this secret"},
                             {"run", kTexts, "stages to run; all by default"}}};
  return s;
}

const Section& ApprovalKeys() {
  static const Section s = {"approval",
                            {{"roles", kTexts, "who may approve"}, {"count", kInt, "how many"}, {"not_author", kBool, "not the person who trained it"}}};
  return s;
}
const Section& GovernKeys() {
  static const Section s = {"govern",
                            {{"approvals", kNamed, "by alias", {}, &ApprovalKeys()}, {"sign", kBool, "sign versions", {}, nullptr, {}, "leave it out: the audit log binds versions to their SHA-256"}}};
  return s;
}

const Section& RetryKeys() {
  static const Section s = {"retry", {{"attempts", kInt, "how often in all"},
                             {"backoff", kDuration, "wait before the second try; doubles, with jitter"},
                             {"max_backoff", kDuration, "the longest wait"},
                             {"when", kTexts, "failures worth another try: timeout, signal, an exit code; any by default"}}};
  return s;
}
const Section& ResourcesKeys() {
  static const Section s = {"resources",
                            {{"cpu", kInt, "cores it needs"}, {"memory", kBytes, "memory it needs"}, {"gpu", kInt, "graphics processors; their numbers come in CUDA_VISIBLE_DEVICES"}}};
  return s;
}
const Section& StageKeys() {
  static const Section s = {"stage",
                            {{"cmd", kCustom, "the command line, run by sh", {}, nullptr, R"({"anyOf":[{"type":"string"},{"type":"array","items":{"type":"string"}}]})"},
                             {"desc", kText, "what it is for"},
                             {"wdir", kText, "folder to run in"},
                             {"deps", kTexts, "files and folders it reads"},
                             {"params", kCustom, "keys of the config, or {file: [keys]}", {}, nullptr, R"({"type":"array"})"},
                             {"outs", kCustom, "files and folders it writes", {}, nullptr, R"({"type":"array"})"},
                             {"metrics", kCustom, "metrics files it writes, not cached", {}, nullptr, R"({"type":"array"})"},
                             {"plots", kCustom, "plots it writes", {}, nullptr, R"({"type":"array"})"},
                             {"always_changed", kBool, "run every time"},
                             {"frozen", kBool, "never run"},
                             {"meta", kFree, "for other programs"},
                             {"vars", kCustom, "values for ${...}: maps and files", {}, nullptr, R"({"type":"array"})"},
                             {"foreach", kCustom, "one stage per item of a list or map; the stage stands in do", {}, nullptr, "{}"},
                             {"do", kFree, "the stage of foreach: ${item}, ${key}"},
                             {"matrix", kFree, "one stage per combination of the axes: ${item.axis}"},
                             {"map", kCustom, "one stage per item of a list, a glob, or a file that another stage makes", {}, nullptr, "{}"},
                             {"env", kCustom, "environment variables that matter: names, or names and values", {}, nullptr, "{}"},
                             {"when", kTexts, "conditions on params and files; all must hold"},
                             {"runs", kEnum, "after the other stages when one failed, or in any case", "success|failure|always"},
                             {"cache", kEnum, "use of the run cache", "read-write|read|write|off"},
                             {"pool", kText, "one of pools: at most that many at once"},
                             {"retry", kSection, "try again", {}, &RetryKeys()},
                             {"timeout", kDuration, "killed after this long"},
                             {"resources", kSection, "what it needs", {}, &ResourcesKeys()}}};
  return s;
}

const Section& ProjectKeys() {
  static const Section s = {
      "project",
      {{"project", kName, "name of the project"},
       {"description", kText, "what it is for"},
       {"seed", kInt, "the one seed: split, training and sampling derive theirs from it"},
       {"server", kText, "a team server", {}, nullptr, {}, "run on the server's own folder with --data DIR"},
       {"problem", kSection, "what success means", {}, &ProblemKeys()},
       {"data", kNamed, "datasets", {}, &DatasetKeys()},
       {"split", kSection, "train, validation, test", {}, &SplitKeys()},
       {"features", kSection, "preparation, fitted on the training part", {}, &FeaturesKeys()},
       {"train", kSection, "the model", {}, &TrainKeys()},
       {"evaluate", kSection, "the verdict", {}, &EvaluateKeys()},
       {"deploy", kSection, "the endpoint", {}, &DeployKeys()},
       {"predict", kNamed, "batch scoring", {}, &PredictKeys()},
       {"monitor", kSection, "watching the endpoint", {}, &MonitorKeys()},
       {"retrain", kSection, "closing the loop", {}, &RetrainKeys()},
       {"triggers", kNamed, "runs without a person", {}, &TriggerKeys()},
       {"govern", kSection, "approvals", {}, &GovernKeys()},
       {"vars", kCustom, "values for ${...} in stages: maps and files", {}, nullptr, R"({"type":"array"})"},
       {"pools", kCustom, "how many stages of a pool may run at once", {}, nullptr, R"({"type":"object","additionalProperties":{"type":"integer","minimum":1}})"},
       {"stages", kNamed, "your own code, in DVC's grammar", {}, &StageKeys()}}};
  return s;
}

}  // namespace rondo::project
