/// Is the new version good enough for the next step? Each guard passes, fails or stays inconclusive, on numbers and with enough of them
/// (docs/decisions/0053). Pure functions.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "serving/arm.h"
#include "serving/endpoint.h"
#include "serving/rollout.h"

namespace rondo::serving {

struct GuardVerdict {
  std::string guard;
  double value = std::numeric_limits<double>::quiet_NaN(), limit = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN(), high = std::numeric_limits<double>::quiet_NaN();  ///< bounds of the value, where there are any
  int64_t samples = 0;      ///< of the new version
  int64_t needed = 0;       ///< before it can pass
  std::string verdict = "inconclusive";  ///< pass | fail | inconclusive
  std::string why;
  bool warn = false;        ///< reported, never decides
};
BOOST_DESCRIBE_STRUCT(GuardVerdict, (), (guard, value, limit, low, high, samples, needed, verdict, why, warn))

/// A metric that needs labels (`auc >= champion - 0.01`): comes from outside once labels are there.
struct MetricEstimate {
  double value = 0, low = 0, high = 0;
  int64_t samples = 0;
  std::string why;  ///< not empty: there is no value, and this is why
};
/// Of the predictions made at `since` ms or later.
using MetricSource = std::function<MetricEstimate(const std::string& endpoint, int64_t version, const project::Gate& gate, int64_t since)>;

struct TrialNumbers {
  std::string endpoint;
  int64_t champion_version = 0, challenger_version = 0;
  int64_t since = 0;                 ///< ms: when the rollout began
  ArmNumbers champion, challenger;   ///< since the rollout began
  ArmNumbers champion_life;          ///< since the champion was loaded: the baseline when all traffic goes to the new version
  Split::Numbers split;              ///< of the present stage
  int64_t stage_requests = 0, stage_ms = 0;  ///< of the new version in the present stage
};

struct StageVerdict {
  std::string verdict = "inconclusive";  ///< pass | fail | inconclusive
  std::string why;
  std::vector<GuardVerdict> guards;
  int64_t requests = 0, time_ms = 0;     ///< of the hold
  double sample_ratio_p = 1;             ///< below 0.001: the traffic isn't split as planned, and comparisons are off
};
BOOST_DESCRIBE_STRUCT(StageVerdict, (), (verdict, why, guards, requests, time_ms, sample_ratio_p))

StageVerdict JudgeStage(const Plan& plan, size_t stage, const TrialNumbers& numbers, const MetricSource& metrics);

/// A judgement may fail a rollout by chance each time it is made; so it is made again only when the sample has grown by a tenth (or not at all).
bool WorthALook(int64_t samples, int64_t last_samples);

}  // namespace rondo::serving
