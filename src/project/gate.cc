// One gate: text -> Gate. The metric names are those of model/metrics and serving; cli's test keeps the lists together.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/json_map.h"
#include "base/nearest.h"
#include "project/reader.h"

namespace rondo::project {
namespace {

constexpr int kBinary = 1, kMulticlass = 2, kRegression = 4, kAll = 7;
struct GateMetric {
  std::string_view name;
  int tasks;
  bool groups;  ///< compares the groups of a column: needs [COLUMN]
  bool live;    ///< measured on the endpoint
};
constexpr GateMetric kMetrics[] = {
    {"auc", kBinary | kMulticlass, false, false},
    {"average_precision", kBinary | kMulticlass, false, false},
    {"log_loss", kBinary | kMulticlass, false, false},
    {"brier", kBinary | kMulticlass, false, false},
    {"ece", kBinary | kMulticlass, false, false},
    {"accuracy", kBinary | kMulticlass, false, false},
    {"balanced_accuracy", kBinary | kMulticlass, false, false},
    {"precision", kBinary | kMulticlass, false, false},
    {"recall", kBinary | kMulticlass, false, false},
    {"f1", kBinary | kMulticlass, false, false},
    {"mcc", kBinary | kMulticlass, false, false},
    {"rmse", kRegression, false, false},
    {"mae", kRegression, false, false},
    {"median_ae", kRegression, false, false},
    {"r2", kRegression, false, false},
    {"mape", kRegression, false, false},
    {"wape", kRegression, false, false},
    {"demographic_parity_difference", kBinary, true, false},
    {"demographic_parity_ratio", kBinary, true, false},
    {"equalized_odds_difference", kBinary, true, false},
    {"equalized_odds_ratio", kBinary, true, false},
    {"equal_opportunity_difference", kBinary, true, false},
    {"equal_opportunity_ratio", kBinary, true, false},
    {"accuracy_difference", kBinary | kMulticlass, true, false},
    {"mean_prediction_difference", kRegression, true, false},
    {"mae_difference", kRegression, true, false},
    {"mae_ratio", kRegression, true, false},
    {"latency_p50_ms", kAll, false, true},
    {"latency_p95_ms", kAll, false, true},
    {"latency_p99_ms", kAll, false, true},
    {"error_rate", kAll, false, true},
    {"score_psi", kAll, false, true},
};
constexpr const char* kForm = "a gate looks like: auc >= 0.83, recall[contract=Two year] >= 40%, auc >= champion - 0.005, latency_p99_ms <= 1.5 * champion, warn: brier <= 0.15";

std::string Trim(std::string_view s) {
  const size_t begin = s.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return {};
  return std::string(s.substr(begin, s.find_last_not_of(" \t\n") - begin + 1));
}

bool ToNumber(const std::string& text, double& out) {
  std::string s = text;
  const bool percent = s.ends_with('%');
  if (percent) s = Trim(s.substr(0, s.size() - 1));
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), out);
  if (s.empty() || ec != std::errc() || end != s.data() + s.size() || !std::isfinite(out)) return false;
  if (percent) out /= 100;
  return true;
}

/// The right side: NUMBER[%] | [FACTOR *] champion [± NUMBER] | champion * FACTOR.
bool ReadLimit(const std::string& text, Gate& gate) {
  const size_t at = text.find("champion");
  if (at == std::string::npos) return ToNumber(text, gate.limit);
  gate.champion = true;
  std::string before = Trim(text.substr(0, at)), after = Trim(text.substr(at + 8));
  if (!before.empty()) {
    if (!before.ends_with('*') || !ToNumber(Trim(before.substr(0, before.size() - 1)), gate.factor)) return false;
  } else if (after.starts_with('*')) {
    return ToNumber(Trim(after.substr(1)), gate.factor);
  }
  if (after.empty()) return true;
  if ((after[0] != '+' && after[0] != '-') || !ToNumber(Trim(after.substr(1)), gate.limit)) return false;
  if (after[0] == '-') gate.limit = -gate.limit;
  return true;
}

}  // namespace

Result<Gate> ParseGate(const std::string& text, Task task) {
  Gate gate;
  std::string rest = Trim(text);
  const auto bad = [&](const std::string& why, const std::string& hint = kForm) { return Fail(Code::kInvalid, "the gate \"" + Trim(text) + "\" " + why, hint); };
  if (rest.starts_with("warn:")) {
    gate.warn = true;
    rest = Trim(rest.substr(5));
  }
  gate.text = rest;
  const size_t name_end = std::min(rest.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), rest.size());
  gate.metric = rest.substr(0, name_end);
  rest = Trim(rest.substr(name_end));
  if (gate.metric.empty()) return bad("does not begin with a metric", std::string(kForm));
  const GateMetric* metric = nullptr;
  std::vector<std::string_view> fitting;
  const int bit = task == Task::binary ? kBinary : task == Task::multiclass ? kMulticlass : kRegression;
  for (const GateMetric& m : kMetrics) {
    if (m.name == gate.metric) metric = &m;
    if (m.tasks & bit) fitting.push_back(m.name);
  }
  std::string names;
  for (const std::string_view n : fitting) names += (names.empty() ? "" : ", ") + std::string(n);
  if (rest.starts_with('[')) {
    // The last ']' before the operator closes: a value may hold brackets itself.
    const size_t close = rest.rfind(']');
    if (close == std::string::npos) return bad("has no closing ]");
    const std::string inside = rest.substr(1, close - 1);
    const size_t eq = inside.find('=');
    gate.column = Trim(inside.substr(0, eq));
    if (eq != std::string::npos) gate.value = Trim(inside.substr(eq + 1));
    if (gate.column.empty() || (eq != std::string::npos && gate.value.empty())) return bad("has nothing between its brackets", "write [COLUMN] or [COLUMN=VALUE]");
    rest = Trim(rest.substr(close + 1));
  }
  for (const char* op : {">=", "<=", "==", ">", "<"})
    if (rest.starts_with(op)) {
      gate.op = op;
      break;
    }
  if (gate.op.empty()) return bad("has no operator (>=, >, <=, <, ==) after the metric");
  rest = Trim(rest.substr(gate.op.size()));
  if (!ReadLimit(rest, gate)) return bad("compares with \"" + rest + "\", which is neither a number nor relative to the champion");
  if (!metric) {
    const std::string near = Nearest(gate.metric, fitting);
    return bad("names the unknown metric " + gate.metric, (near.empty() ? "" : "did you mean " + near + "? ") + std::string("known: ") + names);
  }
  if (!(metric->tasks & bit)) return bad("uses " + gate.metric + ", which doesn't apply to task " + EnumName(task), "use one of " + names);
  if (metric->groups && (gate.column.empty() || !gate.value.empty())) return bad("must name the column whose groups are compared", "write " + gate.metric + "[COLUMN] " + gate.op + " " + rest);
  if (metric->live && !gate.column.empty()) return bad("has brackets, but " + gate.metric + " is measured for all rows together", "leave the brackets out");
  if (!metric->groups && !gate.column.empty() && gate.value.empty() && task != Task::multiclass)
    return bad("must say which value of " + gate.column, "write " + gate.metric + "[" + gate.column + "=VALUE] " + gate.op + " " + rest);
  return gate;
}

bool IsLiveMetric(std::string_view metric) {
  for (const GateMetric& m : kMetrics)
    if (m.name == metric) return m.live;
  return false;
}

bool ComparesGroups(std::string_view metric) {
  for (const GateMetric& m : kMetrics)
    if (m.name == metric) return m.groups;
  return false;
}

std::vector<std::string> OfflineGateMetrics(Task task) {
  const int bit = task == Task::binary ? kBinary : task == Task::multiclass ? kMulticlass : kRegression;
  std::vector<std::string> out;
  for (const GateMetric& m : kMetrics)
    if (!m.live && (m.tasks & bit)) out.push_back(std::string(m.name) + (m.groups ? "[column]" : ""));
  return out;
}

}  // namespace rondo::project
