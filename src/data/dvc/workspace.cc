#include "data/dvc/workspace.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "data/dvc/ignore.h"
#include "data/dvc/walk.h"

namespace rondo::data::dvc {

DirListing WorkspaceState::Listing() const {
  DirListing listing;
  listing.entries.reserve(table.size());
  for (size_t i = 0; i < table.size(); ++i) listing.entries.push_back({std::string(table.path(i)), table.rows[i].md5});
  listing.Sort();  // code points; the table has bytes: they differ only for names that are no UTF-8
  return listing;
}

fs::path IndexFile(const Repo& repo, std::string_view path) { return repo.tmp_dir() / "rondo" / "index" / fmt::format("{:016x}.idx", Xxh3(path)); }

Result<WorkspaceState> ScanWorkspace(const Repo& repo, const std::string& path, bool store, bool hardlink) {
  WorkspaceState state;
  const fs::path absolute = repo.root() / path;
  state.scanned_ns = FileClockNs();
  RONDO_TRY(const OneFile one, LookAt(absolute));
  state.exists = one.exists;
  state.is_dir = one.is_dir;
  if (!one.exists) return state;
  if (one.is_dir) {
    state.folder = absolute;
    RONDO_TRY(state.table, Walk(repo.root(), path, repo.ignore()));
  } else {
    state.folder = absolute.parent_path();
    state.executable = one.executable;
    FileTable::Row& row = state.table.Add(absolute.filename().string());
    row.stat = one.stat;
    row.executable = one.executable;
  }
  size_t known = 0, racy = 0;
  std::optional<ObjectId> id;
  if (const auto index = StatIndex::Open(IndexFile(repo, path)); index && index->output() == path) {
    known = index->Apply(state.table, &racy);
    state.present_ns = index->present_ns();
    if (known == state.table.size() && index->size() == known && index->id() && index->id()->dir == one.is_dir) id = index->id();
    state.stale = racy > 0 || index->size() != known;
  } else {
    state.stale = true;
  }
  if (known < state.table.size() || store) {
    RONDO_TRY(state.filled, Fill(state.folder, state.table, store ? &repo.cache() : nullptr, hardlink, repo.progress()));
    state.stale = state.stale || state.filled.read_files > 0;
  }
  state.size = state.table.TotalSize();
  if (!one.is_dir) state.executable = state.table.rows[0].executable;
  if (id) state.id = *id;
  else if (one.is_dir) state.id = state.Listing().Id();
  else state.id = {state.table.rows[0].md5, false};
  return state;
}

void SaveIndex(const Repo& repo, const std::string& path, const WorkspaceState& state, int64_t present_ns) {
  (void)StatIndex::Write(IndexFile(repo, path), path, state.table, state.scanned_ns, state.id, present_ns);
}
void DropIndex(const Repo& repo, std::string_view path) {
  std::error_code ec;
  fs::remove(IndexFile(repo, path), ec);
}

}  // namespace rondo::data::dvc
