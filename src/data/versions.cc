// Dataset versions in the metadata database.
#include <fmt/format.h>

#include "base/json_map.h"
#include "data/dataset.h"

namespace rondo::data {
namespace {

constexpr const char* kColumns = "dataset, md5, number, time, row_count, bytes, source, source_md5, git_commit, pipeline_run, schema_json, profile_json, check_json, accepted";

// What came first stays (number, time, origin); profile and verdict follow the latest that has one.
constexpr const char* kUpsert = R"sql(
INSERT INTO dataset_version (dataset, md5, number, time, row_count, bytes, source, source_md5, git_commit, pipeline_run, schema_json, profile_json, check_json, accepted)
VALUES ($1, $2, (SELECT coalesce(max(number), 0) + 1 FROM dataset_version WHERE dataset = $1), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (dataset, md5) DO UPDATE SET
  schema_json = CASE WHEN excluded.schema_json = '[]' THEN dataset_version.schema_json ELSE excluded.schema_json END,
  profile_json = CASE WHEN excluded.profile_json = 'null' THEN dataset_version.profile_json ELSE excluded.profile_json END,
  accepted = CASE WHEN excluded.check_json = 'null' THEN dataset_version.accepted ELSE excluded.accepted END,
  check_json = CASE WHEN excluded.check_json = 'null' THEN dataset_version.check_json ELSE excluded.check_json END)sql";

Result<DatasetVersion> FromRow(const db::Row& row) {
  DatasetVersion v;
  v.dataset = row.String(0);
  v.md5 = row.String(1);
  v.number = row.Int(2);
  v.time = row.Int(3);
  v.rows = row.Int(4);
  v.bytes = row.Int(5);
  v.source = row.String(6);
  v.source_md5 = row.String(7);
  v.commit = row.String(8);
  v.pipeline_run = row.String(9);
  RONDO_TRY(v.schema, ReadJson<std::vector<SchemaColumn>>(row.Text(10)));
  RONDO_TRY(v.profile, ParseJson(row.Text(11)));
  RONDO_TRY(v.check, ParseJson(row.Text(12)));
  v.accepted = row.Int(13) != 0;
  return v;
}

Result<std::vector<DatasetVersion>> Select(db::Session& session, const std::string& rest, const db::Args& args) {
  std::vector<DatasetVersion> out;
  Status failed;
  RONDO_DO(session.Query(fmt::format("SELECT {} FROM dataset_version {}", kColumns, rest), args, [&](const db::Row& row) {
    auto version = FromRow(row);
    if (!version) {
      failed = std::unexpected(version.error());
      return false;
    }
    out.push_back(std::move(*version));
    return true;
  }));
  RONDO_DO(failed);
  return out;
}

}  // namespace

Result<DatasetVersion> RecordVersion(db::Database& db, const DatasetVersion& v) {
  if (v.dataset.empty() || v.md5.empty()) return Fail(Code::kInternal, "a dataset version needs a name and a hash");
  return db::Store<DatasetVersion>(db, [&](db::Session& session) -> Result<DatasetVersion> {
    RONDO_TRY([[maybe_unused]] const int64_t changed,
              session.Exec(kUpsert, {v.dataset, v.md5, v.time, v.rows, v.bytes, v.source, v.source_md5, v.commit, v.pipeline_run, WriteJson(v.schema), v.profile.Dump(), v.check.Dump(), v.accepted}));
    RONDO_TRY(auto stored, Select(session, "WHERE dataset = $1 AND md5 = $2", {v.dataset, v.md5}));
    if (stored.empty()) return Fail(Code::kInternal, "the dataset version was not stored");
    return std::move(stored[0]);
  });
}

Result<std::optional<DatasetVersion>> LastAccepted(db::Database& db, const std::string& dataset, const std::string& not_md5) {
  return db::Fetch<std::optional<DatasetVersion>>(db, [&](db::Session& session) -> Result<std::optional<DatasetVersion>> {
    RONDO_TRY(auto found, Select(session, "WHERE dataset = $1 AND md5 <> $2 AND accepted = 1 ORDER BY number DESC LIMIT 1", {dataset, not_md5}));
    return found.empty() ? std::nullopt : std::optional(std::move(found[0]));
  });
}

Result<std::vector<DatasetVersion>> ListVersions(db::Database& db, const std::string& dataset) {
  return db::Fetch<std::vector<DatasetVersion>>(db, [&](db::Session& session) {
    return dataset.empty() ? Select(session, "ORDER BY time DESC, dataset, number DESC", {}) : Select(session, "WHERE dataset = $1 ORDER BY number DESC", {dataset});
  });
}

Result<DatasetVersion> GetVersion(db::Database& db, const std::string& md5) {
  return db::Fetch<DatasetVersion>(db, [&](db::Session& session) -> Result<DatasetVersion> {
    RONDO_TRY(auto found, Select(session, "WHERE md5 = $1 ORDER BY time DESC, dataset LIMIT 1", {md5}));
    if (found.empty()) return Fail(Code::kNotFound, fmt::format("there is no dataset version {}", md5), "`rondo data list` shows the versions");
    return std::move(found[0]);
  });
}

}  // namespace rondo::data
