/// Values of a params file as JSON: YAML, JSON, TOML, and the literals of a Python module, as DVC tracks them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace rondo::project {

/// By the file's extension: .json, .toml, .py, anything else is YAML 1.2. kNotFound; kInvalid names the file and line.
Result<Json> ReadParamsFile(const std::filesystem::path& file);
/// TOML 1.0 (toml.io): tables, arrays of tables, dotted keys, all strings and numbers; dates and times as their text.
Result<Json> ParseToml(std::string_view text, const std::string& name);
/// Assignments of literals at the top level of a Python module and in its classes: `lr = 0.1`, `layers = [1, 2]`, `class Train: epochs = 3`.
/// What is no literal is left out, as DVC does.
Result<Json> ParsePythonLiterals(std::string_view text, const std::string& name);

}  // namespace rondo::project
