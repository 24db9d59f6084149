// Reading over HTTP(S) with patience.
#include "data/remotes/http_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/random.h"

namespace rondo::data::remotes {
namespace {

bool IsTransient(int status) { return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505); }

void Wait(int attempt) {
  thread_local Random random(static_cast<uint64_t>(MonotonicNs()));
  const double most = static_cast<double>(std::min(10'000, 100 << std::min(attempt, 10)));
  std::this_thread::sleep_for(std::chrono::milliseconds(static_cast<int64_t>(random.Uniform() * most)));
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::optional<uint64_t> SizeSaid(const net::ClientResponse& answer) {
  if (answer.status != 206) return Number(answer.Header("content-length"));
  const std::string range = answer.Header("content-range");
  return Number(std::string_view(range).substr(range.rfind('/') + 1));
}

std::unexpected<Error> Refused(const std::string& method, const std::string& url, int status) {
  const std::string what = fmt::format("{} {}: status {}", method, net::RedactUrl(url), status);
  if (status == 401 || status == 407) return Fail(Code::kUnauthorized, what, "set auth, user and password of the remote (with --local)");
  if (status == 403) return Fail(Code::kForbidden, what);
  if (status == 404 || status == 410) return Fail(Code::kNotFound, what);
  return Fail(IsTransient(status) ? Code::kUnavailable : Code::kEnvironment, what);
}

}  // namespace

Result<HttpSource> HttpSource::Open(const RemoteKeys& keys) {
  auto get = [&](const char* key) {
    const auto it = keys.find(key);
    return it == keys.end() ? std::string() : it->second;
  };
  HttpSource source;
  net::ClientRequest& r = source.base_;
  r.follow_redirects = true;
  r.timeout_ms = 0;
  r.connect_timeout_ms = 10'000;
  r.stall_ms = 60'000;
  for (const auto& [key, target] : {std::pair("connect_timeout", &r.connect_timeout_ms), std::pair("read_timeout", &r.stall_ms)}) {
    const std::string text = get(key);
    if (text.empty()) continue;
    const auto seconds = Number(text.substr(0, text.find('.')));
    if (!seconds || *seconds < 1 || *seconds > 86'400) return Fail(Code::kInvalid, fmt::format("configuration error: {} of the remote is \"{}\", no number of seconds", key, text));
    *target = static_cast<int64_t>(*seconds) * 1000;
  }
  if (const std::string verify = get("ssl_verify"); !verify.empty()) {
    if (const auto flag = FlagOf(keys, "ssl_verify", true)) r.verify_tls = *flag;
    else r.ca_file = verify;
  }
  RONDO_TRY(const bool ask, FlagOf(keys, "ask_password", false));
  const std::string auth = get("auth"), user = get("user"), password = get("password");
  if (ask && password.empty()) return Fail(Code::kUnsupported, "ask_password of an http remote is not covered", "put the password in the local configuration: dvc remote modify --local NAME password …");
  if (auth == "custom") {
    if (get("custom_auth_header").empty() || password.empty()) return Fail(Code::kInvalid, "configuration error: auth = custom needs custom_auth_header and password");
    r.headers.emplace_back(get("custom_auth_header"), password);
  } else if (auth.empty() || auth == "basic" || auth == "digest") {
    r.user = user;
    r.password = password;
    r.digest = auth == "digest";
  } else {
    return Fail(Code::kInvalid, "configuration error: auth of the remote is \"" + auth + "\", none of basic, digest, custom");
  }
  return source;
}

net::ClientRequest HttpSource::Request(const std::string& method, const std::string& url) const {
  net::ClientRequest request = base_;
  request.method = method;
  request.url = url;
  return request;
}

Result<std::optional<HttpSource::Facts>> HttpSource::Head(const std::string& url) const {
  net::ClientRequest request = Request("HEAD", url);
  for (int attempt = 0;; ++attempt) {
    const auto answer = net::Fetch(request);
    const bool last = attempt + 1 >= attempts_;
    if (!answer) {
      if (answer.error().code == Code::kConflict && request.method == "GET") return Facts{};  // we broke it off ourselves: it is there
      if (answer.error().code != Code::kUnavailable || last) return std::unexpected(answer.error());
    } else if (answer->status == 404 || answer->status == 410) {
      return std::nullopt;
    } else if (answer->status >= 200 && answer->status < 300) {
      Facts facts{SizeSaid(*answer), answer->Header("etag"), answer->Header("last-modified")};
      if (facts.etag.empty()) facts.etag = answer->Header("content-md5");
      std::erase(facts.etag, '"');
      return facts;
    } else if ((answer->status == 405 || answer->status == 501) && request.method == "HEAD") {
      request.method = "GET";
      request.on_body = [](int, std::string_view) { return false; };
      continue;
    } else if (!IsTransient(answer->status) || last) {
      return Refused(request.method, url, answer->status);
    }
    Wait(attempt);
  }
}

Status HttpSource::Read(const std::string& url, uint64_t from, uint64_t to, const std::function<bool(uint64_t, std::string_view)>& sink, std::optional<uint64_t>* total) const {
  uint64_t at = from;
  bool refused = false;
  for (int failures = 0;;) {
    const uint64_t begin = at;
    net::ClientRequest request = Request("GET", url);
    const bool ranged = at > 0 || to != UINT64_MAX;
    if (ranged) request.headers.emplace_back("Range", to == UINT64_MAX ? fmt::format("bytes={}-", at) : fmt::format("bytes={}-{}", at, to - 1));
    uint64_t skip = 0, seen = 0;
    bool enough = false;
    request.on_body = [&](int status, std::string_view piece) {
      // A server without ranges sends the whole: what we have is skipped.
      if (status != 206) skip = begin;
      seen += piece.size();
      if (seen <= skip) return true;
      piece.remove_prefix(piece.size() - std::min<uint64_t>(piece.size(), seen - std::max(skip, seen - piece.size())));
      if (status != 206 && to != UINT64_MAX && piece.size() > to - at) {
        piece = piece.substr(0, to - at);
        enough = true;
      }
      if (!piece.empty() && !sink(at, piece)) {
        refused = true;
        return false;
      }
      at += piece.size();
      return !enough;
    };
    const auto answer = net::Fetch(request);
    if (answer && answer->status >= 200 && answer->status < 300) {
      if (total) *total = SizeSaid(*answer);
      return {};
    }
    if (enough && !refused) return {};
    if (answer) {
      if (answer->status == 416 && at == 0) return {};  // a range of an empty file
      if (!IsTransient(answer->status)) return Refused("GET", url, answer->status);
    } else if (refused || answer.error().code != Code::kUnavailable) {
      return std::unexpected(answer.error());
    }
    if (at > begin) failures = 0;
    if (++failures >= attempts_) return answer ? Refused("GET", url, answer->status) : Status(std::unexpected(answer.error()));
    Wait(failures);
  }
}

}  // namespace rondo::data::remotes
