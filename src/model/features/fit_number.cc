#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "model/features/fit.h"

namespace rondo::model {
namespace {

// As numpy's default: linear interpolation between the neighbours.
double Quantile(const std::vector<float>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const double a = static_cast<double>(sorted[low]), b = static_cast<double>(sorted[std::min(low + 1, sorted.size() - 1)]);
  return a + (b - a) * (at - static_cast<double>(low));
}
double Mean(const std::vector<float>& values) {
  double sum = 0;
  for (const float v : values) sum += static_cast<double>(v);
  return sum / static_cast<double>(values.size());
}

Result<std::optional<double>> FillOf(const std::string& name, const std::string& impute, const std::vector<float>& sorted) {
  if (impute == "none") return std::nullopt;
  if (impute == "zero") return 0.0;
  if (impute == "mean") return Mean(sorted);
  if (impute == "median") return Quantile(sorted, 0.5);
  double number = 0;
  const auto [end, error] = std::from_chars(impute.data(), impute.data() + impute.size(), number);
  if (error == std::errc() && end == impute.data() + impute.size() && std::fabs(number) <= static_cast<double>(std::numeric_limits<float>::max())) return number;
  return Fail(Code::kInvalid, "features: impute of " + name + " is \"" + impute + "\"", "use median, mean, zero, none or a number");
}

}  // namespace

Result<std::vector<PlanBlock>> FitNumber(FitContext& context, const std::string& name, const project::ColumnFeature* declared, const std::vector<float>& values) {
  const std::string impute = declared && !declared->impute.empty() ? declared->impute : context.spec.numeric.impute;
  const std::string scale = declared && !declared->scale.empty() ? declared->scale : context.spec.numeric.scale;
  const std::vector<double> edges = declared ? declared->bins : std::vector<double>{};
  const std::string encode = declared ? declared->encode : "";
  if (!encode.empty() && edges.empty())
    return Fail(Code::kInvalid, "features: " + name + " is a number and has no bins, so it can't be encoded as " + encode, "set type: category for it, or bins");
  if (!encode.empty() && encode != "onehot" && encode != "ordinal") return Fail(Code::kInvalid, "features: encode of " + name + " is \"" + encode + "\"", "use onehot or ordinal");
  if (!edges.empty() && declared && !declared->scale.empty()) return Fail(Code::kInvalid, "features: " + name + " has both bins and scale", "bins are numbered 0, 1, 2 ...: leave scale out");

  std::vector<float> sorted;
  for (const float v : values)
    if (v == v) sorted.push_back(v);
  if (sorted.empty()) {
    context.warnings.push_back("column " + name + " is left out: every value is missing");
    return std::vector<PlanBlock>{};
  }
  const bool has_missing = sorted.size() < values.size();
  std::sort(sorted.begin(), sorted.end());
  if (!has_missing && sorted.front() == sorted.back()) {
    context.warnings.push_back("column " + name + " is left out: every value is the same");
    return std::vector<PlanBlock>{};
  }
  PlanBlock block;
  block.name = name;
  RONDO_TRY(block.fill, FillOf(name, impute, sorted));
  if (block.fill) block.fill = static_cast<double>(static_cast<float>(*block.fill));

  std::vector<PlanBlock> out;
  if (!edges.empty()) {
    block.kind = BlockKind::bins;
    block.onehot = encode == "onehot";
    block.edges = edges;
    for (size_t i = 0; i < edges.size(); ++i)
      if (!std::isfinite(edges[i]) || (i && static_cast<float>(edges[i]) <= static_cast<float>(edges[i - 1])))
        return Fail(Code::kInvalid, "features: the bins of " + name + " don't rise", "list the edges from small to large, each once");
  } else {
    // Scaling is fitted on what the learner will see: the filled column.
    std::vector<float> filled = sorted;
    if (block.fill && has_missing) {
      filled.insert(filled.end(), values.size() - sorted.size(), static_cast<float>(*block.fill));
      std::sort(filled.begin(), filled.end());
    }
    double spread = 1;
    if (scale == "standard") {
      const double mean = Mean(filled);
      double squares = 0;
      for (const float v : filled) squares += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean);
      block.offset = mean;
      spread = std::sqrt(squares / static_cast<double>(filled.size()));
    } else if (scale == "minmax") {
      block.offset = static_cast<double>(filled.front());
      spread = static_cast<double>(filled.back()) - block.offset;
    } else if (scale == "robust") {
      block.offset = Quantile(filled, 0.5);
      spread = Quantile(filled, 0.75) - Quantile(filled, 0.25);
    } else if (scale != "none") {
      return Fail(Code::kInvalid, "features: scale of " + name + " is \"" + scale + "\"", "use none, standard, minmax or robust");
    }
    block.offset = static_cast<double>(static_cast<float>(block.offset));
    // No spread (or one that no float can undo): shift only.
    const auto factor = static_cast<float>(1 / spread);
    block.scale = std::isfinite(factor) && factor > 0 ? static_cast<double>(factor) : 1;
  }
  out.push_back(block);
  if (has_missing && block.fill) {
    PlanBlock indicator;
    indicator.kind = BlockKind::missing;
    indicator.name = name;
    out.push_back(std::move(indicator));
  }
  return out;
}

}  // namespace rondo::model
