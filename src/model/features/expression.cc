#include "model/features/expression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/nearest.h"

namespace rondo::model {
namespace {

struct Function {
  std::string_view name;
  Op op;
  bool many;  // two or more arguments, else one
};
constexpr std::array<Function, 7> kFunctions = {{{"min", Op::kMin, true}, {"max", Op::kMax, true}, {"abs", Op::kAbs, false}, {"log", Op::kLog, false},
                                                 {"log1p", Op::kLog1p, false}, {"exp", Op::kExp, false}, {"sqrt", Op::kSqrt, false}}};

bool IsWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// expression = term {(+|-) term}; term = unary {(*|/) unary}; unary = - unary | primary;
// primary = number | name | function ( expression {, expression} ) | ( expression )
class Parser {
 public:
  Parser(std::string_view text, const std::vector<std::string>& names) : text_(text), names_(names) {}

  Result<Expression> Parse() {
    RONDO_DO(Sum(0));
    Skip();
    if (at_ < text_.size()) return Wrong("expected an operator");
    if (std::none_of(out_.code.begin(), out_.code.end(), [](const Instruction& i) { return i.op == Op::kValue; }))
      return Fail(Code::kInvalid, "the expression \"" + std::string(text_) + "\" has no column", "name at least one numeric column");
    return std::move(out_);
  }

 private:
  std::unexpected<Error> Wrong(const std::string& what) const {
    return Fail(Code::kInvalid, "the expression \"" + std::string(text_) + "\" is wrong at position " + std::to_string(at_ + 1) + ": " + what +
                                    (at_ < text_.size() ? ", not \"" + std::string(text_.substr(at_, 12)) + "\"" : ", not the end"),
                "known: + - * / ( ) min max abs log log1p exp sqrt, numbers, numeric columns (others in \"quotes\")");
  }
  void Skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }
  bool Take(char c) {
    Skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Status Emit(Instruction i) {
    const bool pushes = i.op == Op::kValue || i.op == Op::kNumber;
    const bool pops = i.op == Op::kAdd || i.op == Op::kSub || i.op == Op::kMul || i.op == Op::kDiv || i.op == Op::kMin || i.op == Op::kMax;
    depth_ += pushes ? 1 : 0;
    depth_ -= pops ? 1 : 0;
    out_.stack = std::max(out_.stack, depth_);
    out_.code.push_back(i);
    if (out_.stack > kMaxStack || out_.code.size() > 10'000) return Fail(Code::kInvalid, "the expression \"" + std::string(text_.substr(0, 60)) + "...\" is too long", "split it into several derived columns");
    return {};
  }
  Status Sum(int level) {
    RONDO_DO(Product(level));
    for (;;) {
      const Op op = Take('+') ? Op::kAdd : Take('-') ? Op::kSub : Op::kValue;
      if (op == Op::kValue) return {};
      RONDO_DO(Product(level));
      RONDO_DO(Emit({op}));
    }
  }
  Status Product(int level) {
    RONDO_DO(Unary(level));
    for (;;) {
      const Op op = Take('*') ? Op::kMul : Take('/') ? Op::kDiv : Op::kValue;
      if (op == Op::kValue) return {};
      RONDO_DO(Unary(level));
      RONDO_DO(Emit({op}));
    }
  }
  Status Unary(int level) {
    if (level > 50) return Fail(Code::kInvalid, "the expression is nested more than 50 deep", "split it into several derived columns");
    if (Take('-')) {
      RONDO_DO(Unary(level + 1));
      return Emit({Op::kNeg});
    }
    return Primary(level);
  }
  Status Primary(int level) {
    if (Take('(')) {
      RONDO_DO(Sum(level + 1));
      if (!Take(')')) return Wrong("expected )");
      return {};
    }
    Skip();
    if (at_ >= text_.size()) return Wrong("expected a column, a number or (");
    const char c = text_[at_];
    if (IsDigit(c) || c == '.') return Number();
    if (c == '"' || c == '`') {
      const size_t end = text_.find(c, at_ + 1);
      if (end == std::string_view::npos) return Wrong("the quote is never closed");
      const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      return Name(name);
    }
    if (!IsWordStart(c)) return Wrong("expected a column, a number or (");
    size_t end = at_;
    while (end < text_.size() && (IsWordStart(text_[end]) || IsDigit(text_[end]))) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    size_t after = end;
    while (after < text_.size() && text_[after] == ' ') ++after;
    if (after < text_.size() && text_[after] == '(') return Call(word, after + 1, level);
    at_ = end;
    return Name(word);
  }
  Status Number() {
    float number = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    if (error != std::errc() || !std::isfinite(number)) return Wrong("expected a number");
    at_ = static_cast<size_t>(end - text_.data());
    return Emit({Op::kNumber, 0, number});
  }
  Status Name(std::string_view name) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) {
      const std::string nearest = Nearest(name, {names_.begin(), names_.end()});
      std::string all;
      for (const std::string& n : names_) all += (all.empty() ? "" : ", ") + n;
      return Fail(Code::kInvalid, "the expression \"" + std::string(text_) + "\" names \"" + std::string(name) + "\", which is no numeric column",
                  nearest.empty() ? "numeric columns: " + all : "did you mean " + nearest + "?");
    }
    return Emit({Op::kValue, static_cast<uint32_t>(found - names_.begin())});
  }
  Status Call(std::string_view name, size_t after, int level) {
    const Function* function = nullptr;
    for (const Function& f : kFunctions)
      if (f.name == name) function = &f;
    if (!function) return Wrong("there is no such function");
    at_ = after;
    size_t arguments = 0;
    do {
      RONDO_DO(Sum(level + 1));
      if (++arguments > 1 && function->many) RONDO_DO(Emit({function->op}));
    } while (Take(','));
    if (!Take(')')) return Wrong("expected ) or ,");
    if (function->many ? arguments < 2 : arguments != 1) return Wrong(std::string(name) + (function->many ? " takes two or more values" : " takes one value"));
    return function->many ? Status() : Emit({function->op});
  }

  std::string_view text_;
  const std::vector<std::string>& names_;
  size_t at_ = 0, depth_ = 0;
  Expression out_;
};

}  // namespace

size_t Expression::FirstValue() const {
  for (const Instruction& i : code)
    if (i.op == Op::kValue) return i.value;
  return 0;
}

Result<Expression> ParseExpression(std::string_view text, const std::vector<std::string>& names) { return Parser(text, names).Parse(); }

float Evaluate(const Expression& expression, const float* values) {
  float stack[kMaxStack + 1];
  float* top = stack;  // one past the last value
  for (const Instruction& i : expression.code) {
    switch (i.op) {
      case Op::kValue: *top++ = values[i.value]; break;
      case Op::kNumber: *top++ = i.number; break;
      case Op::kAdd: --top; top[-1] += top[0]; break;
      case Op::kSub: --top; top[-1] -= top[0]; break;
      case Op::kMul: --top; top[-1] *= top[0]; break;
      case Op::kDiv: --top; top[-1] /= top[0]; break;
      case Op::kNeg: top[-1] = -top[-1]; break;
      // A missing argument makes the result missing, on either side.
      case Op::kMin: --top; top[-1] = top[0] != top[0] || top[0] < top[-1] ? top[0] : top[-1]; break;
      case Op::kMax: --top; top[-1] = top[0] != top[0] || top[0] > top[-1] ? top[0] : top[-1]; break;
      case Op::kAbs: top[-1] = std::fabs(top[-1]); break;
      case Op::kLog: top[-1] = static_cast<float>(std::log(static_cast<double>(top[-1]))); break;
      case Op::kLog1p: top[-1] = static_cast<float>(std::log(1.0 + static_cast<double>(top[-1]))); break;
      case Op::kExp: top[-1] = static_cast<float>(std::exp(static_cast<double>(top[-1]))); break;
      case Op::kSqrt: top[-1] = static_cast<float>(std::sqrt(static_cast<double>(top[-1]))); break;
    }
  }
  return stack[0];
}

}  // namespace rondo::model
