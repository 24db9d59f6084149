/// Content of paths: MD5 of a file, DVC's `.dir` hash of a folder, and a stat cache so that nothing unchanged is read twice. Thread-safe:
/// files are read side by side; only the table is locked.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace rondo::pipeline {

struct PathState {
  bool exists = false;
  std::string md5;      ///< folders and globs: "<md5>.dir"
  int64_t size = 0;
  int64_t nfiles = -1;  ///< folders; -1 for a file
  bool operator==(const PathState& o) const { return exists == o.exists && md5 == o.md5; }
};

struct FileEntry {
  std::string relpath, md5;
  int64_t size = 0;
};

class PathHasher {
 public:
  /// `root`: the project. `cache_file`: where the stat cache lives (may not exist).
  PathHasher(std::filesystem::path root, std::filesystem::path cache_file);
  /// State of a path or glob relative to the project. A path that isn't there has exists == false. kEnvironment when it can't be read.
  Result<PathState> Hash(const std::string& path);
  /// Files of a folder, in DVC's order (relative path); for storing them as objects.
  Result<std::vector<FileEntry>> Files(const std::string& folder);
  /// From now on `path` is taken to have this state (plans: what a restored stage would bring back).
  void Assume(const std::string& path, const PathState& state) { assumed_[path] = state; }
  void ForgetAssumptions() { assumed_.clear(); }
  const std::filesystem::path& root() const { return root_; }
  /// Keeps what was learnt; a failure costs time only.
  void Save();

 private:
  struct Entry {
    int64_t size, mtime_ns, ctime_ns, hashed_ns;
    uint64_t inode;
    std::string md5;
  };
  Result<FileEntry> One(const std::filesystem::path& file, const std::string& key);
  Result<FileEntry> Known(const std::filesystem::path& file, const std::string& key, const struct stat& st);
  const std::filesystem::path root_, cache_file_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> known_;
  std::map<std::string, PathState> assumed_;
  bool dirty_ = false;
};

/// Bytes of DVC's .dir object: [{"md5": "...", "relpath": "..."}, ...], sorted by relpath.
std::string DirObject(const std::vector<FileEntry>& files);
bool IsGlob(const std::string& path);

}  // namespace rondo::pipeline
