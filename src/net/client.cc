// The HTTP client on libcurl.
#include "net/client.h"

#include <curl/curl.h>
#include <strings.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <mutex>

#include "net/address.h"

namespace rondo::net {
namespace {

struct Exchange {
  CURL* curl = nullptr;
  const ClientRequest* request = nullptr;
  ClientResponse* response = nullptr;
  uint64_t sent = 0;
  bool closed_address = false, too_large = false, stopped = false, source_failed = false;
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto* x = static_cast<Exchange*>(user);
  const size_t n = size * count;
  if (x->request->on_body) {
    long status = 0;
    curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) {
      x->stopped = !x->request->on_body(static_cast<int>(status), {data, n});
      return x->stopped ? 0 : n;
    }
  }
  if (x->response->body.size() + n > x->request->max_body) {
    x->too_large = true;
    return 0;
  }
  x->response->body.append(data, n);
  return n;
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  auto* response = static_cast<Exchange*>(user)->response;
  std::string_view line(data, size * count);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  const size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) response->headers.clear();  // the last answer of a redirect chain counts
  else if (colon != std::string_view::npos) {
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    response->headers.emplace_back(std::string(line.substr(0, colon)), std::string(value));
  }
  return size * count;
}

size_t OnRead(char* buffer, size_t size, size_t count, void* user) {
  auto* x = static_cast<Exchange*>(user);
  const ssize_t n = x->request->body_source(x->sent, buffer, std::min<uint64_t>(size * count, x->request->body_size - x->sent));
  if (n < 0) {
    x->source_failed = true;
    return CURL_READFUNC_ABORT;
  }
  x->sent += static_cast<uint64_t>(n);
  return static_cast<size_t>(n);
}

/// curl sends a body again when a kept connection turns out to be closed.
int OnSeek(void* user, curl_off_t offset, int origin) {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Exchange*>(user)->sent = static_cast<uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

/// The last moment at which the address is known: whatever a name resolved to before, this is where the bytes go.
curl_socket_t OnSocket(void* user, curlsocktype, curl_sockaddr* address) {
  if (!IsPublicAddress(&address->addr)) {
    static_cast<Exchange*>(user)->closed_address = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// Idle handles with their open connections. A handle belongs to one call at a time, so short-lived workers still find warm connections.
class Handles {
 public:
  static Handles& Get() {
    static Handles handles;
    return handles;
  }
  CURL* Take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        CURL* curl = idle_.back();
        idle_.pop_back();
        return curl;
      }
    }
    return curl_easy_init();
  }
  void Give(CURL* curl) {
    curl_easy_reset(curl);
    {
      const std::lock_guard lock(mutex_);
      if (idle_.size() < kMost) {
        idle_.push_back(curl);
        return;
      }
    }
    curl_easy_cleanup(curl);
  }
  ~Handles() {
    for (CURL* curl : idle_) curl_easy_cleanup(curl);
  }

 private:
  static constexpr size_t kMost = 256;
  Handles() { curl_global_init(CURL_GLOBAL_DEFAULT); }
  std::mutex mutex_;
  std::vector<CURL*> idle_;
};

struct GiveBack {
  void operator()(CURL* curl) const { Handles::Get().Give(curl); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

void SetBody(CURL* curl, const ClientRequest& request, Exchange& exchange) {
  if (request.body_source) {
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body_size));
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, OnRead);
    curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, OnSeek);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, &exchange);
  } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
}

void SetSecurity(CURL* curl, const ClientRequest& request, Exchange& exchange) {
  if (!request.user.empty() || !request.password.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, request.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, request.password.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, request.digest ? CURLAUTH_DIGEST : CURLAUTH_BASIC);
  }
  if (!request.verify_tls) {
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (request.public_only) {
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OnSocket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
  }
  if (!request.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
}

}  // namespace

std::string ClientResponse::Header(std::string_view name) const {
  for (const auto& [k, v] : headers)
    if (k.size() == name.size() && ::strncasecmp(k.data(), name.data(), name.size()) == 0) return v;
  return {};
}

std::string RedactUrl(std::string_view url) {
  std::string out(url);
  const size_t scheme = out.find("://");
  if (scheme != std::string::npos) {
    const size_t from = scheme + 3, end = std::min(out.find_first_of("/?#", from), out.size());
    // A password may contain '@': the last one before the path ends the user's part.
    const size_t at = out.substr(0, end).rfind('@');
    if (at != std::string::npos && at >= from) out.replace(from, at - from, "***");
  }
  const size_t question = out.find('?');
  if (question == std::string::npos) return out;
  std::string lower = out.substr(question);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const std::string_view word : {"sig", "token", "credential", "key", "password", "secret", "auth"})
    if (lower.find(word) != std::string::npos) return out.substr(0, question) + "?***";
  return out;
}

Result<ClientResponse> Fetch(const ClientRequest& request) {
  const std::unique_ptr<CURL, GiveBack> handle(Handles::Get().Take());
  CURL* curl = handle.get();
  if (!curl) return Fail(Code::kEnvironment, "cannot start the HTTP client");
  ClientResponse response;
  Exchange exchange{curl, &request, &response};
  std::unique_ptr<curl_slist, FreeList> list;
  for (const auto& [k, v] : request.headers) list.reset(curl_slist_append(list.release(), (k + ": " + v).c_str()));
  list.reset(curl_slist_append(list.release(), "Expect:"));
  char error[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  SetBody(curl, request, exchange);
  SetSecurity(curl, request, exchange);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
  if (request.connect_timeout_ms > 0) curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout_ms));
  if (request.stall_ms > 0) {
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(std::max<int64_t>(1, request.stall_ms / 1000)));
  }
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, request.follow_redirects ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "rondo");
  const CURLcode rc = curl_easy_perform(curl);
  const std::string shown = request.method + " " + RedactUrl(request.url);
  if (exchange.closed_address) return Fail(Code::kForbidden, shown + ": its address is not a public one");
  if (exchange.too_large) return Fail(Code::kTooLarge, "the answer of " + RedactUrl(request.url) + " is over the limit of " + std::to_string(request.max_body) + " bytes");
  if (exchange.source_failed) return Fail(Code::kEnvironment, shown + ": the data to send could not be read");
  if (exchange.stopped) return Fail(Code::kConflict, shown + ": the answer was not wanted further");
  if (rc != CURLE_OK)
    return Fail(rc == CURLE_URL_MALFORMAT || rc == CURLE_UNSUPPORTED_PROTOCOL ? Code::kInvalid : Code::kUnavailable,
                shown + ": " + (*error ? error : curl_easy_strerror(rc)));
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  return response;
}

}  // namespace rondo::net
