/// An S3 bucket (AWS, MinIO, Ceph, any service that speaks the protocol): objects, ranges, multipart, listings, presigned URLs.
/// Requests are retried with jitter on 5xx, 429, cut connections, truncated bodies and stalls; a download continues where it was cut. Every body is sent with its
/// SHA-256, so that the service refuses what the network damaged. Calls block and are thread-safe: parallelism is the caller's threads, connections are shared.
/// Source: Amazon S3 API Reference.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "blob/aws_config.h"
#include "net/client.h"

namespace rondo::blob {

struct S3Object {
  std::string key;
  uint64_t size = 0;
  std::string etag;           ///< without quotes
  std::string last_modified;  ///< as the service wrote it
};

struct S3Page {
  std::vector<S3Object> objects;
  std::vector<std::string> prefixes;  ///< "folders", when a delimiter was given
  bool more = false;
};

/// Called with the bytes of a transfer that went over the wire since the last call; from any thread.
using ByteCount = std::function<void(uint64_t)>;

class S3 {
 public:
  /// Finds keys, region and endpoint (ResolveS3). Sends nothing.
  static Result<std::unique_ptr<S3>> Open(const std::string& bucket, const S3Settings& settings, const Environment& environment = ProcessEnvironment());

  const std::string& bucket() const { return bucket_; }
  std::string Identity() const;  ///< endpoint and bucket, without anything secret

  Result<std::optional<S3Object>> Head(const std::string& key);  ///< nullopt: not there
  Result<std::string> Get(const std::string& key, uint64_t max_bytes = 64u << 20);
  /// Bytes [from, to) in order; continues after a cut (check the whole's hash: it may have been replaced in between). `sink` false: kConflict at once.
  /// The object may end before `to`. `total`, when given, becomes its size if the service says it.
  Status Download(const std::string& key, uint64_t from, uint64_t to, const std::function<bool(uint64_t offset, std::string_view piece)>& sink, std::optional<uint64_t>* total = nullptr);

  Status Put(const std::string& key, std::string_view bytes);
  /// Bytes [offset, offset + size) of a file as one object. kFailedCheck when the file changes meanwhile.
  Status PutRange(const std::string& key, int fd, uint64_t offset, uint64_t size, const ByteCount& count = {});
  /// A large file in parts, `threads` at a time, constant memory. Parts of an earlier, cut upload of the same bytes are used. `before_completion` may refuse
  /// (then nothing appears).
  Status PutMultipart(const std::string& key, int fd, uint64_t size, size_t threads, const std::function<Status()>& before_completion, const ByteCount& count = {});
  static constexpr uint64_t kMultipartFrom = 32u << 20;

  /// One page (up to 1,000 names) after `start_after`. Keys come sorted by their bytes.
  Result<S3Page> ListPage(const std::string& prefix, const std::string& delimiter, const std::string& start_after);
  /// All pages; `each` false stops.
  Status List(const std::string& prefix, const std::function<bool(const S3Object&)>& each);
  /// Deletes up to any number, 1,000 a request. Names that were not there are no failure.
  Status Delete(const std::vector<std::string>& keys);
  std::string Presign(const std::string& method, const std::string& key, int64_t expires_s);  ///< "" when there are no keys

 private:
  struct Call {
    std::string method, key = {};
    NameValues query = {}, headers = {};
    std::string_view body = {};
    int fd = -1;  ///< instead of body: [offset, offset + size)
    uint64_t offset = 0, size = 0;
    std::function<bool(int, std::string_view)> on_body = {};
    const ByteCount* count = nullptr;
    int attempts = 0;  ///< 0: as set
  };
  S3(std::string bucket, S3Settings settings, S3Access access);
  Result<net::ClientResponse> Send(const Call& call);
  Result<net::ClientResponse> Once(const Call& call, const std::string& sha256, const AwsKeys& keys, uint64_t& counted);
  SignInput Address(const std::string& key, std::string& base) const;
  Error ErrorOf(const Call& call, const net::ClientResponse& answer) const;
  bool Redirected(const net::ClientResponse& answer);
  void Wait(int attempt, const net::ClientResponse* answer);
  NameValues WriteHeaders() const;
  NameValues CustomerKeyHeaders() const;
  std::string region() const;

  std::string bucket_;
  S3Settings settings_;
  S3Access access_;
  mutable std::mutex mutex_;       ///< region_, random_
  std::string region_;
  Random random_;
  std::atomic<int64_t> skew_ms_{0};
  std::atomic<uint64_t> renewals_{0};
};

/// A bucket (below a prefix) as a BlobStore.
class BlobStore;
Result<std::unique_ptr<BlobStore>> OpenS3(const std::string& bucket, const std::string& prefix, const S3Settings& settings);

}  // namespace rondo::blob
