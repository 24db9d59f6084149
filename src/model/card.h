/// The model card, filled from the same evidence as the report. People write purpose and limits; everything else is measured.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "project/spec.h"

namespace rondo::model {

struct ModelCard {
  std::string markdown;              ///< out/card.md; what nobody has filled says MISSING
  Json json;                         ///< out/card.json, in the shape of Google's model card schema 0.0.2
  std::vector<std::string> missing;  ///< keys of rondo.yaml that would fill the gaps: "problem.intended_use"
};

/// `metrics` and `facts` as in report.h. Which fields count as missing depends on `problem.risk`: minimal asks for none.
ModelCard MakeModelCard(const project::Project& project, const Json& metrics, const Json& facts);

}  // namespace rondo::model
