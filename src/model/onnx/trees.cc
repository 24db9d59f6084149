#include "model/onnx/trees.h"

#include <cmath>

namespace rondo::model {

Status CheckTrees(const FittedModel& model, size_t features) {
  for (size_t t = 0; t < model.trees.size(); ++t) {
    const Tree& tree = model.trees[t];
    const auto bad = [&](const std::string& what) { return Fail(Code::kInvalid, "tree " + std::to_string(t) + " is damaged: " + what); };
    const auto size = static_cast<int32_t>(tree.nodes.size());
    if (tree.output < 0 || static_cast<size_t>(tree.output) >= model.outputs) return bad("its output is " + std::to_string(tree.output));
    if (size == 0) return bad("it has no nodes");
    std::vector<bool> seen(tree.nodes.size());
    std::vector<int32_t> stack = {0};
    int32_t reached = 0;
    while (!stack.empty()) {
      const int32_t at = stack.back();
      stack.pop_back();
      if (at < 0 || at >= size) return bad("node " + std::to_string(at) + " doesn't exist");
      if (seen[static_cast<size_t>(at)]) return bad("node " + std::to_string(at) + " has two parents");
      seen[static_cast<size_t>(at)] = true;
      ++reached;
      const TreeNode& node = tree.nodes[static_cast<size_t>(at)];
      if (node.left == -1) {
        if (!std::isfinite(node.value)) return bad("leaf " + std::to_string(at) + " has no finite value");
        continue;
      }
      if (node.feature < 0 || static_cast<size_t>(node.feature) >= features) return bad("it reads column " + std::to_string(node.feature) + " of " + std::to_string(features));
      if (std::isnan(node.threshold)) return bad("a threshold is not a number");
      stack.push_back(node.left);
      stack.push_back(node.right);
    }
    if (reached != size) return bad(std::to_string(size - reached) + " nodes can't be reached");
  }
  return {};
}

OnnxAttributes TreeAttributes(const FittedModel& model) {
  std::vector<int64_t> tree_ids, node_ids, features, yes, no, missing, leaf_trees, leaf_nodes, leaf_targets;
  std::vector<float> thresholds, weights;
  std::vector<std::string> modes;
  const std::string branch = model.compare == Compare::kLess ? "BRANCH_LT" : "BRANCH_LEQ";
  for (size_t t = 0; t < model.trees.size(); ++t) {
    const Tree& tree = model.trees[t];
    for (size_t n = 0; n < tree.nodes.size(); ++n) {
      const TreeNode& node = tree.nodes[n];
      const bool leaf = node.left == -1;
      tree_ids.push_back(static_cast<int64_t>(t));
      node_ids.push_back(static_cast<int64_t>(n));
      features.push_back(leaf ? 0 : node.feature);
      thresholds.push_back(leaf ? 0 : node.threshold);
      modes.push_back(leaf ? "LEAF" : branch);
      yes.push_back(leaf ? 0 : node.left);
      no.push_back(leaf ? 0 : node.right);
      missing.push_back(!leaf && node.missing_left);
      if (!leaf) continue;
      leaf_trees.push_back(static_cast<int64_t>(t));
      leaf_nodes.push_back(static_cast<int64_t>(n));
      leaf_targets.push_back(tree.output);
      weights.push_back(node.value);
    }
  }
  OnnxAttributes a;
  a.Ints("nodes_treeids", tree_ids).Ints("nodes_nodeids", node_ids).Ints("nodes_featureids", features).Floats("nodes_values", thresholds).Strings("nodes_modes", modes);
  a.Ints("nodes_truenodeids", yes).Ints("nodes_falsenodeids", no).Ints("nodes_missing_value_tracks_true", missing);
  a.Ints("target_treeids", leaf_trees).Ints("target_nodeids", leaf_nodes).Ints("target_ids", leaf_targets).Floats("target_weights", weights);
  return a.Int("n_targets", static_cast<int64_t>(model.outputs)).String("aggregate_function", "SUM").String("post_transform", "NONE");
}

Result<std::vector<Tree>> TreesFrom(const OnnxNode& node) {
  const auto ints = [&](std::string_view name) -> const std::vector<int64_t>& {
    static const std::vector<int64_t> none;
    const OnnxAttribute* a = node.Find(name);
    return a ? a->ints : none;
  };
  const auto odd = [] { return Fail(Code::kUnsupported, "the tree ensemble is not in the form that Rondo writes"); };
  const auto &tree_ids = ints("nodes_treeids"), &node_ids = ints("nodes_nodeids"), &features = ints("nodes_featureids");
  const auto &yes = ints("nodes_truenodeids"), &no = ints("nodes_falsenodeids"), &missing = ints("nodes_missing_value_tracks_true");
  const auto &leaf_trees = ints("target_treeids"), &leaf_nodes = ints("target_nodeids"), &leaf_targets = ints("target_ids");
  const OnnxAttribute *values = node.Find("nodes_values"), *modes = node.Find("nodes_modes"), *weights = node.Find("target_weights");
  const size_t n = tree_ids.size();
  if (!values || !modes || !weights || n > 0x7fffffff) return odd();
  for (const size_t size : {node_ids.size(), features.size(), yes.size(), no.size(), missing.size(), values->floats.size(), modes->strings.size()})
    if (size != n) return odd();
  const size_t leaves = leaf_trees.size();
  if (leaf_nodes.size() != leaves || leaf_targets.size() != leaves || weights->floats.size() != leaves) return odd();
  std::vector<Tree> trees;
  size_t leaf = 0;
  const auto fits = [](int64_t v) { return v >= 0 && v <= 0x7fffffff; };
  for (size_t i = 0; i < n; ++i) {
    if (tree_ids[i] == static_cast<int64_t>(trees.size())) trees.emplace_back();
    if (trees.empty() || tree_ids[i] != static_cast<int64_t>(trees.size()) - 1 || node_ids[i] != static_cast<int64_t>(trees.back().nodes.size())) return odd();
    if (!fits(features[i]) || !fits(yes[i]) || !fits(no[i])) return odd();
    TreeNode out;
    if (modes->strings[i] == "LEAF") {
      if (leaf >= leaves || leaf_trees[leaf] != tree_ids[i] || leaf_nodes[leaf] != node_ids[i] || !fits(leaf_targets[leaf])) return odd();
      trees.back().output = static_cast<int32_t>(leaf_targets[leaf]);
      out.value = weights->floats[leaf++];
    } else {
      out.left = static_cast<int32_t>(yes[i]);
      out.right = static_cast<int32_t>(no[i]);
      out.feature = static_cast<int32_t>(features[i]);
      out.threshold = values->floats[i];
      out.missing_left = missing[i] != 0;
    }
    trees.back().nodes.push_back(out);
  }
  if (leaf != leaves) return odd();
  return trees;
}

}  // namespace rondo::model
