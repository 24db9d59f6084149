#include "data/dvc/stat_index.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "base/id.h"
#include "data/dvc/fd.h"

namespace rondo::data::dvc {
namespace {

struct Header {
  char magic[8];
  uint64_t checksum;  ///< xxh3 of all that follows this field
  uint64_t count, names_size, total_size;
  int64_t scanned_ns, present_ns;
  Md5 id;
  uint32_t id_kind;  ///< 0: none, 1: a file, 2: a folder
  uint32_t row_size;
  uint64_t output_size;  ///< the output's path: the last bytes of the file
};
constexpr char kMagic[8] = {'R', 'N', 'D', 'I', 'D', 'X', '1', '\n'};
constexpr size_t kChecked = 16;  // offset of what the checksum covers
static_assert(sizeof(Header) == 88 && sizeof(FileTable::Row) == 72, "the index's layout is fixed");

// A tick of the kernel's coarse clock is at most 10 ms; file systems that keep whole seconds get two.
constexpr int64_t kTickNs = 20'000'000, kSecondsNs = 2'000'000'000;

bool Check(std::string_view bytes, Header& h) {
  if (bytes.size() < sizeof(Header)) return false;
  std::memcpy(&h, bytes.data(), sizeof h);
  if (std::memcmp(h.magic, kMagic, 8) != 0 || h.row_size != sizeof(FileTable::Row) || h.id_kind > 2) return false;
  const size_t rest = bytes.size() - sizeof(Header);
  if (h.count > rest / sizeof(FileTable::Row) || h.output_size > rest - h.count * sizeof(FileTable::Row)) return false;
  if (h.names_size != rest - h.count * sizeof(FileTable::Row) - h.output_size) return false;
  if (Xxh3(bytes.substr(kChecked)) != h.checksum) return false;
  const std::string_view names = bytes.substr(bytes.size() - h.names_size - h.output_size, h.names_size);
  std::string_view previous;
  for (size_t i = 0; i < h.count; ++i) {
    FileTable::Row row;
    std::memcpy(&row, bytes.data() + sizeof(Header) + i * sizeof row, sizeof row);
    if (row.name > names.size() || row.length > names.size() - row.name) return false;
    const std::string_view path = names.substr(row.name, row.length);
    if (i > 0 && !(previous < path)) return false;
    previous = path;
  }
  return true;
}

}  // namespace

bool OlderThan(const FileStat& stat, int64_t scanned_ns) {
  const int64_t stamp = std::max(stat.mtime_ns, stat.ctime_ns);
  const bool whole_seconds = stat.mtime_ns % 1'000'000'000 == 0 && stat.ctime_ns % 1'000'000'000 == 0;
  return stamp + (whole_seconds ? kSecondsNs : kTickNs) < scanned_ns;
}

StatIndex::StatIndex(StatIndex&& other) noexcept { *this = std::move(other); }
StatIndex& StatIndex::operator=(StatIndex&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  rows_ = other.rows_;
  count_ = other.count_;
  names_ = other.names_;
  output_ = other.output_;
  scanned_ns_ = other.scanned_ns_;
  present_ns_ = other.present_ns_;
  total_size_ = other.total_size_;
  id_ = other.id_;
  return *this;
}
StatIndex::~StatIndex() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

bool StatIndex::Valid(std::string_view bytes) {
  Header h;
  return Check(bytes, h);
}

std::optional<StatIndex> StatIndex::Open(const fs::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat st;
  if (!fd.valid() || ::fstat(fd.get(), &st) != 0 || st.st_size < static_cast<off_t>(sizeof(Header))) return std::nullopt;
  // Files are replaced as a whole, never cut, so the mapping stays valid.
  void* at = ::mmap(nullptr, static_cast<size_t>(st.st_size), PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (at == MAP_FAILED) return std::nullopt;
  StatIndex index;
  index.bytes_ = {static_cast<const char*>(at), static_cast<size_t>(st.st_size)};
  Header h;
  if (!Check(index.bytes_, h)) return std::nullopt;
  index.rows_ = reinterpret_cast<const FileTable::Row*>(index.bytes_.data() + sizeof(Header));
  index.count_ = h.count;
  index.names_ = index.bytes_.substr(index.bytes_.size() - h.names_size - h.output_size, h.names_size);
  index.output_ = index.bytes_.substr(index.bytes_.size() - h.output_size);
  index.scanned_ns_ = h.scanned_ns;
  index.present_ns_ = h.present_ns;
  index.total_size_ = h.total_size;
  if (h.id_kind > 0) index.id_ = ObjectId{h.id, h.id_kind == 2};
  return index;
}

size_t StatIndex::Apply(FileTable& table, size_t* racy) const {
  size_t known = 0, young = 0, j = 0;
  for (size_t i = 0; i < table.size(); ++i) {
    FileTable::Row& row = table.rows[i];
    const std::string_view path = table.path(i);
    while (j < count_ && names_.substr(rows_[j].name, rows_[j].length) < path) ++j;
    if (j == count_) break;
    if (names_.substr(rows_[j].name, rows_[j].length) != path || !(rows_[j].stat == row.stat)) continue;
    if (!OlderThan(row.stat, scanned_ns_)) {
      ++young;
      continue;
    }
    row.md5 = rows_[j].md5;
    row.known = 1;
    ++known;
  }
  if (racy) *racy = young;
  return known;
}

Status StatIndex::Write(const fs::path& file, std::string_view output, const FileTable& table, int64_t scanned_ns, const std::optional<ObjectId>& id, int64_t present_ns) {
  Header h{};
  std::memcpy(h.magic, kMagic, 8);
  h.scanned_ns = scanned_ns;
  h.present_ns = present_ns;
  h.row_size = sizeof(FileTable::Row);
  size_t names_size = 0;
  bool whole = true;
  for (const auto& row : table.rows) {
    if (!row.known) {
      whole = false;
      continue;
    }
    ++h.count;
    names_size += row.length;
    h.total_size += row.stat.size;
  }
  if (id && whole) {
    h.id = id->md5;
    h.id_kind = id->dir ? 2 : 1;
  }
  h.names_size = names_size;
  std::string bytes;
  h.output_size = output.size();
  bytes.resize(sizeof(Header) + h.count * sizeof(FileTable::Row) + names_size + output.size());
  std::memcpy(bytes.data() + bytes.size() - output.size(), output.data(), output.size());
  char* row_at = bytes.data() + sizeof(Header);
  char* const names = row_at + h.count * sizeof(FileTable::Row);
  size_t name_at = 0;
  for (const auto& row : table.rows) {
    if (!row.known) continue;
    FileTable::Row copy = row;
    copy.name = name_at;
    copy.unused = 0;
    std::memcpy(row_at, &copy, sizeof copy);
    row_at += sizeof copy;
    std::memcpy(names + name_at, table.names.data() + row.name, row.length);
    name_at += row.length;
  }
  std::memcpy(bytes.data(), &h, sizeof h);
  h.checksum = Xxh3(std::string_view(bytes).substr(kChecked));
  std::memcpy(bytes.data(), &h, sizeof h);
  // A cache needs no fsync: the checksum finds a half-written one.
  const fs::path temporary = file.string() + "." + RandomHex(6);
  RONDO_DO(MakeDirs(file.parent_path()));
  const Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd.valid()) return std::unexpected(SystemError("create", temporary, errno));
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int why = errno;
      ::unlink(temporary.c_str());
      return std::unexpected(SystemError("write", temporary, why));
    }
    done += static_cast<size_t>(n);
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0) {
    const int why = errno;
    ::unlink(temporary.c_str());
    return std::unexpected(SystemError("replace", file, why));
  }
  return {};
}

}  // namespace rondo::data::dvc
