#include "project/template.h"

#include <fmt/format.h>

#include <charconv>

#include "base/nearest.h"

namespace rondo::project {
namespace {

std::unexpected<Error> Bad(const std::string& where, std::string message, std::string hint = {}) { return Fail(Code::kInvalid, where + ": " + std::move(message), std::move(hint)); }

/// Python's str() of a scalar, with YAML's words for booleans: what DVC puts into texts.
std::string Text(const Json& value) {
  if (value.IsString()) return value.AsString();
  if (value.IsNull()) return "None";
  return value.Dump();
}

/// As shlex.quote does.
std::string ShellQuoted(const std::string& s) {
  constexpr std::string_view kSafe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";
  if (!s.empty() && s.find_first_not_of(kSafe) == std::string::npos) return s;
  std::string out = "'";
  for (const char c : s) out += c == '\'' ? std::string("'\"'\"'") : std::string(1, c);
  return out + "'";
}

/// `--lr 0.1 --flag --l 1 2 --d.x 1` (False is left out).
void Options(const Json& map, const std::string& prefix, std::vector<std::string>& out) {
  for (const auto& [key, value] : map.AsObject()) {
    const std::string name = prefix + key;
    if (value.IsObject()) {
      Options(value, name + ".", out);
    } else if (value.IsArray()) {
      out.push_back("--" + name);
      for (const Json& item : value.AsArray()) out.push_back(ShellQuoted(Text(item)));
    } else if (value.IsBool()) {
      if (value.AsBool()) out.push_back("--" + name);
    } else {
      out.push_back("--" + name);
      out.push_back(ShellQuoted(Text(value)));
    }
  }
}

/// The value of `a.b[0].c`; nullptr when there is none.
const Json* Lookup(const TemplateContext& values, std::string_view expression, std::string& missing) {
  const Json* at = nullptr;
  for (size_t begin = 0; begin <= expression.size();) {
    size_t end = std::min(expression.find_first_of(".[", begin), expression.size());
    std::string_view part = expression.substr(begin, end - begin);
    if (!part.empty() || begin == end) {
      const Json* next = at ? at->Find(part) : values.Find(part);
      size_t index = 0;
      if (!next && at && at->IsArray() && std::from_chars(part.data(), part.data() + part.size(), index).ec == std::errc() && index < at->size()) next = &at->AsArray()[index];
      if (!next) {
        missing = part;
        return nullptr;
      }
      at = next;
    }
    while (at && end < expression.size() && expression[end] == '[') {
      const size_t close = expression.find(']', end);
      if (close == std::string_view::npos) {
        missing = expression.substr(end);
        return nullptr;
      }
      std::string_view inside = expression.substr(end + 1, close - end - 1);
      if (inside.size() > 1 && (inside[0] == '\'' || inside[0] == '"')) inside = inside.substr(1, inside.size() - 2);
      size_t index = 0;
      const Json* next = at->Find(inside);
      if (!next && at->IsArray() && std::from_chars(inside.data(), inside.data() + inside.size(), index).ec == std::errc() && index < at->size()) next = &at->AsArray()[index];
      if (!next) {
        missing = inside;
        return nullptr;
      }
      at = next;
      end = close + 1;
    }
    if (end >= expression.size()) break;
    begin = end + 1;
  }
  return at;
}

class Substitution {
 public:
  Substitution(const TemplateContext& context, bool secrets) : values_(context), secrets_(secrets) {}

  Status Node(YamlNode& node, bool cmd) {
    if (node.IsScalar()) return Scalar(node, cmd);
    for (YamlNode& item : node.items) RONDO_DO(Node(item, cmd));
    for (YamlEntry& entry : node.entries) {
      if (entry.key.find("${") != std::string::npos) {
        RONDO_TRY(const auto key, Replaced(entry.key, entry.where, false));
        entry.key = key.text;
      }
      RONDO_DO(Node(entry.value, cmd || (depth_ == 0 && entry.key == "cmd")));
    }
    return {};
  }
  Status Stage(YamlNode& node) {
    for (YamlEntry& entry : node.entries) {
      if (entry.key.find("${") != std::string::npos) {
        RONDO_TRY(const auto key, Replaced(entry.key, entry.where, false));
        entry.key = key.text;
      }
      depth_ = 1;
      RONDO_DO(Node(entry.value, entry.key == "cmd"));
    }
    if (node.IsScalar()) return Scalar(node, false);
    return {};
  }

 private:
  struct Out {
    std::string text;
    const Json* whole = nullptr;  ///< the text was one reference and nothing else
  };

  Status Scalar(YamlNode& node, bool cmd) {
    if (node.text.find("${") == std::string::npos) return {};
    RONDO_TRY(const Out out, Replaced(node.text, node.where, cmd));
    if (out.whole && !(cmd && (out.whole->IsObject() || out.whole->IsArray()))) {
      node = JsonToNode(*out.whole, node.where);
      return {};
    }
    node.text = out.text;
    node.plain = false;
    return {};
  }

  Result<Out> Replaced(const std::string& text, const std::string& where, bool cmd) {
    Out out;
    size_t references = 0;
    for (size_t at = 0; at < text.size();) {
      const size_t open = text.find("${", at);
      if (open == std::string::npos) {
        out.text += text.substr(at);
        break;
      }
      if (open > 0 && text[open - 1] == '\\') {
        out.text += text.substr(at, open - 1 - at) + "${";
        at = open + 2;
        ++references;  // the text is not one reference
        continue;
      }
      out.text += text.substr(at, open - at);
      const size_t close = text.find('}', open);
      if (close == std::string::npos) return Bad(where, "${ has no } behind it", "write \\${ for a literal ${");
      std::string expression = text.substr(open + 2, close - open - 2);
      while (expression.starts_with(' ')) expression.erase(0, 1);
      while (expression.ends_with(' ')) expression.pop_back();
      if (secrets_ && (expression.starts_with("env:") || expression.starts_with("file:") || expression.starts_with("command:"))) {
        out.text += text.substr(open, close + 1 - open);
        at = close + 1;
        ++references;
        continue;
      }
      std::string missing;
      const Json* value = Lookup(values_, expression, missing);
      if (!value || expression.empty()) {
        std::vector<std::string_view> names;
        names = values_.Names();
        const std::string near = Nearest(expression.substr(0, expression.find_first_of(".[")), names);
        return Bad(where, "there is no value for ${" + expression + "}" + (missing.empty() || missing == expression ? "" : ": \"" + missing + "\" is not there"),
                   (near.empty() || expression.starts_with(near) ? "" : "did you mean " + near + "? ") + std::string("a variable of the shell is written \\${") + expression + "}");
      }
      const bool whole = open == 0 && close + 1 == text.size();
      if (value->IsObject() || value->IsArray()) {
        if (!cmd && !whole) return Bad(where, "${" + expression + "} is " + (value->IsObject() ? "a map" : "a list") + ", which can't stand inside a text", "name one value of it");
        std::vector<std::string> words;
        if (value->IsObject()) Options(*value, "", words);
        else
          for (const Json& item : value->AsArray()) words.push_back(ShellQuoted(Text(item)));
        for (size_t i = 0; i < words.size(); ++i) out.text += (i ? " " : "") + words[i];
      } else {
        out.text += Text(*value);
      }
      if (whole) out.whole = value;
      ++references;
      at = close + 1;
    }
    if (references != 1) out.whole = nullptr;
    return out;
  }

  const TemplateContext& values_;
  const bool secrets_;
  int depth_ = 0;
};

Status MergeInto(Json& base, const Json& top, const std::string& where, const std::string& from, const std::string& path) {
  for (const auto& [key, value] : top.AsObject()) {
    const std::string name = path.empty() ? key : path + "." + key;
    const Json* old = base.Find(key);
    if (!old) {
      base.Set(key, value);
    } else if (old->IsObject() && value.IsObject()) {
      Json merged = *old;
      RONDO_DO(MergeInto(merged, value, where, from, name));
      base.Set(key, std::move(merged));
    } else if (!(*old == value)) {
      return Bad(where, "\"" + name + "\" of " + from + " is defined already with another value", "rename one of them");
    }
  }
  return {};
}

}  // namespace

Status TemplateContext::Merge(const Json& values, const std::string& where, const std::string& from) {
  // What an outer context defines is merged with, or stands against, what comes here.
  for (const auto& [key, value] : values.AsObject())
    if (outer_ && !values_.Find(key))
      if (const Json* old = outer_->Find(key)) values_.Set(key, *old);
  return MergeInto(values_, values, where, from, "");
}

const Json* TemplateContext::Find(std::string_view name) const {
  const Json* value = values_.Find(name);
  return value || !outer_ ? value : outer_->Find(name);
}

std::vector<std::string_view> TemplateContext::Names() const {
  std::vector<std::string_view> names = outer_ ? outer_->Names() : std::vector<std::string_view>();
  for (const auto& [key, value] : values_.AsObject()) names.push_back(key);
  return names;
}

Status Substitute(YamlNode& node, const TemplateContext& context, bool secrets) {
  Substitution s(context, secrets);
  return node.IsMap() || node.IsScalar() ? s.Stage(node) : s.Node(node, false);
}

YamlNode JsonToNode(const Json& value, const std::string& where) {
  YamlNode node;
  node.where = where;
  if (value.IsObject()) {
    node.kind = YamlNode::Kind::kMap;
    for (const auto& [key, item] : value.AsObject()) node.entries.push_back({key, where, JsonToNode(item, where)});
  } else if (value.IsArray()) {
    node.kind = YamlNode::Kind::kList;
    for (const Json& item : value.AsArray()) node.items.push_back(JsonToNode(item, where));
  } else if (!value.IsNull()) {
    node.kind = YamlNode::Kind::kScalar;
    node.plain = !value.IsString();
    node.text = value.IsString() ? value.AsString() : value.Dump();
  }
  return node;
}

}  // namespace rondo::project
