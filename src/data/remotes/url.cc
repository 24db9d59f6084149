// Files behind URLs: local paths, http(s), s3, remote://.
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include <fcntl.h>

#include <cerrno>

#include "base/thread_pool.h"
#include "data/remotes/external.h"
#include "data/remotes/http_source.h"
#include "data/remotes/s3_open.h"
#include "data/remotes/staging.h"

namespace rondo::data::remotes {
namespace {

struct Place {
  std::string url;  ///< remote:// resolved
  RemoteKeys keys;
};

Result<Place> Resolve(const std::string& url, const dvc::Config* config, const RemoteKeys& given) {
  Place place{url, given};
  if (url.starts_with("remote://")) {
    if (!config) return Fail(Code::kInvalid, url + ": there is no configuration that knows the remote");
    const std::string rest = url.substr(9);
    const size_t slash = std::min(rest.find('/'), rest.size());
    RONDO_TRY(place.keys, ResolveRemote(*config, rest.substr(0, slash)));
    place.url = place.keys["url"] + rest.substr(slash);
    for (const auto& [k, v] : given) place.keys[k] = v;
  }
  const std::string scheme = SchemeOf(place.url);
  if (!scheme.empty() && scheme != "s3" && scheme != "http" && scheme != "https") return Fail(Code::kUnsupported, fmt::format("data behind {}:// are not covered", scheme), "covered are local paths, s3://, http:// and https://");
  return place;
}

Result<Fd> NewFile(const fs::path& to) {
  RONDO_DO(MakeDirs(to.parent_path()));
  Fd fd(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd.valid()) return std::unexpected(SystemError("create", to, errno));
  return fd;
}

Result<uint64_t> CopyLocal(const fs::path& from, const fs::path& to, uint64_t& files) {
  std::error_code ec;
  if (fs::is_directory(from, ec)) {
    RONDO_DO(MakeDirs(to));
    uint64_t total = 0;
    std::vector<fs::path> names;
    for (fs::directory_iterator it(from, ec), end; !ec && it != end; it.increment(ec)) names.push_back(it->path().filename());
    if (ec) return std::unexpected(SystemError("list", from, ec.value()));
    for (const fs::path& name : names) {
      RONDO_TRY(const uint64_t n, CopyLocal(from / name, to / name, files));
      total += n;
    }
    return total;
  }
  if (!fs::is_regular_file(from, ec)) return Fail(Code::kNotFound, fmt::format("'{}' does not exist or is no file", from.string()));
  RONDO_DO(MakeDirs(to.parent_path()));
  if (!fs::copy_file(from, to, ec)) return std::unexpected(SystemError("copy", from, ec.value()));
  ++files;
  return fs::file_size(to, ec);
}

}  // namespace

Result<UrlFacts> LookAtUrl(const std::string& url, const dvc::Config* config, const RemoteKeys& given) {
  RONDO_TRY(const Place place, Resolve(url, config, given));
  const std::string scheme = SchemeOf(place.url);
  UrlFacts facts;
  facts.checksum_kind = "etag";
  if (scheme == "s3") {
    RONDO_TRY(const S3Place s3, OpenS3Place(place.url, place.keys));
    RONDO_TRY(const auto head, s3.s3->Head(s3.key));
    if (!head) return Fail(Code::kNotFound, "'" + url + "' does not exist");
    facts.checksum = head->etag;
    facts.size = head->size;
  } else if (!scheme.empty()) {
    RONDO_TRY(const HttpSource source, HttpSource::Open(place.keys));
    RONDO_TRY(const auto head, source.Head(place.url));
    if (!head) return Fail(Code::kNotFound, "'" + net::RedactUrl(url) + "' does not exist");
    facts.checksum = head->etag;
    facts.size = head->size.value_or(0);
  } else {
    return Fail(Code::kInvalid, url + " is a local path");
  }
  return facts;
}

Result<UrlFacts> CopyUrl(const std::string& url, const fs::path& to, const dvc::Config* config, const RemoteKeys& given, size_t jobs, const dvc::ProgressSink& progress) {
  RONDO_TRY(const Place place, Resolve(url, config, given));
  const std::string scheme = SchemeOf(place.url);
  UrlFacts facts;
  if (scheme.empty()) {
    uint64_t files = 0;
    std::error_code ec;
    RONDO_TRY(facts.size, CopyLocal(place.url, to, files));
    facts.checksum_kind = "md5";
    if (fs::is_directory(to, ec)) facts.files = files;
    return facts;
  }
  facts.checksum_kind = "etag";
  if (scheme != "s3") {
    RONDO_TRY(const HttpSource source, HttpSource::Open(place.keys));
    RONDO_TRY(const auto head, source.Head(place.url));
    if (!head) return Fail(Code::kNotFound, "'" + net::RedactUrl(url) + "' does not exist");
    facts.checksum = head->etag;
    RONDO_TRY(const Fd fd, NewFile(to));
    Meter meter(progress, "fetching", 1);
    Status written;
    const Status read = source.Read(
        place.url, 0, UINT64_MAX,
        [&](uint64_t, std::string_view piece) {
          written = WriteAll(fd.get(), piece, to.c_str());
          facts.size += piece.size();
          meter.AddBytes(piece.size());
          return written.has_value();
        },
        nullptr);
    if (!written) return std::unexpected(written.error());
    if (!read) return std::unexpected(read.error());
    return facts;
  }
  RONDO_TRY(const S3Place s3, OpenS3Place(place.url, place.keys));
  std::vector<blob::S3Object> objects;
  std::optional<blob::S3Object> one;
  if (!s3.key.empty()) {
    RONDO_TRY(one, s3.s3->Head(s3.key));
  }
  std::string prefix = s3.key;
  if (one) {
    objects.push_back(*one);
    facts.checksum = one->etag;
  } else {
    while (prefix.ends_with('/')) prefix.pop_back();
    if (!prefix.empty()) prefix += '/';
    RONDO_DO(s3.s3->List(prefix, [&](const blob::S3Object& o) {
      objects.push_back(o);
      return true;
    }));
    if (objects.empty()) return Fail(Code::kNotFound, "'" + url + "' does not exist");
    std::erase_if(objects, [&](const blob::S3Object& o) { return o.key.ends_with('/') && o.size == 0; });  // "folders" of the consoles
    facts.files = objects.size();
    for (const blob::S3Object& o : objects)
      if (!IsSafeName(o.key.substr(prefix.size()))) return Fail(Code::kForbidden, fmt::format("the listing of '{}' has the name \"{}\", which no file may get", url, o.key));
  }
  Meter meter(progress, "fetching", objects.size());
  std::mutex mutex;
  Status status;
  ParallelFor(
      objects.size(),
      [&](size_t i) {
        {
          const std::lock_guard lock(mutex);
          if (!status) return;
        }
        auto get = [&]() -> Status {
          RONDO_TRY(const Fd fd, NewFile(one ? to : to / objects[i].key.substr(prefix.size())));
          Status written;
          uint64_t got = 0;
          const Status read = s3.s3->Download(objects[i].key, 0, UINT64_MAX, [&](uint64_t, std::string_view piece) {
            written = WriteAll(fd.get(), piece, "a file");
            got += piece.size();
            meter.AddBytes(piece.size());
            return written.has_value();
          });
          RONDO_DO(written);
          RONDO_DO(read);
          if (got != objects[i].size) return Fail(Code::kUnavailable, fmt::format("s3://{}/{} came with {} bytes of {}", s3.s3->bucket(), objects[i].key, got, objects[i].size));
          meter.AddFile();
          const std::lock_guard lock(mutex);
          facts.size += got;
          return {};
        };
        if (Status done = get(); !done) {
          const std::lock_guard lock(mutex);
          status = std::move(done);
        }
      },
      jobs ? jobs : 32);
  if (!status) return std::unexpected(status.error());
  return facts;
}

}  // namespace rondo::data::remotes
