#include "model/learners/lightgbm_model.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <string_view>

#include "model/learners/tree_check.h"

namespace rondo::model {
namespace {

using Fields = std::map<std::string, std::string, std::less<>>;

/// More than any table has; keeps a broken file from asking for the memory.
constexpr size_t kMostFeatures = 10'000'000;

std::unexpected<Error> Broken(const std::string& what) { return Fail(Code::kFailedCheck, "this is no LightGBM model that can be read: " + what); }

/// The header and each "Tree=" section as fields; what follows "end of trees" is not needed.
std::vector<Fields> Sections(std::string_view text) {
  std::vector<Fields> out(1);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line == "end of trees") break;
    if (line.starts_with("Tree=")) out.emplace_back();
    const size_t equals = line.find('=');
    if (equals != std::string_view::npos) out.back()[std::string(line.substr(0, equals))] = std::string(line.substr(equals + 1));
    else if (!line.empty()) out.back()[std::string(line)] = "";
  }
  return out;
}

std::vector<double> Numbers(const Fields& fields, std::string_view name) {
  std::vector<double> out;
  const auto it = fields.find(name);
  if (it == fields.end()) return out;
  const char* at = it->second.c_str();
  for (;;) {
    char* end = nullptr;
    const double value = std::strtod(at, &end);
    if (end == at) return out;
    out.push_back(value);
    at = end;
  }
}

// Bits of decision_type (include/LightGBM/tree.h of 4.x).
constexpr int kCategorical = 1, kDefaultLeft = 2;
enum Missing { kNone = 0, kZero = 1, kNan = 2 };

Result<Tree> ParseTree(const Fields& fields, size_t features, std::vector<double>& gain) {
  const std::vector<double> leaf_value = Numbers(fields, "leaf_value"), count = Numbers(fields, "num_leaves");
  const size_t leaves = leaf_value.size();
  if (leaves == 0 || count.size() != 1 || count[0] != static_cast<double>(leaves)) return Broken("num_leaves and leaf_value don't fit");
  Tree tree;
  if (leaves == 1) {
    tree.nodes.resize(1);
    tree.nodes[0].value = static_cast<float>(leaf_value[0]);
    return tree;
  }
  const size_t inner = leaves - 1;
  const std::vector<double> feature = Numbers(fields, "split_feature"), threshold = Numbers(fields, "threshold"), decision = Numbers(fields, "decision_type"), left = Numbers(fields, "left_child"),
                            right = Numbers(fields, "right_child"), split_gain = Numbers(fields, "split_gain");
  for (const auto* list : {&feature, &threshold, &decision, &left, &right})
    if (list->size() != inner) return Broken("a tree's lists have different lengths");
  tree.nodes.resize(inner + leaves);
  // Inner nodes come first, then the leaves; a negative child c is leaf ~c.
  for (const auto* list : {&left, &right, &feature, &decision})
    for (const double v : *list)
      if (!(std::fabs(v) < 1e9)) return Broken(fmt::format("a tree has the index {}", v));
  const auto child = [&](double c) { return c >= 0 ? static_cast<int32_t>(c) : static_cast<int32_t>(inner) + ~static_cast<int32_t>(c); };
  for (size_t i = 0; i < inner; ++i) {
    TreeNode& node = tree.nodes[i];
    const int type = static_cast<int>(decision[i]);
    const int missing = (type >> 2) & 3;
    if (type & kCategorical) return Fail(Code::kUnsupported, "the LightGBM model has categorical splits", "train on one-hot or ordinal features");
    if (missing == kZero) return Fail(Code::kUnsupported, "the LightGBM model was trained with zero_as_missing", "train without it");
    node.left = child(left[i]);
    node.right = child(right[i]);
    node.feature = static_cast<int32_t>(feature[i]);
    node.threshold = FloorToFloat(threshold[i]);
    // Without missing values in training the library scores NaN as 0.
    node.missing_left = missing == kNan ? (type & kDefaultLeft) != 0 : 0.0 <= threshold[i];
    if (i < split_gain.size() && feature[i] >= 0 && static_cast<size_t>(feature[i]) < features) gain[static_cast<size_t>(feature[i])] += split_gain[i];
  }
  for (size_t j = 0; j < leaves; ++j) tree.nodes[inner + j].value = static_cast<float>(leaf_value[j]);
  if (const std::string wrong = TreeFault(tree, features); !wrong.empty()) return Broken(wrong);
  return tree;
}

}  // namespace

float FloorToFloat(double value) {
  const auto rounded = static_cast<float>(value);
  return static_cast<double>(rounded) > value ? std::nextafterf(rounded, -HUGE_VALF) : rounded;
}

Result<FittedModel> ParseLightgbmModel(const std::string& text, const std::vector<std::string>& feature_names) {
  const std::vector<Fields> sections = Sections(text);
  const Fields& header = sections[0];
  const auto field = [&](const char* name) { return header.contains(name) ? header.find(name)->second : std::string(); };
  const std::string objective = field("objective");
  if (!header.contains("tree") || objective.empty()) return Broken("it has no objective");
  if (header.contains("average_output")) return Fail(Code::kUnsupported, "the LightGBM model is a random forest", "train with boosting: gbdt");

  FittedModel model;
  model.algorithm = "lightgbm";
  model.compare = Compare::kLessEqual;
  const size_t per_round = std::strtoul(field("num_tree_per_iteration").c_str(), nullptr, 10);
  if (objective.starts_with("binary")) {
    model.link = Link::kLogistic;
    if (objective != "binary sigmoid:1") return Fail(Code::kUnsupported, "the LightGBM objective \"" + objective + "\" isn't supported", "use sigmoid: 1");
  } else if (objective.starts_with("multiclass ") || objective == "multiclass") {
    model.link = Link::kSoftmax;
    model.outputs = per_round;
    if (model.outputs < 2 || model.outputs > 100'000) return Broken(fmt::format("it has {} trees a round", per_round));
  } else if (objective != "regression") {
    return Fail(Code::kUnsupported, "the LightGBM objective \"" + objective + "\" isn't supported", "supported: binary, multiclass, regression");
  }
  if (per_round != model.outputs) return Broken(fmt::format("{} trees a round for {} outputs", per_round, model.outputs));
  model.base.assign(model.outputs, 0);  // the initial score is part of the first trees

  const size_t features = std::strtoul(field("max_feature_idx").c_str(), nullptr, 10) + 1;
  if (features > kMostFeatures) return Broken("max_feature_idx is " + field("max_feature_idx"));
  if (!feature_names.empty() && features != feature_names.size())
    return Fail(Code::kFailedCheck, fmt::format("the LightGBM model takes {} features, the prepared data have {}", features, feature_names.size()), "train it on the columns of out/prepare/features.json, in their order");
  std::vector<double> gain(features);
  for (size_t t = 1; t < sections.size(); ++t) {
    RONDO_TRY(Tree tree, ParseTree(sections[t], features, gain));
    tree.output = static_cast<int32_t>((t - 1) % model.outputs);
    model.trees.push_back(std::move(tree));
  }
  Json importance = Json::MakeObject();
  for (size_t f = 0; f < features; ++f)
    if (gain[f] > 0) importance.Set(f < feature_names.size() ? feature_names[f] : "f" + std::to_string(f), gain[f]);
  model.info = Json::MakeObject().Set("trees", model.trees.size()).Set("importance", std::move(importance));
  return model;
}

}  // namespace rondo::model
