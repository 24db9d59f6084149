// The stage table: what each built-in stage reads, writes and depends on.
#include "pipeline/derive.h"

#include "base/json_map.h"

namespace rondo::pipeline {
namespace {

StageNode Make(const std::string& name, std::vector<std::string> deps, std::vector<std::string> outs) {
  StageNode node;
  node.name = name;
  node.cmd = "rondo step " + name;
  node.deps = std::move(deps);
  for (std::string& path : outs) node.outs.push_back({std::move(path), true});
  return node;
}

bool ComparesWithChampion(const project::Project& project) {
  for (const project::Gate& gate : project.problem->success)
    if (gate.champion) return true;
  return false;
}

/// What decides the rows and the target, apart from the gates: a changed gate must not train again.
Json Essence(const project::Problem& problem) {
  Json json = ToJson(problem);
  for (const char* key : {"success", "owner", "risk", "intended_use", "out_of_scope", "limitations", "sensitive", "confidence"}) json.Erase(key);
  return json;
}

}  // namespace

void Flatten(const std::string& prefix, const Json& value, std::vector<std::pair<std::string, Json>>& out) {
  if (value.IsObject() && value.size() > 0) {
    for (const auto& [key, child] : value.AsObject()) Flatten(prefix.empty() ? key : prefix + "." + key, child, out);
    return;
  }
  out.emplace_back(prefix, value);
}

std::vector<StageNode> DeriveStages(const project::Project& p) {
  std::vector<StageNode> stages;
  if (p.data.empty()) return stages;
  const bool feeds_back = p.retrain.feedback == "append" && p.problem;

  StageNode ingest = Make("ingest", {}, {});
  StageNode check = Make("check", {}, {});
  StageNode profile = Make("profile", {}, {});
  for (const project::Dataset& d : p.data) {
    if (!d.from.empty()) ingest.deps.push_back(d.from);
    Json spec = ToJson(d);
    spec.Erase("contract");
    Json types = Json::MakeObject();
    for (const project::ColumnRule& rule : d.contract.columns)
      if (!rule.type.empty()) types.Set(rule.name, rule.type);
    spec.Set("types", types);
    Flatten("data." + d.name, spec, ingest.params);
    const std::string parquet = "out/data/" + d.name + ".parquet", info = "out/data/" + d.name + ".json";
    ingest.outs.push_back({parquet, true});
    ingest.outs.push_back({info, true});
    check.deps.push_back(parquet);
    check.deps.push_back(info);
    Flatten("data." + d.name + ".contract", ToJson(d.contract), check.params);
    check.outs.push_back({"out/check/" + d.name + ".json", true});
    profile.deps.push_back(parquet);
    profile.deps.push_back("out/check/" + d.name + ".json");
    profile.outs.push_back({"out/profile/" + d.name + ".json", true});
    profile.outs.push_back({"out/profile/" + d.name + ".html", true});
  }
  if (feeds_back) ingest.deps.push_back("out/feedback/" + p.problem->data + ".parquet?");
  check.keep_outs_on_failure = true;
  // Both write facts about versions into the database: going back to an old dataset must record it again.
  check.restorable = profile.restorable = false;
  check.workspace_bound = profile.workspace_bound = true;
  stages.push_back(std::move(ingest));
  stages.push_back(std::move(check));
  stages.push_back(std::move(profile));
  if (!p.problem) return stages;

  const std::string dataset = p.problem->data;
  StageNode split = Make("split", {"out/data/" + dataset + ".parquet", "out/check/" + dataset + ".json"},
                         {"out/split/train.parquet", "out/split/validation.parquet", "out/split/test.parquet", "out/split/split.json"});
  Flatten("problem", Essence(*p.problem), split.params);
  Flatten("split", ToJson(p.split), split.params);
  split.params.emplace_back("seed", Json(p.SplitSeed()));

  StageNode prepare = Make("prepare", {"out/split/train.parquet"}, {"out/prepare/features.json"});
  Flatten("features", ToJson(p.features), prepare.params);
  Flatten("problem", Essence(*p.problem), prepare.params);

  StageNode train = Make("train", {"out/split/train.parquet", "out/split/validation.parquet", "out/prepare/features.json"}, {"out/model"});
  Flatten("train", ToJson(p.train), train.params);
  Flatten("problem", Essence(*p.problem), train.params);
  train.params.emplace_back("seed", Json(p.TrainSeed()));
  train.needs_run = true;

  StageNode evaluate = Make("evaluate",
                            {"out/model", "out/split/train.parquet", "out/split/validation.parquet", "out/split/test.parquet", "out/split/split.json", "out/prepare/features.json"},
                            {"out/metrics.json", "out/predictions/test.parquet", p.evaluate.report, "out/card.md", "out/card.json", "out/reference.json"});
  Flatten("problem", ToJson(*p.problem), evaluate.params);
  Flatten("evaluate", ToJson(p.evaluate), evaluate.params);
  Flatten("features", ToJson(p.features), evaluate.params);
  evaluate.params.emplace_back("seed", Json(p.seed));
  if (ComparesWithChampion(p)) evaluate.externals.push_back("champion");
  evaluate.keep_outs_on_failure = true;
  evaluate.needs_run = true;

  StageNode reg = Make("register", {"out/model", "out/metrics.json", "out/card.md", "out/reference.json"}, {"out/register.json"});
  reg.params.emplace_back("model", Json(ModelName(p)));
  reg.externals.push_back("registered");
  reg.restorable = false;
  reg.workspace_bound = true;
  reg.needs_run = true;
  for (StageNode* node : {&split, &prepare, &train, &evaluate, &reg}) stages.push_back(std::move(*node));

  if (p.deploy) {
    StageNode deploy = Make("deploy", {"out/register.json"}, {"out/deploy.json"});
    Flatten("deploy", ToJson(*p.deploy), deploy.params);
    deploy.externals.push_back("registered");
    deploy.restorable = false;
    deploy.workspace_bound = true;
    stages.push_back(std::move(deploy));
  }
  return stages;
}

}  // namespace rondo::pipeline
