#include "workspace/lineage.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

#include "base/file.h"
#include "base/json_map.h"
#include "data/dataset.h"
#include "data/prediction_log.h"

namespace rondo::workspace {
namespace {

constexpr size_t kMaxNodes = 200;

bool IsHex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<std::pair<std::string, data::Prediction>> FindInLogs(Workspace& w, const std::string& id) {
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(w.folder() / "predictions", ec))
    if (entry.is_directory())
      if (auto found = data::FindPrediction(entry.path(), id)) return std::pair{entry.path().filename().string(), std::move(*found)};
  return Fail(Code::kNotFound, "no prediction " + id);
}

LineageNode VersionNode(const registry::Version& v) {
  LineageNode node;
  node.kind = "version";
  node.id = fmt::format("{}/{}", v.name, v.version);
  node.title = node.id;
  for (const std::string& alias : v.aliases) node.title += ", " + alias;
  node.time = v.creation_time;
  node.facts = Json::MakeObject().Set("digest", v.digest).Set("run", v.run_id).Set("commit", v.facts["commit"]).Set("config_hash", v.facts["config_hash"]).Set("datasets", v.facts["datasets"]);
  return node;
}

/// Fills title and facts of a node of which only kind and id are known.
void Describe(Workspace& w, LineageNode& node) {
  if (node.kind == "version") {
    if (auto ref = registry::ParseModelRef(node.id); ref && ref->version)
      if (auto v = w.registry().GetVersion(ref->name, *ref->version)) {
        const LineageNode full = VersionNode(*v);
        node.title = full.title;
        node.facts = full.facts;
        node.time = full.time;
      }
  } else if (node.kind == "run") {
    if (auto run = w.tracking().GetRun(node.id)) {
      node.title = fmt::format("run {} ({})", run->run_name.empty() ? node.id.substr(0, 8) : run->run_name, run->status);
      node.time = run->start_time;
      node.facts = Json::MakeObject().Set("user", run->user_id).Set("experiment", run->experiment_id);
    }
  } else if (node.kind == "dataset") {
    if (auto d = data::GetVersion(w.db(), node.id)) {
      node.title = fmt::format("{} v{}, {} rows", d->dataset, d->number, d->rows);
      node.time = d->time;
      node.facts = Json::MakeObject().Set("source", d->source).Set("source_md5", d->source_md5).Set("commit", d->commit).Set("rows", d->rows).Set("bytes", d->bytes);
    }
  } else if (node.kind == "commit") {
    node.title = "commit " + node.id.substr(0, 10);
  } else if (node.kind == "config") {
    node.title = "config " + node.id.substr(0, 10);
  }
  if (node.title.empty()) node.title = node.kind + " " + node.id;
}

void Walk(Workspace& w, const LineageNode& from, bool up, std::vector<LineageNode>& out) {
  std::set<std::pair<std::string, std::string>> seen = {{from.kind, from.id}};
  for (const LineageNode& n : out) seen.insert({n.kind, n.id});
  std::deque<LineageNode> queue = {from};
  while (!queue.empty() && out.size() < kMaxNodes) {
    const LineageNode at = std::move(queue.front());
    queue.pop_front();
    auto edges = w.registry().EdgesOf(at.kind, at.id);
    if (!edges) continue;
    for (const registry::Edge& e : *edges) {
      const bool outgoing = e.from_kind == at.kind && e.from_id == at.id;
      if (outgoing == up) continue;
      LineageNode next;
      next.kind = outgoing ? e.to_kind : e.from_kind;
      next.id = outgoing ? e.to_id : e.from_id;
      if (!seen.insert({next.kind, next.id}).second) continue;
      next.relation = e.relation;
      next.via = at.kind + " " + at.id;
      next.depth = at.depth + 1;
      next.time = e.time;
      Describe(w, next);
      out.push_back(next);
      queue.push_back(std::move(next));
    }
  }
}

Result<LineageNode> FindSubject(Workspace& w, const std::string& id) {
  LineageNode node;
  if (id.find('/') != std::string::npos || id.find('@') != std::string::npos) {
    RONDO_TRY(const registry::ModelRef ref, registry::ParseModelRef(id));
    RONDO_TRY(const registry::Version version, registry::Resolve(w.registry(), ref));
    return VersionNode(version);
  }
  if (IsHex(id)) {
    if (auto run = w.tracking().GetRun(id)) node.kind = "run";
    else if (auto d = data::GetVersion(w.db(), id)) node.kind = "dataset";
    if (!node.kind.empty()) {
      node.id = id;
      Describe(w, node);
      return node;
    }
    if (auto found = FindInLogs(w, id)) {
      const data::Prediction& p = found->second;
      node.kind = "prediction";
      node.id = id;
      node.time = p.time;
      node.title = fmt::format("prediction on {}: {}", found->first, p.decision);
      Json scores = Json::MakeArray();
      for (const float s : p.scores) scores.Push(static_cast<double>(s));
      node.facts = Json::MakeObject().Set("endpoint", found->first).Set("version", fmt::format("{}/{}", p.model, p.version)).Set("variant", p.variant).Set("decision", p.decision).Set("scores", scores).Set("key", p.key);
      return node;
    }
  }
  // Anything else that edges know: commits, configs, alarms, pipeline runs.
  for (const char* kind : {"pipeline_run", "commit", "config", "alarm", "endpoint", "run", "dataset"}) {
    auto edges = w.registry().EdgesOf(kind, id);
    if (!edges || edges->empty()) continue;
    node.kind = kind;
    node.id = id;
    Describe(w, node);
    return node;
  }
  return Fail(Code::kNotFound, "nothing here has the id \"" + id + "\"",
              "give a prediction id, run id, dataset hash, commit, config hash, alarm id, model/version or model@alias, in full");
}

}  // namespace

Result<Lineage> TraceLineage(Workspace& w, const std::string& id) {
  Lineage lineage;
  RONDO_TRY(lineage.subject, FindSubject(w, id));
  if (lineage.subject.kind == "prediction") {
    const std::string version = lineage.subject.facts["version"].AsString();
    RONDO_TRY(const registry::ModelRef ref, registry::ParseModelRef(version));
    RONDO_TRY(const registry::Version v, registry::Resolve(w.registry(), ref));
    LineageNode node = VersionNode(v);
    node.relation = "scored";
    node.via = "prediction " + id;
    node.depth = 1;
    lineage.upstream.push_back(node);
    Walk(w, node, true, lineage.upstream);
    return lineage;
  }
  Walk(w, lineage.subject, true, lineage.upstream);
  Walk(w, lineage.subject, false, lineage.downstream);
  return lineage;
}

}  // namespace rondo::workspace
