#include "model/learners/tree_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace rondo::model {

std::string TreeFault(const Tree& tree, size_t features) {
  const auto n = static_cast<int32_t>(tree.nodes.size());
  std::vector<bool> seen(tree.nodes.size());
  std::vector<int32_t> waiting = {0};
  while (!waiting.empty()) {
    const int32_t at = waiting.back();
    waiting.pop_back();
    if (at < 0 || at >= n) return fmt::format("a tree has a child {} of {} nodes", at, n);
    if (seen[static_cast<size_t>(at)]) return fmt::format("a tree reaches its node {} twice", at);
    seen[static_cast<size_t>(at)] = true;
    const TreeNode& node = tree.nodes[static_cast<size_t>(at)];
    if (node.left == -1) {
      if (std::isnan(node.value)) return "a leaf's value is not a number";
      continue;
    }
    if (node.feature < 0 || static_cast<size_t>(node.feature) >= features) return fmt::format("a tree splits on feature {} of {}", node.feature, features);
    if (std::isnan(node.threshold)) return "a threshold is not a number";
    waiting.push_back(node.left);
    waiting.push_back(node.right);
  }
  return {};
}

std::vector<double> EvaluateFitted(const FittedModel& model, const Matrix& x) {
  std::vector<double> out;
  out.reserve(x.rows * model.outputs);
  std::vector<double> raw(model.outputs);
  for (size_t r = 0; r < x.rows; ++r) {
    for (size_t k = 0; k < model.outputs; ++k) {
      raw[k] = static_cast<double>(model.base[k]);
      for (size_t c = 0; model.linear && c < x.cols; ++c) raw[k] += model.coefficients[k * x.cols + c] * static_cast<double>(x.at(r, c));
    }
    for (const Tree& tree : model.trees) {
      const TreeNode* node = &tree.nodes[0];
      while (node->left != -1) {
        const float value = x.at(r, static_cast<size_t>(node->feature));
        const bool left = std::isnan(value) ? node->missing_left : model.compare == Compare::kLess ? value < node->threshold : value <= node->threshold;
        node = &tree.nodes[static_cast<size_t>(left ? node->left : node->right)];
      }
      raw[static_cast<size_t>(tree.output)] += static_cast<double>(node->value);
    }
    const double top = *std::max_element(raw.begin(), raw.end());
    double sum = 0;
    for (double& v : raw) {
      switch (model.link) {
        case Link::kIdentity: break;
        case Link::kLogistic: v = 1 / (1 + std::exp(-v)); break;
        case Link::kSoftmax: v = std::exp(v - top); break;
        case Link::kExp: v = std::exp(v); break;
        case Link::kExpm1: v = std::expm1(v); break;
      }
      sum += v;
    }
    for (const double v : raw) out.push_back(model.link == Link::kSoftmax ? v / sum : v);
  }
  return out;
}

}  // namespace rondo::model
