#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "model/features/fit.h"
#include "model/features/program.h"

namespace rondo::model {
namespace {

constexpr size_t kMaxUndeclared = 50;   // levels that a column without a declaration may have
constexpr size_t kMaxDeclared = 1000;   // columns that a declared one may become
constexpr size_t kMaxRare = 100'000;    // rare texts that are remembered by name

struct Level {
  std::string_view text;
  size_t count = 0;
};

// Numbers by value when all are numbers, else by bytes: codes then mean something, and the order never depends on the rows'.
void SortLevels(std::vector<Level>& levels) {
  std::vector<std::pair<double, std::string_view>> numbers;
  for (const Level& level : levels) {
    double number = 0;
    const auto [end, error] = std::from_chars(level.text.data(), level.text.data() + level.text.size(), number);
    if (error != std::errc() || end != level.text.data() + level.text.size() || std::isnan(number)) break;
    numbers.emplace_back(number, level.text);
  }
  if (numbers.size() == levels.size()) {
    std::sort(numbers.begin(), numbers.end());
    for (size_t i = 0; i < levels.size(); ++i) levels[i] = {numbers[i].second};
    return;
  }
  std::sort(levels.begin(), levels.end(), [](const Level& a, const Level& b) { return a.text < b.text; });
}

Result<std::vector<PlanBlock>> FitTerms(FitContext& context, const InputColumn& input, const project::ColumnFeature& declared, const std::vector<std::string_view>& texts) {
  if (declared.text != "tfidf") return Fail(Code::kInvalid, "features: text of " + input.name + " is \"" + declared.text + "\"", "use tfidf");
  if (declared.max_terms < 1 || declared.max_terms > 50'000) return Fail(Code::kInvalid, "features: max_terms of " + input.name + " is " + std::to_string(declared.max_terms), "use 1 to 50000");
  std::unordered_map<std::string, std::pair<size_t, size_t>> seen;  // term -> rows that have it, last row counted
  size_t row = 0;
  for (const std::string_view text : texts) {
    ++row;
    Tokens(text, [&](std::string_view token) {
      if (token.size() < 2) return;
      auto& [rows, last] = seen[std::string(token)];
      if (last == row) return;
      last = row;
      ++rows;
    });
  }
  std::vector<std::pair<size_t, std::string>> terms;
  for (const auto& [term, count] : seen)
    if (count.first >= 2) terms.emplace_back(count.first, term);
  if (terms.empty()) {
    context.warnings.push_back("column " + input.name + " is left out: no word occurs in two rows");
    return std::vector<PlanBlock>{};
  }
  // The most frequent ones, ties by name; then in the order of names.
  std::sort(terms.begin(), terms.end(), [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  if (terms.size() > static_cast<size_t>(declared.max_terms)) terms.resize(static_cast<size_t>(declared.max_terms));
  std::sort(terms.begin(), terms.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  size_t broken = 0;
  for (const std::string_view text : texts) broken += text.find_first_of("\n\t") != std::string_view::npos;
  if (broken)
    context.warnings.push_back("column " + input.name + ": words are split at spaces only, and " + std::to_string(broken) + " rows have tabs or line ends; replace them in a dataset's sql with regexp_replace(" + input.name + ", '\\s+', ' ', 'g')");
  PlanBlock block;
  block.kind = BlockKind::text;
  block.name = input.name;
  const double n = static_cast<double>(texts.size());
  for (auto& [count, term] : terms) {
    block.terms.push_back(term);
    // Smoothed inverse document frequency, as scikit-learn's TfidfVectorizer(smooth_idf=True).
    block.weights.push_back(static_cast<double>(static_cast<float>(std::log((1 + n) / (1 + static_cast<double>(count))) + 1)));
  }
  return std::vector<PlanBlock>{std::move(block)};
}

}  // namespace

Result<std::vector<PlanBlock>> FitText(FitContext& context, const InputColumn& input, const project::ColumnFeature* declared, const std::vector<std::string_view>& texts) {
  const auto refuse = [&](const std::string& what, const std::string& hint) { return Fail(Code::kInvalid, "features: " + input.name + " is text, so it can't have " + what, hint); };
  if (declared) {
    if (!declared->scale.empty()) return refuse("scale", "scale is for numbers: set type: float if its texts are numbers");
    if (!declared->bins.empty()) return refuse("bins", "bins are for numbers: set type: float if its texts are numbers");
    if (!declared->impute.empty()) return refuse("impute", "a missing text is a level of its own: leave impute out");
    if (!declared->text.empty()) return FitTerms(context, input, *declared, texts);
  }
  const std::string encode = declared && !declared->encode.empty() ? declared->encode : context.spec.categorical.encode;
  if (encode != "onehot" && encode != "ordinal") return Fail(Code::kInvalid, "features: encode of " + input.name + " is \"" + encode + "\"", "use onehot or ordinal");
  const std::string& unknown = context.spec.categorical.unknown;
  if (unknown != "ignore" && unknown != "rare") return Fail(Code::kInvalid, "features: categorical.unknown is \"" + unknown + "\"", "use ignore or rare");
  const double share = context.spec.categorical.rare;
  if (!(share >= 0 && share < 1)) return Fail(Code::kInvalid, "features: categorical.rare is " + std::to_string(share), "use a share from 0% to 99%");

  std::unordered_map<std::string_view, size_t> counts;
  size_t missing = 0;
  for (const std::string_view text : texts) {
    if (text.empty()) ++missing;
    else ++counts[text];
  }
  const size_t present = texts.size() - missing;
  const std::string keep = "; keep it with features.columns: " + input.name + ": {encode: onehot}, or {text: tfidf} for prose";
  if (present == 0) {
    context.warnings.push_back("column " + input.name + " is left out: every value is missing");
    return std::vector<PlanBlock>{};
  }
  if (counts.size() == 1 && missing == 0) {
    context.warnings.push_back("column " + input.name + " is left out: every value is the same");
    return std::vector<PlanBlock>{};
  }
  std::vector<Level> frequent, rare;
  for (const auto& [text, count] : counts) (static_cast<double>(count) < share * static_cast<double>(texts.size()) ? rare : frequent).push_back({text, count});
  const bool is_declared = input.type == "category" || (declared && (!declared->encode.empty() || !declared->type.empty()));
  if (!is_declared) {
    const std::string facts = std::to_string(counts.size()) + " different texts in " + std::to_string(present) + " rows";
    if (counts.size() > kMaxUndeclared && counts.size() * 2 > present) {
      context.warnings.push_back("column " + input.name + " is left out: nearly every value is different (" + facts + ")" + keep);
      return std::vector<PlanBlock>{};
    }
    if (frequent.size() > kMaxUndeclared) {
      context.warnings.push_back("column " + input.name + " is left out: " + facts + ", " + std::to_string(frequent.size()) + " of them in at least " +
                                 std::to_string(static_cast<int>(share * 100)) + "% of the rows" + keep);
      return std::vector<PlanBlock>{};
    }
  }
  const auto by_count = [](const Level& a, const Level& b) { return a.count != b.count ? a.count > b.count : a.text < b.text; };
  if (encode == "onehot" && frequent.size() > kMaxDeclared) {
    std::sort(frequent.begin(), frequent.end(), by_count);
    rare.insert(rare.end(), frequent.begin() + kMaxDeclared, frequent.end());
    frequent.resize(kMaxDeclared);
    context.warnings.push_back("column " + input.name + ": only the " + std::to_string(kMaxDeclared) + " most frequent of " + std::to_string(counts.size()) + " texts have a column of their own");
  }
  if (frequent.empty() && missing == 0) {
    context.warnings.push_back("column " + input.name + " is left out: each of its " + std::to_string(counts.size()) + " texts is rarer than categorical.rare (" + std::to_string(share * 100) + "%)");
    return std::vector<PlanBlock>{};
  }
  PlanBlock block;
  block.kind = BlockKind::levels;
  block.name = input.name;
  block.onehot = encode == "onehot";
  SortLevels(frequent);
  for (const Level& level : frequent) block.levels.emplace_back(level.text);
  block.unknown_is_rare = unknown == "rare";
  block.rare_column = !rare.empty() || block.unknown_is_rare;
  block.missing_column = block.onehot && missing > 0;
  // When unknown texts share the column there is no need to know the rare ones by name.
  if (!block.unknown_is_rare) {
    std::sort(rare.begin(), rare.end(), by_count);
    if (rare.size() > kMaxRare) {
      context.warnings.push_back("column " + input.name + ": of " + std::to_string(rare.size()) + " rare texts, " + std::to_string(kMaxRare) + " are remembered; the others count as unknown");
      rare.resize(kMaxRare);
    }
    SortLevels(rare);
    for (const Level& level : rare) block.rare.emplace_back(level.text);
  }
  return std::vector<PlanBlock>{std::move(block)};
}

}  // namespace rondo::model
