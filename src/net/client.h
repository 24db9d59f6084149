/// HTTP client (libcurl): one blocking call, bounded in time and size. Thread-safe; connections are kept per thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/server.h"

namespace rondo::net {

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  int64_t timeout_ms = 10'000;
  uint64_t max_body = 64u << 20;
  bool follow_redirects = false;
};
struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};
/// kUnavailable when the server can't be reached or the time is up; an HTTP error status is a result, not an error.
Result<ClientResponse> Fetch(const ClientRequest& request);

}  // namespace rondo::net
