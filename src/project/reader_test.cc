#include "project/reader.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "base/json_map.h"
#include "project/keys.h"
#include "project/sections.h"

namespace rondo::project {
namespace {

constexpr const char* kSmallest = R"(project: churn
problem: {task: binary, target: churn, positive: "Yes", success: [auc >= 0.83]}
data: {customers: {from: data/telco_churn.csv}}
deploy: {endpoint: churn}
)";

// The example of the guide, without what this release refuses.
constexpr const char* kEverything = R"(project: churn
description: Find customers who are about to leave, early enough to keep them.
seed: 7
problem:
  task: binary
  target: churn
  positive: yes
  key: customer_id
  data: customers
  time: signup
  sensitive: [female, {age: [30, 50]}]
  weight: null
  owner: growth@example.org
  risk: limited
  intended_use: keep customers
  cost: {false_positive: 5, false_negative: 60}
  confidence: 95%
  success:
    - auc >= 0.83
    - auc >= champion - 0.005
    - demographic_parity_ratio[female] >= 0.80
    - recall[contract=Two year] >= 40%
    - warn: brier <= 0.15
    - latency_p99_ms <= 5
data:
  customers:
    from: data/telco_churn.csv
    format: csv
    nulls: ["", "?"]
    contract:
      min_rows: 1000
      freshness: {column: updated_at, max_age: 2d}
      columns:
        tenure:       {type: int, min: 0, max: 120}
        contract:     {in: [no, yes, 01, 2024-01-01, 12:30, null]}
        total_charges: {type: float, nulls: "<= 1%"}
        email:        {matches: '^[^@]+@[^@]+$', unique: true}
        customer_id:  {nulls: none}
      extra_columns: forbid
      drift: {against: last, psi: "<= 0.25"}
    personal: {customer_id: pseudonymise, email: drop, age: {bucket: 10}}
    retention: 2y
    license: internal
  churners:
    sql: SELECT * FROM customers WHERE tenure > 0
split: {test: 20%, validation: 0.1, by: group:region}
features:
  drop: [female]
  numeric:     {impute: 0, scale: standard}
  categorical: {encode: onehot, rare: 1%, unknown: ignore}
  columns:
    tenure: {bins: [0, 12, 24, 48]}
    signup: {date: [month, weekday, days_since]}
    notes:  {text: tfidf, max_terms: 500}
  derive:
    charge_per_month: total_charges / max(tenure, 1)
train:
  algorithm: xgboost
  params: {max_depth: 4, learning_rate: 0.1, tree_method: hist, flag: true}
  target: null
evaluate: {slices: [contract], explain: false, report: out/r.html}
deploy:
  endpoint: churn
  rollout: canary
  steps: [5%, 25%, 100%]
  hold: {requests: 500, time: 10m}
  guard: [error_rate <= 1%, latency_p99_ms <= 1.5 * champion, score_psi <= 0.25]
predict:
  nightly: {data: customers, model: churn@champion, out: "scores/{date}.parquet", cron: "0 4 * * *"}
monitor:
  window: 1h
  season: week
  labels: {from: /labels, delay: 30d}
  alarm: {drift: {effect: psi >= 0.3, q: 0.01, share: 20%}, performance: auc < 0.80, silence: 6h}
  notify: [webhook: https://example.org/hook, command: ./page.sh]
retrain:
  when: [drift, performance, {labels: 1000}, {cron: "0 3 * * 1"}, data]
  cooldown: 12h
  max: 3 per week
  feedback: append
  promote: approval
triggers:
  nightly: {cron: "0 3 * * *", tz: Europe/Berlin, catch_up: last, run: [ingest]}
  fresh:   {data: customers, quiet: 15m}
  hook:    {webhook: "${env:HOOK_SECRET}"}
govern:
  approvals: {champion: {roles: [risk], count: 2, not_author: true}}
stages:
  train:
    cmd: python train.py
    deps: [train.py]
    params: [train, "other.yaml:a.b"]
    outs: [model.onnx, {big.bin: {cache: false}}]
    metrics: [m.json]
    retry: {attempts: 3, backoff: 10s}
    timeout: 2h
    resources: {cpu: 2, memory: 4GiB, gpu: 0}
)";

TEST(Reader, TheSmallestProjectHasCarefulDefaults) {
  auto p = ParseProject(kSmallest);
  ASSERT_TRUE(p) << p.error().Text();
  EXPECT_EQ(p->problem->data, "customers");
  EXPECT_EQ(p->split.by, "key");
  EXPECT_EQ(p->train.algorithm, "xgboost");
  EXPECT_EQ(p->deploy->rollout, "all-at-once");
  EXPECT_FALSE(p->retrain.enabled);
  EXPECT_EQ(p->problem->success[0].limit, 0.83);
}

TEST(Reader, EveryKeyArrivesInItsField) {
  auto p = ParseProject(kEverything);
  ASSERT_TRUE(p) << p.error().Text();
  EXPECT_EQ(p->seed, 7u);
  EXPECT_EQ(p->problem->positive, "yes");
  EXPECT_EQ(p->problem->weight, "");
  ASSERT_EQ(p->problem->sensitive.size(), 2u);
  EXPECT_EQ(p->problem->sensitive[1].edges, (std::vector<double>{30, 50}));
  EXPECT_EQ(p->problem->confidence, 0.95);
  ASSERT_EQ(p->problem->success.size(), 6u);
  EXPECT_TRUE(p->problem->success[1].champion);
  EXPECT_DOUBLE_EQ(p->problem->success[1].limit, -0.005);
  EXPECT_EQ(p->problem->success[3].column, "contract");
  EXPECT_EQ(p->problem->success[3].value, "Two year");
  EXPECT_DOUBLE_EQ(p->problem->success[3].limit, 0.4);
  EXPECT_TRUE(p->problem->success[4].warn);
  EXPECT_EQ(p->problem->success[4].text, "brier <= 0.15");
  ASSERT_EQ(p->data.size(), 2u);
  const Contract& contract = p->data[0].contract;
  EXPECT_EQ(contract.key, "customer_id");
  EXPECT_EQ(contract.freshness->max_age_ms, 2 * 86'400'000);
  EXPECT_EQ(contract.columns[1].in_, (std::vector<std::string>{"no", "yes", "01", "2024-01-01", "12:30", "null"}));
  EXPECT_DOUBLE_EQ(*contract.columns[2].max_null_share, 0.01);
  EXPECT_EQ(*contract.columns[4].max_null_share, 0);
  EXPECT_EQ(contract.extra_columns, ExtraColumns::forbid);
  EXPECT_EQ(contract.max_psi, 0.25);
  EXPECT_EQ(p->data[0].personal[2].bucket, 10);
  EXPECT_EQ(p->split.by, "group");
  EXPECT_EQ(p->split.group, "region");
  EXPECT_EQ(p->split.validation, 0.1);
  EXPECT_EQ(p->features.numeric.impute, "0");
  EXPECT_EQ(p->features.columns[2].max_terms, 500);
  EXPECT_EQ(p->features.derive[0].second, "total_charges / max(tenure, 1)");
  EXPECT_EQ(p->train.params.Dump(), R"({"max_depth":4,"learning_rate":0.1,"tree_method":"hist","flag":true})");
  EXPECT_EQ(p->deploy->steps, (std::vector<double>{0.05, 0.25, 1}));
  EXPECT_EQ(p->deploy->guard[1].factor, 1.5);
  EXPECT_EQ(p->deploy->hold.time_ms, 600'000);
  EXPECT_EQ(p->monitor.window_rows, 0);
  EXPECT_EQ(p->monitor.window_ms, 3'600'000);
  EXPECT_EQ(p->monitor.drift.effect, 0.3);
  EXPECT_EQ(p->monitor.performance->op, "<");
  ASSERT_EQ(p->monitor.notify.size(), 2u);
  EXPECT_EQ(p->monitor.notify[1].kind, "command");
  EXPECT_TRUE(p->retrain.on_drift && p->retrain.on_performance && p->retrain.on_data);
  EXPECT_EQ(p->retrain.on_labels, 1000);
  EXPECT_EQ(p->retrain.max_per_ms, 7ll * 86'400'000);
  EXPECT_EQ(p->triggers[0].catch_up, "last");
  EXPECT_EQ(p->govern.approvals[0].count, 2);
  const Stage& stage = p->stages[0];
  EXPECT_EQ(stage.params, (std::vector<std::string>{"train", "other.yaml:a.b"}));
  EXPECT_EQ(stage.outs, (std::vector<std::string>{"model.onnx"}));
  EXPECT_EQ(stage.metrics, (std::vector<std::string>{"big.bin", "m.json"}));
  EXPECT_EQ(stage.memory_bytes, 4ll << 30);
  EXPECT_EQ(stage.retry.backoff_ms, 10'000);
}

TEST(Reader, TheResolvedConfigReadsBackEqual) {
  auto p = ParseProject(kEverything);
  ASSERT_TRUE(p);
  const Json json = ToJson(*p);
  Project again;
  const Status status = FromJson(json, again);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(ToJson(again).Dump(), json.Dump());
}

struct WrongCase {
  const char* name;
  std::string yaml;
  int line;                            ///< 0: no line
  std::vector<const char*> fragments;  ///< of message and hint
};

std::string With(const std::string& extra) { return std::string("project: t\nproblem: {task: binary, target: y, positive: \"1\"}\ndata: {d: {from: d.csv}}\n") + extra; }
std::string Problem(const std::string& rest) { return "project: t\ndata: {d: {from: d.csv}}\nproblem: " + rest + "\n"; }
std::string Gate(const std::string& gate) { return Problem("\n  task: binary\n  target: y\n  positive: a\n  success:\n    - " + gate); }

const std::vector<WrongCase>& WrongCases() {
  static const std::vector<WrongCase> cases = {
      {"empty", "", 0, {"empty", "rondo init"}},
      {"list", "- a\n", 1, {"must be a map"}},
      {"scalar", "hello\n", 1, {"must be a map"}},
      {"no name", "problem: {task: binary, target: y, positive: a}\n", 1, {"project is missing"}},
      {"nothing to do", "project: t\n", 1, {"nothing to do", "rondo init"}},
      {"bad name", "project: a b\n", 1, {"project", "a b", "not a name"}},
      {"unknown key", With("trian: {algorithm: xgboost}\n"), 4, {"unknown key trian", "did you mean train?"}},
      {"unknown nested key", Problem("\n  task: binary\n  targt: y"), 5, {"unknown key problem.targt", "target"}},
      {"unknown key far away", With("zzzzqqq: 1\n"), 4, {"unknown key zzzzqqq", "the keys here are"}},
      {"duplicate key", "project: t\nproject: u\n", 2, {"twice"}},
      {"tab", "project: t\nproblem:\n\ttask: binary\n", 3, {"YAML", "spaces"}},
      {"unclosed brace", "project: t\nproblem: {task: binary\n", 3, {"YAML"}},
      {"alias", "project: t\na: &x [1]\n", 2, {"anchors"}},
      {"merge key", "project: t\ndata: {<<: {a: 1}}\n", 2, {"merge"}},
      {"tag", "project: !!python/object t\n", 1, {"tag"}},
      {"two documents", "project: t\n---\nproject: u\n", 3, {"second document"}},
      {"not UTF-8", "project: \xff\xfe\n", 1, {"UTF-8"}},
      {"control character", std::string("project: t\nseed: \x01\n"), 2, {"control character"}},
      {"task", Problem("{task: clustering, target: y}"), 3, {"problem.task", "clustering", "binary, multiclass, regression"}},
      {"no task", Problem("{target: y}"), 3, {"task is missing"}},
      {"no target", Problem("{task: binary, positive: a}"), 3, {"target is missing"}},
      {"no positive", Problem("{task: binary, target: y}"), 3, {"positive is missing"}},
      {"positive of a regression", Problem("{task: regression, target: y, positive: a}"), 3, {"problem.positive", "binary only"}},
      {"cost and threshold", Problem("{task: binary, target: y, positive: a, cost: {false_positive: 1}, threshold: 0.5}"), 3, {"threshold", "cost"}},
      {"negative cost", Problem("{task: binary, target: y, positive: a, cost: {false_positive: -1}}"), 3, {"problem.cost", "negative"}},
      {"confidence", Problem("{task: binary, target: y, positive: a, confidence: 30%}"), 3, {"confidence", "95%"}},
      {"sensitive target", Problem("{task: binary, target: y, positive: a, sensitive: [y]}"), 3, {"sensitive", "target y"}},
      {"key is target", Problem("{task: binary, target: y, positive: a, key: y}"), 3, {"problem.key", "target"}},
      {"gate without operator", Gate("auc is high"), 8, {"auc is high", "operator"}},
      {"gate without number", Gate("auc >= high"), 8, {"high", "neither a number"}},
      {"gate unknown metric", Gate("acu >= 0.8"), 8, {"acu", "did you mean auc?"}},
      {"gate of another task", Gate("rmse <= 1"), 8, {"rmse", "binary"}},
      {"gate live metric", Gate("error_rate <= 1%"), 7, {"error_rate", "deploy.guard"}},
      {"gate without column", Gate("demographic_parity_ratio >= 0.8"), 8, {"column", "[COLUMN]"}},
      {"gate column not sensitive", Gate("demographic_parity_ratio[sex] >= 0.8"), 7, {"sex", "problem.sensitive"}},
      {"gate slice without value", Gate("recall[contract] >= 0.8"), 8, {"which value of contract"}},
      {"gate brackets in a flow list", Problem("{task: binary, target: y, positive: a, success: [demographic_parity_ratio[female] >= 0.8]}"), 3, {"quotes"}},
      {"gate begins with >", With("monitor:\n  alarm:\n    performance: > 0.8\n"), 6, {">", "quoted"}},
      {"two datasets", "project: t\ndata: {a: {from: a.csv}, b: {from: b.csv}}\nproblem: {task: binary, target: y, positive: a}\n", 3, {"2 datasets", "data: a"}},
      {"unknown dataset", "project: t\ndata: {aaa: {from: a.csv}}\nproblem: {task: binary, target: y, positive: a, data: aab}\n", 3, {"aab", "did you mean aaa?"}},
      {"database source", "project: t\ndata:\n  d:\n    from: postgresql://h/db\n    table: t\n", 4, {"postgresql://", "supported"}},
      {"s3 source", "project: t\ndata: {d: {from: s3://b/k}}\n", 2, {"s3://", "supported"}},
      {"query", "project: t\ndata: {d: {from: a.csv, query: x}}\n", 2, {"data.d.query", "supported"}},
      {"neither from nor sql", "project: t\ndata:\n  d: {format: csv}\n", 3, {"from"}},
      {"both from and sql", "project: t\ndata:\n  d: {from: a.csv, sql: SELECT 1}\n", 3, {"both"}},
      {"dataset name", "project: t\ndata: {../x: {from: a.csv}}\n", 2, {"../x", "dataset"}},
      {"contract type", "project: t\ndata: {d: {from: d.csv, contract: {columns: {age: {type: integer}}}}}\n", 2, {"data.d.contract.columns.age.type", "integer", "int"}},
      {"contract min", "project: t\ndata: {d: {from: d.csv, contract: {columns: {age: {type: int, min: low}}}}}\n", 2, {"min", "low", "number"}},
      {"contract min above max", "project: t\ndata: {d: {from: d.csv, contract: {columns: {age: {min: 9, max: 3}}}}}\n", 2, {"max", "below min"}},
      {"contract nulls", "project: t\ndata: {d: {from: d.csv, contract: {columns: {age: {nulls: few}}}}}\n", 2, {"nulls", "few"}},
      {"contract bool", "project: t\ndata: {d: {from: d.csv, contract: {columns: {age: {unique: yes}}}}}\n", 2, {"unique", "neither true nor false"}},
      {"rows", "project: t\ndata: {d: {from: d.csv, contract: {min_rows: many}}}\n", 2, {"min_rows", "many"}},
      {"negative rows", "project: t\ndata: {d: {from: d.csv, contract: {min_rows: -5}}}\n", 2, {"min_rows", "-5"}},
      {"personal", "project: t\ndata: {d: {from: d.csv, personal: {email: hide}}}\n", 2, {"hide", "pseudonymise"}},
      {"personal target", With("").replace(With("").find("from: d.csv"), 11, "from: d.csv, personal: {y: drop}"), 2, {"problem.target", "dropped"}},
      {"split over 100 %", With("split: {test: 60%, validation: 50%}\n"), 4, {"split", "60%"}},
      {"split kind", With("split: {by: colour}\n"), 4, {"colour", "key"}},
      {"split share", With("split: {test: -10%}\n"), 4, {"split.test", "-10%"}},
      {"split by time", With("split: {by: time}\n"), 4, {"problem.time"}},
      {"impute", With("features: {numeric: {impute: mode}}\n"), 4, {"mode", "median"}},
      {"bins", With("features: {columns: {a: {bins: [3, 1]}}}\n"), 4, {"features.columns.a.bins", "rise"}},
      {"drop target", With("features: {drop: [y]}\n"), 4, {"features.drop", "target"}},
      {"text", With("features: {columns: {a: {text: bert}}}\n"), 4, {"bert", "tfidf"}},
      {"tune", With("train: {tune: {trials: 3}}\n"), 4, {"train.tune", "supported"}},
      {"log1p", With("train: {target: log1p}\n"), 4, {"log1p", "regression"}},
      {"report outside", With("evaluate: {report: ../r.html}\n"), 4, {"../r.html", "inside"}},
      {"rollout", With("deploy: {endpoint: e, rollout: yolo}\n"), 4, {"yolo", "canary"}},
      {"falling steps", With("deploy: {endpoint: e, rollout: canary, steps: [50%, 10%, 100%]}\n"), 4, {"steps", "rise"}},
      {"steps without 100 %", With("deploy: {endpoint: e, rollout: canary, steps: [50%]}\n"), 4, {"steps", "100%"}},
      {"endpoint name", With("deploy: {endpoint: ../etc}\n"), 4, {"../etc"}},
      {"duration", With("deploy: {endpoint: e, hold: {time: soon}}\n"), 4, {"soon", "duration"}},
      {"guard of a slice", With("deploy: {endpoint: e, guard: [\"auc[city=Bern] >= 0.8\"]}\n"), 4, {"auc", "guard"}},
      {"predict dataset", With("predict: {n: {data: x, model: m, out: o}}\n"), 4, {"predict.n.data", "x"}},
      {"window", With("monitor: {window: many}\n"), 4, {"many", "1000 rows"}},
      {"email", With("monitor: {notify: [email: a@b]}\n"), 4, {"email", "supported"}},
      {"retrain without deploy", With("retrain: {when: [drift]}\n"), 4, {"retrain", "deploy"}},
      {"retrain performance", With("deploy: {endpoint: e}\nretrain: {when: [performance]}\n"), 5, {"monitor.alarm.performance"}},
      {"retrain cron", With("deploy: {endpoint: e}\nretrain: {when: [{cron: \"99 * * * *\"}]}\n"), 5, {"99", "minute"}},
      {"retrain max", With("deploy: {endpoint: e}\nretrain: {when: [drift], max: lots}\n"), 5, {"lots", "3 per week"}},
      {"trigger kinds", With("triggers: {a: {cron: \"0 3 * * *\", data: d}}\n"), 4, {"triggers.a", "exactly one"}},
      {"trigger stage", With("triggers: {a: {cron: \"0 3 * * *\", run: [ingst]}}\n"), 4, {"ingst", "did you mean ingest?"}},
      {"trigger cron fields", With("triggers: {a: {cron: \"0 3 * *\"}}\n"), 4, {"4 fields"}},
      {"webhook secret", With("triggers: {a: {webhook: hunter2}}\n"), 4, {"${env:"}},
      {"sign", With("govern: {sign: true}\n"), 4, {"govern.sign", "supported"}},
      {"stage without cmd", With("stages: {a: {outs: [o]}}\n"), 4, {"stages.a", "cmd is missing"}},
      {"out outside", With("stages: {a: {cmd: x, outs: [../../o]}}\n"), 4, {"../../o", "inside"}},
      {"gpu", With("stages: {a: {cmd: x, resources: {gpu: one}}}\n"), 4, {"gpu", "whole number"}},
      {"pool", With("stages: {a: {cmd: x, pool: db}}\n"), 4, {"pool", "db", "pools"}},
      {"template", With("stages: {a: {cmd: \"x ${trian.lr}\"}}\n"), 4, {"${trian.lr}", "\\${"}},
      {"foreach and matrix", With("stages: {a: {foreach: [1], matrix: {x: [1]}, cmd: x}}\n"), 4, {"only one"}},
      {"foreach without do", With("stages: {a: {foreach: [1, 2]}}\n"), 4, {"do"}},
      {"two items of one name", With("stages: {a: {foreach: [1, 1], do: {cmd: x}}}\n"), 4, {"two items"}},
      {"retry class", With("stages: {a: {cmd: x, retry: {attempts: 2, when: [oom]}}}\n"), 4, {"oom", "timeout"}},
      {"env name", With("stages: {a: {cmd: x, env: [1A]}}\n"), 4, {"1A"}},
      {"runs", With("stages: {a: {cmd: x, runs: sometimes}}\n"), 4, {"sometimes", "failure"}},
      {"memory", With("stages: {a: {cmd: x, resources: {memory: much}}}\n"), 4, {"much", "4GiB"}},
  };
  return cases;
}

TEST(Reader, WrongFilesAreNamedByLineAndMessage) {
  for (const WrongCase& c : WrongCases()) {
    auto p = ParseProject(c.yaml);
    ASSERT_FALSE(p) << c.name;
    const Error& e = p.error();
    EXPECT_EQ(e.code, Code::kInvalid) << c.name;
    const std::string where = c.line > 0 ? "rondo.yaml:" + std::to_string(c.line) + ":" : "rondo.yaml:";
    EXPECT_TRUE(e.message.starts_with(where)) << c.name << ": wanted " << where << " got " << e.Text();
    for (const char* fragment : c.fragments) EXPECT_NE(e.Text().find(fragment), std::string::npos) << c.name << ": no \"" << fragment << "\" in: " << e.Text();
  }
  EXPECT_GE(WrongCases().size(), 60u);
}

TEST(Reader, NestingAndSizeAreBounded) {
  EXPECT_FALSE(ParseProject("project: t\nx: " + std::string(5000, '[') + std::string(5000, ']')));
  EXPECT_FALSE(ParseProject("project: t\nx: " + std::string(100'000, '{')));
  EXPECT_FALSE(ParseProject(std::string(2u << 20, 'a')));
}

TEST(Reader, OverridesMeetTheSameChecks) {
  LoadOptions options;
  options.set = {"train.params.max_depth=6", "problem.success=[auc >= 0.5]", "monitor.window=10 rows"};
  auto p = ParseProject(kSmallest, "rondo.yaml", options);
  ASSERT_TRUE(p) << p.error().Text();
  EXPECT_EQ(p->train.params.Dump(), R"({"max_depth":6})");
  EXPECT_EQ(p->problem->success[0].limit, 0.5);
  EXPECT_EQ(p->monitor.window_rows, 10);
  for (const char* bad : {"train.parms.x=1", "novalue", "=1", "train..x=1", "project.x=1", "deploy.rollout=yolo"}) {
    options.set = {bad};
    auto wrong = ParseProject(kSmallest, "rondo.yaml", options);
    ASSERT_FALSE(wrong) << bad;
    EXPECT_TRUE(wrong.error().message.starts_with(std::string("--set ") + bad)) << wrong.error().Text();
  }
}

TEST(Reader, LocalFileOverlays) {
  TempDir dir;
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "rondo.yaml", kSmallest));
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "rondo.local.yaml", "train: {params: {rounds: 5}}\nproblem: {positive: No}\n"));
  auto p = LoadProject(dir.path() / "rondo.yaml");
  ASSERT_TRUE(p) << p.error().Text();
  EXPECT_EQ(p->problem->positive, "No");
  EXPECT_EQ(p->problem->target, "churn");
  EXPECT_EQ(p->train.params["rounds"].AsInt(), 5);
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "rondo.local.yaml", "tran: 1\n"));
  p = LoadProject(dir.path() / "rondo.yaml");
  ASSERT_FALSE(p);
  EXPECT_TRUE(p.error().message.starts_with("rondo.local.yaml:1:")) << p.error().message;
}

TEST(Reader, FindsTheRootAbove) {
  TempDir dir;
  ASSERT_TRUE(MakeDirs(dir.path() / "a/b"));
  EXPECT_EQ(FindProjectRoot(dir.path() / "a/b").error().code, Code::kNotFound);
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "rondo.yaml", kSmallest));
  EXPECT_EQ(*FindProjectRoot(dir.path() / "a/b"), fs::absolute(dir.path()));
}

TEST(Reader, ReadsDvcFiles) {
  TempDir dir;
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "dvc.yaml", R"(stages:
  prep:
    cmd: [python prep.py, echo done]
    wdir: src
    deps: [raw.txt]
    params:
    - lr
    - other.yaml: [a, b.c]
    - whole.json:
    outs:
    - out.txt
    - raw.bin:
        cache: false
    metrics:
    - m.json:
        cache: false
metrics: [m.json]
)"));
  auto p = LoadProject(dir.path() / "dvc.yaml");
  ASSERT_TRUE(p) << p.error().Text();
  ASSERT_EQ(p->stages.size(), 1u);
  EXPECT_EQ(p->stages[0].cmd, "python prep.py\necho done");
  EXPECT_EQ(p->stages[0].params, (std::vector<std::string>{"params.yaml:lr", "other.yaml:a", "other.yaml:b.c", "whole.json:"}));
  EXPECT_EQ(p->stages[0].outs, (std::vector<std::string>{"out.txt"}));
  EXPECT_EQ(p->stages[0].metrics, (std::vector<std::string>{"raw.bin", "m.json"}));
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "dvc.yaml", "stages:\n  a:\n    cmd: echo ${x}\n"));
  EXPECT_NE(LoadProject(dir.path() / "dvc.yaml").error().message.find("dvc.yaml:3"), std::string::npos);
}

TEST(Gates, AllForms) {
  const auto parsed = [](const char* text, Task task = Task::binary) {
    auto g = ParseGate(text, task);
    EXPECT_TRUE(g) << text << ": " << (g ? "" : g.error().message);
    return g ? *g : project::Gate{};
  };
  EXPECT_EQ(parsed("auc>=0.8").op, ">=");
  EXPECT_DOUBLE_EQ(parsed("recall >= 70%").limit, 0.7);
  EXPECT_EQ(parsed("auc >= champion").factor, 1);
  EXPECT_DOUBLE_EQ(parsed("auc >= champion + 1%").limit, 0.01);
  EXPECT_DOUBLE_EQ(parsed("latency_p99_ms <= 1.5 * champion").factor, 1.5);
  EXPECT_DOUBLE_EQ(parsed("latency_p99_ms <= champion * 2").factor, 2);
  const auto both = parsed("log_loss <= 1.1 * champion + 0.01");
  EXPECT_DOUBLE_EQ(both.factor, 1.1);
  EXPECT_DOUBLE_EQ(both.limit, 0.01);
  EXPECT_EQ(parsed("recall[Two year] >= 0.4", Task::multiclass).column, "Two year");
  const auto slice = parsed("recall[a=x[1]] > 0");
  EXPECT_EQ(slice.value, "x[1]");
  for (const char* bad : {"", ">= 1", "auc", "auc >=", "auc >= 1 2", "auc >= nan", "auc >= champion * ", "auc >= x * champion", "auc[ >= 1", "auc[] >= 1", "auc[=x] >= 1", "auc => 0.8", "error_rate[a=b] <= 1"})
    EXPECT_FALSE(ParseGate(bad, Task::binary)) << bad;
}

TEST(Schema, IsJsonAndAgreesWithTheReader) {
  auto schema = ParseJson(JsonSchema());
  ASSERT_TRUE(schema) << schema.error().message;
  // Every supported key of the table stands in the schema, and none that is refused.
  for (const Key& key : ProjectKeys().keys) EXPECT_EQ((*schema)["properties"].Find(key.name) != nullptr, key.unsupported.empty()) << key.name;
  EXPECT_FALSE((*schema)["$defs"]["train"]["properties"].Find("tune"));
  EXPECT_TRUE((*schema)["$defs"]["contract"]["properties"].Find("min_rows"));
  for (const auto& [name, def] : (*schema)["$defs"].AsObject()) EXPECT_GT(def["properties"].size(), 0u) << name;
}

TEST(Secrets, AreResolvedAtUse) {
  ::setenv("RONDO_TEST_SECRET", "s3cret", 1);
  EXPECT_EQ(*ResolveSecret("${env:RONDO_TEST_SECRET}"), "s3cret");
  EXPECT_EQ(*ResolveSecret("plain"), "plain");
  EXPECT_EQ(*ResolveSecret("${command:printf abc}"), "abc");
  TempDir dir;
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "s", "file secret\n"));
  EXPECT_EQ(*ResolveSecret("${file:" + (dir.path() / "s").string() + "}"), "file secret");
  EXPECT_FALSE(ResolveSecret("${env:RONDO_TEST_ABSENT}"));
  EXPECT_FALSE(ResolveSecret("${vault:x}"));
  EXPECT_FALSE(ResolveSecret("${command:exit 3}"));
}

}  // namespace
}  // namespace rondo::project
