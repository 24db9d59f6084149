#include "model/runtimes/ensemble.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

namespace rondo::model {
namespace {
constexpr uint32_t kMaxPadded = 6;  // deeper trees would waste memory when padded
constexpr float kInfinity = std::numeric_limits<float>::infinity();
}  // namespace

Result<Ensemble> Ensemble::Make(const FittedModel& model, size_t features) {
  Ensemble e;
  e.outputs_ = model.outputs;
  std::map<std::tuple<int32_t, bool, bool>, uint32_t> slots;
  // Slot 0 is a constant that is below every threshold: where padding nodes look.
  e.slots_.push_back({0, -kInfinity, -kInfinity});
  // LightGBM asks "is it missing" as x <= infinity: true for every number, so only missingness decides (x < -infinity: false for every number).
  const float certain = model.compare == Compare::kLessEqual ? kInfinity : -kInfinity;
  auto slot_of = [&](const TreeNode& node) {
    const bool asks_missing = node.threshold == certain;
    const auto [it, fresh] = slots.try_emplace({node.feature, node.missing_left, asks_missing}, static_cast<uint32_t>(e.slots_.size()));
    if (fresh) e.slots_.push_back({static_cast<uint32_t>(node.feature), node.missing_left ? -kInfinity : kInfinity, asks_missing ? -certain : std::numeric_limits<float>::quiet_NaN()});
    return it->second;
  };
  // x <= t is x < the next float above t.
  auto threshold_of = [&](const TreeNode& node) {
    if (node.threshold == certain) return 0.0f;
    return model.compare == Compare::kLess ? node.threshold : std::nextafter(node.threshold, kInfinity);
  };

  struct Shape {
    const Tree* tree;
    uint32_t depth = 0;
  };
  std::vector<Shape> shapes;
  std::vector<std::pair<int32_t, uint32_t>> stack;
  for (const Tree& tree : model.trees) {
    const auto bad = [](const std::string& what) { return Fail(Code::kFailedCheck, "a tree of the model is damaged: " + what, "train or export the model again"); };
    if (tree.output < 0 || static_cast<size_t>(tree.output) >= model.outputs) return bad("its output is " + std::to_string(tree.output));
    if (tree.nodes.empty()) return bad("it has no nodes");
    Shape shape{&tree};
    std::vector<bool> seen(tree.nodes.size());
    stack.assign(1, {0, 0});
    while (!stack.empty()) {
      const auto [at, depth] = stack.back();
      stack.pop_back();
      if (at < 0 || static_cast<size_t>(at) >= tree.nodes.size()) return bad("node " + std::to_string(at) + " doesn't exist");
      if (seen[static_cast<size_t>(at)]) return bad("node " + std::to_string(at) + " has two parents");
      seen[static_cast<size_t>(at)] = true;
      const TreeNode& node = tree.nodes[static_cast<size_t>(at)];
      if (node.left < 0) {
        shape.depth = std::max(shape.depth, depth);
        continue;
      }
      if (node.feature < 0 || static_cast<size_t>(node.feature) >= features) return bad("it reads feature " + std::to_string(node.feature) + " of " + std::to_string(features));
      if (std::isnan(node.threshold)) return bad("a threshold is not a number");
      stack.push_back({node.left, depth + 1});
      stack.push_back({node.right, depth + 1});
    }
    shapes.push_back(shape);
  }
  // Neighbours share output and depth; the order is part of the result (sums round), so it depends on the model only.
  std::stable_sort(shapes.begin(), shapes.end(), [](const Shape& a, const Shape& b) { return std::pair(a.tree->output, a.depth) < std::pair(b.tree->output, b.depth); });

  for (size_t first = 0; first < shapes.size();) {
    const auto output = static_cast<uint32_t>(shapes[first].tree->output);
    if (shapes[first].depth > kMaxPadded) {
      // Breadth first, children side by side.
      const Tree& tree = *shapes[first++].tree;
      const auto root = static_cast<uint32_t>(e.deep_.size());
      if (e.deep_groups_.empty() || e.deep_groups_.back().output != output || e.deep_groups_.back().count == kLanes) e.deep_groups_.push_back({output});
      e.deep_groups_.back().roots[e.deep_groups_.back().count++] = root;
      std::vector<int32_t> order = {0};
      e.deep_.emplace_back();
      for (size_t i = 0; i < order.size(); ++i) {
        const TreeNode& node = tree.nodes[static_cast<size_t>(order[i])];
        const auto here = root + static_cast<uint32_t>(i);
        if (node.left < 0) {
          e.deep_[here] = {kInfinity, 0, here, node.value};
          continue;
        }
        e.deep_[here] = {threshold_of(node), slot_of(node), root + static_cast<uint32_t>(order.size()), 0};
        order.push_back(node.left);
        order.push_back(node.right);
        e.deep_.resize(e.deep_.size() + 2);
      }
      continue;
    }
    size_t last = first;
    while (last < shapes.size() && last - first < kLanes && static_cast<uint32_t>(shapes[last].tree->output) == output && shapes[last].depth <= kMaxPadded) ++last;
    const uint32_t depth = std::max<uint32_t>(1, shapes[last - 1].depth);
    const size_t inner = (size_t{1} << depth) - 1, leaves = size_t{1} << depth;
    const Group group{output, depth, e.thresholds_.size(), e.leaves_.size()};
    e.groups_.push_back(group);
    // Padding: every comparison is true (-inf < inf), so the walk ends in the leftmost leaf below.
    e.thresholds_.resize(group.nodes + inner * kLanes, kInfinity);
    e.node_slots_.resize(group.nodes + inner * kLanes, 0);
    e.leaves_.resize(group.leaves + leaves * kLanes, 0);
    for (size_t t = first; t < last; ++t) {
      const size_t lane = t - first;
      const Tree& tree = *shapes[t].tree;
      std::vector<std::pair<int32_t, size_t>> places = {{0, 0}};  // tree node -> place in the complete tree
      while (!places.empty()) {
        auto [at, place] = places.back();
        places.pop_back();
        const TreeNode& node = tree.nodes[static_cast<size_t>(at)];
        if (node.left < 0) {
          while (place < inner) place = 2 * place + 1;
          e.leaves_[group.leaves + (place - inner) * kLanes + lane] = node.value;
          continue;
        }
        e.thresholds_[group.nodes + place * kLanes + lane] = threshold_of(node);
        e.node_slots_[group.nodes + place * kLanes + lane] = slot_of(node);
        places.push_back({node.left, 2 * place + 1});
        places.push_back({node.right, 2 * place + 2});
      }
    }
    first = last;
  }
  return e;
}

void Ensemble::Prepare(const float* features, float* slots) const {
  slots[0] = -kInfinity;
  for (size_t i = 1; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    const float x = features[slot.feature];
    const float present = slot.present == slot.present ? slot.present : x;
    slots[i] = x == x ? present : slot.missing;
  }
}

template <int kDepth>
void Ensemble::AddGroups(size_t first, size_t last, const float* slots, size_t rows, double* lanes) const {
  constexpr uint32_t kInner = (1u << kDepth) - 1;
  const size_t stride = slots_.size();
  for (size_t g = first; g < last; ++g) {
    const float* thresholds = thresholds_.data() + groups_[g].nodes;
    const uint32_t* node_slots = node_slots_.data() + groups_[g].nodes;
    const float* leaves = leaves_.data() + groups_[g].leaves;
    for (size_t r = 0; r < rows; ++r) {
      const float* x = slots + r * stride;
      uint32_t at[kLanes] = {};
#pragma GCC unroll 6
      for (int level = 0; level < kDepth; ++level) {
#pragma GCC unroll 8
        for (uint32_t lane = 0; lane < kLanes; ++lane) {
          const size_t n = at[lane] * kLanes + lane;
          at[lane] = 2 * at[lane] + 1 + uint32_t{!(x[node_slots[n]] < thresholds[n])};
        }
      }
      double* sum = lanes + r * kLanes;
#pragma GCC unroll 8
      for (uint32_t lane = 0; lane < kLanes; ++lane) sum[lane] += static_cast<double>(leaves[(at[lane] - kInner) * kLanes + lane]);
    }
  }
}

void Ensemble::AddDeep(const DeepGroup& group, const float* slots, size_t rows, double* raw) const {
  const size_t stride = slots_.size();
  for (size_t r = 0; r < rows; ++r) {
    const float* x = slots + r * stride;
    uint32_t at[kLanes];
    std::copy_n(group.roots, kLanes, at);
    // Lanes without a tree walk the first tree again and are not added.
    for (uint32_t moved = 1; moved;) {
      moved = 0;
#pragma GCC unroll 8
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const DeepNode& node = deep_[at[lane]];
        const uint32_t next = node.left + uint32_t{!(x[node.slot] < node.threshold)};
        moved |= next ^ at[lane];
        at[lane] = next;
      }
    }
    double sum = 0;
    for (uint32_t lane = 0; lane < group.count; ++lane) sum += static_cast<double>(deep_[at[lane]].value);
    raw[r * outputs_ + group.output] += sum;
  }
}

void Ensemble::Add(const float* slots, size_t rows, double* raw) const {
  constexpr size_t kBlock = 64;
  const size_t stride = slots_.size();
  for (size_t begin = 0; begin < rows; begin += kBlock) {
    const size_t count = std::min(kBlock, rows - begin);
    const float* x = slots + begin * stride;
    double* to = raw + begin * outputs_;
    for (size_t first = 0; first < groups_.size();) {
      const uint32_t output = groups_[first].output;
      double lanes[kBlock * kLanes];
      std::fill_n(lanes, count * kLanes, 0.0);
      while (first < groups_.size() && groups_[first].output == output) {
        size_t last = first;
        while (last < groups_.size() && groups_[last].output == output && groups_[last].depth == groups_[first].depth) ++last;
        switch (groups_[first].depth) {
          case 1: AddGroups<1>(first, last, x, count, lanes); break;
          case 2: AddGroups<2>(first, last, x, count, lanes); break;
          case 3: AddGroups<3>(first, last, x, count, lanes); break;
          case 4: AddGroups<4>(first, last, x, count, lanes); break;
          case 5: AddGroups<5>(first, last, x, count, lanes); break;
          default: AddGroups<6>(first, last, x, count, lanes); break;
        }
        first = last;
      }
      for (size_t r = 0; r < count; ++r) {
        const double* l = lanes + r * kLanes;
        to[r * outputs_ + output] += ((l[0] + l[1]) + (l[2] + l[3])) + ((l[4] + l[5]) + (l[6] + l[7]));
      }
    }
    for (const DeepGroup& group : deep_groups_) AddDeep(group, x, count, to);
  }
}

}  // namespace rondo::model
