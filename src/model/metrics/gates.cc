// Gates: a number against a limit, with the reason.
#include <fmt/format.h>

#include <cmath>

#include "model/metrics/ranked.h"

namespace rondo::model {
namespace {

bool Holds(double value, const std::string& op, double limit) {
  if (op == ">=") return value >= limit;
  if (op == ">") return value > limit;
  if (op == "<=") return value <= limit;
  if (op == "<") return value < limit;
  return op == "==" && value == limit;
}

GateResult Unknown(GateResult result, std::string why) {
  result.value = kNaN;
  result.passed = false;
  result.why = "can't be evaluated: " + std::move(why);
  return result;
}

}  // namespace

GateResult JudgeGate(const project::Gate& gate, const GateLookup& candidate, const GateLookup& champion, std::optional<double> confidence) {
  GateResult result;
  result.gate = gate.text;
  result.warn = gate.warn;
  result.limit = gate.champion ? kNaN : gate.limit;
  std::string why;
  const std::optional<Interval> found = candidate ? candidate(gate, why) : std::nullopt;
  if (!found || std::isnan(found->value)) return Unknown(result, why.empty() ? gate.metric + " has no value here" : why);
  result.value = found->value;
  if (gate.champion) {
    if (!champion) {
      result.passed = true;
      result.why = fmt::format("{:.4g}; there is no champion yet to compare with", found->value);
      return result;
    }
    const std::optional<Interval> other = champion(gate, why);
    if (!other || std::isnan(other->value)) return Unknown(result, "the champion: " + (why.empty() ? gate.metric + " has no value" : why));
    result.limit = gate.factor * other->value + gate.limit;
  }
  double judged = found->value;
  if (confidence && gate.op != "==") {
    judged = gate.op[0] == '>' ? found->low : found->high;
    // A number without sampling error of its own (a latency measured by the caller) comes with low = high = value.
    if (std::isnan(judged)) return Unknown(result, fmt::format("too few rows for a {:g} % bound of {}", *confidence * 100, gate.metric));
  }
  result.passed = Holds(judged, gate.op, result.limit);
  const std::string shown = confidence && gate.op != "==" ? fmt::format("{:.4g} (bound {:.4g} at {:g} %)", found->value, judged, *confidence * 100) : fmt::format("{:.4g}", found->value);
  result.why = fmt::format("{} {} {} {:.4g}", shown, result.passed ? "meets" : "misses", gate.op, result.limit);
  return result;
}

}  // namespace rondo::model
