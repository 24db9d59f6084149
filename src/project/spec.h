/// `rondo.yaml` as plain structs: every key that this release understands, with its default. The reader (project/reader.h)
/// fills them; other modules take their section from here. Described, so the resolved config is stored and compared as JSON.
/// Keys that the grammar has but this release lacks are errors of the reader, never silently ignored.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace rondo::project {

enum class Task { binary, multiclass, regression };
BOOST_DESCRIBE_ENUM(Task, binary, multiclass, regression)

/// `[warn:] METRIC[[COLUMN(=VALUE)]] OP (NUMBER[%] | FACTOR * champion | champion ± NUMBER)`; for multiclass `metric[class]` names one class.
struct Gate {
  std::string text;      ///< as written, without "warn:"
  bool warn = false;     ///< reported, never blocks
  std::string metric;    ///< "auc", "demographic_parity_ratio", "latency_p99_ms", "score_psi", "error_rate"
  std::string column;    ///< inside the brackets: a column, or (multiclass) a class; empty when there are none
  std::string value;     ///< after '=' inside the brackets; empty when there is none
  std::string op;        ///< ">=", ">", "<=", "<", "=="
  double limit = 0;      ///< the number (70% is 0.7)
  bool champion = false; ///< limit is relative: factor * champion + limit
  double factor = 1;
};
BOOST_DESCRIBE_STRUCT(Gate, (), (text, warn, metric, column, value, op, limit, champion, factor))

struct Sensitive {
  std::string column;
  std::vector<double> edges;  ///< for numeric columns: the bins' edges; empty: quartiles when there are more than 10 values
};
BOOST_DESCRIBE_STRUCT(Sensitive, (), (column, edges))

struct Cost {
  double false_positive = 1;
  double false_negative = 1;
};
BOOST_DESCRIBE_STRUCT(Cost, (), (false_positive, false_negative))

struct Problem {
  Task task = Task::binary;
  std::string target;
  std::string positive;  ///< binary only; required there
  std::string key;       ///< empty: a row is its content's hash plus its occurrence number
  std::string data;      ///< the dataset that trains; filled with the only one when absent
  std::string time;
  std::vector<Sensitive> sensitive;
  std::string weight;
  std::string owner, risk, intended_use, out_of_scope, limitations;
  std::optional<Cost> cost;
  std::optional<double> threshold;
  std::optional<double> confidence;  ///< 0.95: gates are judged on the confidence bound
  std::vector<Gate> success;
};
BOOST_DESCRIBE_STRUCT(Problem, (), (task, target, positive, key, data, time, sensitive, weight, owner, risk, intended_use, out_of_scope, limitations, cost, threshold, confidence, success))

/// One column of a contract. Absent parts are not checked.
struct ColumnRule {
  std::string name;
  std::string type;                      ///< int float bool string category date datetime; empty: inferred
  std::optional<std::string> min, max;   ///< as written: numbers or dates
  std::vector<std::string> in_;          ///< allowed values, as text
  std::string matches;                   ///< RE2 regular expression, anchored as written
  std::optional<double> max_null_share;  ///< 0.01 for "<= 1%"; 0 for `nulls: none`
  bool unique = false;
  bool warn = false;
};
BOOST_DESCRIBE_STRUCT(ColumnRule, (), (name, type, min, max, in_, matches, max_null_share, unique, warn))

struct Freshness {
  std::string column;
  int64_t max_age_ms = 0;
};
BOOST_DESCRIBE_STRUCT(Freshness, (), (column, max_age_ms))

enum class ExtraColumns { allow, warn, forbid };
BOOST_DESCRIBE_ENUM(ExtraColumns, allow, warn, forbid)

struct Contract {
  std::optional<int64_t> min_rows, max_rows;
  std::string key;  ///< problem.key by default
  std::optional<Freshness> freshness;
  std::vector<ColumnRule> columns;
  ExtraColumns extra_columns = ExtraColumns::warn;
  std::optional<double> max_psi;  ///< `drift: {against: last, psi: "<= 0.25"}`
};
BOOST_DESCRIBE_STRUCT(Contract, (), (min_rows, max_rows, key, freshness, columns, extra_columns, max_psi))

struct Personal {
  std::string column;
  std::string action;  ///< drop | pseudonymise | bucket
  double bucket = 0;   ///< width, for action bucket
};
BOOST_DESCRIBE_STRUCT(Personal, (), (column, action, bucket))

struct Dataset {
  std::string name;
  std::string from;            ///< path, folder or glob, relative to the project; empty when `sql` is set
  std::string format = "auto"; ///< auto | csv | parquet | json | ndjson
  std::string delimiter, encoding, decimal;
  std::vector<std::string> nulls = {""};
  std::string sql;             ///< a dataset made from others
  std::string query, table;    ///< for database sources
  Contract contract;
  std::vector<Personal> personal;
  std::string retention, license;
};
BOOST_DESCRIBE_STRUCT(Dataset, (), (name, from, format, delimiter, encoding, decimal, nulls, sql, query, table, contract, personal, retention, license))

struct Split {
  double test = 0.2;
  double validation = 0.2;
  std::string by = "key";  ///< key | random | time | group
  std::string group;       ///< the column, for by group
  std::optional<uint64_t> seed;
};
BOOST_DESCRIBE_STRUCT(Split, (), (test, validation, by, group, seed))

struct NumericFeatures {
  std::string impute = "median";  ///< median | mean | zero | none | a number
  std::string scale = "none";     ///< none | standard | minmax | robust
};
BOOST_DESCRIBE_STRUCT(NumericFeatures, (), (impute, scale))

struct CategoricalFeatures {
  std::string encode = "onehot";   ///< onehot | ordinal
  double rare = 0.01;              ///< levels below this share become one level "rare"
  std::string unknown = "ignore";  ///< ignore (all zeros / -1) | rare
};
BOOST_DESCRIBE_STRUCT(CategoricalFeatures, (), (encode, rare, unknown))

/// Overrides for one column; empty parts fall back to the defaults of its kind.
struct ColumnFeature {
  std::string column;
  std::string impute, scale, encode, type;
  std::vector<double> bins;
  std::vector<std::string> date;  ///< year month day weekday hour days_since
  std::string text;               ///< tfidf
  int64_t max_terms = 5000;
};
BOOST_DESCRIBE_STRUCT(ColumnFeature, (), (column, impute, scale, encode, type, bins, date, text, max_terms))

struct Features {
  std::vector<std::string> drop;
  NumericFeatures numeric;
  CategoricalFeatures categorical;
  std::vector<ColumnFeature> columns;
  std::vector<std::pair<std::string, std::string>> derive;  ///< new column -> expression over columns: + - * / ( ) min max abs log log1p exp sqrt
};
BOOST_DESCRIBE_STRUCT(Features, (), (drop, numeric, categorical, columns, derive))

struct Train {
  std::string algorithm = "xgboost";
  Json params = Json::MakeObject();  ///< the algorithm's; checked against its table by the learner
  std::string target;                ///< "" | log1p
  std::optional<uint64_t> seed;
};
BOOST_DESCRIBE_STRUCT(Train, (), (algorithm, params, target, seed))

struct Evaluate {
  std::vector<std::string> slices;
  bool explain = true;
  std::string report = "out/report.html";
};
BOOST_DESCRIBE_STRUCT(Evaluate, (), (slices, explain, report))

struct Hold {
  int64_t requests = 0;
  int64_t time_ms = 0;
};
BOOST_DESCRIBE_STRUCT(Hold, (), (requests, time_ms))

struct Deploy {
  std::string endpoint;
  std::string rollout = "all-at-once";  ///< all-at-once | blue-green | canary | shadow | ab
  std::vector<double> steps;            ///< shares of traffic for the new version, rising, last 1 (canary); ab: the one share
  Hold hold;
  std::vector<Gate> guard;
};
BOOST_DESCRIBE_STRUCT(Deploy, (), (endpoint, rollout, steps, hold, guard))

struct Predict {
  std::string name, data, model, out, cron;
};
BOOST_DESCRIBE_STRUCT(Predict, (), (name, data, model, out, cron))

struct DriftAlarm {
  std::string statistic = "psi";  ///< the effect measure: psi
  double effect = 0.2;            ///< material when the statistic is at least this
  double q = 0.05;                ///< false discovery rate across columns (Benjamini-Hochberg)
  double share = 0.2;             ///< dataset drift: at least this share of columns
};
BOOST_DESCRIBE_STRUCT(DriftAlarm, (), (statistic, effect, q, share))

struct Notify {
  std::string kind;    ///< webhook | command | email
  std::string target;  ///< may hold a secret reference
};
BOOST_DESCRIBE_STRUCT(Notify, (), (kind, target))

struct Monitor {
  bool enabled = true;
  int64_t window_rows = 1000;   ///< 0 when windows go by time
  int64_t window_ms = 0;
  std::string reference = "training";
  std::string season;           ///< "" | week | day | year
  int64_t label_delay_ms = 30ll * 86'400'000;
  DriftAlarm drift;
  std::optional<Gate> performance;  ///< fires when true: `auc < 0.80`
  int64_t silence_ms = 6ll * 3'600'000;
  std::vector<Notify> notify;
};
BOOST_DESCRIBE_STRUCT(Monitor, (), (enabled, window_rows, window_ms, reference, season, label_delay_ms, drift, performance, silence_ms, notify))

struct Retrain {
  bool enabled = false;
  bool on_drift = false, on_performance = false, on_data = false;
  int64_t on_labels = 0;      ///< that many new labels; 0: never
  std::string cron;
  int64_t cooldown_ms = 12ll * 3'600'000;
  int64_t max_runs = 3;
  int64_t max_per_ms = 7ll * 86'400'000;
  std::string window = "all";  ///< all | "last 90d"
  std::string feedback = "ignore";  ///< append | ignore
  std::string promote = "auto";     ///< auto | approval
};
BOOST_DESCRIBE_STRUCT(Retrain, (), (enabled, on_drift, on_performance, on_data, on_labels, cron, cooldown_ms, max_runs, max_per_ms, window, feedback, promote))

struct Trigger {
  std::string name;
  std::string cron, tz = "UTC", catch_up = "none";
  std::string data;
  std::string files;             ///< path or glob that is watched: a file that comes or changes
  int64_t quiet_ms = 0;
  std::string webhook;           ///< secret reference
  std::vector<std::string> run;  ///< stages; empty: all
  int64_t cooldown_ms = 0;       ///< since its last accepted event
  int64_t max_runs = 0, max_per_ms = 0;
  std::string concurrency = "queue";  ///< while its run is going on: queue | skip | cancel (the one that runs)
};
BOOST_DESCRIBE_STRUCT(Trigger, (), (name, cron, tz, catch_up, data, files, quiet_ms, webhook, run, cooldown_ms, max_runs, max_per_ms, concurrency))

struct Approval {
  std::string alias;
  std::vector<std::string> roles;
  int64_t count = 1;
  bool not_author = true;
};
BOOST_DESCRIBE_STRUCT(Approval, (), (alias, roles, count, not_author))

struct Govern {
  std::vector<Approval> approvals;
  bool sign = false;
};
BOOST_DESCRIBE_STRUCT(Govern, (), (approvals, sign))

struct Retry {
  int64_t attempts = 1;
  int64_t backoff_ms = 1000;              ///< before the second try; doubles, with jitter
  int64_t max_backoff_ms = 60'000;
  std::vector<std::string> when;          ///< classes of failure worth another try: timeout, signal, an exit code; empty: any
};
BOOST_DESCRIBE_STRUCT(Retry, (), (attempts, backoff_ms, max_backoff_ms, when))

/// A plot's display: DVC's keys.
struct Plot {
  std::string path;
  Json options = Json::MakeObject();      ///< x, y, x_label, y_label, title, template, header
};
BOOST_DESCRIBE_STRUCT(Plot, (), (path, options))

/// A stage in DVC's grammar, plus what an engine needs. `foreach`, `matrix` and `map` are expanded by the reader: one Stage per item.
struct Stage {
  std::string name;
  std::string cmd;
  std::string desc;
  std::string wdir;
  std::vector<std::string> deps;
  std::vector<std::string> params;        ///< "key" of rondo.yaml/params.yaml, or "file:key"
  std::vector<std::string> outs;
  std::vector<std::string> metrics;       ///< outs that are metrics files, not cached
  std::vector<std::string> persist;       ///< outs that stay when the stage runs again
  std::vector<std::string> metric_files;  ///< all that stood under `metrics:`
  std::vector<Plot> plots;
  bool always_changed = false;
  bool frozen = false;
  std::vector<std::pair<std::string, std::string>> env;  ///< name, value (may be a secret reference); value "\x01": taken from the caller's environment
  std::vector<std::string> when;          ///< conditions on params and files; all must hold
  std::string runs = "success";           ///< success | failure | always: after the others, when one failed / in any case
  std::string cache = "read-write";       ///< read-write | read | write | off: the run cache
  Retry retry;
  int64_t timeout_ms = 0;                 ///< 0: none
  int64_t cpu = 1;
  int64_t memory_bytes = 0;
  int64_t gpu = 0;
  std::string pool;                       ///< one of `pools:`
  std::string group;                      ///< the stage of the file that this one was expanded from
  std::string map_source;                 ///< file or glob that the items come from: they wait for who makes it
};
BOOST_DESCRIBE_STRUCT(Stage, (), (name, cmd, desc, wdir, deps, params, outs, metrics, persist, metric_files, plots, always_changed, frozen, env, when, runs, cache, retry, timeout_ms, cpu, memory_bytes, gpu, pool, group, map_source))

struct Pool {
  std::string name;
  int64_t slots = 1;
};
BOOST_DESCRIBE_STRUCT(Pool, (), (name, slots))

/// Top-level `artifacts:` of dvc.yaml and such: kept for those who ask.
struct DvcExtras {
  std::vector<std::string> params, metrics;
  std::vector<Plot> plots;
  Json artifacts = Json::MakeObject();
};
BOOST_DESCRIBE_STRUCT(DvcExtras, (), (params, metrics, plots, artifacts))

struct Project {
  std::string name;
  std::string description;
  uint64_t seed = 0;
  std::optional<Problem> problem;  ///< absent: a project of `stages:` only
  std::vector<Dataset> data;       ///< in the file's order
  Split split;
  Features features;
  Train train;
  Evaluate evaluate;
  std::optional<Deploy> deploy;
  std::vector<Predict> predict;
  Monitor monitor;
  Retrain retrain;
  std::vector<Trigger> triggers;
  Govern govern;
  std::vector<Stage> stages;       ///< the user's own; a built-in name replaces the built-in stage
  std::vector<Pool> pools;
  std::vector<std::string> map_sources;  ///< files and globs that items of `map` come from
  DvcExtras dvc;

  const Dataset* FindDataset(std::string_view dataset) const {
    for (const Dataset& d : data)
      if (d.name == dataset) return &d;
    return nullptr;
  }
  /// Seeds of the parts: explicit, or derived from `seed` (base/random.h).
  uint64_t SplitSeed() const;
  uint64_t TrainSeed() const;
};
BOOST_DESCRIBE_STRUCT(Project, (), (name, description, seed, problem, data, split, features, train, evaluate, deploy, predict, monitor, retrain, triggers, govern, stages, pools, map_sources, dvc))

}  // namespace rondo::project
