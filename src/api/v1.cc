// What the resources of /api/v1 share.
#include "api/v1.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "base/file.h"
#include "data/dataset.h"
#include "project/reader.h"

namespace rondo::api {

void AddV1(Router& router) {
  AddV1Projects(router);
  AddV1Datasets(router);
  AddV1Runs(router);
  AddV1Metrics(router);
  AddV1Artifacts(router);
  AddV1Models(router);
  AddV1Versions(router);
  AddV1Pipeline(router);
  AddV1Triggers(router);
  AddV1Govern(router);
  AddV1Find(router);
  AddV1Events(router);
  AddV1Session(router);
  AddV1Access(router);
  AddV1Trash(router);
}

Ref RefOf(workspace::Workspace& workspace, const std::string& kind, const std::string& id) {
  if (kind == "dataset")
    if (auto v = data::GetVersion(workspace.db(), id)) return {kind, fmt::format("{}/{}", v->dataset, v->number), {}};
  return {kind, id, {}};
}

std::optional<Ref> RefOfObject(const govern::AuditEntry& entry) {
  const size_t space = entry.object.find(' ');
  if (space == std::string::npos) return std::nullopt;
  const std::string kind = entry.object.substr(0, space);
  std::string id = entry.object.substr(space + 1);
  if (kind == "model") {
    const size_t at = id.find('@');
    if (at == std::string::npos) return Ref{kind, id, {}};
    const std::string name = id.substr(0, at);
    const Json& version = entry.after["version"];
    if (version.IsInt()) return Ref{"version", fmt::format("{}/{}", name, version.AsInt()), {}};
    return Ref{"model", name, {}};
  }
  static const std::set<std::string, std::less<>> kinds = {"dataset", "commit", "config", "run", "pipeline_run", "version", "endpoint", "prediction", "alarm"};
  if (!kinds.contains(kind) || id.empty()) return std::nullopt;
  return Ref{kind, std::move(id), {}};
}

Result<std::vector<Ref>> Neighbours(workspace::Workspace& workspace, const std::string& kind, const std::string& id, bool up) {
  RONDO_TRY(auto edges, workspace.registry().EdgesOf(kind, id));
  std::ranges::stable_sort(edges, std::ranges::greater{}, &registry::Edge::time);
  std::vector<Ref> out;
  std::set<std::pair<std::string, std::string>> seen;
  for (const registry::Edge& e : edges) {
    const bool incoming = e.to_kind == kind && e.to_id == id;
    if (incoming != up) continue;
    const std::string& other_kind = up ? e.from_kind : e.to_kind;
    const std::string& other_id = up ? e.from_id : e.to_id;
    if (seen.emplace(other_kind, other_id).second) out.push_back(RefOf(workspace, other_kind, other_id));
  }
  return out;
}

Result<std::vector<std::string>> IdList(const Call& call, std::string_view name, size_t most) {
  std::vector<std::string> out;
  const std::string text = call.Query(name);
  for (size_t at = 0; at <= text.size() && !text.empty();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) out.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  if (out.empty()) return Fail(Code::kInvalid, fmt::format("{} must name at least one id", name), fmt::format("add ?{}=ID,ID", name));
  if (out.size() > most) return Fail(Code::kInvalid, fmt::format("{} names {} ids, at most {} are answered at once", name, out.size(), most));
  return out;
}

Result<std::shared_ptr<const project::Project>> ReadProject(const Context& context) {
  if (!context.project) return Fail(Code::kUnsupported, "this server has no project folder", "start `rondo up` inside a project");
  const std::shared_ptr<const project::Project> started(std::shared_ptr<void>(), context.project);
  if (context.project_root.empty()) return started;
  // The command line reads the file at each call; the pages must not lag behind it until the server starts again.
  static std::mutex mutex;
  static std::string stamp;
  static Result<std::shared_ptr<const project::Project>> kept = started;
  const fs::path root = context.project_root;
  std::string now = root.string();
  for (const char* name : {"rondo.yaml", "rondo.local.yaml"}) {
    std::error_code ec;
    const auto time = fs::last_write_time(root / name, ec);
    const auto size = ec ? 0 : fs::file_size(root / name, ec);
    now += fmt::format("|{} {}", ec ? 0 : time.time_since_epoch().count(), size);
  }
  std::lock_guard lock(mutex);
  if (now != stamp) {
    stamp = now;
    auto loaded = project::LoadProject(root / "rondo.yaml");
    if (loaded) kept = std::make_shared<const project::Project>(std::move(*loaded));
    else kept = std::unexpected(std::move(loaded).error());
  }
  return kept;
}

std::shared_ptr<const project::Project> ProjectOf(const Context& context) {
  if (!context.project) return nullptr;
  auto fresh = ReadProject(context);
  return fresh ? *fresh : std::shared_ptr<const project::Project>(std::shared_ptr<void>(), context.project);
}

std::optional<project::Approval> ApprovalPolicy(const Context& context, std::string_view alias) {
  const auto project = ProjectOf(context);
  if (!project) return std::nullopt;
  const auto& policies = project->govern.approvals;
  const auto it = std::ranges::find(policies, alias, &project::Approval::alias);
  return it == policies.end() ? std::nullopt : std::optional(*it);
}

ApprovalCount CountApprovals(const std::vector<govern::ApprovalRecord>& records, const registry::Version& version, const project::Approval* policy) {
  std::map<std::string, const govern::ApprovalRecord*> latest;  // by person
  for (const govern::ApprovalRecord& r : records) {
    if (r.digest != version.digest) continue;
    const govern::ApprovalRecord*& entry = latest[r.actor];
    if (!entry || r.time >= entry->time) entry = &r;
  }
  ApprovalCount out;
  for (const auto& [actor, r] : latest) {
    if (r->decision != "approved") {
      ++out.rejected;
      continue;
    }
    const bool role = !policy || policy->roles.empty() || std::ranges::find(policy->roles, r->role) != policy->roles.end();
    const bool author = policy && policy->not_author && actor == version.user_id;
    if (role && !author) ++out.approved;
  }
  return out;
}

std::vector<std::string> ServedBy(workspace::Workspace& workspace, const registry::Version& version) {
  std::vector<std::string> out;
  const bool live = std::ranges::any_of(version.aliases, [](const std::string& a) { return a == "champion" || a == "challenger"; });
  if (!live) return out;
  const auto edges = workspace.registry().EdgesOf("version", fmt::format("{}/{}", version.name, version.version));
  if (!edges) return out;
  for (const registry::Edge& e : *edges)
    if (e.to_kind == "endpoint" && std::ranges::find(out, e.to_id) == out.end()) out.push_back(e.to_id);
  return out;
}

}  // namespace rondo::api
