#include "data/dvc/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/thread_pool.h"
#include "data/dvc/fd.h"
#include "data/dvc/ignore.h"

namespace rondo::data::dvc {
namespace {

/// What the kernel writes for getdents64.
struct KernelEntry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[1];
};

struct Folder {
  std::string path;  ///< relative to the walked folder, "" or with a final '/'
  struct Item {
    uint32_t name, length;
    unsigned char type;  ///< DT_REG, DT_DIR, DT_LNK
    uint32_t child;      ///< of a folder: its place in `folders`
  };
  std::string names;
  std::vector<Item> items;
  std::string_view name(const Item& item) const { return std::string_view(names).substr(item.name, item.length); }
};

std::string_view KindOf(unsigned char type) {
  switch (type) {
    case DT_FIFO: return "a named pipe";
    case DT_SOCK: return "a socket";
    case DT_CHR:
    case DT_BLK: return "a device";
    default: return "no file";
  }
}

class Walker {
 public:
  Walker(const fs::path& root, const std::string& folder, const Ignore& ignore) : ignore_(ignore), base_(folder), top_(root / folder) {}

  Result<FileTable> Run() {
    const Fd top(::open(top_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!top.valid()) return std::unexpected(SystemError("list", top_, errno));
    top_fd_ = top.get();
    patterns_ = ignore_.AnyPatterns(base_);
    folders_.emplace_back();
    // Folders found while listing are appended: the loop ends when all are listed.
    for (size_t i = 0; i < folders_.size(); ++i) RONDO_DO(List(i));
    FileTable table;
    Flatten(0, table);
    RONDO_DO(StatAll(table));
    return table;
  }

 private:
  Status List(size_t index) {
    const std::string path = folders_[index].path;
    const Fd fd(path.empty() ? ::fcntl(top_fd_, F_DUPFD_CLOEXEC, 0) : ::openat(top_fd_, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid()) return std::unexpected(SystemError("list", top_ / path, errno));
    // Another repository looks after its own files.
    struct stat own;
    if (index != 0 && ::fstatat(fd.get(), ".dvc", &own, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(own.st_mode)) return {};
    Folder folder;
    folder.path = path;
    std::vector<char> buffer(1 << 16);
    while (true) {
      const long n = ::syscall(SYS_getdents64, fd.get(), buffer.data(), buffer.size());
      if (n < 0) return std::unexpected(SystemError("list", top_ / path, errno));
      if (n == 0) break;
      for (long at = 0; at < n;) {
        const auto* e = reinterpret_cast<const KernelEntry*>(buffer.data() + at);
        at += e->length;
        const std::string_view name = e->name;
        if (name == "." || name == "..") continue;
        unsigned char type = e->type;
        struct stat st;
        if (type == DT_UNKNOWN && ::fstatat(fd.get(), e->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
          type = S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR : S_ISLNK(st.st_mode) ? DT_LNK : S_ISFIFO(st.st_mode) ? DT_FIFO : DT_SOCK;
        const fs::path shown = top_ / (path + std::string(name));
        if (type == DT_LNK && ::fstatat(fd.get(), e->name, &st, 0) == 0 && S_ISDIR(st.st_mode)) continue;
        const bool is_dir = type == DT_DIR;
        if (!patterns_ && name == ".dvcignore") patterns_ = true;
        if (IsBuiltInIgnored(name, is_dir) && !patterns_) continue;
        if (patterns_ && ignore_.Ignored(base_ + "/" + path + std::string(name), is_dir)) continue;
        if (name == ".dvcignore") return Fail(Code::kInvalid, fmt::format("{} lies inside a tracked folder", shown.string()), "move it out: DVC wants .dvcignore files outside of tracked folders");
        if (!is_dir && type != DT_REG && type != DT_LNK) return Fail(Code::kInvalid, fmt::format("{} is {}: only files can be tracked", shown.string(), KindOf(type)), "remove it, or name it in .dvcignore");
        if (is_dir && path.size() + name.size() > 4000) return Fail(Code::kInvalid, fmt::format("{} is nested too deep", shown.string()));
        Folder::Item item{static_cast<uint32_t>(folder.names.size()), static_cast<uint32_t>(name.size()), type, 0};
        folder.names += name;
        if (is_dir) {
          item.child = static_cast<uint32_t>(folders_.size());
          folders_.emplace_back();
          folders_.back().path = path + std::string(name) + "/";
        }
        folder.items.push_back(item);
      }
    }
    // Folders sort as "name/": then the table, written depth first, is sorted by the whole path.
    std::sort(folder.items.begin(), folder.items.end(), [&](const Folder::Item& a, const Folder::Item& b) {
      const std::string_view x = folder.name(a), y = folder.name(b);
      const size_t n = std::min(x.size(), y.size());
      if (const int c = std::memcmp(x.data(), y.data(), n)) return c < 0;
      const int p = x.size() > n ? static_cast<unsigned char>(x[n]) : a.type == DT_DIR ? '/' : -1;
      const int q = y.size() > n ? static_cast<unsigned char>(y[n]) : b.type == DT_DIR ? '/' : -1;
      return p < q;
    });
    folders_[index] = std::move(folder);
    return {};
  }

  void Flatten(size_t index, FileTable& table) {
    const Folder& folder = folders_[index];
    table.rows.reserve(table.rows.size() + folder.items.size());
    for (const Folder::Item& item : folder.items) {
      if (item.type == DT_DIR) {
        Flatten(item.child, table);
        continue;
      }
      FileTable::Row row;
      row.name = table.names.size();
      table.names += folder.path;
      table.names += folder.name(item);
      row.length = static_cast<uint32_t>(table.names.size() - row.name);
      table.rows.push_back(row);
      table.names += '\0';  // so that a name can be given to the kernel as it lies
    }
  }

  Status StatAll(FileTable& table) {
    constexpr size_t kChunk = 2048;
    std::mutex mutex;
    Status first;
    const size_t chunks = (table.size() + kChunk - 1) / kChunk;
    ParallelFor(chunks, [&](size_t chunk) {
      Fd dir;
      std::string_view dir_path;
      for (size_t i = chunk * kChunk; i < std::min(table.size(), (chunk + 1) * kChunk); ++i) {
        FileTable::Row& row = table.rows[i];
        const std::string_view path = table.path(i);
        const size_t slash = path.rfind('/');
        const std::string_view parent = slash == path.npos ? std::string_view() : path.substr(0, slash);
        if (parent.empty()) {
          dir = Fd();
        } else if (!dir.valid() || parent != dir_path) {
          dir = Fd(::openat(top_fd_, std::string(parent).c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        }
        dir_path = parent;
        struct stat st;
        const char* name = table.names.data() + row.name + (slash == path.npos ? 0 : slash + 1);
        if (::fstatat(dir.valid() ? dir.get() : top_fd_, name, &st, 0) != 0) {
          const int why = errno;
          const std::lock_guard lock(mutex);
          if (!first) continue;
          const std::string shown = (top_ / path).string();
          if (why == ENOENT) first = Fail(Code::kInvalid, fmt::format("{} is a link that leads nowhere", shown), "remove the link, or name it in .dvcignore");
          else if (why == ELOOP) first = Fail(Code::kInvalid, fmt::format("{} is a link that leads in a circle", shown), "remove the link, or name it in .dvcignore");
          else first = std::unexpected(SystemError("look at", top_ / path, why));
          continue;
        }
        if (!S_ISREG(st.st_mode)) {
          const std::lock_guard lock(mutex);
          if (first) first = Fail(Code::kInvalid, fmt::format("{} is no file: only files can be tracked", (top_ / path).string()), "remove it, or name it in .dvcignore");
          continue;
        }
        row.stat = StatOf(st);
        row.executable = (st.st_mode & 0111) != 0;
      }
    }, table.size() < 3000 ? 1 : 0);
    if (!first) return first;
    return {};
  }

  const Ignore& ignore_;
  const std::string base_;
  const fs::path top_;
  int top_fd_ = -1;
  bool patterns_ = false;
  std::vector<Folder> folders_;
};

}  // namespace

FileStat StatOf(const struct stat& st) {
  return {static_cast<uint64_t>(st.st_size), st.st_ino, st.st_dev, st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec, st.st_ctim.tv_sec * 1'000'000'000 + st.st_ctim.tv_nsec};
}

FileTable::Row& FileTable::Add(std::string_view path) {
  Row row;
  row.name = names.size();
  row.length = static_cast<uint32_t>(path.size());
  names += path;
  names += '\0';
  return rows.emplace_back(row);
}

uint64_t FileTable::TotalSize() const {
  uint64_t sum = 0;
  for (const Row& row : rows) sum += row.stat.size;
  return sum;
}

Result<FileTable> Walk(const fs::path& root, const std::string& folder, const Ignore& ignore) { return Walker(root, folder, ignore).Run(); }

Result<OneFile> LookAt(const fs::path& path) {
  OneFile one;
  struct stat st;
  if (::lstat(path.c_str(), &st) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return one;
    return std::unexpected(SystemError("look at", path, errno));
  }
  one.exists = true;
  one.is_link = S_ISLNK(st.st_mode);
  if (one.is_link && ::stat(path.c_str(), &st) != 0) {
    if (errno == ELOOP) return Fail(Code::kInvalid, fmt::format("{} is a link that leads in a circle", path.string()), "remove the link");
    return Fail(Code::kInvalid, fmt::format("{} is a link that leads nowhere", path.string()), "remove the link");
  }
  one.is_dir = S_ISDIR(st.st_mode);
  if (!one.is_dir && !S_ISREG(st.st_mode)) return Fail(Code::kInvalid, fmt::format("{} is {}: only files can be tracked", path.string(), KindOf(S_ISFIFO(st.st_mode) ? DT_FIFO : S_ISSOCK(st.st_mode) ? DT_SOCK : DT_CHR)));
  one.stat = StatOf(st);
  one.executable = (st.st_mode & 0111) != 0;
  return one;
}

void Restat(const fs::path& folder, FileTable& table) {
  const Fd top(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  constexpr size_t kChunk = 2048;
  ParallelFor((table.size() + kChunk - 1) / kChunk, [&](size_t chunk) {
    for (size_t i = chunk * kChunk; i < std::min(table.size(), (chunk + 1) * kChunk); ++i) {
      FileTable::Row& row = table.rows[i];
      struct stat st;
      if (::fstatat(top.get(), table.names.data() + row.name, &st, 0) != 0 || !S_ISREG(st.st_mode)) {
        row.known = 0;
        continue;
      }
      const FileStat now = StatOf(st);
      if (row.known && (now.size != row.stat.size || now.mtime_ns != row.stat.mtime_ns)) row.known = 0;
      row.stat = now;
    }
  }, table.size() < 3000 ? 1 : 0);
}

int64_t FileClockNs() {
  // Files are stamped by the kernel's coarse clock; the fine one runs ahead of it.
  timespec now;
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

}  // namespace rondo::data::dvc
