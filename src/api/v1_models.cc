// Registered models: the list, and a model's biography.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/model_json.h"

namespace rondo::api {
namespace {

struct AliasChangeJson {
  std::string model, alias;
  std::optional<int64_t> from, to;
  int64_t time = 0;
  std::string actor, reason;
};
BOOST_DESCRIBE_STRUCT(AliasChangeJson, (), (model, alias, from, to, time, actor, reason))

struct ModelSummaryJson {
  std::string name, description;
  size_t versions = 0;
  int64_t updated = 0;
  std::map<std::string, int64_t> aliases;
  std::vector<std::string> endpoints;
  std::optional<VersionRowJson> champion;
};
BOOST_DESCRIBE_STRUCT(ModelSummaryJson, (), (name, description, versions, updated, aliases, endpoints, champion))

struct ModelDetailJson : ModelSummaryJson {
  std::vector<VersionRowJson> rows;
  std::vector<AliasChangeJson> history;
};
BOOST_DESCRIBE_STRUCT(ModelDetailJson, (ModelSummaryJson), (rows, history))

Status FillModel(workspace::Workspace& workspace, const registry::Model& model, const std::vector<VersionRowJson>& rows, ModelSummaryJson& out) {
  out.name = model.name;
  out.description = model.description;
  out.versions = rows.size();
  out.updated = model.last_update_time;
  for (const auto& [alias, version] : model.aliases) out.aliases[alias] = version;
  for (const VersionRowJson& row : rows) {
    out.updated = std::max(out.updated, row.time);
    if (std::ranges::find(row.aliases, "champion") != row.aliases.end()) out.champion = row;
    for (const std::string& endpoint : row.endpoints)
      if (std::ranges::find(out.endpoints, endpoint) == out.endpoints.end()) out.endpoints.push_back(endpoint);
  }
  RONDO_TRY(const auto history, workspace.registry().AliasHistory(model.name, ""));
  if (!history.empty()) out.updated = std::max(out.updated, history.front().time);
  return {};
}

Result<std::vector<VersionRowJson>> Rows(const Context& context, const std::string& name) {
  RONDO_TRY(const auto versions, context.workspace->registry().Versions(name));
  std::vector<VersionRowJson> out;
  for (const registry::Version& v : versions) {
    RONDO_TRY(VersionRowJson row, VersionRow(context, v));
    out.push_back(std::move(row));
  }
  return out;
}

Result<net::Response> ListModels(Call& call) {
  std::string token;
  RONDO_TRY(const auto models, call.workspace().registry().SearchModels("", {}, 1000, token));
  std::vector<ModelSummaryJson> out;
  for (const registry::Model& model : models) {
    if (!call.MayReadModel(model.name)) continue;
    RONDO_TRY(const auto rows, Rows(call.context(), model.name));
    RONDO_DO(FillModel(call.workspace(), model, rows, out.emplace_back()));
  }
  std::ranges::stable_sort(out, std::ranges::greater{}, &ModelSummaryJson::updated);
  return JsonResponse(ToJson(out));
}

Result<net::Response> OneModel(Call& call) {
  RONDO_TRY(const registry::Model model, call.workspace().registry().GetModel(call.Path("name")));
  ModelDetailJson out;
  RONDO_TRY(out.rows, Rows(call.context(), model.name));
  RONDO_DO(FillModel(call.workspace(), model, out.rows, out));
  RONDO_TRY(const auto history, call.workspace().registry().AliasHistory(model.name, ""));
  for (const registry::AliasChange& c : history) out.history.push_back({c.model, c.alias, c.from, c.to, c.time, c.actor, c.reason});
  return JsonResponse(ToJson(out));
}

double Number(const Json& json) { return json.IsNull() ? std::nan("") : json.AsDouble(std::nan("")); }

}  // namespace

std::map<std::string, IntervalJson> TestMetrics(const registry::Version& version) {
  std::map<std::string, IntervalJson> out;
  for (const auto& [name, m] : version.facts["metrics"]["test"].AsObject()) {
    if (!m.IsObject()) continue;
    IntervalJson& interval = out[name];
    interval.value = Number(m["value"]);
    if (std::isfinite(Number(m["low"]))) interval.low = Number(m["low"]);
    if (std::isfinite(Number(m["high"]))) interval.high = Number(m["high"]);
  }
  return out;
}

std::vector<model::GateResult> GatesOf(const registry::Version& version) {
  std::vector<model::GateResult> out;
  for (const Json& g : version.facts["metrics"]["gates"].AsArray())
    out.push_back({g["gate"].AsString(), Number(g["value"]), Number(g["limit"]), g["passed"].AsBool(), g["warn"].AsBool(), g["why"].AsString()});
  return out;
}

Result<VersionRowJson> VersionRow(const Context& context, const registry::Version& v) {
  workspace::Workspace& workspace = *context.workspace;
  VersionRowJson row;
  row.name = v.name;
  row.version = v.version;
  row.time = v.creation_time;
  row.user = v.user_id;
  row.run_id = v.run_id;
  row.digest = v.digest;
  row.status = v.status;
  row.stage = v.current_stage;
  row.description = v.description;
  row.aliases = v.aliases;
  row.endpoints = ServedBy(workspace, v);
  row.metrics = TestMetrics(v);
  row.gates = GatesOf(v);
  RONDO_TRY(const auto approvals, workspace.approvals().Of(v.name, v.version));
  const auto policy = ApprovalPolicy(context, "champion");
  const ApprovalCount count = CountApprovals(approvals, v, policy ? &*policy : nullptr);
  row.approved = count.approved;
  row.rejected = count.rejected;
  return row;
}

void AddV1Models(Router& router) {
  router.Get("/api/v1/models", Permission::kRead | Scope::kListed, "Registered models with their champions", ListModels).Answers<std::vector<ModelSummaryJson>>();
  router.Get("/api/v1/models/{name}", Permission::kRead | Scope::kModel, "One model: versions and alias history", OneModel).Answers<ModelDetailJson>();
}

}  // namespace rondo::api
