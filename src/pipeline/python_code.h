/// The Python files that a script brings in: its imports, followed inside the project. Internal to pipeline.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace rondo::pipeline {

/// The script that a command runs: "python src/train.py --x" -> "src/train.py", "python3 -m pkg.train" -> "-m pkg.train"; empty when it runs none.
std::string PythonFile(const std::string& cmd);

/// Names of modules that the source imports, in the order of the text: "a.b", "..c" for relative ones, "a.b" for `from a import b` after "a" itself.
/// Lines in strings and comments don't count. No Python is run: imports made at run time (importlib) are not seen.
std::vector<std::string> Imports(std::string_view source);

/// Thread-safe; remembers what it has read by size and time of the file.
class PythonCode {
 public:
  explicit PythonCode(std::filesystem::path root) : root_(std::move(root)) {}
  /// Files (relative to the project, sorted) that `script` imports, directly or through others, without itself. `wdir`: where the command runs.
  std::vector<std::string> Closure(const std::string& script, const std::string& wdir);

 private:
  const std::vector<std::string>& ImportsOf(const std::string& file);  ///< with the mutex held
  std::filesystem::path root_;
  std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> imports_;
};

}  // namespace rondo::pipeline
