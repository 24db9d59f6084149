/// `/api/v1`: the JSON that the web pages read. Shapes: ui/src/api/types.ts and docs/api.md; one file per resource.
#pragma once

#include <boost/describe.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/router.h"
#include "govern/govern.h"
#include "project/spec.h"
#include "registry/registry.h"

namespace rondo::api {

/// All of them.
void AddV1(Router& router);

void AddV1Projects(Router& router);   ///< projects, overview
void AddV1Datasets(Router& router);
void AddV1Runs(Router& router);       ///< experiments, runs, compare
void AddV1Metrics(Router& router);
void AddV1Artifacts(Router& router);
void AddV1Models(Router& router);
void AddV1Versions(Router& router);   ///< one version, approvals, aliases
void AddV1Pipeline(Router& router);   ///< pipeline runs, logs, plan, start
void AddV1Triggers(Router& router);   ///< schedules and triggers
void AddV1Govern(Router& router);     ///< audit, policies
void AddV1Find(Router& router);       ///< search, lineage
void AddV1Events(Router& router);
void AddV1Session(Router& router);    ///< who am I, login, logout, the first administrator
void AddV1Access(Router& router);     ///< users, groups, tokens, grants
void AddV1Trash(Router& router);      ///< trash, folders, moving and copying runs, the past of aliases

// Shared by these files.

/// A thing with an id, as every chip of the pages shows it. Dataset ids are NAME/NUMBER, version ids MODEL/NUMBER.
struct Ref {
  std::string kind, id;
  std::optional<std::string> label;
};
BOOST_DESCRIBE_STRUCT(Ref, (), (kind, id, label))

/// An end of a lineage edge; a dataset's MD5 becomes its NAME/NUMBER.
Ref RefOf(workspace::Workspace& workspace, const std::string& kind, const std::string& id);
/// What an audit entry is about: "version churn/7", "model churn@champion", "endpoint churn"; empty when it isn't one thing.
std::optional<Ref> RefOfObject(const govern::AuditEntry& entry);
/// Ends of the edges that point to (`up`) or leave (`kind`, `id`), newest first, each once.
Result<std::vector<Ref>> Neighbours(workspace::Workspace& workspace, const std::string& kind, const std::string& id, bool up);

/// Comma-separated ids of a query argument: at most `most`, none empty.
Result<std::vector<std::string>> IdList(const Call& call, std::string_view name, size_t most);

/// rondo.yaml as it is now: read again when the file has changed; what the server started with while it can't be read. Null without a project.
std::shared_ptr<const project::Project> ProjectOf(const Context& context);
/// The same, but a file that can't be read is the error. kUnsupported without a project folder.
Result<std::shared_ptr<const project::Project>> ReadProject(const Context& context);

/// What `govern: approvals:` of rondo.yaml says about moving `alias`; empty: nothing is needed.
std::optional<project::Approval> ApprovalPolicy(const Context& context, std::string_view alias);

/// Decisions that count: about the bytes that the version has now, each person's latest; with a policy, approvals only in one of its roles and (not_author)
/// not by the one who registered the version. Anybody may reject.
struct ApprovalCount {
  int64_t approved = 0, rejected = 0;
};
ApprovalCount CountApprovals(const std::vector<govern::ApprovalRecord>& records, const registry::Version& version, const project::Approval* policy);

/// Endpoints that the version answers for now (edges "serves" of versions that hold a live alias).
std::vector<std::string> ServedBy(workspace::Workspace& workspace, const registry::Version& version);

/// Who acts, for the audit log: the name behind the token, or the person who started a local server.
inline const std::string& ActorOf(const Call& call) { return call.actor(); }

}  // namespace rondo::api
