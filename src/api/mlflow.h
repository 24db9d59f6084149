/// MLflow's REST surface (3.17), as its Python client calls it: `/api/2.0/mlflow/...` with the twins under `/ajax-api`, the artifact proxy, server-info.
/// Each group of endpoints is a table of rows in its own file. Bodies are JSON in the form of MLflow's protos: snake_case, int64 as numbers,
/// NaN as "NaN", infinities as the largest double (MLflow's own habit), empty lists left out.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/router.h"
#include "api/v1.h"
#include "blob/blob.h"
#include "tracking/logged_models.h"
#include "tracking/tracking.h"

namespace rondo::api {

/// All of it.
void AddMlflow(Router& router);

namespace mlflow {

/// The arguments of a request: its JSON body, or the query of a GET. Errors are in MLflow's words.
class Args {
 public:
  static Result<Args> Of(const Call& call);
  Args(Json json, bool from_query) : json_(std::move(json)), from_query_(from_query) {}

  const Json& json() const { return json_; }
  bool Has(std::string_view name) const;
  /// Ids may come as numbers.
  Result<std::string> Text(std::string_view name, std::string_view otherwise = {}) const;
  Result<std::string> Required(std::string_view name) const;
  /// `run_id`, or its old name `run_uuid`.
  Result<std::string> RunId() const;
  Result<int64_t> Int(std::string_view name, int64_t otherwise) const;
  Result<int64_t> RequiredInt(std::string_view name) const;
  Result<double> RequiredDouble(std::string_view name) const;
  Result<bool> Bool(std::string_view name, bool otherwise) const;
  Result<std::vector<std::string>> List(std::string_view name) const;
  /// An object, empty when absent.
  Result<Args> Object(std::string_view name) const;
  /// A list of objects.
  Result<std::vector<Args>> Objects(std::string_view name) const;
  /// [{key, value}]
  Result<std::vector<tracking::KeyValue>> KeyValues(std::string_view name) const;
  Result<int64_t> MaxResults(int64_t otherwise, int64_t most) const;

 private:
  std::unexpected<Error> Invalid(std::string_view name, std::string_view wanted) const;
  Json json_;
  bool from_query_;
  std::string prefix_;  ///< "metrics[3].": where these arguments are in the request, for messages
};

struct Request {
  Call& call;
  Args args;
  workspace::Workspace& workspace() { return call.workspace(); }
};
struct Row {
  const char* method;
  const char* path;  ///< below /api/<version>/mlflow
  Access access;     ///< what it needs: level | scope
  const char* summary;
  Result<Json> (*handler)(Request&);
  const char* version = "2.0";
};
void AddRows(Router& router, std::span<const Row> rows);

void AddExperiments(Router& router);
void AddRuns(Router& router);
void AddMetrics(Router& router);
void AddModels(Router& router);    ///< registered models and their aliases
void AddVersions(Router& router);  ///< model versions
void AddUsers(Router& router);     ///< accounts and permissions
void AddLoggedModels(Router& router);
void AddArtifacts(Router& router);
void AddWebhooks(Router& router);

/// Infinities become the largest double.
double WireDouble(double value);
Json WireKeyValues(const std::vector<tracking::KeyValue>& values);
Json WireMetric(const tracking::Metric& metric);
Json WireRunInfo(const tracking::Run& run);
Json WireRun(const tracking::Run& run);
Json WireExperiment(const tracking::Experiment& experiment);
Json WireVersion(const registry::Version& version);
/// Sets `name` unless the text or list is empty.
void SetSome(Json& object, std::string name, Json value);

/// One audit entry for a change made through this surface.
Status Audit(Request& request, const std::string& action, const std::string& object, Json before = {}, Json after = {});
/// A folder or file of artifacts that this server keeps.
struct Place {
  blob::BlobStore* store = nullptr;
  std::string name;  ///< in `store`; empty: all of it
  std::string Child(const std::string& path) const { return path.empty() ? name : name.empty() ? path : name + "/" + path; }
};
/// kInvalid when the artifacts at `uri` are kept elsewhere.
Result<Place> PlaceOf(Call& call, const std::string& uri);
/// The path of `file:` URIs of this machine and of bare paths.
std::optional<std::filesystem::path> LocalPathOf(const std::string& uri);
/// Checks the artifact location that a client wants for an experiment; relative folders become absolute.
Result<std::string> LocationFor(const Context& context, const std::string& location);
/// Checks the source that a client gives for a model version (docs/compat/mlflow.md says what is refused).
Status CheckSource(Call& call, const std::string& source, const std::string& run_id, const std::string& model_id);
/// Where the bytes of a version's source lie: follows `models:/...` and `runs:/...`.
Result<std::string> ResolveSource(workspace::Workspace& workspace, const std::string& source, int depth = 0);
/// {"files": [...]} of a folder; names below `shown`.
Result<Json> ListFiles(Call& call, const std::string& artifact_uri, const std::string& path);

}  // namespace mlflow
}  // namespace rondo::api
