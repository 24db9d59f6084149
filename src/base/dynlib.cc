#include "base/dynlib.h"

#include <dlfcn.h>

#include <cstdlib>
#include <map>
#include <mutex>

#include "base/process.h"

namespace rondo {

const std::vector<EngineInfo>& Engines() {
  static const std::vector<EngineInfo> engines = {
      {"duckdb", "libduckdb.so", "1.5.6", "tables: CSV, Parquet and JSON files, SQL", ""},
      {"onnxruntime", "libonnxruntime.so", "1.32.0", "scoring models that the built-in evaluator doesn't cover", ""},
      {"xgboost", "libxgboost.so", "3.2.0", "train: {algorithm: xgboost}", "libgomp-e985bcbb.so.1.0.0"},
      {"lightgbm", "lib_lightgbm.so", "4.7.0", "train: {algorithm: lightgbm}", ""},
  };
  return engines;
}

std::filesystem::path FindEngine(std::string_view name) {
  namespace fs = std::filesystem;
  const EngineInfo* info = nullptr;
  for (const EngineInfo& e : Engines())
    if (e.name == name) info = &e;
  if (!info) return {};
  std::vector<fs::path> folders;
  if (const char* env = std::getenv("RONDO_ENGINES")) folders.emplace_back(env);
  const fs::path self = SelfPath().parent_path();
  folders.push_back(self / "lib");
  folders.push_back(self / "engines");  // a link that `./dev setup` makes into the engine cache
  folders.push_back(self.parent_path() / "build" / "engines");
  for (const char* dir : {"/usr/local/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib"}) folders.emplace_back(dir);
  for (const fs::path& folder : folders) {
    std::error_code ec;
    const fs::path path = folder / info->file;
    if (fs::exists(path, ec)) return path;
  }
  return {};
}

Result<Engine*> Engine::Load(std::string_view name) {
  static std::mutex mutex;
  static auto* loaded = new std::map<std::string, Engine*, std::less<>>;
  std::lock_guard lock(mutex);
  if (auto it = loaded->find(name); it != loaded->end()) return it->second;
  const std::filesystem::path path = FindEngine(name);
  if (path.empty())
    return Fail(Code::kEnvironment, "the engine " + std::string(name) + " is not installed",
                "run ./dev setup, or put its library beside the program in lib/, or name its folder in RONDO_ENGINES; `rondo doctor` lists what is found");
  for (const EngineInfo& e : Engines())
    if (e.name == name && !e.preload.empty()) ::dlopen((path.parent_path() / e.preload).c_str(), RTLD_NOW | RTLD_GLOBAL);
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) return Fail(Code::kEnvironment, "cannot load the engine " + std::string(name) + " from " + path.string() + ": " + ::dlerror(), "run ./dev setup again");
  auto* engine = new Engine(handle, path);
  loaded->emplace(std::string(name), engine);
  return engine;
}

Result<void*> Engine::Symbol(const char* name) const {
  void* symbol = ::dlsym(handle_, name);
  if (!symbol) return Fail(Code::kEnvironment, path_.string() + " has no function " + name, "install the version that deps.lock pins: ./dev setup");
  return symbol;
}

}  // namespace rondo
