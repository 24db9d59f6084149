// `stages:` in DVC's grammar, and dvc.yaml itself in its basic form.
#include <fmt/format.h>

#include "project/sections.h"

namespace rondo::project {
namespace {

/// DVC's options of an output; `cache: false` makes it one that isn't cached.
Status ReadOuts(const YamlNode& node, const std::string& path, bool cached, Stage& out) {
  if (!node.IsList()) return Wrong(node.where, path, "must be a list of paths, not " + std::string(node.KindName()), "write outs: [model.onnx]");
  for (size_t i = 0; i < node.items.size(); ++i) {
    const YamlNode& item = node.items[i];
    const std::string at = fmt::format("{}[{}]", path, i);
    std::string file = item.text;
    bool cache = cached;
    if (item.IsMap() && item.entries.size() == 1) {
      file = item.entries[0].key;
      for (const YamlEntry& option : item.entries[0].value.entries) {
        if (option.key == "cache") cache = option.value.text != "false";
        else if (option.key != "persist" && option.key != "push" && option.key != "desc" && option.key != "type" && option.key != "labels" && option.key != "meta" && option.key != "remote" &&
                 option.key != "x" && option.key != "y" && option.key != "title" && option.key != "template" && option.key != "x_label" && option.key != "y_label" && option.key != "header")
          return Wrong(option.where, at, "unknown option " + option.key + " of an output");
      }
    } else if (!item.IsScalar()) {
      return Wrong(item.where, at, "must be a path, not " + std::string(item.KindName()));
    }
    RONDO_DO(CheckInside(item, at, file));
    (cache ? out.outs : out.metrics).push_back(std::move(file));
  }
  return {};
}

Status ReadParams(const YamlNode& node, const std::string& path, bool dvc, Stage& out) {
  if (!node.IsList()) return Wrong(node.where, path, "must be a list of keys, not " + std::string(node.KindName()), "write params: [train.lr]");
  for (size_t i = 0; i < node.items.size(); ++i) {
    const YamlNode& item = node.items[i];
    const std::string at = fmt::format("{}[{}]", path, i);
    if (item.IsScalar()) {
      out.params.push_back(dvc ? "params.yaml:" + item.text : item.text);
      continue;
    }
    if (!item.IsMap()) return Wrong(item.where, at, "must be a key or {file: [keys]}");
    for (const YamlEntry& entry : item.entries) {
      RONDO_DO(CheckInside(entry.value, at, entry.key));
      if (entry.value.IsNull()) {
        out.params.push_back(entry.key + ":");
        continue;
      }
      RONDO_TRY(const auto keys, ReadTexts(entry.value, at + "." + entry.key));
      for (const std::string& key : keys) out.params.push_back(entry.key + ":" + key);
    }
  }
  return {};
}

/// A string, or a list of lines that run one after the other and stop at the first failure.
Status ReadCmd(const YamlNode& node, const std::string& path, std::string& out) {
  RONDO_TRY(const auto lines, ReadTexts(node, path));
  for (const std::string& line : lines) out += (out.empty() ? "" : "\n") + line;
  if (out.find_first_not_of(" \n\t") == std::string::npos) return Wrong(node.where, path, "is empty");
  return {};
}

Status FindTemplates(const YamlNode& node) {
  if (node.IsScalar() && node.text.find("${") != std::string::npos) return Wrong(node.where, "", "templating (${...}) of dvc.yaml isn't supported in this release", "write the value out");
  for (const YamlNode& item : node.items) RONDO_DO(FindTemplates(item));
  for (const YamlEntry& entry : node.entries) RONDO_DO(FindTemplates(entry.value));
  return {};
}

Status ReadStage(const YamlEntry& entry, bool dvc, Stage& s) {
  const std::string path = "stages." + entry.key;
  s.name = entry.key;
  if (dvc)
    for (const char* key : {"foreach", "do", "matrix", "vars"})
      if (entry.value.Find(key)) return Wrong(entry.where, path + "." + key, "isn't supported in this release", "write the stages out");
  Fields f(entry.value, path, StageKeys());
  f.Require("cmd", "add cmd: the command line to run");
  std::string ignored;
  f.Get("desc", ignored).Get("wdir", s.wdir).Get("deps", s.deps).Get("always_changed", s.always_changed).Get("frozen", s.frozen).Get("timeout", s.timeout_ms);
  if (const YamlNode* cmd = f.Find("cmd")) f.Take(ReadCmd(*cmd, path + ".cmd", s.cmd));
  if (const YamlNode* params = f.Find("params")) f.Take(ReadParams(*params, path + ".params", dvc, s));
  if (const YamlNode* outs = f.Find("outs")) f.Take(ReadOuts(*outs, path + ".outs", true, s));
  if (const YamlNode* metrics = f.Find("metrics")) f.Take(ReadOuts(*metrics, path + ".metrics", dvc, s));
  if (const YamlNode* plots = f.Find("plots")) f.Take(ReadOuts(*plots, path + ".plots", true, s));
  if (const YamlNode* wdir = f.Find("wdir"); wdir && s.wdir != ".") f.Take(CheckInside(*wdir, path + ".wdir", s.wdir));
  if (s.wdir == ".") s.wdir.clear();
  if (const YamlNode* retry = f.Find("retry")) {
    Fields g(*retry, path + ".retry", RetryKeys());
    g.Get("attempts", s.retry.attempts).Get("backoff", s.retry.backoff_ms);
    if (g.ok() && (s.retry.attempts < 1 || s.retry.attempts > 100)) g.Fail("attempts", "must be between 1 and 100");
    f.Take(g.status());
  }
  if (const YamlNode* resources = f.Find("resources")) {
    Fields g(*resources, path + ".resources", ResourcesKeys());
    g.Get("cpu", s.cpu).Get("memory", s.memory_bytes);
    if (g.ok() && s.cpu < 1) g.Fail("cpu", "must be at least 1");
    f.Take(g.status());
  }
  return f.status();
}

}  // namespace

Status ReadStages(const YamlNode& node, bool dvc, Project& out) {
  if (!node.IsMap()) return Wrong(node.where, "stages", "must be a map of stages, not " + std::string(node.KindName()));
  for (const YamlEntry& entry : node.entries) {
    RONDO_DO(CheckEntryName(entry, "stages", "stage"));
    Stage stage;
    RONDO_DO(ReadStage(entry, dvc, stage));
    out.stages.push_back(std::move(stage));
  }
  return {};
}

Status ReadDvc(const YamlNode& root, Project& out) {
  if (!root.IsMap()) return Wrong(root.where, "", "must be a map", "a dvc.yaml begins with stages:");
  for (const YamlEntry& entry : root.entries) {
    if (entry.key == "stages") {
      RONDO_DO(FindTemplates(entry.value));
      RONDO_DO(ReadStages(entry.value, true, out));
    } else if (entry.key == "vars") {
      return Wrong(entry.where, "vars", "isn't supported in this release", "write the values out");
    } else if (entry.key != "params" && entry.key != "metrics" && entry.key != "plots" && entry.key != "artifacts" && entry.key != "datasets") {
      return Fail(Code::kInvalid, entry.where + ": unknown key " + entry.key, "the keys of dvc.yaml are: stages, params, metrics, plots, artifacts, datasets, vars");
    }
  }
  return {};
}

}  // namespace rondo::project
