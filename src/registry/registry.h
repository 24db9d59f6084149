/// Registered models, versions and aliases with their history; lineage edges between all things that have an id. Thread-safe, durable.
/// Names, limits and error texts are MLflow's. Aliases keep who moved them, when and why, for ever.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "db/db.h"

namespace rondo::registry {

using Tags = std::vector<std::pair<std::string, std::string>>;

struct Version {
  std::string name;
  int64_t version = 0;
  int64_t creation_time = 0, last_update_time = 0;
  std::string user_id, description, source, run_id, status = "READY", current_stage = "None";
  std::vector<std::string> aliases;
  Tags tags;
  std::string digest;         ///< SHA-256 of model.onnx: what approvals and the audit log bind to
  Json facts;                 ///< metrics, gates, signature, dataset hashes, commit, config hash: see docs/formats/version_facts.md
};

struct Model {
  std::string name, description;
  int64_t creation_time = 0, last_update_time = 0;
  Tags tags;
  std::vector<std::pair<std::string, int64_t>> aliases;
  std::vector<Version> latest_versions;
};

struct AliasChange {
  std::string model, alias;
  std::optional<int64_t> from, to;  ///< versions; empty: none
  int64_t time = 0;
  std::string actor, reason;
};

/// "what happened to what": an edge of the lineage graph, e.g. (run a1f3) -produced-> (version churn/7).
struct Edge {
  std::string from_kind, from_id;  ///< kinds: dataset, commit, config, run, pipeline_run, version, endpoint, prediction, alarm, label
  std::string relation;            ///< "read", "produced", "trained", "serves", "scored", "raised", "caused"
  std::string to_kind, to_id;
  int64_t time = 0;
};

class Registry {
 public:
  virtual ~Registry() = default;
  virtual Result<Model> CreateModel(const std::string& name, const std::string& description, const Tags& tags) = 0;
  virtual Result<Model> EnsureModel(const std::string& name) = 0;
  virtual Result<Model> GetModel(const std::string& name) = 0;
  virtual Result<std::vector<Model>> SearchModels(const std::string& filter, const std::vector<std::string>& order_by, int64_t max_results, std::string& page_token) = 0;
  virtual Status UpdateModel(const std::string& name, const std::string& description) = 0;
  virtual Status RenameModel(const std::string& name, const std::string& new_name) = 0;
  virtual Status DeleteModel(const std::string& name) = 0;
  virtual Status SetModelTag(const std::string& name, const std::string& key, const std::string& value) = 0;
  virtual Status DeleteModelTag(const std::string& name, const std::string& key) = 0;

  /// The next number of the model. With a non-empty digest that the model already has, that version comes back (idempotent).
  virtual Result<Version> CreateVersion(const Version& request) = 0;
  virtual Result<Version> GetVersion(const std::string& name, int64_t version) = 0;
  virtual Result<std::vector<Version>> Versions(const std::string& name) = 0;  ///< newest first
  virtual Result<std::vector<Version>> SearchVersions(const std::string& filter, const std::vector<std::string>& order_by, int64_t max_results, std::string& page_token) = 0;
  virtual Status UpdateVersion(const std::string& name, int64_t version, const std::string& description) = 0;
  /// Binds a version that came without one (from an MLflow client) to the bytes of its model; refused when it has another digest.
  virtual Status SetDigest(const std::string& name, int64_t version, const std::string& digest) = 0;
  virtual Status SetFacts(const std::string& name, int64_t version, const Json& facts) = 0;
  virtual Status DeleteVersion(const std::string& name, int64_t version) = 0;
  virtual Status SetVersionTag(const std::string& name, int64_t version, const std::string& key, const std::string& value) = 0;
  virtual Status DeleteVersionTag(const std::string& name, int64_t version, const std::string& key) = 0;
  virtual Status TransitionStage(const std::string& name, int64_t version, const std::string& stage, bool archive_existing) = 0;

  /// Workspace::MoveAlias also writes the audit entry: use that.
  virtual Status SetAlias(const std::string& name, const std::string& alias, int64_t version, const std::string& actor, const std::string& reason) = 0;
  virtual Status DeleteAlias(const std::string& name, const std::string& alias, const std::string& actor, const std::string& reason) = 0;
  /// kNotFound in MLflow's words when the alias doesn't exist.
  virtual Result<Version> VersionByAlias(const std::string& name, const std::string& alias) = 0;
  virtual Result<std::vector<AliasChange>> AliasHistory(const std::string& name, const std::string& alias) = 0;  ///< newest first; empty alias: all

  virtual Status AddEdges(const std::vector<Edge>& edges) = 0;
  virtual Result<std::vector<Edge>> EdgesOf(const std::string& kind, const std::string& id) = 0;  ///< both directions
};

/// The same inside a transaction of the caller, so that the change and its audit entry are one.
Status SetAlias(db::Session& s, int64_t now, const std::string& name, const std::string& alias, int64_t version, const std::string& actor, const std::string& reason);
Status DeleteAlias(db::Session& s, int64_t now, const std::string& name, const std::string& alias, const std::string& actor, const std::string& reason);

std::unique_ptr<Registry> MakeRegistry(db::Database& db, Clock& clock);
const std::vector<db::Migration>& Migrations();

/// "churn@champion", "churn/7" -> name + alias or version; a plain name means the champion, else the newest version.
struct ModelRef {
  std::string name, alias;
  std::optional<int64_t> version;
};
Result<ModelRef> ParseModelRef(const std::string& text);
Result<Version> Resolve(Registry& registry, const ModelRef& ref);

}  // namespace rondo::registry
