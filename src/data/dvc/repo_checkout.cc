// Out of the cache: checkout, unprotect.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/hash.h"
#include "base/id.h"
#include "data/dvc/links.h"
#include "data/dvc/materialize.h"
#include "data/dvc/presence.h"
#include "data/dvc/repo.h"
#include "data/dvc/walk.h"
#include "data/dvc/workspace.h"

namespace rondo::data::dvc {
namespace {

bool Inside(std::string_view path, std::string_view folder) { return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/'; }

struct Plan {
  FileTable wanted;             ///< what the output shall be; unchanged rows are known, with their stat data
  std::vector<size_t> make;     ///< rows of `wanted`
  std::vector<std::string> remove;  ///< files, relative to the table's folder
  std::vector<std::string> unsaved;
  uint64_t added = 0, modified = 0, deleted = 0;
  bool make_executable = false;     ///< of a single file
};

/// Removes files and the folders that become empty; never over a link.
Status RemoveFiles(const fs::path& root, const std::string& folder, const std::vector<std::string>& files) {
  RONDO_TRY(Beneath beneath, Beneath::Open(root));
  std::set<std::string, std::greater<>> parents;
  for (const std::string& file : files) {
    const fs::path path = fs::path(folder) / file;
    RONDO_TRY(const int dir, beneath.Folder(path.parent_path().string(), false));
    if (::unlinkat(dir, path.filename().c_str(), 0) != 0 && errno != ENOENT) return std::unexpected(SystemError("remove", root / path, errno));
    for (fs::path p = fs::path(file).parent_path(); !p.empty(); p = p.parent_path()) parents.insert(p.string());
  }
  // The longest first: children before their parents.
  std::vector<std::string> ordered(parents.begin(), parents.end());
  std::sort(ordered.begin(), ordered.end(), [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  for (const std::string& p : ordered) ::rmdir((root / folder / p).c_str());
  return {};
}

/// Makes a file's content the workspace's own again: a copy, writable.
Status Unlink(const fs::path& path) {
  struct stat st;
  if (::lstat(path.c_str(), &st) != 0) return std::unexpected(SystemError("look at", path, errno));
  if (S_ISLNK(st.st_mode) || st.st_nlink > 1) {
    std::error_code ec;
    const fs::path temporary = TemporaryBeside(path);
    if (!fs::copy_file(fs::canonical(path, ec), temporary, ec) || ec) {
      fs::remove(temporary, ec);
      return std::unexpected(SystemError("copy", path, ec.value()));
    }
    ::chmod(temporary.c_str(), 0644);
    return PublishFile(temporary, path);
  }
  if (::chmod(path.c_str(), (st.st_mode & 07777) | 0200) != 0) return std::unexpected(SystemError("set the mode of", path, errno));
  return {};
}

class Checkouter {
 public:
  Checkouter(Repo& repo, const CheckoutOptions& options, CheckoutResult& result) : repo_(repo), options_(options), result_(result) {}

  struct Job {
    Repo::Target target;
    WorkspaceState state;
    Plan plan;
    bool missing = false;  ///< the listing isn't in the cache
  };

  Status Prepare(Job& job) {
    const Tracked& t = job.target.out;
    RONDO_TRY(job.state, ScanWorkspace(repo_, t.path, false));
    // What it shall be.
    FileTable& wanted = job.plan.wanted;
    if (t.entry.id->dir) {
      auto listing = repo_.cache().ReadDir(*t.entry.id);
      if (!listing) {
        if (listing.error().code == Code::kFailedCheck) result_.damaged.push_back(t.entry.id->Text());
        else if (listing.error().code != Code::kNotFound) return std::unexpected(std::move(listing).error());
        job.missing = true;
        return {};
      }
      std::sort(listing->entries.begin(), listing->entries.end(), [](const DirEntry& a, const DirEntry& b) { return a.path < b.path; });
      for (const DirEntry& e : listing->entries) wanted.Add(e.path).md5 = e.md5;
    } else {
      FileTable::Row& row = wanted.Add(fs::path(t.path).filename().string());
      row.md5 = t.entry.id->md5;
      row.executable = t.entry.isexec;
    }
    // What has to be done. Both sides are sorted.
    const FileTable& have = job.state.table;
    const bool comparable = job.state.exists && job.state.is_dir == t.entry.id->dir;
    size_t j = 0;
    auto concerned = [&](std::string_view path) { return job.target.inside.empty() || path == job.target.inside || Inside(path, job.target.inside); };
    auto drop = [&](size_t k, bool gone) {
      const std::string path(have.path(k));
      if (!saved(have.rows[k].md5)) job.plan.unsaved.push_back(repo_.Shown((fs::path(job.state.is_dir ? t.path : fs::path(t.path).parent_path().string()) / path).string()));
      if (gone) {
        job.plan.remove.push_back(path);
        ++job.plan.deleted;
      }
    };
    for (size_t i = 0; i < wanted.size(); ++i) {
      const std::string_view path = wanted.path(i);
      for (; comparable && j < have.size() && have.path(j) < path; ++j)
        if (concerned(have.path(j))) drop(j, true);
      FileTable::Row& row = wanted.rows[i];
      const bool there = comparable && j < have.size() && have.path(j) == path;
      const bool same = there && have.rows[j].md5 == row.md5;
      if (there && (same || !concerned(path))) {
        row.stat = have.rows[j].stat;
        row.known = same;
      }
      if (concerned(path)) {
        const bool mode_differs = same && (have.rows[j].executable != 0) != (row.executable != 0);
        if (!there) ++job.plan.added;
        else if (!same || mode_differs) ++job.plan.modified;  // DVC counts a lost or an extra x bit, too
        if (!same || options_.relink) job.plan.make.push_back(i);
        else if (mode_differs && row.executable) job.plan.make_executable = true;
        if (there && !same) drop(j, false);
      }
      if (there) ++j;
    }
    for (; comparable && j < have.size(); ++j)
      if (concerned(have.path(j))) drop(j, true);
    // A folder where a file shall be, or the other way round.
    if (job.state.exists && !comparable)
      for (size_t k = 0; k < have.size(); ++k) drop(k, true);
    return {};
  }

  Status Apply(Job& job) {
    const Tracked& t = job.target.out;
    const std::string parent = fs::path(t.path).parent_path().string();
    const std::string folder = t.entry.id->dir ? t.path : parent;
    if (!job.plan.remove.empty()) {
      RONDO_DO(RemoveFiles(repo_.root(), job.state.is_dir ? t.path : parent, job.plan.remove));
      if (job.state.is_dir && !t.entry.id->dir) ::rmdir((repo_.root() / t.path).c_str());
    }
    if (job.plan.make.empty() && job.plan.remove.empty() && job.state.exists) {
      struct stat st;
      const fs::path path = repo_.root() / t.path;
      if (job.plan.make_executable && ::stat(path.c_str(), &st) == 0) ::chmod(path.c_str(), (st.st_mode & 07777) | S_IXUSR);
      if (job.plan.modified > 0) result_.modified.push_back(repo_.Shown(t.entry.id->dir ? t.path + "/" : t.path));
      result_.files_modified += job.plan.modified;
      if (job.state.stale) SaveIndex(repo_, t.path, job.state, job.state.present_ns);
      return {};
    }
    if (!job.plan.make.empty() && !kind_) {
      RONDO_TRY(const auto kinds, ParseLinkKinds(repo_.config().GetOr("cache", "type", "reflink,copy")));
      RONDO_DO(MakeDirs(repo_.cache().objects()));
      RONDO_TRY(kind_, ProbeLinkKind(kinds, repo_.cache().objects(), repo_.root()));
    }
    // A folder that isn't there yet is made beside its place and gets its name when it is whole.
    const int64_t scanned = FileClockNs();
    const bool fresh = t.entry.id->dir && !job.state.exists && job.target.inside.empty();
    std::string into = folder;
    if (fresh) {
      RONDO_TRY(Beneath beneath, Beneath::Open(repo_.root()));
      RONDO_TRY(const int dir, beneath.Folder(parent, true));
      const std::string name = "." + fs::path(t.path).filename().string().substr(0, 200) + "." + RandomHex(6) + ".tmp";
      if (::mkdirat(dir, name.c_str(), 0777) != 0) return std::unexpected(SystemError("create", repo_.root() / parent / name, errno));
      into = parent.empty() ? name : parent + "/" + name;
    }
    MadeFiles made;
    if (!job.plan.make.empty()) {
      auto tried = Materialize(repo_.cache(), repo_.root(), into, job.plan.wanted, job.plan.make, kind_.value_or(LinkKind::kCopy), fresh, repo_.progress());
      if (!tried) {
        std::error_code ec;
        if (fresh) fs::remove_all(repo_.root() / into, ec);
        return std::unexpected(std::move(tried).error());
      }
      made = std::move(*tried);
    }
    if (fresh && ::rename((repo_.root() / into).c_str(), (repo_.root() / folder).c_str()) != 0) {
      const int why = errno;
      std::error_code ec;
      fs::remove_all(repo_.root() / into, ec);
      return std::unexpected(SystemError("create", repo_.root() / folder, why));
    }
    for (const auto& [row, md5] : made.damaged) result_.damaged.push_back(job.plan.wanted.rows[row].md5.Hex());
    if (!made.missing.empty() || !made.damaged.empty()) {
      result_.failed.push_back(repo_.Shown(t.path));
      DropIndex(repo_, t.path);
    }
    // What is known now, for the next status.
    WorkspaceState now;
    now.exists = true;
    now.is_dir = t.entry.id->dir;
    now.scanned_ns = scanned;
    now.table = std::move(job.plan.wanted);
    now.id = *t.entry.id;
    if (kind_ == LinkKind::kHardlink) Restat(repo_.root() / folder, now.table);  // every link changes the ctime of the others
    // Files made in this very tick are re-read once by the next scan, unless it is over by then.
    now.scanned_ns = std::max(scanned, FileClockNs());
    if (made.missing.empty() && made.damaged.empty()) SaveIndex(repo_, t.path, now, 0);
    result_.files_added += job.plan.added;
    result_.files_modified += job.plan.modified;
    result_.files_deleted += job.plan.deleted;
    if (made.missing.empty() && made.damaged.empty()) {
      const std::string shown = repo_.Shown(t.entry.id->dir ? t.path + "/" : t.path);
      if (!job.state.exists) result_.added.push_back(shown);
      else if (job.plan.added + job.plan.modified + job.plan.deleted > 0 || *t.entry.id != job.state.id) result_.modified.push_back(shown);
    }
    return {};
  }

 private:
  bool saved(const Md5& md5) {
    if (!presence_) presence_.emplace(repo_.cache(), 0);
    return presence_->Has({md5, false});
  }

  Repo& repo_;
  const CheckoutOptions& options_;
  CheckoutResult& result_;
  std::optional<LinkKind> kind_;
  std::optional<Presence> presence_;
};

/// Outputs we put into the workspace that nothing tracks any more: removed when they are still as we left them and the cache has all of it.
Status RemoveUntracked(Repo& repo, const std::vector<Tracked>& outputs, CheckoutResult& result) {
  std::set<std::string> tracked;
  for (const Tracked& t : outputs) tracked.insert(t.path);
  std::error_code ec;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(repo.tmp_dir() / "rondo" / "index", ec), end; !ec && it != end; it.increment(ec)) files.push_back(it->path());
  for (const fs::path& file : files) {
    const auto index = StatIndex::Open(file);
    if (!index || index->output().empty()) continue;
    const std::string path(index->output());
    if (tracked.contains(path) || !WhyUnsafe(path).empty()) continue;
    if (std::any_of(outputs.begin(), outputs.end(), [&](const Tracked& t) { return Inside(path, t.path) || Inside(t.path, path); })) continue;
    const auto state = ScanWorkspace(repo, path, false);
    if (!state || !state->exists || !index->id() || state->id != *index->id()) continue;
    Presence presence(repo.cache(), state->table.size());
    bool all = !state->is_dir || presence.Has(state->id);
    for (const auto& row : state->table.rows) all = all && presence.Has({row.md5, false});
    if (!all) continue;
    std::vector<std::string> names;
    for (size_t i = 0; i < state->table.size(); ++i) names.emplace_back(state->table.path(i));
    RONDO_DO(RemoveFiles(repo.root(), state->is_dir ? path : fs::path(path).parent_path().string(), names));
    if (state->is_dir) ::rmdir((repo.root() / path).c_str());
    fs::remove(file, ec);
    result.deleted.push_back(repo.Shown(path));
    ++result.files_deleted;
  }
  return {};
}

}  // namespace

Result<CheckoutResult> Repo::Checkout(const std::vector<std::string>& targets, const CheckoutOptions& options, bool recursive) {
  RONDO_TRY(const Lock lock, TakeLock());
  RONDO_TRY(const auto found, Find(targets, recursive));
  CheckoutResult result;
  if (targets.empty()) {
    RONDO_TRY(const auto outputs, Outputs());
    RONDO_DO(RemoveUntracked(*this, outputs, result));
  }
  Checkouter checkouter(*this, options, result);
  std::vector<Checkouter::Job> jobs;
  for (const Target& target : found) {
    const OutEntry& e = target.out.entry;
    if (!e.cache || !e.id || e.cloud_versioned) continue;
    if (e.legacy) {
      result.failed.push_back(Shown(target.out.path));
      continue;
    }
    jobs.push_back({target, {}, {}, false});
    RONDO_DO(checkouter.Prepare(jobs.back()));
    if (jobs.back().missing) result.failed.push_back(Shown(target.out.path));
    if (!options.force) result.unsaved.insert(result.unsaved.end(), jobs.back().plan.unsaved.begin(), jobs.back().plan.unsaved.end());
  }
  if (!result.unsaved.empty()) return result;
  for (auto& job : jobs)
    if (!job.missing) RONDO_DO(checkouter.Apply(job));
  auto order = [](std::vector<std::string>& v) {
    // Folders first, as DVC prints them.
    std::sort(v.begin(), v.end(), [](const std::string& a, const std::string& b) { return std::pair(!a.ends_with('/'), a) < std::pair(!b.ends_with('/'), b); });
  };
  order(result.added);
  order(result.modified);
  order(result.deleted);
  return result;
}

rondo::Status Repo::Unprotect(const std::string& target) {
  RONDO_TRY(const Lock lock, TakeLock());
  RONDO_TRY(const std::string path, Relative(target));
  const fs::path absolute = root_ / path;
  RONDO_TRY(const OneFile one, LookAt(absolute));
  if (!one.exists) return Fail(Code::kNotFound, fmt::format("can't unprotect non-existing data '{}'", target));
  if (!one.is_dir) return Unlink(absolute);
  RONDO_TRY(const FileTable table, Walk(root_, path, *ignore_));
  for (size_t i = 0; i < table.size(); ++i) RONDO_DO(Unlink(absolute / table.path(i)));
  return {};
}

}  // namespace rondo::data::dvc
