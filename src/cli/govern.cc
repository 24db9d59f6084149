// Audit log and approvals.
#include <fmt/format.h>

#include "base/clock.h"
#include "cli/verbs.h"
#include "serving/rollout.h"

namespace rondo::cli {
namespace {

Json EntryJson(const govern::AuditEntry& e) {
  return Json::MakeObject()
      .Set("seq", e.seq)
      .Set("time", e.time)
      .Set("actor", e.actor)
      .Set("action", e.action)
      .Set("object", e.object)
      .Set("reason", e.reason)
      .Set("before", e.before)
      .Set("after", e.after)
      .Set("prev_hash", e.prev_hash)
      .Set("hash", e.hash);
}

Result<int> Decide(Call& call, const std::string& decision) {
  RONDO_TRY(auto workspace, call.OpenWorkspace());
  RONDO_TRY(const registry::ModelRef ref, registry::ParseModelRef(call.Arg(0)));
  RONDO_TRY(const registry::Version version, registry::Resolve(workspace->registry(), ref));
  if (version.digest.empty()) return Fail(Code::kInvalid, fmt::format("version {}/{} has no digest to bind a decision to", version.name, version.version), "register it with `rondo run`");
  govern::ApprovalRecord record;
  record.model = version.name;
  record.version = version.version;
  record.digest = version.digest;
  record.decision = decision;
  record.actor = govern::CurrentActor();
  record.role = call.Value("--role");
  record.reason = call.Value("--reason");
  record.time = workspace->clock().NowMs();
  RONDO_DO(workspace->approvals().Add(record));
  govern::AuditEntry entry;
  entry.actor = record.actor;
  entry.action = "version." + decision;
  entry.object = fmt::format("version {}/{}", version.name, version.version);
  entry.reason = record.reason;
  entry.after = Json::MakeObject().Set("digest", version.digest).Set("role", record.role);
  RONDO_TRY(const govern::AuditEntry stored, workspace->audit().Append(entry));
  // What waited for this need not wait for a server.
  RONDO_TRY([[maybe_unused]] const int settled, serving::SettleWaiting(*workspace));
  if (call.json()) PrintJson(EntryJson(stored));
  else Print(fmt::format("{} {} by {} (sha256 {})", entry.object, decision, record.actor, version.digest.substr(0, 12)));
  return 0;
}

}  // namespace

Result<int> Approve(Call& call) { return Decide(call, "approved"); }
Result<int> Reject(Call& call) { return Decide(call, "rejected"); }

Result<int> AuditShow(Call& call) {
  RONDO_TRY(auto workspace, call.OpenWorkspace());
  RONDO_TRY(const int64_t limit, call.Int("--limit", 20, 1, 100000));
  RONDO_TRY(const auto entries, workspace->audit().List(0, limit, call.Value("--object")));
  if (call.json()) {
    Json list = Json::MakeArray();
    for (const auto& e : entries) list.Push(EntryJson(e));
    PrintJson(list);
    return 0;
  }
  if (entries.empty()) {
    Print("the audit log is empty: it grows with the first `rondo run`");
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"#", "time", "actor", "action", "object", "reason"}};
  for (const auto& e : entries) rows.push_back({std::to_string(e.seq), FormatTime(e.time).substr(0, 19), e.actor, e.action, e.object, e.reason});
  PrintTable(rows);
  return 0;
}

Result<int> AuditVerify(Call& call) {
  RONDO_TRY(auto workspace, call.OpenWorkspace());
  RONDO_TRY(const govern::AuditReport report, workspace->audit().Verify());
  if (call.json()) {
    Json faults = Json::MakeArray();
    for (const auto& f : report.faults) faults.Push(Json::MakeObject().Set("seq", f.seq).Set("what", f.what));
    PrintJson(Json::MakeObject().Set("entries", report.entries).Set("head", report.head).Set("intact", report.faults.empty()).Set("faults", faults));
  } else if (report.faults.empty()) {
    Print(fmt::format("{} {} entries, every hash follows from the one before; head {}", Good("intact:"), report.entries, report.head));
  } else {
    for (const auto& f : report.faults) Print(fmt::format("{} entry {}: {}", Bad("damaged:"), f.seq, f.what));
  }
  return report.faults.empty() ? 0 : 1;
}

}  // namespace rondo::cli
