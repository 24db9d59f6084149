// Segments of the prediction log: one writer that appends, rolls and seals; readers that follow; recovery after a crash.
#include "data/prediction_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "data/prediction_record.h"

namespace rondo::data {
namespace {

using log::Found;

fs::path SegmentPath(const fs::path& folder, int64_t segment) { return folder / fmt::format("{:08}.rpl", segment); }

/// Numbers of the segments in a folder, rising; empty when the folder isn't there.
std::vector<int64_t> ListSegments(const fs::path& folder) {
  std::vector<int64_t> out;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    if (name.size() < 5 || name.size() > 20 || !name.ends_with(".rpl") || name.find_first_not_of("0123456789") != name.size() - 4) continue;
    out.push_back(std::strtoll(name.c_str(), nullptr, 10));
  }
  std::sort(out.begin(), out.end());
  return out;
}

class ReadableFile {
 public:
  static Result<ReadableFile> Open(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::unexpected(SystemError("open", path, errno));
    return ReadableFile(fd, path);
  }
  ReadableFile(ReadableFile&& other) noexcept : fd_(other.fd_), path_(std::move(other.path_)) { other.fd_ = -1; }
  ReadableFile& operator=(ReadableFile&&) = delete;
  ~ReadableFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  uint64_t size() const {
    struct stat st {};
    return ::fstat(fd_, &st) == 0 ? static_cast<uint64_t>(st.st_size) : 0;
  }
  /// Up to n bytes from offset; fewer at the end of the file.
  Result<std::string> Read(uint64_t offset, size_t n) const {
    std::string out(n, '\0');
    size_t got = 0;
    while (got < n) {
      const ssize_t r = ::pread(fd_, out.data() + got, n - got, static_cast<off_t>(offset + got));
      if (r < 0 && errno == EINTR) continue;
      if (r < 0) return std::unexpected(SystemError("read", path_, errno));
      if (r == 0) break;
      got += static_cast<size_t>(r);
    }
    out.resize(got);
    return out;
  }

 private:
  ReadableFile(int fd, fs::path path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  fs::path path_;
};

/// Why a scan ended.
enum class End {
  kStopped,  ///< the callback said so
  kSealed,   ///< the index: the segment is complete
  kTail,     ///< end of the file, or a record that isn't whole
  kBroken,   ///< a place after which nothing can be found
};

/// Calls `each` with the payload and offset of the records from `offset` on, moving it. Damaged records are stepped over.
Result<End> Scan(const ReadableFile& file, int64_t segment, uint64_t& offset, const std::function<bool(std::string_view payload, uint64_t offset)>& each) {
  if (offset < log::kHeaderBytes) {
    RONDO_TRY(const std::string header, file.Read(0, log::kHeaderBytes));
    if (header.size() < log::kHeaderBytes) return End::kTail;
    if (!log::HeaderIsGood(header, segment)) return End::kBroken;
    offset = log::kHeaderBytes;
  }
  constexpr size_t kChunk = 256u << 10;
  size_t want = kChunk;
  while (true) {
    RONDO_TRY(const std::string bytes, file.Read(offset, want));
    const bool at_end = bytes.size() < want;
    std::string_view rest = bytes;
    while (true) {
      const log::Frame frame = log::ReadFrame(rest, offset);
      if (frame.found == Found::kBroken) return End::kBroken;
      if (frame.found == Found::kShort) {
        if (at_end) return End::kTail;
        want = std::max(kChunk, frame.bytes);
        break;
      }
      if (frame.found == Found::kBad) {
        if (at_end && frame.bytes == rest.size()) return End::kTail;
        LogWarn("data", "prediction log: damaged record in segment {} at byte {}, left out", segment, offset);
      } else if (frame.payload[0] == log::kIndexKind) {
        return End::kSealed;
      } else if (!each(frame.payload, offset)) {
        offset += frame.bytes;
        return End::kStopped;
      }
      offset += frame.bytes;
      rest.remove_prefix(frame.bytes);
    }
  }
}

bool AllZero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

class Writer : public PredictionWriter {
 public:
  Writer(fs::path folder, FileLock lock, int64_t next, uint64_t segment_bytes)
      : folder_(std::move(folder)), lock_(std::move(lock)), segment_(next - 1), segment_bytes_(segment_bytes) {}

  Status Append(const std::vector<Prediction>& batch) override {
    std::string buffer;
    bool left_out = false;
    for (const Prediction& p : batch) {
      if (!file_) RONDO_DO(Begin());
      const size_t before = buffer.size();
      const uint64_t offset = file_->size() + before;
      log::AppendPrediction(buffer, p, offset);
      if (buffer.size() - before - log::kFrameBytes > log::kMaxPayload) {
        buffer.resize(before);
        left_out = true;
        continue;
      }
      pending_.emplace_back(Xxh3(p.id), static_cast<uint32_t>(offset));
      if (file_->size() + buffer.size() >= segment_bytes_) {
        RONDO_DO(Flush(buffer));
        SealAndClose();
      } else if (buffer.size() >= (1u << 20)) {
        RONDO_DO(Flush(buffer));
      }
    }
    RONDO_DO(Flush(buffer));
    if (left_out) return Fail(Code::kTooLarge, "a prediction of more than 32 MiB was left out of the prediction log");
    return {};
  }
  Status Sync() override { return file_ ? file_->Sync() : Status{}; }

 private:
  Status Begin() {
    const fs::path path = SegmentPath(folder_, segment_ + 1);
    // Atomic: a segment has its header from the first moment on.
    RONDO_DO(WriteFileAtomic(path, log::Header(segment_ + 1)));
    RONDO_TRY(AppendFile file, AppendFile::Open(path));
    ++segment_;
    file_.emplace(std::move(file));
    entries_.clear();
    return {};
  }
  Status Flush(std::string& buffer) {
    if (buffer.empty()) return {};
    const Status status = file_->Append(buffer);
    buffer.clear();
    if (status) {
      entries_.insert(entries_.end(), pending_.begin(), pending_.end());
    } else {
      std::error_code ec;
      if (fs::file_size(SegmentPath(folder_, segment_), ec) != file_->size() || ec) file_.reset();  // half a record stays: begin a new segment
    }
    pending_.clear();
    return status;
  }
  /// Without an index (full disk) the segment is still readable, only slower to search.
  void SealAndClose() {
    std::string index;
    log::AppendIndex(index, entries_, file_->size());
    Status status = file_->Append(index);
    if (status) status = file_->Sync();
    if (!status) LogWarn("data", "prediction log: segment {} has no index: {}", segment_, status.error().message);
    file_.reset();
  }

  fs::path folder_;
  FileLock lock_;
  int64_t segment_;
  uint64_t segment_bytes_;
  std::optional<AppendFile> file_;
  std::vector<log::IndexEntry> entries_, pending_;
};

/// Cuts a half-written tail off and seals the segment. A segment without records goes away; returns whether it stays.
Result<bool> Recover(const fs::path& folder, int64_t segment) {
  const fs::path path = SegmentPath(folder, segment);
  std::vector<log::IndexEntry> entries;
  uint64_t offset = 0, size = 0;
  End end = End::kTail;
  {
    RONDO_TRY(const ReadableFile file, ReadableFile::Open(path));
    RONDO_TRY(end, Scan(file, segment, offset, [&](std::string_view payload, uint64_t at) {
                const auto prediction = log::DecodePrediction(payload);
                if (prediction) entries.emplace_back(Xxh3(prediction->id), static_cast<uint32_t>(at));
                return true;
              }));
    if (end == End::kSealed) return true;
    size = file.size();
    if (end == End::kBroken && offset >= log::kHeaderBytes) {
      RONDO_TRY(const std::string rest, file.Read(offset, size - offset));
      // A power cut can leave zeros where the size was already known and the bytes were not.
      if (AllZero(rest)) end = End::kTail;
    }
  }
  std::error_code ec;
  if (end == End::kTail && offset <= log::kHeaderBytes) {
    fs::remove(path, ec);
    return false;
  }
  if (end == End::kTail && size > offset) {
    fs::resize_file(path, offset, ec);
    if (ec) return std::unexpected(SystemError("cut", path, ec.value()));
    LogWarn("data", "prediction log: {} bytes of an unfinished record cut off segment {}", size - offset, segment);
  }
  if (end == End::kBroken) LogWarn("data", "prediction log: segment {} is damaged at byte {}; what follows there can't be read", segment, offset);
  RONDO_TRY(AppendFile file, AppendFile::Open(path));
  std::string index;
  log::AppendIndex(index, entries, file.size());
  RONDO_DO(file.Append(index));
  RONDO_DO(file.Sync());
  return true;
}

/// Offsets of the records that may have the id, from the index at the end; empty optional: there is no index.
Result<std::optional<std::vector<uint64_t>>> LookUp(const ReadableFile& file, uint64_t hash) {
  const uint64_t size = file.size();
  if (size < log::kHeaderBytes + log::kFrameBytes + log::kTrailerBytes) return std::nullopt;
  RONDO_TRY(const std::string trailer, file.Read(size - log::kTrailerBytes, log::kTrailerBytes));
  uint32_t length = 0;
  if (trailer.size() < log::kTrailerBytes || !trailer.ends_with(log::kIndexMagic)) return std::nullopt;
  std::memcpy(&length, trailer.data(), sizeof length);
  if (length < 4 + log::kTrailerBytes || length > size - log::kHeaderBytes - log::kFrameBytes) return std::nullopt;
  const uint64_t begin = size - length + 4;
  const uint64_t count = (length - 4 - log::kTrailerBytes) / log::kEntryBytes;
  auto entry = [&](uint64_t i) -> Result<log::IndexEntry> {
    RONDO_TRY(const std::string bytes, file.Read(begin + i * log::kEntryBytes, log::kEntryBytes));
    log::IndexEntry e{};
    if (bytes.size() < log::kEntryBytes) return Fail(Code::kFailedCheck, "the index of the prediction log changed while it was read");
    std::memcpy(&e.first, bytes.data(), 8);
    std::memcpy(&e.second, bytes.data() + 8, 4);
    return e;
  };
  uint64_t low = 0, high = count;
  while (low < high) {
    const uint64_t middle = (low + high) / 2;
    RONDO_TRY(const log::IndexEntry e, entry(middle));
    if (e.first < hash) low = middle + 1;
    else high = middle;
  }
  std::vector<uint64_t> offsets;
  for (; low < count; ++low) {
    RONDO_TRY(const log::IndexEntry e, entry(low));
    if (e.first != hash) break;
    offsets.push_back(e.second);
  }
  return offsets;
}

Result<std::optional<Prediction>> RecordAt(const ReadableFile& file, uint64_t offset) {
  RONDO_TRY(std::string bytes, file.Read(offset, 4096));
  log::Frame frame = log::ReadFrame(bytes, offset);
  if (frame.found == Found::kShort && frame.bytes > bytes.size()) {
    RONDO_TRY(bytes, file.Read(offset, frame.bytes));
    frame = log::ReadFrame(bytes, offset);
  }
  if (frame.found != Found::kRecord) return std::nullopt;
  return log::DecodePrediction(frame.payload);
}

}  // namespace

Result<std::unique_ptr<PredictionWriter>> OpenPredictionWriter(const fs::path& folder, const PredictionWriterOptions& options) {
  RONDO_DO(MakeDirs(folder));
  auto lock = FileLock::TryLock(folder / "writer.lock");
  if (!lock) return Wrap(std::move(lock).error(), "opening the prediction log");
  const std::vector<int64_t> segments = ListSegments(folder);
  int64_t next = 1;
  if (!segments.empty()) {
    next = segments.back() + 1;
    auto stays = Recover(folder, segments.back());
    if (!stays) {
      // Without room for the index the old segment stays as it is; new predictions have a segment of their own.
      LogWarn("data", "prediction log: {}", stays.error().message);
    } else if (!*stays) {
      next = segments.back();
    }
  }
  return std::make_unique<Writer>(folder, std::move(*lock), next, options.segment_bytes);
}

Status ReadPredictions(const fs::path& folder, LogPosition& position, const std::function<bool(const Prediction&)>& each) {
  // The list comes first: when it has a later segment, the earlier ones are complete.
  const std::vector<int64_t> segments = ListSegments(folder);
  for (const int64_t segment : segments) {
    if (segment < position.segment) continue;
    if (segment > position.segment) position = {segment, 0};
    auto file = ReadableFile::Open(SegmentPath(folder, segment));
    if (!file && file.error().code == Code::kNotFound) continue;
    if (!file) return std::unexpected(file.error());
    RONDO_TRY(const End end, Scan(*file, segment, position.offset, [&](std::string_view payload, uint64_t at) {
                const auto prediction = log::DecodePrediction(payload);
                if (!prediction) {
                  LogWarn("data", "prediction log: segment {} has a record of an unknown kind at byte {}, left out", segment, at);
                  return true;
                }
                return each(*prediction);
              }));
    if (end == End::kStopped) return {};
    if (end == End::kBroken && segment == segments.back())
      LogWarn("data", "prediction log: segment {} can't be read from byte {} on", segment, position.offset);
  }
  return {};
}

Result<Prediction> FindPrediction(const fs::path& folder, const std::string& id) {
  const std::vector<int64_t> segments = ListSegments(folder);
  const uint64_t hash = Xxh3(id);
  std::optional<Prediction> shadow;
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    auto file = ReadableFile::Open(SegmentPath(folder, *segment));
    if (!file && file.error().code == Code::kNotFound) continue;
    if (!file) return std::unexpected(file.error());
    std::optional<Prediction> found;
    const auto take = [&](std::optional<Prediction> prediction) {
      if (prediction && prediction->id == id) (prediction->shadow ? shadow : found) = std::move(prediction);
      return !found;
    };
    RONDO_TRY(const auto offsets, LookUp(*file, hash));
    if (offsets) {
      for (const uint64_t offset : *offsets) {
        RONDO_TRY(auto prediction, RecordAt(*file, offset));
        take(std::move(prediction));
      }
    } else {
      uint64_t offset = 0;
      RONDO_TRY([[maybe_unused]] const End end, Scan(*file, *segment, offset, [&](std::string_view payload, uint64_t) { return take(log::DecodePrediction(payload)); }));
    }
    if (found) return std::move(*found);
  }
  if (shadow) return std::move(*shadow);
  return Fail(Code::kNotFound, "the prediction log has no prediction " + id.substr(0, 64), "ids are the 32 hex digits of x-rondo-prediction-id");
}

}  // namespace rondo::data
