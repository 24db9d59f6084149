// Registered models.
#include <fmt/format.h>

#include <algorithm>

#include "registry/store.h"

namespace rondo::registry {
namespace {

constexpr std::string_view kFind = "SELECT id FROM registered_model WHERE name = $1";
constexpr std::string_view kSelect = "SELECT name, description, creation_time, last_update_time FROM registered_model WHERE id = $1";
constexpr std::string_view kTags = "SELECT key, value FROM registered_model_tag WHERE model = $1 ORDER BY key";
constexpr std::string_view kAliases = "SELECT alias, version FROM model_alias WHERE model = $1 ORDER BY alias";
constexpr std::string_view kLatest = "SELECT max(version) FROM model_version WHERE model = $1 AND stage <> 'Deleted_Internal' GROUP BY stage ORDER BY 1";
constexpr std::string_view kInsert = "INSERT INTO registered_model (name, description, creation_time, last_update_time) VALUES ($1, $2, $3, $3) RETURNING id";
constexpr std::string_view kPutTag = "INSERT INTO registered_model_tag (model, key, value) VALUES ($1, $2, $3) ON CONFLICT (model, key) DO UPDATE SET value = excluded.value";
constexpr std::string_view kDeleteTag = "DELETE FROM registered_model_tag WHERE model = $1 AND key = $2";
constexpr std::string_view kDescribe = "UPDATE registered_model SET description = $2, last_update_time = $3 WHERE id = $1";
constexpr std::string_view kTouch = "UPDATE registered_model SET last_update_time = $2 WHERE id = $1";
constexpr std::string_view kRename = "UPDATE registered_model SET name = $2, last_update_time = $3 WHERE id = $1";
constexpr std::string_view kRenameHistory = "UPDATE alias_history SET model = $2 WHERE model = $1";
constexpr std::string_view kRenameEdgesFrom = "UPDATE edge SET from_id = $2 || substr(from_id, length($1) + 1) WHERE from_kind = 'version' AND substr(from_id, 1, length($1) + 1) = $1 || '/'";
constexpr std::string_view kRenameEdgesTo = "UPDATE edge SET to_id = $2 || substr(to_id, length($1) + 1) WHERE to_kind = 'version' AND substr(to_id, 1, length($1) + 1) = $1 || '/'";
constexpr std::string_view kDelete[] = {
    "DELETE FROM model_alias WHERE model = $1",       "DELETE FROM model_version_tag WHERE model = $1", "DELETE FROM model_version WHERE model = $1",
    "DELETE FROM registered_model_tag WHERE model = $1", "DELETE FROM registered_model WHERE id = $1"};

Result<int64_t> NewModel(db::Session& s, int64_t now, const std::string& name, const std::string& description, const Tags& tags) {
  RONDO_TRY(const auto id, s.QueryInt(kInsert, {name, description, now}));
  Json told = Json::MakeObject();
  for (const auto& [key, value] : tags) {
    RONDO_DO(Do(s, kPutTag, {id, key, value}));
    told.Set(key, value);
  }
  Json data = Json::MakeObject().Set("name", name).Set("tags", std::move(told)).Set("description", description.empty() ? Json() : Json(description));
  RONDO_DO(AnnounceChange(s, now, id.value_or(0), "registered_model.created", std::move(data)));
  return id.value_or(0);
}

}  // namespace

Status Do(db::Session& s, std::string_view sql, const db::Args& args) {
  RONDO_TRY(const int64_t changed, s.Exec(sql, args));
  (void)changed;
  return {};
}

Status CheckModelName(const std::string& name) {
  if (name.find_first_not_of(" \t\r\n") == std::string::npos) return Fail(Code::kInvalid, "Missing value for required parameter 'name'.");
  if (name.find_first_of("/:") != std::string::npos) return Fail(Code::kInvalid, fmt::format("Invalid model name '{}'. Names cannot contain '/' or ':'.", name.substr(0, 300)));
  if (name == "." || name.starts_with(".."))
    return Fail(Code::kInvalid, fmt::format("Invalid value \"{0}\" for parameter 'name' supplied: Names may be treated as files in certain cases, and must not resolve to other names when "
                                            "treated as such. This name would resolve to '{0}'",
                                            name.substr(0, 300)));
  const bool controls = std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  if (name.size() > 256 || controls) return Fail(Code::kInvalid, fmt::format("Invalid model name '{}...': at most 256 bytes, no control characters", name.substr(0, 50)));
  return {};
}

Status CheckTag(const std::string& key, const std::string& value) {
  if (key.empty()) return Fail(Code::kInvalid, "Missing value for required parameter 'key'.");
  if (key.size() > 250) return Fail(Code::kInvalid, "'key' exceeds the maximum length of 250 characters");
  if (value.size() > 100'000) return Fail(Code::kInvalid, "'value' exceeds the maximum length of 100000 characters");
  return {};
}

Result<int64_t> FindModel(db::Session& s, const std::string& name) {
  RONDO_TRY(const auto id, s.QueryInt(kFind, {name}));
  if (!id) return Fail(Code::kNotFound, fmt::format("Registered Model with name={} not found", name));
  return *id;
}

Result<Model> LoadModel(db::Session& s, int64_t id) {
  Model m;
  RONDO_DO(s.Query(kSelect, {id}, [&](const db::Row& r) {
    m.name = r.String(0);
    m.description = r.String(1);
    m.creation_time = r.Int(2);
    m.last_update_time = r.Int(3);
    return false;
  }));
  RONDO_DO(s.Query(kTags, {id}, [&](const db::Row& r) {
    m.tags.emplace_back(r.String(0), r.String(1));
    return true;
  }));
  RONDO_DO(s.Query(kAliases, {id}, [&](const db::Row& r) {
    m.aliases.emplace_back(r.String(0), r.Int(1));
    return true;
  }));
  std::vector<int64_t> latest;
  RONDO_DO(s.Query(kLatest, {id}, [&](const db::Row& r) {
    latest.push_back(r.Int(0));
    return true;
  }));
  for (const int64_t version : latest) {
    RONDO_TRY(Version v, LoadVersion(s, id, version));
    m.latest_versions.push_back(std::move(v));
  }
  return m;
}

Status TouchModel(db::Session& s, int64_t model, int64_t now) { return Do(s, kTouch, {model, now}); }

Result<Model> Store::CreateModel(const std::string& name, const std::string& description, const Tags& tags) {
  RONDO_DO(CheckModelName(name));
  for (const auto& [key, value] : tags) RONDO_DO(CheckTag(key, value));
  return db::Store<Model>(db_, [&](db::Session& s) -> Result<Model> {
    RONDO_TRY(const auto present, s.QueryInt(kFind, {name}));
    if (present) return Fail(Code::kAlreadyExists, fmt::format("Registered Model (name={}) already exists.", name));
    RONDO_TRY(const int64_t id, NewModel(s, clock_.NowMs(), name, description, tags));
    return LoadModel(s, id);
  });
}

Result<Model> Store::EnsureModel(const std::string& name) {
  RONDO_DO(CheckModelName(name));
  if (auto present = GetModel(name); present || present.error().code != Code::kNotFound) return present;
  return db::Store<Model>(db_, [&](db::Session& s) -> Result<Model> {
    RONDO_TRY(auto id, s.QueryInt(kFind, {name}));
    if (!id) {
      RONDO_TRY(id, NewModel(s, clock_.NowMs(), name, {}, {}));
    }
    return LoadModel(s, *id);
  });
}

Result<Model> Store::GetModel(const std::string& name) {
  return db::Fetch<Model>(db_, [&](db::Session& s) -> Result<Model> {
    RONDO_TRY(const int64_t id, FindModel(s, name));
    return LoadModel(s, id);
  });
}

Status Store::UpdateModel(const std::string& name, const std::string& description) {
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t id, FindModel(s, name));
    return Do(s, kDescribe, {id, description, clock_.NowMs()});
  });
}

Status Store::RenameModel(const std::string& name, const std::string& new_name) {
  if (new_name.find_first_not_of(" \t\r\n") == std::string::npos) return Fail(Code::kInvalid, "Missing value for required parameter 'new_name'.");
  RONDO_DO(CheckModelName(new_name));
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t id, FindModel(s, name));
    RONDO_TRY(const auto other, s.QueryInt(kFind, {new_name}));
    if (other && *other != id) return Fail(Code::kAlreadyExists, fmt::format("Registered Model (name={}) already exists.", new_name));
    RONDO_DO(Do(s, kRename, {id, new_name, clock_.NowMs()}));
    RONDO_DO(Do(s, kRenameHistory, {name, new_name}));
    RONDO_DO(Do(s, kRenameEdgesFrom, {name, new_name}));
    return Do(s, kRenameEdgesTo, {name, new_name});
  });
}

Status Store::DeleteModel(const std::string& name) {
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t id, FindModel(s, name));
    for (const std::string_view sql : kDelete) RONDO_DO(Do(s, sql, {id}));
    return {};
  });
}

Status Store::SetModelTag(const std::string& name, const std::string& key, const std::string& value) {
  RONDO_DO(CheckTag(key, value));
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t id, FindModel(s, name));
    RONDO_DO(Do(s, kPutTag, {id, key, value}));
    return AnnounceChange(s, clock_.NowMs(), id, "registered_model_tag.set", Json::MakeObject().Set("name", name).Set("key", key).Set("value", value));
  });
}

Status Store::DeleteModelTag(const std::string& name, const std::string& key) {
  return db_.Write([&](db::Session& s) -> Status {
    RONDO_TRY(const int64_t id, FindModel(s, name));
    RONDO_DO(Do(s, kDeleteTag, {id, key}));
    return AnnounceChange(s, clock_.NowMs(), id, "registered_model_tag.deleted", Json::MakeObject().Set("name", name).Set("key", key));
  });
}

std::unique_ptr<Registry> MakeRegistry(db::Database& db, Clock& clock) { return std::make_unique<Store>(db, clock); }

}  // namespace rondo::registry
