/// Small secrets kept in files and databases: AES-256-GCM (NIST SP 800-38D), so that a change of the sealed text is noticed.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace rondo {

/// Form: "s1:" and base64 of nonce (12 bytes, random), tag (16), ciphertext. The key is derived from `key`, whatever its length, and `purpose`:
/// a text sealed for one purpose cannot be opened for another.
Result<std::string> Seal(std::string_view key, std::string_view purpose, std::string_view text);
/// kFailedCheck when it was changed or sealed with another key.
Result<std::string> Unseal(std::string_view key, std::string_view purpose, std::string_view sealed);

}  // namespace rondo
