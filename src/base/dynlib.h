/// Engines (DuckDB, ONNX Runtime, XGBoost, LightGBM) are shared libraries loaded at first use.
/// Looked for in: RONDO_ENGINES, `lib/` beside the program, the engine cache that `./dev setup` fills, the system.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rondo {

struct EngineInfo {
  std::string_view name;     ///< "duckdb"
  std::string_view file;     ///< "libduckdb.so"
  std::string_view version;  ///< pinned in deps.lock
  std::string_view needed_for;
  std::string_view preload;  ///< a library beside it that must be loaded first (its OpenMP runtime); empty: none
};
/// Every engine Rondo knows (static table).
const std::vector<EngineInfo>& Engines();

/// A loaded engine; loaded once per process, never unloaded. Thread-safe.
class Engine {
 public:
  static Result<Engine*> Load(std::string_view name);
  /// Function address by name; kEnvironment when the library lacks it.
  Result<void*> Symbol(const char* name) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  Engine(void* handle, std::filesystem::path path) : handle_(handle), path_(std::move(path)) {}
  void* handle_;
  std::filesystem::path path_;
};

/// Where the engine would be loaded from, without loading it; empty when it isn't found.
std::filesystem::path FindEngine(std::string_view name);

}  // namespace rondo
