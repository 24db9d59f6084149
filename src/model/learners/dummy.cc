// Learner dummy: always the class shares, the mean or the median of the training part. What every model must beat.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/learners/learners.h"
#include "model/learners/params.h"
#include "model/learners/tree_check.h"

namespace rondo::model {
namespace {

const std::vector<ParamInfo>& Table() {
  static const std::vector<ParamInfo> table = {
      {"strategy", "text", "mean | median", "regression: which number is predicted; classes always get their shares", "mean", {}},
  };
  return table;
}

double WeightedMedian(const Labels& y) {
  std::vector<size_t> order(y.y.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return y.y[a] < y.y[b]; });
  const auto weight = [&](size_t i) { return y.weights.empty() ? 1.0 : static_cast<double>(y.weights[i]); };
  double total = 0, below = 0;
  for (const size_t i : order) total += weight(i);
  for (size_t k = 0; k < order.size(); ++k) {
    below += weight(order[k]);
    const auto here = static_cast<double>(y.y[order[k]]);
    if (below > total / 2) return here;
    if (below == total / 2) {
      size_t next = k + 1;
      while (next < order.size() && weight(order[next]) == 0) ++next;
      return next < order.size() ? (here + static_cast<double>(y.y[order[next]])) / 2 : here;
    }
  }
  return std::nan("");
}

class Dummy : public Learner {
 public:
  Result<FittedModel> Train(const TrainRequest& request) const override {
    RONDO_TRY(const Params params, Params::Read("dummy", Table(), request.params));
    RONDO_DO(CheckData(request, {.needs_features = false}));
    const Labels& y = *request.train_y;
    FittedModel model;
    model.algorithm = "dummy";
    if (request.task == project::Task::multiclass) model.outputs = request.classes;
    std::vector<double> sums(std::max<size_t>(request.classes, 2));
    double total = 0, sum = 0;
    for (size_t i = 0; i < y.y.size(); ++i) {
      const double w = y.weights.empty() ? 1 : static_cast<double>(y.weights[i]);
      total += w;
      sum += w * static_cast<double>(y.y[i]);
      if (request.task != project::Task::regression) sums[static_cast<size_t>(y.y[i])] += w;
    }
    // A class without rows (or of weight 0) gets a share too small to see, so that its logarithm exists.
    const auto logarithm = [&](double share) { return std::log(std::max(share, 1e-12)); };
    switch (request.task) {
      case project::Task::binary:
        model.link = Link::kLogistic;
        model.base = {static_cast<float>(logarithm(sums[1] / total) - logarithm(sums[0] / total))};
        break;
      case project::Task::multiclass:
        model.link = Link::kSoftmax;
        for (size_t k = 0; k < model.outputs; ++k) model.base.push_back(static_cast<float>(logarithm(sums[k] / total)));
        break;
      case project::Task::regression: model.base = {static_cast<float>(params.Text("strategy") == "median" ? WeightedMedian(y) : sum / total)}; break;
    }
    // A leaf without a split carries nothing, and unlike a linear form of zeros it doesn't mind missing features.
    for (size_t k = 0; k < model.outputs; ++k) {
      Tree tree;
      tree.nodes.resize(1);
      tree.output = static_cast<int32_t>(k);
      model.trees.push_back(std::move(tree));
    }
    model.info = Json::MakeObject().Set("params", params.ToJson());
    return model;
  }
  Result<std::vector<float>> PredictNative(const FittedModel& model, const Matrix& x) const override {
    const std::vector<double> values = EvaluateFitted(model, x);
    return std::vector<float>(values.begin(), values.end());
  }
};

}  // namespace

AlgorithmInfo DummyInfo() {
  return {"dummy", "no features: class shares, mean or median; what every model must beat", {project::Task::binary, project::Task::multiclass, project::Task::regression}, Table(),
          [] { return std::unique_ptr<Learner>(new Dummy); }};
}

}  // namespace rondo::model
