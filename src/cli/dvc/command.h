/// The program called by the name `dvc`: DVC's command lines, texts and exit codes on our engine. A command is one row of kCommands (commands.cc) and one
/// function in the file of its name; help, option parsing and "unrecognized arguments" derive from the row.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "data/dvc/repo.h"

namespace rondo::cli::dvc {

/// DVC's exit codes (docs/formats/dvc.md).
inline constexpr int kOk = 0, kFailed = 1, kNotCovered = 2, kConfigError = 251, kInterrupted = 252, kNotARepo = 253, kBadArguments = 254, kUnexpected = 255;

struct Option {
  std::string_view names;  ///< "-f --force": the last is the name to ask for
  std::string_view value;  ///< "<name>": takes a value; "": a switch; "?": an optional value; "*": any number of values; "…": may be repeated (value follows each)
  std::string_view help;
};

/// A command as it was called.
class Call {
 public:
  std::vector<std::string> args;
  std::map<std::string, std::vector<std::string>, std::less<>> options;
  bool quiet = false, verbose = false;

  bool Has(std::string_view option) const { return options.contains(option); }
  std::string Value(std::string_view option, std::string_view otherwise = {}) const;
  std::vector<std::string> Values(std::string_view option) const;
  /// The repository around the present folder (or --cd's).
  Result<std::unique_ptr<data::dvc::Repo>> OpenRepo() const;
  void Write(const std::string& line) const;  ///< a line to standard output, unless -q
  void Warn(const std::string& text) const;   ///< "WARNING: …" to standard error
};

struct Command {
  std::string_view name;   ///< "add", "remote add"
  std::string_view args;   ///< "targets+" one or more, "targets*" any number, "src dst", "directory?"
  std::string_view help;
  std::vector<Option> options;
  /// The exit code. An Error becomes "ERROR: <message>" with the code of CodeOf.
  Result<int> (*run)(Call&);
  std::string_view alias = {};
};
const std::vector<Command>& Commands();

/// Prints "ERROR: …" as DVC does.
void PrintError(std::string_view text);
/// One line, ", " and ": ", ASCII only: json.dumps.
std::string PythonJson(const Json& json);

/// Parses, runs, prints errors; returns the exit code. argv without the program's name.
int Main(const std::vector<std::string>& argv);

}  // namespace rondo::cli::dvc
