// Objects of an S3 bucket: addressing, signing, retrying.
#include "blob/s3.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <ctime>
#include <thread>

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "blob/s3_xml.h"

namespace rondo::blob {
namespace {

constexpr int64_t kMaxWaitMs = 10'000, kMaxRetryAfterMs = 30'000;
constexpr size_t kBuffer = 256u << 10;

/// A bucket name may be a host's first label: lower case, no dots (they break TLS certificates' wildcards).
bool IsHostLabel(std::string_view bucket) {
  return bucket.size() >= 3 && bucket.size() <= 63 && std::all_of(bucket.begin(), bucket.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }) &&
         bucket.front() != '-' && bucket.back() != '-';
}

bool IsAddress(std::string_view host) {
  return host.starts_with('[') || std::all_of(host.begin(), host.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == ':'; });
}

Result<std::string> Sha256OfRange(int fd, uint64_t offset, uint64_t size) {
  Hasher hasher(HashKind::kSha256);
  std::vector<char> buffer(std::min<uint64_t>(kBuffer, std::max<uint64_t>(size, 1)));
  for (uint64_t done = 0; done < size;) {
    const ssize_t n = ::pread(fd, buffer.data(), std::min<uint64_t>(buffer.size(), size - done), static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Fail(Code::kFailedCheck, n < 0 ? "the file can't be read" : "the file became shorter while it was sent");
    hasher.Update({buffer.data(), static_cast<size_t>(n)});
    done += static_cast<uint64_t>(n);
  }
  return hasher.HexDigest();
}

/// The service's error code and message.
struct Said {
  std::string code, message, region;
};
Said Parse(const net::ClientResponse& answer) {
  const auto xml = ParseXml(answer.body);
  if (!xml) return {};
  const XmlNode* error = xml->name == "Error" ? &*xml : xml->Find("Error");
  if (!error) return {};
  return {error->Text("Code"), error->Text("Message"), error->Text("Region")};
}

/// The whole object's size, from Content-Range or Content-Length.
std::optional<uint64_t> SizeSaid(const net::ClientResponse& answer) {
  std::string text = answer.status == 206 ? answer.Header("content-range") : answer.Header("content-length");
  if (answer.status == 206) text = text.substr(text.rfind('/') + 1);  // "bytes 0-9/100"; npos + 1 is 0
  uint64_t size = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (ec != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return size;
}

bool IsTransient(int status, std::string_view code) {
  if (status == 429 || (status >= 500 && status != 501 && status != 505) || status == 408) return true;
  for (const std::string_view name : {"RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException", "RequestLimitExceeded", "OperationAborted",
                                      "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody"})
    if (code == name) return true;
  return false;
}

}  // namespace

Result<std::unique_ptr<S3>> S3::Open(const std::string& bucket, const S3Settings& settings, const Environment& environment) {
  if (bucket.empty() || bucket.find_first_of("/?#@ ") != std::string::npos) return Fail(Code::kInvalid, "\"" + bucket + "\" is no name of an S3 bucket");
  RONDO_TRY(S3Access access, ResolveS3(settings, environment));
  return std::unique_ptr<S3>(new S3(bucket, settings, std::move(access)));
}

S3::S3(std::string bucket, S3Settings settings, S3Access access)
    : bucket_(std::move(bucket)), settings_(std::move(settings)), access_(std::move(access)), region_(access_.region), random_(Xxh3(RandomHex(8))) {}

std::string S3::region() const {
  const std::lock_guard lock(mutex_);
  return region_;
}

std::string S3::Identity() const { return (access_.endpoint.empty() ? "aws" : net::RedactUrl(access_.endpoint)) + "/" + bucket_; }

SignInput S3::Address(const std::string& key, std::string& base) const {
  SignInput in;
  in.region = region();
  std::string endpoint = access_.endpoint;
  const bool aws = endpoint.empty();
  if (aws) endpoint = std::string(settings_.use_ssl ? "https" : "http") + "://s3." + in.region + ".amazonaws.com" + (in.region.starts_with("cn-") ? ".cn" : "");
  const size_t scheme = endpoint.find("://") + 3;
  const size_t path_at = std::min(endpoint.find('/', scheme), endpoint.size());
  std::string host = endpoint.substr(scheme, path_at - scheme), path = endpoint.substr(path_at);
  // boto3's rule: AWS by virtual hosts, other services by path unless told.
  const bool virtual_host = IsHostLabel(bucket_) && !IsAddress(host) && (access_.addressing == "virtual" || (access_.addressing == "auto" && aws));
  if (virtual_host) host = bucket_ + "." + host;
  else path += "/" + bucket_;
  path += "/" + key;
  in.path = path;
  // The scheme's own port is not part of the Host header that curl sends.
  const std::string_view own_port = endpoint.starts_with("https") ? ":443" : ":80";
  in.host = host.ends_with(own_port) ? host.substr(0, host.size() - own_port.size()) : host;
  base = endpoint.substr(0, scheme) + host + UriEncode(path, true);
  return in;
}

NameValues S3::CustomerKeyHeaders() const {
  if (settings_.sse_customer_key.empty()) return {};
  const std::string key = settings_.sse_customer_key;
  return {{"x-amz-server-side-encryption-customer-algorithm", settings_.sse_customer_algorithm.empty() ? "AES256" : settings_.sse_customer_algorithm},
          {"x-amz-server-side-encryption-customer-key", Base64Encode(key)},
          {"x-amz-server-side-encryption-customer-key-MD5", Base64Encode(*HexDecode(Md5Hex(key)))}};
}

NameValues S3::WriteHeaders() const {
  NameValues out = CustomerKeyHeaders();
  auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) out.emplace_back(name, value);
  };
  add("x-amz-server-side-encryption", settings_.sse);
  add("x-amz-server-side-encryption-aws-kms-key-id", settings_.sse_kms_key_id);
  add("x-amz-acl", settings_.acl);
  add("x-amz-grant-full-control", settings_.grant_full_control);
  add("x-amz-grant-read", settings_.grant_read);
  add("x-amz-grant-read-acp", settings_.grant_read_acp);
  add("x-amz-grant-write-acp", settings_.grant_write_acp);
  out.emplace_back("content-type", "application/octet-stream");
  return out;
}

Error S3::ErrorOf(const Call& call, const net::ClientResponse& answer) const {
  const Said said = Parse(answer);
  const std::string what = fmt::format("S3 {} of s3://{}/{}", call.method, bucket_, call.key);
  std::string why = said.code.empty() ? fmt::format("status {}", answer.status) : said.code + (said.message.empty() ? "" : ": " + said.message);
  // A service's message may repeat what was signed; only its first line is shown.
  why = why.substr(0, why.find('\n'));
  if (said.code == "NoSuchBucket") return {Code::kInvalid, what + ": there is no bucket \"" + bucket_ + "\"", "check the remote's url and endpointurl"};
  if (answer.status == 404) return {Code::kNotFound, what + ": " + why, ""};
  for (const std::string_view code : {"ExpiredToken", "TokenRefreshRequired", "InvalidToken", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed"})
    if (said.code == code) return {Code::kUnauthorized, what + ": " + said.code, code.find("Token") != std::string_view::npos ? "the temporary keys have expired: get new ones and run the command again; it continues where it stopped" : "check the access key, the secret key and this machine's clock"};
  if (answer.status == 401) return {Code::kUnauthorized, what + ": " + why, "check the access key and the secret key"};
  if (answer.status == 403) return {Code::kForbidden, what + ": " + why, "check the keys and the bucket's policy"};
  if (said.code == "BadDigest" || said.code == "XAmzContentSHA256Mismatch") return {Code::kFailedCheck, what + ": the bytes that arrived are not the ones sent (" + said.code + ")", ""};
  if (IsTransient(answer.status, said.code)) return {Code::kUnavailable, what + ": " + why, "the service stayed unavailable: run the command again later; it continues where it stopped"};
  return {Code::kEnvironment, what + ": " + why, ""};
}

bool S3::Redirected(const net::ClientResponse& answer) {
  const Said said = Parse(answer);
  std::string wanted = answer.Header("x-amz-bucket-region");
  if (wanted.empty()) wanted = said.region;
  const bool wrong = answer.status == 301 || answer.status == 307 || said.code == "AuthorizationHeaderMalformed" || said.code == "IllegalLocationConstraintException" || answer.status == 400;
  const std::lock_guard lock(mutex_);
  if (!wrong || wanted.empty() || wanted == region_) return false;
  region_ = wanted;
  return true;
}

void S3::Wait(int attempt, const net::ClientResponse* answer) {
  double share = 0;
  {
    const std::lock_guard lock(mutex_);
    share = random_.Uniform();
  }
  int64_t ms = static_cast<int64_t>(share * static_cast<double>(std::min(kMaxWaitMs, settings_.backoff_ms << std::min(attempt, 20))));
  if (answer) {
    const std::string after = answer->Header("retry-after");
    int64_t seconds = 0;
    if (std::from_chars(after.data(), after.data() + after.size(), seconds).ec == std::errc() && seconds > 0) ms = std::max(ms, std::min(kMaxRetryAfterMs, seconds * 1000));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

Result<net::ClientResponse> S3::Once(const Call& call, const std::string& sha256, const AwsKeys& keys, uint64_t& counted) {
  std::string base;
  SignInput in = Address(call.key, base);
  in.method = call.method;
  in.query = call.query;
  in.headers = call.headers;
  in.payload_sha256 = sha256;
  in.time_ms = SystemClock().NowMs() + skew_ms_.load();
  net::ClientRequest request;
  request.method = call.method;
  const std::string query = CanonicalQuery(call.query);
  request.url = base + (query.empty() ? "" : "?" + query);
  request.headers = access_.keys ? SignV4(in, keys) : in.headers;
  request.timeout_ms = 0;
  request.stall_ms = settings_.stall_ms;
  request.connect_timeout_ms = settings_.connect_timeout_ms;
  request.verify_tls = settings_.verify_tls;
  request.ca_file = access_.ca_file;
  request.on_body = call.on_body;
  if (call.fd >= 0) {
    request.body_size = call.size;
    request.body_source = [&](uint64_t offset, char* buffer, size_t size) -> ssize_t {
      for (;;) {
        const ssize_t n = ::pread(call.fd, buffer, size, static_cast<off_t>(call.offset + offset));
        if (n < 0 && errno == EINTR) continue;
        if (n > 0 && call.count && *call.count && offset + static_cast<uint64_t>(n) > counted) {
          (*call.count)(offset + static_cast<uint64_t>(n) - counted);
          counted = offset + static_cast<uint64_t>(n);
        }
        return n == 0 && size > 0 ? -1 : n;  // shorter than it was: the hash would not fit either
      }
    };
  } else {
    request.body = std::string(call.body);
  }
  return net::Fetch(request);
}

Result<net::ClientResponse> S3::Send(const Call& call) {
  std::string sha256;
  if (call.fd >= 0) {
    RONDO_TRY(sha256, Sha256OfRange(call.fd, call.offset, call.size));
  } else {
    sha256 = call.body.empty() ? std::string(kEmptySha256) : Sha256Hex(call.body);
  }
  uint64_t counted = 0;
  bool renewed = false;
  const int attempts = call.attempts > 0 ? call.attempts : settings_.attempts;
  for (int attempt = 0, redirects = 0;; ++attempt) {
    const uint64_t generation = renewals_.load();
    AwsKeys keys;
    if (access_.keys) {
      RONDO_TRY(keys, access_.keys->Get(false));
    }
    const auto answer = Once(call, sha256, keys, counted);
    const bool last = attempt + 1 >= attempts;
    if (!answer) {
      if (answer.error().code != Code::kUnavailable || last) {
        if (answer.error().code == Code::kEnvironment && call.fd >= 0) return Fail(Code::kFailedCheck, "the file changed while it was sent as s3://" + bucket_ + "/" + call.key);
        return std::unexpected(answer.error());
      }
      Wait(attempt, nullptr);
      continue;
    }
    if (answer->status >= 200 && answer->status < 300) return *answer;
    if (redirects < 2 && Redirected(*answer)) {
      ++redirects;
      continue;
    }
    const Said said = Parse(*answer);
    const bool silent_refusal = call.method == "HEAD" && (answer->status == 400 || answer->status == 403);  // an answer to HEAD has no body that says why
    if (!renewed && access_.keys && (said.code == "ExpiredToken" || said.code == "TokenRefreshRequired" || silent_refusal)) {
      renewed = true;
      // One thread asks for new keys; the others find them there.
      if (uint64_t expected = generation; renewals_.compare_exchange_strong(expected, generation + 1)) {
        if (const auto fresh = access_.keys->Get(true); !fresh && !silent_refusal) return std::unexpected(fresh.error());
      }
      continue;
    }
    if (said.code == "RequestTimeTooSkewed" && skew_ms_.load() == 0) {
      std::tm tm{};
      const std::string date = answer->Header("date");
      if (::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S", &tm)) {
        skew_ms_ = static_cast<int64_t>(::timegm(&tm)) * 1000 - SystemClock().NowMs();
        continue;
      }
    }
    if (!IsTransient(answer->status, said.code) || last) return *answer;
    Wait(attempt, &*answer);
  }
}

Result<std::optional<S3Object>> S3::Head(const std::string& key) {
  Call call{.method = "HEAD", .key = key, .headers = CustomerKeyHeaders()};
  RONDO_TRY(const net::ClientResponse answer, Send(call));
  if (answer.status == 404) return std::nullopt;
  if (answer.status != 200) return std::unexpected(ErrorOf(call, answer));
  S3Object object{.key = key, .size = 0, .etag = answer.Header("etag"), .last_modified = answer.Header("last-modified")};
  std::erase(object.etag, '"');
  const std::string length = answer.Header("content-length");
  std::from_chars(length.data(), length.data() + length.size(), object.size);
  return object;
}

Result<std::string> S3::Get(const std::string& key, uint64_t max_bytes) {
  std::string out;
  bool too_large = false;
  const Status status = Download(key, 0, UINT64_MAX, [&](uint64_t, std::string_view piece) {
    too_large = out.size() + piece.size() > max_bytes;
    if (!too_large) out += piece;
    return !too_large;
  });
  if (too_large) return Fail(Code::kTooLarge, fmt::format("s3://{}/{} is over {} bytes", bucket_, key, max_bytes));
  if (!status) return std::unexpected(status.error());
  return out;
}

Status S3::Download(const std::string& key, uint64_t from, uint64_t to, const std::function<bool(uint64_t, std::string_view)>& sink, std::optional<uint64_t>* total) {
  uint64_t at = from;
  std::optional<uint64_t> size;
  bool refused = false;
  for (int failures = 0;;) {
    const uint64_t begin = at;
    Call call{.method = "GET", .key = key, .headers = CustomerKeyHeaders(), .attempts = 1};
    const bool ranged = at > 0 || to != UINT64_MAX;
    if (ranged) call.headers.emplace_back("range", to == UINT64_MAX ? fmt::format("bytes={}-", at) : fmt::format("bytes={}-{}", at, to - 1));
    call.on_body = [&](int status, std::string_view piece) {
      // A service that ignores Range would send the object from its start.
      if (ranged && status != 206 && begin != 0) {
        refused = true;
        return false;
      }
      piece = piece.substr(0, std::min<uint64_t>(piece.size(), to - at));
      if (!sink(at, piece)) {
        refused = true;
        return false;
      }
      at += piece.size();
      return true;
    };
    const auto answer = Send(call);
    if (answer && answer->status >= 200 && answer->status < 300) {
      size = SizeSaid(*answer);
      if (total) *total = size;
      if (to == UINT64_MAX || at == to || (size && at == *size)) return {};
    } else if (answer) {
      if (answer->status == 416 && at == 0) {  // a range of an empty object
        if (total) *total = 0;
        return {};
      }
      if (!IsTransient(answer->status, Parse(*answer).code)) return std::unexpected(ErrorOf(call, *answer));
    } else if (refused || answer.error().code != Code::kUnavailable) {
      return std::unexpected(answer.error());
    }
    if (at > begin) failures = 0;  // it moves: patience starts anew
    if (++failures >= settings_.attempts) {
      if (answer) return std::unexpected(answer->status >= 300 ? ErrorOf(call, *answer) : Error{Code::kUnavailable, fmt::format("s3://{}/{}: the answer ended early at byte {}", bucket_, key, at), ""});
      return std::unexpected(answer.error());
    }
    Wait(failures, answer ? &*answer : nullptr);
  }
}

Status S3::Put(const std::string& key, std::string_view bytes) {
  Call call{.method = "PUT", .key = key, .headers = WriteHeaders(), .body = bytes};
  RONDO_TRY(const net::ClientResponse answer, Send(call));
  if (answer.status < 200 || answer.status >= 300) return std::unexpected(ErrorOf(call, answer));
  return {};
}

Status S3::PutRange(const std::string& key, int fd, uint64_t offset, uint64_t size, const ByteCount& count) {
  Call call{.method = "PUT", .key = key, .headers = WriteHeaders(), .fd = fd, .offset = offset, .size = size, .count = &count};
  RONDO_TRY(const net::ClientResponse answer, Send(call));
  if (answer.status < 200 || answer.status >= 300) return std::unexpected(ErrorOf(call, answer));
  return {};
}

std::string S3::Presign(const std::string& method, const std::string& key, int64_t expires_s) {
  if (!access_.keys) return {};
  const auto keys = access_.keys->Get(false);
  if (!keys) return {};
  std::string base;
  SignInput in = Address(key, base);
  in.method = method;
  in.time_ms = SystemClock().NowMs() + skew_ms_.load();
  return base + "?" + PresignV4(in, *keys, expires_s);
}

}  // namespace rondo::blob
