// The page around the report's sections.
#include "model/report.h"

#include <fmt/format.h>

#include "model/report/html.h"
#include "model/report/sections.h"
#include "model/report/style.h"

namespace rondo::model {

std::string ReportHtml(const project::Project& project, const Json& metrics, const Json& facts) {
  using namespace report;
  const Verdict verdict = MakeVerdict(project, metrics);
  const bool gated = metrics["gates"].size() > 0;
  const std::string model = facts["model"].AsString().empty() ? project.name : facts["model"].AsString();
  std::string sections = GatesSection(metrics) + MetricsSection(metrics) + CostSection(project, metrics) + CurvesSection(metrics) + ConfusionSection(metrics) + SlicesSection(metrics) + FairnessSection(metrics) +
                         ImportanceSection(metrics) + OverfitSection(metrics) + LimitsSection(project, metrics, facts) + FactsSection(project, metrics, facts);
  // Links to the sections that are there.
  std::string links;
  static constexpr std::pair<const char*, const char*> kLinks[] = {{"gates", "Gates"}, {"metrics", "Metrics"}, {"cost", "Cost"}, {"curves", "Curves"}, {"confusion", "Errors"}, {"slices", "Slices"}, {"fairness", "Fairness"}, {"importance", "Importance"}, {"limits", "Limits"}, {"facts", "Facts"}};
  for (const auto& [id, name] : kLinks)
    if (sections.find(fmt::format("<section id='{}'>", id)) != std::string::npos) links += fmt::format("<a href='#{}'>{}</a>", id, name);
  const std::string created = facts["created"].AsString();
  return fmt::format("<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width, initial-scale=1'><meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
                     "<title>{} – evaluation</title><style>{}</style></head>\n<body><header><p class='eyebrow'>{}{}</p><h1>{}<span>{}</span></h1><p class='plain'>{}</p>{}<nav>{}</nav></header>\n<main>{}</main>\n"
                     "<footer>Written by Rondo from out/metrics.json.</footer></body></html>\n",
                     Escape(model), kStyle, Escape(model), created.empty() ? "" : " · " + Escape(created), gated ? (verdict.passed ? Mark(State::kOk, "") : Mark(State::kBad, "")) : Mark(State::kWarn, ""),
                     Escape(verdict.headline), Escape(verdict.plain), project.description.empty() ? "" : "<p class='dim'>" + Escape(project.description) + "</p>", links, sections);
}

}  // namespace rondo::model
