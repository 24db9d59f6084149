// Grants: which role a user or group has on what.
#include <fmt/format.h>

#include <algorithm>

#include "govern/accounts_store.h"

namespace rondo::govern {
namespace {

constexpr std::string_view kGet = "SELECT role FROM access_grant WHERE subject_kind = $1 AND subject = $2 AND resource_kind = $3 AND resource = $4";
constexpr std::string_view kPut =
    "INSERT INTO access_grant (subject_kind, subject, resource_kind, resource, role, time, actor) VALUES ($1, $2, $3, $4, $5, $6, $7) "
    "ON CONFLICT (subject_kind, subject, resource_kind, resource) DO UPDATE SET role = excluded.role, time = excluded.time, actor = excluded.actor";
constexpr std::string_view kDelete = "DELETE FROM access_grant WHERE subject_kind = $1 AND subject = $2 AND resource_kind = $3 AND resource = $4";
constexpr std::string_view kForget = "DELETE FROM access_grant WHERE resource_kind = $1 AND resource = $2";
constexpr std::string_view kRename = "UPDATE access_grant SET resource = $3 WHERE resource_kind = $1 AND resource = $2";
constexpr std::string_view kCount = "SELECT count(*) FROM access_grant WHERE resource_kind = $1 AND resource = $2";

std::string Text(const Resource& r) { return r.kind == "server" ? "the server" : r.kind + " " + r.name; }

Status CheckResource(const Resource& r) {
  static constexpr std::string_view kKinds[] = {"server", "folder", "experiment", "model", "endpoint"};
  if (std::ranges::find(kKinds, r.kind) == std::end(kKinds))
    return Fail(Code::kInvalid, fmt::format("nobody can have a role on \"{}\"", r.kind.substr(0, 40)), "server, folder, experiment, model or endpoint");
  if ((r.kind == "server") != r.name.empty()) return Fail(Code::kInvalid, r.kind == "server" ? "the server has no name" : fmt::format("which {}?", r.kind));
  if (r.name.size() > 500) return Fail(Code::kInvalid, "the name is longer than 500 characters");
  if (r.kind == "folder" && (r.name.starts_with('/') || r.name.ends_with('/') || r.name.find("//") != std::string::npos))
    return Fail(Code::kInvalid, fmt::format("\"{}\" is no folder", r.name), "write it like team/project");
  if (r.kind == "experiment" && !std::ranges::all_of(r.name, [](unsigned char c) { return std::isdigit(c); }))
    return Fail(Code::kInvalid, fmt::format("\"{}\" is no experiment's id", r.name), "a number, as the address of its page shows it");
  return {};
}

}  // namespace

Status AccountStore::SetGrant(const std::string& actor, const Grant& grant) {
  RONDO_DO(CheckResource(grant.resource));
  if (grant.subject_kind != "user" && grant.subject_kind != "group") return Fail(Code::kInvalid, fmt::format("\"{}\" can have no role", grant.subject_kind.substr(0, 40)), "user or group");
  if (grant.role == Role::kAdmin && grant.resource.kind != "server") return Fail(Code::kInvalid, "admin is a role on the server", "manager is the highest one on a " + grant.resource.kind);
  return Change(
      actor,
      [&](db::Session& s) -> Result<AuditEntry> {
        RONDO_TRY(const int64_t subject, grant.subject_kind == "group" ? GroupId(s, grant.subject) : AccountId(s, grant.subject));
        if (grant.role == Role::kAdmin && grant.subject_kind == "group" && subject == 0) return Fail(Code::kInvalid, "everyone can't be admin", "that is what `rondo up --insecure` is for");
        RONDO_TRY(const auto before, s.QueryText(kGet, {grant.subject_kind, subject, grant.resource.kind, grant.resource.name}));
        if (grant.role == Role::kNone) {
          if (!before) return Fail(Code::kNotFound, fmt::format("{} {} has no role of its own on {}", grant.subject_kind, grant.subject, Text(grant.resource)), "`rondo role list` shows all grants");
          RONDO_DO(Run(s, kDelete, {grant.subject_kind, subject, grant.resource.kind, grant.resource.name}));
        } else {
          RONDO_DO(Run(s, kPut, {grant.subject_kind, subject, grant.resource.kind, grant.resource.name, std::string(RoleName(grant.role)), clock_.NowMs(), actor}));
        }
        const auto role = [](std::string_view r) { return Json::MakeObject().Set("role", r); };
        return Entry(grant.role == Role::kNone ? "grant.remove" : "grant.set", fmt::format("{} {} on {}", grant.subject_kind, grant.subject, Text(grant.resource)),
                     before ? role(*before) : Json(), grant.role == Role::kNone ? Json() : role(RoleName(grant.role)));
      },
      grant.resource.kind == "server");
}

std::vector<Grant> AccountStore::Grants() { return Now()->grants; }

Status AccountStore::ForgetResource(const std::string& actor, const Resource& resource) {
  const auto now = Now();
  if (std::ranges::find(now->grants, resource, &Grant::resource) == now->grants.end()) return {};
  return Change(actor, [&](db::Session& s) -> Result<AuditEntry> {
    RONDO_TRY(const auto count, s.QueryInt(kCount, {resource.kind, resource.name}));
    RONDO_DO(Run(s, kForget, {resource.kind, resource.name}));
    return Entry("grant.forget", Text(resource), Json::MakeObject().Set("grants", count.value_or(0)));
  });
}

Status AccountStore::RenameResource(const std::string& actor, const Resource& resource, const std::string& new_name) {
  const auto now = Now();
  if (std::ranges::find(now->grants, resource, &Grant::resource) == now->grants.end()) return {};
  return Change(actor, [&](db::Session& s) -> Result<AuditEntry> {
    RONDO_DO(Run(s, kForget, {resource.kind, new_name}));  // left from something that had the name before
    // A name that ends in '*' would make a grant on one thing into one on many.
    if (new_name.ends_with('*')) RONDO_DO(Run(s, kForget, {resource.kind, resource.name}));
    else RONDO_DO(Run(s, kRename, {resource.kind, resource.name, new_name}));
    return Entry("grant.rename", Text(resource), {}, Json::MakeObject().Set("name", new_name));
  });
}

}  // namespace rondo::govern
