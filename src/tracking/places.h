/// Where runs and logged models are: the experiment that rights are given on. One quick query each.
#pragma once

#include <string>

#include "base/result.h"
#include "db/db.h"

namespace rondo::tracking {

struct Place {
  std::string experiment_id, experiment_name;
};
/// kNotFound in MLflow's words.
Result<Place> PlaceOfExperiment(db::Database& db, const std::string& experiment_id);
Result<Place> PlaceOfExperimentName(db::Database& db, const std::string& name);
Result<Place> PlaceOfRun(db::Database& db, const std::string& run_id);
Result<Place> PlaceOfLoggedModel(db::Database& db, const std::string& model_id);

}  // namespace rondo::tracking
