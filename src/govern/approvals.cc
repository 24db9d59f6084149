// Approvals of model versions, and who acts.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "govern/govern.h"

namespace rondo::govern {
namespace {

constexpr std::string_view kAdd = "INSERT INTO approval (model, version, digest, decision, actor, role, reason, time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
constexpr std::string_view kOf = "SELECT digest, decision, actor, role, reason, time FROM approval WHERE model = $1 AND version = $2 ORDER BY id DESC";

class Store : public Approvals {
 public:
  Store(db::Database& db, Clock& clock) : db_(db), clock_(clock) {}

  Status Add(const ApprovalRecord& r) override {
    if (r.decision != "approved" && r.decision != "rejected") return Fail(Code::kInvalid, fmt::format("\"{}\" is no decision", r.decision), "approved or rejected");
    if (r.actor.empty()) return Fail(Code::kInvalid, "an approval needs a person", "set RONDO_ACTOR");
    if (r.digest.empty()) return Fail(Code::kInvalid, fmt::format("version {}/{} has no digest, so nothing an approval could bind to", r.model, r.version));
    return db_.Write([&](db::Session& s) -> Status {
      RONDO_TRY(const int64_t added, s.Exec(kAdd, {r.model, r.version, r.digest, r.decision, r.actor, r.role, r.reason, r.time ? r.time : clock_.NowMs()}));
      return added == 1 ? Status{} : Fail(Code::kInternal, "the approval was not written");
    });
  }

  Result<std::vector<ApprovalRecord>> Of(const std::string& model, int64_t version) override {
    std::vector<ApprovalRecord> out;
    RONDO_DO(db_.Read([&](db::Session& s) {
      return s.Query(kOf, {model, version}, [&](const db::Row& r) {
        out.push_back({model, version, r.String(0), r.String(1), r.String(2), r.String(3), r.String(4), r.Int(5)});
        return true;
      });
    }));
    return out;
  }

 private:
  db::Database& db_;
  Clock& clock_;
};

}  // namespace

std::string CurrentActor() {
  if (const char* actor = std::getenv("RONDO_ACTOR"); actor && *actor) return actor;
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (::getpwuid_r(::geteuid(), &entry, buffer, sizeof buffer, &found) == 0 && found && *found->pw_name) return found->pw_name;
  return fmt::format("uid {}", ::geteuid());
}

std::unique_ptr<Approvals> MakeApprovals(db::Database& db, Clock& clock) { return std::make_unique<Store>(db, clock); }

}  // namespace rondo::govern
