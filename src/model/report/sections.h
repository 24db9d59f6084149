/// The report's sections, in the order of the page. Each gives "" when metrics.json has nothing for it.
#pragma once

#include <string>

#include "base/json.h"
#include "project/spec.h"

namespace rondo::model::report {

/// The sentence at the top: whether the model may go on, and what it does in plain words.
struct Verdict {
  bool passed = true;
  std::string headline, plain;
};
Verdict MakeVerdict(const project::Project& project, const Json& metrics);

std::string GatesSection(const Json& metrics);
std::string MetricsSection(const Json& metrics);
std::string CostSection(const project::Project& project, const Json& metrics);
std::string CurvesSection(const Json& metrics);
std::string ConfusionSection(const Json& metrics);
std::string SlicesSection(const Json& metrics);
std::string FairnessSection(const Json& metrics);
std::string ImportanceSection(const Json& metrics);
std::string OverfitSection(const Json& metrics);
std::string FactsSection(const project::Project& project, const Json& metrics, const Json& facts);
std::string LimitsSection(const project::Project& project, const Json& metrics, const Json& facts);

}  // namespace rondo::model::report
