/// YAML as a plain tree: scalars keep the text that was written and the place where. The only door to yaml-cpp (yaml.cc).
/// Bounded: size, depth, number of nodes; duplicate keys and explicit tags are errors. Used for rondo.yaml, dvc.yaml, lock and params files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace rondo::project {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text;             ///< of a scalar, as written; of a null too ("", "~", "null")
  bool plain = false;           ///< a scalar without quotes
  std::string where;            ///< "rondo.yaml:12"
  std::vector<YamlNode> items;  ///< of a list
  std::vector<YamlEntry> entries;  ///< of a map, in the file's order

  bool IsNull() const { return kind == Kind::kNull; }
  bool IsScalar() const { return kind == Kind::kScalar; }
  bool IsList() const { return kind == Kind::kList; }
  bool IsMap() const { return kind == Kind::kMap; }
  const YamlNode* Find(std::string_view key) const;
  /// "a text", "a list", "a map", "nothing".
  std::string_view KindName() const;
};

struct YamlEntry {
  std::string key;
  std::string where;
  YamlNode value;
};

struct YamlLimits {
  size_t max_bytes = 1u << 20;
  size_t max_nodes = 200'000;
  int max_depth = 40;
  bool anchors = false;  ///< aliases are copied (counted against max_nodes); false: they are errors
};

/// `name` stands in errors and in `where`. An empty document is a null node. Code kInvalid.
Result<YamlNode> ParseYaml(std::string_view text, const std::string& name, const YamlLimits& limits = {});

/// By YAML 1.2's core rules: quoted scalars are texts, plain ones null, true/false, integers, floats or texts. "01" and "yes" are texts.
Json YamlToJson(const YamlNode& node);

/// Block style, two spaces, lists not indented below their key, quoted only where YAML 1.1 or 1.2 would read something else: as DVC writes. No folding.
std::string JsonToYaml(const Json& value);

}  // namespace rondo::project
