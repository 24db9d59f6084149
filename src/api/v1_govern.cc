// The audit log with its proof, and what waits for a signature.
#include <fmt/format.h>

#include <algorithm>

#include "api/model_json.h"
#include "base/clock.h"
#include "project/spec.h"

namespace rondo::api {
namespace {

struct AuditEntryJson {
  int64_t seq = 0, time = 0;
  std::string actor, action, object, reason;
  Json before, after;
  std::string prev_hash, hash;
  std::optional<Ref> ref;
};
BOOST_DESCRIBE_STRUCT(AuditEntryJson, (), (seq, time, actor, action, object, reason, before, after, prev_hash, hash, ref))

struct AuditPageJson {
  std::vector<AuditEntryJson> entries;
  int64_t next = 0;
};
BOOST_DESCRIBE_STRUCT(AuditPageJson, (), (entries, next))

struct AuditFaultJson {
  int64_t seq = 0;
  std::string what;
};
BOOST_DESCRIBE_STRUCT(AuditFaultJson, (), (seq, what))

struct AuditReportJson {
  int64_t entries = 0;
  std::string head;
  std::vector<AuditFaultJson> faults;
  int64_t milliseconds = 0;
};
BOOST_DESCRIBE_STRUCT(AuditReportJson, (), (entries, head, faults, milliseconds))

struct PendingJson {
  Ref ref;
  std::string text;
  int64_t time = 0, have = 0, need = 0;
};
BOOST_DESCRIBE_STRUCT(PendingJson, (), (ref, text, time, have, need))

struct PoliciesJson {
  std::vector<project::Approval> approvals;
  std::vector<PendingJson> pending;
};
BOOST_DESCRIBE_STRUCT(PoliciesJson, (), (approvals, pending))

Result<net::Response> ListAudit(Call& call) {
  RONDO_TRY(const int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  RONDO_TRY(int64_t before, call.QueryInt("before", 0, 0, INT64_MAX));
  const std::string actor = call.Query("actor");
  AuditPageJson out;
  // The log is read backwards; an actor's entries may be far apart, so a page ends after a bounded search even when it isn't full.
  constexpr int64_t kChunk = 1000;
  for (int chunk = 0; chunk < 50; ++chunk) {
    const int64_t want = actor.empty() ? limit : kChunk;
    RONDO_TRY(const auto entries, call.workspace().audit().List(before, want, call.Query("object")));
    for (const govern::AuditEntry& e : entries) {
      before = e.seq;
      if (!actor.empty() && e.actor != actor) continue;
      out.entries.push_back({e.seq, e.time, e.actor, e.action, e.object, e.reason, e.before, e.after, e.prev_hash, e.hash, RefOfObject(e)});
      if (static_cast<int64_t>(out.entries.size()) == limit) break;
    }
    const bool end = static_cast<int64_t>(entries.size()) < want || before <= 1;
    out.next = end && static_cast<int64_t>(out.entries.size()) < limit ? 0 : before > 1 ? before : 0;
    if (end || static_cast<int64_t>(out.entries.size()) == limit) break;
  }
  return JsonResponse(ToJson(out));
}

Result<net::Response> VerifyAudit(Call& call) {
  const int64_t begin = MonotonicNs();
  RONDO_TRY(const govern::AuditReport report, call.workspace().audit().Verify());
  AuditReportJson out;
  out.entries = report.entries;
  out.head = report.head;
  for (const govern::AuditFault& f : report.faults) out.faults.push_back({f.seq, f.what});
  out.milliseconds = (MonotonicNs() - begin) / 1'000'000;
  return JsonResponse(ToJson(out));
}

Result<net::Response> ListPolicies(Call& call) {
  PoliciesJson out;
  if (const auto project = ProjectOf(call.context())) out.approvals = project->govern.approvals;
  if (!out.approvals.empty()) {
    std::string token;
    RONDO_TRY(const auto models, call.workspace().registry().SearchModels("", {}, 1000, token));
    for (const registry::Model& model : models) {
      RONDO_TRY(const auto versions, call.workspace().registry().Versions(model.name));
      if (versions.empty()) continue;
      // What waits is the newest version that could become champion, not every old one.
      const registry::Version& v = versions.front();
      for (const project::Approval& policy : out.approvals) {
        if (std::ranges::find(v.aliases, policy.alias) != v.aliases.end()) continue;
        const auto gates = GatesOf(v);
        if (std::ranges::any_of(gates, [](const model::GateResult& g) { return !g.passed && !g.warn; })) continue;
        RONDO_TRY(const auto records, call.workspace().approvals().Of(v.name, v.version));
        const ApprovalCount count = CountApprovals(records, v, &policy);
        if (count.rejected > 0 || count.approved >= policy.count) continue;
        out.pending.push_back({{"version", fmt::format("{}/{}", v.name, v.version), {}}, "approval for @" + policy.alias, v.creation_time, count.approved, policy.count});
      }
    }
  }
  return JsonResponse(ToJson(out));
}

}  // namespace

void AddV1Govern(Router& router) {
  router.Get("/api/v1/audit", Permission::kRead | Scope::kServer, "Audit entries, newest first", ListAudit);
  router.Post("/api/v1/audit/verify", Permission::kRead | Scope::kServer, "Compute every hash of the audit log again", VerifyAudit);
  router.Get("/api/v1/policies", Permission::kRead | Scope::kServer, "Approval policy and what waits for a signature", ListPolicies);
}

}  // namespace rondo::api
