#include "govern/stage_history.h"

#include <charconv>

#include "base/json.h"

namespace rondo::govern {
namespace {

// A range of objects, so that the index on (object, seq) finds them: '0' follows '/'.
constexpr std::string_view kChanges = "SELECT object, before_json, after_json, time, actor FROM audit_entry WHERE action = 'version.stage' AND object >= $1 || '/' AND object < $1 || '0' ORDER BY seq";

}  // namespace

Result<std::vector<StageChange>> StageHistory(db::Database& db, const std::string& model) {
  std::vector<StageChange> out;
  const std::string prefix = "version " + model;
  RONDO_DO(db.Read([&](db::Session& s) {
    return s.Query(kChanges, {prefix}, [&](const db::Row& r) {
      const std::string object = r.String(0);
      StageChange c;
      const char* const end = object.data() + object.size();
      if (std::from_chars(object.data() + prefix.size() + 1, end, c.version).ptr != end) return true;
      const auto before = ParseJson(r.Text(1)), after = ParseJson(r.Text(2));
      if (before) c.from = (*before)["stage"].AsString();
      if (after) {
        c.to = (*after)["stage"].AsString();
        c.archived_others = (*after)["archived_others"].AsBool();
      }
      c.time = r.Int(3);
      c.actor = r.String(4);
      out.push_back(std::move(c));
      return true;
    });
  }));
  return out;
}

std::map<std::string, std::vector<int64_t>> StagesAt(const std::vector<StageChange>& history, int64_t time) {
  std::map<int64_t, std::string> stage_of;
  for (const StageChange& c : history) {
    if (c.time > time) break;
    if (c.archived_others)
      for (auto& [version, stage] : stage_of)
        if (stage == c.to) stage = "Archived";
    stage_of[c.version] = c.to;
  }
  std::map<std::string, std::vector<int64_t>> out;
  for (const auto& [version, stage] : stage_of)
    if (stage != "None" && !stage.empty()) out[stage].push_back(version);
  return out;
}

}  // namespace rondo::govern
