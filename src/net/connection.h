/// One HTTP/1.1 connection over a TCP or TLS stream. Heavy headers: included in server.cc only.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <ctime>
#include <list>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "net/reply.h"

namespace rondo::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
/// With the concrete executor: the any-executor of tcp::socket is copied several times a request.
using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
using ErrorCode = boost::system::error_code;

class ConnectionBase;

/// What all connections of a server share.
struct Shared {
  ServerOptions options;
  Router router;
  std::unique_ptr<ThreadPool> pool;
  std::atomic<int> connections{0};
  std::atomic<bool> draining{false};
};

/// One event loop: its thread runs `io`; everything below happens on that thread.
struct Loop {
  asio::io_context io{1};
  asio::steady_timer sweep{io};
  bool sweeping = false;
  std::list<ConnectionBase*> connections;
  int64_t date_second = 0;
  std::string date;

  std::string_view Date() {
    const int64_t now = std::time(nullptr);
    if (now != date_second) {
      date_second = now;
      date = HttpDate(now);
    }
    return date;
  }
  void StartSweep();
  void CloseIdle();
};

class ConnectionBase : public std::enable_shared_from_this<ConnectionBase> {
 public:
  ConnectionBase(Loop& loop, std::shared_ptr<Shared> shared) : loop_(loop), shared_(std::move(shared)) {
    place_ = loop_.connections.insert(loop_.connections.end(), this);
    ++shared_->connections;
  }
  virtual ~ConnectionBase() {
    loop_.connections.erase(place_);
    --shared_->connections;
  }
  virtual void Cut() = 0;
  bool idle() const { return state_ == State::kIdle; }
  bool events() const { return state_ == State::kEvents; }
  bool Late(int64_t now_ns) const { return deadline_ns_ != 0 && now_ns > deadline_ns_; }

 protected:
  enum class State { kIdle, kHead, kBody, kHandling, kWriting, kEvents, kClosed };
  void Deadline(int64_t ms) { deadline_ns_ = ms > 0 ? MonotonicNs() + ms * 1'000'000 : 0; }

  Loop& loop_;
  std::shared_ptr<Shared> shared_;
  State state_ = State::kIdle;

 private:
  std::list<ConnectionBase*>::iterator place_;
  int64_t deadline_ns_ = 0;
};

inline void Loop::StartSweep() {
  // One timer per loop instead of one per read: looks once a second, and only while there are connections.
  if (sweeping || connections.empty()) return;
  sweeping = true;
  sweep.expires_after(std::chrono::seconds(1));
  sweep.async_wait([this](ErrorCode ec) {
    sweeping = false;
    if (ec) return;
    const int64_t now = MonotonicNs();
    std::vector<std::shared_ptr<ConnectionBase>> late;
    for (ConnectionBase* c : connections)
      if (c->Late(now)) late.push_back(c->shared_from_this());
    for (auto& c : late) c->Cut();
    late.clear();
    StartSweep();
  });
}
inline void Loop::CloseIdle() {
  std::vector<std::shared_ptr<ConnectionBase>> idle;
  for (ConnectionBase* c : connections)
    if (c->idle() || c->events()) idle.push_back(c->shared_from_this());
  for (auto& c : idle) c->Cut();
}

template <typename Stream>
class Connection : public ConnectionBase {
 public:
  template <typename... Args>
  Connection(Loop& loop, std::shared_ptr<Shared> shared, std::string remote, Args&&... args)
      : ConnectionBase(loop, std::move(shared)), stream_(std::forward<Args>(args)...), remote_(std::move(remote)) {}

  void Start() {
    ErrorCode ignored;
    stream_.lowest_layer().set_option(tcp::no_delay(true), ignored);
    loop_.StartSweep();
    if constexpr (kTls) {
      Deadline(shared_->options.header_timeout_ms);
      stream_.async_handshake(asio::ssl::stream_base::server, [self = Self()](ErrorCode ec) {
        if (!ec) self->NextRequest();
      });
    } else {
      NextRequest();
    }
  }

  void Cut() override {
    ErrorCode ignored;
    state_ = State::kClosed;
    stream_.lowest_layer().shutdown(asio::socket_base::shutdown_both, ignored);
    stream_.lowest_layer().close(ignored);
  }

 private:
  static constexpr bool kTls = !std::is_same_v<Stream, Socket>;
  std::shared_ptr<Connection> Self() { return std::static_pointer_cast<Connection>(shared_from_this()); }

  struct PendingReply;
  struct Events;

  void NextRequest() {
    if (shared_->draining) return Cut();
    parser_.emplace();
    parser_->header_limit(shared_->options.max_header_bytes);
    parser_->body_limit(boost::none);  // ours, per route, once the header is known
    if (buffer_.size() > 0) return OnReadable({});
    state_ = State::kIdle;
    Deadline(shared_->options.idle_timeout_ms);
    // Waits for the first byte apart, so that a connection between requests can be told from one that sends slowly.
    stream_.async_read_some(buffer_.prepare(8192), [self = Self()](ErrorCode ec, size_t n) {
      self->buffer_.commit(n);
      if (ec) return self->Cut();
      self->OnReadable(ec);
    });
  }

  void OnReadable(ErrorCode) {
    state_ = State::kHead;
    Deadline(shared_->options.header_timeout_ms);
    http::async_read_header(stream_, buffer_, *parser_, [self = Self()](ErrorCode ec, size_t) { self->OnHead(ec); });
  }

  void OnHead(ErrorCode ec) {
    if (ec) {
      if (ec == http::error::header_limit) return Refuse(431, "the request header is larger than " + std::to_string(shared_->options.max_header_bytes) + " bytes");
      if (ec.category() == http::make_error_code(http::error::bad_method).category() && ec != http::error::end_of_stream && ec != http::error::partial_message)
        return Refuse(400, "malformed HTTP request: " + ec.message());
      return Cut();
    }
    auto& head = parser_->get();
    request_ = Request{};
    request_.method = std::string(head.method_string());
    request_.remote = remote_;
    request_.tls = kTls;
    for (const auto& field : head) request_.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    keep_alive_ = head.keep_alive();
    http10_ = head.version() == 10;
    head_only_ = head.method() == http::verb::head;
    if (head.version() != 10 && head.version() != 11) return Refuse(400, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    if (!http10_ && head.count(http::field::host) != 1) return Refuse(400, "an HTTP/1.1 request needs exactly one Host header");
    // Message framing that two parsers may read differently is never guessed at (RFC 9112, section 6.3).
    if (head.count(http::field::transfer_encoding) > 0 && head.count(http::field::content_length) > 0)
      return Refuse(400, "Content-Length and Transfer-Encoding exclude each other");
    if (auto status = ParseTarget({head.target().data(), head.target().size()}, request_); !status) return Refuse(400, status.error().message);
    route_ = shared_->router(request_);
    if (const auto length = parser_->content_length(); length && *length > route_.max_body)
      return Refuse(413, "the body has " + std::to_string(*length) + " bytes, the limit here is " + std::to_string(route_.max_body));
    parser_->body_limit(route_.max_body);
    if (parser_->is_done()) return Dispatch();
    if (request_.Header("Expect") == "100-continue" && buffer_.size() == 0) {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()), [self = Self()](ErrorCode e, size_t) {
        if (e) return self->Cut();
        self->ReadBody();
      });
      return;
    }
    ReadBody();
  }

  void ReadBody() {
    state_ = State::kBody;
    if (route_.spool_body) {
      request_.body_file = shared_->options.spool / ("body-" + RandomHex(8));
      spool_fd_ = ::open(request_.body_file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
      if (spool_fd_ < 0) return Refuse(503, "cannot store the upload");
    } else if (const auto length = parser_->content_length()) {
      request_.body.reserve(std::min<uint64_t>(*length, 16u << 20));
    }
    chunk_.resize(route_.spool_body ? 256u << 10 : 64u << 10);
    ReadSome();
  }

  void ReadSome() {
    parser_->get().body().data = chunk_.data();
    parser_->get().body().size = chunk_.size();
    Deadline(shared_->options.body_timeout_ms);
    http::async_read_some(stream_, buffer_, *parser_, [self = Self()](ErrorCode ec, size_t) { self->OnBody(ec); });
  }

  void OnBody(ErrorCode ec) {
    if (ec == http::error::need_buffer) ec = {};
    if (ec) {
      if (ec == http::error::body_limit) return Refuse(413, "the body is larger than " + std::to_string(route_.max_body) + " bytes, the limit here");
      if (ec.category() == http::make_error_code(http::error::bad_method).category() && ec != http::error::end_of_stream && ec != http::error::partial_message)
        return Refuse(400, "malformed HTTP body: " + ec.message());
      CloseSpool(true);
      return Cut();
    }
    const size_t got = chunk_.size() - parser_->get().body().size;
    request_.body_size += got;
    if (spool_fd_ >= 0) {
      for (size_t done = 0; done < got;) {
        const ssize_t n = ::write(spool_fd_, chunk_.data() + done, got - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return Refuse(errno == ENOSPC ? 507 : 503, "cannot store the upload");
        done += static_cast<size_t>(n);
      }
    } else {
      request_.body.append(chunk_.data(), got);
    }
    if (!parser_->is_done()) return ReadSome();
    CloseSpool(false);
    Dispatch();
  }

  void CloseSpool(bool remove) {
    if (spool_fd_ >= 0) ::close(spool_fd_);
    spool_fd_ = -1;
    if (remove && !request_.body_file.empty()) ::unlink(request_.body_file.c_str());
  }

  void Dispatch() {
    state_ = State::kHandling;
    Deadline(0);
    spooled_ = request_.body_file;
    auto reply = std::make_shared<PendingReply>(Self());
    if (route_.run_on == RunOn::kLoop) {
      route_.handle(std::move(request_), Reply(std::move(reply)));
      return;
    }
    auto task = [handle = std::move(route_.handle), request = std::make_shared<Request>(std::move(request_)), reply] { handle(std::move(*request), Reply(reply)); };
    if (!shared_->pool->Submit(std::move(task)))
      reply->Send(Response{503, "application/json", {{"Retry-After", "1"}}, R"({"error_code":"TEMPORARILY_UNAVAILABLE","message":"too many requests wait for a worker: try again in a second"})", {}});
  }

  /// Answers an error and closes: the rest of the input can't be trusted.
  void Refuse(int status, const std::string& message) {
    CloseSpool(true);
    keep_alive_ = false;
    std::string body = R"({"error_code":"INVALID_PARAMETER_VALUE","message":")";
    for (const char c : message)
      if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') body += c;
    body += "\"}";
    Write(Response{status, "application/json", {}, std::move(body), {}});
  }

  void Write(Response response) {
    state_ = State::kWriting;
    response_ = std::move(response);
    if (shared_->draining) keep_alive_ = false;
    head_text_ = ResponseHead(response_, loop_.Date(), keep_alive_, http10_);
    Deadline(shared_->options.write_timeout_ms);
    if (response_.file && !head_only_) return WriteFileHead();
    if (head_only_ || response_.status == 204 || response_.status == 304) response_.body.clear();
    if (response_.body.size() <= 4096) {
      head_text_ += response_.body;
      asio::async_write(stream_, asio::buffer(head_text_), [self = Self()](ErrorCode ec, size_t) { self->OnWritten(ec); });
    } else {
      const std::array<asio::const_buffer, 2> parts = {asio::buffer(head_text_), asio::buffer(response_.body)};
      asio::async_write(stream_, parts, [self = Self()](ErrorCode ec, size_t) { self->OnWritten(ec); });
    }
  }

  void WriteFileHead() {
    file_fd_ = ::open(response_.file->path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_fd_ < 0) {
      response_.file.reset();
      return Write(Response{404, "application/json", {}, R"({"error_code":"RESOURCE_DOES_NOT_EXIST","message":"the file has gone"})", {}});
    }
    file_at_ = response_.file->offset;
    file_left_ = response_.file->length;
    asio::async_write(stream_, asio::buffer(head_text_), [self = Self()](ErrorCode ec, size_t) { self->WriteFilePart(ec); });
  }
  void WriteFilePart(ErrorCode ec) {
    if (ec || file_left_ == 0) {
      ::close(file_fd_);
      file_fd_ = -1;
      return OnWritten(ec);
    }
    chunk_.resize(256u << 10);
    const ssize_t n = ::pread(file_fd_, chunk_.data(), std::min<uint64_t>(chunk_.size(), file_left_), static_cast<off_t>(file_at_));
    if (n <= 0) {
      ::close(file_fd_);
      file_fd_ = -1;
      return Cut();  // the promised length can't be kept
    }
    file_at_ += static_cast<uint64_t>(n);
    file_left_ -= static_cast<uint64_t>(n);
    Deadline(shared_->options.write_timeout_ms);
    asio::async_write(stream_, asio::buffer(chunk_.data(), static_cast<size_t>(n)), [self = Self()](ErrorCode e, size_t) { self->WriteFilePart(e); });
  }

  void OnWritten(ErrorCode ec) {
    if (!spooled_.empty()) {
      ::unlink(spooled_.c_str());
      spooled_.clear();
    }
    if (ec) return Cut();
    if (!keep_alive_) return LingerClose();
    NextRequest();
  }

  /// Half-closes and reads on for a moment, so that the client gets the answer before a reset (RFC 9112, section 9.6).
  void LingerClose() {
    ErrorCode ignored;
    state_ = State::kClosed;
    if constexpr (!kTls) stream_.shutdown(asio::socket_base::shutdown_send, ignored);
    Deadline(2000);
    linger_left_ = 64;
    Linger();
  }
  void Linger() {
    chunk_.resize(64u << 10);
    stream_.async_read_some(asio::buffer(chunk_), [self = Self()](ErrorCode ec, size_t) {
      if (ec || --self->linger_left_ == 0) return self->Cut();
      self->Linger();
    });
  }

  Stream stream_;
  std::string remote_;
  beast::flat_buffer buffer_{size_t{1} << 20};
  std::optional<http::request_parser<http::buffer_body>> parser_;
  Request request_;
  Route route_;
  Response response_;
  std::string head_text_;
  std::vector<char> chunk_;
  fs::path spooled_;
  int spool_fd_ = -1, file_fd_ = -1;
  uint64_t file_at_ = 0, file_left_ = 0;
  int linger_left_ = 0;
  bool keep_alive_ = false, http10_ = false, head_only_ = false;
};

}  // namespace rondo::net

#include "net/connection_reply.h"  // the definitions of PendingReply and Events
