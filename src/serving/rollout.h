/// Rollouts: how a new version takes over an endpoint, as state in the database that any process may change (docs/decisions/0052). The server follows
/// it (serving/server.h); these functions are the only ones that write it. Every change is one transaction with its event and its audit entry.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "db/db.h"
#include "project/spec.h"
#include "workspace/workspace.h"

namespace rondo::serving {

/// One stage of a plan. A shadow is scored beside and answers nothing.
struct Stage {
  bool shadow = false;
  double share = 0;  ///< of the traffic that the new version answers
};
BOOST_DESCRIBE_STRUCT(Stage, (), (shadow, share))

struct Plan {
  std::string strategy;
  std::vector<Stage> stages;        ///< empty: promoted at once. After the last one the version becomes champion
  project::Hold hold;               ///< of each stage: requests that the new version got, and time
  std::vector<project::Gate> guard;
  std::vector<project::Approval> approvals;  ///< for the alias champion
  bool by_hand = false;             ///< A/B: a person decides at the end
};
BOOST_DESCRIBE_STRUCT(Plan, (), (strategy, stages, hold, guard, approvals, by_hand))

/// all-at-once: no stages. blue-green: one stage with all traffic. canary: the steps below 100 % (5 %, 25 % when none are given). shadow: a shadow stage,
/// then the steps, if any. ab: one stage with the one share (50 %), ended by hand. Without `hold`: 100 requests; without `guard`: error_rate <= 1%.
/// kInvalid names a strategy, share or guard that can't be.
Result<Plan> MakePlan(const project::Deploy& deploy);

inline constexpr std::string_view kRolloutStates[] = {"running", "paused", "waiting", "promoted", "rolled_back", "aborted"};

struct Rollout {
  std::string id, endpoint, model;
  int64_t version = 0;
  std::optional<int64_t> previous;
  Plan plan;
  std::string state = "running";
  int64_t step = 0, step_time = 0, step_base = 0;
  int64_t creation_time = 0;
  std::optional<int64_t> end_time;
  std::string actor, reason, why;
  Json verdict, arms;

  bool going_on() const { return !end_time; }
  const Stage* stage() const { return step >= 0 && static_cast<size_t>(step) < plan.stages.size() ? &plan.stages[static_cast<size_t>(step)] : nullptr; }
};

struct EndpointRow {
  std::string name, model;
  int64_t creation_time = 0;
  std::string actor;
};
struct EndpointEvent {
  int64_t seq = 0, time = 0;
  std::string rollout, actor, action, text;
  Json data;
};

struct RolloutRequest {
  std::string endpoint, model;
  int64_t version = 0;
  project::Deploy deploy;
  std::vector<project::Approval> approvals;  ///< govern.approvals; those of other aliases than champion are left out
  bool needs_approval = false;               ///< retrain.promote: approval: one approval at least
  std::string actor, reason;
  bool check = true;                         ///< load the version first, so that a broken one never becomes anything
};

/// The tables of this module; called by the functions below.
Status EnsureTables(workspace::Workspace& workspace);
const std::vector<db::Migration>& Migrations();

/// Makes the endpoint when there is none and begins. Without a champion, or all at once, the version becomes champion here and now (no server is needed).
/// The version that is champion already, or that is being rolled out already, is no error: the state comes back. Another rollout that is going on ends as aborted.
Result<Rollout> StartRollout(workspace::Workspace& workspace, const RolloutRequest& request);

enum class Action { kAdvance, kPause, kResume, kAbort, kRollback };
Result<Action> ParseAction(std::string_view name);
/// What a person does. kNotFound without the endpoint, kConflict when the state doesn't allow it. Advance: the next stage, or promotion at the end
/// (approvals are still needed). Rollback: ends a rollout, else gives the alias champion back to the champion before, once `check` has found that it can be
/// served (empty: it is loaded).
Result<Rollout> Act(workspace::Workspace& workspace, const std::string& endpoint, Action action, const std::string& actor, const std::string& reason,
                    const std::function<Status(const registry::Version&)>& check = {});

Result<std::vector<EndpointRow>> Endpoints(workspace::Workspace& workspace);
Result<std::optional<EndpointRow>> FindEndpoint(workspace::Workspace& workspace, const std::string& name);
Result<std::optional<Rollout>> ActiveRollout(workspace::Workspace& workspace, const std::string& endpoint);
Result<std::vector<Rollout>> Rollouts(workspace::Workspace& workspace, const std::string& endpoint, int64_t limit);        ///< newest first
Result<std::vector<EndpointEvent>> Events(workspace::Workspace& workspace, const std::string& endpoint, int64_t limit);    ///< newest first

/// The champion that a rollback would bring back: the one before the present one, rollbacks undone. Empty: there is none.
Result<std::optional<int64_t>> PreviousChampion(workspace::Workspace& workspace, const std::string& model);
/// What is missing before `champion` may point at the version, in words; "" when nothing is. A rejection of these bytes is kFailedCheck.
Result<std::string> MissingApprovals(workspace::Workspace& workspace, const Rollout& rollout);

/// Rollouts that wait for approvals which are complete now are promoted, rejected ones end. A server does this by itself; the command line calls it after an
/// approval, so that none is needed. Returns how many ended.
Result<int> SettleWaiting(workspace::Workspace& workspace);

// For the server.

/// On to the next stage, or promotion; waits when approvals are missing. False: the state had moved on meanwhile.
Result<bool> AdvanceRollout(workspace::Workspace& workspace, const Rollout& rollout, int64_t challenger_requests, const std::string& actor, const std::string& why, const Json& numbers);
/// Ends a rollout: `state` rolled_back or aborted. False: it had ended already.
Result<bool> EndRollout(workspace::Workspace& workspace, const Rollout& rollout, const std::string& state, const std::string& actor, const std::string& why, const Json& numbers);
/// Somebody moved the alias to the version by hand: the rollout is done.
Result<bool> MarkPromoted(workspace::Workspace& workspace, const Rollout& rollout, const std::string& why);
/// Counters and judgement so far.
Status SaveProgress(workspace::Workspace& workspace, const Rollout& rollout, const std::string& why, const Json& verdict, const Json& arms);

inline constexpr std::string_view kRolloutActor = "rondo:rollout";

}  // namespace rondo::serving
