/// The program's version: one place.
#pragma once

#include <string_view>

namespace rondo {

inline constexpr std::string_view kVersion = "0.1.0";
/// MLflow's version whose REST surface we speak; clients ask for it at /version.
inline constexpr std::string_view kMlflowVersion = "3.17.2";

}  // namespace rondo
