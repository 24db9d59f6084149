// The HTTP server: listening sockets, event loops, drain. The protocol itself is in connection.h.
#include "net/server.h"

#include <boost/version.hpp>
#include <thread>

#include "net/connection.h"

namespace rondo::net {
namespace {

class ServerImpl : public Server {
 public:
  ServerImpl(ServerOptions options, Router router) : shared_(std::make_shared<Shared>()) {
    shared_->options = std::move(options);
    shared_->router = std::move(router);
    shared_->pool = std::make_unique<ThreadPool>("work", static_cast<size_t>(std::max(1, shared_->options.workers)), static_cast<size_t>(shared_->options.max_queued));
  }
  ~ServerImpl() override {
    Drain(0);
    shared_->pool.reset();
    // Connections that are left hang on handlers of the loops, and hold `shared_`: the loops go first.
    acceptor_.reset();
    shared_->loops.clear();
  }

  Status Listen() {
    const ServerOptions& o = shared_->options;
    if (o.spool.empty()) shared_->options.spool = fs::temp_directory_path();
    ErrorCode ec;
    const asio::ip::address address = asio::ip::make_address(o.address, ec);
    if (ec) return Fail(Code::kInvalid, "\"" + o.address + "\" is not an IP address", "listen on 127.0.0.1:PORT, or on [::1]:PORT");
    if (!o.tls_certificate.empty()) {
      tls_.emplace(asio::ssl::context::tls_server);
      tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
      tls_->use_certificate_chain_file(o.tls_certificate.string(), ec);
      if (ec) return Fail(Code::kEnvironment, "cannot read the TLS certificate " + o.tls_certificate.string() + ": " + ec.message());
      tls_->use_private_key_file(o.tls_key.string(), asio::ssl::context::pem, ec);
      if (ec) return Fail(Code::kEnvironment, "cannot read the TLS key " + o.tls_key.string() + ": " + ec.message());
    }
    const int count = o.loops > 0 ? o.loops : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    for (int i = 0; i < count; ++i) shared_->loops.push_back(std::make_unique<Loop>(*shared_));
    acceptor_.emplace(shared_->loops[0]->io);
    const tcp::endpoint endpoint(address, o.port);
    acceptor_->open(endpoint.protocol(), ec);
    if (!ec) acceptor_->set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec) acceptor_->bind(endpoint, ec);
    if (!ec) acceptor_->listen(1024, ec);
    if (ec) {
      const std::string where = o.address + ":" + std::to_string(o.port);
      if (ec == asio::error::address_in_use)
        return Fail(Code::kEnvironment, "port " + std::to_string(o.port) + " on " + o.address + " is in use by another program", "stop it, or choose another port: --listen " + o.address + ":" + std::to_string(o.port + 1));
      return Fail(Code::kEnvironment, "cannot listen on " + where + ": " + ec.message());
    }
    port_ = acceptor_->local_endpoint().port();
    Accept();
    for (size_t i = 0; i < shared_->loops.size(); ++i) {
      works_.emplace_back(asio::make_work_guard(shared_->loops[i]->io));
      threads_.emplace_back([this, i] {
        NameThread("loop-" + std::to_string(i));
        shared_->loops[i]->io.run();
      });
    }
    return {};
  }

  uint16_t port() const override { return port_; }

  void Drain(int64_t timeout_ms) override {
    if (threads_.empty()) return;
    shared_->draining = true;
    asio::post(shared_->loops[0]->io, [this] {
      ErrorCode ignored;
      acceptor_->close(ignored);
    });
    const int64_t deadline = MonotonicNs() + timeout_ms * 1'000'000;
    do {
      for (auto& loop : shared_->loops) asio::post(loop->io, [l = loop.get()] { l->CloseIdle(); });
      if (shared_->connections == 0 || timeout_ms == 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    } while (MonotonicNs() < deadline);
    // Handlers that still run keep their connection alive until they answer: let the pool finish, then cut what is left.
    shared_->pool.reset();
    for (auto& loop : shared_->loops)
      asio::post(loop->io, [l = loop.get()] {
        std::vector<std::shared_ptr<ConnectionBase>> all;
        for (ConnectionBase* c : l->connections) all.push_back(c->shared_from_this());
        for (auto& c : all) c->Cut();
        l->sweep.cancel();
      });
    works_.clear();
    const int64_t cut = MonotonicNs() + 1'000'000'000;
    while (shared_->connections > 0 && MonotonicNs() < cut) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    for (auto& loop : shared_->loops) loop->io.stop();
    for (auto& t : threads_) t.join();
    threads_.clear();
  }

 private:
  void Accept() {
    Loop& loop = shared_->Roomiest();
    acceptor_->async_accept(loop.io, [this, &loop](ErrorCode ec, Socket socket) {
      if (!acceptor_->is_open() || shared_->draining) return;
      if (!ec) {
        if (shared_->connections >= shared_->options.max_connections) {
          ErrorCode ignored;
          socket.close(ignored);
        } else {
          asio::dispatch(loop.io, [this, &loop, socket = std::move(socket)]() mutable { Begin(loop, std::move(socket)); });
        }
      } else if (ec == asio::error::no_descriptors) {
        LogWarn("net", "out of file descriptors: new connections wait");
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
      Accept();
    });
  }

  void Begin(Loop& loop, Socket socket) {
    ErrorCode ec;
    const auto endpoint = socket.remote_endpoint(ec);
    if (ec) return;
    const std::string remote = endpoint.address().to_string();
    if (tls_)
      std::make_shared<Connection<asio::ssl::stream<Socket>>>(loop, shared_, remote, std::move(socket), *tls_)->Start();
    else
      std::make_shared<Connection<Socket>>(loop, shared_, remote, std::move(socket))->Start();
  }

  std::shared_ptr<Shared> shared_;
  std::optional<asio::ssl::context> tls_;
  std::optional<asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>> acceptor_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> works_;
  std::vector<std::thread> threads_;
  uint16_t port_ = 0;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Router router) {
  auto server = std::make_unique<ServerImpl>(options, std::move(router));
  RONDO_DO(server->Listen());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace rondo::net
