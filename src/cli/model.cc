// Registered models: list, show, compare, history, promote, export, card.
#include <fmt/format.h>

#include <set>

#include "base/clock.h"
#include "base/file.h"
#include "cli/verbs.h"
#include "govern/stage_history.h"
#include "registry/history.h"

namespace rondo::cli {
namespace {

std::string Joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& i : items) out += (out.empty() ? "" : ", ") + i;
  return out;
}

Json VersionJson(const registry::Version& v) {
  Json aliases = Json::MakeArray();
  for (const std::string& a : v.aliases) aliases.Push(a);
  return Json::MakeObject()
      .Set("name", v.name)
      .Set("version", v.version)
      .Set("created", v.creation_time)
      .Set("by", v.user_id)
      .Set("run_id", v.run_id)
      .Set("aliases", aliases)
      .Set("digest", v.digest)
      .Set("source", v.source)
      .Set("facts", v.facts);
}

/// The test metric that heads a list: auc, or rmse.
std::string Headline(const registry::Version& v) {
  const Json& test = v.facts["metrics"]["test"];
  for (const char* name : {"auc", "rmse"})
    if (const Json* m = test.Find(name)) return fmt::format("{} {:.4f}", name, (*m)["value"].AsDouble());
  return "";
}

std::string Gates(const registry::Version& v) {
  size_t passed = 0, all = 0;
  for (const Json& gate : v.facts["metrics"]["gates"].AsArray()) {
    ++all;
    passed += gate["passed"].AsBool();
  }
  return all ? fmt::format("{}/{}", passed, all) : "";
}

Result<registry::Version> Pick(workspace::Workspace& w, const std::string& text) {
  RONDO_TRY(const registry::ModelRef ref, registry::ParseModelRef(text));
  return registry::Resolve(w.registry(), ref);
}

}  // namespace

Result<int> ModelList(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  std::string token;
  RONDO_TRY(const auto models, w->registry().SearchModels("", {}, 1000, token));
  Json list = Json::MakeArray();
  std::vector<std::vector<std::string>> rows = {{"model", "versions", "champion", "test", "updated"}};
  for (const registry::Model& m : models) {
    RONDO_TRY(const auto versions, w->registry().Versions(m.name));
    std::string champion = "-", test;
    Json aliases = Json::MakeObject();
    for (const auto& [alias, number] : m.aliases) {
      aliases.Set(alias, number);
      if (alias != "champion") continue;
      champion = std::to_string(number);
      for (const registry::Version& v : versions)
        if (v.version == number) test = Headline(v);
    }
    rows.push_back({m.name, std::to_string(versions.size()), champion, test, Ago(m.last_update_time, w->clock().NowMs())});
    list.Push(Json::MakeObject().Set("name", m.name).Set("versions", versions.size()).Set("aliases", aliases).Set("updated", m.last_update_time));
  }
  if (call.json()) PrintJson(list);
  else if (models.empty()) Print("no model is registered yet: `rondo run` registers one when its gates pass");
  else PrintTable(rows);
  return 0;
}

Result<int> ModelShow(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const registry::ModelRef ref, registry::ParseModelRef(call.Arg(0)));
  if (ref.version || !ref.alias.empty()) {
    RONDO_TRY(const registry::Version v, registry::Resolve(w->registry(), ref));
    if (call.json()) {
      PrintJson(VersionJson(v));
      return 0;
    }
    Print(Bold(fmt::format("{}/{}", v.name, v.version)) + (v.aliases.empty() ? "" : "  " + Joined(v.aliases)));
    Print(fmt::format("  created   {} by {}\n  run       {}\n  sha256    {}\n  commit    {}{}\n  config    {}", FormatTime(v.creation_time), v.user_id, v.run_id, v.digest,
                      v.facts["commit"].AsString().empty() ? "-" : v.facts["commit"].AsString(), v.facts["dirty"].AsBool() ? " (with uncommitted changes)" : "", v.facts["config_hash"].AsString()));
    for (const Json& d : v.facts["datasets"].AsArray()) Print(fmt::format("  data      {} md5 {} ({} rows)", d["name"].AsString(), d["md5"].AsString(), d["rows"].AsInt()));
    std::vector<std::vector<std::string>> rows = {{"test metric", "value", "low", "high"}};
    for (const auto& [name, m] : v.facts["metrics"]["test"].AsObject())
      rows.push_back({name, fmt::format("{:.4f}", m["value"].AsDouble()), fmt::format("{:.4f}", m["low"].AsDouble()), fmt::format("{:.4f}", m["high"].AsDouble())});
    Print("");
    PrintTable(rows);
    Print("");
    for (const Json& gate : v.facts["metrics"]["gates"].AsArray())
      Print(fmt::format("  {} {}  {:.4f} {}", gate["passed"].AsBool() ? Good("pass") : Bad(gate["warn"].AsBool() ? "warn" : "FAIL"), gate["gate"].AsString(), gate["value"].AsDouble(), Dim(gate["why"].AsString())));
    return 0;
  }
  RONDO_TRY(const registry::Model model, w->registry().GetModel(ref.name));
  RONDO_TRY(const auto versions, w->registry().Versions(ref.name));
  if (call.json()) {
    Json list = Json::MakeArray();
    for (const auto& v : versions) list.Push(VersionJson(v));
    PrintJson(Json::MakeObject().Set("name", model.name).Set("description", model.description).Set("versions", list));
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"version", "aliases", "test", "gates", "created", "by", "sha256"}};
  for (const auto& v : versions) rows.push_back({std::to_string(v.version), Joined(v.aliases), Headline(v), Gates(v), Ago(v.creation_time, w->clock().NowMs()), v.user_id, v.digest.substr(0, 12)});
  PrintTable(rows);
  return 0;
}

Result<int> ModelCompare(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const registry::Version a, Pick(*w, call.Arg(0)));
  RONDO_TRY(const registry::Version b, Pick(*w, call.Arg(1)));
  if (call.json()) {
    PrintJson(Json::MakeArray().Push(VersionJson(a)).Push(VersionJson(b)));
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"", fmt::format("{}/{}", a.name, a.version), fmt::format("{}/{}", b.name, b.version), "difference"}};
  const Json& mb = b.facts["metrics"]["test"];
  for (const auto& [name, m] : a.facts["metrics"]["test"].AsObject()) {
    const double x = m["value"].AsDouble(), y = mb[name]["value"].AsDouble();
    rows.push_back({name, fmt::format("{:.4f}", x), fmt::format("{:.4f}", y), fmt::format("{:+.4f}", y - x)});
  }
  PrintTable(rows);
  std::set<std::string> keys;
  for (const auto* v : {&a, &b})
    for (const auto& [key, value] : v->facts["config"]["train"]["params"].AsObject()) keys.insert(key);
  for (const std::string& key : keys) {
    const Json &x = a.facts["config"]["train"]["params"][key], &y = b.facts["config"]["train"]["params"][key];
    if (x != y) Print(fmt::format("  param {}: {} → {}", key, x.Dump(), y.Dump()));
  }
  for (const char* key : {"commit", "config_hash"})
    if (a.facts[key] != b.facts[key]) Print(fmt::format("  {}: {} → {}", key, a.facts[key].AsString().substr(0, 12), b.facts[key].AsString().substr(0, 12)));
  if (a.facts["datasets"] != b.facts["datasets"]) Print("  the training data differ");
  return 0;
}

Result<int> ModelHistory(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const auto changes, w->registry().AliasHistory(call.Arg(0), call.Value("--alias")));
  if (call.Has("--at")) {
    RONDO_TRY(const int64_t time, ParseTime(call.Value("--at")));
    Json named = Json::MakeObject();
    std::vector<std::vector<std::string>> then = {{"alias", "version"}};
    for (const auto& [alias, version] : registry::AliasesAt(changes, time)) {
      named.Set(alias, version);
      then.push_back({alias, std::to_string(version)});
    }
    RONDO_TRY(const auto stage_changes, govern::StageHistory(w->db(), call.Arg(0)));
    Json stages = Json::MakeObject();
    for (const auto& [stage, versions] : govern::StagesAt(stage_changes, time)) {
      stages.Set(stage, Json(versions));
      for (const int64_t version : versions) then.push_back({stage + " (stage)", std::to_string(version)});
    }
    if (call.json()) PrintJson(Json::MakeObject().Set("model", call.Arg(0)).Set("time", time).Set("aliases", named).Set("stages", stages));
    else if (then.size() == 1) Print(fmt::format("{} had no aliases and stages at {}", call.Arg(0), FormatTime(time)));
    else PrintTable(then);
    return 0;
  }
  Json list = Json::MakeArray();
  std::vector<std::vector<std::string>> rows = {{"time", "alias", "from", "to", "actor", "reason"}};
  for (const auto& c : changes) {
    list.Push(Json::MakeObject().Set("time", c.time).Set("alias", c.alias).Set("from", c.from ? Json(*c.from) : Json()).Set("to", c.to ? Json(*c.to) : Json()).Set("actor", c.actor).Set("reason", c.reason));
    rows.push_back({FormatTime(c.time).substr(0, 19), c.alias, c.from ? std::to_string(*c.from) : "-", c.to ? std::to_string(*c.to) : "-", c.actor, c.reason});
  }
  if (call.json()) PrintJson(list);
  else PrintTable(rows);
  return 0;
}

Result<int> ModelPromote(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const registry::Version v, Pick(*w, call.Arg(0)));
  const std::string alias = call.Value("--alias", "champion");
  RONDO_DO(w->MoveAlias(v.name, alias, v.version, govern::CurrentActor(), call.Value("--reason", "promoted by hand")));
  if (call.json()) PrintJson(Json::MakeObject().Set("name", v.name).Set("alias", alias).Set("version", v.version));
  else Print(fmt::format("{}@{} is now version {}", v.name, alias, v.version));
  return 0;
}

Result<int> ModelExport(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const registry::Version v, Pick(*w, call.Arg(0)));
  RONDO_TRY(const fs::path from, w->ArtifactPath(v.source, "model.onnx"));
  const fs::path to = call.Arg(1);
  RONDO_DO(MakeDirs(to));
  Json files = Json::MakeArray();
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(from.parent_path(), ec)) {
    if (!entry.is_regular_file()) continue;
    RONDO_TRY(const std::string bytes, ReadFile(entry.path()));
    RONDO_DO(WriteFileAtomic(to / entry.path().filename(), bytes));
    files.Push(entry.path().filename().string());
  }
  if (call.json()) PrintJson(Json::MakeObject().Set("folder", to.string()).Set("files", files));
  else Print(fmt::format("{}/{}: {} files in {}", v.name, v.version, files.size(), to.string()));
  return 0;
}

Result<int> ModelCardVerb(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_TRY(const registry::Version v, Pick(*w, call.Arg(0)));
  const std::string root = v.source.substr(0, v.source.rfind('/'));
  RONDO_TRY(const fs::path file, w->ArtifactPath(root, call.json() ? "card.json" : "card.md"));
  RONDO_TRY(const std::string text, ReadFile(file));
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace rondo::cli
