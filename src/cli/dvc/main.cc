// From DVC's command line to a command: argparse's rules for options, DVC's texts and exit codes.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/version.h"
#include "cli/dvc/verbs.h"
#include "data/dvc/utf.h"
#include "data/dvc/yaml.h"

namespace rondo::cli::dvc {
namespace {

/// "-f --force": the parts, and the one to ask for (the last).
std::vector<std::string_view> Names(const Option& option) {
  std::vector<std::string_view> names;
  for (size_t at = 0; at < option.names.size();) {
    const size_t end = std::min(option.names.find(' ', at), option.names.size());
    names.push_back(option.names.substr(at, end - at));
    at = end + 1;
  }
  return names;
}
std::string_view LongName(const Option& option) { return Names(option).back(); }

const std::vector<Option>& CommonOptions() {
  static const std::vector<Option> options = {{"-h --help", "", "show this help message and exit"}, {"-q --quiet", "", "Be quiet."}, {"-v --verbose", "", "Be verbose."}};
  return options;
}

std::string Usage(const Command& command) {
  std::string text = fmt::format("usage: dvc {} [-h] [-q | -v]", command.name);
  for (const Option& o : command.options) text += fmt::format(" [{}{}]", Names(o).front(), o.value.empty() ? "" : o.value == "?" || o.value == "*" ? " [...]" : " " + std::string(o.value));
  return text + (command.args.empty() ? "" : " " + std::string(command.args));
}

void PrintHelp(const Command& command) {
  std::string text = Usage(command) + "\n\n" + std::string(command.help) + "\n\noptions:\n";
  auto list = [&](const std::vector<Option>& options) {
    for (const Option& o : options) {
      std::string names;
      for (const auto name : Names(o)) names += (names.empty() ? "" : ", ") + std::string(name);
      text += fmt::format("  {:<26}{}\n", names + (o.value.empty() ? "" : " " + std::string(o.value)), o.help);
    }
  };
  list(CommonOptions());
  list(command.options);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

int Overview(FILE* to) {
  std::string text = "usage: dvc [-q | -v] [-h] [-V] [--cd <path>] COMMAND ...\n\nData Version Control, answered by Rondo\n\nAvailable Commands:\n";
  for (const Command& c : Commands()) text += fmt::format("    {:<18}{}\n", c.name, c.help);
  std::fwrite(text.data(), 1, text.size(), to);
  return to == stdout ? kOk : kBadArguments;
}

/// What DVC has and we don't answer here.
constexpr std::string_view kOthers[] = {"artifacts", "cache",   "completion", "config", "daemon",  "dag",    "dataset", "destroy", "doctor", "du",     "exp",    "experiments", "fetch",  "freeze", "get", "get-url", "git-hook",
                                        "import",    "import-db", "import-url", "install", "list", "ls", "list-url", "ls-url", "metrics", "params", "plots",  "pull",   "push",        "queue",  "remote", "repro", "run", "stage",
                                        "studio",    "unfreeze",  "update",     "version"};

struct Parsed {
  const Command* command = nullptr;
  Call call;
  bool help = false;
  std::string error;
};

Parsed Parse(const Command& command, const std::vector<std::string>& words) {
  Parsed p;
  p.command = &command;
  std::vector<const Option*> options;
  for (const Option& o : command.options) options.push_back(&o);
  for (const Option& o : CommonOptions()) options.push_back(&o);
  bool only_args = false;
  auto is_option = [&](const std::string& w) { return w.size() > 1 && w[0] == '-' && !only_args; };
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!is_option(word)) {
      p.call.args.push_back(word);
      continue;
    }
    if (word == "--") {
      only_args = true;
      continue;
    }
    const Option* option = nullptr;
    std::string value;
    bool has_value = false;
    std::string rest;  // of "-fv": further switches
    if (word.starts_with("--")) {
      const size_t equal = word.find('=');
      const std::string name = word.substr(0, equal);
      if (equal != word.npos) {
        value = word.substr(equal + 1);
        has_value = true;
      }
      std::vector<const Option*> near;
      for (const Option* o : options) {
        const auto long_name = LongName(*o);
        if (long_name == name) option = o;
        else if (long_name.starts_with(name)) near.push_back(o);
      }
      // A unique beginning is enough, as with argparse.
      if (!option && near.size() == 1) option = near[0];
      if (!option && near.size() > 1) {
        std::string all;
        for (const Option* o : near) all += (all.empty() ? "" : ", ") + std::string(LongName(*o));
        p.error = fmt::format("ambiguous option: {} could match {}", name, all);
        return p;
      }
    } else {
      for (const Option* o : options) {
        const auto names = Names(*o);
        if (std::find(names.begin(), names.end(), word.substr(0, 2)) != names.end()) option = o;
      }
      if (option && word.size() > 2) {
        if (option->value.empty()) {
          rest = "-" + word.substr(2);
        } else {
          value = word.substr(word[2] == '=' ? 3 : 2);
          has_value = true;
        }
      }
    }
    if (!option) {
      p.error = "unrecognized arguments: " + word;
      return p;
    }
    auto& values = p.call.options[std::string(LongName(*option))];
    if (option->value.empty()) {
      if (has_value) {
        p.error = fmt::format("argument {}: ignored explicit argument '{}'", option->names, value);
        return p;
      }
    } else if (option->value == "*") {
      if (has_value) values.push_back(value);
      while (!has_value && i + 1 < words.size() && !is_option(words[i + 1])) values.push_back(words[++i]);
    } else if (option->value == "?") {
      if (!has_value && i + 1 < words.size() && !is_option(words[i + 1])) {
        value = words[++i];
        has_value = true;
      }
      if (has_value) values.push_back(value);
    } else {
      if (!has_value) {
        if (i + 1 >= words.size() || (is_option(words[i + 1]) && words[i + 1] != "-")) {
          p.error = fmt::format("argument {}: expected one argument", option->names);
          return p;
        }
        value = words[++i];
      }
      values.push_back(value);
    }
    if (!rest.empty()) {
      std::vector<std::string> more = {rest};
      Parsed inner = Parse(command, more);
      if (!inner.error.empty()) {
        p.error = inner.error;
        return p;
      }
      p.help |= inner.help;
      for (auto& [name, given] : inner.call.options) p.call.options[name] = given;
    }
  }
  p.help |= p.call.Has("--help");
  p.call.quiet = p.call.Has("--quiet");
  p.call.verbose = p.call.Has("--verbose");
  return p;
}

/// "src dst", "targets+", "targets*", "directory?": does the number of arguments fit?
std::string CheckArgs(const Command& command, const std::vector<std::string>& args) {
  size_t least = 0, most = 0;
  std::string missing;
  for (size_t at = 0; at < command.args.size();) {
    const size_t end = std::min(command.args.find(' ', at), command.args.size());
    std::string_view word = command.args.substr(at, end - at);
    at = end + 1;
    const char kind = word.back();
    if (kind == '+' || kind == '*' || kind == '?') word.remove_suffix(1);
    if (kind == '+' || kind == '*') most = SIZE_MAX;
    else if (most != SIZE_MAX) ++most;
    if (kind != '*' && kind != '?') {
      ++least;
      if (args.size() < least) missing += (missing.empty() ? "" : ", ") + std::string(word);
    }
  }
  if (!missing.empty()) return "the following arguments are required: " + missing;
  if (args.size() > most) {
    std::string extra;
    for (size_t i = most; i < args.size(); ++i) extra += " " + args[i];
    return "unrecognized arguments:" + extra;
  }
  return "";
}

int CodeOf(const Error& error) {
  if (error.message.starts_with("you are not inside of a DVC repository")) return kNotARepo;
  if (error.code == Code::kUnsupported) return kNotCovered;
  return kUnexpected;
}

}  // namespace

std::string Call::Value(std::string_view option, std::string_view otherwise) const {
  const auto it = options.find(option);
  return it == options.end() || it->second.empty() ? std::string(otherwise) : it->second.back();
}
std::vector<std::string> Call::Values(std::string_view option) const {
  const auto it = options.find(option);
  return it == options.end() ? std::vector<std::string>() : it->second;
}
Result<std::unique_ptr<data::dvc::Repo>> Call::OpenRepo() const { return data::dvc::Repo::Open("."); }
void Call::Write(const std::string& line) const {
  if (quiet) return;
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}
void Call::Warn(const std::string& text) const { std::fprintf(stderr, "WARNING: %s\n", text.c_str()); }

void PrintError(std::string_view text) {
  std::fflush(stdout);
  std::fprintf(stderr, "ERROR: %.*s\n", static_cast<int>(text.size()), text.data());
}

std::string PythonJson(const Json& json) {
  std::string out;
  auto write = [&](auto&& self, const Json& j) -> void {
    switch (j.type()) {
      case Json::Type::kNull: out += "null"; break;
      case Json::Type::kBool: out += j.AsBool() ? "true" : "false"; break;
      case Json::Type::kInt: out += std::to_string(j.AsInt()); break;
      case Json::Type::kDouble: {
        const double d = j.AsDouble();
        out += std::isnan(d) ? "NaN" : std::isinf(d) ? (d > 0 ? "Infinity" : "-Infinity") : data::dvc::PythonFloat(d);
        break;
      }
      case Json::Type::kString: data::dvc::AppendPythonString(out, j.AsString()); break;
      case Json::Type::kArray: {
        out += '[';
        bool first = true;
        for (const Json& item : j.AsArray()) {
          if (!std::exchange(first, false)) out += ", ";
          self(self, item);
        }
        out += ']';
        break;
      }
      case Json::Type::kObject: {
        out += '{';
        bool first = true;
        for (const auto& [key, value] : j.AsObject()) {
          if (!std::exchange(first, false)) out += ", ";
          data::dvc::AppendPythonString(out, key);
          out += ": ";
          self(self, value);
        }
        out += '}';
        break;
      }
    }
  };
  write(write, json);
  return out;
}

int Main(const std::vector<std::string>& argv) {
  size_t at = 0;
  bool quiet = false, verbose = false;
  for (; at < argv.size() && argv[at].starts_with('-'); ++at) {
    const std::string& word = argv[at];
    if (word == "-q" || word == "--quiet") {
      quiet = true;
    } else if (word == "-v" || word == "--verbose") {
      verbose = true;
    } else if (word == "-h" || word == "--help") {
      return Overview(stdout);
    } else if (word == "-V" || word == "--version") {
      std::printf("3.67.1 (rondo %s)\n", std::string(kVersion).c_str());
      return kOk;
    } else if (word == "--cd" && at + 1 < argv.size()) {
      if (::chdir(argv[++at].c_str()) != 0) {
        PrintError("no folder " + argv[at]);
        return kUnexpected;
      }
    } else {
      std::fprintf(stderr, "usage: dvc [-q | -v] [-h] [-V] [--cd <path>] COMMAND ...\n\nERROR: unrecognized arguments: %s\n", word.c_str());
      return kBadArguments;
    }
  }
  if (at == argv.size()) return Overview(stderr);
  const Command* command = nullptr;
  size_t used = 0;
  bool group = false;
  for (const Command& c : Commands()) {
    const size_t words = 1 + static_cast<size_t>(std::count(c.name.begin(), c.name.end(), ' '));
    std::string typed = argv[at];
    for (size_t i = 1; i < words && at + i < argv.size(); ++i) typed += " " + argv[at + i];
    if (words > used && (typed == c.name || (!c.alias.empty() && typed == c.alias))) {
      command = &c;
      used = words;
    }
    group |= c.name.starts_with(argv[at] + " ");
  }
  if (!command) {
    const bool known = std::find(std::begin(kOthers), std::end(kOthers), argv[at]) != std::end(kOthers);
    if (known && !group) {
      PrintError(fmt::format("`dvc {}` isn't covered by Rondo. Use DVC itself for it: both work on the same repository.", argv[at]));
      return kNotCovered;
    }
    std::fprintf(stderr, "usage: dvc [-q | -v] [-h] [-V] [--cd <path>] COMMAND ...\n\nERROR: argument COMMAND: invalid choice: '%s'\n", argv[at + (group && at + 1 < argv.size() ? 1 : 0)].c_str());
    return kBadArguments;
  }
  Parsed parsed = Parse(*command, {argv.begin() + static_cast<std::ptrdiff_t>(at + used), argv.end()});
  if (parsed.help) {
    PrintHelp(*command);
    return kOk;
  }
  if (parsed.error.empty()) parsed.error = CheckArgs(*command, parsed.call.args);
  if (!parsed.error.empty()) {
    std::fprintf(stderr, "%s\n\nERROR: %s\n", Usage(*command).c_str(), parsed.error.c_str());
    return kBadArguments;
  }
  parsed.call.quiet |= quiet;
  parsed.call.verbose |= verbose;
  const auto code = command->run(parsed.call);
  std::fflush(stdout);
  if (code) return *code;
  PrintError(code.error().message);
  if (!code.error().hint.empty()) std::fprintf(stderr, "  %s\n", code.error().hint.c_str());
  return CodeOf(code.error());
}

}  // namespace rondo::cli::dvc
