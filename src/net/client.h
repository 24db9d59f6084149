/// HTTP client (libcurl): one blocking call, bounded in time and size. Thread-safe; connections are kept and shared by all threads of the process.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/server.h"

namespace rondo::net {

struct ClientRequest {
  std::string method = "GET";
  std::string url = {};
  Headers headers = {};
  std::string body = {};
  int64_t timeout_ms = 10'000;  ///< for the whole exchange; 0: none (give stall_ms then)
  uint64_t max_body = 64u << 20;
  bool follow_redirects = false;

  // For bodies that don't belong in memory, and for slow networks.
  /// The request's body as a function: fills the buffer from byte `offset`, returns how many (0 ends; -1 is an error). May be asked for an offset again.
  std::function<ssize_t(uint64_t offset, char* buffer, size_t size)> body_source = {};
  uint64_t body_size = 0;  ///< of body_source, exact
  /// Takes the body of a 2xx answer piece by piece; false breaks off. Bodies of other answers still arrive in ClientResponse::body.
  std::function<bool(int status, std::string_view piece)> on_body = {};
  int64_t connect_timeout_ms = 0;  ///< 0: curl's own (300 s)
  int64_t stall_ms = 0;            ///< not a byte in so long: kUnavailable. Whole seconds; 0: only timeout_ms counts
  std::string user = {}, password = {};      ///< for HTTP authentication; empty: none
  bool digest = false;             ///< digest instead of basic
  bool verify_tls = true;
  bool public_only = false;        ///< refuses addresses that are not public (address.h), checked when connecting; no proxy, no kept connection
  std::string ca_file = {};             ///< instead of the system's certificates
};
struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;

  /// The header's value, "" when there is none; names are compared without case.
  std::string Header(std::string_view name) const;
};
/// kUnavailable when the server can't be reached, breaks off or the time is up; an HTTP error status is a result, not an error. Messages never contain
/// user names, passwords or signatures of the URL.
Result<ClientResponse> Fetch(const ClientRequest& request);

/// The URL for messages: `user:password@` and the values of a query that carries a signature or a token are replaced by "***".
std::string RedactUrl(std::string_view url);

}  // namespace rondo::net
