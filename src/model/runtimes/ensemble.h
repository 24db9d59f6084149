/// Sums of decision trees, laid out for one-row latency. Trees are walked eight at a time without branches.
#pragma once

#include <cstdint>
#include <vector>

#include "model/train.h"

namespace rondo::model {

class Ensemble {
 public:
  /// Checks every index; kFailedCheck for trees that aren't.
  static Result<Ensemble> Make(const FittedModel& model, size_t features);
  size_t outputs() const { return outputs_; }
  /// Numbers per row that Prepare writes.
  size_t slots() const { return slots_.size(); }

  /// Picks what the trees read out of a row of features. A missing number becomes +infinity where it goes right, -infinity where it goes left.
  void Prepare(const float* features, float* slots) const;
  /// Adds each row's raw scores: `slots` is [rows][slots()], `raw` [rows][outputs()]. The result of a row doesn't depend on its neighbours.
  void Add(const float* slots, size_t rows, double* raw) const;

 private:
  static constexpr size_t kLanes = 8;
  struct Slot {
    uint32_t feature;
    float missing;  ///< stands for a missing number
    float present;  ///< stands for every other one; NaN: the number itself
  };
  // Eight trees of one output, padded to complete trees of one depth: node i has children 2i+1 (x < t) and 2i+2. [node][lane].
  struct Group {
    uint32_t output, depth;
    size_t nodes, leaves;  ///< offsets
  };
  // Trees too deep to pad: children are neighbours; a leaf is its own left child and always goes left.
  struct DeepNode {
    float threshold;
    uint32_t slot;
    uint32_t left;
    float value;
  };
  struct DeepGroup {
    uint32_t output = 0, count = 0;
    uint32_t roots[kLanes] = {};
  };
  void AddDeep(const DeepGroup& group, const float* slots, size_t rows, double* raw) const;
  template <int kDepth>
  void AddGroups(size_t first, size_t last, const float* slots, size_t rows, double* lanes) const;

  size_t outputs_ = 1;
  std::vector<Slot> slots_;
  std::vector<Group> groups_;
  std::vector<float> thresholds_, leaves_;
  std::vector<uint32_t> node_slots_;
  std::vector<DeepNode> deep_;
  std::vector<DeepGroup> deep_groups_;
};

}  // namespace rondo::model
