#include "model/features/plan.h"

#include <cmath>
#include <limits>
#include <unordered_set>

#include "base/json_map.h"
#include "model/features/expression.h"

namespace rondo::model {
namespace {
constexpr size_t kMaxColumns = 100'000;  // of the matrix: 400 kB a row
constexpr size_t kMaxLevels = 200'000;   // of one column, rare ones included

bool FitsFloat(double d) { return std::isfinite(d) && std::fabs(d) <= static_cast<double>(std::numeric_limits<float>::max()); }

std::unexpected<Error> Bad(const std::string& what) { return Fail(Code::kInvalid, "features: " + what, "the file was changed by hand or damaged: train again"); }

Status CheckBlock(const Plan& plan, const PlanBlock& b) {
  const bool of_text = b.kind == BlockKind::levels || b.kind == BlockKind::text;
  if (b.source >= (of_text ? plan.inputs.size() : plan.values.size())) return Bad("block " + b.name + " names a source that doesn't exist");
  if (of_text && IsNumericType(plan.inputs[b.source].type)) return Bad("block " + b.name + " needs a text column");
  if ((b.fill && !FitsFloat(*b.fill)) || !FitsFloat(b.offset) || !FitsFloat(b.scale)) return Bad("block " + b.name + " has a number that isn't a finite float");
  for (size_t i = 0; i < b.edges.size(); ++i)
    if (!FitsFloat(b.edges[i]) || (i && static_cast<float>(b.edges[i]) <= static_cast<float>(b.edges[i - 1]))) return Bad("the edges of " + b.name + " don't rise");
  if (b.kind == BlockKind::bins && b.edges.empty()) return Bad("block " + b.name + " has no edges");
  if (b.levels.size() + b.rare.size() > kMaxLevels) return Bad("block " + b.name + " has too many levels");
  if ((!b.rare.empty() || b.unknown_is_rare) && !b.rare_column) return Bad("block " + b.name + " has rare levels but no column for them");
  std::unordered_set<std::string_view> seen;
  for (const auto* list : {&b.levels, &b.rare, &b.terms})
    for (const std::string& text : *list)
      if (text.empty() || !seen.insert(text).second) return Bad("block " + b.name + " has the text \"" + text + "\" twice, or an empty one");
  if (b.kind == BlockKind::text && (b.terms.empty() || b.terms.size() != b.weights.size())) return Bad("block " + b.name + " needs a weight for each term");
  for (const double w : b.weights)
    if (!FitsFloat(w)) return Bad("block " + b.name + " has a weight that isn't a finite float");
  if (BlockWidth(b) == 0) return Bad("block " + b.name + " makes no column");
  return {};
}

}  // namespace

bool IsNumericType(std::string_view type) { return type == "int" || type == "float" || type == "bool"; }

size_t BlockWidth(const PlanBlock& b) {
  switch (b.kind) {
    case BlockKind::number:
    case BlockKind::missing: return 1;
    case BlockKind::bins: return b.onehot ? b.edges.size() + 1 : 1;
    case BlockKind::levels: return b.onehot ? b.levels.size() + b.rare_column + b.missing_column : 1;
    case BlockKind::text: return b.terms.size();
  }
  return 0;
}

PlanColumns ColumnsOf(const Plan& plan) {
  PlanColumns out;
  std::unordered_set<std::string> taken;
  auto add = [&](std::string name, size_t source) {
    // Two raw columns can lead to one name ("a_missing" beside a column "a"): the later one gets a number.
    std::string unique = name;
    for (int i = 2; !taken.insert(unique).second; ++i) unique = name + "#" + std::to_string(i);
    out.names.push_back(std::move(unique));
    out.sources.push_back(source);
  };
  // The raw column that a value comes from; an expression: its first one.
  std::vector<std::string> value_names;
  std::vector<size_t> origin;
  for (const PlanValue& v : plan.values) {
    size_t from = v.input;
    if (v.kind == ValueKind::derived) {
      const auto expression = ParseExpression(v.expression, value_names);
      from = expression ? origin[expression->FirstValue()] : 0;
    }
    value_names.push_back(v.name);
    origin.push_back(from);
  }
  for (const PlanBlock& b : plan.blocks) {
    const bool of_text = b.kind == BlockKind::levels || b.kind == BlockKind::text;
    const size_t source = of_text ? b.source : origin[b.source];
    switch (b.kind) {
      case BlockKind::number: add(b.name, source); break;
      case BlockKind::missing: add(b.name + "_missing", source); break;
      case BlockKind::bins:
        if (!b.onehot) add(b.name + "_bin", source);
        else
          for (size_t i = 0; i <= b.edges.size(); ++i) add(b.name + "_bin=" + std::to_string(i), source);
        break;
      case BlockKind::levels:
        if (!b.onehot) {
          add(b.name, source);
          break;
        }
        for (const std::string& level : b.levels) add(b.name + "=" + level, source);
        if (b.rare_column) add(b.name + "_rare", source);
        if (b.missing_column) add(b.name + "_missing", source);
        break;
      case BlockKind::text:
        for (const std::string& term : b.terms) add(b.name + ":" + term, source);
        break;
    }
  }
  return out;
}

Json PlanToJson(const Plan& plan) {
  Json json = ToJson(plan);
  for (auto& [key, list] : json.MutableObject()) {
    if (key == "values") {
      for (size_t i = 0; i < plan.values.size(); ++i) {
        Json& v = list.MutableArray()[i];
        if (plan.values[i].kind != ValueKind::date) v.Erase("part");
        if (plan.values[i].kind != ValueKind::derived) v.Erase("expression");
        else v.Erase("input");
      }
    } else if (key == "blocks") {
      for (size_t i = 0; i < plan.blocks.size(); ++i) {
        const BlockKind kind = plan.blocks[i].kind;
        Json& b = list.MutableArray()[i];
        if (kind != BlockKind::number)
          for (const char* k : {"offset", "scale"}) b.Erase(k);
        if (kind != BlockKind::bins) b.Erase("edges");
        if (kind != BlockKind::bins && kind != BlockKind::levels) b.Erase("onehot");
        if (kind != BlockKind::levels)
          for (const char* k : {"levels", "rare", "rare_column", "unknown_is_rare", "missing_column"}) b.Erase(k);
        if (kind != BlockKind::text)
          for (const char* k : {"terms", "weights"}) b.Erase(k);
      }
    }
  }
  return json;
}

Result<Plan> PlanFromJson(const Json& json) {
  Plan plan;
  if (const int64_t version = json["version"].AsInt(0); version != 1)
    return Fail(Code::kUnsupported, "features: format version " + std::to_string(version) + " is not 1", "use the release of Rondo that wrote the model");
  if (Status status = FromJson(json, plan); !status) return Wrap(status.error(), "features");
  std::unordered_set<std::string> names;
  for (const InputColumn& input : plan.inputs) {
    if (input.name.empty() || !names.insert(input.name).second) return Bad("the input \"" + input.name + "\" is there twice or has no name");
    if (!table::ParseType(input.type)) return Bad("the input " + input.name + " has the unknown type " + input.type);
  }
  std::vector<std::string> before;
  for (const PlanValue& v : plan.values) {
    if (v.kind == ValueKind::derived) {
      if (auto parsed = ParseExpression(v.expression, before); !parsed) return Wrap(parsed.error(), "features: " + v.name);
    } else {
      if (v.input >= plan.inputs.size()) return Bad("value " + v.name + " names an input that doesn't exist");
      if (IsNumericType(plan.inputs[v.input].type) != (v.kind == ValueKind::input)) return Bad("value " + v.name + " has an input of the wrong type");
    }
    before.push_back(v.name);
  }
  size_t columns = 0;
  for (const PlanBlock& b : plan.blocks) {
    RONDO_DO(CheckBlock(plan, b));
    columns += BlockWidth(b);
    if (columns > kMaxColumns) return Bad("more than " + std::to_string(kMaxColumns) + " columns");
  }
  if (columns == 0) return Bad("no columns");
  return plan;
}

}  // namespace rondo::model
