// Push and fetch.
#include "data/remotes/sync.h"

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "data/dvc/presence.h"
#include "data/remotes/known.h"
#include "data/remotes/run_cache.h"
#include "data/remotes/wanted.h"

namespace rondo::data::remotes {
namespace {

void Unique(std::vector<ObjectId>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}
bool Contains(const std::vector<ObjectId>& sorted, const ObjectId& id) { return std::binary_search(sorted.begin(), sorted.end(), id); }

/// Failures of a transfer as problems with the names of files.
void AddProblems(SyncResult& result, const dvc::Repo& repo, const std::vector<Piece>& pieces, const Report& report) {
  std::vector<ObjectId> ids = report.missing;
  for (const auto& [id, error] : report.failed) ids.push_back(id);
  if (!ids.empty()) {
    const auto names = NamesOf(repo, pieces, ids);
    auto name = [&](const ObjectId& id) {
      const auto it = names.find(id);
      return it == names.end() ? std::string() : it->second;
    };
    for (const ObjectId& id : report.missing) result.problems.push_back({name(id), id.Text(), "it is not there", true});
    for (const auto& [id, error] : report.failed) result.problems.push_back({name(id), id.Text(), error.Text(), false});
  }
  if (report.stopped && !result.stopped) result.stopped = report.stopped;
  result.bytes += report.bytes;
  result.objects += report.done.size();
}

/// What one remote must get.
class PushTo {
 public:
  PushTo(dvc::Repo& repo, Remote& remote, const SyncOptions& options) : repo_(repo), remote_(remote), options_(options), transfer_{options.jobs, repo.progress()} {}

  Status Run(const std::vector<Piece>& pieces, SyncResult& result) {
    RONDO_DO(remote_.CheckWritable());
    const int64_t now = SystemClock().NowMs();
    KnownFolders known = KnownFolders::Load(repo_.tmp_dir(), remote_.Identity());
    RONDO_DO(Folders(pieces, known, now, result));
    for (const Piece& piece : pieces)
      if (!piece.id.dir) files_.push_back(piece.id);
    Unique(files_);

    std::vector<ObjectId> ask = files_;
    for (const auto& [id, listing] : listings_) ask.push_back(id);
    RONDO_TRY(std::vector<ObjectId> there, remote_.Present(ask, transfer_));
    dvc::Presence here(repo_.cache(), files_.size());
    std::vector<ObjectId> send;
    Report nowhere;
    for (const ObjectId& id : files_) {
      if (Contains(there, id)) continue;
      if (here.Has(id)) send.push_back(id);
      else nowhere.missing.push_back(id);
    }
    AddProblems(result, repo_, pieces, nowhere);
    const Report sent = remote_.Put(send, repo_.cache(), transfer_);
    AddProblems(result, repo_, pieces, sent);
    there.insert(there.end(), sent.done.begin(), sent.done.end());
    std::sort(there.begin(), there.end());

    // A folder's listing follows when all its files are there: whoever finds it finds them.
    std::vector<ObjectId> complete, send_folders;
    for (const auto& [id, listing] : listings_) {
      const bool whole = std::all_of(listing.entries.begin(), listing.entries.end(), [&](const dvc::DirEntry& e) { return Contains(there, {e.md5, false}); });
      if (!whole) continue;
      complete.push_back(id);
      if (!Contains(there, id)) send_folders.push_back(id);
    }
    if (!result.stopped) {
      const Report folders = remote_.Put(send_folders, repo_.cache(), transfer_);
      AddProblems(result, repo_, pieces, folders);
      there.insert(there.end(), folders.done.begin(), folders.done.end());
      std::sort(there.begin(), there.end());
    }
    for (const ObjectId& id : complete)
      if (Contains(there, id)) known.Add(id, now);
    return known.Save();
  }

 private:
  /// Listings of the folders that must be looked at; their files are added to files_. Folders that we know complete, and that are still there, are done.
  Status Folders(const std::vector<Piece>& pieces, KnownFolders& known, int64_t now, SyncResult& result) {
    std::vector<ObjectId> folders, believed;
    for (const Piece& piece : pieces)
      if (piece.id.dir) folders.push_back(piece.id);
    Unique(folders);
    for (const ObjectId& id : folders)
      if (!options_.ask_again && known.Has(id, now)) believed.push_back(id);
    if (!believed.empty()) {
      RONDO_TRY(const std::vector<ObjectId> there, remote_.Present(believed, transfer_));
      for (const ObjectId& id : believed)
        if (!Contains(there, id)) known.Remove(id);
      believed = there;
    }
    for (const ObjectId& id : folders) {
      if (Contains(believed, id)) continue;
      auto listing = repo_.cache().ReadDir(id);
      if (!listing) {
        // Not here: it may still be there whole, pushed by somebody else.
        Report report;
        if (listing.error().code == Code::kNotFound) {
          RONDO_TRY(const std::vector<ObjectId> there, remote_.Present(std::span(&id, 1), transfer_));
          if (there.empty()) report.missing.push_back(id);
        } else {
          report.failed.emplace_back(id, listing.error());
        }
        AddProblems(result, repo_, pieces, report);
        continue;
      }
      for (const dvc::DirEntry& e : listing->entries) files_.push_back({e.md5, false});
      listings_.emplace_back(id, std::move(*listing));
    }
    return {};
  }

  dvc::Repo& repo_;
  Remote& remote_;
  const SyncOptions& options_;
  TransferOptions transfer_;
  std::vector<ObjectId> files_;
  std::vector<std::pair<ObjectId, dvc::DirListing>> listings_;
};

Status FetchFrom(dvc::Repo& repo, Remote& remote, const SyncOptions& options, const std::vector<Piece>& pieces, SyncResult& result) {
  const TransferOptions transfer{options.jobs, repo.progress()};
  const Cache& cache = repo.cache();
  std::vector<ObjectId> folders, files;
  for (const Piece& piece : pieces) {
    if (!piece.id.dir) files.push_back(piece.id);
    else if (!cache.ReadDir(piece.id)) folders.push_back(piece.id);  // a damaged listing is fetched again
  }
  Unique(folders);
  if (!folders.empty()) AddProblems(result, repo, pieces, remote.Get(folders, cache, transfer));
  if (result.stopped) return {};
  for (const Piece& piece : pieces) {
    if (!piece.id.dir) continue;
    const auto listing = cache.ReadDir(piece.id);
    if (!listing) continue;  // named above
    for (const dvc::DirEntry& e : listing->entries)
      if (Wants(piece, e.path)) files.push_back({e.md5, false});
  }
  Unique(files);
  dvc::Presence here(cache, files.size());
  std::erase_if(files, [&](const ObjectId& id) { return here.Has(id); });
  if (!files.empty()) AddProblems(result, repo, pieces, remote.Get(files, cache, transfer));
  return {};
}

Piece RunPiece(const ObjectId& id) {
  Piece piece;
  piece.path = "(run cache)";
  piece.id = id;
  return piece;
}

void RefuseLegacy(std::vector<Piece>& pieces, SyncResult& result) {
  std::erase_if(pieces, [&](const Piece& piece) {
    if (piece.legacy) result.problems.push_back({piece.path, piece.id.Text(), "it is an object of DVC 2 (no `hash: md5`): `dvc cache migrate --dvc-files` with DVC itself brings it up to date", false});
    return piece.legacy;
  });
}

void SortProblems(SyncResult& result) {
  std::sort(result.problems.begin(), result.problems.end(), [](const SyncProblem& a, const SyncProblem& b) { return std::tie(a.path, a.object) < std::tie(b.path, b.object); });
}

}  // namespace

Result<SyncResult> Push(dvc::Repo& repo, const SyncOptions& options) {
  SyncResult result;
  RONDO_TRY(PieceList list, CollectPieces(repo, options));
  RefuseLegacy(list.pieces, result);
  std::erase_if(list.pieces, [](const Piece& piece) { return !piece.push || piece.from_repo; });
  RONDO_TRY(auto groups, ByRemote(repo, list.pieces, options.remote));
  if (groups.empty() || options.run_cache) {
    std::string name = options.remote;
    if (name.empty()) {
      RONDO_TRY(name, DefaultRemote(repo.config()));
    }
    groups[name];
  }
  for (auto& [name, pieces] : groups) {
    RONDO_TRY(const auto remote, OpenRemote(repo.config(), name));
    if (options.run_cache && remote->CheckWritable()) {
      RONDO_TRY(const RunCacheResult runs, PushRuns(repo.cache(), *remote));
      result.objects += runs.files;
      // What an entry names and nobody has any more is no loss of this push.
      for (const ObjectId& id : runs.objects)
        if (repo.cache().Has(id)) pieces.push_back(RunPiece(id));
    }
    PushTo push(repo, *remote, options);
    RONDO_DO(push.Run(pieces, result));
    if (result.stopped) break;
  }
  SortProblems(result);
  return result;
}

Result<SyncResult> Fetch(dvc::Repo& repo, const SyncOptions& options) {
  SyncResult result;
  RONDO_TRY(PieceList list, CollectPieces(repo, options));
  RefuseLegacy(list.pieces, result);
  RONDO_TRY(auto groups, ByRemote(repo, list.pieces, options.remote));
  if (options.run_cache) {
    std::string name = options.remote;
    if (name.empty()) {
      RONDO_TRY(name, DefaultRemote(repo.config()));
    }
    groups[name];
  }
  for (auto& [name, pieces] : groups) {
    RONDO_TRY(const auto remote, OpenRemote(repo.config(), name));
    if (options.run_cache) {
      RONDO_TRY(const RunCacheResult runs, FetchRuns(repo.cache(), *remote));
      result.objects += runs.files;
      std::vector<ObjectId> wanted = runs.objects;
      Unique(wanted);
      RONDO_TRY(const std::vector<ObjectId> there, remote->Present(wanted, {options.jobs, {}}));
      for (const ObjectId& id : there) pieces.push_back(RunPiece(id));
    }
    RONDO_DO(FetchFrom(repo, *remote, options, pieces, result));
    if (result.stopped) break;
  }
  SortProblems(result);
  return result;
}

Result<SyncResult> Repair(dvc::Repo& repo, const std::string& remote_name, const std::vector<ObjectId>& objects) {
  SyncResult result;
  if (objects.empty()) return result;
  RONDO_TRY(const auto remote, OpenRemote(repo.config(), remote_name));
  AddProblems(result, repo, {}, remote->Get(objects, repo.cache(), {0, repo.progress()}));
  return result;
}

Result<CloudStatus> CompareWithRemote(dvc::Repo& repo, const SyncOptions& options) {
  CloudStatus status;
  RONDO_TRY(PieceList list, CollectPieces(repo, options));
  std::erase_if(list.pieces, [](const Piece& piece) { return piece.legacy || piece.from_repo; });
  status.remote = options.remote;
  if (status.remote.empty()) {
    RONDO_TRY(status.remote, DefaultRemote(repo.config()));
  }
  RONDO_TRY(auto groups, ByRemote(repo, list.pieces, options.remote));
  std::set<std::pair<std::string, std::string>> entries;
  for (const auto& [name, pieces] : groups) {
    RONDO_TRY(const auto remote, OpenRemote(repo.config(), name));
    // A listing that is only there is read from there, into the cache, as DVC does.
    std::vector<ObjectId> folders;
    for (const Piece& piece : pieces)
      if (piece.id.dir && !repo.cache().Has(piece.id)) folders.push_back(piece.id);
    Unique(folders);
    if (!folders.empty()) {
      const Report report = remote->Get(folders, repo.cache(), {options.jobs, {}});
      if (report.stopped) return std::unexpected(*report.stopped);
    }
    std::vector<std::pair<std::string, ObjectId>> names;
    std::vector<ObjectId> ids;
    for (const Piece& piece : pieces) {
      names.emplace_back(piece.path, piece.id);
      if (!piece.id.dir) continue;
      if (const auto listing = repo.cache().ReadDir(piece.id))
        for (const dvc::DirEntry& e : listing->entries)
          if (Wants(piece, e.path)) names.emplace_back(piece.path + "/" + e.path, ObjectId{e.md5, false});
    }
    for (const auto& [path, id] : names) ids.push_back(id);
    Unique(ids);
    RONDO_TRY(const std::vector<ObjectId> there, remote->Present(ids, {options.jobs, {}}));
    dvc::Presence here(repo.cache(), ids.size());
    for (const auto& [path, id] : names) {
      const bool local = here.Has(id), far = Contains(there, id);
      if (local != far || !local) entries.emplace(path, local ? "new" : far ? "deleted" : "missing");
    }
  }
  status.entries.assign(entries.begin(), entries.end());
  return status;
}

Result<RemoteGcResult> CollectRemote(dvc::Repo& repo, const std::string& remote_name, const std::set<ObjectId>& named, bool dry) {
  RONDO_TRY(const auto remote, OpenRemote(repo.config(), remote_name));
  RONDO_DO(remote->CheckWritable());
  RONDO_TRY(const std::vector<StoredObject> all, remote->ListObjects({}));
  std::vector<ObjectId> keep(named.begin(), named.end()), far;
  for (const ObjectId& id : named)
    if (id.dir && !repo.cache().Has(id)) far.push_back(id);
  // Which files a folder needs is known from its listing only: one that is just there is read from there.
  const Report listings = remote->Get(far, repo.cache(), {0, {}});
  if (listings.stopped) return std::unexpected(*listings.stopped);
  if (!listings.failed.empty()) return Fail(Code::kFailedCheck, "gc refuses: " + listings.failed.front().second.message, listings.failed.front().second.hint);
  for (const ObjectId& id : named) {
    if (!id.dir) continue;
    const auto listing = repo.cache().ReadDir(id);
    if (!listing && listing.error().code == Code::kNotFound) continue;  // nowhere: nobody can know its files
    if (!listing) return Fail(Code::kFailedCheck, "gc refuses: " + listing.error().message, listing.error().hint);
    for (const dvc::DirEntry& e : listing->entries) keep.push_back({e.md5, false});
  }
  Unique(keep);
  RemoteGcResult result;
  std::vector<ObjectId> folders, files;
  for (const StoredObject& o : all) {
    if (Contains(keep, o.id)) {
      ++result.kept;
      continue;
    }
    (o.id.dir ? folders : files).push_back(o.id);
    ++result.removed;
    result.bytes += o.size;
  }
  if (dry) return result;
  KnownFolders known = KnownFolders::Load(repo.tmp_dir(), remote->Identity());
  for (const ObjectId& id : folders) known.Remove(id);
  RONDO_DO(known.Save());
  RONDO_DO(remote->Delete(folders));
  RONDO_DO(remote->Delete(files));
  return result;
}

}  // namespace rondo::data::remotes
