// Against the workspace: status of `.dvc` files, and verify.
#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "base/thread_pool.h"
#include "data/dvc/presence.h"
#include "data/dvc/repo.h"
#include "data/dvc/walk.h"
#include "data/dvc/workspace.h"

namespace rondo::data::dvc {
namespace {

constexpr int64_t kTickNs = 20'000'000;

/// Is every object of the output in the cache? `present_ns` becomes the time of the proof.
bool AllPresent(const Repo& repo, const OutEntry& entry, const WorkspaceState& state, int64_t& present_ns) {
  const bool same = state.exists && state.id == *entry.id;
  if (same && state.present_ns > 0) {
    // Nothing was taken out of the cache's folders since all was there.
    const int64_t changed = Presence::NewestFolderChange(repo.cache());
    if (changed > 0 && changed + kTickNs < state.present_ns) return true;
  }
  const int64_t now = FileClockNs();
  if (!entry.id->dir) {
    if (!repo.cache().Has(*entry.id)) return false;
  } else if (same) {
    Presence presence(repo.cache(), state.table.size());
    if (!presence.Has(*entry.id)) return false;
    for (const auto& row : state.table.rows)
      if (!presence.Has({row.md5, false})) return false;
  } else {
    const auto listing = repo.cache().ReadDir(*entry.id);
    if (!listing) return false;
    Presence presence(repo.cache(), listing->entries.size());
    for (const DirEntry& e : listing->entries)
      if (!presence.Has({e.md5, false})) return false;
  }
  if (same) present_ns = now;
  return true;
}

}  // namespace

Result<std::vector<StageStatus>> Repo::GetStatus(const std::vector<std::string>& targets, bool recursive) {
  RONDO_TRY(const auto found, Find(targets, recursive));
  std::vector<StageStatus> all;
  for (const Target& target : found) {
    const Tracked& t = target.out;
    if (!t.stage.empty()) continue;
    const std::string name = Shown(t.file.string());
    if (all.empty() || all.back().name != name) {
      const auto it = std::find_if(all.begin(), all.end(), [&](const StageStatus& s) { return s.name == name; });
      if (it == all.end()) all.push_back({name, false, false, false, {}, {}});
      else std::rotate(it, it + 1, all.end());
    }
    const OutEntry& e = t.entry;
    auto scanned = ScanWorkspace(*this, t.path, false);
    if (!scanned && scanned.error().code == Code::kInvalid && e.id && e.cache && !e.legacy) {
      // A link to an object that left the cache: the object is what is missing.
      int64_t unused = 0;
      if (!AllPresent(*this, e, WorkspaceState{}, unused)) {
        all.back().outs.emplace_back(Shown(t.path), "not in cache");
        continue;
      }
    }
    if (!scanned) return std::unexpected(std::move(scanned).error());
    const WorkspaceState& state = *scanned;
    int64_t present_ns = state.present_ns;
    const char* what = nullptr;
    if (e.id && e.cache && !e.legacy && !e.cloud_versioned && !AllPresent(*this, e, state, present_ns)) what = "not in cache";
    else if (!state.exists) what = "deleted";
    else if (!e.id) what = "new";
    else if (!e.legacy && state.id != *e.id) what = "modified";
    if (state.exists && (state.stale || present_ns != state.present_ns)) SaveIndex(*this, t.path, state, present_ns);
    if (what) all.back().outs.emplace_back(Shown(t.path), what);
  }
  return all;
}

Result<VerifyResult> Repo::Verify(const VerifyOptions& options) {
  if (!(options.sample > 0 && options.sample <= 1)) return Fail(Code::kInvalid, "the share to read must be above 0 and at most 1");
  VerifyResult result;
  std::vector<Cache::Object> objects;
  Random random(options.seed);
  RONDO_DO(cache_.ForEach([&](const Cache::Object& o) {
    if (options.sample == 1 || random.Uniform() < options.sample) objects.push_back(o);
  }));
  // Read through the same pipeline as files of the workspace, in the order of the cache's folders.
  FileTable table;
  std::sort(objects.begin(), objects.end(), [](const Cache::Object& a, const Cache::Object& b) { return a.id < b.id; });
  for (const auto& o : objects) {
    FileTable::Row& row = table.Add(Cache::RelativePath(o.id));
    row.stat.size = o.size;
  }
  // Fill expects the stat data of a walk.
  Restat(cache_.objects(), table);
  if (table.size() > 0) RONDO_DO(Fill(cache_.objects(), table, nullptr, false, progress_));
  for (size_t i = 0; i < table.size(); ++i) {
    ++result.objects;
    result.bytes += table.rows[i].stat.size;
    if (table.rows[i].md5 != objects[i].id.md5) result.damaged.push_back(objects[i].id.Text());
  }
  // What the present `.dvc` files need and the cache doesn't have.
  RONDO_TRY(const auto outputs, Outputs());
  for (const Tracked& t : outputs) {
    if (!t.entry.id || !t.entry.cache || t.entry.legacy || t.entry.cloud_versioned || t.repo_import) continue;
    RONDO_TRY(const Needed needed, Objects({{t, {}}}));
    for (const auto& [path, id] : needed.missing)
      if (!cache_.Has(id)) result.missing.emplace_back(path, id.Text());
    for (const ObjectId& id : needed.objects)
      if (!cache_.Has(id)) result.missing.emplace_back(t.path, id.Text());
  }
  return result;
}

}  // namespace rondo::data::dvc
