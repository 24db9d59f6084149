/// Random identifiers and strong id types.
#pragma once

#include <compare>
#include <string>
#include <utility>

namespace rondo {

/// `bytes` bytes from the system's random source, as lower-case hex (thread-safe).
std::string RandomHex(size_t bytes);
/// 32 hex digits, the form of MLflow's run ids.
inline std::string NewId() { return RandomHex(16); }
/// Version 4, with hyphens.
std::string NewUuid();

}  // namespace rondo
