/// FeatureGraph over a plan.
#pragma once

#include "model/features/plan.h"
#include "model/train.h"

namespace rondo::model {

std::unique_ptr<FeatureGraph> MakeFeatureGraph(Plan plan);  ///< of a checked plan

}  // namespace rondo::model
