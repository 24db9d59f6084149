/// HTTP/1.1 server: keep-alive, pipelining-safe, chunked both ways, limits and timeouts on everything, TLS, server-sent events, graceful drain.
/// Boost.Beast/Asio underneath (callbacks, one io_context per core), seen only in server.cc and its neighbours.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace rondo::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;                                        ///< "GET"
  std::string path;                                          ///< without query, percent-encoding kept: segments are decoded by the router
  std::vector<std::pair<std::string, std::string>> query;    ///< decoded, in order; names may repeat
  Headers headers;
  std::string body;                                          ///< whole; empty when body_file is set
  std::filesystem::path body_file;                           ///< bodies of spooling routes; removed after the handler has answered
  uint64_t body_size = 0;
  std::string remote;                                        ///< "127.0.0.1"
  bool tls = false;

  std::string_view Header(std::string_view name) const;      ///< case-insensitive; "" when absent
  std::optional<std::string> Query(std::string_view name) const;
};

struct FileBody {
  std::filesystem::path path;
  uint64_t offset = 0;
  uint64_t length = 0;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  Headers headers;
  std::string body;
  std::optional<FileBody> file;  ///< streamed in constant memory instead of `body`
};

/// A server-sent event stream (text/event-stream). Thread-safe. A slow reader whose buffer passes 1 MiB is cut off.
class EventStream {
 public:
  virtual ~EventStream() = default;
  virtual bool Send(std::string_view event, std::string_view data) = 0;  ///< false: the client has gone
  virtual void Close() = 0;
};

/// Answers one request, now or later, from any thread; exactly once. Dropped unanswered: 500.
class Reply {
 public:
  struct Impl;
  explicit Reply(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  void Send(Response response) const;
  std::shared_ptr<EventStream> StartEvents(Headers headers = {}) const;

 private:
  std::shared_ptr<Impl> impl_;
};

enum class RunOn {
  kLoop,  ///< on the event loop: quick, never blocks (health, predict)
  kPool,  ///< on the worker pool: SQL, files
};
/// What to do with a request, decided when its header has been read.
struct Route {
  std::function<void(Request&&, Reply)> handle;
  RunOn run_on = RunOn::kPool;
  uint64_t max_body = 64u << 20;   ///< larger: 413 before the body is read
  bool spool_body = false;         ///< body goes to a temporary file (artifact uploads)
};
/// Never null; unknown paths get a route that answers 404, wrong methods 405. Must be thread-safe and quick.
using Router = std::function<Route(const Request& head)>;

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;              ///< 0: any free one, see Server::port()
  int loops = 0;                  ///< event loops; 0: one per core
  int workers = 8;
  int max_queued = 1024;          ///< waiting for a worker; more answers 503 with Retry-After
  int max_connections = 4096;
  uint32_t max_header_bytes = 32u << 10;
  int64_t header_timeout_ms = 10'000;   ///< from the first byte of a request
  int64_t body_timeout_ms = 60'000;     ///< without progress
  int64_t idle_timeout_ms = 75'000;
  int64_t write_timeout_ms = 60'000;    ///< without progress
  std::filesystem::path spool;    ///< folder for spooled bodies
  std::function<int64_t()> idle_ticks;  ///< what the machine's cores have rested so far, in clock ticks; empty: /proc/stat
  std::filesystem::path tls_certificate, tls_key;  ///< PEM; empty: plain HTTP
};

class Server {
 public:
  /// Binds and listens; kEnvironment with the address when the port is busy (and what to do).
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, Router router);
  virtual ~Server() = default;
  virtual uint16_t port() const = 0;
  /// Stops accepting, answers what is in flight with `Connection: close`, ends event streams, waits at most timeout_ms, then cuts.
  virtual void Drain(int64_t timeout_ms) = 0;
};

/// Percent-decoding; kInvalid on a broken escape or an encoded NUL.
Result<std::string> PercentDecode(std::string_view text, bool plus_is_space = false);
std::string PercentEncode(std::string_view text);

}  // namespace rondo::net
