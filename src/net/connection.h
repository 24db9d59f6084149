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
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "net/loop.h"
#include "net/reply.h"

namespace rondo::net {

namespace beast = boost::beast;
namespace http = beast::http;

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
      stream_.non_blocking(true, ignored);
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
    if (buffer_.size() > 0) {  // pipelined: by way of the queue, so that other connections have their turn
      state_ = State::kHead;
      return asio::post(loop_.io, [self = Self()] { self->OnReadable(); });
    }
    if constexpr (!kTls)
      if (loop_.give_away > 0 && Move()) return;
    state_ = State::kIdle;
    Deadline(shared_->options.idle_timeout_ms);
    ReadMore<&Connection::OnReadable>(8192);
  }

  /// Hands the socket to a loop that has time; nothing of a request is in our hands at this point.
  bool Move() {
    Loop& to = shared_->Roomiest();
    if (&to == &loop_) return false;
    --loop_.give_away;
    ErrorCode ec;
    const auto protocol = stream_.local_endpoint(ec).protocol();
    if (ec) return false;
    const auto handle = stream_.release(ec);
    if (ec) return false;
    state_ = State::kClosed;
    auto socket = std::make_shared<Socket>(to.io, protocol, handle);
    asio::post(to.io, [&to, shared = shared_, remote = remote_, socket] { std::make_shared<Connection>(to, shared, remote, std::move(*socket))->Start(); });
    return true;
  }

  /// Waits for more input, then goes on with `Next`. The parser is fed by hand: Beast's composed reads cost two turns of the loop a request.
  template <void (Connection::*Next)()>
  void ReadMore(size_t size) {
    stream_.async_read_some(buffer_.prepare(size), [self = Self()](ErrorCode ec, size_t n) {
      self->buffer_.commit(n);
      if (ec) {
        self->CloseSpool(true);
        return self->Cut();
      }
      (self.get()->*Next)();
    });
  }

  void OnReadable() {
    if (state_ == State::kClosed) return;
    state_ = State::kHead;
    Deadline(shared_->options.header_timeout_ms);
    ParseHead();
  }

  void ParseHead() {
    ErrorCode ec;
    buffer_.consume(parser_->put(buffer_.data(), ec));
    if (ec == http::error::need_more || (!ec && !parser_->is_header_done())) return ReadMore<&Connection::ParseHead>(8192);
    OnHead(ec);
  }

  void OnHead(ErrorCode ec) {
    if (ec) {
      if (ec == http::error::header_limit) return Refuse(431, "the request header is larger than " + std::to_string(shared_->options.max_header_bytes) + " bytes");
      return Refuse(400, "malformed HTTP request: " + ec.message());
    }
    auto& head = parser_->get();
    request_ = Request{};
    request_.method = std::string(head.method_string());
    request_.remote = remote_;
    request_.tls = kTls;
    request_.headers.reserve(8);
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
    chunk_.resize(64u << 10);
    Deadline(shared_->options.body_timeout_ms);
    ParseBody();
  }

  void ParseBody() {
    while (!parser_->is_done()) {
      if (buffer_.size() == 0) {
        Deadline(shared_->options.body_timeout_ms);
        return ReadMore<&Connection::ParseBody>(64u << 10);
      }
      parser_->get().body().data = chunk_.data();
      parser_->get().body().size = chunk_.size();
      ErrorCode ec;
      const size_t used = parser_->put(buffer_.data(), ec);
      buffer_.consume(used);
      if (ec == http::error::body_limit) return Refuse(413, "the body is larger than " + std::to_string(route_.max_body) + " bytes, the limit here");
      const bool hungry = ec == http::error::need_more;
      if (ec && !hungry && ec != http::error::need_buffer) return Refuse(400, "malformed HTTP body: " + ec.message());
      if (!TakeBody(chunk_.size() - parser_->get().body().size)) return;
      if (hungry && !parser_->is_done()) {
        Deadline(shared_->options.body_timeout_ms);
        return ReadMore<&Connection::ParseBody>(64u << 10);
      }
    }
    CloseSpool(false);
    Dispatch();
  }

  /// The first `got` bytes of chunk_ belong to the body; false: refused.
  bool TakeBody(size_t got) {
    request_.body_size += got;
    if (spool_fd_ >= 0) {
      for (size_t done = 0; done < got;) {
        const ssize_t n = ::write(spool_fd_, chunk_.data() + done, got - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
          Refuse(errno == ENOSPC ? 507 : 503, "cannot store the upload");
          return false;
        }
        done += static_cast<size_t>(n);
      }
    } else {
      request_.body.append(chunk_.data(), got);
    }
    return true;
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
      size_t sent = 0;
      if constexpr (!kTls) {
        // Nearly always fits into the socket's buffer: no turn of the loop is spent on it.
        ErrorCode ec;
        sent = stream_.write_some(asio::buffer(head_text_), ec);
        if (ec && ec != asio::error::would_block) return OnWritten(ec);
        if (sent == head_text_.size()) return OnWritten({});
      }
      asio::async_write(stream_, asio::buffer(head_text_) + sent, [self = Self()](ErrorCode ec, size_t) { self->OnWritten(ec); });
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
