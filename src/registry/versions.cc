// Model versions.
#include <fmt/format.h>

#include <algorithm>

#include "registry/store.h"

namespace rondo::registry {
namespace {

constexpr std::string_view kSelect =
    "SELECT m.name, v.version, v.creation_time, v.last_update_time, v.user_id, v.description, v.source, v.run_id, v.status, v.stage, v.digest, v.facts "
    "FROM model_version v JOIN registered_model m ON m.id = v.model WHERE v.model = $1 AND v.version = $2";
constexpr std::string_view kAliases = "SELECT alias FROM model_alias WHERE model = $1 AND version = $2 ORDER BY alias";
constexpr std::string_view kTags = "SELECT key, value FROM model_version_tag WHERE model = $1 AND version = $2 ORDER BY key";
constexpr std::string_view kLive = "SELECT version FROM model_version WHERE model = $1 AND version = $2 AND stage <> 'Deleted_Internal'";
constexpr std::string_view kAll = "SELECT version FROM model_version WHERE model = $1 AND stage <> 'Deleted_Internal' ORDER BY version DESC";
constexpr std::string_view kByDigest = "SELECT max(version) FROM model_version WHERE model = $1 AND digest = $2 AND stage <> 'Deleted_Internal'";
constexpr std::string_view kNext = "SELECT coalesce(max(version), 0) + 1 FROM model_version WHERE model = $1";
constexpr std::string_view kInsert =
    "INSERT INTO model_version (model, version, creation_time, last_update_time, user_id, description, source, run_id, status, stage, digest, facts) "
    "VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
constexpr std::string_view kDescribe = "UPDATE model_version SET description = $3, last_update_time = $4 WHERE model = $1 AND version = $2";
constexpr std::string_view kFacts = "UPDATE model_version SET facts = $3, last_update_time = $4 WHERE model = $1 AND version = $2";
constexpr std::string_view kDigest = "UPDATE model_version SET digest = $3 WHERE model = $1 AND version = $2 AND (digest = '' OR digest = $3)";
constexpr std::string_view kStage = "UPDATE model_version SET stage = $3, last_update_time = $4 WHERE model = $1 AND version = $2";
constexpr std::string_view kArchive = "UPDATE model_version SET stage = 'Archived', last_update_time = $4 WHERE model = $1 AND version <> $2 AND stage = $3";
constexpr std::string_view kDelete =
    "UPDATE model_version SET stage = 'Deleted_Internal', last_update_time = $3, description = '', user_id = '', source = 'REDACTED-SOURCE-PATH', run_id = 'REDACTED-RUN-ID' "
    "WHERE model = $1 AND version = $2";
constexpr std::string_view kPutTag =
    "INSERT INTO model_version_tag (model, version, key, value) VALUES ($1, $2, $3, $4) ON CONFLICT (model, version, key) DO UPDATE SET value = excluded.value";
constexpr std::string_view kDeleteTag = "DELETE FROM model_version_tag WHERE model = $1 AND version = $2 AND key = $3";
constexpr std::string_view kStages[] = {"None", "Staging", "Production", "Archived"};

Result<std::string> CanonicalStage(const std::string& stage) {
  const auto lower = [](std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
  };
  for (const std::string_view known : kStages)
    if (lower(known) == lower(stage)) return std::string(known);
  return Fail(Code::kInvalid, fmt::format("Invalid Model Version stage: {}. Value must be one of None, Staging, Production, Archived.", stage.substr(0, 100)));
}

}  // namespace

Result<int64_t> FindVersion(db::Session& s, const std::string& name, int64_t version) {
  const auto missing = [&] { return Fail(Code::kNotFound, fmt::format("Model Version (name={}, version={}) not found", name, version)); };
  const auto model = FindModel(s, name);
  if (!model) return model.error().code == Code::kNotFound ? Result<int64_t>(missing()) : model;
  RONDO_TRY(const auto live, s.QueryInt(kLive, {*model, version}));
  if (!live) return missing();
  return *model;
}

Result<Version> LoadVersion(db::Session& s, int64_t model, int64_t version) {
  Version v;
  std::string facts;
  RONDO_DO(s.Query(kSelect, {model, version}, [&](const db::Row& r) {
    v.name = r.String(0);
    v.version = r.Int(1);
    v.creation_time = r.Int(2);
    v.last_update_time = r.Int(3);
    v.user_id = r.String(4);
    v.description = r.String(5);
    v.source = r.String(6);
    v.run_id = r.String(7);
    v.status = r.String(8);
    v.current_stage = r.String(9);
    v.digest = r.String(10);
    facts = r.String(11);
    return false;
  }));
  RONDO_DO(s.Query(kAliases, {model, version}, [&](const db::Row& r) {
    v.aliases.push_back(r.String(0));
    return true;
  }));
  RONDO_DO(s.Query(kTags, {model, version}, [&](const db::Row& r) {
    v.tags.emplace_back(r.String(0), r.String(1));
    return true;
  }));
  if (!facts.empty()) {
    RONDO_TRY(v.facts, ParseJson(facts));
  }
  return v;
}

Result<Version> Store::CreateVersion(const Version& request) {
  RONDO_DO(CheckModelName(request.name));
  for (const auto& [key, value] : request.tags) RONDO_DO(CheckTag(key, value));
  RONDO_TRY(const std::string stage, CanonicalStage(request.current_stage));
  return db::Store<Version>(db_, [&](db::Session& s) -> Result<Version> {
    RONDO_TRY(const int64_t model, FindModel(s, request.name));
    if (!request.digest.empty()) {
      RONDO_TRY(const auto same, s.QueryInt(kByDigest, {model, request.digest}));
      if (same) return LoadVersion(s, model, *same);
    }
    RONDO_TRY(const auto next, s.QueryInt(kNext, {model}));
    const int64_t now = clock_.NowMs();
    const std::string facts = request.facts.IsNull() ? std::string() : request.facts.Dump();
    RONDO_DO(Do(s, kInsert, {model, next, now, request.user_id, request.description, request.source, request.run_id, request.status, stage, request.digest, facts}));
    Json told = Json::MakeObject();
    for (const auto& [key, value] : request.tags) {
      RONDO_DO(Do(s, kPutTag, {model, next, key, value}));
      told.Set(key, value);
    }
    Json data = Json::MakeObject().Set("name", request.name).Set("version", std::to_string(*next)).Set("source", request.source);
    data.Set("run_id", request.run_id.empty() ? Json() : Json(request.run_id)).Set("tags", std::move(told)).Set("description", request.description.empty() ? Json() : Json(request.description));
    RONDO_DO(AnnounceChange(s, now, model, "model_version.created", std::move(data)));
    RONDO_DO(TouchModel(s, model, now));
    return LoadVersion(s, model, *next);
  });
}

Result<Version> Store::GetVersion(const std::string& name, int64_t version) {
  return db::Fetch<Version>(db_, [&](db::Session& s) -> Result<Version> {
    RONDO_TRY(const int64_t model, FindVersion(s, name, version));
    return LoadVersion(s, model, version);
  });
}

Result<std::vector<Version>> Store::Versions(const std::string& name) {
  return db::Fetch<std::vector<Version>>(db_, [&](db::Session& s) -> Result<std::vector<Version>> {
    RONDO_TRY(const int64_t model, FindModel(s, name));
    std::vector<int64_t> numbers;
    RONDO_DO(s.Query(kAll, {model}, [&](const db::Row& r) {
      numbers.push_back(r.Int(0));
      return true;
    }));
    std::vector<Version> out;
    for (const int64_t number : numbers) {
      RONDO_TRY(Version v, LoadVersion(s, model, number));
      out.push_back(std::move(v));
    }
    return out;
  });
}

Status Store::UpdateVersion(const std::string& name, int64_t version, const std::string& description) {
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t model, FindVersion(s, name, version));
    return Do(s, kDescribe, {model, version, description, clock_.NowMs()});
  });
}

Status Store::SetDigest(const std::string& name, int64_t version, const std::string& digest) {
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t model, FindVersion(s, name, version));
    RONDO_TRY(const int64_t changed, s.Exec(kDigest, {model, version, digest}));
    if (changed == 0) return Fail(Code::kConflict, fmt::format("version {}/{} is bound to other bytes", name, version), "register the new bytes as a new version");
    return {};
  });
}

Status Store::SetFacts(const std::string& name, int64_t version, const Json& facts) {
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t model, FindVersion(s, name, version));
    return Do(s, kFacts, {model, version, facts.Dump(), clock_.NowMs()});
  });
}

Status Store::DeleteVersion(const std::string& name, int64_t version) {
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t model, FindVersion(s, name, version));
    const int64_t now = clock_.NowMs();
    RONDO_TRY(const Version v, LoadVersion(s, model, version));
    for (const std::string& alias : v.aliases) RONDO_DO(registry::DeleteAlias(s, now, name, alias, "rondo", fmt::format("version {} was deleted", version)));
    RONDO_DO(Do(s, kDelete, {model, version, now}));
    return TouchModel(s, model, now);
  });
}

Status Store::SetVersionTag(const std::string& name, int64_t version, const std::string& key, const std::string& value) {
  RONDO_DO(CheckTag(key, value));
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t model, FindVersion(s, name, version));
    RONDO_DO(Do(s, kPutTag, {model, version, key, value}));
    return AnnounceChange(s, clock_.NowMs(), model, "model_version_tag.set",
                          Json::MakeObject().Set("name", name).Set("version", std::to_string(version)).Set("key", key).Set("value", value));
  });
}

Status Store::DeleteVersionTag(const std::string& name, int64_t version, const std::string& key) {
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t model, FindVersion(s, name, version));
    RONDO_DO(Do(s, kDeleteTag, {model, version, key}));
    return AnnounceChange(s, clock_.NowMs(), model, "model_version_tag.deleted", Json::MakeObject().Set("name", name).Set("version", std::to_string(version)).Set("key", key));
  });
}

Status Store::TransitionStage(const std::string& name, int64_t version, const std::string& wanted, bool archive_existing) {
  RONDO_TRY(const std::string stage, CanonicalStage(wanted));
  if (archive_existing && stage != "Staging" && stage != "Production")
    return Fail(Code::kInvalid, fmt::format("Model version transition cannot archive existing model versions because '{}' is not an Active stage. Valid stages are ('Staging', 'Production')", wanted));
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t model, FindVersion(s, name, version));
    const int64_t now = clock_.NowMs();
    if (archive_existing) RONDO_DO(Do(s, kArchive, {model, version, stage, now}));
    RONDO_DO(Do(s, kStage, {model, version, stage, now}));
    return TouchModel(s, model, now);
  });
}

}  // namespace rondo::registry
