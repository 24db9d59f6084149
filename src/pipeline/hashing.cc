#include "pipeline/hashing.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

namespace rondo::pipeline {
namespace {

/// A file that changed this shortly before it was hashed may change again within the clock's grain: git's racy rule.
constexpr int64_t kRacyNs = 20'000'000;

int64_t WallNs() {
  timespec ts{};
  clock_gettime(CLOCK_REALTIME, &ts);
  return ts.tv_sec * 1'000'000'000 + ts.tv_nsec;
}
int64_t Ns(const timespec& ts) { return ts.tv_sec * 1'000'000'000 + ts.tv_nsec; }

}  // namespace

bool IsGlob(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

std::string DirObject(const std::vector<FileEntry>& files) {
  std::string out = "[";
  for (const FileEntry& f : files) {
    out += out.size() > 1 ? ", " : "";
    out += "{\"md5\": \"" + f.md5 + "\", \"relpath\": ";
    AppendJsonString(out, f.relpath);
    out += "}";
  }
  return out + "]";
}

PathHasher::PathHasher(fs::path root, fs::path cache_file) : root_(std::move(root)), cache_file_(std::move(cache_file)) {
  // One line a file: "md5 size mtime ctime hashed inode path"; a broken line is skipped.
  auto text = ReadFile(cache_file_, size_t{256} << 20);
  if (!text) return;
  for (size_t at = 0; at < text->size();) {
    const size_t end = std::min(text->find('\n', at), text->size());
    const std::string_view line(text->data() + at, end - at);
    at = end + 1;
    if (line.size() < 34) continue;
    Entry k{};
    k.md5 = line.substr(0, 32);
    const char* p = line.data() + 33;
    const char* stop = line.data() + line.size();
    bool ok = true;
    auto number = [&](auto& value) {
      const auto [next, ec] = std::from_chars(p, stop, value);
      ok = ok && ec == std::errc() && next < stop && *next == ' ';
      p = ok ? next + 1 : stop;
    };
    number(k.size);
    number(k.mtime_ns);
    number(k.ctime_ns);
    number(k.hashed_ns);
    number(k.inode);
    if (ok) known_.emplace(std::string(p, static_cast<size_t>(stop - p)), std::move(k));
  }
}

void PathHasher::Save() {
  std::lock_guard lock(mutex_);
  if (!dirty_) return;
  std::string text;
  for (const auto& [path, k] : known_) {
    if (path.find('\n') != std::string::npos) continue;
    text += k.md5 + ' ' + std::to_string(k.size) + ' ' + std::to_string(k.mtime_ns) + ' ' + std::to_string(k.ctime_ns) + ' ' + std::to_string(k.hashed_ns) + ' ' + std::to_string(k.inode) + ' ' + path + '\n';
  }
  if (WriteFileAtomic(cache_file_, text)) dirty_ = false;
}

Result<FileEntry> PathHasher::One(const fs::path& file, const std::string& key) {
  struct stat st {};
  if (::stat(file.c_str(), &st) != 0) return std::unexpected(SystemError("read", file, errno));
  return Known(file, key, st);
}

Result<FileEntry> PathHasher::Known(const fs::path& file, const std::string& key, const struct stat& st) {
  {
    std::lock_guard lock(mutex_);
    const auto it = known_.find(key);
    if (it != known_.end()) {
      const Entry& k = it->second;
      const int64_t changed = std::max(Ns(st.st_mtim), Ns(st.st_ctim));
      if (k.size == st.st_size && k.mtime_ns == Ns(st.st_mtim) && k.ctime_ns == Ns(st.st_ctim) && k.inode == st.st_ino && changed + kRacyNs < k.hashed_ns) return FileEntry{key, k.md5, k.size};
    }
  }
  const int64_t begin = WallNs();
  FileDigest digest;
  if (st.st_size == 0) {
    digest.hex = "d41d8cd98f00b204e9800998ecf8427e";
  } else {
    RONDO_TRY(digest, HashFile(file, HashKind::kMd5));
  }
  std::lock_guard lock(mutex_);
  known_[key] = Entry{st.st_size, Ns(st.st_mtim), Ns(st.st_ctim), begin, st.st_ino, digest.hex};
  dirty_ = true;
  return FileEntry{key, digest.hex, static_cast<int64_t>(digest.size)};
}

Result<std::vector<FileEntry>> PathHasher::Files(const std::string& folder) {
  std::vector<FileEntry> files;
  std::error_code ec;
  const fs::path base = root_ / folder;
  for (fs::recursive_directory_iterator it(base, ec), end; it != end && !ec; it.increment(ec)) {
    if (!it->is_regular_file(ec)) continue;
    RONDO_TRY(FileEntry entry, One(it->path(), fs::path(it->path()).lexically_relative(root_).string()));
    entry.relpath = it->path().lexically_relative(base).generic_string();
    files.push_back(std::move(entry));
  }
  if (ec) return std::unexpected(SystemError("list", base, ec.value()));
  std::sort(files.begin(), files.end(), [](const FileEntry& a, const FileEntry& b) { return a.relpath < b.relpath; });
  return files;
}

Result<PathState> PathHasher::Hash(const std::string& path) {
  PathState state;
  if (const auto it = assumed_.find(path); it != assumed_.end()) return it->second;
  const fs::path full = fs::path(path).is_absolute() ? fs::path(path) : root_ / path;
  std::error_code ec;
  auto folder_state = [&](const std::vector<FileEntry>& files) {
    state.exists = true;
    state.nfiles = static_cast<int64_t>(files.size());
    for (const FileEntry& f : files) state.size += f.size;
    state.md5 = Md5Hex(DirObject(files)) + ".dir";
  };
  struct stat st {};
  if (::stat(full.c_str(), &st) == 0) {
    if (S_ISDIR(st.st_mode)) {
      RONDO_TRY(const auto files, Files(path));
      folder_state(files);
      return state;
    }
    RONDO_TRY(const FileEntry entry, Known(full, path, st));
    state.exists = true;
    state.md5 = entry.md5;
    state.size = entry.size;
    return state;
  }
  if (!IsGlob(path)) return state;
  glob_t found{};
  const int rc = ::glob(full.c_str(), 0, nullptr, &found);
  std::vector<FileEntry> files;
  for (size_t i = 0; rc == 0 && i < found.gl_pathc; ++i) {
    const fs::path file = found.gl_pathv[i];
    if (!fs::is_regular_file(file, ec)) continue;
    auto entry = One(file, file.lexically_relative(root_).string());
    if (!entry) {
      ::globfree(&found);
      return std::unexpected(entry.error());
    }
    files.push_back(std::move(*entry));
  }
  ::globfree(&found);
  if (!files.empty()) folder_state(files);
  return state;
}

}  // namespace rondo::pipeline
