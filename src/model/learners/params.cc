#include "model/learners/params.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <thread>

namespace rondo::model {
namespace {

/// Things that users of the library set, and that Rondo decides elsewhere.
const std::map<std::string, std::string>& Refused() {
  static const std::map<std::string, std::string> refused = {
      {"objective", "the objective follows from problem.task"},
      {"num_class", "the number of classes follows from the data"},
      {"eval_metric", "the metrics per round follow from problem.task; the gates are in problem.success"},
      {"metric", "the metrics per round follow from problem.task; the gates are in problem.success"},
      {"seed", "set train.seed, or the project's seed"},
      {"random_state", "set train.seed, or the project's seed"},
      {"booster", "only trees are trained; for a linear model use algorithm: logistic or linear"},
      {"device", "training runs on the CPU"},
  };
  return refused;
}

size_t Distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t best = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row[b.size()];
}

double Bound(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  if (text == "inf") return std::numeric_limits<double>::infinity();
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// "[1, 10)" and the like.
bool InInterval(const std::string& range, double value) {
  if (range.size() < 5) return true;
  const size_t comma = range.find(',');
  const double low = Bound(range.substr(1, comma - 1)), high = Bound(range.substr(comma + 1, range.size() - comma - 2));
  return (range.front() == '[' ? value >= low : value > low) && (range.back() == ']' ? value <= high : value < high);
}

bool OneOf(const std::string& range, const std::string& value) {
  for (size_t at = 0; at <= range.size();) {
    const size_t end = std::min(range.find(" | ", at), range.size());
    if (range.substr(at, end - at) == value) return true;
    at = end + 3;
  }
  return false;
}

Result<Json> Check(const std::string& algorithm, const ParamInfo& info, Json value) {
  const std::string shown = value.Dump();
  const auto wrong = [&](const std::string& wanted) {
    return Fail(Code::kInvalid, fmt::format("train.params.{} of {} must be {}, not {}", info.name, algorithm, wanted, shown), info.help);
  };
  if (info.kind == "bool") return value.IsBool() ? Result<Json>(value) : wrong("true or false");
  if (info.kind == "text") return value.IsString() && OneOf(info.range, value.AsString()) ? Result<Json>(value) : wrong("one of " + info.range);
  const bool integer = info.kind == "integer";
  const std::string wanted = fmt::format("{} in {}", integer ? "an integer" : "a number", info.range);
  if (value.IsString()) {  // a value given by --set may arrive as text
    double number = 0;
    const std::string& text = value.AsString();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return wrong(wanted);
    value = Json(number);
  }
  if (!value.IsNumber()) return wrong(wanted);
  const double number = value.AsDouble();
  if (!std::isfinite(number) || !InInterval(info.range, number) || (integer && (std::trunc(number) != number || std::fabs(number) > 1e15))) return wrong(wanted);
  return integer ? Json(static_cast<int64_t>(number)) : Json(number);
}

}  // namespace

Result<Params> Params::Read(const std::string& algorithm, const std::vector<ParamInfo>& table, const Json& given) {
  if (!given.IsObject() && !given.IsNull()) return Fail(Code::kInvalid, "train.params must be a map of names and values, not " + given.Dump());
  Params out;
  for (const ParamInfo& info : table) out.values_.emplace_back(info.name, info.otherwise);
  std::set<std::string> seen;
  for (const auto& [name, value] : given.AsObject()) {
    const auto info = std::find_if(table.begin(), table.end(), [&](const ParamInfo& p) { return p.name == name || std::find(p.aliases.begin(), p.aliases.end(), name) != p.aliases.end(); });
    if (info == table.end()) {
      if (const auto it = Refused().find(name); it != Refused().end()) return Fail(Code::kInvalid, fmt::format("train.params.{} can't be set for {}", name, algorithm), it->second);
      std::string names, nearest;
      size_t best = 4;
      for (const ParamInfo& p : table) {
        names += (names.empty() ? "" : ", ") + p.name;
        if (const size_t d = Distance(name, p.name); d < best) {
          best = d;
          nearest = p.name;
        }
      }
      return Fail(Code::kInvalid, fmt::format("{} has no param \"{}\"", algorithm, name), (nearest.empty() ? "" : "did you mean " + nearest + "? ") + "it has: " + (names.empty() ? "none" : names));
    }
    if (!seen.insert(info->name).second) return Fail(Code::kInvalid, fmt::format("train.params sets {} twice ({} is another name for it)", info->name, name));
    RONDO_TRY(Json checked, Check(algorithm, *info, value));
    for (auto& [known, slot] : out.values_)
      if (known == info->name) slot = checked;
  }
  return out;
}

const Json& Params::At(const std::string& name) const {
  static const Json null;
  for (const auto& [known, value] : values_)
    if (known == name) return value;
  return null;
}

Json Params::ToJson() const {
  Json out = Json::MakeObject();
  for (const auto& [name, value] : values_) out.Set(name, value);
  return out;
}

Status CheckData(const TrainRequest& r, const DataRules& rules) {
  const Matrix& x = *r.train_x;
  const Labels& y = *r.train_y;
  if (y.y.empty() || x.rows == 0) return Fail(Code::kFailedCheck, "the training part has no rows", "check the data and `split:`");
  if (rules.needs_features && x.cols == 0) return Fail(Code::kFailedCheck, "there are no features to learn from", "features.drop or the data leave none");
  if (x.values.size() != x.rows * x.cols || y.y.size() != x.rows || (!y.weights.empty() && y.weights.size() != x.rows))
    return Fail(Code::kInternal, fmt::format("{} rows × {} columns, {} values, {} labels, {} weights don't fit together", x.rows, x.cols, x.values.size(), y.y.size(), y.weights.size()));
  const bool classes = r.task != project::Task::regression;
  bool varies = false;
  double weight = y.weights.empty() ? 1 : 0;
  for (size_t i = 0; i < y.y.size(); ++i) {
    if (!std::isfinite(y.y[i])) return Fail(Code::kFailedCheck, fmt::format("the target of training row {} is {}", i, std::isnan(y.y[i]) ? "missing" : "infinite"), "rows without a target can't be trained on");
    if (classes && (y.y[i] < 0 || y.y[i] >= static_cast<float>(std::max<size_t>(r.classes, 2)) || std::trunc(y.y[i]) != y.y[i])) return Fail(Code::kInternal, fmt::format("the label of training row {} is {}, there are {} classes", i, y.y[i], r.classes));
    varies = varies || y.y[i] != y.y[0];
    if (!y.weights.empty()) {
      if (!(y.weights[i] >= 0) || !std::isfinite(y.weights[i])) return Fail(Code::kFailedCheck, fmt::format("the weight of training row {} is {}", i, y.weights[i]), "weights are numbers of at least 0");
      weight += static_cast<double>(y.weights[i]);
    }
  }
  if (!(weight > 0)) return Fail(Code::kFailedCheck, "all row weights of the training part are 0");
  if (!varies && classes) return Fail(Code::kFailedCheck, "the training part has rows of one class only: there is nothing to learn", "check the target and the split");
  if (!varies && rules.needs_features) return Fail(Code::kFailedCheck, fmt::format("the target is {} in every training row: there is nothing to learn", y.y[0]), "check problem.target");
  for (const Matrix* m : {r.train_x, r.valid_x}) {
    if (!m) continue;
    if (m->cols != x.cols) return Fail(Code::kInternal, fmt::format("validation has {} features, training {}", m->cols, x.cols));
    for (size_t i = 0; i < m->values.size(); ++i) {
      if (std::isfinite(m->values[i])) continue;
      const size_t row = i / m->cols, column = i % m->cols;
      const std::string name = column < r.feature_names.size() ? r.feature_names[column] : std::to_string(column);
      if (std::isinf(m->values[i])) return Fail(Code::kFailedCheck, fmt::format("the feature \"{}\" is infinite in row {} of the {} part", name, row, m == r.train_x ? "training" : "validation"), "a division by zero or a logarithm of 0 in features.derive? a number beyond 3.4e38?");
      if (!rules.missing_allowed)
        return Fail(Code::kFailedCheck, fmt::format("the feature \"{}\" is missing in row {} of the {} part, and this algorithm can't have missing values", name, row, m == r.train_x ? "training" : "validation"),
                    "set features: {numeric: {impute: median}}, or use xgboost or lightgbm");
    }
  }
  return {};
}

int ThreadsFor(int64_t n_jobs, const Matrix& x) {
  if (n_jobs > 0) return static_cast<int>(n_jobs);
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  return x.values.size() < 2'000'000 ? 1 : static_cast<int>(cores);
}

std::unexpected<Error> Cancelled(int64_t round) { return Fail(Code::kConflict, fmt::format("training was cancelled in round {}", round)); }

}  // namespace rondo::model
