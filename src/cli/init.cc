// Beginning: `init` writes a first rondo.yaml for a file of data; `schema` and `completion` for editors and shells.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "base/nearest.h"
#include "cli/verbs.h"
#include "project/reader.h"
#include "project/yaml.h"
#include "table/table.h"

namespace rondo::cli {
namespace {

/// A name of the project's grammar from any text.
std::string NameFrom(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const bool fits = std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
    if (fits) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!name.empty() && name.back() != '-') name += '-';
  }
  while (name.ends_with('-')) name.pop_back();
  while (name.starts_with('-')) name.erase(0, 1);
  return name.empty() ? "project" : name.substr(0, 60);
}

/// A scalar as it can stand inside {...}: quoted unless it is a plain word or path that no YAML reader takes for something else.
std::string Scalar(const std::string& text) {
  std::string low;
  for (const char c : text) low += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  bool plain = !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) &&
               std::all_of(text.begin(), text.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '/' || c == '-'; });
  for (const char* word : {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}) plain = plain && low != word;
  if (plain) return text;
  std::string out;
  AppendJsonString(out, text);
  return out;
}

struct Guess {
  std::string task, positive, key, gate;
  size_t rows = 0, columns = 0, classes = 0, missing = 0;
};

/// The class that is looked for: the usual words for yes, else the rarer one.
std::string Positive(const std::map<std::string, size_t>& counts) {
  for (const char* word : {"Yes", "yes", "YES", "True", "true", "TRUE", "Y", "y", "1", "positive", "spam", "fraud", "churned", "bad", "default"})
    if (counts.contains(word)) return word;
  const auto rarer = std::min_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return rarer->first;
}

Result<Guess> Look(const table::Frame& frame, const std::string& target, const std::string& file) {
  const table::Column* column = frame.Find(target);
  if (!column) {
    std::vector<std::string_view> names;
    std::string listed;
    for (const table::Column& c : frame.columns) {
      names.push_back(c.name);
      listed += (listed.empty() ? "" : ", ") + c.name;
    }
    const std::string near = Nearest(target, names);
    return Fail(Code::kInvalid, fmt::format("{} has no column \"{}\"", file, target), near.empty() ? "its columns are: " + listed : "did you mean " + near + "?");
  }
  Guess g;
  g.rows = frame.rows();
  g.columns = frame.columns.size();
  std::map<std::string, size_t> counts;
  for (size_t i = 0; i < column->size(); ++i) {
    if (column->IsMissing(i)) ++g.missing;
    else if (counts.size() <= 1000) ++counts[column->Text(i)];
  }
  g.classes = counts.size();
  if (g.classes < 2) return Fail(Code::kFailedCheck, fmt::format("the column \"{}\" has {} value(s): there is nothing to learn", target, g.classes));
  const bool number = column->type == table::Type::kInt || column->type == table::Type::kFloat;
  if (g.classes == 2) {
    g.task = "binary";
    g.positive = Positive(counts);
    g.gate = "auc >= 0.70";
  } else if (number && (column->type == table::Type::kFloat || g.classes > 20)) {
    g.task = "regression";
    g.gate = "r2 >= 0.30";
  } else if (g.classes <= 50) {
    g.task = "multiclass";
    g.gate = "auc >= 0.70";
  } else {
    return Fail(Code::kInvalid, fmt::format("the column \"{}\" is text with {} or more different values: no target that can be learned", target, g.classes), "name another column: --target COLUMN");
  }
  // A key looks like one by name and by content.
  for (const table::Column& c : frame.columns) {
    std::string low;
    for (const char ch : c.name) low += static_cast<char>(std::tolower(static_cast<unsigned char>(ch)));
    const bool named = low == "id" || low == "key" || low.ends_with("_id") || low.ends_with("id") || low.ends_with("_key") || low.ends_with("number");
    if (!named || c.name == target || c.type == table::Type::kFloat) continue;
    std::set<std::string> seen;
    bool unique = true;
    for (size_t i = 0; unique && i < c.size(); ++i) unique = !c.IsMissing(i) && seen.insert(c.Text(i)).second;
    if (unique) {
      g.key = c.name;
      break;
    }
  }
  return g;
}

std::string FirstFile(const std::string& name, const std::string& dataset, const std::string& file, const std::string& target, const Guess& g) {
  std::string problem = fmt::format("task: {}, target: {}", g.task, Scalar(target));
  if (!g.positive.empty()) problem += ", positive: " + Scalar(g.positive);
  if (!g.key.empty()) problem += ", key: " + Scalar(g.key);
  std::string text = fmt::format("project: {}\nseed: 7\n", name);
  text += fmt::format("# What success means, before any model. `success` are the gates that every model must pass: set them to what the decision needs.\n"
                      "problem: {{{}, success: [{}]}}\n", problem, g.gate);
  text += fmt::format("# {} rows, {} columns. `contract:` says what the data must be like; `rondo run` shows a profile in out/profile/.\n"
                      "data: {{{}: {{from: {}, contract: {{min_rows: {}}}}}}}\n", g.rows, g.columns, dataset, Scalar(file), std::max<size_t>(1, g.rows / 2));
  text += "train: {algorithm: xgboost, params: {max_depth: 4, learning_rate: 0.1, rounds: 300, early_stopping: 20}}\n";
  text += fmt::format("# `rondo up` serves it at /v2/models/{0}/infer.\ndeploy: {{endpoint: {0}}}\n", name);
  return text;
}

/// Adds the lines that .gitignore lacks.
Status IgnoreOutputs(const fs::path& folder) {
  std::string text;
  if (auto old = ReadFile(folder / ".gitignore", 1 << 20)) text = *old;
  const std::string before = text;
  for (const char* line : {"/.rondo/", "/out/", "/rondo.local.yaml"}) {
    if (("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos) continue;
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    text += std::string(line) + "\n";
  }
  return text == before ? Status{} : WriteFileAtomic(folder / ".gitignore", text);
}

}  // namespace

Result<int> Init(Call& call) {
  std::error_code ec;
  const fs::path here = fs::current_path();
  if (fs::exists(here / "rondo.yaml", ec) && !call.Has("--force")) return Fail(Code::kAlreadyExists, "there is a rondo.yaml here already", "edit it, or start over with --force");
  const std::string file = call.Arg(0);
  const std::string target = call.Value("--target");
  if (target.empty()) return Fail(Code::kInvalid, "which column is to be predicted?", "rondo init " + file + " --target COLUMN");
  RONDO_TRY(const table::Frame frame, table::ReadTable(file));
  RONDO_TRY(const Guess guess, Look(frame, target, file));
  const std::string name = call.Value("--name").empty() ? NameFrom(here.filename().string()) : call.Value("--name");
  std::string relative = fs::path(file).lexically_proximate(here).string();
  if (fs::path(file).is_relative()) relative = fs::path(file).lexically_normal().string();
  std::string dataset = NameFrom(fs::path(file).stem().string());
  const std::string text = FirstFile(name, dataset, relative, target, guess);
  // What is written must be what is meant.
  RONDO_TRY(const project::Project parsed, project::ParseProject(text));
  (void)parsed;
  RONDO_DO(WriteFileAtomic(here / "rondo.yaml", text));
  RONDO_DO(IgnoreOutputs(here));
  if (call.json()) {
    PrintJson(Json::MakeObject().Set("file", "rondo.yaml").Set("project", name).Set("task", guess.task).Set("target", target).Set("positive", guess.positive).Set("key", guess.key).Set("rows", guess.rows));
    return 0;
  }
  Print(text);
  Print(fmt::format("rondo.yaml is written: {} of {}{}, {} rows.{}{} Next: rondo run", guess.task, target, guess.positive.empty() ? "" : " (positive: " + guess.positive + ")", guess.rows,
                    guess.missing ? fmt::format(" {} rows have no {} and are left out.", guess.missing, target) : "", guess.key.empty() ? " No key column was found: rows are known by their content." : ""));
  return 0;
}

Result<int> Schema(Call&) {
  const std::string text = project::JsonSchema();
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

Result<int> Completion(Call& call) {
  const std::string shell = call.Arg(0);
  // First words, and what may follow each: second words and options.
  std::map<std::string, std::set<std::string>> words;
  for (const Command& c : Commands()) {
    const size_t space = c.name.find(' ');
    std::set<std::string>& next = words[c.name.substr(0, space)];
    if (space != std::string::npos) next.insert(c.name.substr(space + 1));
    for (const Option& o : c.options) next.insert(o.name);
    next.insert({"--json", "--help", "--data"});
  }
  const auto joined = [](const std::set<std::string>& set) {
    std::string out;
    for (const std::string& s : set) out += (out.empty() ? "" : " ") + s;
    return out;
  };
  std::set<std::string> first;
  for (const auto& [word, next] : words) first.insert(word);
  std::string text;
  if (shell == "bash" || shell == "zsh") {
    if (shell == "zsh") text += "autoload -U +X bashcompinit && bashcompinit\n";
    text += "_rondo() {\n  local word=\"${COMP_WORDS[COMP_CWORD]}\" list\n  if [ \"$COMP_CWORD\" = 1 ]; then list=\"" + joined(first) + "\"\n  else\n    case \"${COMP_WORDS[1]}\" in\n";
    for (const auto& [word, next] : words) text += "      " + word + ") list=\"" + joined(next) + "\" ;;\n";
    text += "    esac\n  fi\n  COMPREPLY=($(compgen -W \"$list\" -- \"$word\"))\n}\ncomplete -o default -F _rondo rondo\n";
  } else if (shell == "fish") {
    for (const std::string& word : first) text += "complete -c rondo -n __fish_use_subcommand -a " + word + "\n";
    for (const Command& c : Commands()) {
      const size_t space = c.name.find(' ');
      const std::string seen = "\"__fish_seen_subcommand_from " + c.name.substr(0, space) + "\"";
      if (space != std::string::npos) text += "complete -c rondo -n " + seen + " -a " + c.name.substr(space + 1) + "\n";
      for (const Option& o : c.options) text += "complete -c rondo -n " + seen + " -l " + o.name.substr(2) + (o.value.empty() ? "" : " -r") + "\n";
    }
  } else {
    return Fail(Code::kInvalid, "no completion for the shell \"" + shell + "\"", "one of: bash, zsh, fish; e.g. source <(rondo completion bash)");
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace rondo::cli
