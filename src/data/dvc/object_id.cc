#include "data/dvc/object_id.h"

namespace rondo::data::dvc {

Result<ObjectId> ObjectId::Parse(std::string_view text) {
  ObjectId id;
  std::string_view hex = text;
  if (hex.ends_with(".dir")) {
    id.dir = true;
    hex.remove_suffix(4);
  }
  auto md5 = Md5::FromHex(hex);
  if (!md5) return Fail(Code::kInvalid, "\"" + std::string(text.substr(0, 80)) + "\" names no object", "an object is named by 32 lower-case hex digits, a folder with .dir behind them");
  id.md5 = *md5;
  return id;
}

}  // namespace rondo::data::dvc
