// `problem:`
#include <fmt/format.h>

#include <algorithm>

#include "project/sections.h"

namespace rondo::project {
namespace {

Status ReadSensitive(const YamlNode& node, const std::string& path, std::vector<Sensitive>& out) {
  std::vector<const YamlNode*> items;
  if (node.IsList()) for (const YamlNode& item : node.items) items.push_back(&item);
  else items.push_back(&node);
  for (size_t i = 0; i < items.size(); ++i) {
    const YamlNode& item = *items[i];
    const std::string at = fmt::format("{}[{}]", path, i);
    if (!item.IsMap()) {
      RONDO_TRY(std::string column, ReadText(item, at));
      out.push_back({std::move(column), {}});
      continue;
    }
    for (const YamlEntry& entry : item.entries) {
      RONDO_TRY(std::vector<double> edges, ReadNumbers(entry.value, at + "." + entry.key));
      if (!std::is_sorted(edges.begin(), edges.end())) return Wrong(entry.where, at + "." + entry.key, "edges must rise");
      out.push_back({entry.key, std::move(edges)});
    }
  }
  return {};
}

}  // namespace

Status ReadProblem(const YamlNode& node, Project& out) {
  Problem p;
  Fields f(node, "problem", ProblemKeys());
  std::string task;
  f.Require("task", "add task: binary, multiclass or regression").Require("target", "add target: the column to predict");
  f.Get("task", task).Get("target", p.target).Get("positive", p.positive).Get("key", p.key).Get("data", p.data).Get("time", p.time);
  f.Get("weight", p.weight).Get("owner", p.owner).Get("risk", p.risk).Get("intended_use", p.intended_use);
  f.Get("out_of_scope", p.out_of_scope).Get("limitations", p.limitations).Get("threshold", p.threshold).Get("confidence", p.confidence);
  p.task = task == "multiclass" ? Task::multiclass : task == "regression" ? Task::regression : Task::binary;
  f.Get("success", p.task, p.success);
  if (const YamlNode* sensitive = f.Find("sensitive")) f.Take(ReadSensitive(*sensitive, "problem.sensitive", p.sensitive));
  if (const YamlNode* cost = f.Find("cost")) {
    Cost c;
    Fields g(*cost, "problem.cost", CostKeys());
    g.Get("false_positive", c.false_positive).Get("false_negative", c.false_negative);
    if (g.ok() && (c.false_positive < 0 || c.false_negative < 0 || c.false_positive + c.false_negative == 0)) g.Fail("", "costs must not be negative, nor both 0");
    f.Take(g.status());
    p.cost = c;
  }
  if (f.ok() && p.task == Task::binary) f.Require("positive", "say which value of " + p.target + " counts, like positive: \"Yes\"");
  if (p.task != Task::binary) {
    for (const char* key : {"positive", "cost", "threshold"})
      if (f.Find(key)) f.Fail(key, "applies to task binary only, the task is " + task, "remove it");
  }
  if (p.cost && p.threshold) f.Fail("threshold", "can't be set together with cost, which picks it", "remove one of them");
  if (p.confidence && (*p.confidence <= 0.5 || *p.confidence >= 1)) f.Fail("confidence", "must be above 50% and below 100%", "write confidence: 95%");
  for (const Gate& gate : p.success)
    if (gate.metric == "error_rate" || gate.metric == "score_psi" || gate.metric == "latency_p50_ms" || gate.metric == "latency_p95_ms")
      f.Fail("success", gate.metric + " is measured on live traffic only", "move the gate to deploy.guard");
  RONDO_DO(f.status());
  out.problem = std::move(p);
  return {};
}

}  // namespace rondo::project
