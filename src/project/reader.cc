// The whole file: sections in order, overrides, where the project is.
#include "project/reader.h"

#include <cstdlib>

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "project/sections.h"

namespace rondo::project {
namespace {

/// A generated file may list tens of thousands of stages.
constexpr size_t kMaxFile = 32u << 20;

YamlLimits Limits() {
  YamlLimits limits;
  limits.max_bytes = kMaxFile;
  limits.max_nodes = 5'000'000;
  return limits;
}

/// The day that a run is about.
std::string RunDate(const LoadOptions& options) {
  if (!options.date.empty()) return options.date;
  if (const char* env = std::getenv("RONDO_DATE"); env && *env) return env;
  return FormatTime(SystemClock().NowMs()).substr(0, 10);
}

Result<Project> Interpret(YamlNode root, const std::string& name, const fs::path& folder, const LoadOptions& options) {
  for (const std::string& assignment : options.set) RONDO_DO(ApplySet(root, assignment));
  if (root.IsNull()) return Fail(Code::kInvalid, name + ": the file is empty", "`rondo init data.csv --target COLUMN` writes a first one");
  Project p;
  Fields f(root, "", ProjectKeys());
  f.Require("project", "add project: a name").Get("project", p.name).Get("description", p.description).Get("seed", p.seed);
  // `problem` first: gates of other sections are read by its task.
  using Read = Status (*)(const YamlNode&, Project&);
  constexpr std::pair<const char*, Read> kSections[] = {
      {"problem", ReadProblem}, {"data", ReadDatasets},   {"split", ReadSplit},     {"features", ReadFeatures}, {"train", ReadTrain},       {"evaluate", ReadEvaluate},
      {"deploy", ReadDeploy},   {"predict", ReadPredict}, {"monitor", ReadMonitor}, {"retrain", ReadRetrain},   {"triggers", ReadTriggers}, {"govern", ReadGovern},
  };
  for (const auto& [key, read] : kSections)
    if (const YamlNode* node = f.Find(key)) f.Take(read(*node, p));
  if (const YamlNode* node = f.Find("pools")) f.Take(ReadPools(*node, p));
  if (const YamlNode* node = f.Find("stages")) {
    // Templates may name every other section.
    Json config = Json::MakeObject();
    for (const YamlEntry& entry : root.entries)
      if (entry.key != "stages" && entry.key != "vars") config.Set(entry.key, YamlToJson(entry.value));
    if (!config.Find("date")) config.Set("date", RunDate(options));
    f.Take(ReadStages(*node, f.Find("vars"), config, folder, false, p));
  }
  RONDO_DO(f.status());
  RONDO_DO(CrossCheck(root, p));
  return p;
}

Result<Project> InterpretDvc(const YamlNode& root, const fs::path& file) {
  Project p;
  std::error_code ec;
  p.name = fs::absolute(file, ec).parent_path().filename().string();
  RONDO_DO(ReadDvc(root, file.parent_path(), p));
  return p;
}

}  // namespace

Result<Project> LoadProject(const std::filesystem::path& file, const LoadOptions& options) {
  std::error_code exists_ec;
  if (file.filename() == "rondo.yaml" && !fs::exists(file, exists_ec) && fs::exists(file.parent_path() / "dvc.yaml", exists_ec)) return LoadProject(file.parent_path() / "dvc.yaml", options);
  auto text = ReadFile(file, kMaxFile);
  if (!text) {
    Error error = text.error();
    if (error.code == Code::kTooLarge || error.code == Code::kNotFound) error.code = Code::kInvalid;
    return std::unexpected(error);
  }
  const std::string name = file.filename().string();
  if (name == "dvc.yaml") {
    YamlLimits limits;
    limits.anchors = true;
    limits.max_bytes = kMaxFile;
    limits.max_nodes = 5'000'000;
    RONDO_TRY(const YamlNode root, ParseYaml(*text, name, limits));
    return InterpretDvc(root, file);
  }
  RONDO_TRY(YamlNode root, ParseYaml(*text, name, Limits()));
  const fs::path local = file.parent_path() / "rondo.local.yaml";
  std::error_code ec;
  if (options.read_local && fs::exists(local, ec)) {
    RONDO_TRY(const std::string local_text, ReadFile(local, 1u << 20));
    RONDO_TRY(const YamlNode overlay, ParseYaml(local_text, "rondo.local.yaml"));
    if (!overlay.IsNull()) Overlay(root, overlay);
  }
  return Interpret(std::move(root), name, file.parent_path(), options);
}

Result<Project> ParseProject(const std::string& yaml, const std::string& name, const LoadOptions& options) {
  RONDO_TRY(YamlNode root, ParseYaml(yaml, name));
  return Interpret(std::move(root), name, {}, options);
}

Result<std::filesystem::path> FindProjectRoot(const std::filesystem::path& from) {
  std::error_code ec;
  const fs::path start = fs::absolute(from, ec);
  for (const char* file : {"rondo.yaml", "dvc.yaml"})
    for (fs::path at = start;; at = at.parent_path()) {
      if (fs::is_regular_file(at / file, ec)) return at;
      if (at == at.parent_path()) break;
    }
  return Fail(Code::kNotFound, "there is no rondo.yaml in " + start.string() + " or above", "`rondo init data.csv --target COLUMN` writes one");
}

Result<std::string> ResolveSecret(const std::string& text) {
  if (!text.starts_with("${") || !text.ends_with('}')) return text;
  const std::string inside = text.substr(2, text.size() - 3);
  const size_t colon = inside.find(':');
  const std::string kind = inside.substr(0, colon);
  const std::string rest = colon == std::string::npos ? "" : inside.substr(colon + 1);
  const auto trimmed = [](std::string s) {
    while (s.ends_with('\n') || s.ends_with('\r')) s.pop_back();
    return s;
  };
  if (kind == "env" && !rest.empty()) {
    if (const char* value = std::getenv(rest.c_str())) return std::string(value);
    return Fail(Code::kInvalid, "the environment has no variable " + rest + ", which " + text + " refers to", "export " + rest + "=...");
  }
  if (kind == "file" && !rest.empty()) {
    auto value = ReadFile(rest, 1u << 16);
    if (!value) return Wrap(value.error(), "the secret " + text);
    return trimmed(std::move(*value));
  }
  if (kind == "command" && !rest.empty()) {
    auto output = RunCommand({"sh", "-c", rest});
    if (!output) return Wrap(output.error(), "the secret " + text);
    // The output isn't shown: it may hold half a secret.
    if (output->code != 0) return Fail(Code::kEnvironment, "the command of " + text + " exited with " + std::to_string(output->code));
    return trimmed(std::move(output->out));
  }
  return Fail(Code::kInvalid, text + " is no reference to a secret", "write ${env:NAME}, ${file:PATH} or ${command:LINE}");
}

}  // namespace rondo::project
