// Search by name or id, and the lineage of any id.
#include <fmt/format.h>

#include <algorithm>

#include "api/v1.h"
#include "data/dataset.h"
#include "tracking/tracking.h"
#include "workspace/lineage.h"

namespace rondo::api {
namespace {

struct SearchHitJson {
  Ref ref;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(SearchHitJson, (), (ref, text))

constexpr size_t kMostHits = 12;

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool IsHexText(std::string_view text) {
  return text.size() >= 4 && std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c); });
}

/// A text for the search language: quotes and wildcards of the asker are no syntax.
std::string LikeText(const std::string& text) {
  std::string out;
  for (const char c : text)
    if (c != '\'' && c != '%' && c != '\\') out += c;
  return out;
}

Status FindRuns(Call& call, const std::string& q, std::vector<SearchHitJson>& out) {
  std::string token;
  RONDO_TRY(const auto experiments, call.workspace().tracking().SearchExperiments("", "ACTIVE_ONLY", 1000, token));
  tracking::RunQuery query;
  for (const tracking::Experiment& e : experiments) query.experiment_ids.push_back(e.experiment_id);
  if (query.experiment_ids.empty()) return {};
  query.max_results = 6;
  const std::string text = LikeText(q);
  if (text.empty()) return {};
  std::vector<std::string> filters = {fmt::format("attributes.run_name ILIKE '%{}%'", text)};
  if (IsHexText(text)) filters.insert(filters.begin(), fmt::format("attributes.run_id LIKE '{}%'", Lower(text)));
  for (const std::string& filter : filters) {
    query.filter = filter;
    const auto page = call.workspace().tracking().SearchRuns(query);
    if (!page) continue;  // a text that the language can't hold finds nothing
    for (const tracking::Run& r : page->runs)
      if (std::ranges::none_of(out, [&](const SearchHitJson& h) { return h.ref.id == r.run_id; })) out.push_back({{"run", r.run_id, r.run_name.empty() ? r.run_id.substr(0, 8) : r.run_name}, Lower(r.status)});
  }
  return {};
}

Status FindModels(Call& call, const std::string& q, std::vector<SearchHitJson>& out) {
  std::string token;
  RONDO_TRY(const auto models, call.workspace().registry().SearchModels("", {}, 1000, token));
  const std::string wanted = Lower(q);
  for (const registry::Model& m : models) {
    const bool named = Lower(m.name).find(wanted) != std::string::npos;
    if (named) out.push_back({{"model", m.name, {}}, m.description.substr(0, 80)});
    RONDO_TRY(const auto versions, call.workspace().registry().Versions(m.name));
    int shown = 0;
    for (const registry::Version& v : versions) {
      const std::string id = fmt::format("{}/{}", m.name, v.version);
      const std::string spoken = fmt::format("{} v{}", m.name, v.version);
      const bool alias = std::ranges::any_of(v.aliases, [&](const std::string& a) { return a == wanted || m.name + "@" + a == wanted; });
      const bool hit = alias || Lower(id) == wanted || Lower(spoken) == wanted || fmt::format("v{}", v.version) == wanted || (IsHexText(wanted) && v.digest.starts_with(wanted)) || (named && shown < 3);
      if (!hit) continue;
      ++shown;
      std::string text;
      for (const std::string& a : v.aliases) text += (text.empty() ? "@" : ", @") + a;
      out.push_back({{"version", id, {}}, text});
    }
  }
  return {};
}

Status FindDatasets(Call& call, const std::string& q, std::vector<SearchHitJson>& out) {
  RONDO_TRY(const auto versions, data::ListVersions(call.workspace().db(), ""));
  const std::string wanted = Lower(q);
  int shown = 0;
  for (const data::DatasetVersion& v : versions) {
    const bool hash = IsHexText(wanted) && (v.md5.starts_with(wanted) || v.source_md5.starts_with(wanted));
    const bool named = Lower(v.dataset).find(wanted) != std::string::npos && shown < 3;
    if (!hash && !named) continue;
    ++shown;
    out.push_back({{"dataset", fmt::format("{}/{}", v.dataset, v.number), {}}, fmt::format("{} rows", v.rows)});
  }
  return {};
}

Result<net::Response> Search(Call& call) {
  std::string q = call.Query("q");
  q.erase(0, q.find_first_not_of(' '));
  while (q.ends_with(' ')) q.pop_back();
  if (q.size() > 200) return Fail(Code::kInvalid, "the search text is longer than 200 characters");
  std::vector<SearchHitJson> out;
  if (q.size() >= 2) {
    // Whole ids first: predictions, alarms, commits and the like are known by nothing else.
    if (q.size() >= 16 || q.find('@') != std::string::npos || q.find('/') != std::string::npos)
      if (const auto found = workspace::TraceLineage(call.workspace(), q)) out.push_back({RefOf(call.workspace(), found->subject.kind, found->subject.id), found->subject.title});
    const size_t exact = out.size();
    RONDO_DO(FindModels(call, q, out));
    RONDO_DO(FindRuns(call, q, out));
    RONDO_DO(FindDatasets(call, q, out));
    // The exact hit isn't listed twice.
    if (exact) {
      const Ref first = out.front().ref;
      out.erase(std::remove_if(out.begin() + 1, out.end(), [&](const SearchHitJson& h) { return h.ref.kind == first.kind && h.ref.id == first.id; }), out.end());
    }
  }
  if (out.size() > kMostHits) out.resize(kMostHits);
  return JsonResponse(ToJson(out));
}

/// "customers/3" is how the pages name a dataset version; lineage knows it by its hash.
Result<std::string> LineageId(Call& call, const std::string& id) {
  const size_t slash = id.rfind('/');
  if (slash == std::string::npos) return id;
  RONDO_TRY(const auto versions, data::ListVersions(call.workspace().db(), id.substr(0, slash)));
  for (const data::DatasetVersion& v : versions)
    if (std::to_string(v.number) == id.substr(slash + 1)) return v.md5;
  return id;
}

Result<net::Response> Lineage(Call& call) {
  const std::string asked = call.Query("id");
  if (asked.empty()) return Fail(Code::kInvalid, "id is missing", "/api/v1/lineage?id=ID");
  if (asked.size() > 300) return Fail(Code::kInvalid, "the id is longer than 300 characters");
  // A model and a dataset may share a name: the model version is meant when it exists.
  auto found = workspace::TraceLineage(call.workspace(), asked);
  if (!found) {
    RONDO_TRY(const std::string id, LineageId(call, asked));
    if (id == asked) return std::unexpected(found.error());
    found = workspace::TraceLineage(call.workspace(), id);
    if (!found) return std::unexpected(found.error());
  }
  return JsonResponse(ToJson(*found));
}

}  // namespace

void AddV1Find(Router& router) {
  router.Get("/api/v1/search", Permission::kRead | Scope::kServer, "Everything that has a name or an id", Search);
  router.Get("/api/v1/lineage", Permission::kRead | Scope::kServer, "Causes and consequences of any id", Lineage);
}

}  // namespace rondo::api
