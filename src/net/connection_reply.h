/// How answers and event streams find their way back to the connection's loop. Part of connection.h, which includes it.
#pragma once

#include "net/connection.h"

namespace rondo::net {

/// The answer's way back; also the event stream.
template <typename Stream>
struct Connection<Stream>::PendingReply : Reply::Impl {
  explicit PendingReply(std::shared_ptr<Connection> c) : connection(std::move(c)) {}
  ~PendingReply() override {
    if (!answered.exchange(true)) Deliver(Response{500, "application/json", {}, R"({"error_code":"INTERNAL_ERROR","message":"the request was dropped"})", {}});
  }
  void Send(Response response) override {
    if (!answered.exchange(true)) Deliver(std::move(response));
  }
  void Deliver(Response response) {
    auto c = connection;
    asio::dispatch(c->loop_.io, [c, response = std::move(response)]() mutable {
      if (c->state_ == State::kHandling) c->Write(std::move(response));
    });
  }
  std::shared_ptr<EventStream> StartEvents(Headers headers) override {
    if (answered.exchange(true)) return nullptr;
    auto events = std::make_shared<Events>(connection);
    Response response{200, "text/event-stream", std::move(headers), {}, {}};
    response.headers.emplace_back("Cache-Control", "no-store");
    asio::dispatch(connection->loop_.io, [events, keep = connection, response = std::move(response)] { events->Open(response); });
    return events;
  }
  std::shared_ptr<Connection> connection;
  std::atomic<bool> answered{false};
};

template <typename Stream>
struct Connection<Stream>::Events : EventStream, std::enable_shared_from_this<typename Connection<Stream>::Events> {
  explicit Events(std::shared_ptr<Connection> c) : connection(c) {}
  static constexpr size_t kMaxBuffered = 1u << 20;

  void Open(const Response& response) {  // on the loop
    auto c = connection.lock();
    if (!c || c->state_ != State::kHandling) return Gone();
    c->state_ = State::kEvents;
    c->Deadline(0);
    std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n";
    for (const auto& [k, v] : response.headers) head += k + ": " + v + "\r\n";
    pending = head + "\r\n" + pending;
    opened = true;
    Flush();
    WatchClient();
  }
  bool Send(std::string_view event, std::string_view data) override {
    if (gone) return false;
    std::string text = "event: " + std::string(event) + "\n";
    for (size_t at = 0; at <= data.size();) {
      const size_t end = std::min(data.find('\n', at), data.size());
      text += "data: ";
      text += data.substr(at, end - at);
      text += '\n';
      at = end + 1;
    }
    text += '\n';
    auto c = connection.lock();
    if (!c) return false;
    asio::post(c->loop_.io, [self = this->shared_from_this(), text = std::move(text)] {
      if (self->gone) return;
      self->pending += text;
      if (self->pending.size() > kMaxBuffered) return self->Cut();
      self->Flush();
    });
    return true;
  }
  void Close() override {
    if (auto c = connection.lock())
      asio::post(c->loop_.io, [self = this->shared_from_this()] {
        self->closing = true;  // what was sent goes out first
        self->Flush();
      });
  }
  void Cut() {
    Gone();
    if (auto c = connection.lock()) c->Cut();
  }
  void Gone() { gone = true; }
  void Flush() {
    auto c = connection.lock();
    if (!c || writing || !opened) return;
    if (pending.empty()) return closing ? Cut() : void();
    writing = true;
    sending.swap(pending);
    pending.clear();
    asio::async_write(c->stream_, asio::buffer(sending), [self = this->shared_from_this(), c](ErrorCode ec, size_t) {
      self->writing = false;
      if (ec) return self->Cut();
      self->Flush();
    });
  }
  /// The client says nothing more; an end or an error means that it has gone.
  void WatchClient() {
    auto c = connection.lock();
    if (!c) return;
    c->stream_.async_read_some(asio::buffer(probe), [self = this->shared_from_this(), c](ErrorCode ec, size_t) {
      if (ec) return self->Cut();
      self->WatchClient();
    });
  }
  std::weak_ptr<Connection> connection;
  std::string pending, sending;
  std::atomic<bool> gone{false};
  bool writing = false, opened = false, closing = false;
  char probe[256];
};

}  // namespace rondo::net
