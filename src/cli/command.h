/// The command line's frame: a command is one row (in commands.cc) and one function in the file of its verb. Help, completion, "did you mean" and checks
/// of options derive from the row. Every command takes --json and --help.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "workspace/workspace.h"

namespace rondo::cli {

struct Option {
  std::string name;     ///< "--jobs"
  std::string value;    ///< "N": takes a value; empty: a switch
  std::string help;
  bool repeat = false;  ///< may be given several times
};

/// What only app can do: cli knows no app.
struct Hooks {
  std::function<Status(const struct UpOptions&)> up;  ///< runs the server until it is told to stop
};
struct UpOptions {
  std::string listen = "127.0.0.1:7070";
  std::string data;  ///< empty: the project's .rondo
  std::vector<std::string> hosts;
  bool insecure = false;
  int64_t trash_days = 30;  ///< 0: never purge
  bool login = false;  ///< ask for a login on loopback too
  std::string tls_certificate, tls_key, ui_dir;
  std::string artifact_root;          ///< URI under which artifacts of new experiments go; empty: the data folder
  std::string artifacts_destination;  ///< folder that holds the artifacts of this server; empty: `artifacts` in the data folder
  bool private_webhooks = false;      ///< webhooks may call this machine and private networks, and plain http
  bool local_artifacts = false;       ///< clients may name folders of this machine as places of artifacts
};

/// A command as it was called.
class Call {
 public:
  Call(const Hooks& hooks, std::vector<std::string> args, std::map<std::string, std::vector<std::string>> options)
      : hooks_(hooks), args_(std::move(args)), options_(std::move(options)) {}
  const Hooks& hooks() const { return hooks_; }
  const std::vector<std::string>& args() const { return args_; }
  std::string Arg(size_t i) const { return i < args_.size() ? args_[i] : std::string(); }
  bool Has(std::string_view option) const;
  std::string Value(std::string_view option, std::string_view otherwise = {}) const;
  std::vector<std::string> Values(std::string_view option) const;
  Result<int64_t> Int(std::string_view option, int64_t otherwise, int64_t low, int64_t high) const;
  bool json() const { return Has("--json"); }

  /// The data folder: --data, RONDO_DATA, or `.rondo` of the project around the present folder.
  Result<std::unique_ptr<workspace::Workspace>> OpenWorkspace() const;

 private:
  const Hooks& hooks_;
  std::vector<std::string> args_;
  std::map<std::string, std::vector<std::string>> options_;
};

struct Command {
  std::string name;   ///< "run", "model list"
  std::string group;  ///< start data pipeline models serving watching governing outside
  std::string args;   ///< "[STAGE…]"; a leading name without brackets must be given
  std::string help;   ///< one line
  std::vector<Option> options;
  /// The exit code: 0, or 1 when a check failed and all was said. Errors come back as errors.
  Result<int> (*run)(Call&);
};
/// The static table.
const std::vector<Command>& Commands();

/// Output. Colours only on a terminal and without NO_COLOR.
bool OnTerminal();
std::string Bold(const std::string& text);
std::string Dim(const std::string& text);
std::string Good(const std::string& text);
std::string Bad(const std::string& text);
void Print(const std::string& text);  ///< a line to standard output
void PrintJson(const Json& json);
/// Rows of texts as columns, the first row is the header; columns whose cells are numbers are right-aligned.
void PrintTable(const std::vector<std::vector<std::string>>& rows);
/// "3 min ago", "2026-11-25 01:11".
std::string Ago(int64_t ms, int64_t now_ms);

/// Parses, checks, runs, prints errors; returns the exit code.
int Main(int argc, char** argv, const Hooks& hooks);

}  // namespace rondo::cli
