// The model card as Markdown and JSON.
#include "model/card.h"

#include <fmt/format.h>

#include <cmath>

namespace rondo::model {
namespace {

constexpr const char* kMissing = "**MISSING**";

std::string Number(const Json& v) {
  if (!v.IsNumber()) return "–";
  const double d = v.AsDouble();
  return std::fabs(d) >= 1000 || d == std::trunc(d) ? fmt::format("{:.0f}", d) : fmt::format("{:.4g}", d);
}

/// Text that can't break out of a Markdown table cell or line, nor be read as HTML.
std::string Plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r') out += ' ';
    else if (c == '|' || c == '`' || c == '*' || c == '_' || c == '[' || c == ']' || c == '\\' || c == '#') out += std::string("\\") + c;
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else out += c;
  }
  return out;
}

struct Gap {
  const char *key, *title;
  const std::string* text;
  const char* risk;  ///< the least risk for which it must be there
};

bool Needed(const std::string& risk, const std::string& from) {
  const auto rank = [](const std::string& r) { return r == "high" ? 2 : r == "minimal" ? 0 : 1; };  // nothing said counts as limited
  return rank(risk) >= rank(from);
}

std::string MetricTable(const Json& m) {
  std::string out = "| metric | test | 95 % interval |";
  const Json& interval = m["interval"];
  if (interval["level"].IsNumber()) out = fmt::format("| metric | test | {:g} % interval |", interval["level"].AsDouble() * 100);
  std::string rule = "\n| --- | ---: | --- |";
  for (const auto& [name, values] : m["baselines"].AsObject()) {
    out += " " + Plain(name) + " |";
    rule += " ---: |";
  }
  out += rule + "\n";
  for (const auto& [name, i] : m["test"].AsObject()) {
    out += fmt::format("| {} | {} | {} – {} |", Plain(name), Number(i["value"]), Number(i["low"]), Number(i["high"]));
    for (const auto& [baseline, values] : m["baselines"].AsObject()) out += " " + Number(values[name]["value"]) + " |";
    out += "\n";
  }
  return out;
}

std::string GateList(const Json& m) {
  std::string out;
  for (const Json& g : m["gates"].AsArray()) out += fmt::format("- {} `{}`: {}\n", g["passed"].AsBool() ? "met" : g["warn"].AsBool() ? "warning" : "missed", g["gate"].AsString(), Plain(g["why"].AsString()));
  return out.empty() ? "No gates are declared.\n" : out;
}

/// The metric that a reader compares slices by.
std::string MainMetric(const Json& m) { return m["task"].AsString() == "regression" ? "mae" : m["task"].AsString() == "multiclass" ? "accuracy" : "auc"; }

std::string SliceTable(const Json& m) {
  const std::string metric = MainMetric(m);
  std::string out = "| column | value | rows | " + metric + " |\n| --- | --- | ---: | ---: |\n";
  for (const Json& s : m["slices"].AsArray()) out += fmt::format("| {} | {} | {} | {}{} |\n", Plain(s["column"].AsString()), Plain(s["value"].AsString()), s["rows"].AsInt(), Number(s[metric]), s["small"].AsBool() ? " (few rows)" : "");
  return m["slices"].size() == 0 ? "No slices are declared.\n" : out;
}

std::string FairnessText(const Json& m) {
  std::string out;
  for (const auto& [column, report] : m["fairness"].AsObject()) {
    out += "- " + Plain(column) + ":";
    for (const auto& [name, value] : report.AsObject())
      if (name != "groups" && name != "notes") out += fmt::format(" {} {};", Plain(name), Number(value));
    out += "\n";
  }
  return out.empty() ? "No sensitive columns are declared.\n" : out;
}

std::string FactList(const Json& facts, const project::Project& project) {
  std::string out;
  const auto line = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) out += "- " + name + ": " + value + "\n";
  };
  const auto code = [](const Json& v) { return v.AsString().empty() ? std::string() : "`" + v.AsString() + "`"; };
  line("algorithm", facts["algorithm"].AsString().empty() ? project.train.algorithm : Plain(facts["algorithm"].AsString()));
  for (const Json& d : facts["datasets"].AsArray()) line("data", fmt::format("{} version {}, {} rows, from {}", Plain(d["name"].AsString()), code(d["md5"]), d["rows"].AsInt(), code(d["source"])));
  for (const project::Dataset& d : project.data)
    if (!d.license.empty()) line("licence of " + Plain(d.name), Plain(d.license));
  line("commit", code(facts["commit"]) + (facts["dirty"].AsBool() ? " with uncommitted changes" : ""));
  line("run", code(facts["run"]));
  line("file (SHA-256)", code(facts["digest"]));
  line("created", Plain(facts["created"].AsString()));
  return out;
}

/// Google's schema has performance metrics as a flat list: one for the whole and one a slice.
Json Performance(const Json& m) {
  Json list = Json::MakeArray();
  for (const auto& [name, i] : m["test"].AsObject()) {
    Json metric = Json::MakeObject().Set("type", name).Set("value", Number(i["value"]));
    if (i["low"].IsNumber()) metric.Set("confidence_interval", Json::MakeObject().Set("lower_bound", Number(i["low"])).Set("upper_bound", Number(i["high"])));
    list.Push(std::move(metric));
  }
  const std::string metric = MainMetric(m);
  for (const Json& s : m["slices"].AsArray()) list.Push(Json::MakeObject().Set("type", metric).Set("value", Number(s[metric])).Set("slice", s["column"].AsString() + "=" + s["value"].AsString()));
  return list;
}

Json CardJson(const project::Project& project, const project::Problem& p, const Json& m, const Json& facts) {
  const auto one = [](const std::string& text) { return text.empty() ? Json::MakeArray() : Json::MakeArray().Push(Json::MakeObject().Set("description", text)); };
  Json details = Json::MakeObject().Set("name", facts["model"].AsString().empty() ? project.name : facts["model"].AsString()).Set("overview", project.description);
  details.Set("owners", p.owner.empty() ? Json::MakeArray() : Json::MakeArray().Push(Json::MakeObject().Set("name", p.owner).Set("contact", p.owner)));
  details.Set("version", Json::MakeObject().Set("name", facts["model"]).Set("date", facts["created"]));
  Json data = Json::MakeArray();
  for (const Json& d : facts["datasets"].AsArray()) data.Push(Json::MakeObject().Set("name", d["name"]).Set("link", d["source"]).Set("description", fmt::format("version {}, {} rows", d["md5"].AsString(), d["rows"].AsInt())));
  Json ethics = Json::MakeArray();
  for (const auto& [column, report] : m["fairness"].AsObject()) {
    (void)report;
    ethics.Push(Json::MakeObject().Set("name", "different treatment by " + column).Set("mitigation_strategy", "measured in every evaluation; gates in problem.success"));
  }
  return Json::MakeObject()
      .Set("schema_version", "0.0.2")
      .Set("model_details", std::move(details))
      .Set("model_parameters", Json::MakeObject().Set("model_architecture", facts["algorithm"].AsString().empty() ? project.train.algorithm : facts["algorithm"].AsString()).Set("data", std::move(data)).Set("output_format", m["task"]))
      .Set("quantitative_analysis", Json::MakeObject().Set("performance_metrics", Performance(m)))
      .Set("considerations", Json::MakeObject().Set("use_cases", one(p.intended_use)).Set("limitations", one(p.limitations)).Set("out_of_scope", one(p.out_of_scope)).Set("ethical_considerations", std::move(ethics)));
}

}  // namespace

ModelCard MakeModelCard(const project::Project& project, const Json& m, const Json& facts) {
  const project::Problem p = project.problem.value_or(project::Problem{});
  ModelCard card;
  const Gap gaps[] = {{"project.description", "What it does", &project.description, "limited"}, {"problem.intended_use", "Intended use", &p.intended_use, "limited"}, {"problem.owner", "Owner", &p.owner, "limited"},
                      {"problem.out_of_scope", "Out of scope", &p.out_of_scope, "high"},        {"problem.limitations", "Limitations", &p.limitations, "high"},       {"problem.risk", "Risk class", &p.risk, "limited"}};
  std::string people;
  for (const Gap& gap : gaps) {
    const bool needed = Needed(p.risk, gap.risk);
    if (gap.text->empty() && needed) card.missing.push_back(gap.key);
    people += fmt::format("- {}: {}\n", gap.title, !gap.text->empty() ? Plain(*gap.text) : needed ? std::string(kMissing) + " (set `" + gap.key + "`)" : "not stated");
  }
  if (p.risk == "high" && p.sensitive.empty()) card.missing.push_back("problem.sensitive");
  const std::string title = facts["model"].AsString().empty() ? project.name : facts["model"].AsString();
  card.markdown = fmt::format("# Model card: {}\n\n## Purpose\n{}- Task: {} of `{}`\n\n## Gates\n{}\n## Metrics\nOn {} test rows that training has not seen.\n\n{}\n## Slices\n{}\n## Fairness\n{}{}\n## Made of\n{}", Plain(title), people, m["task"].AsString(), p.target, GateList(m),
                              m["rows"]["test"].AsInt(), MetricTable(m), SliceTable(m), FairnessText(m), p.risk == "high" && p.sensitive.empty() ? std::string(kMissing) + " (set `problem.sensitive`)\n" : "", FactList(facts, project));
  if (m["threshold"].IsNumber()) card.markdown += fmt::format("- decision threshold: {} ({})\n", Number(m["threshold"]), Plain(m["threshold_reason"].AsString()));
  card.json = CardJson(project, p, m, facts);
  return card;
}

}  // namespace rondo::model
