/// `derive:` expressions over numeric columns: + - * / ( ), unary minus, min max abs log log1p exp sqrt. Compiled to a stack program.
/// Arithmetic is float32, as in the ONNX graph; log, exp and sqrt are taken in double and rounded once, so that every runtime agrees to the last bit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rondo::model {

enum class Op : uint8_t { kValue, kNumber, kAdd, kSub, kMul, kDiv, kNeg, kMin, kMax, kAbs, kLog, kLog1p, kExp, kSqrt };

struct Instruction {
  Op op = Op::kValue;
  uint32_t value = 0;  ///< kValue: index of the name
  float number = 0;    ///< kNumber
};

struct Expression {
  std::vector<Instruction> code;  ///< postfix
  size_t stack = 0;               ///< depth needed, at most kMaxStack
  size_t FirstValue() const;      ///< the name that comes first
};
constexpr size_t kMaxStack = 64;

/// Names with other characters than letters, digits and _ are written in double quotes or backticks. Errors show the place and, for an unknown name, the nearest one.
/// An expression needs at least one column.
Result<Expression> ParseExpression(std::string_view text, const std::vector<std::string>& names);
/// `values`: by index of the name.
float Evaluate(const Expression& expression, const float* values);

}  // namespace rondo::model
