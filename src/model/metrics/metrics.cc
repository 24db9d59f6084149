// The table of metrics. A new one: its kernel in this folder, its row here.
#include <algorithm>

#include "model/metrics/ranked.h"

namespace rondo::model {
namespace {

using project::Task;

template <MetricKernel kKernel>
double Compute(const Scored& scored) {
  Ranked ranked(scored);
  return ranked.valid() ? kKernel(ranked, ranked.weights(), kAllClasses) : kNaN;
}

template <MetricKernel kKernel>
MetricInfo Row(std::string name, std::vector<Task> tasks, bool higher, bool per_class, std::string help) {
  return {std::move(name), std::move(tasks), higher, std::move(help), per_class, Compute<kKernel>, kKernel};
}

}  // namespace

const std::vector<MetricInfo>& Metrics() {
  static const std::vector<Task> kClasses = {Task::binary, Task::multiclass};
  static const std::vector<Task> kNumbers = {Task::regression};
  static const std::vector<MetricInfo> rows = {
      Row<Auc>("auc", kClasses, true, true, "area under the ROC curve: the chance that a positive row outranks a negative one; multiclass: one against the rest, mean over classes"),
      Row<AveragePrecision>("average_precision", kClasses, true, true, "area under the precision-recall curve, by steps; multiclass: mean over classes"),
      Row<LogLoss>("log_loss", kClasses, false, false, "mean negative logarithm of the probability given to the true class"),
      Row<Brier>("brier", kClasses, false, true, "mean squared error of the probabilities; multiclass: summed over classes"),
      Row<Ece>("ece", kClasses, false, false, "expected calibration error over ten equal bins: how far probabilities are from frequencies"),
      Row<Accuracy>("accuracy", kClasses, true, false, "share of right decisions"),
      Row<BalancedAccuracy>("balanced_accuracy", kClasses, true, false, "mean recall over classes"),
      Row<Precision>("precision", kClasses, true, true, "share of true ones among those decided positive; multiclass: mean over classes"),
      Row<Recall>("recall", kClasses, true, true, "share of the true positives that were found; multiclass: mean over classes"),
      Row<F1>("f1", kClasses, true, true, "harmonic mean of precision and recall; multiclass: mean over classes"),
      Row<Mcc>("mcc", kClasses, true, false, "Matthews' correlation of decisions and labels, -1 to 1"),
      Row<Rmse>("rmse", kNumbers, false, false, "root of the mean squared error, in the target's unit"),
      Row<Mae>("mae", kNumbers, false, false, "mean absolute error, in the target's unit"),
      Row<MedianAe>("median_ae", kNumbers, false, false, "median absolute error, in the target's unit"),
      Row<R2>("r2", kNumbers, true, false, "share of the target's variance that is explained"),
      Row<Mape>("mape", kNumbers, false, false, "mean of |error| / |label|; useless when labels near 0 occur: then wape"),
      Row<Wape>("wape", kNumbers, false, false, "sum of |error| / sum of |label|"),
  };
  return rows;
}

const MetricInfo* FindMetric(std::string_view name) {
  for (const MetricInfo& row : Metrics())
    if (row.name == name) return &row;
  return nullptr;
}

bool MetricInfo::AppliesTo(Task task) const { return std::find(tasks.begin(), tasks.end(), task) != tasks.end(); }

double ClassMetric(const Scored& scored, const MetricInfo& metric, int cls) {
  Ranked ranked(scored);
  const int classes = scored.task == Task::binary ? 2 : static_cast<int>(scored.classes);
  if (!metric.per_class || !metric.AppliesTo(scored.task) || cls < 0 || cls >= classes || !ranked.valid()) return kNaN;
  return metric.kernel(ranked, ranked.weights(), cls);
}

Scored Subset(const Scored& scored, const std::vector<size_t>& rows) {
  Scored out;
  out.task = scored.task;
  out.classes = scored.classes;
  const size_t width = scored.y.empty() ? 1 : scored.scores.size() / scored.y.size();
  for (const size_t r : rows) {
    out.y.push_back(scored.y[r]);
    out.scores.insert(out.scores.end(), scored.scores.begin() + static_cast<std::ptrdiff_t>(r * width), scored.scores.begin() + static_cast<std::ptrdiff_t>((r + 1) * width));
    if (!scored.decisions.empty()) out.decisions.push_back(scored.decisions[r]);
    if (!scored.weights.empty()) out.weights.push_back(scored.weights[r]);
  }
  return out;
}

}  // namespace rondo::model
