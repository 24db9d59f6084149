/// Another repository, or a URL, as a source of files: what `get`, `get-url`, `import`, `import-url`, `update` and `list` read.
/// A repository is a local path or anything `git clone` takes; with a revision it is cloned into a temporary folder. Paths from there are hostile until checked.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "data/dvc/repo.h"
#include "data/remotes/remote.h"

namespace rondo::data::remotes {

struct ExternalOptions {
  std::string revision;   ///< empty: as it is (local), or the default branch
  std::string remote;     ///< default remote in the source
  std::string config;     ///< a config file merged into the source's
  RemoteKeys remote_config;
  size_t jobs = 0;
};

struct ListedEntry {
  std::string path;
  bool is_out = false, is_dir = false, is_exec = false;
  std::optional<uint64_t> size;
  std::string md5;
};

class ExternalRepo {
 public:
  static Result<std::unique_ptr<ExternalRepo>> Open(const std::string& url, const ExternalOptions& options);
  /// Commit of the source; empty when it is no git repository.
  const std::string& commit() const { return commit_; }

  /// Writes the tracked file or folder `path` (or a git file) to `to`, which must not exist. Objects come from `near` (a cache to look into and to fill;
  /// may be null), the source's cache, its remote.
  Status CopyTo(const std::string& path, const fs::path& to, const Cache* near, const dvc::ProgressSink& progress);
  /// Where the object lies in the source's remote.
  Result<std::string> RemoteUrl(const std::string& path);
  /// What is below `path`, sorted. `recursive`: files only, all levels.
  Result<std::vector<ListedEntry>> List(const std::string& path, bool recursive, bool dvc_only);

 private:
  struct Found {
    dvc::Tracked out;
    std::string inside;  ///< the part of the output
  };
  Result<std::optional<Found>> Find(const std::string& path) const;
  Status FetchInto(const Cache& cache, std::vector<ObjectId> ids, const std::string& own_remote, const dvc::ProgressSink& progress);
  Result<std::unique_ptr<Remote>> SourceRemote(const std::string& own_remote) const;

  std::unique_ptr<TempDir> clone_;          ///< null: read in place
  fs::path root_;
  std::string url_, commit_;
  std::unique_ptr<dvc::Repo> repo_;         ///< null: a git repository without DVC
  std::unique_ptr<dvc::Repo> original_;     ///< the local repository that was cloned: its cache and remotes are used
  ExternalOptions options_;
};

/// Copies a local path, http(s):// file or s3:// object or prefix to `to`, which must not exist. `config` resolves remote://.
struct UrlFacts {
  std::string checksum;    ///< of what was read: an ETag where the source has one
  std::string checksum_kind;  ///< "md5", "etag"
  uint64_t size = 0;
  std::optional<uint64_t> files;  ///< of a folder
};
Result<UrlFacts> CopyUrl(const std::string& url, const fs::path& to, const dvc::Config* config, const RemoteKeys& keys, size_t jobs, const dvc::ProgressSink& progress);
/// The ETag of an http(s) or s3 URL now. kNotFound when it is not there.
Result<UrlFacts> LookAtUrl(const std::string& url, const dvc::Config* config, const RemoteKeys& keys);

}  // namespace rondo::data::remotes
