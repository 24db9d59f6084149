#include "serving/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace rondo::serving {
namespace {

/// One-sided 99.9 %: what a guard must be sure of to roll back by itself. With looks at growing samples only (a tenth at a time: 70 from 20 to
/// 10,000 requests) a harmless version is rolled back by chance in at most a few per cent even when it sits exactly on the limit.
constexpr double kFailP = 0.001, kFailZ = 3.0902;
constexpr int64_t kLatencySamples = 300;  ///< below, the 99th percentile has no upper bound at 95 % (0.99^299 = 0.05)
constexpr int64_t kScoreSamples = 100;    ///< ten expected in each of ten bins
constexpr double kSampleRatioP = 0.001;

bool Holds(const project::Gate& gate, double value, double limit) {
  if (gate.op == "<=") return value <= limit;
  if (gate.op == "<") return value < limit;
  if (gate.op == ">=") return value >= limit;
  if (gate.op == ">") return value > limit;
  return value == limit;
}

void ErrorRate(const Plan& plan, const project::Gate& gate, const TrialNumbers& n, GuardVerdict& out) {
  const ArmNumbers& trial = n.challenger;
  out.samples = trial.requests;
  out.limit = gate.limit;
  if (gate.champion) {
    const ArmNumbers& base = n.champion.requests >= 100 ? n.champion : n.champion_life;
    if (base.requests < 100) {
      out.needed = 100;
      out.why = fmt::format("the champion has answered {} of the 100 requests that the comparison needs", base.requests);
      return;
    }
    out.limit = gate.factor * static_cast<double>(base.errors) / static_cast<double>(base.requests) + gate.limit;
  }
  out.limit = std::clamp(out.limit, 0.0, 1.0);
  // Enough that one error at the limit is expected: fewer can't tell 0 from it.
  out.needed = std::max<int64_t>({20, plan.hold.requests, out.limit > 0 ? std::min<int64_t>(1000, std::llround(std::ceil(1 / out.limit))) : 0});
  if (trial.requests == 0) {
    out.why = "no request yet";
    return;
  }
  out.value = static_cast<double>(trial.errors) / static_cast<double>(trial.requests);
  const Interval bounds = WilsonInterval(trial.errors, trial.requests);
  out.low = bounds.low;
  out.high = bounds.high;
  if (!Holds(gate, out.value, out.limit) && BinomialTail(trial.errors, trial.requests, out.limit) < kFailP) {
    out.verdict = "fail";
    out.why = fmt::format("{} of {} requests failed", trial.errors, trial.requests);
  } else if (trial.requests < out.needed) {
    out.why = fmt::format("{} of {} requests", trial.requests, out.needed);
  } else if (Holds(gate, out.value, out.limit)) {
    out.verdict = "pass";
  } else {
    out.why = "above the limit, but it may be chance";
  }
}

void Latency(const project::Gate& gate, const TrialNumbers& n, GuardVerdict& out) {
  const auto bound = [](const ArmNumbers& arm, double sides) {
    const double count = static_cast<double>(std::max<int64_t>(1, arm.answered()));
    return arm.LatencyMs(std::clamp(0.99 + sides * kFailZ * std::sqrt(0.99 * 0.01 / count), 0.0, 1.0));
  };
  const ArmNumbers& trial = n.challenger;
  out.samples = trial.answered();
  out.needed = kLatencySamples;
  double surely = out.limit = gate.limit;
  if (gate.champion) {
    const ArmNumbers& base = n.champion.answered() >= kLatencySamples ? n.champion : n.champion_life;
    if (base.answered() < kLatencySamples) {
      out.why = fmt::format("the champion has answered {} of the {} requests that the comparison needs", base.answered(), kLatencySamples);
      return;
    }
    out.limit = gate.factor * base.LatencyMs(0.99) + gate.limit;
    surely = gate.factor * bound(base, 1) + gate.limit;
  }
  if (out.samples < kLatencySamples) {
    out.why = fmt::format("{} of {} requests: fewer say nothing about the slowest hundredth", out.samples, kLatencySamples);
    return;
  }
  out.value = trial.LatencyMs(0.99);
  out.low = bound(trial, -1);
  out.high = bound(trial, 1);
  if (out.low > surely) {
    out.verdict = "fail";
    out.why = fmt::format("at least {:.3g} ms, allowed are {:.3g} ms", out.low, surely);
  } else if (Holds(gate, out.value, out.limit)) {
    out.verdict = "pass";
  } else {
    out.why = "above the limit, but it may be chance";
  }
}

void ScoreShift(const project::Gate& gate, const TrialNumbers& n, GuardVerdict& out) {
  const ArmNumbers& base = static_cast<int64_t>(n.champion.scores.size()) >= kScoreSamples ? n.champion : n.champion_life;
  out.samples = n.challenger.rows;
  out.needed = kScoreSamples;
  out.limit = gate.limit;
  if (static_cast<int64_t>(base.scores.size()) < kScoreSamples) {
    out.why = fmt::format("the champion has scored {} of the {} rows that the comparison needs", base.scores.size(), kScoreSamples);
    return;
  }
  if (out.samples < kScoreSamples) {
    out.why = fmt::format("{} of {} rows", out.samples, kScoreSamples);
    return;
  }
  const Psi psi = ScorePsi(base.scores, n.challenger.scores);
  out.value = psi.excess;
  out.low = psi.low;
  if (psi.low > gate.limit) {
    out.verdict = "fail";
    out.why = fmt::format("psi {:.3f} over {} bins", psi.psi, psi.bins);
  } else if (Holds(gate, out.value, gate.limit)) {
    out.verdict = "pass";
  } else {
    out.why = "above the limit, but it may be chance";
  }
}

void LabelledMetric(const project::Gate& gate, const TrialNumbers& n, const MetricSource& metrics, GuardVerdict& out) {
  constexpr int64_t kLabels = 30;
  out.needed = kLabels;
  if (!metrics) {
    out.why = fmt::format("{} needs labels of the predictions", gate.metric);
    return;
  }
  const MetricEstimate value = metrics(n.endpoint, n.challenger_version, gate, n.since);
  const MetricEstimate base = gate.champion ? metrics(n.endpoint, n.champion_version, gate, n.since) : MetricEstimate{};
  out.samples = value.samples;
  if (!value.why.empty() || !base.why.empty()) {
    out.why = value.why.empty() ? base.why : value.why;
    return;
  }
  out.value = value.value;
  out.low = value.low;
  out.high = value.high;
  const bool upward = gate.op == ">=" || gate.op == ">";
  out.limit = gate.champion ? gate.factor * base.value + gate.limit : gate.limit;
  // Against the champion's bound in the other direction: both are estimates.
  const double surely = gate.champion ? gate.factor * (upward ? base.low : base.high) + gate.limit : gate.limit;
  if (const int64_t least = gate.champion ? std::min(value.samples, base.samples) : value.samples; least < kLabels) {
    out.why = fmt::format("{} of {} labels", least, kLabels);
  } else if (upward ? value.high < surely : value.low > surely) {
    out.verdict = "fail";
    out.why = "the interval lies beyond the limit";
  } else if (Holds(gate, value.value, out.limit)) {
    out.verdict = "pass";
  } else {
    out.why = "beyond the limit, but it may be chance";
  }
}

}  // namespace

StageVerdict JudgeStage(const Plan& plan, size_t stage, const TrialNumbers& n, const MetricSource& metrics) {
  StageVerdict out;
  out.requests = n.stage_requests;
  out.time_ms = n.stage_ms;
  const double share = stage < plan.stages.size() && !plan.stages[stage].shadow ? plan.stages[stage].share : 0;
  if (share > 0 && share < 1 && n.split.champion + n.split.challenger >= 200) out.sample_ratio_p = SampleRatioP(n.split.challenger, n.split.champion, share);
  const bool mismatch = out.sample_ratio_p < kSampleRatioP;

  std::string failed, open;
  for (const project::Gate& gate : plan.guard) {
    GuardVerdict& v = out.guards.emplace_back();
    v.guard = gate.text;
    v.warn = gate.warn;
    if (gate.metric == "error_rate") ErrorRate(plan, gate, n, v);
    else if (gate.metric == "latency_p99_ms") Latency(gate, n, v);
    else if (gate.metric == "score_psi") ScoreShift(gate, n, v);
    else LabelledMetric(gate, n, metrics, v);
    // Comparisons of variants stand on the split; what harms callers does not.
    if (mismatch && v.verdict != "inconclusive" && (gate.champion || gate.metric == "score_psi")) {
      v.verdict = "inconclusive";
      v.why = "the traffic isn't split as planned";
    }
    if (v.warn) continue;
    if (v.verdict == "fail" && failed.empty()) failed = fmt::format("guard {} failed: {:.4g}, {}", v.guard, v.value, v.why);
    if (v.verdict == "inconclusive" && open.empty()) open = fmt::format("guard {}: {}", v.guard, v.why);
  }
  if (!failed.empty()) {
    out.verdict = "fail";
    out.why = failed;
  } else if (n.stage_requests < plan.hold.requests) {
    out.why = fmt::format("{} of {} requests", n.stage_requests, plan.hold.requests);
  } else if (n.stage_ms < plan.hold.time_ms) {
    out.why = fmt::format("{} of {}", FormatDuration(n.stage_ms), FormatDuration(plan.hold.time_ms));
  } else if (mismatch) {
    out.why = fmt::format("version {} got {} of {} requests instead of {:.4g}% (p {:.1g}): no verdict while the traffic isn't split as planned", n.challenger_version, n.split.challenger,
                          n.split.challenger + n.split.champion, share * 100, out.sample_ratio_p);
  } else if (!open.empty()) {
    out.why = open;
  } else if (plan.by_hand) {
    out.why = "all guards pass; an A/B test is ended by hand";
  } else {
    out.verdict = "pass";
    size_t passed = 0;
    for (const GuardVerdict& v : out.guards) passed += v.verdict == "pass";
    out.why = fmt::format("{} of {} guards passed with {} requests", passed, out.guards.size(), n.challenger.requests);
  }
  return out;
}

bool WorthALook(int64_t samples, int64_t last_samples) { return samples == last_samples || samples * 10 >= last_samples * 11; }

}  // namespace rondo::serving
