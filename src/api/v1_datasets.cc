// Datasets and their versions: contract, profile against the version before, what used them.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "api/v1.h"
#include "data/dataset.h"
#include "project/spec.h"

namespace rondo::api {
namespace {

struct DatasetVersionJson {
  std::string dataset;
  int64_t number = 0;
  std::string md5;
  int64_t time = 0, rows = 0, bytes = 0;
  size_t columns = 0;
  std::string source, commit, pipeline_run;
  bool accepted = false;
  int64_t errors = 0, warnings = 0, checks = 0;
  std::vector<std::string> added, removed, retyped;
};
BOOST_DESCRIBE_STRUCT(DatasetVersionJson, (), (dataset, number, md5, time, rows, bytes, columns, source, commit, pipeline_run, accepted, errors, warnings, checks, added, removed, retyped))

struct DatasetVersionDetailJson : DatasetVersionJson {
  std::vector<data::SchemaColumn> schema;
  Json profile, previous;
  std::optional<int64_t> previous_number;
  Json check;
  std::vector<Ref> used_by, came_from;
};
BOOST_DESCRIBE_STRUCT(DatasetVersionDetailJson, (DatasetVersionJson), (schema, profile, previous, previous_number, check, used_by, came_from))

struct DatasetSummaryJson {
  std::string name, source;
  size_t versions = 0;
  std::optional<DatasetVersionJson> latest;
};
BOOST_DESCRIBE_STRUCT(DatasetSummaryJson, (), (name, source, versions, latest))

/// `before`: the version before it; null for the first.
void FillDataset(DatasetVersionJson& out, const data::DatasetVersion& v, const data::DatasetVersion* before) {
  out.dataset = v.dataset;
  out.number = v.number;
  out.md5 = v.md5;
  out.time = v.time;
  out.rows = v.rows;
  out.bytes = v.bytes;
  out.columns = v.schema.size();
  out.source = v.source;
  out.commit = v.commit;
  out.pipeline_run = v.pipeline_run;
  out.accepted = v.accepted;
  out.checks = v.check["checks"].AsInt();
  for (const Json& anomaly : v.check["anomalies"].AsArray()) ++(anomaly["severity"].AsString() == "ERROR" ? out.errors : out.warnings);
  if (!before) return;
  std::map<std::string, std::string> old;
  for (const data::SchemaColumn& c : before->schema) old[c.name] = c.type;
  for (const data::SchemaColumn& c : v.schema) {
    const auto it = old.find(c.name);
    if (it == old.end()) {
      out.added.push_back(c.name);
    } else {
      if (it->second != c.type) out.retyped.push_back(c.name);
      old.erase(it);
    }
  }
  for (const auto& [name, type] : old) out.removed.push_back(name);
}

std::vector<DatasetVersionJson> DatasetList(const std::vector<data::DatasetVersion>& versions) {
  std::vector<DatasetVersionJson> out(versions.size());
  for (size_t i = 0; i < versions.size(); ++i) FillDataset(out[i], versions[i], i + 1 < versions.size() ? &versions[i + 1] : nullptr);
  return out;
}

Result<net::Response> ListDatasets(Call& call) {
  RONDO_TRY(const auto all, data::ListVersions(call.workspace().db(), ""));
  std::map<std::string, std::vector<data::DatasetVersion>> by_name;
  for (const data::DatasetVersion& v : all) by_name[v.dataset].push_back(v);
  std::vector<DatasetSummaryJson> out;
  const auto add = [&](const std::string& name, const std::string& source) {
    DatasetSummaryJson& row = out.emplace_back();
    row.name = name;
    row.source = source;
    const auto it = by_name.find(name);
    if (it == by_name.end()) return;
    auto versions = it->second;
    std::ranges::sort(versions, std::ranges::greater{}, &data::DatasetVersion::number);
    row.versions = versions.size();
    row.latest = DatasetList(versions).front();
    if (row.source.empty()) row.source = versions.front().source;
    by_name.erase(it);
  };
  // Those of rondo.yaml in its order, also before their first ingest; then what earlier configurations left.
  if (const auto project = ProjectOf(call.context())) {
    for (const project::Dataset& d : project->data) add(d.name, d.from.empty() ? d.sql : d.from);
  }
  std::vector<std::string> rest;
  for (const auto& [name, versions] : by_name) rest.push_back(name);
  for (const std::string& name : rest) add(name, "");
  return JsonResponse(ToJson(out));
}

Result<std::vector<data::DatasetVersion>> VersionsOf(Call& call) {
  const std::string& name = call.Path("name");
  RONDO_TRY(auto versions, data::ListVersions(call.workspace().db(), name));
  const auto project = ProjectOf(call.context());
  const bool declared = project && project->FindDataset(name);
  if (versions.empty() && !declared) return Fail(Code::kNotFound, fmt::format("there is no dataset \"{}\"", name), "/api/v1/datasets lists them");
  std::ranges::sort(versions, std::ranges::greater{}, &data::DatasetVersion::number);
  return versions;
}

Result<net::Response> OneDataset(Call& call) {
  RONDO_TRY(const auto versions, VersionsOf(call));
  return JsonResponse(ToJson(DatasetList(versions)));
}

Result<net::Response> OneDatasetVersion(Call& call) {
  RONDO_TRY(const auto versions, VersionsOf(call));
  const std::string& wanted = call.Path("number");
  const auto it = std::ranges::find_if(versions, [&](const data::DatasetVersion& v) { return std::to_string(v.number) == wanted || v.md5 == wanted; });
  if (it == versions.end())
    return Fail(Code::kNotFound, fmt::format("{} has no version \"{}\"", call.Path("name"), wanted), fmt::format("it has {}", versions.size()));
  const data::DatasetVersion* before = it + 1 == versions.end() ? nullptr : &*(it + 1);
  DatasetVersionDetailJson out;
  FillDataset(out, *it, before);
  out.schema = it->schema;
  out.profile = it->profile;
  out.check = it->check;
  if (before) {
    out.previous = before->profile;
    out.previous_number = before->number;
  }
  RONDO_TRY(out.used_by, Neighbours(call.workspace(), "dataset", it->md5, false));
  // What came from the runs that read it counts as well: that is the question behind "used by".
  const std::vector<Ref> direct = out.used_by;
  for (const Ref& ref : direct) {
    if (ref.kind != "run" || out.used_by.size() > 200) continue;
    RONDO_TRY(const auto made, Neighbours(call.workspace(), "run", ref.id, false));
    out.used_by.insert(out.used_by.end(), made.begin(), made.end());
  }
  RONDO_TRY(out.came_from, Neighbours(call.workspace(), "dataset", it->md5, true));
  const auto add = [&](const char* kind, const std::string& id) {
    if (!id.empty() && std::ranges::none_of(out.came_from, [&](const Ref& r) { return r.kind == kind && r.id == id; })) out.came_from.push_back({kind, id, {}});
  };
  add("pipeline_run", it->pipeline_run);
  add("commit", it->commit);
  return JsonResponse(ToJson(out));
}

}  // namespace

void AddV1Datasets(Router& router) {
  router.Get("/api/v1/datasets", Permission::kRead | Scope::kServer, "Datasets with their newest version", ListDatasets);
  router.Get("/api/v1/datasets/{name}", Permission::kRead | Scope::kServer, "Versions of a dataset, newest first", OneDataset);
  router.Get("/api/v1/datasets/{name}/{number}", Permission::kRead | Scope::kServer, "One dataset version: contract, profile, uses", OneDatasetVersion);
}

}  // namespace rondo::api
