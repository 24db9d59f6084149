// `stages:` in DVC's grammar, and dvc.yaml itself.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "project/reader.h"
#include "project/sections.h"
#include "project/template.h"

namespace rondo::project {
namespace {

bool IsPlotOption(const std::string& key) {
  constexpr std::string_view kOptions[] = {"x", "y", "title", "template", "x_label", "y_label", "header"};
  return std::find(std::begin(kOptions), std::end(kOptions), key) != std::end(kOptions);
}
bool IsOutOption(const std::string& key) {
  constexpr std::string_view kOptions[] = {"persist", "push", "desc", "type", "labels", "meta", "remote", "checkpoint"};
  return std::find(std::begin(kOptions), std::end(kOptions), key) != std::end(kOptions);
}

enum class OutKind { kOut, kMetric, kPlot };

/// DVC's options of an output; `cache: false` makes it one that isn't cached.
Status ReadOuts(const YamlNode& node, const std::string& path, bool cached, OutKind kind, Stage& out) {
  if (!node.IsList()) return Wrong(node.where, path, "must be a list of paths, not " + std::string(node.KindName()), "write outs: [model.onnx]");
  for (size_t i = 0; i < node.items.size(); ++i) {
    const YamlNode& item = node.items[i];
    const std::string at = fmt::format("{}[{}]", path, i);
    std::string file = item.text;
    bool cache = cached, persist = false;
    Plot plot;
    if (item.IsMap() && item.entries.size() == 1) {
      file = item.entries[0].key;
      for (const YamlEntry& option : item.entries[0].value.entries) {
        if (option.key == "cache") cache = option.value.text != "false";
        else if (option.key == "persist") persist = option.value.text == "true";
        else if (kind == OutKind::kPlot && IsPlotOption(option.key)) plot.options.Set(option.key, YamlToJson(option.value));
        else if (!IsOutOption(option.key)) return Wrong(option.where, at, "unknown option " + option.key + " of an output");
      }
    } else if (!item.IsScalar()) {
      return Wrong(item.where, at, "must be a path, not " + std::string(item.KindName()));
    }
    RONDO_DO(CheckInside(item, at, file));
    if (persist) out.persist.push_back(file);
    if (kind == OutKind::kMetric) out.metric_files.push_back(file);
    if (kind == OutKind::kPlot) {
      plot.path = file;
      out.plots.push_back(std::move(plot));
    }
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

/// A list of names (taken from the caller's environment), or a map of names and values.
Status ReadEnv(const YamlNode& node, const std::string& path, Stage& out) {
  const auto add = [&](const std::string& where, const std::string& name, std::string value) -> Status {
    const bool good = !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
    if (!good) return Wrong(where, path, "\"" + name + "\" is no name of an environment variable", "use letters, digits and _");
    out.env.emplace_back(name, std::move(value));
    return {};
  };
  if (node.IsMap()) {
    for (const YamlEntry& entry : node.entries) {
      RONDO_TRY(std::string value, ReadText(entry.value, path + "." + entry.key));
      RONDO_DO(add(entry.where, entry.key, std::move(value)));
    }
    return {};
  }
  RONDO_TRY(const auto names, ReadTexts(node, path));
  for (const std::string& name : names) RONDO_DO(add(node.where, name, "\x01"));
  return {};
}

Status ReadRetry(const YamlNode& node, const std::string& path, Retry& out) {
  Fields g(node, path, RetryKeys());
  g.Get("attempts", out.attempts).Get("backoff", out.backoff_ms).Get("max_backoff", out.max_backoff_ms).Get("when", out.when);
  if (g.ok() && (out.attempts < 1 || out.attempts > 100)) g.Fail("attempts", "must be between 1 and 100");
  for (const std::string& kind : out.when) {
    const bool code = !kind.empty() && kind.size() < 4 && kind.find_first_not_of("0123456789") == std::string::npos;
    if (g.ok() && kind != "timeout" && kind != "signal" && !code) g.Fail("when", "\"" + kind + "\" is no class of failure", "write timeout, signal, or an exit code such as 75");
  }
  return g.status();
}

Status ReadStage(const YamlEntry& entry, bool dvc, Stage& s) {
  const std::string path = "stages." + entry.key;
  s.name = entry.key;
  Fields f(entry.value, path, StageKeys());
  f.Require("cmd", "add cmd: the command line to run");
  f.Get("desc", s.desc).Get("wdir", s.wdir).Get("deps", s.deps).Get("always_changed", s.always_changed).Get("frozen", s.frozen).Get("timeout", s.timeout_ms);
  f.Get("when", s.when).Get("runs", s.runs).Get("cache", s.cache).Get("pool", s.pool);
  if (dvc)
    for (const char* key : {"timeout", "retry", "resources", "when", "runs", "cache", "pool", "env", "map"})
      if (entry.value.Find(key)) f.Fail(key, "isn't in DVC's grammar", "stages with it belong into rondo.yaml");
  if (const YamlNode* cmd = f.Find("cmd")) f.Take(ReadCmd(*cmd, path + ".cmd", s.cmd));
  if (const YamlNode* params = f.Find("params")) f.Take(ReadParams(*params, path + ".params", dvc, s));
  if (const YamlNode* outs = f.Find("outs")) f.Take(ReadOuts(*outs, path + ".outs", true, OutKind::kOut, s));
  if (const YamlNode* metrics = f.Find("metrics")) f.Take(ReadOuts(*metrics, path + ".metrics", dvc, OutKind::kMetric, s));
  if (const YamlNode* plots = f.Find("plots")) f.Take(ReadOuts(*plots, path + ".plots", true, OutKind::kPlot, s));
  if (const YamlNode* wdir = f.Find("wdir"); wdir && s.wdir != ".") f.Take(CheckInside(*wdir, path + ".wdir", s.wdir));
  if (s.wdir == ".") s.wdir.clear();
  if (const YamlNode* env = f.Find("env")) f.Take(ReadEnv(*env, path + ".env", s));
  if (const YamlNode* retry = f.Find("retry")) f.Take(ReadRetry(*retry, path + ".retry", s.retry));
  if (const YamlNode* resources = f.Find("resources")) {
    Fields g(*resources, path + ".resources", ResourcesKeys());
    g.Get("cpu", s.cpu).Get("memory", s.memory_bytes).Get("gpu", s.gpu);
    if (g.ok() && s.cpu < 1) g.Fail("cpu", "must be at least 1");
    f.Take(g.status());
  }
  if (f.ok() && s.runs != "success" && !s.outs.empty()) f.Fail("runs", "a stage that runs after a failure can't have outs: they would come and go", "write its files without declaring them");
  return f.status();
}

/// A name of a stage, as DVC allows it; behind an @ anything.
Status CheckStageName(const YamlEntry& entry, bool expanded, bool dvc) {
  YamlEntry base = entry;
  if (expanded) base.key = entry.key.substr(0, entry.key.find('@'));
  if (!dvc) return CheckEntryName(base, "stages", "stage");
  const bool bad = base.key.empty() || std::any_of(base.key.begin(), base.key.end(), [](unsigned char c) { return std::ispunct(c) && c != '_' && c != '-'; });
  if (bad) return Wrong(entry.where, "stages", "\"" + base.key + "\" is no name of a stage", "use letters, digits, _ and -");
  return {};
}

Status ReadPlots(const YamlNode& node, std::vector<Plot>& out) {
  if (!node.IsList() && !node.IsNull()) return Wrong(node.where, "plots", "must be a list");
  for (const YamlNode& item : node.items) {
    Plot plot;
    plot.path = item.text;
    if (item.IsMap() && item.entries.size() == 1) {
      plot.path = item.entries[0].key;
      plot.options = YamlToJson(item.entries[0].value);
    }
    out.push_back(std::move(plot));
  }
  return {};
}

}  // namespace

Status ReadStages(const YamlNode& node, const YamlNode* vars, const Json& config, const fs::path& root, bool dvc, Project& out) {
  if (!node.IsMap()) return Wrong(node.where, "stages", "must be a map of stages, not " + std::string(node.KindName()));
  ExpandOptions options;
  options.root = root;
  options.dvc = dvc;
  RONDO_TRY(const auto stages, ExpandStages(node, vars, config, options, out.map_sources));
  out.stages.reserve(stages.size());
  std::set<std::string> throttles;
  for (const ExpandedStage& e : stages) {
    RONDO_DO(CheckStageName(e.entry, !e.group.empty(), dvc));
    Stage stage;
    RONDO_DO(ReadStage(e.entry, dvc, stage));
    stage.group = e.group;
    stage.map_source = e.map_source;
    if (e.parallel > 0) {
      if (!stage.pool.empty()) return Wrong(e.entry.where, "stages." + e.group, "has a pool and map.parallel", "keep one of them");
      stage.pool = "map:" + e.group;
      if (throttles.insert(stage.pool).second) out.pools.push_back({stage.pool, e.parallel});
    }
    out.stages.push_back(std::move(stage));
  }
  for (const Stage& stage : out.stages)
    if (!stage.pool.empty() && std::none_of(out.pools.begin(), out.pools.end(), [&](const Pool& p) { return p.name == stage.pool; }))
      return Wrong(node.where, "stages." + stage.name + ".pool", "there is no pool \"" + stage.pool + "\"", "add pools: {" + stage.pool + ": 2}");
  return {};
}

Status ReadPools(const YamlNode& node, Project& out) {
  if (!node.IsMap()) return Wrong(node.where, "pools", "must be a map of names and sizes", "write pools: {database: 2}");
  for (const YamlEntry& entry : node.entries) {
    RONDO_DO(CheckEntryName(entry, "pools", "pool"));
    const Json slots = YamlToJson(entry.value);
    if (!slots.IsInt() || slots.AsInt() < 1) return Wrong(entry.where, "pools." + entry.key, "must be a whole number from 1 on");
    out.pools.push_back({entry.key, slots.AsInt()});
  }
  return {};
}

Status ReadDvc(const YamlNode& root, const fs::path& folder, Project& out) {
  if (!root.IsMap() && !root.IsNull()) return Wrong(root.where, "", "must be a map", "a dvc.yaml begins with stages:");
  for (const YamlEntry& entry : root.entries) {
    if (entry.key == "stages") {
      RONDO_DO(ReadStages(entry.value, root.Find("vars"), Json::MakeObject(), folder, true, out));
    } else if (entry.key == "params") {
      RONDO_TRY(out.dvc.params, ReadTexts(entry.value, "params"));
    } else if (entry.key == "metrics") {
      RONDO_TRY(out.dvc.metrics, ReadTexts(entry.value, "metrics"));
    } else if (entry.key == "plots") {
      RONDO_DO(ReadPlots(entry.value, out.dvc.plots));
    } else if (entry.key == "artifacts") {
      if (!entry.value.IsMap() && !entry.value.IsNull()) return Wrong(entry.where, "artifacts", "must be a map of names");
      out.dvc.artifacts = YamlToJson(entry.value);
    } else if (entry.key != "datasets" && entry.key != "vars") {
      return Fail(Code::kInvalid, entry.where + ": unknown key " + entry.key, "the keys of dvc.yaml are: stages, params, metrics, plots, artifacts, datasets, vars");
    }
  }
  return {};
}

}  // namespace rondo::project
