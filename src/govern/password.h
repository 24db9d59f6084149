/// Password hashes: argon2id (RFC 9106) in PHC string form, 32 MiB and 3 passes, about 50 ms.
#pragma once

#include <string>

#include "base/result.h"

namespace rondo::govern {

/// kUnavailable when too many wait already: the memory for hashing is bounded.
Result<std::string> HashPassword(const std::string& password);
/// With an empty hash the same time passes and the answer is no: whether a name exists does not show.
Result<bool> VerifyPassword(const std::string& hash, const std::string& password);

}  // namespace rondo::govern
