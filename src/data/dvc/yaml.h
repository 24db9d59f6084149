/// YAML as DVC reads and writes it: a value tree that keeps the order of keys, and an emitter with the bytes of ruamel.yaml's round-trip dump (0.18.14 and
/// later): quoting, folding at column 80, sequences not indented below their key. docs/formats/dvc.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace rondo::data::dvc {

struct Yaml {
  enum class Kind { kNull, kBool, kNumber, kString, kList, kMap };
  Kind kind = Kind::kNull;  ///< kNumber: also dates, .inf: every plain scalar that is no text
  std::string text;  ///< of a string; of a number and a bool: as written
  bool plain_key = false;  ///< of a map's value: its key is no text but a number, true, null, ...: written without quotes
  std::vector<Yaml> items;
  std::vector<std::pair<std::string, Yaml>> entries;  ///< of a map, in order. Keys that are no texts (plain_key): their text

  static Yaml String(std::string_view s);
  static Yaml Number(uint64_t n);
  static Yaml Bool(bool b);
  static Yaml List();
  static Yaml Map();
  static Yaml From(const Json& json);  ///< floats as Python's repr
  Json ToJson() const;

  bool IsNull() const { return kind == Kind::kNull; }
  bool IsString() const { return kind == Kind::kString; }
  bool IsList() const { return kind == Kind::kList; }
  bool IsMap() const { return kind == Kind::kMap; }
  const Yaml* Find(std::string_view key) const;
  Yaml* Find(std::string_view key);
  Yaml& Set(std::string_view key, Yaml value);  ///< replaces or appends
  bool Erase(std::string_view key);
  bool operator==(const Yaml&) const = default;
};

/// Reads one document by YAML 1.2's core rules, bounded in size, depth and nodes. Duplicate keys are errors. kInvalid names file and line.
Result<Yaml> ParseYaml(std::string_view text, const std::string& name, size_t max_bytes = size_t{64} << 20);

/// Python's repr of a float, with YAML's .inf and .nan.
std::string PythonFloat(double d);
/// A whole document, with a final newline.
std::string EmitYaml(const Yaml& value);
/// The same, with the comments and blank lines of `old_text` at the keys that are still there.
std::string EmitYamlLike(const Yaml& value, std::string_view old_text);

}  // namespace rondo::data::dvc
