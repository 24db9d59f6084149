#include "db/search/filter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "db/search/lexer.h"

namespace rondo::db::search {
namespace {

// What SQLite takes: depth 1000 of an expression, 64 tables in a join, patterns of 50,000 bytes.
constexpr size_t kMaxText = 64u << 10;
constexpr size_t kMaxComparisons = 300;
constexpr size_t kMaxOrders = 50;
constexpr size_t kMaxPattern = 10'000;
constexpr std::string_view kAttribute = "attribute";

std::unexpected<Error> Bad(std::string message) { return Fail(Code::kInvalid, std::move(message)); }

struct OpRow {
  std::string_view text;
  Op op;
  bool number, text_value;
};
constexpr OpRow kOps[] = {
    {"=", Op::kEq, true, true},   {"!=", Op::kNe, true, true},      {"<", Op::kLt, true, false},     {"<=", Op::kLe, true, false},
    {">", Op::kGt, true, false},  {">=", Op::kGe, true, false},     {"LIKE", Op::kLike, false, true}, {"ILIKE", Op::kIlike, false, true},
    {"IN", Op::kIn, false, true}, {"NOT IN", Op::kNotIn, false, true}, {"IS NULL", Op::kIsNull, false, true}, {"IS NOT NULL", Op::kIsNotNull, false, true},
};

/// What the left side of a comparison names.
struct Target {
  const Entity* entity = nullptr;        ///< null: an attribute
  const Attribute* attribute = nullptr;
  std::string key;
  std::string_view name() const { return entity ? entity->name : kAttribute; }
  bool number() const { return entity ? entity->number : attribute->number; }
};

std::string Quoted(const std::vector<std::string_view>& names) {
  std::string out;
  for (std::string_view name : names) out += fmt::format("{}'{}'", out.empty() ? "" : ", ", name);
  return out;
}

Result<Target> FindTarget(const Language& language, std::string_view written, bool ordering) {
  // A quoted name holds dots that are not separators: `a.b`, "a.b".
  const bool whole_quoted = Unquoted(written, "`\"") != written && written.find_first_of("`\"", 1) == written.size() - 1;
  const size_t dot = whole_quoted ? std::string_view::npos : written.find('.');
  Target target;
  std::string_view prefix = kAttribute;
  std::string_view key = written;
  if (dot != std::string_view::npos) {
    prefix = Unquoted(written.substr(0, dot), "`");
    key = written.substr(dot + 1);
  }
  target.key = std::string(Unquoted(Unquoted(key, "'\""), "`"));
  for (const Entity& entity : language.entities)
    if (std::find(entity.names.begin(), entity.names.end(), prefix) != entity.names.end()) target.entity = &entity;
  const bool attribute = prefix == kAttribute || std::find(language.attribute_names.begin(), language.attribute_names.end(), prefix) != language.attribute_names.end();
  if (!target.entity && !attribute) {
    std::vector<std::string_view> names;
    for (const Entity& entity : language.entities) names.push_back(entity.name);
    names.insert(std::min(names.size(), size_t{3}) + names.begin(), kAttribute);
    return Bad(fmt::format("Invalid entity type '{}'. Valid values are [{}]", prefix, Quoted(names)));
  }
  if (target.entity) {
    const auto& keys = target.entity->keys;
    if (!keys.empty() && std::find(keys.begin(), keys.end(), target.key) == keys.end())
      return Bad(fmt::format("Invalid {} key '{}' specified. Valid keys are '{{{}}}'", target.entity->name, target.key, Quoted(keys)));
    return target;
  }
  std::vector<std::string_view> known;
  for (const Attribute& a : language.attributes) {
    if (!(ordering ? a.order : a.filter)) continue;
    known.push_back(a.name);
    if (a.name == target.key) target.attribute = &a;
  }
  if (!target.attribute) return Bad(fmt::format("Invalid attribute key '{}' specified. Valid keys are '{{{}}}'", target.key, Quoted(known)));
  target.key = std::string(target.attribute->meaning.empty() ? target.attribute->name : target.attribute->meaning);
  return target;
}

Result<std::vector<std::string>> ParseList(std::string_view text) {
  const auto ill_formed = [] { return Bad("While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list."); };
  if (text.size() < 2 || text.back() != ')') return ill_formed();
  const std::vector<Token> tokens = Tokenize(text.substr(1, text.size() - 2));
  if (tokens.empty()) return Bad("While parsing a list in the query, expected a non-empty list of string values, but got empty list");
  std::vector<std::string> out;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i % 2 == 1) {
      if (tokens[i].text != ",") return ill_formed();
      continue;
    }
    if (tokens[i].kind == TokenKind::kNumber)
      return Bad(fmt::format("While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: {}", text));
    if (tokens[i].kind != TokenKind::kString && tokens[i].kind != TokenKind::kQuoted) return ill_formed();
    out.emplace_back(Unquoted(tokens[i].text, "'\""));
  }
  return out;
}

Result<std::string> TextValue(const Token& token, std::string_view complaint) {
  if (token.kind == TokenKind::kString || token.kind == TokenKind::kQuoted) return std::string(Unquoted(token.text, "'\""));
  if (token.kind == TokenKind::kName)
    return Bad(fmt::format("Parameter value is either not quoted or unidentified quote types used for string value {}. Use either single or double quotes.", token.text));
  return Bad(fmt::format("{} Got value {}", complaint, token.text));
}

/// Reads the value into `c`, checked against what the left side is.
Status ReadValue(const Language& language, const Target& target, const Token& token, Comparison& c) {
  if (target.number()) {
    if (token.kind != TokenKind::kNumber)
      return Bad(target.entity ? fmt::format("Expected numeric value type for {}. Found {}", target.name(), token.text)
                               : fmt::format("Expected numeric value type for numeric attribute: {}. Found {}", target.attribute->name, token.text));
    const std::string_view digits = token.text.starts_with('+') ? token.text.substr(1) : token.text;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), c.value);
    (void)end;
    if (error == std::errc::result_out_of_range) return Bad(fmt::format("The number {} is out of range", token.text));
    c.number = true;
    return {};
  }
  if (token.kind == TokenKind::kList && (target.entity ? target.entity->list : true)) {
    if (target.attribute && !target.attribute->list) {
      std::vector<std::string_view> lists;
      for (const Attribute& a : language.attributes)
        if (a.list) lists.push_back(a.name);
      return Bad(fmt::format("Only [{}] attributes support comparison with a list of quoted string values.", Quoted(lists)));
    }
    RONDO_TRY(c.list, ParseList(token.text));
    return {};
  }
  RONDO_TRY(c.text, TextValue(token, target.entity ? (target.entity->keys.empty() ? fmt::format("Expected a quoted string value for {} (e.g. 'my-value').", target.name())
                                                                                : fmt::format("Expected a quoted string value for {} attributes.", target.name()))
                                                   : std::string("Expected a quoted string value for attributes.")));
  return {};
}

Result<Op> CheckedOp(const Target& target, std::string_view written, bool list) {
  std::vector<std::string_view> valid;
  std::optional<Op> found;
  for (const OpRow& row : kOps) {
    bool ok = target.number() ? row.number : row.text_value;
    if (row.op == Op::kIn || row.op == Op::kNotIn) ok = ok && (target.entity ? target.entity->list : true);
    if (row.op == Op::kIsNull || row.op == Op::kIsNotNull) ok = ok && target.entity && target.entity->null_tests;
    if (!ok) continue;
    valid.push_back(row.text);
    if (SameWord(written, row.text)) found = row.op;
  }
  const bool takes_list = found && (*found == Op::kIn || *found == Op::kNotIn);
  if (!found || takes_list != list) return Bad(fmt::format("Invalid comparator '{}' not one of '{{{}}}'", written, Quoted(valid)));
  return *found;
}

/// Reads comparisons off a row of tokens; what is none of one is collected for the message.
class Parser {
 public:
  Parser(const Language& language, std::vector<Token> tokens) : language_(language), tokens_(std::move(tokens)) {}

  Result<std::vector<Comparison>> Run() {
    std::vector<Comparison> out;
    std::string invalid;
    while (at_ < tokens_.size()) {
      RONDO_TRY(auto comparison, One());
      if (comparison) {
        if (out.size() == kMaxComparisons) return Bad(fmt::format("A filter string can have at most {} comparisons", kMaxComparisons));
        if (invalid.empty()) out.push_back(std::move(*comparison));
        continue;
      }
      if (!Word(0, "AND")) invalid += fmt::format("{}'{}'", invalid.empty() ? "" : ", ", tokens_[at_].text);
      ++at_;
    }
    if (!invalid.empty()) return Bad("Invalid clause(s) in filter string: " + invalid);
    return out;
  }

 private:
  const Token* Peek(size_t ahead) const { return at_ + ahead < tokens_.size() ? &tokens_[at_ + ahead] : nullptr; }
  bool Word(size_t ahead, std::string_view word) const { return Peek(ahead) && Peek(ahead)->kind == TokenKind::kName && SameWord(Peek(ahead)->text, word); }
  bool IsKeyword(size_t ahead) const {
    for (std::string_view word : {"AND", "OR", "NOT", "BETWEEN", "IN", "IS", "LIKE", "ILIKE"})
      if (Word(ahead, word)) return true;
    return false;
  }

  /// The comparison that starts here, if one does.
  Result<std::optional<Comparison>> One() {
    std::string op;
    size_t value = 0;  // tokens before the value; 0: there is none
    size_t used = 0;
    if (IsKeyword(0)) return std::nullopt;
    if (Word(1, "IS") && Word(2, "NULL")) {
      op = "IS NULL";
      used = 3;
    } else if (Word(1, "IS") && Word(2, "NOT") && Word(3, "NULL")) {
      op = "IS NOT NULL";
      used = 4;
    } else if (Word(1, "NOT") && Word(2, "IN") && Peek(3)) {
      op = "NOT IN";
      value = 3;
    } else if (Peek(1) && Peek(2) && (Peek(1)->kind == TokenKind::kOperator || Word(1, "LIKE") || Word(1, "ILIKE") || (Word(1, "IN") && Peek(2)->kind == TokenKind::kList))) {
      op = std::string(Peek(1)->text);
      value = 2;
    } else {
      return std::nullopt;
    }
    if (value) used = value + 1;
    const Token left = *Peek(0);
    if (left.kind != TokenKind::kName && left.kind != TokenKind::kQuoted) {
      if (left.kind == TokenKind::kList) return std::nullopt;
      return Bad(fmt::format("Invalid comparison clause. Expected 'Identifier' found '{}'", left.text));
    }
    RONDO_TRY(const Target target, FindTarget(language_, left.text, false));
    Comparison c;
    c.entity = target.name();
    c.key = target.key;
    if (value) {
      if (IsKeyword(value)) return std::nullopt;
      RONDO_DO(ReadValue(language_, target, *Peek(value), c));
    } else if (!target.entity || !target.entity->null_tests) {
      std::string kinds;
      for (const Entity& e : language_.entities)
        if (e.null_tests) kinds = (e.name == "parameter" ? "params" : std::string(e.name) + "s") + (kinds.empty() ? "" : " and ") + kinds;
      return Bad(fmt::format("IS NULL / IS NOT NULL is only supported for {}, not for '{}' '{}'", kinds.empty() ? "nothing" : kinds, target.name(), target.key));
    }
    RONDO_TRY(c.op, CheckedOp(target, op, !c.list.empty()));
    if ((c.op == Op::kLike || c.op == Op::kIlike) && c.text.size() > kMaxPattern) return Bad(fmt::format("A LIKE pattern can have at most {} bytes", kMaxPattern));
    at_ += used;
    return c;
  }

  const Language& language_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
};

}  // namespace

Result<std::vector<Comparison>> ParseFilter(const Language& language, std::string_view text) {
  if (text.size() > kMaxText) return Bad(fmt::format("The filter string has {} bytes; at most {} are read", text.size(), kMaxText));
  std::vector<Token> tokens = Tokenize(text);
  while (!tokens.empty() && tokens.back().kind == TokenKind::kEnd) tokens.pop_back();
  for (const Token& token : tokens)
    if (token.kind == TokenKind::kEnd) return Bad(fmt::format("Search filter contained multiple expression '{}'. Provide AND-ed expression list.", text));
  return Parser(language, std::move(tokens)).Run();
}

Result<std::vector<Order>> ParseOrderBy(const Language& language, const std::vector<std::string>& clauses) {
  std::vector<Order> out;
  if (clauses.size() > kMaxOrders) return Bad(fmt::format("`order_by` can have at most {} clauses", kMaxOrders));
  std::set<std::pair<std::string_view, std::string>> seen;
  for (const std::string& clause : clauses) {
    const std::vector<Token> tokens = Tokenize(std::string_view(clause).substr(0, kMaxText));
    if (tokens.empty() || tokens.size() > 2 || (tokens[0].kind != TokenKind::kName && tokens[0].kind != TokenKind::kQuoted))
      return Bad(fmt::format("Invalid order_by clause '{}'. Could not be parsed.", clause));
    Order order;
    if (tokens.size() == 2) {
      if (!SameWord(tokens[1].text, "ASC") && !SameWord(tokens[1].text, "DESC")) return Bad(fmt::format("Invalid ordering key in order_by clause '{}'.", clause));
      order.ascending = SameWord(tokens[1].text, "ASC");
    }
    RONDO_TRY(const Target target, FindTarget(language, tokens[0].text, true));
    if (target.entity && !target.entity->order) return Bad(fmt::format("Invalid order_by entity: {}", target.name()));
    order.entity = target.name();
    order.key = target.key;
    if (!seen.emplace(order.entity, order.key).second) return Bad(fmt::format("`order_by` contains duplicate fields: ['{}']", fmt::join(clauses, "', '")));
    out.push_back(std::move(order));
  }
  return out;
}

}  // namespace rondo::db::search
