/// Names of objects: the MD5 of the content; a folder's listing carries the suffix ".dir".
#pragma once

#include <string>
#include <string_view>

#include "base/md5_many.h"

namespace rondo::data::dvc {

struct ObjectId {
  Md5 md5;
  bool dir = false;

  /// 32 lower-case hex digits, then ".dir" for a folder.
  std::string Text() const { return md5.Hex() + (dir ? ".dir" : ""); }
  /// kInvalid for anything else: such a name could lead out of the cache.
  static Result<ObjectId> Parse(std::string_view text);
  auto operator<=>(const ObjectId&) const = default;
};

}  // namespace rondo::data::dvc
