#include "model/features/fit.h"

#include <algorithm>
#include <unordered_set>

#include "base/json_map.h"
#include "base/nearest.h"
#include "model/batch.h"
#include "model/features/graph.h"
#include "model/features/program.h"

namespace rondo::model {
namespace {

Result<DatePart> PartFromName(const std::string& column, const std::string& name) {
  DatePart part{};
  if (Status s = FromJson(Json(name), part, "features: date part of " + column); !s) return std::unexpected(s.error());
  return part;
}

// What a date column becomes when nobody says: the cycles, and the age.
std::vector<DatePart> DefaultParts(const std::string& type) {
  if (type == "datetime") return {DatePart::month, DatePart::weekday, DatePart::hour, DatePart::days_since};
  return {DatePart::month, DatePart::weekday, DatePart::days_since};
}

Status CheckNames(const project::Features& spec, const std::vector<InputColumn>& columns) {
  std::vector<std::string> known;
  for (const InputColumn& c : columns) known.push_back(c.name);
  std::unordered_set<std::string> seen(known.begin(), known.end());
  for (const auto& [name, expression] : spec.derive) {
    if (name.empty() || !seen.insert(name).second) return Fail(Code::kInvalid, "features: derive has the name \"" + name + "\", which is taken", "give the derived column a new name");
    known.push_back(name);
  }
  for (const project::ColumnFeature& c : spec.columns) {
    if (seen.contains(c.column) || std::find(spec.drop.begin(), spec.drop.end(), c.column) != spec.drop.end()) continue;
    const std::string nearest = Nearest(c.column, {known.begin(), known.end()});
    return Fail(Code::kInvalid, "features: columns names " + c.column + ", which is no feature column", nearest.empty() ? "it may be the key, the target or missing in the data" : "did you mean " + nearest + "?");
  }
  return {};
}

// Drops the values and inputs that no block needs, so that serving doesn't ask for them.
void Prune(Plan& plan) {
  const size_t n = plan.values.size();
  std::vector<bool> value_used(n), input_used(plan.inputs.size());
  const auto of_text = [](const PlanBlock& b) { return b.kind == BlockKind::levels || b.kind == BlockKind::text; };
  for (const PlanBlock& b : plan.blocks) (of_text(b) ? input_used : value_used)[b.source] = true;
  for (size_t i = n; i-- > 0;) {
    if (!value_used[i]) continue;
    if (plan.values[i].kind != ValueKind::derived) {
      input_used[plan.values[i].input] = true;
      continue;
    }
    std::vector<std::string> before;
    for (size_t j = 0; j < i; ++j) before.push_back(plan.values[j].name);
    if (const auto expression = ParseExpression(plan.values[i].expression, before))
      for (const Instruction& instruction : expression->code)
        if (instruction.op == Op::kValue) value_used[instruction.value] = true;
  }
  const auto renumber = [](auto& items, const std::vector<bool>& used) {
    std::vector<size_t> to(items.size());
    size_t next = 0;
    for (size_t i = 0; i < items.size(); ++i) {
      to[i] = next;
      if (used[i]) items[next++] = items[i];
    }
    items.resize(next);
    return to;
  };
  const std::vector<size_t> inputs = renumber(plan.inputs, input_used), values = renumber(plan.values, value_used);
  for (PlanValue& v : plan.values)
    if (v.kind != ValueKind::derived) v.input = inputs[v.input];
  for (PlanBlock& b : plan.blocks) b.source = (of_text(b) ? inputs : values)[b.source];
}

}  // namespace

const project::ColumnFeature* FitContext::Find(std::string_view column) const {
  for (const project::ColumnFeature& c : spec.columns)
    if (c.column == column) return &c;
  return nullptr;
}

Result<std::unique_ptr<FeatureGraph>> FitFeatures(const project::Features& spec, const std::vector<InputColumn>& columns, const table::Frame& train, int64_t reference_time_ms) {
  RONDO_DO(CheckNames(spec, columns));
  if (train.rows() == 0) return Fail(Code::kFailedCheck, "features: there are no training rows", "check the split's shares and the filters before it");
  FitContext context{spec, train.rows(), {}};
  Plan plan;
  plan.reference_time_ms = reference_time_ms;
  const auto dropped = [&](const std::string& name) { return std::find(spec.drop.begin(), spec.drop.end(), name) != spec.drop.end(); };

  struct Fitted {
    size_t value;
    const project::ColumnFeature* declared;
    bool keep;
  };
  std::vector<Fitted> fitted;
  std::vector<std::string> numeric_names;  // by value, so far
  auto add_value = [&](PlanValue value, const project::ColumnFeature* declared, bool keep) {
    numeric_names.push_back(value.name);
    plan.values.push_back(std::move(value));
    fitted.push_back({plan.values.size() - 1, declared, keep});
  };
  std::vector<size_t> text_inputs, date_inputs;
  for (const InputColumn& column : columns) {
    InputColumn input = column;
    const project::ColumnFeature* declared = context.Find(column.name);
    if (declared && !declared->type.empty()) input.type = declared->type;
    if (!table::ParseType(input.type))
      return Fail(Code::kInvalid, "features: the type of " + input.name + " is \"" + input.type + "\"", "use int, float, bool, string, category, date or datetime");
    const bool numeric = IsNumericType(input.type), keep = !dropped(input.name);
    const bool date = input.type == "date" || input.type == "datetime" || (declared && !declared->date.empty());
    if (numeric && declared && (!declared->text.empty() || !declared->date.empty()))
      return Fail(Code::kInvalid, "features: " + input.name + " is a number, so it can't have " + (declared->text.empty() ? "date" : "text"), "set its type: string, or date for times written as texts");
    const size_t index = plan.inputs.size();
    plan.inputs.push_back(input);
    if (numeric) add_value({input.name, ValueKind::input, index, DatePart::year, ""}, declared, keep);
    else if (keep) (date ? date_inputs : text_inputs).push_back(index);
  }
  for (const size_t index : date_inputs) {
    const InputColumn& input = plan.inputs[index];
    const project::ColumnFeature* declared = context.Find(input.name);
    std::vector<DatePart> parts = DefaultParts(input.type);
    if (declared && !declared->date.empty()) {
      parts.clear();
      for (const std::string& name : declared->date) {
        RONDO_TRY(const DatePart part, PartFromName(input.name, name));
        if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
      }
    }
    for (const DatePart part : parts) add_value({input.name + "_" + EnumName(part), ValueKind::date, index, part, ""}, declared, true);
  }
  for (const auto& [name, text] : spec.derive) {
    auto expression = ParseExpression(text, numeric_names);
    if (!expression) {
      for (const InputColumn& input : plan.inputs)
        if (!IsNumericType(input.type) && expression.error().message.find("\"" + input.name + "\"") != std::string::npos) expression.error().hint = input.name + " is a " + input.type + " column: expressions take numbers";
      return Wrap(expression.error(), "features: derive " + name);
    }
    add_value({name, ValueKind::derived, 0, DatePart::year, text}, context.Find(name), !dropped(name));
  }

  RONDO_TRY(const InputBatch batch, MakeBatch(plan.inputs, train));
  const size_t n = plan.values.size();
  std::vector<std::vector<float>> values(n, std::vector<float>(batch.rows));
  {
    const Program program(plan);
    std::vector<float> row(n);
    for (size_t r = 0; r < batch.rows; ++r) {
      program.RunValues(batch, r, row.data());
      for (size_t i = 0; i < n; ++i) values[i][r] = row[i];
    }
  }
  for (const size_t index : date_inputs) {
    const auto& texts = batch.texts[index];
    const auto first = std::find_if(plan.values.begin(), plan.values.end(), [&](const PlanValue& v) { return v.kind == ValueKind::date && v.input == index; });
    const auto& parsed = values[static_cast<size_t>(first - plan.values.begin())];
    size_t present = 0, unreadable = 0;
    std::string example;
    for (size_t r = 0; r < texts.size(); ++r) {
      if (texts[r].empty()) continue;
      ++present;
      if (parsed[r] == parsed[r]) continue;
      if (unreadable++ == 0) example = texts[r].substr(0, 40);
    }
    const std::string say = "column " + plan.inputs[index].name + ": \"" + example + "\"" + (unreadable > 1 ? " and " + std::to_string(unreadable - 1) + " more" : "");
    if (present > 0 && unreadable == present) return Fail(Code::kFailedCheck, say + " is no date", "write dates as 2026-11-25 or 2026-11-25T13:45:00Z, for example with strptime in a dataset's sql");
    if (unreadable) context.warnings.push_back(say + " is no date and counts as missing");
  }

  // Numbers first, then indicators, bins, texts: neighbours of one kind become one ONNX node.
  std::vector<PlanBlock> by_kind[5];
  for (const Fitted& f : fitted) {
    if (!f.keep) continue;
    project::ColumnFeature declared = f.declared ? *f.declared : project::ColumnFeature{};
    RONDO_TRY(std::vector<PlanBlock> blocks, FitNumber(context, plan.values[f.value].name, f.declared ? &declared : nullptr, values[f.value]));
    for (PlanBlock& b : blocks) {
      b.source = f.value;
      by_kind[static_cast<size_t>(b.kind)].push_back(std::move(b));
    }
  }
  for (const size_t index : text_inputs) {
    RONDO_TRY(std::vector<PlanBlock> blocks, FitText(context, plan.inputs[index], context.Find(plan.inputs[index].name), batch.texts[index]));
    for (PlanBlock& b : blocks) {
      b.source = index;
      by_kind[static_cast<size_t>(b.kind)].push_back(std::move(b));
    }
  }
  for (auto& blocks : by_kind)
    for (PlanBlock& b : blocks) plan.blocks.push_back(std::move(b));
  plan.warnings = context.warnings;
  if (plan.blocks.empty()) {
    std::string why;
    for (const std::string& w : plan.warnings) why += "\n  " + w;
    return Fail(Code::kFailedCheck, "features: no column is left to learn from" + why, "check the data and features.drop");
  }
  Prune(plan);
  // The same checks that a plan from a file passes.
  RONDO_TRY(Plan checked, PlanFromJson(PlanToJson(plan)));
  return MakeFeatureGraph(std::move(checked));
}

}  // namespace rondo::model
