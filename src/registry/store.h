/// The registry on SQL. Internal: use registry.h. Models are in models.cc, versions in versions.cc, aliases in aliases.cc, edges in edges.cc.
#pragma once

#include <string>
#include <vector>

#include "db/db.h"
#include "registry/registry.h"

namespace rondo::registry {

class Store : public Registry {
 public:
  Store(db::Database& db, Clock& clock) : db_(db), clock_(clock) {}

  Result<Model> CreateModel(const std::string& name, const std::string& description, const Tags& tags) override;
  Result<Model> EnsureModel(const std::string& name) override;
  Result<Model> GetModel(const std::string& name) override;
  Result<std::vector<Model>> SearchModels(const std::string& filter, const std::vector<std::string>& order_by, int64_t max_results, std::string& page_token) override;
  Status UpdateModel(const std::string& name, const std::string& description) override;
  Status RenameModel(const std::string& name, const std::string& new_name) override;
  Status DeleteModel(const std::string& name) override;
  Status SetModelTag(const std::string& name, const std::string& key, const std::string& value) override;
  Status DeleteModelTag(const std::string& name, const std::string& key) override;

  Result<Version> CreateVersion(const Version& request) override;
  Result<Version> GetVersion(const std::string& name, int64_t version) override;
  Result<std::vector<Version>> Versions(const std::string& name) override;
  Result<std::vector<Version>> SearchVersions(const std::string& filter, const std::vector<std::string>& order_by, int64_t max_results, std::string& page_token) override;
  Status UpdateVersion(const std::string& name, int64_t version, const std::string& description) override;
  Status SetDigest(const std::string& name, int64_t version, const std::string& digest) override;
  Status SetFacts(const std::string& name, int64_t version, const Json& facts) override;
  Status DeleteVersion(const std::string& name, int64_t version) override;
  Status SetVersionTag(const std::string& name, int64_t version, const std::string& key, const std::string& value) override;
  Status DeleteVersionTag(const std::string& name, int64_t version, const std::string& key) override;
  Status TransitionStage(const std::string& name, int64_t version, const std::string& stage, bool archive_existing) override;

  Status SetAlias(const std::string& name, const std::string& alias, int64_t version, const std::string& actor, const std::string& reason) override;
  Status DeleteAlias(const std::string& name, const std::string& alias, const std::string& actor, const std::string& reason) override;
  Result<Version> VersionByAlias(const std::string& name, const std::string& alias) override;
  Result<std::vector<AliasChange>> AliasHistory(const std::string& name, const std::string& alias) override;

  Status AddEdges(const std::vector<Edge>& edges) override;
  Result<std::vector<Edge>> EdgesOf(const std::string& kind, const std::string& id) override;

 private:
  db::Database& db_;
  Clock& clock_;
};

/// kNotFound in MLflow's words.
Result<int64_t> FindModel(db::Session& s, const std::string& name);
/// The model of a live version, checked to exist.
Result<int64_t> FindVersion(db::Session& s, const std::string& name, int64_t version);
Result<Model> LoadModel(db::Session& s, int64_t id);
Result<Version> LoadVersion(db::Session& s, int64_t model, int64_t version);
/// A prompt is a model with a tag; its events have names of their own. `event` is "model_version.created" and so on.
Status AnnounceChange(db::Session& s, int64_t now, int64_t model, std::string_view event, Json data);
Status TouchModel(db::Session& s, int64_t model, int64_t now);
Status CheckModelName(const std::string& name);
Status CheckAlias(const std::string& alias);
Status CheckTag(const std::string& key, const std::string& value);
/// Runs a statement whose number of changed rows does not matter.
Status Do(db::Session& s, std::string_view sql, const db::Args& args);

inline constexpr std::string_view kDeletedStage = "Deleted_Internal";

}  // namespace rondo::registry
