// /api/v1/trash, /experiments/tree, /runs/move and /runs/{id}/copy, /models/{name}/at: what MLflow's users have asked for.
#include <boost/describe.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "api/v1.h"
#include "base/clock.h"
#include "govern/stage_history.h"
#include "registry/history.h"
#include "tracking/places.h"
#include "tracking/trash.h"
#include "workspace/garbage.h"

namespace rondo::api {
namespace {

using govern::Role;

struct TrashJson {
  std::string kind, id, name, experiment_id, experiment_name;
  std::optional<int64_t> deleted;
  int64_t runs = 0;
};
BOOST_DESCRIBE_STRUCT(TrashJson, (), (kind, id, name, experiment_id, experiment_name, deleted, runs))
struct PurgeBody {
  int64_t older_than_days = 30;
};
BOOST_DESCRIBE_STRUCT(PurgeBody, (), (older_than_days))
struct PurgedJson {
  int64_t experiments = 0, runs = 0, logged_models = 0, folders = 0;
};
BOOST_DESCRIBE_STRUCT(PurgedJson, (), (experiments, runs, logged_models, folders))
struct MoveBody {
  std::vector<std::string> run_ids;
  std::string experiment_id;
};
BOOST_DESCRIBE_STRUCT(MoveBody, (), (run_ids, experiment_id))
struct CopyBody {
  std::string experiment_id;
  bool artifacts = true;
};
BOOST_DESCRIBE_STRUCT(CopyBody, (), (experiment_id, artifacts))

Status Note(Call& call, const std::string& action, const std::string& object, Json after = {}) {
  govern::AuditEntry entry;
  entry.actor = ActorOf(call);
  entry.action = action;
  entry.object = object;
  entry.after = std::move(after);
  RONDO_TRY([[maybe_unused]] const auto stored, call.workspace().audit().Append(std::move(entry)));
  return {};
}

Result<net::Response> ListTrash(Call& call) {
  RONDO_TRY(const int64_t limit, call.QueryInt("limit", 1000, 1, 10'000));
  RONDO_TRY(const auto items, tracking::ListTrash(call.workspace().db(), call.MayReadAll() ? limit : 100'000));
  std::vector<TrashJson> out;
  for (const auto& i : items)
    if (call.MayRead(i.experiment_id, i.experiment_name) && static_cast<int64_t>(out.size()) < limit)
      out.push_back({i.kind, i.id, i.name, i.experiment_id, i.experiment_name, i.deleted ? std::optional(i.deleted) : std::nullopt, i.runs});
  return JsonResponse(ToJson(out));
}

Result<net::Response> RestoreExperiment(Call& call) {
  RONDO_DO(call.workspace().tracking().SetExperimentDeleted(call.Path("id"), false));
  RONDO_DO(Note(call, "experiment.restore", "experiment " + call.Path("id")));
  return JsonResponse(Json::MakeObject());
}
Result<net::Response> RestoreRun(Call& call) {
  RONDO_DO(call.workspace().tracking().SetRunDeleted(call.Path("id"), false));
  RONDO_DO(Note(call, "run.restore", "run " + call.Path("id")));
  return JsonResponse(Json::MakeObject());
}

Result<net::Response> Purged(Call& call, const tracking::PurgeReport& report, const std::string& object) {
  RONDO_TRY(const auto collected, workspace::CollectGarbage(call.workspace()));
  const PurgedJson out{report.experiments, report.runs, report.logged_models, collected.folders};
  RONDO_DO(Note(call, "trash.purge", object, ToJson(out)));
  return JsonResponse(ToJson(out));
}
Result<net::Response> PurgeExperiment(Call& call) {
  const std::string& id = call.Path("id");
  RONDO_TRY(const auto report, tracking::PurgeOne(call.workspace().db(), "experiment", id, call.workspace().clock().NowMs()));
  if (call.context().accounts) RONDO_DO(call.context().accounts->ForgetResource(call.actor(), {"experiment", id}));
  return Purged(call, report, "experiment " + id);
}
Result<net::Response> PurgeRun(Call& call) {
  RONDO_TRY(const auto report, tracking::PurgeOne(call.workspace().db(), "run", call.Path("id"), call.workspace().clock().NowMs()));
  return Purged(call, report, "run " + call.Path("id"));
}
Result<net::Response> PurgeOld(Call& call) {
  RONDO_TRY(const PurgeBody body, call.Body<PurgeBody>());
  if (body.older_than_days < 0 || body.older_than_days > 36'500) return Fail(Code::kInvalid, fmt::format("older_than_days must be 0 to 36500, not {}", body.older_than_days));
  const int64_t now = call.workspace().clock().NowMs();
  RONDO_TRY(const auto report, tracking::PurgeOld(call.workspace().db(), now - body.older_than_days * 86'400'000, now));
  return Purged(call, report, fmt::format("everything older than {} days", body.older_than_days));
}

/// The guard has looked at the runs; the experiment that they go to is looked at here.
Status MayWriteTo(Call& call, const std::string& experiment_id) {
  RONDO_TRY(const auto place, tracking::PlaceOfExperiment(call.workspace().db(), experiment_id));
  if (call.caller().OnExperiment(place.experiment_id, place.experiment_name) >= Role::kEditor) return {};
  return Fail(Code::kForbidden, fmt::format("Permission denied: this needs the role editor on experiment {}", experiment_id));
}

Result<net::Response> MoveRuns(Call& call) {
  RONDO_TRY(const MoveBody body, call.Body<MoveBody>());
  if (body.run_ids.empty()) return Fail(Code::kInvalid, "run_ids names no run");
  if (body.run_ids.size() > 1000) return Fail(Code::kInvalid, fmt::format("run_ids names {} runs, at most 1000 are moved at once", body.run_ids.size()));
  RONDO_DO(MayWriteTo(call, body.experiment_id));
  RONDO_DO(tracking::MoveRuns(call.workspace().db(), body.run_ids, body.experiment_id, call.workspace().clock().NowMs()));
  RONDO_DO(Note(call, "run.move", body.run_ids.size() == 1 ? "run " + body.run_ids[0] : fmt::format("{} runs", body.run_ids.size()), Json::MakeObject().Set("experiment", body.experiment_id).Set("runs", Json(body.run_ids))));
  return JsonResponse(Json::MakeObject().Set("moved", static_cast<int64_t>(body.run_ids.size())));
}

Result<net::Response> CopyRun(Call& call) {
  RONDO_TRY(const CopyBody body, call.Body<CopyBody>());
  RONDO_DO(MayWriteTo(call, body.experiment_id));
  workspace::Workspace& w = call.workspace();
  RONDO_TRY(const auto from, w.tracking().GetRun(call.Path("id")));
  RONDO_TRY(const std::string id, tracking::CopyRun(w.db(), from.run_id, body.experiment_id, w.clock().NowMs()));
  RONDO_TRY(const auto to, w.tracking().GetRun(id));
  int64_t files = 0;
  if (body.artifacts) {
    auto copied = workspace::CopyArtifacts(w, from.artifact_uri, to.artifact_uri);
    if (!copied && copied.error().code != Code::kUnsupported) return std::unexpected(copied.error());
    if (copied) files = *copied;
  }
  RONDO_DO(Note(call, "run.copy", "run " + id, Json::MakeObject().Set("from", from.run_id).Set("experiment", body.experiment_id)));
  return JsonResponse(Json::MakeObject().Set("run_id", id).Set("files", files), 201);
}

struct Node {
  std::map<std::string, std::unique_ptr<Node>> folders;
  std::vector<const tracking::Experiment*> experiments;
};
int64_t CountBelow(const Node& node) {
  int64_t n = static_cast<int64_t>(node.experiments.size());
  for (const auto& [name, child] : node.folders) n += CountBelow(*child);
  return n;
}
Json Children(const Node& node, const std::string& path, int depth) {
  Json out = Json::MakeArray();
  for (const auto& [name, child] : node.folders) {
    const std::string full = path.empty() ? name : path + "/" + name;
    Json folder = Json::MakeObject().Set("kind", "folder").Set("name", name).Set("path", full).Set("experiments", CountBelow(*child));
    folder.Set("children", depth < 100 ? Children(*child, full, depth + 1) : Json::MakeArray());
    out.Push(std::move(folder));
  }
  for (const tracking::Experiment* e : node.experiments)
    out.Push(Json::MakeObject().Set("kind", "experiment").Set("id", e->experiment_id).Set("name", e->name.substr(e->name.rfind('/') + 1)).Set("path", e->name).Set("updated", e->last_update_time));
  return out;
}

/// Experiments as their names say: team/project/name.
Result<net::Response> Tree(Call& call) {
  std::vector<tracking::Experiment> all;
  std::string token;
  do {
    RONDO_TRY(const auto page, call.workspace().tracking().SearchExperiments("", "ACTIVE_ONLY", 1000, token));
    for (const tracking::Experiment& e : page)
      if (call.MayRead(e.experiment_id, e.name)) all.push_back(e);
  } while (!token.empty() && all.size() < 100'000);
  std::ranges::sort(all, {}, &tracking::Experiment::name);
  Node root;
  for (const tracking::Experiment& e : all) {
    Node* at = &root;
    int depth = 0;
    for (std::string_view folder = govern::FolderOf(e.name); !folder.empty() && depth < 100; ++depth) {
      const size_t slash = folder.find('/');
      auto& next = at->folders[std::string(folder.substr(0, slash))];
      if (!next) next = std::make_unique<Node>();
      at = next.get();
      folder = slash == std::string_view::npos ? std::string_view() : folder.substr(slash + 1);
    }
    at->experiments.push_back(&e);
  }
  return JsonResponse(Json::MakeObject().Set("children", Children(root, "", 0)));
}

/// "What was production on 3 March?" Aliases from their history, stages from the audit log.
Result<net::Response> ModelAt(Call& call) {
  const std::string& name = call.Path("name");
  RONDO_TRY(const int64_t time, ParseTime(call.Query("time")));
  RONDO_TRY(const auto history, call.workspace().registry().AliasHistory(name, ""));
  Json aliases = Json::MakeObject();
  for (const auto& [alias, version] : registry::AliasesAt(history, time)) aliases.Set(alias, version);
  RONDO_TRY(const auto changes, govern::StageHistory(call.workspace().db(), name));
  Json stages = Json::MakeObject();
  for (const auto& [stage, versions] : govern::StagesAt(changes, time)) stages.Set(stage, Json(versions));
  return JsonResponse(Json::MakeObject().Set("model", name).Set("time", time).Set("aliases", aliases).Set("stages", stages));
}

}  // namespace

void AddV1Trash(Router& router) {
  router.Get("/api/v1/experiments/tree", Permission::kRead | Scope::kListed, "Experiments in the folders that their names make", Tree);
  router.Post("/api/v1/runs/move", Permission::kManage | Scope::kRun, "Move runs to another experiment", MoveRuns);
  router.Post("/api/v1/runs/{id}/copy", Permission::kRead | Scope::kRun, "Copy a run into an experiment, with its artifacts", CopyRun);
  router.Get("/api/v1/models/{name}/at", Permission::kRead | Scope::kModel, "Which versions the aliases named, and which were in which stage, at ?time=", ModelAt);
  router.Get("/api/v1/trash", Permission::kRead | Scope::kListed, "What was deleted and is still there", ListTrash);
  router.Post("/api/v1/trash/experiments/{id}/restore", Permission::kManage | Scope::kExperiment, "Bring an experiment and its runs back", RestoreExperiment);
  router.Post("/api/v1/trash/runs/{id}/restore", Permission::kManage | Scope::kRun, "Bring a run back", RestoreRun);
  router.Add("DELETE", "/api/v1/trash/experiments/{id}", Permission::kManage | Scope::kExperiment, "Purge an experiment for good, with runs and artifacts", PurgeExperiment);
  router.Add("DELETE", "/api/v1/trash/runs/{id}", Permission::kManage | Scope::kRun, "Purge a run for good, with its artifacts", PurgeRun);
  router.Post("/api/v1/trash/purge", Permission::kAdmin | Scope::kServer, "Purge what has been in the trash for long", PurgeOld);
}

}  // namespace rondo::api
