#include "tracking/places.h"

#include <fmt/format.h>

#include <optional>

#include "tracking/store.h"

namespace rondo::tracking {
namespace {

constexpr std::string_view kOfExperiment = "SELECT id, name FROM experiment WHERE id = $1";
constexpr std::string_view kOfName = "SELECT id, name FROM experiment WHERE name = $1";
constexpr std::string_view kOfRun = "SELECT e.id, e.name FROM run r JOIN experiment e ON e.id = r.experiment_id WHERE r.run_id = $1";
constexpr std::string_view kOfModel = "SELECT e.id, e.name FROM logged_model m JOIN experiment e ON e.id = m.experiment_id WHERE m.model_id = $1";

Result<Place> Look(db::Database& db, std::string_view sql, const db::Value& key, const std::string& missing) {
  std::optional<Place> out;
  RONDO_DO(db.Read([&](db::Session& s) {
    return s.Query(sql, {key}, [&](const db::Row& r) {
      out = Place{std::to_string(r.Int(0)), r.String(1)};
      return false;
    });
  }));
  if (!out) return Fail(Code::kNotFound, missing);
  return *out;
}

}  // namespace

Result<Place> PlaceOfExperiment(db::Database& db, const std::string& id) {
  RONDO_TRY(const int64_t number, ExperimentNumber(id));
  return Look(db, kOfExperiment, number, fmt::format("No Experiment with id={} exists", id));
}
Result<Place> PlaceOfExperimentName(db::Database& db, const std::string& name) { return Look(db, kOfName, name, fmt::format("Could not find experiment with name '{}'", name)); }
Result<Place> PlaceOfRun(db::Database& db, const std::string& id) { return Look(db, kOfRun, id, fmt::format("Run with id={} not found", id.substr(0, 100))); }
Result<Place> PlaceOfLoggedModel(db::Database& db, const std::string& id) { return Look(db, kOfModel, id, fmt::format("Logged model with ID '{}' not found.", id.substr(0, 100))); }

}  // namespace rondo::tracking
