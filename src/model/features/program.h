/// A plan compiled for speed: one raw row -> one row of the matrix. The same code prepares training data and serves requests.
#pragma once

#include <vector>

#include "model/features/expression.h"
#include "model/features/level_table.h"
#include "model/features/plan.h"

namespace rondo::model {

class Program {
 public:
  explicit Program(const Plan& plan);  ///< of a checked plan (PlanFromJson, FitFeatures)
  size_t inputs() const { return numeric_.size(); }
  size_t values() const { return values_.size(); }
  size_t width() const { return width_; }
  /// kInvalid when the batch hasn't the plan's columns and rows.
  Status Check(const InputBatch& batch) const;
  /// `values` has room for values(), `out` for width(). Thread-safe; allocates nothing.
  void Run(const InputBatch& batch, size_t row, float* values, float* out) const;
  /// The values only (fitting needs them before there are blocks).
  void RunValues(const InputBatch& batch, size_t row, float* values) const;

 private:
  struct Value {
    ValueKind kind;
    uint32_t input;
    DatePart part;
    Expression expression;
  };
  struct Number {
    uint32_t source;
    float fill, offset, scale;
  };
  struct Bins {
    uint32_t source;
    float fill;
    bool onehot;
    std::vector<float> edges;
  };
  struct Levels {
    uint32_t input;
    bool onehot;
    uint32_t width;
    int32_t otherwise;  ///< unknown
    LevelTable table;
  };
  struct Text {
    uint32_t input;
    LevelTable table;
    std::vector<float> weights;
  };
  // In the order of the plan's blocks: kind and index into the kind's list.
  struct Step {
    BlockKind kind;
    uint32_t index, count, column;  ///< number, missing: `count` neighbours at once
  };

  std::vector<Value> values_;
  std::vector<uint8_t> numeric_;  ///< by input
  std::vector<Number> numbers_;
  std::vector<uint32_t> missing_;
  std::vector<Bins> bins_;
  std::vector<Levels> levels_;
  std::vector<Text> texts_;
  std::vector<Step> steps_;
  bool has_derived_ = false;
  int64_t reference_days_ = 0;
  size_t width_ = 0;
};

/// Calls `each(token)` for every token of a text: what stands between spaces (that is all ONNX' StringSplit splits at), ASCII letters lowered; tokens of
/// more than kMaxToken bytes are skipped.
constexpr size_t kMaxToken = 100;
template <typename Each>
void Tokens(std::string_view text, Each each) {
  char token[kMaxToken];
  size_t length = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ' ';
    if (c == ' ') {
      if (length > 0 && length <= kMaxToken) each(std::string_view(token, length));
      length = 0;
    } else {
      if (length < kMaxToken) token[length] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      ++length;
    }
  }
}

}  // namespace rondo::model
