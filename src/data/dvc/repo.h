/// A DVC repository: what `dvc add, commit, checkout, status, data status, diff, gc, remove, move, unprotect` and `rondo data …` do.
///
/// Rules kept everywhere: objects are named by the bytes that were written, never by an earlier reading; metadata (.dvc, .dir, .gitignore) is published after
/// the data are durable; an empty or broken `.dvc` is an error; paths from metadata are resolved without following symlinks or leaving the repository.
/// Threads: one Repo belongs to one thread; it uses workers inside. Processes: mutating calls hold DVC's own lock (`.dvc/tmp/lock`); readers take none.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "data/dvc/cache.h"
#include "data/dvc/config.h"
#include "data/dvc/dvc_file.h"
#include "data/dvc/progress.h"

namespace rondo::data::dvc {

class Ignore;


struct InitOptions {
  bool no_scm = false, force = false, subdir = false;
};

/// One tracked output: an entry of a `.dvc` file, or of a dvc.lock.
struct Tracked {
  fs::path file;       ///< the `.dvc` (or dvc.yaml), relative to the repository's root
  std::string stage;   ///< name of the stage for dvc.lock; empty for `.dvc`
  std::string path;    ///< the output, relative to the root, '/' between names
  OutEntry entry;      ///< hash, size, flags as written
  bool import = false;         ///< the `.dvc` has deps (import, import-url)
  bool repo_import = false;    ///< ... from another DVC or git repository: its objects are that one's
  bool frozen = false;
  /// "data.dvc", "dvc.yaml:train", "sub/dvc.yaml:train".
  std::string Addressing() const { return file.string() + (stage.empty() ? "" : ":" + stage); }
  bool IsDir() const { return entry.id && entry.id->dir; }
};

struct AddOptions {
  bool no_commit = false, relink = true, force = false;
  std::string description, type;
  std::vector<std::string> labels;
};
struct AddedFile {
  fs::path dvc_file;  ///< relative to the root
  std::string path;
  ObjectId id;
  uint64_t size = 0, files = 0, new_objects = 0, new_bytes = 0;
  bool changed = false;  ///< the `.dvc` was written
  std::vector<std::string> git_files;  ///< files that were written and belong into git (`.dvc`, `.gitignore`), relative to the root
};

struct CheckoutOptions {
  bool force = false, relink = false, allow_missing = false;
};
struct CheckoutResult {
  std::vector<std::string> added, modified, deleted;  ///< paths; folders end in '/'
  std::vector<std::string> failed;                    ///< not (or not wholly) in the cache
  std::vector<std::string> damaged;                   ///< objects whose bytes don't have their name
  std::vector<std::string> unsaved;                   ///< files that would be lost: nothing was done
  uint64_t files_added = 0, files_modified = 0, files_deleted = 0;
};

/// `dvc status`: per stage file or `file:stage`.
struct StageStatus {
  std::string name;
  bool always_changed = false, changed_command = false, changed_checksum = false;
  std::vector<std::pair<std::string, std::string>> deps, outs;  ///< path, "modified" | "deleted" | "new" | "not in cache" | "update available"
  bool Clean() const { return !always_changed && !changed_command && !changed_checksum && deps.empty() && outs.empty(); }
};

struct Changes {
  std::vector<std::string> added, modified, deleted, unknown;
  std::vector<std::pair<std::string, std::string>> renamed;
  bool empty() const { return added.empty() && modified.empty() && deleted.empty() && renamed.empty() && unknown.empty(); }
};
/// `dvc data status`: HEAD against the `.dvc` files (committed) and these against the workspace (uncommitted).
struct DataStatus {
  Changes committed, uncommitted;
  std::vector<std::string> unchanged, not_in_cache, untracked;
  bool git_empty = false, git_dirty = false;
};

struct DiffEntry {
  std::string path, old_path;  ///< old_path of a rename
  std::string old_hash, new_hash;
};
struct DiffResult {
  std::vector<DiffEntry> added, deleted, modified, renamed, not_in_cache;
};

struct GcOptions {
  bool workspace = false, all_branches = false, all_tags = false, all_commits = false, all_experiments = false, dry = false;
  bool stashes = false;
  std::string revision, date;
  int64_t last = 1;                     ///< commits from each revision
  std::vector<fs::path> projects;       ///< other repositories that share the cache
  int64_t grace_ms = 0;                 ///< younger objects are kept; removed ones wait that long in quarantine. 0: deleted at once, as DVC
  int64_t now_ms = 0;                   ///< 0: the system's clock
};
struct GcResult {
  uint64_t removed = 0, bytes = 0, kept = 0, kept_young = 0;
  uint64_t purged = 0, purged_bytes = 0;  ///< left quarantine for good
  std::vector<std::string> objects;       ///< removed ones
};

struct VerifyOptions {
  double sample = 1;  ///< share of the objects to read
  uint64_t seed = 0;
};
struct VerifyResult {
  uint64_t objects = 0, bytes = 0;
  std::vector<std::string> damaged;                              ///< object names
  std::vector<std::pair<std::string, std::string>> missing;      ///< tracked path, object name
};

class Repo {
 public:
  /// The repository around `start` (a folder with `.dvc/`, upwards). kNotFound when there is none.
  static Result<std::unique_ptr<Repo>> Open(const fs::path& start);
  static Result<std::unique_ptr<Repo>> Init(const fs::path& folder, const InitOptions& options);
  ~Repo();

  const fs::path& root() const { return root_; }
  fs::path dvc_dir() const { return root_ / ".dvc"; }
  fs::path tmp_dir() const { return root_ / ".dvc" / "tmp"; }
  const Config& config() const { return config_; }
  const Cache& cache() const { return cache_; }
  bool has_git() const { return has_git_; }
  void set_progress(ProgressSink sink) { progress_ = std::move(sink); }
  const ProgressSink& progress() const { return progress_; }

  /// DVC's repository lock: six tries in three seconds, then kConflict. Recursive within this Repo.
  class Lock {
   public:
    Lock(Lock&& other) noexcept : repo_(other.repo_) { other.repo_ = nullptr; }
    Lock& operator=(Lock&&) = delete;
    ~Lock();

   private:
    friend class Repo;
    explicit Lock(Repo* repo) : repo_(repo) {}
    Repo* repo_;
  };
  Result<Lock> TakeLock();

  /// Path as typed (relative to the present folder, or absolute) -> relative to the root with '/'. kInvalid outside the repository.
  Result<std::string> Relative(const fs::path& typed) const;
  /// As DVC shows it: relative to the present folder.
  std::string Shown(std::string_view relative) const;

  /// All outputs, by path. Errors name the broken file: an empty or damaged `.dvc` is never "nothing tracked".
  Result<std::vector<Tracked>> Outputs() const;
  /// Outputs that the targets name: a `.dvc` file, an output, a folder above, or a path inside a tracked folder (then `inside` is the part within it).
  struct Target {
    Tracked out;
    std::string inside;  ///< empty: the whole output
  };
  Result<std::vector<Target>> Find(const std::vector<std::string>& targets, bool recursive = false) const;
  /// Outputs at a git revision.
  Result<std::vector<Tracked>> OutputsAt(const std::string& revision) const;
  /// Every object a list of outputs needs, the children of folders too (kNotFound entries of `missing` when a listing is not in the cache).
  struct Needed {
    std::vector<ObjectId> objects;                             ///< unique; folders after their children
    std::vector<std::pair<std::string, ObjectId>> missing;     ///< listings that can't be read: path, object
  };
  Result<Needed> Objects(const std::vector<Target>& targets) const;

  Result<std::vector<AddedFile>> Add(const std::vector<std::string>& targets, const AddOptions& options);
  Result<std::vector<AddedFile>> Commit(const std::vector<std::string>& targets, bool force, bool recursive = false);
  Result<CheckoutResult> Checkout(const std::vector<std::string>& targets, const CheckoutOptions& options, bool recursive = false);
  Result<std::vector<StageStatus>> GetStatus(const std::vector<std::string>& targets, bool recursive = false);
  struct DataStatusOptions {
    bool granular = false, untracked = false, unchanged = false;
    std::vector<std::string> targets;
  };
  Result<DataStatus> GetDataStatus(const DataStatusOptions& options);
  /// Empty `to`: the workspace. Empty `from`: HEAD.
  Result<DiffResult> Diff(const std::string& from, const std::string& to, const std::vector<std::string>& targets);
  Result<GcResult> Gc(const GcOptions& options);
  /// What the stage files of the revisions that `options` keeps name: files and folders (not the files of folders). Any unreadable file is kFailedCheck.
  Result<std::set<ObjectId>> NamedObjects(const GcOptions& options) const;
  struct Removed {
    std::vector<std::string> paths;      ///< the `.dvc` file, and the outputs with `outs`
    std::vector<std::string> git_files;  ///< changed .gitignore files
  };
  Result<Removed> Remove(const std::string& target, bool outs);
  Result<std::vector<std::string>> Move(const std::string& from, const std::string& to);  ///< files that belong into git
  rondo::Status Unprotect(const std::string& target);
  Result<VerifyResult> Verify(const VerifyOptions& options);

  const Ignore& ignore() const { return *ignore_; }

 private:
  Repo(fs::path root, Config config, Cache cache);

  fs::path root_;
  Config config_;
  Cache cache_;
  bool has_git_ = false;
  int lock_fd_ = -1, lock_depth_ = 0;
  ProgressSink progress_;
  std::unique_ptr<Ignore> ignore_;
};

}  // namespace rondo::data::dvc
