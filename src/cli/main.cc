// From argv to a command: parsing, help, "did you mean", exit codes.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "base/json_map.h"
#include "base/nearest.h"
#include "base/version.h"
#include "cli/command.h"

namespace rondo::cli {
namespace {

const std::vector<Option>& CommonOptions() {
  static const std::vector<Option> options = {
      {"--json", "", "machine-readable output"},
      {"--data", "DIR", "the data folder (default: .rondo of the project, or RONDO_DATA)"},
      {"--help", "", "this text"},
  };
  return options;
}

constexpr std::pair<std::string_view, std::string_view> kGroups[] = {
    {"start", "doing"},   {"data", "data"},         {"pipeline", "pipeline"},   {"models", "models"},
    {"serving", "serving"}, {"watching", "watching"}, {"governing", "governing"}, {"outside", "outside"},
};

void PrintOverview() {
  Print(Bold("rondo") + " " + std::string(kVersion) + ": the whole MLOps lifecycle in one program\n\nusage: rondo COMMAND [OPTIONS]");
  for (const auto& [group, title] : kGroups) {
    std::vector<const Command*> rows;
    for (const Command& c : Commands())
      if (c.group == group) rows.push_back(&c);
    if (rows.empty()) continue;
    Print("\n" + Bold(std::string(title)));
    for (const Command* c : rows) Print(fmt::format("  {:<28}{}", c->name + (c->args.empty() ? "" : " " + c->args), c->help));
  }
  Print("\n`rondo COMMAND --help` is complete. Exit codes: 0 ok, 1 a gate, a contract or the data failed, 2 usage or config, 3 environment.");
}

void PrintHelp(const Command& command) {
  Print(fmt::format("usage: rondo {}{}{} [OPTIONS]\n\n{}\n", command.name, command.args.empty() ? "" : " ", command.args, command.help));
  std::set<std::string> shown;
  auto list = [&](const std::vector<Option>& options) {
    for (const Option& o : options)
      if (shown.insert(o.name).second) Print(fmt::format("  {:<22}{}{}", o.name + (o.value.empty() ? "" : " " + o.value), o.help, o.repeat ? " (may be repeated)" : ""));
  };
  list(command.options);
  list(CommonOptions());
}

/// The command whose words are the longest prefix of argv; `used` counts them.
const Command* Find(const std::vector<std::string>& argv, size_t& used) {
  const Command* best = nullptr;
  for (const Command& c : Commands()) {
    size_t words = 1 + static_cast<size_t>(std::count(c.name.begin(), c.name.end(), ' '));
    if (words > argv.size() || words <= used) continue;
    std::string joined = argv[0];
    for (size_t i = 1; i < words; ++i) joined += " " + argv[i];
    if (joined != c.name) continue;
    best = &c;
    used = words;
  }
  return best;
}

Error UnknownCommand(const std::vector<std::string>& argv) {
  std::vector<std::string_view> names;
  std::string group;
  for (const Command& c : Commands()) {
    names.push_back(c.name);
    if (c.name.starts_with(argv[0] + " ")) group += (group.empty() ? "" : ", ") + c.name;
  }
  if (!group.empty()) return {Code::kInvalid, "`rondo " + argv[0] + "` needs a second word", "one of: " + group};
  std::string typed = argv[0];
  if (argv.size() > 1 && !argv[1].starts_with("-")) typed += " " + argv[1];
  std::string near = Nearest(typed, names);
  if (near.empty()) near = Nearest(argv[0], names);
  return {Code::kInvalid, "there is no command \"" + argv[0] + "\"", (near.empty() ? "" : "did you mean `rondo " + near + "`? ") + std::string("`rondo --help` lists them all")};
}

Result<int> Dispatch(const std::vector<std::string>& argv, const Hooks& hooks) {
  if (argv.empty() || argv[0] == "--help" || argv[0] == "-h" || argv[0] == "help") {
    PrintOverview();
    return 0;
  }
  std::vector<std::string> words = argv;
  if (words[0] == "--version") words[0] = "version";
  size_t used = 0;
  const Command* command = Find(words, used);
  if (!command) return std::unexpected(UnknownCommand(words));

  std::vector<Option> options = command->options;
  for (const Option& o : CommonOptions())
    if (std::none_of(options.begin(), options.end(), [&](const Option& mine) { return mine.name == o.name; })) options.push_back(o);
  std::vector<std::string> args;
  std::map<std::string, std::vector<std::string>> given;
  bool only_args = false;
  for (size_t i = used; i < words.size(); ++i) {
    std::string word = words[i];
    if (only_args || !word.starts_with("-") || word == "-") {
      args.push_back(std::move(word));
      continue;
    }
    if (word == "--") {
      only_args = true;
      continue;
    }
    if (word == "-h") word = "--help";
    std::string value;
    bool has_value = false;
    if (const size_t eq = word.find('='); eq != std::string::npos) {
      value = word.substr(eq + 1);
      word.resize(eq);
      has_value = true;
    }
    const auto it = std::find_if(options.begin(), options.end(), [&](const Option& o) { return o.name == word; });
    if (it == options.end()) {
      std::vector<std::string_view> names;
      for (const Option& o : options) names.push_back(o.name);
      const std::string near = Nearest(word, names);
      return Fail(Code::kInvalid, "`rondo " + command->name + "` has no option " + word, near.empty() ? "see rondo " + command->name + " --help" : "did you mean " + near + "?");
    }
    if (it->value.empty() && has_value) return Fail(Code::kInvalid, word + " takes no value");
    if (!it->value.empty() && !has_value) {
      if (i + 1 >= words.size()) return Fail(Code::kInvalid, word + " needs a value: " + word + " " + it->value);
      value = words[++i];
    }
    auto& values = given[word];
    if (!values.empty() && !it->repeat && !it->value.empty()) return Fail(Code::kInvalid, word + " is given twice");
    values.push_back(value);
  }
  if (given.contains("--help")) {
    PrintHelp(*command);
    return 0;
  }
  // Names without brackets must be there; nothing may be left over unless the last one repeats.
  size_t needed = 0, most = 0;
  bool more = false;
  for (size_t at = 0; at < command->args.size();) {
    const size_t end = std::min(command->args.find(' ', at), command->args.size());
    const std::string word = command->args.substr(at, end - at);
    if (!word.starts_with("[")) ++needed;
    if (word.find("…") != std::string::npos) more = true;
    ++most;
    at = end + 1;
  }
  if (args.size() < needed) return Fail(Code::kInvalid, "`rondo " + command->name + "` needs " + command->args, "see rondo " + command->name + " --help");
  if (args.size() > most && !more) return Fail(Code::kInvalid, "`rondo " + command->name + "` can't use \"" + args[most] + "\"", "usage: rondo " + command->name + " " + command->args);
  Call call(hooks, std::move(args), std::move(given));
  return command->run(call);
}

}  // namespace

int Main(int argc, char** argv, const Hooks& hooks) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto code = Dispatch(words, hooks);
  std::fflush(stdout);
  if (code) return *code;
  const Error& error = code.error();
  const bool json = std::find(words.begin(), words.end(), "--json") != words.end();
  if (json) PrintJson(Json::MakeObject().Set("error", Json::MakeObject().Set("code", InfoOf(error.code).name).Set("message", error.message).Set("hint", error.hint)));
  std::fprintf(stderr, "%s %s\n", Bad("error:").c_str(), error.Text().c_str());
  return InfoOf(error.code).exit;
}

}  // namespace rondo::cli
