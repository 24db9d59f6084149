/// Evidence: the hash-chained audit log and approvals that bind to digests. Thread-safe, durable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "db/db.h"

namespace rondo::govern {

struct AuditEntry {
  int64_t seq = 0;       ///< 1, 2, 3, ...
  int64_t time = 0;
  std::string actor;     ///< "anna", "rondo:retrain", "rondo:rollout"
  std::string action;    ///< "alias.set", "rollout.abort", "run.start", ...
  std::string object;    ///< "version churn/7", "endpoint churn"
  std::string reason;
  Json before, after;
  std::string prev_hash, hash;  ///< SHA-256 hex; hash covers prev_hash and the canonical text of the rest: docs/formats/audit.md
};

struct AuditFault {
  int64_t seq = 0;
  std::string what;
};
struct AuditReport {
  int64_t entries = 0;
  std::string head;               ///< hash of the newest entry
  std::vector<AuditFault> faults; ///< empty: the chain is intact
};

class Audit {
 public:
  virtual ~Audit() = default;
  /// seq, time, hashes are filled in.
  virtual Result<AuditEntry> Append(AuditEntry entry) = 0;
  virtual Result<std::vector<AuditEntry>> List(int64_t before_seq, int64_t limit, const std::string& object) = 0;  ///< newest first; before_seq 0: from the end; empty object: all
  virtual Result<AuditReport> Verify() = 0;
};

/// The same inside a transaction of the caller: a change and its entry are one.
Result<AuditEntry> AppendAudit(db::Session& s, int64_t now, AuditEntry entry);
/// JSON with sorted keys and no spaces: what is hashed. Equal values give equal texts.
std::string CanonicalJson(const Json& json);
/// SHA-256 hex over prev_hash and the canonical text of the entry.
std::string AuditHash(const AuditEntry& entry);

struct ApprovalRecord {
  std::string model;
  int64_t version = 0;
  std::string digest;    ///< of the version's bytes when it was given: another digest voids it
  std::string decision;  ///< approved | rejected
  std::string actor, role, reason;
  int64_t time = 0;
};

class Approvals {
 public:
  virtual ~Approvals() = default;
  virtual Status Add(const ApprovalRecord& record) = 0;
  virtual Result<std::vector<ApprovalRecord>> Of(const std::string& model, int64_t version) = 0;  ///< newest first
};

/// Who acts: RONDO_ACTOR, else the system's user name.
std::string CurrentActor();

std::unique_ptr<Audit> MakeAudit(db::Database& db, Clock& clock);
std::unique_ptr<Approvals> MakeApprovals(db::Database& db, Clock& clock);
const std::vector<db::Migration>& Migrations();

}  // namespace rondo::govern
