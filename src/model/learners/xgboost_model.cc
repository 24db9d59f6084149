#include "model/learners/xgboost_model.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "model/learners/tree_check.h"

namespace rondo::model {
namespace {

/// More than any table has; keeps a broken file from asking for the memory.
constexpr size_t kMostFeatures = 10'000'000;

std::unexpected<Error> Broken(const std::string& what) { return Fail(Code::kFailedCheck, "this is no XGBoost model that can be read: " + what); }

/// "5E-1" (1.x, 2.x), "[5E-1]" (3.0), "[1E0,2E0]" (3.1 and later, one a class).
std::vector<double> BaseScores(const std::string& text) {
  std::vector<double> out;
  const char* at = text.c_str();
  if (*at == '[') ++at;
  while (*at) {
    char* end = nullptr;
    const double value = std::strtod(at, &end);
    if (end == at) return {};
    out.push_back(value);
    at = end;
    if (*at == ',') ++at;
    else if (*at == ']') break;
    else if (*at) return {};
  }
  return out;
}

Result<Tree> ParseTree(const Json& json, size_t features, std::vector<double>& gain) {
  const auto& left = json["left_children"].AsArray();
  const auto& right = json["right_children"].AsArray();
  const auto& split = json["split_indices"].AsArray();
  const auto& condition = json["split_conditions"].AsArray();
  const auto& default_left = json["default_left"].AsArray();
  const auto& loss = json["loss_changes"].AsArray();
  const size_t n = left.size();
  if (n == 0 || right.size() != n || split.size() != n || condition.size() != n || default_left.size() != n) return Broken("a tree's arrays have different lengths");
  if (json["categories_nodes"].size() > 0) return Fail(Code::kUnsupported, "the XGBoost model has categorical splits", "train on one-hot or ordinal features");
  Tree tree;
  tree.nodes.resize(n);
  for (size_t i = 0; i < n; ++i) {
    TreeNode& node = tree.nodes[i];
    node.left = static_cast<int32_t>(left[i].AsInt(-1));
    node.right = static_cast<int32_t>(right[i].AsInt(-1));
    const auto value = static_cast<float>(condition[i].AsDouble());
    if (node.left == -1) {
      node.right = -1;
      node.value = value;
      continue;
    }
    node.feature = static_cast<int32_t>(split[i].AsInt(-1));
    node.threshold = value;
    node.missing_left = default_left[i].IsBool() ? default_left[i].AsBool() : default_left[i].AsInt() != 0;
    if (i < loss.size() && node.feature >= 0 && static_cast<size_t>(node.feature) < features) gain[static_cast<size_t>(node.feature)] += loss[i].AsDouble();
  }
  if (const std::string wrong = TreeFault(tree, features); !wrong.empty()) return Broken(wrong);
  return tree;
}

}  // namespace

Result<FittedModel> ParseXgboostModel(const std::string& text, const std::vector<std::string>& feature_names) {
  RONDO_TRY(const Json json, ParseJson(text, {size_t{2} << 30, 100}));
  const Json& learner = json["learner"];
  const Json& param = learner["learner_model_param"];
  const std::string objective = learner["objective"]["name"].AsString();
  const Json& booster = learner["gradient_booster"];
  if (objective.empty() || !booster.IsObject()) return Broken("it has no learner.objective or gradient_booster");
  if (booster["name"].AsString() != "gbtree") return Fail(Code::kUnsupported, "the XGBoost booster \"" + booster["name"].AsString() + "\" isn't supported", "use gbtree");

  FittedModel model;
  model.algorithm = "xgboost";
  model.compare = Compare::kLess;
  std::vector<double> base = BaseScores(param["base_score"].AsString());
  if (base.empty()) return Broken("base_score is \"" + param["base_score"].AsString() + "\"");
  if (objective == "binary:logistic") {
    model.link = Link::kLogistic;
    for (double& b : base) b = -std::log(1 / b - 1);  // stored as a probability
  } else if (objective == "multi:softprob" || objective == "multi:softmax") {
    model.link = Link::kSoftmax;
    model.outputs = static_cast<size_t>(std::strtoul(param["num_class"].AsString().c_str(), nullptr, 10));
    if (model.outputs < 2 || model.outputs > 100'000) return Broken("num_class is " + param["num_class"].AsString());
  } else if (objective != "reg:squarederror") {
    return Fail(Code::kUnsupported, "the XGBoost objective \"" + objective + "\" isn't supported", "supported: binary:logistic, multi:softprob, reg:squarederror");
  }
  if (base.size() == 1) base.resize(model.outputs, base[0]);
  if (base.size() != model.outputs) return Broken(fmt::format("{} base scores for {} outputs", base.size(), model.outputs));
  for (const double b : base) model.base.push_back(static_cast<float>(b));

  const auto features = static_cast<size_t>(std::strtoul(param["num_feature"].AsString().c_str(), nullptr, 10));
  if (features > kMostFeatures) return Broken(fmt::format("num_feature is {}", features));
  if (!feature_names.empty() && features != feature_names.size())
    return Fail(Code::kFailedCheck, fmt::format("the XGBoost model takes {} features, the prepared data have {}", features, feature_names.size()), "train it on the columns of out/prepare/features.json, in their order");
  std::vector<double> gain(features);
  const auto& trees = booster["model"]["trees"].AsArray();
  const auto& outputs = booster["model"]["tree_info"].AsArray();
  if (outputs.size() != trees.size()) return Broken("tree_info and trees have different lengths");
  for (size_t t = 0; t < trees.size(); ++t) {
    RONDO_TRY(Tree tree, ParseTree(trees[t], features, gain));
    tree.output = static_cast<int32_t>(outputs[t].AsInt());
    if (tree.output < 0 || static_cast<size_t>(tree.output) >= model.outputs) return Broken(fmt::format("tree {} belongs to output {}", t, tree.output));
    model.trees.push_back(std::move(tree));
  }
  Json importance = Json::MakeObject();
  for (size_t f = 0; f < features; ++f)
    if (gain[f] > 0) importance.Set(f < feature_names.size() ? feature_names[f] : "f" + std::to_string(f), gain[f]);
  model.info = Json::MakeObject().Set("trees", model.trees.size()).Set("importance", std::move(importance));
  return model;
}

}  // namespace rondo::model
