// Into the cache: add and commit.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "data/dvc/git.h"
#include "data/dvc/git_ignore.h"
#include "data/dvc/ignore.h"
#include "data/dvc/links.h"
#include "data/dvc/materialize.h"
#include "data/dvc/presence.h"
#include "data/dvc/repo.h"
#include "data/dvc/stages.h"
#include "data/dvc/walk.h"
#include "data/dvc/workspace.h"

namespace rondo::data::dvc {
namespace {

bool Inside(std::string_view path, std::string_view folder) { return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/'; }

/// The kind of link that files get: probed once, and only when it matters.
Result<LinkKind> LinkOf(const Repo& repo) {
  RONDO_TRY(const auto kinds, ParseLinkKinds(repo.config().GetOr("cache", "type", "reflink,copy")));
  RONDO_DO(MakeDirs(repo.cache().objects()));
  return ProbeLinkKind(kinds, repo.cache().objects(), repo.root());
}

/// After the content is in the cache: the workspace's files become links to it.
Status Relink(const Repo& repo, const std::string& path, WorkspaceState& state, LinkKind kind) {
  if (kind == LinkKind::kHardlink) {  // linked while it was read
    Restat(state.folder, state.table);
    state.scanned_ns = FileClockNs();
    state.stale = true;
    return {};
  }
  std::vector<size_t> rows;
  for (size_t i = 0; i < state.table.size(); ++i)
    if (state.table.rows[i].stat.size > 0) rows.push_back(i);
  const std::string folder = state.is_dir ? path : fs::path(path).parent_path().string();
  RONDO_TRY(const MadeFiles made, Materialize(repo.cache(), repo.root(), folder, state.table, rows, kind, false, repo.progress()));
  if (!made.missing.empty() || !made.damaged.empty()) return Fail(Code::kInternal, fmt::format("the objects of {} left the cache while it was added", path));
  state.scanned_ns = FileClockNs();
  state.stale = true;
  return {};
}

/// Content, then listing, then the index; what names them comes after.
Result<WorkspaceState> Store(const Repo& repo, const std::string& path, bool no_commit, bool relink, std::optional<LinkKind>& kind) {
  if (no_commit) {
    RONDO_TRY(WorkspaceState state, ScanWorkspace(repo, path, false));
    return state;
  }
  if (!kind) {
    RONDO_TRY(kind, LinkOf(repo));
  }
  const bool hardlink = relink && *kind == LinkKind::kHardlink;
  RONDO_TRY(WorkspaceState state, ScanWorkspace(repo, path, true, hardlink));
  if (state.is_dir) RONDO_DO(repo.cache().PutListing(state.Listing()));
  if (relink && state.exists && (hardlink ? state.filled.read_files > 0 : *kind == LinkKind::kSymlink)) RONDO_DO(Relink(repo, path, state, *kind));
  if (relink && state.exists && !state.is_dir && state.executable && *kind != LinkKind::kCopy && *kind != LinkKind::kReflink) {
    // A link has the object's mode: the x bit is given back, as DVC does.
    struct stat st;
    const fs::path file = repo.root() / path;
    if (::stat(file.c_str(), &st) == 0) ::chmod(file.c_str(), (st.st_mode & 07777) | S_IXUSR);
    Restat(state.folder, state.table);
    state.scanned_ns = FileClockNs();
    state.stale = true;
  }
  return state;
}

/// Writes the `.dvc` when its text changes.
Result<bool> WriteDvc(const Repo& repo, const fs::path& file, const DvcFile& dvc, const std::string& old_text) {
  const std::string text = dvc.Text(old_text);
  if (text == old_text) return false;
  RONDO_DO(WriteFileAtomic(repo.root() / file, text));
  return true;
}

}  // namespace

Result<std::vector<AddedFile>> Repo::Add(const std::vector<std::string>& targets, const AddOptions& options) {
  RONDO_TRY(const Lock lock, TakeLock());
  RONDO_TRY(std::vector<Tracked> outputs, Outputs());
  std::vector<AddedFile> added;
  std::optional<LinkKind> kind;
  // All targets are checked before any is read.
  struct Job {
    std::string path;          ///< what is read
    const Tracked* out;        ///< the output it is, or is inside of; null: a new one
    std::string inside;
  };
  std::vector<Job> jobs;
  for (const std::string& typed : targets) {
    RONDO_TRY(const std::string path, Relative(typed));
    if (path.empty()) return Fail(Code::kInvalid, "the whole repository can't be an output", "name a folder or a file in it");
    if (const auto why = WhyUnsafe(path); !why.empty()) return Fail(Code::kInvalid, fmt::format("'{}' can't be tracked: {}", typed, why));
    if (IsStageFile(path)) return Fail(Code::kInvalid, fmt::format("stage file '{}' cannot be an output", typed), "name the data, not the file that describes them");
    Job job{path, nullptr, {}};
    for (const Tracked& t : outputs) {
      if (t.path == path) {
        if (!t.stage.empty() || t.import)
          return Fail(Code::kConflict, fmt::format("cannot update '{}': overlaps with an output of stage: '{}' in '{}'.\nRun the pipeline or use 'dvc commit' to force update it.", typed,
                                                   t.stage.empty() ? t.file.string() : t.stage, t.file.string()));
        job.out = &t;
      } else if (Inside(path, t.path)) {
        if (!t.stage.empty()) return Fail(Code::kConflict, fmt::format("cannot update '{}': overlaps with an output of stage: '{}' in '{}'.\nRun the pipeline or use 'dvc commit' to force update it.", typed, t.stage, t.file.string()));
        if (!t.IsDir()) return Fail(Code::kConflict, fmt::format("Cannot modify '{}' which is being tracked as a file", Shown(t.path)));
        job.out = &t;
        job.inside = path.substr(t.path.size() + 1);
      } else if (Inside(t.path, path)) {
        return Fail(Code::kConflict, fmt::format("Cannot add '{0}', because it is overlapping with other DVC tracked output: '{1}'.\nTo include '{1}' in '{0}', run 'dvc remove {2}' and then 'dvc add {0}'", Shown(path), Shown(t.path), Shown(t.Addressing())));
      }
    }
    RONDO_TRY(const OneFile one, LookAt(root_ / path));
    if (!one.exists && job.inside.empty()) return Fail(Code::kNotFound, fmt::format("output '{}' does not exist", Shown(path)));
    if (!job.out) {
      if (const auto match = ignore_->Check(path, one.is_dir); match.ignored) return Fail(Code::kInvalid, fmt::format("Path '{}' is ignored by\n{}", Shown(path), match.source));
      if (has_git_ && Git(root_).Tracks(path))
        return Fail(Code::kConflict, fmt::format(" output '{0}' is already tracked by SCM (e.g. Git).\n    You can remove it from Git, then add to DVC.\n        To stop tracking from Git:\n            git rm -r --cached '{0}'\n            git commit -m \"stop tracking {0}\" ", Shown(path)));
    }
    jobs.push_back(std::move(job));
  }

  for (const Job& job : jobs) {
    AddedFile done;
    done.path = job.out ? job.out->path : job.path;
    done.dvc_file = job.out ? job.out->file : fs::path(job.path + ".dvc");
    const fs::path file = root_ / done.dvc_file;
    std::string old_text;
    DvcFile dvc = DvcFile::ForOutput(fs::path(job.path).filename().string());
    if (job.out || fs::exists(file)) {
      RONDO_TRY(old_text, ReadFile(file, size_t{16} << 20));
      RONDO_TRY(dvc, DvcFile::Parse(old_text, done.dvc_file.string()));
    }
    OutEntry* out = nullptr;
    for (OutEntry& o : dvc.outs)
      if (!job.out || o.path == job.out->entry.path) out = &o;
    if (!out) return Fail(Code::kInvalid, fmt::format("{} names no output {}", done.dvc_file.string(), done.path));
    if (out->cloud_versioned) return Fail(Code::kUnsupported, fmt::format("{} is cloud-versioned: it isn't rewritten here", done.dvc_file.string()));

    if (!job.inside.empty()) {
      // A path within a tracked folder: its listing changes, the rest needn't be here.
      DirListing listing;
      if (out->id) {
        RONDO_TRY(listing, cache_.ReadDir(*out->id));
      }
      RONDO_TRY(WorkspaceState state, Store(*this, job.path, options.no_commit, options.relink, kind));
      const size_t before = listing.entries.size();
      std::erase_if(listing.entries, [&](const DirEntry& e) { return e.path == job.inside || Inside(e.path, job.inside); });
      const bool appended = listing.entries.size() == before;
      if (!state.exists && appended) return Fail(Code::kNotFound, fmt::format("output '{}' does not exist", Shown(job.path)));
      for (size_t i = 0; i < state.table.size(); ++i)
        listing.entries.push_back({state.is_dir ? job.inside + "/" + std::string(state.table.path(i)) : job.inside, state.table.rows[i].md5});
      listing.Sort();
      const ObjectId id = listing.Id();
      // The size is known when something was only added, or nothing changed; else it is left out, as DVC does.
      std::optional<uint64_t> size;
      if (state.exists && appended && out->size) size = *out->size + state.size;
      else if (out->id && *out->id == id) size = out->size;
      if (!options.no_commit || out->cache) RONDO_DO(cache_.PutListing(listing));
      const uint64_t files = listing.entries.size();
      SetOutput(*out, id, size.value_or(0), files, false);
      if (!size) out->node.Erase("size");
      done.id = id;
      done.size = size.value_or(0);
      done.files = files;
      done.new_objects = state.filled.new_objects;
      done.new_bytes = state.filled.new_bytes;
      DropIndex(*this, job.path);
    } else {
      RONDO_TRY(WorkspaceState state, Store(*this, job.path, options.no_commit, options.relink, kind));
      SetOutput(*out, state.id, state.size, state.is_dir ? std::optional<uint64_t>(state.table.size()) : std::nullopt, !state.is_dir && state.executable);
      if (state.stale || state.filled.read_files > 0) SaveIndex(*this, job.path, state, options.no_commit ? 0 : state.scanned_ns);
      done.id = state.id;
      done.size = state.size;
      done.files = state.table.size();
      done.new_objects = state.filled.new_objects;
      done.new_bytes = state.filled.new_bytes;
    }
    if (!options.description.empty()) out->node.Set("desc", Yaml::String(options.description));
    if (!options.type.empty()) out->node.Set("type", Yaml::String(options.type));
    if (!options.labels.empty()) {
      Yaml labels = Yaml::List();
      for (const std::string& l : options.labels) labels.items.push_back(Yaml::String(l));
      out->node.Set("labels", std::move(labels));
    }
    RONDO_TRY(const std::string ignored, AddToGitIgnore(*this, done.path));
    if (!ignored.empty()) done.git_files.push_back(ignored);
    RONDO_TRY(done.changed, WriteDvc(*this, done.dvc_file, dvc, old_text));
    done.git_files.push_back(done.dvc_file.string());
    added.push_back(std::move(done));
  }
  if (has_git_ && config_.Flag("core", "autostage")) {
    std::vector<std::string> args = {"add", "--"};
    for (const AddedFile& a : added) args.insert(args.end(), a.git_files.begin(), a.git_files.end());
    RONDO_TRY(const Git::Answer answer, Git(root_).Run(args));
    if (answer.code != 0) return Fail(Code::kEnvironment, "git add failed: " + answer.err);
  }
  return added;
}

Result<std::vector<AddedFile>> Repo::Commit(const std::vector<std::string>& targets, bool force, bool recursive) {
  RONDO_TRY(const Lock lock, TakeLock());
  RONDO_TRY(const auto found, Find(targets, recursive));
  std::vector<AddedFile> committed;
  std::optional<LinkKind> kind;
  for (const Target& target : found) {
    const Tracked& t = target.out;
    if (!t.stage.empty()) continue;  // the pipeline commits its stages
    if (t.entry.cloud_versioned) return Fail(Code::kUnsupported, fmt::format("{} is cloud-versioned: it isn't rewritten here", t.file.string()));
    RONDO_TRY(WorkspaceState state, ScanWorkspace(*this, t.path, false));
    if (!state.exists) return Fail(Code::kNotFound, fmt::format("output '{}' does not exist", Shown(t.path)));
    const bool changed = !t.entry.id || *t.entry.id != state.id || t.entry.legacy;
    if (changed && !force) return Fail(Code::kConflict, fmt::format("unable to commit changed stage: '{}'. Use `-f|--force` to force.", Shown(t.file.string())));
    RONDO_TRY(state, Store(*this, t.path, false, true, kind));
    RONDO_TRY(const std::string old_text, ReadFile(root_ / t.file, size_t{16} << 20));
    RONDO_TRY(DvcFile dvc, DvcFile::Parse(old_text, t.file.string()));
    AddedFile done;
    for (OutEntry& out : dvc.outs)
      if (out.path == t.entry.path) SetOutput(out, state.id, state.size, state.is_dir ? std::optional<uint64_t>(state.table.size()) : std::nullopt, !state.is_dir && state.executable);
    SaveIndex(*this, t.path, state, state.scanned_ns);
    done.path = t.path;
    done.dvc_file = t.file;
    done.id = state.id;
    done.size = state.size;
    done.files = state.table.size();
    done.new_objects = state.filled.new_objects;
    done.new_bytes = state.filled.new_bytes;
    RONDO_TRY(done.changed, WriteDvc(*this, t.file, dvc, old_text));
    committed.push_back(std::move(done));
  }
  return committed;
}

}  // namespace rondo::data::dvc
