#include "model/features/emit.h"

#include <algorithm>
#include <limits>

#include "model/features/dates.h"
#include "model/features/expression.h"

namespace rondo::model {
namespace {

using Name = OnnxBuilder::Name;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

int64_t I64(size_t n) { return static_cast<int64_t>(n); }

Name EmitExpression(const Expression& expression, const std::vector<Name>& values, OnnxBuilder& g) {
  std::vector<Name> stack;
  auto binary = [&](const char* op) {
    const Name b = stack.back();
    stack.pop_back();
    stack.back() = g.Node(op, {stack.back(), b});
  };
  // In double and rounded once: float versions differ in the last bit between vector and scalar code.
  auto in_double = [&](const char* op, bool plus_one) {
    Name x = g.Cast(stack.back(), OnnxType::kDouble);
    if (plus_one) x = g.Node("Add", {g.Scalar(1.0), x});
    stack.back() = g.Cast(g.Node(op, {x}), OnnxType::kFloat);
  };
  for (const Instruction& i : expression.code) {
    switch (i.op) {
      case Op::kValue: stack.push_back(values[i.value]); break;
      case Op::kNumber: stack.push_back(g.Scalar(i.number)); break;
      case Op::kAdd: binary("Add"); break;
      case Op::kSub: binary("Sub"); break;
      case Op::kMul: binary("Mul"); break;
      case Op::kDiv: binary("Div"); break;
      case Op::kMin: binary("Min"); break;
      case Op::kMax: binary("Max"); break;
      case Op::kNeg: stack.back() = g.Node("Neg", {stack.back()}); break;
      case Op::kAbs: stack.back() = g.Node("Abs", {stack.back()}); break;
      case Op::kLog: in_double("Log", false); break;
      case Op::kLog1p: in_double("Log", true); break;
      case Op::kExp: in_double("Exp", false); break;
      case Op::kSqrt: in_double("Sqrt", false); break;
    }
  }
  return stack.back();
}

// All values side by side, float [N, values], nothing but finite numbers and NaN.
Name EmitValues(const Plan& plan, OnnxBuilder& g) {
  std::vector<Name> values(plan.values.size());
  std::vector<std::string> before;
  for (size_t i = 0; i < plan.values.size(); ++i) {
    const PlanValue& v = plan.values[i];
    if (v.kind == ValueKind::input) {
      values[i] = plan.inputs[v.input].name;
    } else if (v.kind == ValueKind::derived) {
      if (const auto expression = ParseExpression(v.expression, before)) values[i] = EmitExpression(*expression, values, g);
    } else if (values[i].empty()) {
      // All parts of one column together: they share the parsing.
      std::vector<DatePart> parts;
      std::vector<size_t> where;
      for (size_t j = i; j < plan.values.size(); ++j)
        if (plan.values[j].kind == ValueKind::date && plan.values[j].input == v.input) {
          parts.push_back(plan.values[j].part);
          where.push_back(j);
        }
      const std::vector<Name> names = EmitDateParts(plan.inputs[v.input].name, parts, DaysOf(plan.reference_time_ms), g);
      for (size_t k = 0; k < where.size(); ++k) values[where[k]] = names[k];
    }
    before.push_back(v.name);
  }
  const Name all = g.Node("Concat", values, OnnxAttributes().Int("axis", 1));
  return g.Node("Where", {g.Node("IsInf", {all}), g.Scalar(kNaN), all});
}

Name Pick(const Name& values, const std::vector<int64_t>& columns, OnnxBuilder& g) {
  return g.Node("Gather", {values, g.Ints(columns, {I64(columns.size())})}, OnnxAttributes().Int("axis", 1));
}
Name Filled(const Name& x, const std::vector<float>& fills, OnnxBuilder& g) {
  if (std::all_of(fills.begin(), fills.end(), [](float f) { return f != f; })) return x;
  return g.Node("Where", {g.Node("IsNaN", {x}), g.Floats(fills, {1, I64(fills.size())}), x});
}

Name EmitNumbers(const Name& values, const std::vector<PlanBlock>& blocks, size_t first, size_t last, OnnxBuilder& g) {
  std::vector<int64_t> columns;
  std::vector<float> fills, offsets, scales;
  for (size_t i = first; i < last; ++i) {
    columns.push_back(I64(blocks[i].source));
    fills.push_back(blocks[i].fill ? static_cast<float>(*blocks[i].fill) : kNaN);
    offsets.push_back(static_cast<float>(blocks[i].offset));
    scales.push_back(static_cast<float>(blocks[i].scale));
  }
  Name x = Filled(Pick(values, columns, g), fills, g);
  const std::vector<int64_t> shape = {1, I64(columns.size())};
  if (std::any_of(offsets.begin(), offsets.end(), [](float f) { return f != 0; })) x = g.Node("Sub", {x, g.Floats(offsets, shape)});
  if (std::any_of(scales.begin(), scales.end(), [](float f) { return f != 1; })) x = g.Node("Mul", {x, g.Floats(scales, shape)});
  return x;
}

Name OneHot(const Name& codes, size_t width, OnnxBuilder& g) {
  std::vector<int64_t> all(width);
  for (size_t i = 0; i < width; ++i) all[i] = I64(i);
  return g.Cast(g.Node("Equal", {codes, g.Ints(all, {1, I64(width)})}), OnnxType::kFloat);
}

Name EmitBins(const Name& values, const PlanBlock& b, OnnxBuilder& g) {
  const Name x = Filled(Pick(values, {I64(b.source)}, g), {b.fill ? static_cast<float>(*b.fill) : kNaN}, g);
  std::vector<float> edges;
  for (const double e : b.edges) edges.push_back(static_cast<float>(e));
  const Name above = g.Cast(g.Node("GreaterOrEqual", {x, g.Floats(edges, {1, I64(edges.size())})}), OnnxType::kFloat);
  const Name axis = g.Ints(std::vector<int64_t>{1}, {1});
  const Name bin = g.Node("ReduceSum", {above, axis}, OnnxAttributes().Int("keepdims", 1));
  if (!b.onehot) return g.Node("Where", {g.Node("IsNaN", {x}), g.Scalar(kNaN), bin});
  const Name code = g.Node("Where", {g.Node("IsNaN", {x}), g.Scalar(int64_t{-1}), g.Cast(bin, OnnxType::kInt64)});
  return OneHot(code, b.edges.size() + 1, g);
}

Name EmitLevels(const Name& text, const PlanBlock& b, OnnxBuilder& g) {
  std::vector<std::string> keys = b.levels;
  std::vector<int64_t> codes;
  const int64_t rare = I64(b.levels.size());
  for (int64_t i = 0; i < rare; ++i) codes.push_back(i);
  for (const std::string& level : b.rare) {
    keys.push_back(level);
    codes.push_back(rare);
  }
  keys.emplace_back();
  codes.push_back(!b.onehot ? static_cast<int64_t>(kMissingCode) : b.missing_column ? rare + b.rare_column : -1);
  const int64_t otherwise = b.unknown_is_rare ? rare : static_cast<int64_t>(kUnknownCode);
  const Name code = g.Ml("LabelEncoder", {text}, OnnxAttributes().Strings("keys_strings", keys).Ints("values_int64s", codes).Int("default_int64", otherwise));
  return b.onehot ? OneHot(code, BlockWidth(b), g) : g.Cast(code, OnnxType::kFloat);
}

Name EmitText(const Name& text, const PlanBlock& b, OnnxBuilder& g) {
  g.NeedOpset(20);
  const Name flat = g.Node("Reshape", {text, g.Ints(std::vector<int64_t>{-1}, {1})});
  // The locale "C" lowers ASCII only and exists on every machine.
  const Name lower = g.Node("StringNormalizer", {flat}, OnnxAttributes().String("case_change_action", "LOWER").Int("is_case_sensitive", 1).String("locale", "C"));
  const Name tokens = g.Node("StringSplit", {lower}, {}, {}, {}, 2);
  std::vector<int64_t> columns(b.terms.size());
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = I64(i);
  const Name counts = g.Node("TfIdfVectorizer", {tokens},
                             OnnxAttributes().String("mode", "TF").Int("min_gram_length", 1).Int("max_gram_length", 1).Int("max_skip_count", 0)
                                 .Ints("ngram_counts", std::vector<int64_t>{0}).Ints("ngram_indexes", columns).Strings("pool_strings", b.terms));
  const Name wide = g.Cast(counts, OnnxType::kDouble);
  const Name squares = g.Node("ReduceSum", {g.Node("Mul", {wide, wide}), g.Ints(std::vector<int64_t>{1}, {1})}, OnnxAttributes().Int("keepdims", 1));
  const Name norm = g.Node("Max", {g.Cast(g.Node("Sqrt", {squares}), OnnxType::kFloat), g.Scalar(1.0f)});
  std::vector<float> weights;
  for (const double w : b.weights) weights.push_back(static_cast<float>(w));
  return g.Node("Mul", {g.Node("Div", {counts, norm}), g.Floats(weights, {1, I64(weights.size())})});
}

}  // namespace

Name EmitFeatures(const Plan& plan, OnnxBuilder& g) {
  const std::vector<int64_t> shape = {-1, 1};
  for (const InputColumn& input : plan.inputs) g.Input(input.name, IsNumericType(input.type) ? OnnxType::kFloat : OnnxType::kString, shape);
  const Name values = plan.values.empty() ? Name() : EmitValues(plan, g);
  std::vector<Name> parts;
  for (size_t i = 0; i < plan.blocks.size();) {
    const PlanBlock& b = plan.blocks[i];
    size_t end = i + 1;
    if (b.kind == BlockKind::number || b.kind == BlockKind::missing)
      while (end < plan.blocks.size() && plan.blocks[end].kind == b.kind) ++end;
    switch (b.kind) {
      case BlockKind::number: parts.push_back(EmitNumbers(values, plan.blocks, i, end, g)); break;
      case BlockKind::missing: {
        std::vector<int64_t> columns;
        for (size_t j = i; j < end; ++j) columns.push_back(I64(plan.blocks[j].source));
        parts.push_back(g.Cast(g.Node("IsNaN", {Pick(values, columns, g)}), OnnxType::kFloat));
        break;
      }
      case BlockKind::bins: parts.push_back(EmitBins(values, b, g)); break;
      case BlockKind::levels: parts.push_back(EmitLevels(plan.inputs[b.source].name, b, g)); break;
      case BlockKind::text: parts.push_back(EmitText(plan.inputs[b.source].name, b, g)); break;
    }
    i = end;
  }
  return g.Node("Concat", parts, OnnxAttributes().Int("axis", 1));
}

}  // namespace rondo::model
