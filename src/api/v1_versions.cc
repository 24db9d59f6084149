// One model version, and what a person may do with it: approve, reject, move an alias.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/model_json.h"
#include "base/file.h"
#include "base/hash.h"
#include "project/spec.h"

namespace rondo::api {
namespace {

struct ApprovalJson {
  std::string model;
  int64_t version = 0;
  std::string digest, decision, actor, role, reason;
  int64_t time = 0;
  bool valid = false;  ///< given for the bytes that the version has now
};
BOOST_DESCRIBE_STRUCT(ApprovalJson, (), (model, version, digest, decision, actor, role, reason, time, valid))

struct VersionFileJson {
  std::string path;
  int64_t size = 0;
  std::optional<std::string> sha256;
};
BOOST_DESCRIBE_STRUCT(VersionFileJson, (), (path, size, sha256))

struct ChampionJson {
  int64_t version = 0;
  std::map<std::string, IntervalJson> metrics;
};
BOOST_DESCRIBE_STRUCT(ChampionJson, (), (version, metrics))

struct LineageColumnsJson {
  std::vector<Ref> data, run, serves;
};
BOOST_DESCRIBE_STRUCT(LineageColumnsJson, (), (data, run, serves))

struct VersionDetailJson : VersionRowJson {
  Json facts;
  std::optional<ChampionJson> champion;
  std::vector<ApprovalJson> approvals;
  int64_t approvals_needed = 0;
  std::vector<std::string> roles;  ///< in which an approval counts
  std::vector<VersionFileJson> files;
  std::string card;
  LineageColumnsJson lineage;
};
BOOST_DESCRIBE_STRUCT(VersionDetailJson, (VersionRowJson), (facts, champion, approvals, approvals_needed, roles, files, card, lineage))

struct AliasBody {
  int64_t version = 0;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(AliasBody, (), (version, reason))

struct DecisionBody {
  std::string decision, reason, role;
};
BOOST_DESCRIBE_STRUCT(DecisionBody, (), (decision, reason, role))

Result<registry::Version> PathVersion(Call& call) {
  const std::string& text = call.Path("version");
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1)
    return Fail(Code::kInvalid, fmt::format("\"{}\" is no version number", text.substr(0, 40)), "versions are 1, 2, 3, ...");
  return call.workspace().registry().GetVersion(call.Path("name"), number);
}

/// The evidence in one flat object: that of the evaluation, of the training, and where it came from.
Json FlatFacts(const registry::Version& v) {
  Json out = Json::MakeObject();
  const Json& metrics = v.facts["metrics"];
  for (const char* key : {"task", "threshold", "slices", "fairness", "importance", "baselines", "calibration", "champion", "overfitting"})
    if (const Json* value = metrics.Find(key)) out.Set(key, *value);
  const Json& train = v.facts["train"];
  for (const char* key : {"algorithm", "features", "train_rows", "best_iteration", "export_check"})
    if (const Json* value = train.Find(key)) out.Set(key, *value);
  for (const char* key : {"signature", "commit", "dirty", "config_hash", "trigger", "datasets"})
    if (const Json* value = v.facts.Find(key)) out.Set(key, *value);
  if (const Json* seed = v.facts["config"].Find("seed")) out.Set("seed", *seed);
  if (!out.Find("algorithm") && v.facts["signature"].Find("algorithm")) out.Set("algorithm", v.facts["signature"]["algorithm"]);
  return out;
}

void AddLineage(Call& call, const registry::Version& v, LineageColumnsJson& out) {
  const auto once = [](std::vector<Ref>& list, Ref ref) {
    if (!ref.id.empty() && std::ranges::none_of(list, [&](const Ref& r) { return r.kind == ref.kind && r.id == ref.id; })) list.push_back(std::move(ref));
  };
  for (const Json& d : v.facts["datasets"].AsArray()) once(out.data, RefOf(call.workspace(), "dataset", d["md5"].AsString()));
  once(out.data, {"commit", v.facts["commit"].AsString(), {}});
  once(out.data, {"config", v.facts["config_hash"].AsString(), {}});
  once(out.run, {"run", v.run_id, {}});
  once(out.run, {"pipeline_run", v.facts["pipeline_run"].AsString(), {}});
  for (const std::string& endpoint : ServedBy(call.workspace(), v)) once(out.serves, {"endpoint", endpoint, {}});
  if (auto after = Neighbours(call.workspace(), "version", fmt::format("{}/{}", v.name, v.version), false))
    for (Ref& ref : *after) once(out.serves, std::move(ref));
}

Result<net::Response> OneVersion(Call& call) {
  RONDO_TRY(const registry::Version v, PathVersion(call));
  workspace::Workspace& w = call.workspace();
  VersionDetailJson out;
  RONDO_TRY(static_cast<VersionRowJson&>(out), VersionRow(call.context(), v));
  out.facts = FlatFacts(v);
  if (const auto champion = w.registry().VersionByAlias(v.name, "champion"); champion && champion->version != v.version) out.champion = ChampionJson{champion->version, TestMetrics(*champion)};
  RONDO_TRY(const auto approvals, w.approvals().Of(v.name, v.version));
  for (const govern::ApprovalRecord& a : approvals)
    out.approvals.push_back({a.model, a.version, a.digest, a.decision, a.actor, a.role, a.reason, a.time, a.digest == v.digest});
  std::ranges::stable_sort(out.approvals, std::ranges::greater{}, &ApprovalJson::time);
  if (const auto policy = ApprovalPolicy(call.context(), "champion")) {
    out.approvals_needed = policy->count;
    out.roles = policy->roles;
  }
  AddLineage(call, v, out.lineage);
  if (!v.run_id.empty()) {
    if (const auto run = w.tracking().GetRun(v.run_id)) {
      const auto add = [&](const fs::path& file, const std::string& path) {
        std::error_code ec;
        const auto size = fs::file_size(file, ec);
        if (ec) return;
        VersionFileJson& row = out.files.emplace_back();
        row.path = path;
        row.size = static_cast<int64_t>(size);
        // Hashing what a page shows must not cost seconds: large files but the model itself go without.
        if (path == "model/model.onnx" && !v.digest.empty()) row.sha256 = v.digest;
        else if (size < (4u << 20))
          if (const auto digest = HashFile(file, HashKind::kSha256)) row.sha256 = digest->hex;
      };
      if (const auto folder = w.ArtifactPath(v.source, "")) {
        std::error_code ec;
        for (fs::directory_iterator it(*folder, ec), end; !ec && it != end; it.increment(ec))
          if (it->is_regular_file(ec)) add(it->path(), "model/" + it->path().filename().string());
      }
      for (const char* name : {"metrics.json", "reference.json", "report.html", "card.md"})
        if (const auto file = w.ArtifactPath(run->artifact_uri, name)) add(*file, name);
      std::ranges::sort(out.files, {}, &VersionFileJson::path);
      if (const auto file = w.ArtifactPath(run->artifact_uri, "card.md"))
        if (auto text = ReadFile(*file, 1u << 20)) out.card = std::move(*text);
    }
  }
  return JsonResponse(ToJson(out));
}

Result<net::Response> DecideVersion(Call& call) {
  RONDO_TRY(const DecisionBody body, call.Body<DecisionBody>());
  if (body.decision != "approved" && body.decision != "rejected") return Fail(Code::kInvalid, fmt::format("decision must be approved or rejected, not \"{}\"", body.decision.substr(0, 40)));
  RONDO_TRY(const registry::Version v, PathVersion(call));
  if (v.digest.empty()) return Fail(Code::kInvalid, fmt::format("{}/{} has no digest to bind a decision to", v.name, v.version), "register it with `rondo run`");
  // With accounts a role is a group that one is in; without, it is what one says.
  if (call.context().login && call.context().accounts && !body.role.empty() && !call.context().accounts->IsMember(call.caller().account(), body.role))
    return Fail(Code::kForbidden, fmt::format("{} is not in the group {}", call.actor(), body.role.substr(0, 100)), "decide in a role that is one of your groups, or leave it out");
  govern::ApprovalRecord record;
  record.model = v.name;
  record.version = v.version;
  record.digest = v.digest;
  record.decision = body.decision;
  record.actor = call.actor();
  record.role = body.role;
  record.reason = body.reason;
  record.time = call.workspace().clock().NowMs();
  RONDO_DO(call.workspace().approvals().Add(record));
  govern::AuditEntry entry;
  entry.actor = record.actor;
  entry.action = "version." + body.decision;
  entry.object = fmt::format("version {}/{}", v.name, v.version);
  entry.reason = body.reason;
  entry.after = Json::MakeObject().Set("digest", v.digest).Set("role", record.role);
  RONDO_TRY(const govern::AuditEntry stored, call.workspace().audit().Append(entry));
  return JsonResponse(Json::MakeObject().Set("seq", stored.seq));
}

Result<net::Response> MoveAlias(Call& call) {
  RONDO_TRY(const AliasBody body, call.Body<AliasBody>());
  workspace::Workspace& w = call.workspace();
  const std::string& name = call.Path("name");
  const std::string& alias = call.Path("alias");
  RONDO_TRY(const registry::Version v, w.registry().GetVersion(name, body.version));
  if (const auto policy = ApprovalPolicy(call.context(), alias)) {
    RONDO_TRY(const auto approvals, w.approvals().Of(v.name, v.version));
    const ApprovalCount count = CountApprovals(approvals, v, &*policy);
    if (count.rejected > 0) return Fail(Code::kForbidden, fmt::format("{}/{} was rejected", name, v.version), "its page says by whom and why");
    if (count.approved < policy->count)
      return Fail(Code::kForbidden, fmt::format("@{} needs {} approvals of {}/{}, it has {}", alias, policy->count, name, v.version, count.approved), fmt::format("rondo approve {}/{}", name, v.version));
  }
  RONDO_DO(w.MoveAlias(name, alias, v.version, call.actor(), body.reason));
  return JsonResponse(Json::MakeObject().Set("model", name).Set("alias", alias).Set("version", v.version));
}

}  // namespace

void AddV1Versions(Router& router) {
  router.Get("/api/v1/models/{name}/{version}", Permission::kRead | Scope::kModel, "One version: figures, gates, approvals, files, card, lineage", OneVersion);
  router.Post("/api/v1/models/{name}/{version}/approvals", Permission::kWrite | Scope::kModel, "Approve or reject a version", DecideVersion);
  router.Post("/api/v1/models/{name}/aliases/{alias}", Permission::kWrite | Scope::kModel, "Move an alias", MoveAlias);
}

}  // namespace rondo::api
