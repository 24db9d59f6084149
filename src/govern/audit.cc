// The audit log: appended in the writer's transaction, so that no two processes can fork the chain.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "govern/govern.h"

namespace rondo::govern {
namespace {

constexpr std::string_view kHead = "SELECT seq, hash FROM audit_head WHERE one = 1";
constexpr std::string_view kInsert =
    "INSERT INTO audit_entry (seq, time, actor, action, object, reason, before_json, after_json, prev_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
constexpr std::string_view kPutHead = "INSERT INTO audit_head (one, seq, hash) VALUES (1, $1, $2) ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash";
constexpr std::string_view kList =
    "SELECT seq, time, actor, action, object, reason, before_json, after_json, prev_hash, hash FROM audit_entry "
    "WHERE ($1 = 0 OR seq < $1) AND ($2 = '' OR object = $2) ORDER BY seq DESC LIMIT $3";
constexpr std::string_view kAll = "SELECT seq, time, actor, action, object, reason, before_json, after_json, prev_hash, hash FROM audit_entry ORDER BY seq";

/// The text under the hash. `before` and `after` are canonical JSON texts.
std::string CanonicalEntry(int64_t seq, int64_t time, std::string_view actor, std::string_view action, std::string_view object, std::string_view reason, std::string_view before,
                           std::string_view after) {
  std::string out = "{\"action\":";
  AppendJsonString(out, action);
  out += ",\"actor\":";
  AppendJsonString(out, actor);
  out += fmt::format(",\"after\":{},\"before\":{},\"object\":", after, before);
  AppendJsonString(out, object);
  out += ",\"reason\":";
  AppendJsonString(out, reason);
  out += fmt::format(",\"seq\":{},\"time\":{}}}", seq, time);
  return out;
}

/// An entry as it stands in the table, its JSON unread.
struct StoredEntry {
  int64_t seq, time;
  std::string actor, action, object, reason, before, after, prev_hash, hash;
  std::string Computed(int64_t as_seq) const { return Sha256Hex(prev_hash + CanonicalEntry(as_seq, time, actor, action, object, reason, before, after)); }
};

StoredEntry Read(const db::Row& r) {
  return {r.Int(0), r.Int(1), r.String(2), r.String(3), r.String(4), r.String(5), r.String(6), r.String(7), r.String(8), r.String(9)};
}

struct Head {
  int64_t seq = 0;
  std::string hash = std::string(64, '0');
};
Result<Head> ReadHead(db::Session& s) {
  Head head;
  RONDO_DO(s.Query(kHead, {}, [&](const db::Row& r) {
    head = {r.Int(0), r.String(1)};
    return false;
  }));
  return head;
}

class Log : public Audit {
 public:
  Log(db::Database& db, Clock& clock) : db_(db), clock_(clock) {}

  Result<AuditEntry> Append(AuditEntry entry) override {
    return db::Store<AuditEntry>(db_, [&](db::Session& s) { return AppendAudit(s, clock_.NowMs(), entry); });
  }

  Result<std::vector<AuditEntry>> List(int64_t before_seq, int64_t limit, const std::string& object) override {
    std::vector<AuditEntry> out;
    RONDO_DO(db_.Read([&](db::Session& s) {
      return s.Query(kList, {before_seq, object, limit}, [&](const db::Row& r) {
        StoredEntry e = Read(r);
        // A damaged text is shown as it is: Verify() is what complains.
        const auto parsed = [](const std::string& text) { return ParseJson(text).value_or(Json(text)); };
        out.push_back({e.seq, e.time, e.actor, e.action, e.object, e.reason, parsed(e.before), parsed(e.after), e.prev_hash, e.hash});
        return true;
      });
    }));
    return out;
  }

  Result<AuditReport> Verify() override {
    AuditReport report;
    std::map<std::string, int64_t> seq_of_hash;  // hash -> seq where it stands now, to say where a moved entry came from
    Head head;
    int64_t last = 0;
    std::string last_hash(64, '0');
    RONDO_DO(db_.Read([&](db::Session& s) -> Status {
      RONDO_TRY(head, ReadHead(s));
      RONDO_DO(s.Query("SELECT hash, seq FROM audit_entry", {}, [&](const db::Row& r) {
        seq_of_hash.emplace(r.String(0), r.Int(1));
        return true;
      }));
      return s.Query(kAll, {}, [&](const db::Row& r) {
        const StoredEntry e = Read(r);
        ++report.entries;
        for (int64_t missing = last + 1; missing < e.seq && report.faults.size() < kMaxFaults; ++missing) Fault(report, missing, "missing");
        Check(report, e, last, last_hash, seq_of_hash);
        last = e.seq;
        last_hash = e.hash;
        return true;
      });
    }));
    for (int64_t missing = last + 1; missing <= head.seq && report.faults.size() < kMaxFaults; ++missing) Fault(report, missing, "missing: the log was cut off");
    if (report.entries > 0 && head.seq < last) Fault(report, last, fmt::format("the log's head names entry {} as the newest", head.seq));
    if (head.seq == last && head.hash != last_hash) Fault(report, last, "its hash is not the one in the log's head");
    report.head = last_hash;
    return report;
  }

 private:
  static constexpr size_t kMaxFaults = 1000;
  static void Fault(AuditReport& report, int64_t seq, std::string what) {
    if (report.faults.size() < kMaxFaults) report.faults.push_back({seq, std::move(what)});
  }

  static void Check(AuditReport& report, const StoredEntry& e, int64_t last, const std::string& last_hash, const std::map<std::string, int64_t>& seq_of_hash) {
    const bool follows = e.prev_hash == last_hash;
    if (e.Computed(e.seq) == e.hash) {
      if (!follows && last + 1 == e.seq) Fault(report, e.seq, last == 0 ? "does not start the chain" : fmt::format("does not follow entry {}: entries were exchanged, removed or inserted", last));
      return;
    }
    // Perhaps whole and only in the wrong place: its content then gives its hash under another number.
    const auto before = seq_of_hash.find(e.prev_hash);
    for (const int64_t origin : {before == seq_of_hash.end() ? e.seq : before->second + 1, e.seq - 1, e.seq + 1}) {
      if (origin != e.seq && e.Computed(origin) == e.hash) return Fault(report, e.seq, fmt::format("reordered: this is entry {}", origin));
    }
    for (int64_t origin = std::max<int64_t>(1, e.seq - 1000); origin < e.seq + 1000; ++origin)
      if (e.Computed(origin) == e.hash) return Fault(report, e.seq, fmt::format("reordered: this is entry {}", origin));
    Fault(report, e.seq, "damaged: its content does not give its hash");
  }

  db::Database& db_;
  Clock& clock_;
};

void AppendCanonical(std::string& out, const Json& json) {
  if (json.IsArray()) {
    out += '[';
    const auto& items = json.AsArray();
    for (size_t i = 0; i < items.size(); ++i) {
      if (i) out += ',';
      AppendCanonical(out, items[i]);
    }
    out += ']';
  } else if (json.IsObject()) {
    std::vector<const std::pair<std::string, Json>*> members;
    for (const auto& member : json.AsObject()) members.push_back(&member);
    std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    out += '{';
    for (size_t i = 0; i < members.size(); ++i) {
      if (i) out += ',';
      AppendJsonString(out, members[i]->first);
      out += ':';
      AppendCanonical(out, members[i]->second);
    }
    out += '}';
  } else {
    out += json.Dump();
  }
}

}  // namespace

std::string CanonicalJson(const Json& json) {
  std::string out;
  AppendCanonical(out, json);
  return out;
}

std::string AuditHash(const AuditEntry& e) {
  return Sha256Hex(e.prev_hash + CanonicalEntry(e.seq, e.time, e.actor, e.action, e.object, e.reason, CanonicalJson(e.before), CanonicalJson(e.after)));
}

Result<AuditEntry> AppendAudit(db::Session& s, int64_t now, AuditEntry entry) {
  if (entry.action.empty()) return Fail(Code::kInvalid, "an audit entry needs an action");
  RONDO_TRY(const Head head, ReadHead(s));
  entry.seq = head.seq + 1;
  entry.time = now;
  entry.prev_hash = head.hash;
  entry.hash = AuditHash(entry);
  RONDO_TRY(const int64_t inserted, s.Exec(kInsert, {entry.seq, entry.time, entry.actor, entry.action, entry.object, entry.reason, CanonicalJson(entry.before), CanonicalJson(entry.after),
                                                     entry.prev_hash, entry.hash}));
  RONDO_TRY(const int64_t moved, s.Exec(kPutHead, {entry.seq, entry.hash}));
  if (inserted != 1 || moved != 1) return Fail(Code::kInternal, "the audit entry was not written");
  return entry;
}

std::unique_ptr<Audit> MakeAudit(db::Database& db, Clock& clock) { return std::make_unique<Log>(db, clock); }

}  // namespace rondo::govern
