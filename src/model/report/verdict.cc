// The verdict, the gates and the metrics: what a reader sees first.
#include <fmt/format.h>

#include <cmath>

#include "model/evaluate.h"
#include "model/report/charts.h"
#include "model/report/html.h"
#include "model/report/sections.h"

namespace rondo::model::report {
namespace {

std::string Plural(size_t n, const std::string& word) { return fmt::format("{} {}{}", n, word, n == 1 ? "" : "s"); }

std::string Plain(const project::Project& project, const Json& m) {
  const Json& test = m["test"];
  const std::string task = m["task"].AsString();
  const auto value = [&](const char* name) { return test[name]["value"].AsDouble(std::nan("")); };
  const std::string target = project.problem ? project.problem->target : "the target";
  const std::string rows = Count(m["rows"]["test"].AsInt()) + " test rows";
  if (task == "binary") {
    const std::string positive = target + " = " + (project.problem ? project.problem->positive : "1");
    return fmt::format("On {} it finds {} of those with {}, and {} of those it flags are right.", rows, Percent(value("recall")), positive, Percent(value("precision")));
  }
  if (task == "multiclass") {
    const double dummy = m["baselines"]["dummy"]["accuracy"]["value"].AsDouble(std::nan(""));
    return fmt::format("On {} it names the right {} for {}{}.", rows, target, Percent(value("accuracy")), std::isnan(dummy) ? "" : "; always guessing the commonest would be right for " + Percent(dummy));
  }
  const double dummy = m["baselines"]["dummy"]["mae"]["value"].AsDouble(std::nan(""));
  return fmt::format("On {} its {} is off by {} on average{}; it explains {} of the variation.", rows, target, Show(value("mae")), std::isnan(dummy) ? "" : ", against " + Show(dummy) + " for always guessing the mean", Percent(value("r2")));
}

}  // namespace

Verdict MakeVerdict(const project::Project& project, const Json& m) {
  Verdict v;
  std::vector<std::string> missed, warned;
  const auto& gates = m["gates"].AsArray();
  for (const Json& g : gates)
    if (!g["passed"].AsBool()) (g["warn"].AsBool() ? warned : missed).push_back(g["gate"].AsString());
  v.passed = missed.empty();
  if (gates.empty()) {
    v.headline = "No gate is declared, so nothing says whether this model is good enough.";
  } else if (missed.empty()) {
    v.headline = gates.size() == 1 ? "Good to go: the one gate is met." : warned.empty() ? fmt::format("Good to go: all {} gates are met.", gates.size()) : fmt::format("Good to go: every blocking gate is met; {} to look at.", Plural(warned.size(), "warning"));
  } else {
    v.headline = fmt::format("Not good enough: {} of {} {} missed: ", missed.size(), gates.size(), missed.size() == 1 ? "gates is" : "gates are");
    for (size_t i = 0; i < missed.size() && i < 3; ++i) v.headline += (i ? ", " : "") + missed[i];
    v.headline += missed.size() > 3 ? " …" : ".";
  }
  v.plain = Plain(project, m);
  return v;
}

std::string GatesSection(const Json& m) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& g : m["gates"].AsArray()) {
    const State state = g["passed"].AsBool() ? State::kOk : g["warn"].AsBool() ? State::kWarn : State::kBad;
    const std::string word = g["passed"].AsBool() ? "met" : g["warn"].AsBool() ? "warning" : "missed";
    rows.push_back({"<code>" + Escape(g["gate"].AsString()) + "</code>", Mark(state, word), GatePicture(g), WithInterval(g), Show(g["limit"]), "<span class='why'>" + Escape(g["why"].AsString()) + "</span>"});
  }
  if (rows.empty())
    return Section("gates", "Gates", "", "<p class='empty'>Declare what is good enough in <code>rondo.yaml</code>, for example <code>problem: {success: [" + std::string(m["task"].AsString() == "regression" ? "r2 &gt;= 0.3" : "auc &gt;= 0.8") + "]}</code></p>");
  const Json& interval = m["interval"];
  return Section("gates", "Gates", fmt::format("What was declared as good enough, before any model. Judged on the test part; intervals at {} from {} resamples.", Percent(interval["level"].AsDouble(0.95)), interval["resamples"].AsInt()),
                 "<div class='gates'>" + Table({"gate", "verdict", "", "value", "limit", "why"}, rows, 99) + "</div>");
}

std::string MetricsSection(const Json& m) {
  std::vector<std::string> header = {"metric", "this model"};
  const bool champion = m["champion"]["test"].IsObject();
  if (champion) header.insert(header.end(), {"champion " + Escape(m["champion"]["name"].AsString()), "difference"});
  for (const auto& [name, values] : m["baselines"].AsObject()) header.push_back(Escape(name));
  header.push_back("validation");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, interval] : m["test"].AsObject()) {
    const MetricInfo* info = FindMetric(name);
    std::string title = Escape(MetricTitle(name));
    if (info) title = fmt::format("<span title='{}'>{}</span> <span class='way' title='{} is better'>{}</span>", Escape(info->help), title, info->higher_is_better ? "higher" : "lower", info->higher_is_better ? "↑" : "↓");
    std::vector<std::string> row = {title, "<b>" + WithInterval(interval) + "</b>"};
    if (champion) {
      const Json& d = m["champion"]["difference"][name];
      // Green or red only where the interval leaves zero out, and always with the sign.
      const double low = d["low"].AsDouble(std::nan("")), high = d["high"].AsDouble(std::nan("")), value = d["value"].AsDouble(std::nan(""));
      const bool clear = low > 0 || high < 0, better = info && (info->higher_is_better ? value > 0 : value < 0);
      row.push_back(WithInterval(m["champion"]["test"][name]));
      row.push_back(fmt::format("<span class='{}'>{}{}</span>", !clear ? "even" : better ? "better" : "worse", value > 0 ? "+" : "", WithInterval(d)));
    }
    for (const auto& [baseline, values] : m["baselines"].AsObject()) row.push_back(WithInterval(values[name]));
    row.push_back(WithInterval(m["validation"][name]));
    rows.push_back(std::move(row));
  }
  std::string lead = "On the test part, which neither training nor tuning has seen. Dummy knows only how often each outcome occurs; a model that doesn't beat it knows nothing.";
  if (m["champion"].IsObject() && !champion) lead += " The champion " + Escape(m["champion"]["name"].AsString()) + " could not be scored: " + Escape(m["champion"]["note"].AsString()) + ".";
  return Section("metrics", "Metrics", lead, Table(header, rows));
}

}  // namespace rondo::model::report
