#include "model/evaluation/importance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"

namespace rondo::model {
namespace {

constexpr int kRepeats = 5;

table::Column Shuffled(const table::Column& column, const std::vector<size_t>& order) {
  table::Column out = column;
  for (size_t i = 0; i < order.size(); ++i) {
    if (column.numeric()) {
      out.numbers[i] = column.numbers[order[i]];
    } else {
      out.strings[i] = column.strings[order[i]];
      out.missing[i] = column.missing[order[i]];
    }
  }
  return out;
}

/// The task's own metric; log_loss where auc is undefined (a class without rows).
const MetricInfo* PickMetric(const Scored& s) {
  if (s.task == project::Task::regression) return FindMetric("rmse");
  const MetricInfo* auc = FindMetric("auc");
  return std::isnan(auc->compute(s)) ? FindMetric("log_loss") : auc;
}

}  // namespace

Result<Json> PermutationImportance(const EvaluationInput& input, size_t max_rows) {
  std::vector<size_t> rows(input.test.rows());
  std::iota(rows.begin(), rows.end(), size_t{0});
  Random random(DeriveSeed(input.seed, "importance"));
  if (rows.size() > max_rows) {
    random.Shuffle(rows);
    rows.resize(max_rows);
    std::sort(rows.begin(), rows.end());
  }
  table::Frame frame = input.test_raw->Take(rows);
  Scored scored = Subset(input.test, rows);
  const MetricInfo* metric = PickMetric(scored);
  const double baseline = metric->compute(scored);

  std::vector<std::string> names = input.explain_columns;
  if (names.empty())
    for (const InputColumn& column : input.signature->inputs) names.push_back(column.name);
  struct Found {
    std::string column;
    double mean, std;
  };
  std::vector<Found> found;
  std::vector<size_t> order(rows.size());
  for (const std::string& name : names) {
    table::Column* column = frame.Find(name);
    if (!column) return Fail(Code::kInvalid, fmt::format("the model's input \"{}\" is no column of the test part", name));
    const table::Column original = *column;
    double sum = 0, squares = 0;
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
      std::iota(order.begin(), order.end(), size_t{0});
      random.Shuffle(order);
      *column = Shuffled(original, order);
      RONDO_TRY(scored.scores, input.score(frame));
      if (scored.scores.size() != scored.rows() * (scored.task == project::Task::multiclass ? scored.classes : 1))
        return Fail(Code::kInternal, fmt::format("the scoring function gave {} values for {} rows", scored.scores.size(), scored.rows()));
      const double value = metric->compute(scored);
      const double drop = metric->higher_is_better ? baseline - value : value - baseline;
      sum += drop;
      squares += drop * drop;
    }
    *column = original;
    const double mean = sum / kRepeats;
    found.push_back({name, mean, std::sqrt(std::max(0.0, squares / kRepeats - mean * mean))});
  }
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.mean > b.mean; });
  Json out = Json::MakeArray();
  for (const Found& f : found) out.Push(Json::MakeObject().Set("column", f.column).Set("mean", f.mean).Set("std", f.std).Set("metric", metric->name));
  return out;
}

}  // namespace rondo::model
