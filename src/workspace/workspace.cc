#include "workspace/workspace.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "data/dataset.h"

namespace rondo::workspace {
namespace {

constexpr std::string_view kScheme = "mlflow-artifacts:/";

}  // namespace

Result<std::unique_ptr<Workspace>> Workspace::Open(const std::filesystem::path& folder, Clock& clock) {
  std::error_code ec;
  const bool fresh = !fs::exists(folder / "rondo.db", ec);
  RONDO_DO(MakeDirs(folder));
  // The data folder of a project lies inside its repository.
  if (fresh && folder.filename() == ".rondo" && !fs::exists(folder / ".gitignore", ec)) RONDO_DO(WriteFileAtomic(folder / ".gitignore", "/*\n"));
  std::unique_ptr<Workspace> w(new Workspace());
  w->folder_ = fs::absolute(folder, ec);
  w->clock_ = &clock;
  RONDO_TRY(w->db_, db::OpenSqlite(w->folder_ / "rondo.db"));
  RONDO_DO(w->db_->Migrate("tracking", tracking::Migrations()));
  RONDO_DO(w->db_->Migrate("registry", registry::Migrations()));
  RONDO_DO(w->db_->Migrate("govern", govern::Migrations()));
  RONDO_DO(w->db_->Migrate("data", data::Migrations()));
  if (fresh) {
    RONDO_DO(w->db_->Write([&](db::Session& s) -> Status {
      RONDO_TRY(const int64_t n, s.Exec("UPDATE experiment SET creation_time = $1, last_update_time = $1 WHERE id = 0 AND creation_time = 0", {clock.NowMs()}));
      (void)n;
      return {};
    }));
  }
  RONDO_TRY(w->artifacts_, blob::OpenLocal(w->folder_ / "artifacts"));
  w->tracking_ = tracking::MakeTracking(*w->db_, clock);
  w->logged_models_ = tracking::MakeLoggedModels(*w->db_, clock);
  w->registry_ = registry::MakeRegistry(*w->db_, clock);
  w->audit_ = govern::MakeAudit(*w->db_, clock);
  w->approvals_ = govern::MakeApprovals(*w->db_, clock);
  return w;
}

Result<std::string> Workspace::ArtifactName(const std::string& uri) {
  if (!uri.starts_with(kScheme)) return Fail(Code::kUnsupported, "artifacts at " + uri + " are not kept in this data folder");
  std::string name = uri.substr(kScheme.size());
  if (name.starts_with('/')) {  // with a host: mlflow-artifacts://host/0/...
    const size_t slash = name.find('/', 1);
    name = slash == std::string::npos ? std::string() : name.substr(slash + 1);
  }
  while (name.ends_with('/')) name.pop_back();
  RONDO_DO(blob::CheckName(name));
  return name;
}

Status Workspace::LogArtifact(const tracking::Run& run, const std::filesystem::path& file, const std::string& path) {
  RONDO_TRY(const std::string name, ArtifactName(run.artifact_uri));
  RONDO_DO(blob::CheckName(path));
  return artifacts_->PutFile(name + "/" + path, file);
}

Result<std::filesystem::path> Workspace::ArtifactPath(const std::string& artifact_uri, const std::string& path) {
  RONDO_TRY(std::string name, ArtifactName(artifact_uri));
  if (!path.empty()) {
    RONDO_DO(blob::CheckName(path));
    name += "/" + path;
  }
  return artifacts_->LocalPath(name);
}

Result<std::string> Workspace::SecretKey() {
  const fs::path path = folder_ / "secret.key";
  const auto read = [&]() -> Result<std::string> {
    RONDO_TRY(std::string key, ReadFile(path, 1024));
    while (!key.empty() && (key.back() == '\n' || key.back() == ' ')) key.pop_back();
    if (key.size() < 32) return Fail(Code::kEnvironment, path.string() + " is damaged: " + std::to_string(key.size()) + " characters", "restore it from a backup: pseudonyms made with it cannot be made again otherwise");
    return key;
  };
  if (auto key = read(); key || key.error().code != Code::kNotFound) return key;
  // Two processes that need the key for the first time must end up with the same one.
  for (int attempt = 0; attempt < 100; ++attempt) {
    auto lock = FileLock::TryLock(folder_ / "secret.lock");
    if (lock) {
      if (auto key = read(); key || key.error().code != Code::kNotFound) return key;
      RONDO_DO(WriteFileAtomic(path, RandomHex(32) + "\n", 0600));
      return read();
    }
    if (lock.error().code != Code::kConflict) return std::unexpected(lock.error());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return Fail(Code::kUnavailable, "another process holds " + (folder_ / "secret.lock").string());
}

namespace {

constexpr std::string_view kAliasVersion = "SELECT a.version FROM model_alias a JOIN registered_model m ON m.id = a.model WHERE m.name = $1 AND a.alias = $2";

Status AuditAlias(db::Session& s, int64_t now, const char* action, const std::string& model, const std::string& alias, std::optional<int64_t> before, std::optional<int64_t> after,
                  const std::string& actor, const std::string& reason) {
  govern::AuditEntry entry;
  entry.actor = actor;
  entry.action = action;
  entry.object = fmt::format("model {}@{}", model, alias);
  entry.reason = reason;
  if (before) entry.before = Json::MakeObject().Set("version", *before);
  if (after) entry.after = Json::MakeObject().Set("version", *after);
  RONDO_TRY(const auto appended, govern::AppendAudit(s, now, std::move(entry)));
  (void)appended;
  return {};
}

}  // namespace

// A running server polls the database's change counter: the commit is the message.
Status Workspace::MoveAlias(const std::string& model, const std::string& alias, int64_t version, const std::string& actor, const std::string& reason) {
  return db_->Write([&](db::Session& s) -> Status {
    RONDO_TRY(const auto before, s.QueryInt(kAliasVersion, {model, alias}));
    RONDO_DO(registry::SetAlias(s, clock_->NowMs(), model, alias, version, actor, reason));
    if (before == version) return {};
    return AuditAlias(s, clock_->NowMs(), "alias.set", model, alias, before, version, actor, reason);
  });
}

Status Workspace::DropAlias(const std::string& model, const std::string& alias, const std::string& actor, const std::string& reason) {
  return db_->Write([&](db::Session& s) -> Status {
    RONDO_TRY(const auto before, s.QueryInt(kAliasVersion, {model, alias}));
    RONDO_DO(registry::DeleteAlias(s, clock_->NowMs(), model, alias, actor, reason));
    if (!before) return {};
    return AuditAlias(s, clock_->NowMs(), "alias.delete", model, alias, before, std::nullopt, actor, reason);
  });
}

}  // namespace rondo::workspace
