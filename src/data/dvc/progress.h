/// How far a long operation is.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace rondo::data::dvc {

/// Called now and then with what was done so far; empty: nobody watches. From one thread at a time.
struct Progress {
  uint64_t files = 0, bytes = 0, files_total = 0, bytes_total = 0;
  std::string_view what;  ///< "hashing", "copying", ...
};
using ProgressSink = std::function<void(const Progress&)>;

}  // namespace rondo::data::dvc
