// A web server as a remote, for reading: the tree below the url, asked for object by object.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <mutex>

#include "base/thread_pool.h"
#include "data/remotes/http_source.h"
#include "data/remotes/staging.h"

namespace rondo::data::remotes {
namespace {

constexpr size_t kJobs = 32;

class HttpRemote : public Remote {
 public:
  HttpRemote(HttpSource source, std::string url, size_t jobs) : source_(std::move(source)), url_(std::move(url)), jobs_(jobs) {}
  std::string Url() const override { return net::RedactUrl(url_); }
  std::string Identity() const override { return "http " + net::RedactUrl(url_); }
  Status CheckWritable() const override {
    return Fail(Code::kUnsupported, "pushing to " + Url() + " is not covered: http remotes are for reading", "push to the place behind it (a folder, S3)");
  }

  Result<std::vector<ObjectId>> Present(std::span<const ObjectId> ids, const TransferOptions& options) override {
    std::vector<ObjectId> wanted(ids.begin(), ids.end());
    std::sort(wanted.begin(), wanted.end());
    std::vector<char> there(wanted.size());
    std::mutex mutex;
    Status status;
    ParallelFor(
        wanted.size(),
        [&](size_t i) {
          {
            const std::lock_guard lock(mutex);
            if (!status) return;
          }
          const auto head = source_.Head(UrlOf(wanted[i]));
          if (head) {
            there[i] = head->has_value();
            return;
          }
          const std::lock_guard lock(mutex);
          status = std::unexpected(head.error());
        },
        Jobs(options));
    RONDO_DO(status);
    std::vector<ObjectId> out;
    for (size_t i = 0; i < wanted.size(); ++i)
      if (there[i]) out.push_back(wanted[i]);
    return out;
  }
  Result<std::vector<StoredObject>> ListObjects(const TransferOptions&) override { return Fail(Code::kUnsupported, "a web server can't list what it has (" + Url() + ")"); }
  Report Put(std::span<const ObjectId>, const Cache&, const TransferOptions&) override {
    Report report;
    report.stopped = CheckWritable().error();
    return report;
  }
  Report Get(std::span<const ObjectId> ids, const Cache& to, const TransferOptions& options) override {
    return Download(ids, to, Jobs(options), options.progress,
                    [&](const ObjectId& id, uint64_t from, uint64_t upto, const std::function<bool(uint64_t, std::string_view)>& sink, std::optional<uint64_t>* total) {
                      return source_.Read(UrlOf(id), from, upto, sink, total);
                    });
  }
  Status Delete(std::span<const ObjectId>) override { return CheckWritable(); }
  /// DVC keeps no run cache behind HTTP.
  Result<std::vector<std::string>> ListFiles(const std::string&) override { return Fail(Code::kUnsupported, "the run cache is not kept behind http (" + Url() + ")"); }
  Result<std::string> GetFile(const std::string&) override { return std::unexpected(ListFiles("").error()); }
  Status PutFile(const std::string&, std::string_view) override { return CheckWritable(); }

 private:
  std::string UrlOf(const ObjectId& id) const { return url_ + "/files/md5/" + Cache::RelativePath(id); }
  size_t Jobs(const TransferOptions& options) const { return options.jobs ? options.jobs : jobs_; }
  HttpSource source_;
  std::string url_;
  size_t jobs_;
};

}  // namespace

Result<std::unique_ptr<Remote>> OpenHttpRemote(const RemoteKeys& keys) {
  RONDO_TRY(HttpSource source, HttpSource::Open(keys));
  std::string url = keys.at("url");
  while (url.ends_with('/')) url.pop_back();
  size_t jobs = kJobs;
  if (const auto it = keys.find("jobs"); it != keys.end()) {
    const auto [end, ec] = std::from_chars(it->second.data(), it->second.data() + it->second.size(), jobs);
    if (ec != std::errc() || end != it->second.data() + it->second.size() || jobs < 1 || jobs > 256)
      return Fail(Code::kInvalid, "configuration error: jobs of the remote is \"" + it->second + "\", not a number from 1 to 256");
  }
  return std::make_unique<HttpRemote>(std::move(source), url, jobs);
}

}  // namespace rondo::data::remotes
