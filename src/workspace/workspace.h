/// The data folder, opened: database, artifacts and the nouns on top of them. Used by steps, pipeline, command line and server alike.
///
/// Layout of the folder (`.rondo/` of a project, or `--data DIR`):
///   rondo.db            metadata (SQLite, WAL)
///   artifacts/          MLflow artifacts: <experiment>/<run>/artifacts/...
///   cache/              objects of dataset and stage outputs in DVC's layout: files/md5/ab/cdef...
///   predictions/        prediction log segments, a folder per endpoint
///   runs/<id>/          logs and resolved config of pipeline runs
///   secret.key          key of pseudonyms (0600)
///   server.json         address and pid of the running server
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "blob/blob.h"
#include "db/db.h"
#include "govern/govern.h"
#include "registry/registry.h"
#include "tracking/logged_models.h"
#include "tracking/tracking.h"

namespace rondo::workspace {

class Workspace {
 public:
  /// Creates the folder when it doesn't exist. Several processes may open it.
  static Result<std::unique_ptr<Workspace>> Open(const std::filesystem::path& folder, Clock& clock = SystemClock());

  const std::filesystem::path& folder() const { return folder_; }
  Clock& clock() { return *clock_; }
  db::Database& db() { return *db_; }
  blob::BlobStore& artifacts() { return *artifacts_; }
  tracking::Tracking& tracking() { return *tracking_; }
  tracking::LoggedModels& logged_models() { return *logged_models_; }
  registry::Registry& registry() { return *registry_; }
  govern::Audit& audit() { return *audit_; }
  govern::Approvals& approvals() { return *approvals_; }

  /// Stores a file as artifact `path` of a run.
  Status LogArtifact(const tracking::Run& run, const std::filesystem::path& file, const std::string& path);
  /// Local path of an artifact of a run ("model/model.onnx").
  Result<std::filesystem::path> ArtifactPath(const std::string& artifact_uri, const std::string& path);
  /// Name in artifacts() of a URI of this folder ("mlflow-artifacts:/0/run/artifacts" -> "0/run/artifacts"); kUnsupported for others.
  static Result<std::string> ArtifactName(const std::string& artifact_uri);
  /// Key for keyed pseudonyms; made once, 32 random bytes as hex, mode 0600.
  Result<std::string> SecretKey();
  /// Moves an alias, writes the audit entry and tells a running server. The one way aliases move.
  Status MoveAlias(const std::string& model, const std::string& alias, int64_t version, const std::string& actor, const std::string& reason);
  Status DropAlias(const std::string& model, const std::string& alias, const std::string& actor, const std::string& reason);

 private:
  Workspace() = default;
  std::filesystem::path folder_;
  Clock* clock_ = nullptr;
  std::unique_ptr<db::Database> db_;
  std::unique_ptr<blob::BlobStore> artifacts_;
  std::unique_ptr<tracking::Tracking> tracking_;
  std::unique_ptr<tracking::LoggedModels> logged_models_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<govern::Audit> audit_;
  std::unique_ptr<govern::Approvals> approvals_;
};

}  // namespace rondo::workspace
