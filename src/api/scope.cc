// May the caller do this to that: finds the things that a request is about and asks for the caller's role on each.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/guard.h"
#include "api/mlflow.h"
#include "base/log.h"
#include "tracking/places.h"

namespace rondo::api {
namespace {

using govern::Role;
using Ids = std::set<std::string>;

std::unexpected<Error> Forbidden(Role need, const std::string& what) {
  return Fail(Code::kForbidden, fmt::format("Permission denied: this needs the role {} on {}", govern::RoleName(need), what), "a manager of it, or an administrator, can grant it");
}

/// Ids may be texts, numbers, or lists of them; `?runs=a,b` has several in one.
Status Take(const Json& value, bool split, Ids& out) {
  if (value.IsNull()) return {};
  if (value.IsArray()) {
    for (const Json& item : value.AsArray()) {
      if (item.IsArray()) return Fail(Code::kInvalid, "an id can't be a list of lists");
      RONDO_DO(Take(item, split, out));
    }
    return {};
  }
  if (value.IsInt()) {
    out.insert(std::to_string(value.AsInt()));
    return {};
  }
  if (!value.IsString()) return Fail(Code::kInvalid, fmt::format("{} is no id", value.Dump().substr(0, 100)));
  const std::string& text = value.AsString();
  for (size_t at = 0; at <= text.size();) {
    const size_t end = split ? std::min(text.find(',', at), text.size()) : text.size();
    if (end > at) out.insert(text.substr(at, end - at));
    at = end + 1;
  }
  return {};
}

/// The things of one kind that a request names: in the path, the query and the body. All count, whichever of them the handler will read.
class Names {
 public:
  static Result<Names> Of(const Call& call) {
    Names out(call);
    for (const auto& [name, value] : call.request().query) {
      Json list = out.query_[name];
      out.query_.Set(name, std::move(list.Push(value)));
    }
    const net::Request& r = call.request();
    if (r.method != "GET" && r.method != "HEAD" && !r.body.empty()) {
      RONDO_TRY(const mlflow::Args args, mlflow::Args::Of(call));
      out.body_ = args.json();
    }
    return out;
  }
  Result<Ids> Get(std::initializer_list<const char*> path, std::initializer_list<const char*> arguments) const {
    Ids out;
    for (const char* name : path)
      if (const std::string& value = call_.Path(name); !value.empty()) out.insert(value);
    for (const char* name : arguments) {
      // Only our own addresses take several ids in one text.
      const bool split = name == std::string_view("runs") || name == std::string_view("ids");
      RONDO_DO(Take(query_[name], split, out));
      RONDO_DO(Take(body_[name], false, out));
    }
    return out;
  }
  bool Has(const char* name) const { return !query_[name].IsNull() || !body_[name].IsNull(); }
  Result<std::string> One(const char* name) const {
    RONDO_TRY(const Ids ids, Get({}, {name}));
    if (ids.size() > 1) return Fail(Code::kInvalid, fmt::format("{} is given twice", name));
    return ids.empty() ? std::string() : *ids.begin();
  }

 private:
  explicit Names(const Call& call) : call_(call), query_(Json::MakeObject()), body_(Json::MakeObject()) {}
  const Call& call_;
  Json query_, body_;
};

Status NeedPlace(const govern::Caller& caller, Role need, const tracking::Place& place) {
  if (caller.OnExperiment(place.experiment_id, place.experiment_name) >= need) return {};
  return Forbidden(need, "experiment " + place.experiment_id);
}

Status Missing(const char* name) { return Fail(Code::kInvalid, fmt::format("Missing value for required parameter '{}'. See the API docs for more information about request parameters.", name)); }

/// A new place for a name: the rights on its folder count.
Status NeedFolder(const govern::Caller& caller, Role need, const std::string& experiment_name) {
  const std::string folder(govern::FolderOf(experiment_name));
  if (caller.OnFolder(folder) >= need) return {};
  return Forbidden(need, folder.empty() ? "the server, to put an experiment at the top (name it folder/name to put it into a folder)" : "folder " + folder);
}

Status OnExperiments(Call& call, Role need, const Names& names) {
  auto& db = call.workspace().db();
  RONDO_TRY(Ids ids, names.Get({"id"}, {"experiment_id", "experiment_ids"}));
  RONDO_TRY(const Ids by_name, names.Get({}, {"experiment_name"}));
  std::vector<tracking::Place> places;
  for (const std::string& name : by_name) {
    RONDO_TRY(tracking::Place place, tracking::PlaceOfExperimentName(db, name));
    places.push_back(std::move(place));
  }
  if (ids.empty() && by_name.empty()) ids.insert("0");  // where runs without an experiment go
  if (ids.size() > 100'000) return Fail(Code::kInvalid, "too many experiments at once");
  for (const std::string& id : ids) {
    RONDO_TRY(tracking::Place place, tracking::PlaceOfExperiment(db, id));
    places.push_back(std::move(place));
  }
  for (const tracking::Place& place : places) RONDO_DO(NeedPlace(call.caller(), need, place));
  RONDO_TRY(const Ids new_names, names.Get({}, {"new_name"}));
  for (const std::string& name : new_names)
    for (const tracking::Place& place : places)
      if (govern::FolderOf(name) != govern::FolderOf(place.experiment_name)) RONDO_DO(NeedFolder(call.caller(), need, name));
  return {};
}

Status OnRuns(Call& call, Role need, const Names& names) {
  RONDO_TRY(const Ids ids, names.Get({"id", "run"}, {"run_id", "run_uuid", "run_ids", "runs", "ids"}));
  if (ids.empty()) return Missing("run_id");
  if (ids.size() > 10'000) return Fail(Code::kInvalid, "too many runs at once");
  for (const std::string& id : ids) {
    RONDO_TRY(const tracking::Place place, tracking::PlaceOfRun(call.workspace().db(), id));
    RONDO_DO(NeedPlace(call.caller(), need, place));
  }
  return {};
}

Status OnLoggedModels(Call& call, Role need, const Names& names) {
  RONDO_TRY(const Ids ids, names.Get({"id", "model_id"}, {"model_id"}));
  if (ids.empty()) return Missing("model_id");
  for (const std::string& id : ids) {
    RONDO_TRY(const tracking::Place place, tracking::PlaceOfLoggedModel(call.workspace().db(), id));
    RONDO_DO(NeedPlace(call.caller(), need, place));
  }
  return {};
}

/// The experiment that artifacts below this path belong to.
Status OnArtifact(Call& call, Role need, const std::string& path) {
  const std::string first = path.substr(0, path.find('/'));
  if (first.empty() || !std::ranges::all_of(first, [](unsigned char c) { return std::isdigit(c); })) return Forbidden(need, "the server, for artifacts outside of experiments");
  auto& db = call.workspace().db();
  // A moved run leaves its files where they were: the run's own experiment counts, not the folder's.
  std::string owner = path.substr(std::min(first.size() + 1, path.size()));
  const bool model = owner.starts_with("models/");
  if (model) owner = owner.substr(7);
  owner = owner.substr(0, owner.find('/'));
  const Result<tracking::Place> own = owner.empty() ? Result<tracking::Place>(Fail(Code::kNotFound, "")) : model ? tracking::PlaceOfLoggedModel(db, owner) : tracking::PlaceOfRun(db, owner);
  if (own) return NeedPlace(call.caller(), need, *own);
  if (own.error().code != Code::kNotFound) return std::unexpected(own.error());
  RONDO_TRY(const tracking::Place place, tracking::PlaceOfExperiment(db, first));
  return NeedPlace(call.caller(), need, place);
}

Status OnArtifacts(Call& call, Role need, const Names& names) {
  RONDO_TRY(const Ids paths, names.Get({"path"}, {"path"}));
  if (paths.empty()) return OnArtifact(call, need, "");
  for (const std::string& path : paths) RONDO_DO(OnArtifact(call, need, path));
  return {};
}

Status OnModels(const govern::Caller& caller, Role need, const Ids& ids) {
  if (ids.empty()) return Missing("name");
  for (const std::string& name : ids)
    if (caller.OnModel(name) < need) return Forbidden(need, fmt::format("registered model {}", name.substr(0, 200)));
  return {};
}

/// A version makes the bytes behind `source` readable to all who may read the model: whoever registers it must be allowed to read them.
Status OnSource(Call& call, const Names& names) {
  RONDO_TRY(const Ids runs, names.Get({}, {"run_id"}));
  for (const std::string& id : runs) {
    const auto place = tracking::PlaceOfRun(call.workspace().db(), id);
    if (!place && place.error().code == Code::kNotFound) continue;  // a run of another server
    if (!place) return std::unexpected(place.error());
    RONDO_DO(NeedPlace(call.caller(), Role::kViewer, *place));
  }
  RONDO_TRY(const std::string source, names.One("source"));
  if (source.empty()) return {};
  if (source.starts_with("models:/")) {
    // A copy of a version that the caller may read; logged models ("models:/m-…") are checked by where they lie.
    const std::string rest = source.substr(8);
    const std::string name = rest.substr(0, rest.find_first_of("/@"));
    if (name != rest && !name.empty() && call.caller().OnModel(name) >= Role::kViewer) return {};
  }
  const auto place = mlflow::ResolveSource(call.workspace(), source);
  if (!place) return place.error().code == Code::kNotFound || place.error().code == Code::kInvalid ? Status{} : std::unexpected(place.error());
  const auto artifact = workspace::Workspace::ArtifactName(*place);
  if (!artifact) return {};  // elsewhere: this server doesn't read it
  return OnArtifact(call, Role::kViewer, *artifact);
}

Status ByScope(Call& call, Scope scope, Role need) {
  const govern::Caller& caller = call.caller();
  if (scope == Scope::kSelf || scope == Scope::kListed) return caller.known() ? Status{} : Fail(Code::kUnauthorized, "a login is needed");
  if (scope == Scope::kServer || scope == Scope::kUnset) return Forbidden(need, "the server");
  if (scope == Scope::kEndpoint) {  // read on event loops: looks at the path only
    bool any = false;
    for (const char* key : {"endpoint", "model", "name"}) {
      const std::string& name = call.Path(key);
      if (name.empty()) continue;
      any = true;
      if (caller.OnEndpoint(name) < need) return Forbidden(need, "endpoint " + name.substr(0, 200));
    }
    return any ? Status{} : Forbidden(need, "the server");
  }
  if (scope == Scope::kArtifact && !call.request().body_file.empty()) return OnArtifact(call, need, call.Path("path"));
  RONDO_TRY(const Names names, Names::Of(call));
  switch (scope) {
    case Scope::kExperiment: return OnExperiments(call, need, names);
    case Scope::kNewExperiment: {
      RONDO_TRY(const Ids all, names.Get({}, {"name"}));
      for (const std::string& name : all) RONDO_DO(NeedFolder(caller, need, name));
      return all.empty() ? Missing("name") : Status{};
    }
    case Scope::kRun: return OnRuns(call, need, names);
    case Scope::kLoggedModel: return OnLoggedModels(call, need, names);
    case Scope::kArtifact: return OnArtifacts(call, need, names);
    case Scope::kModel:
    case Scope::kModelDelete:
    case Scope::kNewModel: {
      RONDO_TRY(const Ids all, names.Get({"name"}, {"name"}));
      return OnModels(caller, need, all);
    }
    case Scope::kModelRename: {
      RONDO_TRY(const Ids all, names.Get({"name"}, {"name", "new_name"}));
      return OnModels(caller, need, all);
    }
    case Scope::kNewVersion: {
      RONDO_TRY(const Ids all, names.Get({"name"}, {"name"}));
      RONDO_DO(OnModels(caller, need, all));
      return OnSource(call, names);
    }
    default: return Forbidden(need, "the server");
  }
}

/// Exact name grants only: a maker who has the role already through a folder or a pattern needs none.
void MakeManager(Call& call, govern::Resource resource, Role has) {
  if (call.caller().account() == 0 || has >= Role::kManager) return;
  if (resource.name.ends_with('*')) return;  // would be a grant on all names that begin so
  if (auto ok = call.context().accounts->SetGrant("rondo:access", {"user", call.caller().name(), std::move(resource), Role::kManager, 0, ""}); !ok)
    LogError("api", "the maker did not become manager: {}", ok.error().Text());
}

}  // namespace

Status Authorize(Call& call, const RouteRow& row) {
  if (row.access.permission == Permission::kPublic) return {};
  const Role need = RoleFor(row.access.permission);
  if (call.caller().OnServer() >= need) return {};
  return ByScope(call, row.access.scope, need);
}

void AfterSuccess(Call& call, const RouteRow& row, const net::Response& response) {
  govern::Accounts* const accounts = call.context().accounts;
  const Scope scope = row.access.scope;
  if (!accounts || response.status >= 300) return;
  if (scope != Scope::kNewExperiment && scope != Scope::kNewModel && scope != Scope::kModelDelete && scope != Scope::kModelRename) return;
  const auto names = Names::Of(call);
  if (!names) return;
  const std::string name = names->One("name").value_or("");
  if (scope == Scope::kNewExperiment) {
    const auto body = ParseJson(response.body);
    const std::string id = body ? (*body)["experiment_id"].AsString() : std::string();
    if (!id.empty()) MakeManager(call, {"experiment", id}, call.caller().OnExperiment(id, name));
  } else if (scope == Scope::kNewModel) {
    MakeManager(call, {"model", name}, call.caller().OnModel(name));
  } else if (!name.ends_with('*')) {
    const Status done = scope == Scope::kModelDelete ? accounts->ForgetResource(call.actor(), {"model", name})
                                                     : accounts->RenameResource(call.actor(), {"model", name}, names->One("new_name").value_or(""));
    if (!done) LogError("api", "grants on {}: {}", name, done.error().Text());
  }
}

bool Call::MayRead(const std::string& experiment_id, std::string_view experiment_name) const { return caller_.OnExperiment(experiment_id, experiment_name) >= Role::kViewer; }
bool Call::MayReadModel(std::string_view name) const { return caller_.OnModel(name) >= Role::kViewer; }
bool Call::MayReadEndpoint(std::string_view name) const { return caller_.OnEndpoint(name) >= Role::kViewer; }

Result<std::vector<std::string>> Call::ReadableExperiments(const std::vector<std::string>& ids) {
  if (MayReadAll()) return ids;
  std::vector<std::string> out;
  for (const std::string& id : ids) {
    const auto place = tracking::PlaceOfExperiment(workspace().db(), id);
    if (place && MayRead(place->experiment_id, place->experiment_name)) out.push_back(id);
    else if (!place && place.error().code != Code::kNotFound) return std::unexpected(place.error());
  }
  return out;
}

}  // namespace rondo::api
