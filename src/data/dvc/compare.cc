#include "data/dvc/compare.h"

#include <algorithm>
#include <deque>

#include "data/dvc/workspace.h"

namespace rondo::data::dvc {
namespace {

bool BelowUnknown(const DataState& state, std::string_view path) {
  for (size_t slash = path.rfind('/'); slash != path.npos; slash = path.rfind('/', slash - 1)) {
    const auto it = state.find(path.substr(0, slash));
    if (it != state.end() && it->second.unknown) return true;
    if (slash == 0) break;
  }
  return false;
}
std::string Name(const std::string& path, const StateEntry& e) { return e.is_dir ? path + "/" : path; }

}  // namespace

Result<DataState> RecordedState(const Repo& repo, const std::vector<Tracked>& outputs, bool granular) {
  DataState state;
  for (const Tracked& t : outputs) {
    StateEntry entry;
    entry.cached = t.entry.cache;
    if (t.entry.id) {
      entry.id = *t.entry.id;
      entry.has_id = true;
      entry.is_dir = t.entry.id->dir;
    }
    if (granular && entry.is_dir) {
      auto listing = repo.cache().ReadDir(entry.id);
      if (!listing && listing.error().code != Code::kNotFound && listing.error().code != Code::kFailedCheck) return std::unexpected(std::move(listing).error());
      entry.unknown = !listing.has_value();
      if (listing)
        for (const DirEntry& e : listing->entries) state[t.path + "/" + e.path] = {{e.md5, false}, true, false, false, entry.cached};
    }
    state[t.path] = entry;
  }
  return state;
}

Result<DataState> PresentState(const Repo& repo, const std::vector<Tracked>& outputs, bool granular) {
  DataState state;
  for (const Tracked& t : outputs) {
    RONDO_TRY(const WorkspaceState found, ScanWorkspace(repo, t.path, false));
    if (!found.exists) continue;
    if (found.stale) SaveIndex(repo, t.path, found, found.present_ns);
    state[t.path] = {found.id, true, found.is_dir, false, t.entry.cache};
    if (granular && found.is_dir)
      for (size_t i = 0; i < found.table.size(); ++i) state[t.path + "/" + std::string(found.table.path(i))] = {{found.table.rows[i].md5, false}, true, false, false, t.entry.cache};
  }
  return state;
}

std::vector<StateChange> Compare(const DataState& before, const DataState& after, bool renames) {
  using Kind = StateChange::Kind;
  std::vector<StateChange> changes, added, deleted;
  auto a = before.begin();
  auto b = after.begin();
  auto hash = [](const StateEntry& e) { return e.has_id ? e.id.Text() : std::string(); };
  while (a != before.end() || b != after.end()) {
    const bool only_a = b == after.end() || (a != before.end() && a->first < b->first);
    const bool only_b = !only_a && (a == before.end() || b->first < a->first);
    if (only_a) {
      const StateChange c{BelowUnknown(after, a->first) ? Kind::kUnknown : Kind::kDeleted, Name(a->first, a->second), {}, hash(a->second), {}};
      if (a->second.has_id) (c.kind == Kind::kUnknown ? changes : deleted).push_back(c);
      ++a;
    } else if (only_b) {
      const StateChange c{BelowUnknown(before, b->first) ? Kind::kUnknown : Kind::kAdded, Name(b->first, b->second), {}, {}, hash(b->second)};
      if (b->second.has_id) (c.kind == Kind::kUnknown ? changes : added).push_back(c);
      ++b;
    } else {
      StateChange c{Kind::kUnchanged, Name(b->first, b->second), {}, hash(a->second), hash(b->second)};
      if (BelowUnknown(before, a->first) || BelowUnknown(after, a->first)) c.kind = Kind::kUnknown;
      else if (!a->second.has_id && b->second.has_id) c.kind = Kind::kAdded;
      else if (a->second.has_id && !b->second.has_id) c.kind = Kind::kDeleted;
      else if (c.old_hash != c.new_hash) c.kind = Kind::kModified;
      if (c.kind == Kind::kAdded) added.push_back(c);
      else if (c.kind == Kind::kDeleted) deleted.push_back(c);
      else if (a->second.has_id || b->second.has_id) changes.push_back(c);
      ++a;
      ++b;
    }
  }
  if (renames) {
    std::map<std::string, std::deque<size_t>> by_hash;
    for (size_t i = 0; i < deleted.size(); ++i) by_hash[deleted[i].old_hash].push_back(i);
    std::vector<bool> used(deleted.size());
    for (StateChange& c : added) {
      auto& queue = by_hash[c.new_hash];
      if (queue.empty()) {
        changes.push_back(c);
        continue;
      }
      const StateChange& old = deleted[queue.front()];
      used[queue.front()] = true;
      queue.pop_front();
      changes.push_back({Kind::kRenamed, old.path, c.path, old.old_hash, c.new_hash});
    }
    for (size_t i = 0; i < deleted.size(); ++i)
      if (!used[i]) changes.push_back(deleted[i]);
  } else {
    changes.insert(changes.end(), added.begin(), added.end());
    changes.insert(changes.end(), deleted.begin(), deleted.end());
  }
  std::stable_sort(changes.begin(), changes.end(), [](const StateChange& x, const StateChange& y) { return x.path < y.path; });
  return changes;
}

}  // namespace rondo::data::dvc
