/// A model's inputs by name, made ready for decoding.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "model/scorer.h"

namespace rondo::serving {

inline constexpr int kUnknownColumn = -1;
inline constexpr int kKeyColumn = -2;     ///< the row key: no input, but it names the row in the prediction log
inline constexpr int kTargetColumn = -3;  ///< the target in a raw row: ignored

struct ServedColumn {
  std::string name, type;
  bool numeric = false;
  bool boolean = false;
};

/// Immutable; lookups from any thread.
class Columns {
 public:
  explicit Columns(const model::Signature& signature);
  Columns(const Columns&) = delete;
  Columns& operator=(const Columns&) = delete;
  const std::vector<ServedColumn>& list() const { return list_; }
  const std::string& key() const { return key_; }
  /// Index of the input, or one of the constants above. `hint`: where it probably is (clients send columns in the signature's order).
  int Find(std::string_view name, size_t hint) const {
    if (hint < list_.size() && list_[hint].name == name) return static_cast<int>(hint);
    const auto it = index_.find(name);
    return it == index_.end() ? kUnknownColumn : it->second;
  }
  /// Same names and types in the same order: a batch bound to one fits the other.
  bool SameAs(const Columns& other) const;
  /// "unknown column ...; did you mean ...?"
  Error Unknown(std::string_view name) const;
  /// Names the columns that `present` lacks.
  Error Missing(const std::vector<char>& present) const;

 private:
  std::vector<ServedColumn> list_;
  std::unordered_map<std::string_view, int> index_;
  std::string key_, target_;
};

/// A name from a request as an error may show it: cut, and without control characters.
std::string Shown(std::string_view name);

}  // namespace rondo::serving
