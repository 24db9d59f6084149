/// Between a repository's cache and its remotes: push, fetch, compare, collect garbage, repair. What `dvc push|fetch|pull|status -c|gc -c` and `rondo data …` do.
///
/// Rules: nothing is inferred (known.h); a `.dir` goes to the remote after all its files, and only then; a failure keeps what arrived, the rest is named.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/dvc/repo.h"
#include "data/remotes/remote.h"

namespace rondo::data::remotes {

struct SyncOptions {
  std::string remote;                  ///< empty: the output's own, else core.remote
  std::vector<std::string> targets;    ///< empty: all
  size_t jobs = 0;
  bool recursive = false;
  bool all_branches = false, all_tags = false, all_commits = false;  ///< these as well as the workspace
  bool run_cache = false;
  bool ask_again = false;              ///< believe no index
};

/// One object that did not make it.
struct SyncProblem {
  std::string path;    ///< a tracked file that needs it, relative to the root
  std::string object;
  std::string why;
  bool missing = false;  ///< it is nowhere (else: damaged, refused, cut)
};
struct SyncResult {
  uint64_t objects = 0, bytes = 0;     ///< moved
  std::vector<SyncProblem> problems;   ///< by path
  std::optional<Error> stopped;        ///< why the rest was not tried
  bool Complete() const { return problems.empty() && !stopped; }
};

Result<SyncResult> Push(dvc::Repo& repo, const SyncOptions& options);
/// Remote -> cache.
Result<SyncResult> Fetch(dvc::Repo& repo, const SyncOptions& options);

/// `dvc status -c`: what is only here ("new"), only there ("deleted"), nowhere ("missing"). Paths relative to the root; folders too.
struct CloudStatus {
  std::string remote;
  std::vector<std::pair<std::string, std::string>> entries;
};
Result<CloudStatus> CompareWithRemote(dvc::Repo& repo, const SyncOptions& options);

/// Objects of the remote that nothing needs are deleted: files after the folders that name them. `named`: what stage files name (Repo::NamedObjects); the files
/// of folders count too, and a folder whose listing is damaged makes it refuse. `dry`: only counted.
struct RemoteGcResult {
  uint64_t removed = 0, bytes = 0, kept = 0;
};
Result<RemoteGcResult> CollectRemote(dvc::Repo& repo, const std::string& remote, const std::set<ObjectId>& named, bool dry);

/// Gets damaged or missing objects again; each is checked before it replaces the bad one.
Result<SyncResult> Repair(dvc::Repo& repo, const std::string& remote, const std::vector<ObjectId>& objects);

/// Revisions that the options name, newest data first: "" is the workspace.
Result<std::vector<std::string>> RevisionsOf(const dvc::Repo& repo, const SyncOptions& options);

}  // namespace rondo::data::remotes
