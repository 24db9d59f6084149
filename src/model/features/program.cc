#include "model/features/program.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/features/dates.h"

namespace rondo::model {
namespace {
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
uint32_t U32(size_t n) { return static_cast<uint32_t>(n); }
}  // namespace

Program::Program(const Plan& plan) : reference_days_(DaysOf(plan.reference_time_ms)) {
  for (const InputColumn& input : plan.inputs) numeric_.push_back(IsNumericType(input.type));
  std::vector<std::string> before;
  for (const PlanValue& v : plan.values) {
    Value value{v.kind, U32(v.input), v.part, {}};
    if (v.kind == ValueKind::derived) {
      has_derived_ = true;
      if (auto parsed = ParseExpression(v.expression, before)) value.expression = std::move(*parsed);
    }
    before.push_back(v.name);
    values_.push_back(std::move(value));
  }
  for (const PlanBlock& b : plan.blocks) {
    const uint32_t column = U32(width_), source = U32(b.source);
    const float fill = b.fill ? static_cast<float>(*b.fill) : kNaN;
    auto step = [&](size_t size) {
      const bool joins = (b.kind == BlockKind::number || b.kind == BlockKind::missing) && !steps_.empty() && steps_.back().kind == b.kind;
      if (joins) ++steps_.back().count;
      else steps_.push_back({b.kind, U32(size), 1, column});
    };
    switch (b.kind) {
      case BlockKind::number:
        step(numbers_.size());
        numbers_.push_back({source, fill, static_cast<float>(b.offset), static_cast<float>(b.scale)});
        break;
      case BlockKind::missing:
        step(missing_.size());
        missing_.push_back(source);
        break;
      case BlockKind::bins: {
        step(bins_.size());
        Bins bins{source, fill, b.onehot, {}};
        for (const double e : b.edges) bins.edges.push_back(static_cast<float>(e));
        bins_.push_back(std::move(bins));
        break;
      }
      case BlockKind::levels: {
        step(levels_.size());
        std::vector<std::pair<std::string, int32_t>> entries;
        const auto rare = static_cast<int32_t>(b.levels.size());
        for (size_t i = 0; i < b.levels.size(); ++i) entries.emplace_back(b.levels[i], static_cast<int32_t>(i));
        for (const std::string& text : b.rare) entries.emplace_back(text, rare);
        entries.emplace_back("", !b.onehot ? static_cast<int32_t>(kMissingCode) : b.missing_column ? rare + b.rare_column : -1);
        levels_.push_back({source, b.onehot, U32(BlockWidth(b)), b.unknown_is_rare ? rare : -1, LevelTable(entries)});
        break;
      }
      case BlockKind::text: {
        step(texts_.size());
        std::vector<std::pair<std::string, int32_t>> entries;
        for (size_t i = 0; i < b.terms.size(); ++i) entries.emplace_back(b.terms[i], static_cast<int32_t>(i));
        Text text{source, LevelTable(entries), {}};
        for (const double w : b.weights) text.weights.push_back(static_cast<float>(w));
        texts_.push_back(std::move(text));
        break;
      }
    }
    width_ += BlockWidth(b);
  }
}

Status Program::Check(const InputBatch& batch) const {
  const size_t n = numeric_.size();
  bool fits = batch.numbers.size() == n && batch.texts.size() == n;
  for (size_t c = 0; fits && c < n; ++c) fits = (numeric_[c] ? batch.numbers[c].size() : batch.texts[c].size()) == batch.rows;
  if (fits) return {};
  return Fail(Code::kInvalid, "the rows to score haven't the model's " + std::to_string(n) + " columns", "take the columns from signature.json");
}

void Program::RunValues(const InputBatch& batch, size_t row, float* values) const {
  uint32_t date_input = ~0u;
  std::optional<int64_t> minutes;
  for (size_t i = 0; i < values_.size(); ++i) {
    const Value& v = values_[i];
    if (v.kind == ValueKind::input) {
      values[i] = batch.numbers[v.input][row];
    } else if (v.kind == ValueKind::date) {
      if (v.input != date_input) {
        date_input = v.input;
        minutes = ParseMinutes(batch.texts[v.input][row]);
      }
      values[i] = minutes ? PartOf(v.part, *minutes, reference_days_) : kNaN;
    } else {
      values[i] = Evaluate(v.expression, values);
    }
  }
  // Only now: an expression sees infinities of the expressions before it, as in the graph.
  for (size_t i = 0; i < values_.size(); ++i) values[i] = std::fabs(values[i]) <= std::numeric_limits<float>::max() ? values[i] : kNaN;
}

void Program::Run(const InputBatch& batch, size_t row, float* values, float* out) const {
  RunValues(batch, row, values);
  for (const Step& step : steps_) {
    float* to = out + step.column;
    switch (step.kind) {
      case BlockKind::number: {
        const Number* n = numbers_.data() + step.index;
        for (uint32_t i = 0; i < step.count; ++i) {
          float x = values[n[i].source];
          x = x == x ? x : n[i].fill;
          to[i] = (x - n[i].offset) * n[i].scale;
        }
        break;
      }
      case BlockKind::missing:
        for (uint32_t i = 0; i < step.count; ++i) {
          const float x = values[missing_[step.index + i]];
          to[i] = x == x ? 0.0f : 1.0f;
        }
        break;
      case BlockKind::bins: {
        const Bins& bins = bins_[step.index];
        float x = values[bins.source];
        x = x == x ? x : bins.fill;
        size_t bin = 0;
        for (const float edge : bins.edges) bin += x >= edge;
        if (bins.onehot) {
          std::fill_n(to, bins.edges.size() + 1, 0.0f);
          if (x == x) to[bin] = 1;
        } else {
          to[0] = x == x ? static_cast<float>(bin) : kNaN;
        }
        break;
      }
      case BlockKind::levels: {
        const Levels& levels = levels_[step.index];
        const int32_t code = levels.table.Find(batch.texts[levels.input][row], levels.otherwise);
        if (levels.onehot) {
          for (uint32_t i = 0; i < levels.width; ++i) to[i] = static_cast<int32_t>(i) == code ? 1.0f : 0.0f;
        } else {
          to[0] = static_cast<float>(code);
        }
        break;
      }
      case BlockKind::text: {
        const Text& text = texts_[step.index];
        const size_t terms = text.weights.size();
        std::fill_n(to, terms, 0.0f);
        double squares = 0;
        Tokens(batch.texts[text.input][row], [&](std::string_view token) {
          const int32_t k = text.table.Find(token, -1);
          if (k < 0) return;
          squares += 2 * static_cast<double>(to[k]) + 1;  // (c+1)² - c²
          to[k] += 1;
        });
        const float norm = std::max(static_cast<float>(std::sqrt(squares)), 1.0f);
        for (size_t k = 0; k < terms; ++k) to[k] = to[k] / norm * text.weights[k];
        break;
      }
    }
  }
}

}  // namespace rondo::model
