// The state of endpoints and rollouts in SQL, and every change of it.
#include "serving/rollout.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/id.h"
#include "base/json_map.h"
#include "serving/loaded_model.h"

namespace rondo::serving {
namespace {

constexpr std::string_view kPutEndpoint = "INSERT INTO endpoint (name, model, creation_time, actor) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING";
constexpr std::string_view kGetEndpoints = "SELECT name, model, creation_time, actor FROM endpoint WHERE $1 = '' OR name = $1 ORDER BY name";
constexpr std::string_view kColumns =
    "SELECT id, endpoint, model, version, previous, plan, state, step, step_time, step_base, creation_time, end_time, actor, reason, why, verdict, arms FROM rollout ";
constexpr std::string_view kPutRollout =
    "INSERT INTO rollout (id, endpoint, model, version, previous, plan, state, step, step_time, step_base, creation_time, end_time, actor, reason, why, verdict, arms) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $9, NULL, $10, $11, $12, 'null', 'null')";
constexpr std::string_view kSetStep = "UPDATE rollout SET step = $3, step_time = $4, step_base = $5, state = 'running', why = $6 WHERE id = $1 AND step = $2 AND end_time IS NULL";
constexpr std::string_view kSetState = "UPDATE rollout SET state = $3, why = $4 WHERE id = $1 AND state = $2 AND end_time IS NULL";
constexpr std::string_view kEnd = "UPDATE rollout SET state = $2, end_time = $3, why = $4, verdict = COALESCE($5, verdict) WHERE id = $1 AND end_time IS NULL";
constexpr std::string_view kSave = "UPDATE rollout SET why = $2, verdict = $3, arms = $4 WHERE id = $1 AND state = 'running' AND end_time IS NULL";
constexpr std::string_view kChallenger = "SELECT a.version FROM model_alias a JOIN registered_model m ON m.id = a.model WHERE m.name = $1 AND a.alias = 'challenger'";
constexpr std::string_view kPutEvent =
    "INSERT INTO endpoint_event (endpoint, seq, time, rollout, actor, action, text, data) "
    "SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5, $6, $7 FROM endpoint_event WHERE endpoint = $1";
constexpr std::string_view kGetEvents = "SELECT seq, time, rollout, actor, action, text, data FROM endpoint_event WHERE endpoint = $1 ORDER BY seq DESC LIMIT $2";

Status Do(db::Session& s, std::string_view sql, const db::Args& args) {
  RONDO_TRY([[maybe_unused]] const int64_t changed, s.Exec(sql, args));
  return {};
}

Json Parsed(std::string_view text) {
  auto json = ParseJson(text);
  return json ? std::move(*json) : Json();
}

Result<std::vector<Rollout>> Query(db::Session& s, std::string_view where, const db::Args& args) {
  std::vector<Rollout> out;
  Status bad;
  RONDO_DO(s.Query(std::string(kColumns) + std::string(where), args, [&](const db::Row& r) {
    Rollout& x = out.emplace_back();
    x.id = r.String(0);
    x.endpoint = r.String(1);
    x.model = r.String(2);
    x.version = r.Int(3);
    x.previous = r.OptInt(4);
    auto plan = ReadJson<Plan>(r.Text(5), UnknownKeys::kIgnore);
    if (!plan) {
      bad = Wrap(std::move(plan).error(), "the plan of rollout " + x.id);
      return false;
    }
    x.plan = std::move(*plan);
    x.state = r.String(6);
    x.step = r.Int(7);
    x.step_time = r.Int(8);
    x.step_base = r.Int(9);
    x.creation_time = r.Int(10);
    x.end_time = r.OptInt(11);
    x.actor = r.String(12);
    x.reason = r.String(13);
    x.why = r.String(14);
    x.verdict = Parsed(r.Text(15));
    x.arms = Parsed(r.Text(16));
    return true;
  }));
  RONDO_DO(bad);
  return out;
}
Result<std::optional<Rollout>> GoingOn(db::Session& s, const std::string& endpoint) {
  RONDO_TRY(auto rows, Query(s, "WHERE endpoint = $1 AND end_time IS NULL", {endpoint}));
  return rows.empty() ? std::nullopt : std::optional(std::move(rows[0]));
}
Result<std::vector<EndpointRow>> QueryEndpoints(db::Session& s, const std::string& name) {
  std::vector<EndpointRow> out;
  RONDO_DO(s.Query(kGetEndpoints, {name}, [&](const db::Row& r) {
    out.push_back({r.String(0), r.String(1), r.Int(2), r.String(3)});
    return true;
  }));
  return out;
}

/// Event and audit entry of one change.
Status Note(db::Session& s, int64_t now, const std::string& endpoint, const std::string& rollout, const std::string& actor, const std::string& action, const std::string& text, const Json& data) {
  RONDO_DO(Do(s, kPutEvent, {endpoint, now, rollout, actor, action, text, data.Dump()}));
  govern::AuditEntry entry;
  entry.actor = actor;
  entry.action = "rollout." + action;
  entry.object = "endpoint " + endpoint;
  entry.reason = text;
  entry.after = data;
  RONDO_TRY([[maybe_unused]] const auto appended, govern::AppendAudit(s, now, std::move(entry)));
  return {};
}

Status MoveAlias(db::Session& s, int64_t now, const std::string& model, const std::string& alias, std::optional<int64_t> from, int64_t to, const std::string& actor, const std::string& why) {
  RONDO_DO(registry::SetAlias(s, now, model, alias, to, actor, why));
  govern::AuditEntry entry;
  entry.actor = actor;
  entry.action = "alias.set";
  entry.object = fmt::format("model {}@{}", model, alias);
  entry.reason = why;
  if (from) entry.before = Json::MakeObject().Set("version", *from);
  entry.after = Json::MakeObject().Set("version", to);
  RONDO_TRY([[maybe_unused]] const auto appended, govern::AppendAudit(s, now, std::move(entry)));
  return {};
}

/// The end of a rollout inside a transaction. False: it had ended already.
Result<bool> End(db::Session& s, int64_t now, const Rollout& r, const std::string& state, const std::string& actor, const std::string& why, const Json& numbers) {
  RONDO_TRY(const int64_t changed, s.Exec(kEnd, {r.id, state, now, why, numbers.IsNull() ? db::Value() : db::Value(numbers.Dump())}));
  if (changed == 0) return false;
  RONDO_TRY(const auto challenger, s.QueryInt(kChallenger, {r.model}));
  if (challenger == r.version) RONDO_DO(registry::DeleteAlias(s, now, r.model, "challenger", actor, why));
  Json data = Json::MakeObject().Set("version", r.version).Set("state", state).Set("step", r.step);
  if (!numbers.IsNull()) data.Set("numbers", numbers);
  RONDO_DO(Note(s, now, r.endpoint, r.id, actor, state == "promoted" ? "promote" : state == "aborted" ? "abort" : "rollback", why, data));
  return true;
}

Result<bool> Promote(db::Session& s, int64_t now, const Rollout& r, const std::string& actor, const std::string& why, const Json& numbers) {
  RONDO_TRY(const bool ended, End(s, now, r, "promoted", actor, why, numbers));
  if (ended) RONDO_DO(MoveAlias(s, now, r.model, "champion", r.previous, r.version, actor, why));
  return ended;
}

std::string DescribeStage(const Stage& stage) { return stage.shadow ? "shadow" : fmt::format("{:.4g}%", stage.share * 100); }

std::string DescribePlan(const Plan& plan) {
  std::string out;
  for (const Stage& stage : plan.stages) out += DescribeStage(stage) + ", ";
  return out + "100%";
}

std::string Reason(const std::string& reason, std::string_view otherwise) { return reason.empty() ? std::string(otherwise) : reason; }

Status CheckEndpointName(const std::string& name) {
  const auto fine = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; };
  if (!name.empty() && name.size() <= 64 && name[0] != '.' && name[0] != '-' && std::all_of(name.begin(), name.end(), fine)) return {};
  return Fail(Code::kInvalid, fmt::format("\"{}\" can't be the name of an endpoint", name.substr(0, 80)), "letters, digits, _, - and ., at most 64, beginning with a letter or digit");
}

}  // namespace

Status EnsureTables(workspace::Workspace& w) { return w.db().Migrate("serving", Migrations()); }

Result<std::string> MissingApprovals(workspace::Workspace& w, const Rollout& r) {
  if (r.plan.approvals.empty()) return std::string();
  RONDO_TRY(const registry::Version version, w.registry().GetVersion(r.model, r.version));
  RONDO_TRY(const auto records, w.approvals().Of(r.model, r.version));
  std::string missing;
  for (const project::Approval& rule : r.plan.approvals) {
    // The newest word of each person counts, and only about these very bytes.
    std::set<std::string> heard, approved;
    for (const govern::ApprovalRecord& record : records) {
      if (record.digest != version.digest || !heard.insert(record.actor).second) continue;
      if (record.decision == "rejected") return Fail(Code::kFailedCheck, fmt::format("{}/{} was rejected by {}{}", r.model, r.version, record.actor, record.reason.empty() ? "" : ": " + record.reason));
      if (rule.not_author && record.actor == version.user_id) continue;
      if (!rule.roles.empty() && std::find(rule.roles.begin(), rule.roles.end(), record.role) == rule.roles.end()) continue;
      approved.insert(record.actor);
    }
    if (static_cast<int64_t>(approved.size()) >= rule.count) continue;
    std::string roles;
    for (const std::string& role : rule.roles) roles += (roles.empty() ? " in the role " : " or ") + role;
    missing += fmt::format("{}{} of {} approvals{}{}", missing.empty() ? "waits for approval: " : "; ", approved.size(), rule.count, roles, rule.not_author ? ", not by its author" : "");
  }
  return missing;
}

Result<Rollout> StartRollout(workspace::Workspace& w, const RolloutRequest& request) {
  RONDO_DO(EnsureTables(w));
  RONDO_DO(CheckEndpointName(request.endpoint));
  Rollout r;
  RONDO_TRY(r.plan, MakePlan(request.deploy));
  RONDO_TRY(const registry::Version version, w.registry().GetVersion(request.model, request.version));
  if (request.check) RONDO_DO(LoadVersion(w, version));
  for (const project::Approval& a : request.approvals)
    if (a.alias == "champion") r.plan.approvals.push_back(a);
  if (request.needs_approval && r.plan.approvals.empty()) r.plan.approvals.push_back({"champion", {}, 1, false});
  auto champion = w.registry().VersionByAlias(request.model, "champion");
  if (!champion && champion.error().code != Code::kNotFound) return std::unexpected(champion.error());

  r.id = NewId();
  r.endpoint = request.endpoint;
  r.model = request.model;
  r.version = request.version;
  r.actor = request.actor;
  r.reason = request.reason;
  if (champion) r.previous = champion->version;
  std::string how = r.plan.strategy;
  if (!champion && !r.plan.stages.empty()) {
    r.plan.stages.clear();  // nothing to compare with
    how = "the first version";
  }
  RONDO_TRY(const std::string missing, MissingApprovals(w, r));
  const bool champion_already = champion && champion->version == request.version;

  RONDO_TRY(Rollout out, db::Store<Rollout>(w.db(), [&](db::Session& s) -> Result<Rollout> {
    const int64_t now = w.clock().NowMs();
    RONDO_DO(Do(s, kPutEndpoint, {r.endpoint, r.model, now, r.actor}));
    RONDO_TRY(const auto endpoints, QueryEndpoints(s, r.endpoint));
    if (endpoints.empty() || endpoints[0].model != r.model)
      return Fail(Code::kConflict, fmt::format("the endpoint {} serves the model {}, not {}", r.endpoint, endpoints.empty() ? "" : endpoints[0].model, r.model), "use another endpoint name");
    RONDO_TRY(const auto active, GoingOn(s, r.endpoint));
    if (active && active->version == r.version && !champion_already) return *active;
    if (active) RONDO_DO(End(s, now, *active, "aborted", r.actor, fmt::format("version {} took its place", r.version), {}));
    Rollout done = r;
    done.creation_time = done.step_time = now;
    if (champion_already) {
      done.state = "promoted";
      done.end_time = now;
      done.why = fmt::format("version {} is the champion already", r.version);
      return done;
    }
    const bool at_once = r.plan.stages.empty();
    done.why = at_once ? missing : fmt::format("{} of version {}: {}", r.plan.strategy, r.version, DescribePlan(r.plan));
    done.state = at_once && !missing.empty() ? "waiting" : "running";
    RONDO_DO(Do(s, kPutRollout, {done.id, done.endpoint, done.model, done.version, done.previous, ToJson(done.plan).Dump(), done.state, done.step, now, done.actor, done.reason, done.why}));
    const std::string text = fmt::format("{} of version {}{}{}", how, r.version, r.previous ? fmt::format(" beside version {}", *r.previous) : "", r.reason.empty() ? "" : ": " + r.reason);
    RONDO_DO(Note(s, now, r.endpoint, r.id, r.actor, "start", text, Json::MakeObject().Set("version", r.version).Set("plan", ToJson(r.plan))));
    if (!at_once) {
      RONDO_DO(MoveAlias(s, now, r.model, "challenger", std::nullopt, r.version, r.actor, text));
    } else if (missing.empty()) {
      done.why = fmt::format("version {} is champion ({})", r.version, how);
      RONDO_DO(Promote(s, now, done, r.actor, done.why, {}));
      done.state = "promoted";
      done.end_time = now;
    }
    return done;
  }));
  RONDO_DO(w.registry().AddEdges({{"version", fmt::format("{}/{}", out.model, out.version), "serves", "endpoint", out.endpoint, w.clock().NowMs()}}));
  return out;
}

Result<bool> AdvanceRollout(workspace::Workspace& w, const Rollout& r, int64_t challenger_requests, const std::string& actor, const std::string& why, const Json& numbers) {
  const size_t next = static_cast<size_t>(r.step) + 1;
  std::string missing;
  if (next >= r.plan.stages.size()) {
    auto checked = MissingApprovals(w, r);
    if (!checked && checked.error().code == Code::kFailedCheck) return EndRollout(w, r, "aborted", actor, checked.error().message, numbers);
    if (!checked) return std::unexpected(checked.error());
    missing = std::move(*checked);
  }
  return db::Store<bool>(w.db(), [&](db::Session& s) -> Result<bool> {
    const int64_t now = w.clock().NowMs();
    RONDO_TRY(const auto active, GoingOn(s, r.endpoint));
    if (!active || active->id != r.id || active->step != r.step) return false;
    if (next < r.plan.stages.size()) {
      RONDO_TRY(const int64_t changed, s.Exec(kSetStep, {r.id, r.step, static_cast<int64_t>(next), now, challenger_requests, why}));
      if (changed == 0) return false;
      const std::string text = fmt::format("step {}: {} to version {}; {}", next + 1, DescribeStage(r.plan.stages[next]), r.version, why);
      Json data = Json::MakeObject().Set("version", r.version).Set("step", static_cast<int64_t>(next)).Set("share", r.plan.stages[next].share);
      if (!numbers.IsNull()) data.Set("numbers", numbers);
      RONDO_DO(Note(s, now, r.endpoint, r.id, actor, "advance", text, data));
      return true;
    }
    if (missing.empty()) return Promote(s, now, r, actor, fmt::format("version {} is champion: {}", r.version, why), numbers);
    if (active->state == "waiting") return false;
    RONDO_TRY(const int64_t changed, s.Exec(kSetState, {r.id, active->state, "waiting", missing}));
    if (changed > 0) {
      Json data = Json::MakeObject().Set("version", r.version);
      if (!numbers.IsNull()) data.Set("numbers", numbers);
      RONDO_DO(Note(s, now, r.endpoint, r.id, actor, "wait", fmt::format("version {} {}", r.version, missing), data));
    }
    return changed > 0;
  });
}

Result<bool> EndRollout(workspace::Workspace& w, const Rollout& r, const std::string& state, const std::string& actor, const std::string& why, const Json& numbers) {
  return db::Store<bool>(w.db(), [&](db::Session& s) -> Result<bool> { return End(s, w.clock().NowMs(), r, state, actor, why, numbers); });
}

Result<bool> MarkPromoted(workspace::Workspace& w, const Rollout& r, const std::string& why) {
  return EndRollout(w, r, "promoted", std::string(kRolloutActor), why, {});
}

Status SaveProgress(workspace::Workspace& w, const Rollout& r, const std::string& why, const Json& verdict, const Json& arms) {
  return w.db().Write([&](db::Session& s) -> Status { return Do(s, kSave, {r.id, why, verdict.Dump(), arms.Dump()}); });
}

Result<Action> ParseAction(std::string_view name) {
  static constexpr std::pair<std::string_view, Action> kActions[] = {
      {"advance", Action::kAdvance}, {"pause", Action::kPause}, {"resume", Action::kResume}, {"abort", Action::kAbort}, {"rollback", Action::kRollback}};
  for (const auto& [known, action] : kActions)
    if (known == name) return action;
  return Fail(Code::kNotFound, fmt::format("there is no action \"{}\"", name.substr(0, 40)), "advance, pause, resume, abort, rollback");
}

Result<std::optional<int64_t>> PreviousChampion(workspace::Workspace& w, const std::string& model) {
  RONDO_TRY(auto history, w.registry().AliasHistory(model, "champion"));
  std::reverse(history.begin(), history.end());
  // A rollback takes the newest version off the pile; every other move puts one on. So two rollbacks go back twice instead of to and fro.
  std::vector<int64_t> pile;
  for (const registry::AliasChange& change : history) {
    if (!change.to) continue;
    if (change.reason.starts_with("rollback") && pile.size() >= 2 && pile[pile.size() - 2] == *change.to) pile.pop_back();
    else if (pile.empty() || pile.back() != *change.to) pile.push_back(*change.to);
  }
  auto champion = w.registry().VersionByAlias(model, "champion");
  if (!champion) return champion.error().code == Code::kNotFound ? Result<std::optional<int64_t>>(std::nullopt) : std::unexpected(champion.error());
  for (size_t i = pile.size(); i > 1; --i) {
    if (pile[i - 2] == champion->version) continue;
    // A version that was deleted meanwhile can't come back.
    if (w.registry().GetVersion(model, pile[i - 2])) return std::optional(pile[i - 2]);
  }
  return std::nullopt;
}

Result<Rollout> Act(workspace::Workspace& w, const std::string& endpoint, Action action, const std::string& actor, const std::string& reason, const std::function<Status(const registry::Version&)>& check) {
  RONDO_DO(EnsureTables(w));
  RONDO_TRY(const auto row, FindEndpoint(w, endpoint));
  if (!row) return Fail(Code::kNotFound, fmt::format("there is no endpoint \"{}\"", endpoint.substr(0, 80)), "`rondo endpoint list` shows them");
  RONDO_TRY(const auto active, ActiveRollout(w, endpoint));
  if (!active && action != Action::kRollback) return Fail(Code::kConflict, fmt::format("no rollout is going on at {}", endpoint), "`rondo deploy` starts one");

  const auto again = [&](const std::string& id) -> Result<Rollout> {
    RONDO_TRY(auto rollouts, Rollouts(w, endpoint, 1000));
    for (Rollout& r : rollouts)
      if (r.id == id) return std::move(r);
    return Fail(Code::kInternal, "the rollout has gone");
  };
  const auto moved_on = [&] { return Fail(Code::kConflict, fmt::format("the rollout at {} has moved on meanwhile", endpoint), "look at `rondo rollout show` and try again"); };
  switch (action) {
    case Action::kAdvance: {
      if (active->state == "waiting") {
        RONDO_TRY(const std::string missing, MissingApprovals(w, *active));
        if (!missing.empty()) return Fail(Code::kFailedCheck, fmt::format("version {} {}", active->version, missing), fmt::format("rondo approve {}/{}", active->model, active->version));
      }
      RONDO_TRY(const bool moved, AdvanceRollout(w, *active, active->arms["challenger"]["requests"].AsInt(), actor, Reason(reason, "moved on by hand"), active->verdict));
      if (!moved) return moved_on();
      return again(active->id);
    }
    case Action::kPause:
    case Action::kResume: {
      const bool pause = action == Action::kPause;
      const std::string from = pause ? "running" : "paused", to = pause ? "paused" : "running";
      if (active->state != from) return Fail(Code::kConflict, fmt::format("the rollout at {} is {}, not {}", endpoint, active->state, from));
      const std::string why = Reason(reason, pause ? "paused by hand" : "resumed by hand");
      RONDO_TRY(const bool changed, db::Store<bool>(w.db(), [&](db::Session& s) -> Result<bool> {
                  RONDO_TRY(const int64_t rows, s.Exec(kSetState, {active->id, from, to, why}));
                  if (rows == 0) return false;
                  RONDO_DO(Note(s, w.clock().NowMs(), endpoint, active->id, actor, pause ? "pause" : "resume", why, Json::MakeObject().Set("version", active->version).Set("step", active->step)));
                  return true;
                }));
      if (!changed) return moved_on();
      return again(active->id);
    }
    case Action::kAbort:
    case Action::kRollback: {
      if (!active) break;
      const bool abort = action == Action::kAbort;
      RONDO_TRY(const bool ended, EndRollout(w, *active, abort ? "aborted" : "rolled_back", actor, Reason(reason, abort ? "aborted by hand" : "rolled back by hand"), active->verdict));
      if (!ended) return moved_on();
      return again(active->id);
    }
  }
  // No rollout: the alias goes back.
  RONDO_TRY(const auto previous, PreviousChampion(w, row->model));
  if (!previous) return Fail(Code::kConflict, fmt::format("{} has no champion before the present one", row->model), "`rondo model history` shows who was champion when");
  RONDO_TRY(const registry::Version champion, w.registry().VersionByAlias(row->model, "champion"));
  RONDO_TRY(const registry::Version target, w.registry().GetVersion(row->model, *previous));
  if (check) {
    RONDO_DO(check(target));
  } else {
    RONDO_DO(LoadVersion(w, target));
  }
  const std::string why = fmt::format("rollback from version {} to {}{}", champion.version, *previous, reason.empty() ? "" : ": " + reason);
  RONDO_DO(w.db().Write([&](db::Session& s) -> Status {
    const int64_t now = w.clock().NowMs();
    RONDO_DO(MoveAlias(s, now, row->model, "champion", champion.version, *previous, actor, why));
    return Note(s, now, endpoint, "", actor, "rollback", why, Json::MakeObject().Set("from", champion.version).Set("to", *previous));
  }));
  Rollout out;
  out.endpoint = endpoint;
  out.model = row->model;
  out.version = *previous;
  out.previous = champion.version;
  out.plan.strategy = "rollback";
  out.state = "promoted";
  out.creation_time = w.clock().NowMs();
  out.end_time = out.creation_time;
  out.actor = actor;
  out.reason = reason;
  out.why = why;
  return out;
}

Result<int> SettleWaiting(workspace::Workspace& w) {
  RONDO_DO(EnsureTables(w));
  RONDO_TRY(const auto endpoints, Endpoints(w));
  int ended = 0;
  for (const EndpointRow& endpoint : endpoints) {
    RONDO_TRY(const auto r, ActiveRollout(w, endpoint.name));
    if (!r || r->state != "waiting") continue;
    const auto missing = MissingApprovals(w, *r);
    if (!missing && missing.error().code != Code::kFailedCheck) return std::unexpected(missing.error());
    if (missing && !missing->empty()) continue;
    RONDO_TRY(const bool done, AdvanceRollout(w, *r, 0, std::string(kRolloutActor), "the approvals are complete", r->verdict));
    ended += done;
  }
  return ended;
}

Result<std::vector<EndpointRow>> Endpoints(workspace::Workspace& w) {
  return db::Fetch<std::vector<EndpointRow>>(w.db(), [&](db::Session& s) { return QueryEndpoints(s, ""); });
}
Result<std::optional<EndpointRow>> FindEndpoint(workspace::Workspace& w, const std::string& name) {
  if (name.empty()) return std::nullopt;
  RONDO_TRY(auto rows, db::Fetch<std::vector<EndpointRow>>(w.db(), [&](db::Session& s) { return QueryEndpoints(s, name); }));
  return rows.empty() ? std::nullopt : std::optional(std::move(rows[0]));
}
Result<std::optional<Rollout>> ActiveRollout(workspace::Workspace& w, const std::string& endpoint) {
  return db::Fetch<std::optional<Rollout>>(w.db(), [&](db::Session& s) { return GoingOn(s, endpoint); });
}
Result<std::vector<Rollout>> Rollouts(workspace::Workspace& w, const std::string& endpoint, int64_t limit) {
  return db::Fetch<std::vector<Rollout>>(w.db(), [&](db::Session& s) { return Query(s, "WHERE endpoint = $1 ORDER BY creation_time DESC, version DESC, id LIMIT $2", {endpoint, limit}); });
}
Result<std::vector<EndpointEvent>> Events(workspace::Workspace& w, const std::string& endpoint, int64_t limit) {
  return db::Fetch<std::vector<EndpointEvent>>(w.db(), [&](db::Session& s) -> Result<std::vector<EndpointEvent>> {
    std::vector<EndpointEvent> out;
    RONDO_DO(s.Query(kGetEvents, {endpoint, limit}, [&](const db::Row& r) {
      out.push_back({r.Int(0), r.Int(1), r.String(2), r.String(3), r.String(4), r.String(5), Parsed(r.Text(6))});
      return true;
    }));
    return out;
  });
}

}  // namespace rondo::serving
