// From `deploy:` to the stages of a rollout.
#include <fmt/format.h>

#include <algorithm>

#include "serving/rollout.h"

namespace rondo::serving {
namespace {

constexpr std::string_view kStrategies = "all-at-once, blue-green, canary, shadow, ab";

/// Shares below 1, rising; a last 1 is the promotion itself.
Result<std::vector<Stage>> Steps(const std::vector<double>& shares) {
  std::vector<Stage> out;
  double before = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    const double share = shares[i];
    if (!(share > 0 && share <= 1)) return Fail(Code::kInvalid, fmt::format("deploy.steps: {} is no share of the traffic", share), "shares are above 0 and at most 100%");
    if (share <= before) return Fail(Code::kInvalid, fmt::format("deploy.steps: {:.4g}% does not rise above {:.4g}%", share * 100, before * 100), "a rollout only moves forward: let the shares rise");
    before = share;
    if (share < 1) out.push_back({false, share});
    else if (i + 1 != shares.size()) return Fail(Code::kInvalid, "deploy.steps: nothing can follow 100%");
  }
  return out;
}

Status CheckGuard(const project::Gate& gate) {
  const bool cost = gate.metric == "error_rate" || gate.metric == "latency_p99_ms" || gate.metric == "score_psi";
  if (cost && gate.op != "<=" && gate.op != "<") return Fail(Code::kInvalid, fmt::format("deploy.guard: \"{}\": {} is bounded from above", gate.text, gate.metric), fmt::format("write {} <= LIMIT", gate.metric));
  if (gate.metric == "score_psi" && gate.champion) return Fail(Code::kInvalid, fmt::format("deploy.guard: \"{}\": score_psi compares with the champion by itself", gate.text), "write score_psi <= 0.25");
  return {};
}

}  // namespace

Result<Plan> MakePlan(const project::Deploy& deploy) {
  Plan plan;
  plan.strategy = deploy.rollout;
  plan.hold = deploy.hold;
  plan.guard = deploy.guard;
  if (plan.hold.requests < 0 || plan.hold.time_ms < 0) return Fail(Code::kInvalid, "deploy.hold must not be negative");
  for (const project::Gate& gate : plan.guard) RONDO_DO(CheckGuard(gate));
  RONDO_TRY(const std::vector<Stage> steps, Steps(deploy.steps));
  if (deploy.rollout == "all-at-once") {
    if (!steps.empty()) return Fail(Code::kInvalid, "deploy.steps: all-at-once has no steps", "leave them out, or say rollout: canary");
    return plan;
  }
  if (deploy.rollout == "blue-green") {
    if (!steps.empty()) return Fail(Code::kInvalid, "deploy.steps: blue-green has no steps", "leave them out, or say rollout: canary");
    plan.stages = {{false, 1}};
  } else if (deploy.rollout == "canary") {
    plan.stages = steps;
    if (deploy.steps.empty()) plan.stages = {{false, 0.05}, {false, 0.25}};
    if (plan.stages.empty()) return Fail(Code::kInvalid, "deploy.steps: a canary needs a step below 100%", "write steps: [5%, 25%, 100%]");
  } else if (deploy.rollout == "shadow") {
    plan.stages = {{true, 0}};
    plan.stages.insert(plan.stages.end(), steps.begin(), steps.end());
  } else if (deploy.rollout == "ab") {
    if (steps.size() > 1) return Fail(Code::kInvalid, "deploy.steps: an A/B test has one share", "write steps: [50%]");
    plan.stages = {{false, steps.empty() ? 0.5 : steps[0].share}};
    plan.by_hand = true;
  } else {
    return Fail(Code::kInvalid, fmt::format("there is no rollout \"{}\"", deploy.rollout.substr(0, 60)), fmt::format("rollout is one of {}", kStrategies));
  }
  if (plan.hold.requests == 0 && plan.hold.time_ms == 0) plan.hold.requests = 100;
  if (plan.guard.empty()) {
    project::Gate gate;
    gate.text = "error_rate <= 1%";
    gate.metric = "error_rate";
    gate.op = "<=";
    gate.limit = 0.01;
    plan.guard.push_back(gate);
  }
  return plan;
}

}  // namespace rondo::serving
