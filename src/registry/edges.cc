// Lineage edges.
#include "registry/store.h"

namespace rondo::registry {
namespace {

constexpr std::string_view kAdd =
    "INSERT INTO edge (from_kind, from_id, relation, to_kind, to_id, time) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (from_kind, from_id, relation, to_kind, to_id) DO NOTHING";
constexpr std::string_view kFrom = "SELECT from_kind, from_id, relation, to_kind, to_id, time FROM edge WHERE from_kind = $1 AND from_id = $2 ORDER BY time, relation, to_kind, to_id";
constexpr std::string_view kTo = "SELECT from_kind, from_id, relation, to_kind, to_id, time FROM edge WHERE to_kind = $1 AND to_id = $2 ORDER BY time, relation, from_kind, from_id";

}  // namespace

Status Store::AddEdges(const std::vector<Edge>& edges) {
  if (edges.empty()) return {};
  return db_.Write([&](db::Session& s) -> Status {
    for (const Edge& e : edges) RONDO_DO(Do(s, kAdd, {e.from_kind, e.from_id, e.relation, e.to_kind, e.to_id, e.time ? e.time : clock_.NowMs()}));
    return {};
  });
}

Result<std::vector<Edge>> Store::EdgesOf(const std::string& kind, const std::string& id) {
  std::vector<Edge> out;
  RONDO_DO(db_.Read([&](db::Session& s) -> Status {
    for (const std::string_view sql : {kTo, kFrom})
      RONDO_DO(s.Query(sql, {kind, id}, [&](const db::Row& r) {
        out.push_back({r.String(0), r.String(1), r.String(2), r.String(3), r.String(4), r.Int(5)});
        return true;
      }));
    return {};
  }));
  return out;
}

}  // namespace rondo::registry
