// An S3 bucket (below a prefix) as a remote.
#include "blob/s3.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "base/thread_pool.h"
#include "data/remotes/s3_open.h"
#include "data/remotes/staging.h"
#include "net/client.h"

namespace rondo::data::remotes {
namespace {

constexpr size_t kJobs = 64, kListings = 16;
constexpr uint64_t kWhole = 1u << 20;
constexpr size_t kPartsAtOnce = 4;

class S3Remote : public Remote {
 public:
  S3Remote(std::unique_ptr<blob::S3> s3, std::string prefix, size_t jobs) : s3_(std::move(s3)), prefix_(std::move(prefix)), jobs_(jobs) {}
  std::string Url() const override { return "s3://" + s3_->bucket() + (prefix_.empty() ? "" : "/" + prefix_.substr(0, prefix_.size() - 1)); }
  std::string Identity() const override { return "s3 " + s3_->Identity() + "/" + prefix_; }

  Result<std::vector<ObjectId>> Present(std::span<const ObjectId> ids, const TransferOptions& options) override {
    std::vector<ObjectId> wanted(ids.begin(), ids.end()), present;
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    if (wanted.empty()) return present;
    if (wanted.size() <= 8) return Ask(wanted);
    // One page tells how many objects there are: their names are evenly spread.
    RONDO_TRY(const blob::S3Page page, s3_->ListPage(Root(), "", ""));
    std::vector<ObjectId> there = Ids(page);
    if (!page.more) return Both(wanted, std::move(there));
    const double covered = page.objects.empty() ? 1 : Fraction(page.objects.back().key);
    const double total = static_cast<double>(page.objects.size()) / std::max(covered, 1e-6);
    const double listing = std::max(256.0, total / 1000);
    if (static_cast<double>(wanted.size()) < listing) return Ask(wanted);
    RONDO_TRY(const std::vector<StoredObject> all, ListObjects(options));
    there.clear();
    for (const StoredObject& o : all) there.push_back(o.id);
    return Both(wanted, std::move(there));
  }

  Result<std::vector<StoredObject>> ListObjects(const TransferOptions&) override {
    std::vector<std::vector<StoredObject>> parts(256);
    std::mutex mutex;
    Status status;
    // A small remote is one page; a large one is listed by its 256 folders at once.
    RONDO_TRY(const blob::S3Page first, s3_->ListPage(Root(), "", ""));
    auto add = [&](std::vector<StoredObject>& out, const blob::S3Object& o) {
      if (const auto id = IdOf(o.key)) out.push_back({*id, o.size});
    };
    if (!first.more) {
      for (const blob::S3Object& o : first.objects) add(parts[0], o);
    } else {
      ParallelFor(
          256,
          [&](size_t i) {
            {
              const std::lock_guard lock(mutex);
              if (!status) return;
            }
            const Status listed = s3_->List(Root() + fmt::format("{:02x}/", i), [&](const blob::S3Object& o) {
              add(parts[i], o);
              return true;
            });
            if (listed) return;
            const std::lock_guard lock(mutex);
            status = listed;
          },
          kListings);
    }
    RONDO_DO(status);
    std::vector<StoredObject> out;
    for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
    return out;
  }

  Report Put(std::span<const ObjectId> ids, const Cache& from, const TransferOptions& options) override {
    Outcomes outcomes;
    Meter meter(options.progress, "pushing", ids.size());
    const blob::ByteCount count = [&](uint64_t n) { meter.AddBytes(n); };
    std::vector<ObjectId> large;
    std::mutex mutex;
    auto finish = [&](const ObjectId& id, const Status& status) {
      if (status) {
        outcomes.Done(id);
        meter.AddFile();
      } else {
        outcomes.Failed(id, status.error());
      }
    };
    ParallelFor(
        ids.size(),
        [&](size_t i) {
          if (outcomes.stopped()) return;
          auto object = OpenVerified(from, ids[i], kWhole);
          if (!object) return outcomes.Failed(ids[i], object.error());
          if (object->size >= blob::S3::kMultipartFrom) {
            const std::lock_guard lock(mutex);
            large.push_back(ids[i]);
            return;
          }
          Status status;
          if (object->size <= kWhole) {
            status = s3_->Put(Key(ids[i]), object->bytes);
            if (status) meter.AddBytes(object->size);
          } else {
            // The service compares the MD5 with what arrives; ours comes first, because not every service does.
            status = from.Verify(ids[i]);
            if (status) status = s3_->PutRange(Key(ids[i]), object->fd.get(), 0, object->size, count);
          }
          finish(ids[i], status);
        },
        Jobs(options));
    for (const ObjectId& id : large) {
      if (outcomes.stopped()) break;
      const auto object = OpenVerified(from, id, 0);
      if (!object) {
        outcomes.Failed(id, object.error());
        continue;
      }
      Status whole;
      std::thread hashing([&] { whole = from.Verify(id); });
      bool joined = false;
      const Status status = s3_->PutMultipart(
          Key(id), object->fd.get(), object->size, kPartsAtOnce,
          [&] {
            hashing.join();
            joined = true;
            return whole;
          },
          count);
      if (!joined) hashing.join();
      finish(id, status);
    }
    return outcomes.Take(meter.bytes());
  }

  Report Get(std::span<const ObjectId> ids, const Cache& to, const TransferOptions& options) override {
    return Download(ids, to, Jobs(options), options.progress,
                    [&](const ObjectId& id, uint64_t from, uint64_t upto, const std::function<bool(uint64_t, std::string_view)>& sink, std::optional<uint64_t>* total) {
                      return s3_->Download(Key(id), from, upto, sink, total);
                    });
  }
  Status Delete(std::span<const ObjectId> ids) override {
    std::vector<std::string> keys;
    for (const ObjectId& id : ids) keys.push_back(Key(id));
    return s3_->Delete(keys);
  }

  Result<std::vector<std::string>> ListFiles(const std::string& folder) override {
    std::vector<std::string> out;
    RONDO_DO(s3_->List(prefix_ + folder + "/", [&](const blob::S3Object& o) {
      if (std::string name = o.key.substr(prefix_.size()); IsSafeName(name)) out.push_back(std::move(name));
      return true;
    }));
    return out;
  }
  Result<std::string> GetFile(const std::string& name) override { return s3_->Get(prefix_ + name); }
  Status PutFile(const std::string& name, std::string_view bytes) override { return s3_->Put(prefix_ + name, bytes); }

 private:
  std::string Root() const { return prefix_ + "files/md5/"; }
  std::string Key(const ObjectId& id) const { return Root() + Cache::RelativePath(id); }
  size_t Jobs(const TransferOptions& options) const { return options.jobs ? options.jobs : jobs_; }

  std::optional<ObjectId> IdOf(std::string_view key) const {
    const std::string root = Root();
    if (!key.starts_with(root) || key.size() < root.size() + 3 || key[root.size() + 2] != '/') return std::nullopt;
    key.remove_prefix(root.size());
    const auto id = ObjectId::Parse(std::string(key.substr(0, 2)) + std::string(key.substr(3)));
    if (!id) return std::nullopt;
    return *id;
  }
  std::vector<ObjectId> Ids(const blob::S3Page& page) const {
    std::vector<ObjectId> out;
    for (const blob::S3Object& o : page.objects)
      if (const auto id = IdOf(o.key)) out.push_back(*id);
    return out;
  }
  /// How far in the order of all names this one is, 0 to 1.
  double Fraction(std::string_view key) const {
    const auto id = IdOf(key);
    if (!id) return 1;
    return (id->md5.bytes[0] * 65536.0 + id->md5.bytes[1] * 256.0 + id->md5.bytes[2] + 1) / 16777216.0;
  }
  static std::vector<ObjectId> Both(const std::vector<ObjectId>& wanted, std::vector<ObjectId> there) {
    std::sort(there.begin(), there.end());
    std::vector<ObjectId> out;
    std::set_intersection(wanted.begin(), wanted.end(), there.begin(), there.end(), std::back_inserter(out));
    return out;
  }
  /// One question per object.
  Result<std::vector<ObjectId>> Ask(const std::vector<ObjectId>& wanted) {
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
          const auto head = s3_->Head(Key(wanted[i]));
          if (head) {
            there[i] = head->has_value();
            return;
          }
          const std::lock_guard lock(mutex);
          status = std::unexpected(head.error());
        },
        jobs_);
    RONDO_DO(status);
    std::vector<ObjectId> out;
    for (size_t i = 0; i < wanted.size(); ++i)
      if (there[i]) out.push_back(wanted[i]);
    return out;
  }

  std::unique_ptr<blob::S3> s3_;
  std::string prefix_;  ///< empty or with a final '/'
  size_t jobs_;
};

Result<int64_t> Seconds(const RemoteKeys& keys, const std::string& key, int64_t otherwise_ms) {
  const auto it = keys.find(key);
  if (it == keys.end()) return otherwise_ms;
  double seconds = 0;
  const auto [end, ec] = std::from_chars(it->second.data(), it->second.data() + it->second.size(), seconds);
  if (ec != std::errc() || end != it->second.data() + it->second.size() || !(seconds > 0) || seconds > 86'400)
    return Fail(Code::kInvalid, fmt::format("configuration error: {} of the remote is \"{}\", no number of seconds", key, it->second));
  return static_cast<int64_t>(seconds * 1000);
}

}  // namespace

Result<S3Place> OpenS3Place(const std::string& url, const RemoteKeys& keys) {
  auto get = [&](const char* key) {
    const auto it = keys.find(key);
    return it == keys.end() ? std::string() : it->second;
  };
  S3Place place;
  const std::string rest = url.substr(5);
  const size_t slash = std::min(rest.find('/'), rest.size());
  place.key = rest.substr(slash);
  while (place.key.starts_with('/')) place.key.erase(0, 1);

  blob::S3Settings s;
  s.region = get("region");
  s.profile = get("profile");
  s.credential_path = get("credentialpath");
  s.config_path = get("configpath");
  s.endpoint_url = get("endpointurl");
  s.keys = {get("access_key_id"), get("secret_access_key"), get("session_token")};
  RONDO_TRY(s.anonymous, FlagOf(keys, "allow_anonymous_login", false));
  RONDO_TRY(s.use_ssl, FlagOf(keys, "use_ssl", true));
  if (const std::string verify = get("ssl_verify"); !verify.empty()) {
    if (const auto flag = FlagOf(keys, "ssl_verify", true)) s.verify_tls = *flag;
    else s.ca_file = verify;
  }
  s.sse = get("sse");
  s.sse_kms_key_id = get("sse_kms_key_id");
  s.sse_customer_algorithm = get("sse_customer_algorithm");
  s.sse_customer_key = get("sse_customer_key");
  s.acl = get("acl");
  s.grant_full_control = get("grant_full_control");
  s.grant_read = get("grant_read");
  s.grant_read_acp = get("grant_read_acp");
  s.grant_write_acp = get("grant_write_acp");
  RONDO_TRY(s.stall_ms, Seconds(keys, "read_timeout", 60'000));
  RONDO_TRY(s.connect_timeout_ms, Seconds(keys, "connect_timeout", 10'000));
  RONDO_TRY(place.s3, blob::S3::Open(rest.substr(0, slash), s));
  return place;
}

Result<std::unique_ptr<Remote>> OpenS3Remote(const RemoteKeys& keys) {
  RONDO_TRY(S3Place place, OpenS3Place(keys.at("url"), keys));
  std::string prefix = place.key;
  while (prefix.ends_with('/')) prefix.pop_back();
  if (!prefix.empty()) prefix += '/';
  size_t jobs = kJobs;
  if (const auto it = keys.find("jobs"); it != keys.end() && !it->second.empty()) {
    const std::string& text = it->second;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), jobs);
    if (ec != std::errc() || end != text.data() + text.size() || jobs < 1 || jobs > 256) return Fail(Code::kInvalid, "configuration error: jobs of the remote is \"" + text + "\", not a number from 1 to 256");
  }
  return std::make_unique<S3Remote>(std::move(place.s3), prefix, jobs);
}

}  // namespace rondo::data::remotes
